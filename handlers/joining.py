"""Coming in: the invitation is the gate, and everybody else gets one neutral line."""

from datetime import timedelta

from bot.core.context import Context, Stranger
from bot.core.forms import question
from bot.core.ids import code_hash
from bot.core.replies import Button, Card, Reply, Tongue, lines, t
from bot.core.router import Role, Router
from handlers import linking, wording
from handlers.agreement import consent_card
from handlers.questions import JOIN
from storage.invites import Invite

router = Router()


UNDECIDED = timedelta(hours=24)


AN_HOUR = 3600


WRONG_AN_HOUR, REPLIES_AN_HOUR = 5, 5


NEUTRAL = t("Hello. This bot is for invited members. If you have an invitation, open the link you were given.")


NO_SUCH_CODE = t("That invitation link does not work. Please ask the person who invited you for a new one.")


@router.arrival
def arrive(stranger: Stranger) -> "Reply | tuple[Context, Reply]":
    """A good code lets an account in; everybody else gets the same line, and after five an hour none."""
    account = f"{stranger.sender.platform}:{stranger.sender.installation}:{stranger.sender.id}"
    tries = stranger.store.members
    if stranger.code is None:
        return NEUTRAL if tries.count_try(account, "stranger", stranger.now, AN_HOUR) <= REPLIES_AN_HOUR else None
    invite = stranger.store.invites.find(code_hash(stranger.code), stranger.now)
    if invite is None or not _may_use(stranger, invite):
        wrong = tries.count_try(account, "code", stranger.now, AN_HOUR)
        return NO_SUCH_CODE if wrong <= WRONG_AN_HOUR else None
    return _let_in(stranger, invite)


def _may_use(stranger: Stranger, invite: Invite) -> bool:
    """An account that is locked or gone comes back only by a new link for the same person."""
    if linking.is_link(invite):
        return linking.may_link(stranger, invite)
    sender = stranger.sender
    known = stranger.store.members.recognise(sender.platform, sender.installation, sender.id)
    return known is None or known[0].id == invite.for_member


def _let_in(stranger: Stranger, invite: Invite) -> tuple[Context, Reply]:
    store, sender = stranger.store, stranger.sender
    if invite.for_member is not None:
        return linking.let_in(stranger, invite) if linking.is_link(invite) else _reopen(stranger, invite)
    _, _, time_zone = store.members.cohort_defaults(invite.cohort_id)
    number = store.members.add(
        invite.cohort_id,
        stranger.now,
        role=invite.role,
        state="arriving",
        language=_language(stranger, invite),
        time_zone=invite.prefilled.get("time_zone") or time_zone,
        invited_by=invite.invited_by,
        trusted_id=invite.invited_by,
    )
    me = store.members.lock(number)
    assert me is not None
    conversation = stranger.address.conversation if stranger.address.is_private else f"dm:{sender.id}"
    store.members.add_account(me, sender.platform, sender.installation, sender.id, conversation, stranger.now)
    store.invites.use(invite, number)
    store.profiles.renew(number)
    store.schedules.set_timer("joining.expire", number, stranger.now + UNDECIDED)
    ctx = stranger.become(me)
    return ctx, greeting(ctx)


def _language(stranger: Stranger, invite: Invite) -> str:
    wished = str(invite.prefilled.get("language") or "")
    return wished if wished in stranger.engine.language.offered else stranger.language


def _reopen(stranger: Stranger, invite: Invite) -> tuple[Context, Reply]:
    """A new link for the same person: the old account closes, a locked member opens again, hidden as they were."""
    store, sender = stranger.store, stranger.sender
    assert invite.for_member is not None
    me = store.members.lock(invite.for_member)
    assert me is not None
    store.members.close_accounts(me.id)
    conversation = stranger.address.conversation if stranger.address.is_private else f"dm:{sender.id}"
    store.members.add_account(me, sender.platform, sender.installation, sender.id, conversation, stranger.now)
    store.invites.use(invite, me.id)
    if me.state == "locked":
        store.members.change(me.id, state="active")
    store.profiles.renew(me.id)
    ctx = stranger.become(me)
    ctx.refresh()
    said = t("Welcome back. This account is yours again; the old one is closed.")
    hidden = t("You are hidden: only facilitators see you. You can change that.") if me.preset == "hidden" else None
    button = Button(t("Who sees me"), "privacy.who")
    return ctx, Card(lines(said, hidden), buttons=(button,))


def greeting(ctx: Context) -> Card:
    """Who invites, and in which language to go on."""
    inviter = ctx.people.profile(ctx.me.invited_by) if ctx.me.invited_by else None
    hello = (
        t("Hello. You have a personal invitation from {name}.", name=wording.name(inviter))
        if inviter and inviter.name
        else t("Hello. You have a personal invitation to {programme}.", programme=ctx.programme.name)
    )
    rows = [Button(Tongue(code, own=True), "joining.language", code) for code in ctx.engine.language.offered]
    return Card(lines(hello, t("Language?")), buttons=(*rows, Button(t("Not for me"), "joining.no")))


@router.press("joining.language", anytime=True, role=Role.MEMBER)
def choose_language(ctx: Context) -> Reply:
    """The language to go on in."""
    if ctx.me.state == "arriving" and ctx.value in ctx.engine.language.offered:
        ctx.store.members.change(ctx.me.id, language=ctx.value)
        ctx.refresh()
    return resume(ctx)


@router.word("start", anytime=True, role=Role.MEMBER)
def start(ctx: Context) -> Reply:
    """Pressing Start again goes on where one was."""
    if ctx.text and ctx.me.state in ("active", "paused") and linking.is_anothers(ctx, ctx.text):
        return t("You have a profile of your own here. To use the other one here too, leave the bot here first.")
    return resume(ctx)


@router.word("join", anytime=True, role=Role.MEMBER)
def join(ctx: Context) -> Reply:
    """The same, as a word."""
    return resume(ctx)


@router.unfinished
def resume(ctx: Context) -> Reply:
    """Where somebody is on their way in."""
    if ctx.me.state == "arriving":
        return consent_card(ctx) if ctx.message is not None or _has_chosen_language(ctx) else greeting(ctx)
    if ctx.me.state == "joining":
        waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
        if waiting is not None:
            return question(ctx, waiting)
        return JOIN.begin()
    return t("You are in. Just write what you are looking for, or type help.")


def _has_chosen_language(ctx: Context) -> bool:
    """Is the consent card what they were shown last?"""
    shown = ctx.store.homes.last_said(ctx.me.id)
    buttons = (shown.body or {}).get("buttons", ()) if shown else ()
    return any(action == "agreement.agree" for _, action, _, _ in buttons)


@router.press("joining.no", anytime=True, role=Role.MEMBER)
def no(ctx: Context) -> Reply:
    """Nothing is kept; the invitation can be opened again until it expires."""
    if ctx.me.state not in ("arriving", "joining"):
        return resume(ctx)
    ctx.store.invites.give_back(ctx.me.id)
    ctx.store.privacy.erase(ctx.me.id)
    ctx.farewell(t("All right. Nothing is kept. If you change your mind, open the same link again."))
    return None


@router.due("joining.expire")
def expire(ctx: Context) -> Reply:
    """A day without a yes: what was kept is erased, the link works again."""
    if ctx.me.state == "arriving":
        ctx.store.invites.give_back(ctx.me.id)
        ctx.store.privacy.erase(ctx.me.id)
    return None

"""Coming in: the invitation is the gate, and everybody else gets one neutral line."""

from datetime import timedelta

from bot.core.context import Context, Stranger
from bot.core.events import Command, Message, Opened, Press, Unreadable
from bot.core.forms import question
from bot.core.ids import account_hash, code_hash, read_button_handle
from bot.core.replies import Button, Card, Content, Pressable, Reply, Urgency, lines, t
from bot.core.router import Role, Router
from handlers import linking, wording
from handlers.agreement import consent_card
from handlers.language import first_choice
from handlers.questions import JOIN
from storage.invites import Invite
from storage.outbox import Row

router = Router()


UNDECIDED = timedelta(hours=24)


AN_HOUR = 3600


WRONG_AN_HOUR, REPLIES_AN_HOUR = 5, 5


NO_SUCH_CODE = t("That invitation link does not work. Please ask the person who invited you for a new one.")


IN_THE_CHAT = t("Hello. You have a personal invitation. It is in our chat: press Messages above.")


@router.arrival
def arrive(stranger: Stranger) -> "Reply | tuple[Context, Reply]":
    """A good code lets an account in; everybody else gets the same line, and after five an hour none."""
    account = f"{stranger.sender.platform}:{stranger.sender.installation}:{stranger.sender.id}"
    tries = stranger.store.members
    if stranger.code is None:
        for_them = stranger.store.invites.find(account_hash(*_account(stranger)), stranger.now)
        if for_them is not None and _may_use(stranger, for_them):
            return _come_in(stranger, for_them)
        return (
            wording.NEUTRAL if tries.count_try(account, "stranger", stranger.now, AN_HOUR) <= REPLIES_AN_HOUR else None
        )
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
    if invite.for_member is not None:
        return linking.let_in(stranger, invite) if linking.is_link(invite) else _reopen(stranger, invite)
    ctx = _become_member(stranger, invite)
    # Behind what others wait for: thousands may open their links in one minute.
    ctx.send(ctx.me.id, greeting(ctx), urgency=Urgency.WELCOME)
    return ctx, None


def _become_member(stranger: Stranger, invite: Invite) -> Context:
    store, sender = stranger.store, stranger.sender
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
    return stranger.become(me)


def _account(stranger: Stranger) -> tuple[str, str, str]:
    return stranger.sender.platform, stranger.sender.installation, stranger.sender.id


def _come_in(stranger: Stranger, invite: Invite) -> "Reply | tuple[Context, Reply]":
    """Somebody to whom the bot wrote first: by a press on that message, or whatever else they write."""
    if isinstance(stranger.event, Opened):
        return IN_THE_CHAT
    if not isinstance(stranger.event, Message | Command | Press | Unreadable):
        return None
    pressed = _greeting_pressed(stranger, stranger.event) if isinstance(stranger.event, Press) else None
    if pressed is None:
        return _let_in(stranger, invite)
    ctx = _become_member(stranger, invite) if invite.for_member is None else _let_in(stranger, invite)[0]
    row, button = pressed
    stranger.store.invites.adopt(row.seq, ctx.me.id)
    ctx.message, ctx.value = row.message, button.value
    return ctx, no(ctx) if button.action == "joining.no" else choose_language(ctx)


def _greeting_pressed(stranger: Stranger, event: Press) -> "tuple[Row, Pressable] | None":
    """The greeting that was sent to this very account, and its button."""
    read = read_button_handle(event.handle)
    row = stranger.store.outbox.by_key(read[0]) if read else None
    if read is None or row is None or row.member_id is not None or not row.body:
        return None
    sender, buttons = stranger.sender, Content.from_json(row.body).buttons
    ours = (row.lane, row.conversation) == (f"{sender.platform}:{sender.installation}", f"dm:{sender.id}")
    return (row, buttons[read[1]]) if ours and read[1] < len(buttons) else None


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
    return Card(lines(hello, t("Language?")), buttons=first_choice(ctx))


@router.press("joining.language", anytime=True, role=Role.MEMBER)
def choose_language(ctx: Context) -> Reply:
    """The language to go on in."""
    if ctx.me.state == "arriving" and ctx.value in ctx.engine.language.offered:
        ctx.store.members.change(ctx.me.id, language=ctx.value)
        ctx.refresh()
        return consent_card(ctx)
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
    by_name = ctx.store.invites.prefilled_for(ctx.me.id).get("account")
    ctx.store.invites.give_back(ctx.me.id)
    ctx.store.privacy.erase(ctx.me.id)
    if by_name:
        ctx.farewell(t("All right. Nothing is kept. If you change your mind, write to me here."))
    else:
        ctx.farewell(t("All right. Nothing is kept. If you change your mind, open the same link again."))
    return None


@router.due("joining.expire")
def expire(ctx: Context) -> Reply:
    """A day without a yes: what was kept is erased, the link works again."""
    if ctx.me.state == "arriving":
        ctx.store.invites.give_back(ctx.me.id)
        ctx.store.privacy.erase(ctx.me.id)
    return None

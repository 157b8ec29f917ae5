"""My other app: one member with two accounts, joined by a one-time code; where the bot writes, and forgetting one."""

from collections.abc import Sequence
from datetime import timedelta

from bot.core import Button, Card, Context, Reply, Role, Router, Say, lines, t
from bot.core.context import Stranger
from bot.core.ids import code_hash
from handlers.invitations import PLATFORMS
from storage.invites import Invite
from storage.members import LIVE, Account

router = Router()

LASTS = timedelta(hours=1)
MOST = 2  # accounts of one member
FORGET = t("Forget the other app")


@router.word("link", role=Role.MEMBER)
def link(ctx: Context) -> Reply:
    """A code for the other app; with two accounts, where I write."""
    return linking_card(ctx)


@router.press("linking.open", role=Role.MEMBER)
def open_linking(ctx: Context) -> Reply:
    """From my profile."""
    return linking_card(ctx)


def linking_card(ctx: Context) -> Card:
    """What can be done with the accounts that I have."""
    mine = ctx.store.members.accounts(ctx.me.id)
    return _places(ctx, mine, None) if len(mine) >= MOST else _code(ctx)


def _code(ctx: Context) -> Card:
    """A new code; an older one no longer works."""
    ctx.store.invites.revoke_links(ctx.me.id)
    code = ctx.ids.code()
    ctx.store.invites.add(
        ctx.me.cohort_id,
        code_hash(code),
        ctx.me.role,
        ctx.now,
        ctx.now + LASTS,
        prefilled={"link": True},
        invited_by=ctx.me.id,
        for_member=ctx.me.id,
    )
    here = ctx.here.platform if ctx.here else ""
    ways: list[Say] = [
        t("{app}: {link}", app=PLATFORMS.get(platform, platform), link=way.replace("{code}", code))
        for platform, way in ctx.programme.links.items()
        if platform != here
    ]
    text = lines(
        t("Write this to the bot in your other app: {text}", text=f"start {code}"),
        *ways,
        t("It works once, within an hour. Whoever writes it is you for me, so give it to nobody."),
    )
    return Card(text, buttons=(Button(t("Back"), "me.open"),))


def _places(ctx: Context, mine: Sequence[Account], said: Say | None) -> Card:
    """Both accounts, and where I write."""
    text = lines(said, t("I write to you first on {app}.", app=_label(ctx, mine, _preferred(mine))))
    change = [
        Button(t("Write to me on {app}", app=_label(ctx, mine, one)), "linking.prefer", str(one.id))
        for one in mine
        if one.id != _preferred(mine).id
    ]
    return Card(text, buttons=(*change, Button(FORGET, "linking.forget"), Button(t("Back"), "me.open")))


def _preferred(mine: Sequence[Account]) -> Account:
    return next((one for one in mine if one.preferred), mine[-1])


def _label(ctx: Context, mine: Sequence[Account], of: Account) -> Say:
    """An app's name; of two accounts on one platform, which of them."""
    app = PLATFORMS.get(of.platform, of.platform)
    if len({one.platform for one in mine}) == len(mine):
        return app
    return t("{app}, here", app=app) if _is_here(ctx, of) else t("{app}, the other account", app=app)


def _is_here(ctx: Context, of: Account) -> bool:
    sender = getattr(ctx.event, "sender", None)
    return sender is not None and (sender.platform, sender.installation, sender.id) == (
        of.platform,
        of.installation,
        of.external_id,
    )


@router.press("linking.prefer", role=Role.MEMBER)
def prefer(ctx: Context) -> Reply:
    """Write to me there from now on; here, if I cannot be reached there."""
    mine = ctx.store.members.accounts(ctx.me.id)
    chosen = next((one for one in mine if str(one.id) == ctx.value), None)
    if chosen is None or len(mine) < MOST:
        return linking_card(ctx)
    ctx.store.members.prefer(ctx.me.id, chosen.id)
    return _places(ctx, ctx.store.members.accounts(ctx.me.id), t("All right."))


@router.press("linking.forget", role=Role.MEMBER)
def forget(ctx: Context) -> Reply:
    """Ask once more, naming what is forgotten."""
    mine = ctx.store.members.accounts(ctx.me.id)
    other = _other(ctx, mine)
    if other is None:
        return t("No other app is linked. Nothing changed.")
    return Card(
        t("Forget {app}? I will not know you there, until you link it again.", app=_label(ctx, mine, other)),
        buttons=(
            Button(t("Yes, forget it"), "linking.forgotten", str(other.id), "danger"),
            Button(t("No"), "linking.open"),
        ),
    )


@router.press("linking.forgotten", role=Role.MEMBER)
def forgotten(ctx: Context) -> Reply:
    """The other account is nobody's; what waits for it comes here, and it is told."""
    members, mine = ctx.store.members, ctx.store.members.accounts(ctx.me.id)
    other = _other(ctx, mine)
    if other is None or str(other.id) != ctx.value:
        return t("No other app is linked. Nothing changed.")
    app = _label(ctx, mine, other)
    here = next(one for one in mine if _is_here(ctx, one))
    ctx.store.outbox.readdress(ctx.me.id, (other.lane, other.conversation), (here.lane, here.conversation), ctx.now)
    if other.reachable:
        members.prefer(ctx.me.id, other.id)
        ctx.send(ctx.me.id, t("This app is no longer linked. If that was not you, tell a facilitator."))
    members.close_account(ctx.me.id, other.id)
    members.prefer(ctx.me.id, here.id)
    ctx.store.invites.revoke_links(ctx.me.id)
    return t("Forgotten: {app}. From now on I write to you here only.", app=app)


def _other(ctx: Context, mine: Sequence[Account]) -> Account | None:
    """The account that I am not writing from."""
    here = [one for one in mine if _is_here(ctx, one)]
    return next((one for one in mine if one not in here), None) if here else None


def is_link(invite: Invite) -> bool:
    """Is this a code for one's own other app, and no invitation?"""
    return bool(invite.prefilled.get("link"))


def may_link(stranger: Stranger, invite: Invite) -> bool:
    """Only an account that is nobody's, to a member who is there, and to one account more."""
    sender, members = stranger.sender, stranger.store.members
    if members.recognise(sender.platform, sender.installation, sender.id) is not None or invite.for_member is None:
        return False
    me = members.lock(invite.for_member)
    return me is not None and me.state in LIVE and len(members.accounts(me.id)) < MOST


def let_in(stranger: Stranger, invite: Invite) -> tuple[Context, Reply]:
    """One account more for the same person; the first one is told, and stays where I write until another is chosen."""
    members, sender = stranger.store.members, stranger.sender
    me = members.lock(invite.for_member or 0)
    assert me is not None
    conversation = stranger.address.conversation if stranger.address.is_private else f"dm:{sender.id}"
    members.add_account(
        me, sender.platform, sender.installation, sender.id, conversation, stranger.now, preferred=False
    )
    stranger.store.invites.use(invite, me.id)
    ctx = stranger.become(me)
    mine = members.accounts(me.id)
    added = next(one for one in mine if _is_here(ctx, one))
    told = t(
        "Your other app is linked now: {app}. If that was not you, press the button, and tell a facilitator.",
        app=PLATFORMS.get(added.platform, added.platform),
    )
    ctx.send(me.id, Card(told, buttons=(Button(FORGET, "linking.forget"),)))
    name = ctx.profile.name
    done = t("Done. Here you are {name} too.", name=name) if name else t("Done. I know you here too.")
    buttons = tuple(Button(_label(ctx, mine, one), "linking.prefer", str(one.id)) for one in mine)
    return ctx, Card(lines(done, t("Where shall I write to you first?")), buttons=buttons)


def is_anothers(ctx: Context, code: str) -> bool:
    """Did somebody who is a member already write a code that was meant for an account without one?"""
    found = ctx.store.invites.find(code_hash(code), ctx.now)
    return found is not None and is_link(found) and found.for_member != ctx.me.id

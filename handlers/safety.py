"""Somebody is in danger: `safe` hides and locks at once, and the emergency words are answered in any step."""

from datetime import timedelta

from bot.core import Button, Card, Context, Reply, Role, Router, Say, Urgency, Words, lines, t
from bot.core.events import Address
from handlers import wording
from storage.access import Viewer
from storage.homes import HOME
from storage.members import Member

router = Router()

TAKEN_BACK = 200  # messages; one goes each second
# For how long a bot may delete what it said (https://core.telegram.org/bots/api#deletemessage); elsewhere for ever.
CAN_BE_DELETED = {"telegram": timedelta(hours=48)}


CLOSED = t("This request is closed. There is nothing for you to do.")


@router.word(
    "safe",
    help=t("Hide you and lock your account at once; a facilitator reopens it"),
    anytime=True,
    role=Role.MEMBER,
)
def safe(ctx: Context) -> Reply:
    """Answers "OK." and nothing else; what it did is in the code below, and on no screen."""
    if ctx.me.state in ("arriving", "joining"):  # nothing to hide yet: nothing is kept either
        ctx.store.invites.give_back(ctx.me.id)
        ctx.store.privacy.erase(ctx.me.id)
        ctx.farewell("OK.")
        return None
    lock(ctx, ctx.me)
    return "OK."


def lock(ctx: Context, who: Member) -> None:
    """Hide somebody, stop what waits to or about them, wipe what was said to them, lock, tell the one they trust."""
    told = trusted(ctx, who)
    name = t("Somebody") if told is None else name_for(ctx, told, who)
    store = ctx.store
    store.outbox.cancel_to(who.id, ctx.now)
    store.outbox.cancel_about(who.id, ctx.now)
    close_requests(ctx, who.id)
    take_back(ctx, who)
    store.outbox.wipe_to(who.id)
    store.dialogs.end_all(who.id)
    promised = who.state == "leaving"  # an erasure that was promised still happens
    store.schedules.cancel(who.id, tuple(name for name in ctx.engine.router.dues if name != "privacy.erase"))
    store.search.unwatch(who.id)
    store.invites.revoke_for(who.id)
    # Who comes back by a new link is hidden until they choose otherwise.
    store.members.change(who.id, state="locked", preset="hidden", paused_until=None)
    if not promised:
        store.members.change(who.id, leaving_at=None)
    store.profiles.renew(who.id)
    store.audit.note(who.cohort_id, ctx.me.id, "safety.lock", ctx.now, who.id)
    if told is not None and told != ctx.me.id:
        ctx.send(told, _notice(ctx, who, name), urgency=Urgency.SAFETY)


def take_back(ctx: Context, who: Member) -> None:
    """Delete from a person's own screens what the bot said there, newest first, as far as the platform lets it.

    A page cannot go: it says nothing any more.
    """
    for message, lane, at in ctx.store.outbox.said_to(who.id, TAKEN_BACK):
        lasts = CAN_BE_DELETED.get(lane.partition(":")[0])
        if lasts is None or ctx.now - at < lasts:
            ctx.delete(message)
    for one in ctx.store.members.accounts(who.id):
        page = Address(one.platform, one.installation, one.conversation.replace("dm:", HOME, 1))
        if ctx.store.homes.stands(who.id, page.conversation)[1] is not None:
            ctx.greet(page, Card(wording.NEUTRAL), who.language)


def _notice(ctx: Context, who: Member, name: Say) -> Card:
    said = (
        t("{name} typed safe. I hid them and locked their account.", name=name)
        if who.id == ctx.me.id
        else t("A facilitator locked the account of {name}, and hid them.", name=name)
    )
    way = t("Reach them outside this bot. When you know that it is they, make them a new link here.")
    return Card(lines(said, way), buttons=(Button(t("New link for {name}", name=name), "people.link", str(who.id)),))


def trusted(ctx: Context, who: Member) -> int | None:
    """The facilitator whom somebody chose, else the one who invited them, else the first; never themselves.

    Only who is there now, and has an app in which I can write to them.
    """
    staff = [one for one in ctx.store.members.facilitators(who.cohort_id) if one != who.id]
    chosen = [one for one in (who.trusted_id, who.invited_by) if one in staff]
    return next((one for one in [*chosen, *staff] if ctx.store.members.where(one) is not None), None)


def name_for(ctx: Context, facilitator: int, who: Member) -> Say:
    """What a facilitator calls somebody, in whatever state they are."""
    viewer = Viewer(facilitator, who.cohort_id, facilitator=True)
    return ctx.store.people(viewer).profile_name(who.id) or t("Somebody who shows no name")


def close_requests(ctx: Context, who: int) -> None:
    """Withdraw what somebody asked, and let lapse what they were asked; askers see what silence looks like."""
    for found in ctx.store.introductions.close_all(who, ctx.now):
        if found.asker_id == who and found.request_message is not None:
            ctx.edit(found.request_message, CLOSED, anew=True)
        if found.asker_id == who and found.other_id is not None:
            ctx.store.schedules.cancel(found.other_id, ("introductions.remind",), found.id)
    for message in ctx.store.asks.close_all(who):
        ctx.edit(message, CLOSED, anew=True)


@router.emergency
def emergency(ctx: Context) -> Reply:
    """The programme's own emergency text with human contacts, in any step; nothing is stored, nobody is told."""
    ctx.store.dialogs.end_all(ctx.me.id)
    programme = ctx.programme
    contacts = programme.emergency_contacts or programme.operator_contact
    text = lines(
        Words(programme.content.emergency.text),
        t("Contacts of {programme}: {contacts}", programme=programme.name, contacts=contacts) if contacts else None,
        t("I told nobody."),
        gap=True,
    )
    if trusted(ctx, ctx.me) is None:
        return Card(text)
    return Card(text, buttons=(Button(t("Tell a facilitator"), "safety.tell", style="danger"),))


@router.press("safety.tell", anytime=True, role=Role.MEMBER)
def tell(ctx: Context) -> Reply:
    """Only now a facilitator is told, and nothing but that."""
    told = trusted(ctx, ctx.me)
    if told is None:
        return t("There is no facilitator whom I could tell. Please use the contacts above.")
    said = t(
        "{name} wrote that they are in danger, and asks that you know. Please reach them now.",
        name=name_for(ctx, told, ctx.me),
    )
    reply = Button(t("Reply"), "help.reply", str(ctx.me.id))
    ctx.send(told, Card(said, buttons=(reply,)), urgency=Urgency.SAFETY)
    facilitator = ctx.people.profile(told)
    name = (facilitator.name if facilitator else None) or t("A facilitator")
    contacts = ctx.programme.emergency_contacts
    return lines(
        t("{name} is told now, in this bot. I cannot know when they read it.", name=name),
        t("Contacts: {contacts}", contacts=contacts) if contacts else None,
    )

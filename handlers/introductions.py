"""Being asked to meet: a private yes or no, one reminder, and a close that tells a no from nothing."""

import json

from bot.core.context import Context
from bot.core.replies import Button, Card, Reply, Say, Urgency, lines, t
from bot.core.router import Role, Router
from bot.domain.profiles import Profile
from handlers import talks, wording
from handlers.contacts import in_touch
from handlers.help import offered, press, sure
from handlers.partners import two_others
from handlers.requests import request_card, requests
from storage.access import Viewer
from storage.introductions import Introduction
from storage.members import LIVE

router = Router()

OPENED = Card(t("You both said yes, so I opened this chat for the two of you. I do not read along here."))


def _asked_of_me(ctx: Context) -> Introduction | None:
    found = ctx.store.introductions.get(int(ctx.value))
    return found if found is not None and found.other_id == ctx.me.id else None


@router.press("introductions.yes", role=Role.MEMBER)
def yes(ctx: Context) -> Reply:
    """The second yes: both are told, and see each other as people who met."""
    found = _asked_of_me(ctx)
    if found is None or found.asker_id is None:
        return t("This request is closed. Nothing changed.")
    if found.state == "accepted":
        return in_touch(t("You are in touch already."), found.asker_id)
    asker = ctx.store.members.recall(found.asker_id)
    if asker is None or asker.state not in LIVE or not ctx.people.may_bring_together(found.asker_id):
        return t("This request is closed. Nothing changed.")
    if found.closed_at is not None or not ctx.store.introductions.decide(found.id, "accepted", ctx.now):
        return t("This request is closed. Nothing changed.")
    ctx.store.introductions.befriend(ctx.me.cohort_id, found.asker_id, ctx.me.id, ctx.now, found.id)
    talks.expect(ctx, found.id, found.asker_id)
    ctx.store.schedules.cancel(ctx.me.id, ("introductions.remind",), found.id)
    ctx.store.schedules.cancel(found.asker_id, ("introductions.close",), found.id)
    theirs = ctx.store.people(Viewer(asker.id, asker.cohort_id)).profile(ctx.me.id)
    together = ctx.send_group((asker.id, ctx.me.id), OPENED)
    if theirs is not None:
        if found.asker_message is not None:
            ctx.edit(found.asker_message, t("{name} said yes.", name=wording.name(theirs)), about=(ctx.me.id,))
        ctx.send(asker.id, met_card(ctx, theirs, writes_first=True, together=together), about=(ctx.me.id,), once=True)
    mine = ctx.people.profile(asker.id)
    return met_card(ctx, mine, writes_first=False, together=together) if mine else t("You are in touch now.")


def met_card(ctx: Context, other: Profile, *, writes_first: bool, together: bool, before: Say | None = None) -> Card:
    """Who the other is, whose turn it is, and how to begin."""
    turn = (
        t("I opened a chat for the two of you.")
        if together
        else t("It is your turn to begin: share how {name} can reach you.", name=wording.name(other))
        if writes_first
        else t("{name} begins. You can also share how you can be reached.", name=wording.name(other))
    )
    first = t("A first question that helps: what would you do next week if nobody stood in the way?")
    return Card(
        lines(before, t("You and {name} are in touch now.", name=wording.called(other)), turn, first, gap=True),
        fields=wording.fields(ctx, other),
        buttons=(Button(t("Share my contact"), "contacts.share", str(other.id), "primary"),),
    )


@router.press("introductions.no", role=Role.MEMBER)
def no(ctx: Context) -> Reply:
    """A quiet no: nobody is told, nothing changes for the asker until day 7."""
    found = _asked_of_me(ctx)
    if found is None or found.closed_at is not None or found.state not in ("proposed", "declined"):
        return t("This request is closed. Nothing changed.")
    ctx.store.introductions.decide(found.id, "declined", ctx.now)
    ctx.store.schedules.cancel(ctx.me.id, ("introductions.remind",), found.id)
    return t("All right. Nobody is told, and nothing more happens.")


@router.word("yes", role=Role.MEMBER)
def typed_yes(ctx: Context) -> Reply:
    """A yes that answers no question."""
    return _typed(ctx, "yes")


@router.word("no", role=Role.MEMBER)
def typed_no(ctx: Context) -> Reply:
    """A no that answers no question."""
    return _typed(ctx, "no")


def _typed(ctx: Context, word: str) -> Reply:
    """A button of the newest message, else the request that waits, shown again: a second word decides on that one.

    Never the first: the request may have come by itself while somebody wrote about something else.
    """
    newest = ctx.last_said()
    was_asked_for = newest is not None and newest.priority == Urgency.REPLY
    meant = [one for one in offered(ctx, word) if was_asked_for or not one.action.startswith("introductions.")]
    if len(meant) == 1:  # to join a team is a yes of one's own, too
        is_unasked = not was_asked_for and meant[0].action == "team_joining.yes"
        return sure(ctx, meant[0]) if is_unasked else press(ctx, meant[0])
    waiting = [one for one in ctx.store.introductions.waiting_for(ctx.me.id) if one.asked_at <= ctx.now]
    if len(waiting) == 1:
        return request_card(ctx, waiting[0], t("Do you mean this?"))
    if waiting:
        return requests(ctx)
    return t("All right. I have no open question for you. Just write what you are looking for, or type help.")


@router.press("introductions.look", role=Role.MEMBER)
def look(ctx: Context) -> Reply:
    """A request that waits for me, again."""
    found = _asked_of_me(ctx)
    if found is None or found.state != "proposed" or found.closed_at is not None:
        return t("This request is closed. Nothing changed.")
    return request_card(ctx, found)


@router.due("introductions.remind")
def remind(ctx: Context) -> Reply:
    """Day 3: the one reminder."""
    found = ctx.store.introductions.get(ctx.object or 0)
    if found is None or found.state != "proposed" or ctx.me.state != "active" or found.asker_id is None:
        return None
    first = ctx.store.outbox.get(found.request_message) if found.request_message is not None else None
    if first is None or first.state == "cancelled":  # it was stopped before it was shown, so nothing is named now
        return None
    if found.request_message is not None:
        ctx.edit(found.request_message, t("I ask again below."), anew=True)
    card = request_card(ctx, found, t("A reminder, the only one:"))
    message = ctx.send(
        ctx.me.id,
        card,
        about=(found.asker_id,),
        on_behalf=found.asker_id,
        urgency=Urgency.QUESTION,
        counted=False,
        once=True,
    )
    ctx.store.introductions.change(found.id, request_message=message)
    return None


@router.due("introductions.close")
def close(ctx: Context) -> Reply:
    """Day 7: a no and silence close in the same words, with two other names."""
    found = ctx.store.introductions.get(ctx.object or 0)
    if found is None or found.closed_at is not None:
        return None
    if found.state == "proposed" and found.request_message is not None:
        ctx.edit(found.request_message, t("This request is closed. There is nothing for you to do."), anew=True)
    ctx.store.introductions.change(found.id, state="closed", closed_at=ctx.now)
    if ctx.me.state not in LIVE:  # who is away is told when they are back
        return None
    card = found.card or {}
    others = two_others(ctx, card.get("topic"), found.other_id or 0)
    name = ctx.people.profile(found.other_id or 0)
    said = t(
        "It did not come together with {name} this time. That mostly has to do with time, and says nothing about you.",
        name=wording.name(name) if name else t("this person"),
    )
    hint = t("Perhaps one of these instead:") if others else None
    # The day was promised to the asker, so no full week puts it off.
    # It waits for the morning: whoever it names may hide, leave or be locked before.
    named = [*([name.id] if name else []), *(json.loads(one.value)["to"] for one in others)]
    ctx.send(ctx.me.id, Card(lines(said, hint), buttons=others), about=named, urgency=Urgency.QUESTION, counted=False)
    return None

"""What came of a question: did it move, others to ask, solved, thanks, closed."""

import json

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, lines, t, tn
from handlers import cards, promises, wording
from handlers.asks import A_WEEK, TIMES_AT_MOST, Sending, fitting, goes_out, look_again, open_of_mine, preview, so_far
from handlers.project_card import my_milestone
from storage.asks import ANSWERED, CLOSED, HELPING, SOLVED, THANKED, WAITING, Ask, Asked
from storage.cards import Part

router = Router()

PART = "moved.ask"
NO_MORE = t("This question is closed. There is nothing for you to do.")


@router.due("asks.moved")
def due(ctx: Context) -> Reply:
    """A week is over: whether it moved rides on the next card."""
    found = open_of_mine(ctx, ctx.object or 0)
    if found is not None and not cards.when_back(ctx, "asks.moved") and ctx.me.state == "active":
        cards.ride(ctx, Part(PART, found.id))
    return None


@router.rider(PART, find=lambda ctx: None, asks=False)
def part(ctx: Context, number: int) -> Card | None:
    """Did it move? Left out when the question is closed meanwhile."""
    found = open_of_mine(ctx, number)
    if found is None:
        return None
    receivers = ctx.store.asks.receivers(found.id)
    said = lines(t("You asked: “{text}”", text=found.text), so_far(receivers), t("Did it move?"))
    value = str(found.id)
    buttons = [
        Button(t("Solved"), "asks.solved", value, "primary"),
        Button(t("Not yet"), "asks.not_yet", value),
        Button(t("Close the question"), "asks.close", value),
    ]
    return Card(said, buttons=tuple(buttons))


@router.press("asks.not_yet", role=Role.MEMBER)
def not_yet(ctx: Context) -> Reply:
    """Ask others, or wait a week more."""
    found = open_of_mine(ctx, int(ctx.value))
    if found is None:
        return t("This question is closed. Nothing changed.")
    if found.times >= TIMES_AT_MOST:
        free = _close(ctx, found, CLOSED)
        said = t("I have asked everybody I could ask three times, so I close it. You can ask anew, in other words.")
        return cards.go_on(ctx, PART, found.id, Card(lines(said, free)))
    draft = {"text": found.text, "ask": found.id}
    if fitting(ctx, draft):
        ctx.after(lambda: preview(ctx, draft))
        return cards.go_on(ctx, PART, found.id, Card(t("Others could be asked now: see below.")))
    ctx.store.asks.change(found.id, times=found.times + 1)
    again = When(look_again(ctx, found.id))
    said = t("Nobody else fits now. I keep it open, and ask you again on {day}.", day=again)
    return cards.go_on(ctx, PART, found.id, Card(said))


@router.press("asks.solved", role=Role.MEMBER)
def solved(ctx: Context) -> Reply:
    """It moved: close it, and offer to thank those who helped."""
    found = open_of_mine(ctx, int(ctx.value))
    if found is None:
        return t("This question is closed. Nothing changed.")
    free = _close(ctx, found, SOLVED)
    _offer_to_free(ctx, found)
    helpers = _helpers(ctx, found.id)
    said = t("Good to hear. The question is closed.")
    thanks = (Button(t("Thank those who helped"), "asks.thank", ctx.value),) if helpers else ()
    return cards.go_on(ctx, PART, found.id, Card(lines(said, free), buttons=thanks))


@router.press("asks.thank", role=Role.MEMBER)
def thank(ctx: Context) -> Reply:
    """One line to each who helped, once; in a message of its own."""
    found = ctx.store.asks.get(int(ctx.value))
    if found is None or found.member_id != ctx.me.id or found.state != SOLVED:
        return t("This question is closed. Nothing changed.")
    helpers = _helpers(ctx, found.id)
    ctx.store.asks.change(found.id, state=THANKED)
    ctx.message = None
    name = wording.own_name(ctx)
    said = t("{name} says thank you. Your help with “{text}” made a difference.", name=name, text=found.text)
    for one in helpers:
        ctx.send(one.member_id, said, about=(ctx.me.id,), on_behalf=ctx.me.id, once=True)
    return tn("{n} fellow hears your thanks.", "{n} fellows hear your thanks.", len(helpers))


@router.press("asks.close", role=Role.MEMBER)
def close(ctx: Context) -> Reply:
    """No more answers are wanted."""
    found = open_of_mine(ctx, int(ctx.value))
    if found is None:
        return t("This question is closed. Nothing changed.")
    free = _close(ctx, found, CLOSED)
    said = t("The question is closed. Whoever has not answered yet sees that.")
    return cards.go_on(ctx, PART, found.id, Card(lines(said, free)))


def _helpers(ctx: Context, number: int) -> list[Asked]:
    return [one for one in ctx.store.asks.receivers(number) if one.state in (HELPING, ANSWERED)]


def _close(ctx: Context, found: Ask, state: str) -> Say | None:
    """No answers are wanted any more; the promise that was stuck for want of them is free again, and I say so."""
    ctx.store.asks.change(found.id, state=state)
    ctx.store.schedules.cancel(ctx.me.id, ("asks.moved",), found.id)
    for one in ctx.store.asks.receivers(found.id):
        if one.state == WAITING and one.message is not None:
            ctx.edit(one.message, NO_MORE, anew=True)
    promise = ctx.store.cards.unblock(found.stuck_id, ctx.me.id, ctx.now) if found.stuck_id is not None else None
    if promise is None:
        return None
    words = promises.words(ctx, promise)
    return t("{promise} is no longer marked as stuck. I ask you next time how it stands.", promise=words)


def _offer_to_free(ctx: Context, found: Ask) -> None:
    """The milestone for which it was asked may be free, too: in a message of its own, one press."""
    of = my_milestone(ctx, str(found.milestone_id or 0))
    if of is None or not of[1].blocked:
        return
    said = t("“{milestone}” is still marked as stuck in your project. Is the way free?", milestone=of[1].title)
    ctx.after(lambda: Card(said, buttons=(Button(t("No longer stuck"), "stuck.solved", str(of[1].id), "primary"),)))


@router.press("asks.offer", role=Role.MEMBER)
def offer(ctx: Context) -> Reply:
    """Somebody joined who fits a question that was kept open: they are asked, too."""
    number, other = json.loads(ctx.value)
    found = open_of_mine(ctx, number)
    seen = ctx.people.profile(other)
    may = ctx.store.asks.askable(ctx.me.cohort_id, [other], ctx.now - A_WEEK)
    if found is None or seen is None or other not in may:
        return t("This person cannot be asked at the moment. Your question stays open.")
    return goes_out(ctx, Sending(found.id, [seen]))

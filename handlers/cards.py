"""The weekly card: one message whose parts replace each other, and what else waits rides on it, two parts at most."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core import Button, Card, Context, Reply, Router, Say, Urgency, When, lines, t
from bot.core.forms import begin
from bot.core.programme import local_morning
from bot.domain.checkins import after_answer, reminder_day, week_of
from bot.domain.hours import next_card
from handlers import dates
from storage.cards import Part, WeekCard

router = Router()

RIDE_ALONG = 2  # parts beside the main ones
A_WEEK = timedelta(days=7)
QUESTION = "answering.question"  # the part with which a check-in's question comes
GONE = t("This is closed already. Nothing changed.")


def today(ctx: Context) -> date:
    """The day it is where this member is."""
    return ctx.now.astimezone(ZoneInfo(ctx.me.time_zone)).date()


def midnight(ctx: Context, day: date) -> datetime:
    """When a day begins where this member is."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(ctx.me.time_zone))


def noon(ctx: Context, day: date) -> datetime:
    """The middle of a day where this member is: a moment to say the day with."""
    return datetime.combine(day, time(12), tzinfo=ZoneInfo(ctx.me.time_zone))


def card_for(ctx: Context, week: date) -> WeekCard:
    """My card of a week, made when there is none; it takes changes until that Sunday is over."""
    closes = midnight(ctx, week + A_WEEK)
    return ctx.store.cards.open(ctx.me.cohort_id, ctx.me.id, week, ctx.now, closes)


def week_with_room(ctx: Context) -> date:
    """This week, unless its card is done already: one card a week, what comes too late waits for the next."""
    week = week_of(today(ctx))
    found = ctx.store.cards.of_week(ctx.me.id, week)
    return week + A_WEEK if found is not None and found.message is not None and found.current is None else week


def put(ctx: Context, week: date, part: Part | None, before: Say | None = None) -> None:
    """Put a part on a week's card. This week's goes out now; a later one waits until its Monday at 09:00."""
    if week > week_of(today(ctx)):
        _wait(ctx, week, part)
        return
    found = card_for(ctx, week)
    if found.message is None:
        send(ctx, _having(ctx, found, [part] if part else []), before)
        return
    found = _with_riding(ctx, holding(ctx, found, part) if part else found)
    ctx.store.cards.change(found.id, parts=found.parts)
    ctx.edit(found.message or 0, shown(ctx, found, before))
    _listen(ctx, found, found.message or 0)
    _remind_of(ctx, found)


def _wait(ctx: Context, week: date, part: Part | None) -> None:
    """The card of a week opens on its Monday at 09:00, with this part."""
    found = card_for(ctx, week)
    if part is not None:
        holding(ctx, found, part)
    ctx.store.schedules.cancel(ctx.me.id, ("cards.open",), found.id)
    ctx.store.schedules.set_timer("cards.open", ctx.me.id, _opening(ctx, week), found.id)


def _opening(ctx: Context, week: date) -> datetime:
    return local_morning(midnight(ctx, week), ctx.me.time_zone)


def ride(ctx: Context, part: Part) -> None:
    """Let something small ride on the next card that has room for it; a card of its own, if nothing else is due."""
    week = week_with_room(ctx)
    while (found := ctx.store.cards.of_week(ctx.me.id, week)) is not None and _small(ctx, found.parts) >= RIDE_ALONG:
        week += A_WEEK
    if ctx.now < _opening(ctx, week):  # a later week, or a Monday that began elsewhere, before they moved
        _wait(ctx, week, part)
    else:
        put(ctx, week, part)


def _small(ctx: Context, parts: Iterable[Part]) -> int:
    """How many of these are no main parts."""
    return sum(not ctx.engine.router.riders[part.rider].main for part in parts)


def when_back(ctx: Context, timer: str) -> bool:
    """Is this member away? Then the timer comes again on their first Monday back."""
    if ctx.me.state != "paused" or ctx.me.paused_until is None:
        return False
    monday = next_card(max(ctx.me.paused_until, ctx.now), ctx.me.time_zone)
    ctx.store.schedules.set_timer(timer, ctx.me.id, monday, ctx.object)
    return True


def holding(ctx: Context, found: WeekCard, part: Part) -> WeekCard:
    """The card with one part more."""
    return _keep(ctx, _having(ctx, found, [part]))


def waits(ctx: Context, found: WeekCard) -> bool:
    """Is there a part on this card that is not done?"""
    return _first(ctx, found)[1] is not None


def _having(ctx: Context, found: WeekCard, parts: list[Part]) -> WeekCard:
    """The card with more parts, in the order of the features that made them; none twice."""
    here = {(part.rider, part.object) for part in found.parts}
    order = list(ctx.engine.router.riders)
    new = [part for part in parts if (part.rider, part.object) not in here]
    riders = ctx.engine.router.riders
    kept = sorted(
        [*found.parts, *new],
        key=lambda part: (not part.done, not riders[part.rider].main, order.index(part.rider)),
    )
    return replace(found, parts=tuple(kept))


def _keep(ctx: Context, found: WeekCard) -> WeekCard:
    ctx.store.cards.change(found.id, parts=found.parts)
    return found


def _with_riding(ctx: Context, found: WeekCard) -> WeekCard:
    """The card with what waits for this person; what asks them for something comes with a question only."""
    asks = any(part.rider == QUESTION for part in found.parts) and _may_ask(ctx)
    parts: list[Part] = []
    for rider in ctx.engine.router.riders.values():
        is_here = any(part.rider == rider.name for part in found.parts)
        room = rider.main or (_small(ctx, found.parts) < RIDE_ALONG and not is_here)
        number = rider.find(ctx) if room and (asks or not rider.asks) else None
        if number is not None:
            parts.append(Part(rider.name, number))
    return _having(ctx, found, parts)


def send(ctx: Context, found: WeekCard, before: Say | None = None, *, early: bool = False) -> Reply:
    """Send a card with everything that rides on it; None when nothing waits. `early`: as an answer to its member."""
    found, part = _first(ctx, _with_riding(ctx, found))
    if part is None:
        return None
    said = _under(before, part)
    if early and ctx.message is not None:
        number = ctx.edit(ctx.message, said)
    else:
        number = (
            ctx.reply(said) if early else ctx.send(ctx.me.id, said, urgency=Urgency.QUESTION, once=bool(said.about))
        )
    if number is None:
        return None
    ctx.store.cards.change(found.id, parts=found.parts, message=number, opens_at=ctx.now)
    _listen(ctx, found, number)
    if not early:
        _remind_of(ctx, found)
    return None


def _remind_of(ctx: Context, found: WeekCard) -> None:
    """The one reminder of a card, some days from now, while there is something to be reminded of."""
    day = reminder_day(today(ctx))
    if day is not None and found.reminded_at is None and _asks(ctx, found):
        morning = datetime.combine(day, time(9), tzinfo=ZoneInfo(ctx.me.time_zone))
        ctx.store.schedules.cancel(ctx.me.id, ("cards.remind",), found.id)
        ctx.store.schedules.set_timer("cards.remind", ctx.me.id, morning, found.id)


def _asks(ctx: Context, found: WeekCard) -> bool:
    """Is there a main part that waits? What is small is never reminded of."""
    return any(not part.done and ctx.engine.router.riders[part.rider].main for part in found.parts)


def _first(ctx: Context, found: WeekCard) -> tuple[WeekCard, Card | None]:
    """The first part that waits, with the card on which those that are over meanwhile count as done."""
    while (part := found.current) is not None:
        card = ctx.engine.router.riders[part.rider].show(ctx, part.object)
        if card is not None:
            return found, card
        found = _ticked(found, part)
    return found, None


def shown(ctx: Context, found: WeekCard, before: Say | None = None) -> Card:
    """The part that waits, or the end of the card. Parts that are over meanwhile are left out."""
    found, card = _first(ctx, found)
    return _under(before, card or closing(ctx, found))


def _under(before: Say | None, card: Card) -> Card:
    if before is None:
        return card
    return replace(card, text=lines(before, card.text, gap=True))


def _listen(ctx: Context, found: WeekCard, message: int) -> None:
    """Take what is typed next as the answer to the part that is shown, unless another question waits."""
    found, card = _first(ctx, found)
    part = found.current
    ask = ctx.engine.router.riders[part.rider].listens(ctx, part.object) if part and card else None
    open_now = ctx.store.dialogs.open_of(ctx.me.id, ctx.now) if ask else None
    if ask is None or (open_now is not None and open_now.form != ask.form):
        return
    dialog, _ = begin(ctx, ask)
    ctx.store.dialogs.asked(dialog.id, message)


def _ticked(found: WeekCard, part: Part) -> WeekCard:
    return replace(found, parts=tuple(replace(one, done=one.done or one == part) for one in found.parts))


def onward(
    ctx: Context, rider: str, number: int, before: Say | None = None, *more: Part, also: tuple[Button, ...] = ()
) -> Reply:
    """A part is done: show what is next on its card, `more` parts too, `also` what belongs to what was just done.

    A press changes the message, typing adds one.
    """
    touched(ctx, rider, number)
    found = _holding(ctx, rider, number)
    if found is None:
        return Card(before or GONE, buttons=also)
    found = _having(ctx, _ticked(found, Part(rider, number)), list(more))
    return here(ctx, _keep(ctx, found), before, also)


def go_on(ctx: Context, rider: str, number: int, said: Card) -> Reply:
    """What a feature says, in the card whose part was pressed: there, what is next follows. Elsewhere it is all."""
    found = _holding(ctx, rider, number)
    if found is None or ctx.message is None or found.message != ctx.message:
        return said
    return onward(ctx, rider, number, said.text, also=said.buttons)


def below(ctx: Context, rider: str, number: int, said: Say, action: str, value: str) -> Reply:
    """What a press on this part begins comes in a message of its own; the card goes on where it is."""
    handler = ctx.engine.router.presses[action].handler

    def go() -> Reply:
        ctx.value = value
        return handler(ctx)

    ctx.after(go)
    return onward(ctx, rider, number, said)


def take_off(ctx: Context, rider: str, number: int, why: Say) -> None:
    """A part is no longer this member's: their card goes on without it, in place."""
    found = _holding(ctx, rider, number)
    if found is None:
        return
    left = tuple(part for part in found.parts if (part.rider, part.object) != (rider, number))
    found = replace(found, parts=left)
    ctx.store.cards.change(found.id, parts=left)
    if found.message is not None:
        ctx.edit(found.message, shown(ctx, found, why))
        _listen(ctx, found, found.message)


def touched(ctx: Context, rider: str, number: int) -> None:
    """Something on the card was answered: its member is there, and needs no reminder."""
    awake(ctx)
    found = _holding(ctx, rider, number)
    if found is not None and found.answered_at is None:
        ctx.store.cards.change(found.id, answered_at=ctx.now)


def reopen(ctx: Context, rider: str, number: int) -> Reply:
    """A part is to be done again."""
    found = _holding(ctx, rider, number)
    if found is None:
        return GONE
    parts = [
        Part(one.rider, one.object, one.done and (one.rider, one.object) != (rider, number)) for one in found.parts
    ]
    ctx.store.cards.change(found.id, parts=parts)
    return here(ctx, replace(found, parts=tuple(parts)))


def here(ctx: Context, found: WeekCard, before: Say | None = None, also: tuple[Button, ...] = ()) -> Reply:
    """Show a card where its member is: in the message that was pressed, or else in a new one."""
    card = shown(ctx, found, before)
    card = replace(card, buttons=(*card.buttons, *also))
    if ctx.message is not None:
        message = ctx.edit(ctx.message, card)
    else:
        if found.message is not None:
            ctx.edit(found.message, t("It goes on below."))
        message = ctx.reply(card)
    if message is not None:
        ctx.store.cards.change(found.id, message=message)
        _listen(ctx, found, message)
    return None


def _holding(ctx: Context, rider: str, number: int) -> WeekCard | None:
    """My newest card with this part on it, of the last few; an older one keeps what it says."""
    for one in ctx.store.cards.recent(ctx.me.id):
        if any((part.rider, part.object) == (rider, number) for part in one.parts):
            return one
    return None


def awake(ctx: Context) -> None:
    """Any answer counts as being there."""
    before = ctx.store.cards.silence(ctx.me.id)
    after = after_answer(before)
    if after != before:
        ctx.store.cards.keep_silence(ctx.me.cohort_id, ctx.me.id, after)


def closing(ctx: Context, found: WeekCard) -> Card:
    """The end of a card: what comes next, and until when answers can be changed."""
    changeable = ctx.now < found.closes_at and any(part.rider == QUESTION for part in found.parts)
    until = t("Until {day} you can change your answers.", day=When(found.closes_at - timedelta(minutes=1)))
    buttons = [Button(t("Change my answers"), "answering.list")] if changeable else []
    if ctx.store.cards.promise(ctx.me.id) is None:
        buttons.append(Button(t("Promise myself something"), "promises.new"))
    text = lines(t("Thank you. That is all for this time."), dates.coming(ctx), until if changeable else None)
    return Card(text, buttons=tuple(buttons))


@router.due("cards.open")
def opens(ctx: Context) -> Reply:
    """A card that waited for its Monday; what its member is not asked any more, is left out."""
    found = ctx.store.cards.get(ctx.object or 0, ctx.me.id)
    if found is None or found.message is not None or when_back(ctx, "cards.open") or ctx.me.state != "active":
        return None
    if not _may_ask(ctx):
        riders = ctx.engine.router.riders
        found = replace(found, parts=tuple(part for part in found.parts if not riders[part.rider].asks))
    week = week_of(today(ctx))
    if found.week >= week.isoformat():
        return send(ctx, found)
    for part in found.parts:  # they were away on its Monday
        ride(ctx, part)
    return None


def _may_ask(ctx: Context) -> bool:
    """Is this member here, agreed to questions, and did not pause them?"""
    agreed = ctx.me.state == "active" and ctx.people.agreed_to(ctx.me.id, "questions")
    return agreed and ctx.store.cards.silence(ctx.me.id).state != "paused"


@router.due("cards.remind")
def remind(ctx: Context) -> Reply:
    """The one reminder, for a card that is quite unanswered."""
    found = ctx.store.cards.get(ctx.object or 0, ctx.me.id)
    if found is None or found.answered_at or found.reminded_at or found.message is None or not _may_ask(ctx):
        return None
    if not _asks(ctx, found) or ctx.now >= found.closes_at:
        return None
    said = shown(ctx, found, t("A reminder, the only one:"))
    ctx.edit(found.message, t("I ask again below."))
    number = ctx.send(ctx.me.id, said, urgency=Urgency.QUESTION)
    if number is None:
        return None
    ctx.store.cards.change(found.id, message=number, reminded_at=ctx.now)
    _listen(ctx, found, number)
    return None

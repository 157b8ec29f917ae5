"""Asking: a date of a check-in has come for somebody, or they ask for its question themselves."""

from dataclasses import replace
from datetime import date
from itertools import chain, zip_longest

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, Words, lines, t
from bot.core.programme import local_morning
from bot.domain.checkins import Step, number_of, readers_of, turn, week_of
from bot.domain.recurrence import read_rule
from handlers import answering, cards, dates, for_team, promises, silence
from storage.cards import Part, WeekCard
from storage.checkins import Checkin

router = Router()

LIBRARY = "library"  # who may read is what each question of the library says
KINDS = ("weekly-pulse", "monthly-reflection")
QUARTERLY = ("coalition-gap", "outcome")


def rotation(ctx: Context) -> list[str]:
    """The library's questions in turn: one about the week, one to reflect, so that neither numbs."""
    prompts = [one for one in ctx.programme.content.prompts if "{" not in one.text["en"]]
    pulses, reflections = ([one.slug for one in prompts if one.kind == kind] for kind in KINDS)
    pulses.remove(answering.NEXT_STEP)  # asked whenever there is no promise
    mixed = chain.from_iterable(zip_longest(pulses, reflections))
    return [*filter(None, mixed), *(one.slug for one in prompts if one.slug in QUARTERLY)]


def question_for(ctx: Context, of: Checkin, on: date) -> int:
    """The question that this check-in asks me on a date: own words, my next step, or the library's turn."""
    if of.words is not None:
        return ctx.store.checkins.question_of(of, "", of.answer, of.readers)
    slugs = rotation(ctx)
    last = ctx.store.checkins.last_asked(ctx.me.id)
    if ctx.store.cards.promise(ctx.me.id) is None and (not last or last[0].slug != answering.NEXT_STEP):
        slug = answering.NEXT_STEP
    else:
        slug = turn(slugs, number_of(dates.first_on(of, on), on, days=days_of(of)))
    return library_question(ctx, of, slug)


def library_question(ctx: Context, of: Checkin, slug: str) -> int:
    """A question of the library as this check-in asks it."""
    return ctx.store.checkins.question_of(of, slug, *shape_and_readers(ctx, of, slug))


def shape_and_readers(ctx: Context, of: Checkin, slug: str) -> tuple[str, str]:
    """How a question of the library is answered, and who may read it under this check-in."""
    prompt = next(one for one in ctx.programme.content.prompts if one.slug == slug)
    readers = readers_of(prompt.default_privacy).value if of.readers == LIBRARY else of.readers
    return prompt.answer, readers


def days_of(of: Checkin) -> int:
    """How many days lie between two dates of a check-in, about."""
    rule = read_rule(str(of.rhythm["rrule"]))
    return {"day": 1, "week": 7, "month": 30}[rule.unit] * rule.every if rule else 7


def _begin(ctx: Context, of: Checkin, on: date, week: date) -> int | None:
    """The question of a date, to be answered until its week is over; None when I, or my team, are done with it."""
    if for_team.is_answered(ctx, of, on.isoformat()):
        return None
    asked_at = ctx.now
    if week > week_of(cards.today(ctx)):
        asked_at = local_morning(cards.midnight(ctx, week), ctx.me.time_zone)
    closes = cards.midnight(ctx, week + cards.A_WEEK)
    return ctx.store.checkins.ask(of, question_for(ctx, of, on), ctx.me.id, on, asked_at, closes)


@router.due(dates.ASK)
def ask(ctx: Context) -> Reply:
    """A date has come: its question, unless silence made it rarer; one card a week, whatever else is due."""
    of = ctx.store.checkins.get(ctx.object or 0)
    occurrence = ctx.occurrence
    if of is None or occurrence is None or of.state != "running" or not dates.is_for(ctx, of):
        return None
    week = cards.week_with_room(ctx)
    number = _begin(ctx, of, occurrence.local_date, week)
    if number is None:
        return None
    step = silence.decide(ctx, week_of(cards.today(ctx)))
    if step in (Step.ASK, Step.ASK_LESS):
        cards.put(ctx, week, Part(answering.PART, number), _before(ctx, step))
        return None
    ctx.store.checkins.withdraw(number, ctx.me.id)
    if step is Step.WHETHER:
        return silence.whether(ctx)
    return silence.stopped(ctx) if step is Step.STOP else None


def _before(ctx: Context, step: Step) -> Say | None:
    """What must be said before the question: that it is late, after a holiday, or rarer than before."""
    occurrence = ctx.occurrence
    said: list[Say] = []
    if occurrence is not None and occurrence.late:
        day = When(cards.noon(ctx, occurrence.local_date))
        said.append(t("This comes late: it was meant for {day}, and I was not running then.", day=day))
    for holiday in occurrence.skipped if occurrence is not None else ():
        day, name = When(cards.noon(ctx, holiday.day)), Words(holiday.names)
        said.append(t("On {day} I did not ask: {holiday}.", day=day, holiday=name))
    if step is Step.ASK_LESS:
        word = ctx.programme.content.word_label("checkin", ctx.me.language)
        said.append(
            t(
                "My last questions stayed open, so I ask every second time now. "
                "An answer brings back the usual rhythm; {word} asks at once.",
                word=word,
            )
        )
    return lines(*said) if said else None


@router.word("checkin", role=Role.MEMBER)
def checkin(ctx: Context) -> Reply:
    """My open question again, or the coming one early."""
    return _now(ctx)


@router.press("cards.now", role=Role.MEMBER)
def now(ctx: Context) -> Reply:
    """The same, from a button."""
    return _now(ctx)


def _now(ctx: Context) -> Reply:
    if ctx.me.is_facilitator:
        return Card(t("Questions go to fellows. To set them up: manage, then Check-ins."))
    if not ctx.people.agreed_to(ctx.me.id, "questions"):
        agree = Button(t("What I agreed to"), "consent.open")
        return Card(t("You did not agree to questions, so I ask none. You can change that."), buttons=(agree,))
    recent = ctx.store.cards.recent(ctx.me.id)
    found = recent[0] if recent else None
    last_week = (week_of(cards.today(ctx)) - cards.A_WEEK).isoformat()
    for one in recent:
        if (one is found or one.week >= last_week) and cards.waits(ctx, one):
            return cards.here(ctx, one)
    if ctx.store.cards.silence(ctx.me.id).state == "paused":
        return Card(t("The questions are paused. Shall I ask again?"), buttons=(silence.AGAIN,))
    if found is not None and ctx.now < found.closes_at:
        return _done(ctx, found)
    return _early(ctx)


def _done(ctx: Context, found: WeekCard) -> Card:
    """This week's card is done: its answers can be changed, and the next question may come now."""
    card = cards.closing(ctx, found)
    ahead = found.week > week_of(cards.today(ctx)).isoformat()
    if ahead or dates.next_of_mine(ctx) is None:
        return card
    return replace(card, buttons=(*card.buttons, Button(t("The next question now"), "asking.early")))


@router.press("asking.early", role=Role.MEMBER)
def early(ctx: Context) -> Reply:
    """From the button."""
    return _early(ctx)


def _early(ctx: Context) -> Reply:
    """The question of the coming date, now; that date asks nothing more."""
    following = dates.next_of_mine(ctx)
    if following is None:
        return Card(t("No question waits for you, and none is planned."), buttons=(promises.NEW,))
    of, fire = following
    week = week_of(fire.date)
    number = _begin(ctx, of, fire.date, week)
    if number is None:
        return cards.GONE
    day = When(fire.at)
    found = cards.card_for(ctx, week)
    found = cards.holding(ctx, found, Part(answering.PART, number))
    return cards.send(ctx, found, t("Early, for {day}. On that day I do not ask again.", day=day), early=True)

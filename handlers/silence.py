"""Silence makes the weekly card rarer: every second time, then a question whether to go on, then a stop."""

from dataclasses import replace
from datetime import date

from bot.core import Button, Card, Context, Reply, Role, Router, Urgency, lines, t
from bot.domain.checkins import Silence, Step, after_silence, next_step, week_of
from handlers import cards, dates
from storage.cards import WeekCard

router = Router()

QUESTIONS = ("answering.", "promises.")  # parts of a card that ask for something; all else may stay as it is


def decide(ctx: Context, week: date) -> Step:
    """What a week with questions means for somebody: the same for every check-in that comes due in it."""
    now = _judged(ctx, week)
    if now.week == week.isoformat() and now.step is not None:
        return {Step.REST: Step.REST, Step.ASK_LESS: Step.ASK}.get(Step(now.step), Step.NOTHING)
    step, after = next_step(now)
    if step is not Step.ASK or after != now:
        kept = replace(after, week=week.isoformat(), step=None if step is Step.ASK else step.value)
        ctx.store.cards.keep_silence(ctx.me.cohort_id, ctx.me.id, kept)
    return step


def _judged(ctx: Context, week: date) -> Silence:
    """How silent somebody is when a new week comes: the card before counts once, if no question on it was answered."""
    now = ctx.store.cards.silence(ctx.me.id)
    before = [one for one in ctx.store.cards.recent(ctx.me.id) if one.week < week.isoformat() and _asked(one)]
    last = before[0] if before else None
    if last is None or last.answered_at is not None or (now.judged is not None and last.week <= now.judged):
        return now
    now = after_silence(now, last.week)
    ctx.store.cards.keep_silence(ctx.me.cohort_id, ctx.me.id, now)
    return now


def _asked(of: WeekCard) -> bool:
    return any(part.rider.startswith(QUESTIONS) for part in of.parts)


def whether(ctx: Context) -> Reply:
    """After three silent cards: ask once whether to go on. It is this week's card, unless one is out already."""
    found = cards.card_for(ctx, week_of(cards.today(ctx)))
    text = lines(
        t("My last questions stayed open, so I ask only this one:"),
        t("Shall I go on? If you say nothing, I stop asking, and tell you how to begin again."),
    )
    message = ctx.send(ctx.me.id, Card(text, buttons=WAYS), urgency=Urgency.QUESTION)
    if found.message is None:
        ctx.store.cards.change(found.id, message=message)
    return None


def stopped(ctx: Context) -> Reply:
    """Nothing came back: say that no more questions come, with one press to return."""
    text = lines(
        t("I stop asking you questions now. Everything else stays: search, your allies, requests to meet."),
        t("When you want them again, press the button or type {word}.", word=_word(ctx)),
    )
    ctx.send(ctx.me.id, Card(text, buttons=(AGAIN,)), urgency=Urgency.QUESTION)
    return None


def _word(ctx: Context) -> str:
    return ctx.programme.content.word_label("checkin", ctx.me.language)


AGAIN = Button(t("Ask me again"), "silence.as_before", style="primary")
LESS = Button(t("Every second time"), "silence.less")
PAUSE = Button(t("Pause the questions"), "silence.pause")
WAYS = (Button(t("Go on"), "silence.as_before", style="primary"), LESS, PAUSE)


@router.press("silence.as_before", role=Role.MEMBER)
def as_before(ctx: Context) -> Reply:
    """The usual rhythm again."""
    ctx.store.cards.keep_silence(ctx.me.cohort_id, ctx.me.id, Silence())
    text = lines(t("Good. I ask you again on every date from now on."), dates.coming(ctx))
    return Card(text, buttons=(LESS, PAUSE))


@router.press("silence.less", role=Role.MEMBER)
def less(ctx: Context) -> Reply:
    """Every second date, because they said so."""
    ctx.store.cards.keep_silence(ctx.me.cohort_id, ctx.me.id, Silence(state="slow", chosen=True))
    return Card(
        t("Good. From now on I ask you every second time, and leave out the next date."),
        buttons=(Button(t("Ask me every time"), "silence.as_before"), PAUSE),
    )


@router.press("silence.pause", role=Role.MEMBER)
def pause(ctx: Context) -> Reply:
    """No more questions until they come back."""
    ctx.store.cards.keep_silence(ctx.me.cohort_id, ctx.me.id, Silence(state="paused", chosen=True))
    return Card(t("From now on I ask you nothing. One press brings the questions back."), buttons=(AGAIN,))

"""A milestone's day has passed: its writer is asked about it once, kindly, on the next weekly card."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core import Button, Card, Context, Reply, Role, Router, lines, t
from bot.domain.hours import next_card
from bot.domain.progress import is_overdue
from handlers import cards, progress
from handlers.project_card import my_milestone
from storage.cards import Part
from storage.milestones import Milestone

router = Router()

TIMER = "milestones.overdue"
PART = "overdue.milestone"


def watch(ctx: Context, number: int, due: date, whom: int | None = None) -> None:
    """Ask about a milestone on the Monday after its day; an earlier question about it is forgotten."""
    whom = whom or ctx.me.id
    where = ctx.store.members.where(whom)
    ctx.store.schedules.cancel(whom, (TIMER,), number)
    ctx.store.schedules.set_timer(TIMER, whom, monday_after(due, where.time_zone if where else "UTC"), number)


def monday_after(due: date, time_zone: str) -> datetime:
    """09:00 of the first Monday after a day, where somebody is: when their weekly card comes."""
    return next_card(datetime.combine(due + timedelta(days=1), time(), tzinfo=ZoneInfo(time_zone)), time_zone)


@router.due(TIMER)
def due(ctx: Context) -> Reply:
    """Asked once, unless it is done, dropped or known to be stuck; who is away is asked when they are back."""
    found = my_milestone(ctx, str(ctx.object or 0))
    if found is None or not _is_to_ask(ctx, found[1]) or cards.when_back(ctx, TIMER):
        return None
    if ctx.me.state == "active" and _wants_questions(ctx) and progress.asked(ctx.store, found[1], ctx.now):
        cards.ride(ctx, Part(PART, found[1].id))
    return None


def _is_to_ask(ctx: Context, one: Milestone) -> bool:
    today = progress.today_of(ctx.now, ctx.me.time_zone)
    return is_overdue(one.step, today) and not one.blocked and one.written_by == ctx.me.id


def _wants_questions(ctx: Context) -> bool:
    return ctx.people.agreed_to(ctx.me.id, "questions")


@router.rider(PART, find=lambda ctx: None)
def part(ctx: Context, number: int) -> Card | None:
    """The question, with its answers one press away; left out when it is settled meanwhile."""
    found = my_milestone(ctx, str(number))
    if found is None or found[1].due is None or not _is_to_ask(ctx, found[1]):
        return None
    of, one = found
    assert one.due is not None
    said = lines(
        t("“{milestone}” was due on {day}. Plans move; where does it stand? I ask about this date only once.",
          milestone=one.title, day=progress.day(one.due, cards.today(ctx), ctx.me.time_zone)),
        t("Project: {title}", title=of.title or ""),
    )  # fmt: skip
    value = str(one.id)
    buttons = (
        Button(t("It is done"), "overdue.done", value, "primary"),
        Button(t("It needs more time"), "overdue.date", value),
        Button(t("I am stuck"), "overdue.stuck", value),
        Button(t("Drop it"), "overdue.drop", value),
        Button(t("Leave it as it is"), "overdue.leave", value),
    )
    return Card(said, buttons=buttons)


@router.press("overdue.done", role=Role.MEMBER)
def done(ctx: Context) -> Reply:
    """Kept in the project and its history."""
    found = my_milestone(ctx, ctx.value)
    if found is None or not found[1].step.is_open:
        return cards.GONE
    one = found[1]
    progress.take_answer(ctx.store, ctx.me, one, "done", ctx.now)
    return cards.onward(ctx, PART, one.id, t("“{milestone}” is done: your project says so now.", milestone=one.title))


def _below(ctx: Context, action: str) -> Reply:
    """Go on in a message of its own, as the project does; the card goes on where it is."""
    found = my_milestone(ctx, ctx.value)
    if found is None or not found[1].step.is_open:
        return cards.GONE
    said = t("“{milestone}”: it goes on below.", milestone=found[1].title)
    return cards.below(ctx, PART, found[1].id, said, action, ctx.value)


@router.press("overdue.date", role=Role.MEMBER)
def another_date(ctx: Context) -> Reply:
    """It needs more time: until when?"""
    return _below(ctx, "milestones.date")


@router.press("overdue.stuck", role=Role.MEMBER)
def stuck(ctx: Context) -> Reply:
    """What is in the way?"""
    return _below(ctx, "stuck.milestone")


@router.press("overdue.drop", role=Role.MEMBER)
def drop(ctx: Context) -> Reply:
    """Not any more; with the way back."""
    return _below(ctx, "milestones.drop")


@router.press("overdue.leave", role=Role.MEMBER)
def leave(ctx: Context) -> Reply:
    """No answer is an answer too."""
    found = my_milestone(ctx, ctx.value)
    if found is None:
        return cards.GONE
    return cards.onward(ctx, PART, found[1].id, t("All right. I do not ask about this date again."))

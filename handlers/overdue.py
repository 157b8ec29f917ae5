"""A milestone's day has passed: its writer is asked about it once, kindly, on a weekday morning."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core import Button, Card, Context, Reply, Role, Router, Urgency, lines, t
from bot.domain.progress import Status, is_overdue
from handlers import progress
from handlers.project_card import back_to, gone, my_milestone
from storage.milestones import Milestone
from storage.projects import Project

router = Router()

TIMER = "milestones.overdue"
WEEKEND = 5


def watch(ctx: Context, number: int, due: date, whom: int | None = None) -> None:
    """Ask about a milestone on the first weekday morning after its day; an earlier question about it is forgotten."""
    whom = whom or ctx.me.id
    where = ctx.store.members.where(whom)
    ctx.store.schedules.cancel(whom, (TIMER,), number)
    ctx.store.schedules.set_timer(TIMER, whom, morning_after(due, where.time_zone if where else "UTC"), number)


def morning_after(due: date, time_zone: str) -> datetime:
    """09:00 of the first weekday after a day, where somebody is, as an aware moment."""
    after = due + timedelta(days=1)
    while after.weekday() >= WEEKEND:
        after += timedelta(days=1)
    return datetime.combine(after, time(9), tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


@router.due(TIMER)
def ask(ctx: Context) -> Reply:
    """Asked once, unless it is done, dropped or known to be stuck; who is away is asked when they are back."""
    found = my_milestone(ctx, str(ctx.object or 0))
    if found is None or not _is_to_ask(ctx, found[1]):
        return None
    of, one = found
    if ctx.me.state == "paused" and ctx.me.paused_until is not None:
        back = progress.today_of(ctx.me.paused_until, ctx.me.time_zone)
        ctx.store.schedules.set_timer(TIMER, ctx.me.id, morning_after(back, ctx.me.time_zone), one.id)
    if ctx.me.state != "active" or not _wants_questions(ctx) or not progress.asked(ctx.store, one, ctx.now):
        return None
    ctx.send(ctx.me.id, card(ctx, of, one), urgency=Urgency.QUESTION)
    return None


def _is_to_ask(ctx: Context, one: Milestone) -> bool:
    today = progress.today_of(ctx.now, ctx.me.time_zone)
    return is_overdue(one.step, today) and not one.blocked and one.written_by == ctx.me.id


def _wants_questions(ctx: Context) -> bool:
    return ctx.store.profiles.consents(ctx.me.id).get("questions", False)


def card(ctx: Context, of: Project, one: Milestone) -> Card:
    """The question, with its answers one press away."""
    assert one.due is not None
    today = progress.today_of(ctx.now, ctx.me.time_zone)
    said = lines(
        t("“{milestone}” was due on {day}. Plans move; where does it stand? I ask about this date only once.",
          milestone=one.title, day=progress.day(one.due, today, ctx.me.time_zone)),
        t("Project: {title}", title=of.title or ""),
    )  # fmt: skip
    value = str(one.id)
    buttons = (
        Button(t("It is done"), "milestones.set", f"{one.id}:{Status.COMPLETE}", "primary"),
        Button(t("It needs more time"), "milestones.date", value),
        Button(t("I am stuck"), "stuck.milestone", value),
        Button(t("Drop it"), "milestones.drop", value),
        Button(t("Leave it as it is"), "overdue.leave", value),
    )
    return Card(said, buttons=buttons)


@router.press("overdue.leave", role=Role.MEMBER)
def leave(ctx: Context) -> Reply:
    """No answer is an answer too."""
    found = my_milestone(ctx, ctx.value)
    if found is None:
        return gone()
    said = t("All right. I do not ask about this date again.")
    return Card(said, buttons=(back_to(found[0]),))

"""A due milestone on the weekly card: done, moving or stuck, in one press, and never asked about twice."""

from bot.core import Button, Card, Context, Reply, Role, Router, Say, lines, t
from handlers import cards, progress
from handlers.project_card import my_milestone
from storage.milestones import Milestone

router = Router()

PART = "steps.milestone"


def _due(ctx: Context) -> int | None:
    """The one to ask about, noted as asked: the question after its day is then not asked again."""
    one = progress.milestone_due(ctx.store, ctx.me, ctx.now)
    return one.id if one is not None and progress.asked(ctx.store, one, ctx.now) else None


@router.rider(PART, find=_due, main=True)
def part(ctx: Context, number: int) -> Card | None:
    """Where does it stand? Left out when it is done or dropped meanwhile."""
    found = my_milestone(ctx, str(number))
    if found is None or not found[1].step.is_open or found[1].due is None:
        return None
    of, one = found
    today = cards.today(ctx)
    assert one.due is not None
    when = progress.day(one.due, today, ctx.me.time_zone)
    text = lines(
        t("“{milestone}” was due on {day}. Where does it stand?", milestone=one.title, day=when)
        if one.due < today
        else t("“{milestone}” is for {day}. Where does it stand?", milestone=one.title, day=when),
        t("Project: {title}", title=of.title or ""),
    )
    value = str(number)
    return Card(
        text,
        buttons=(
            Button(t("Done"), "steps.done", value, "primary"),
            Button(t("Moving"), "steps.moving", value),
            Button(t("Stuck"), "steps.stuck", value),
            Button(t("Skip"), "steps.skip", value),
        ),
    )


def _mine(ctx: Context) -> Milestone | None:
    found = my_milestone(ctx, ctx.value)
    return found[1] if found is not None and found[1].step.is_open else None


@router.press("steps.done", role=Role.MEMBER)
def done(ctx: Context) -> Reply:
    """Kept in the project and its history."""
    one = _mine(ctx)
    if one is None:
        return cards.GONE
    progress.take_answer(ctx.store, ctx.me, one, "done", ctx.now)
    return cards.onward(ctx, PART, one.id, t("“{milestone}” is done: your project says so now.", milestone=one.title))


@router.press("steps.moving", role=Role.MEMBER)
def moving(ctx: Context) -> Reply:
    """One step on, where there is one before done."""
    one = _mine(ctx)
    if one is None:
        return cards.GONE
    after = progress.take_answer(ctx.store, ctx.me, one, "moving", ctx.now)
    said: Say = t("Good that it moves.")
    if after is not None:
        said = t("Your project says now: “{milestone}”, {status}.", milestone=one.title, status=progress.PLAIN[after])
    return cards.onward(ctx, PART, one.id, said)


@router.press("steps.stuck", role=Role.MEMBER)
def stuck(ctx: Context) -> Reply:
    """What is in the way is asked in a message of its own; the card goes on here."""
    one = _mine(ctx)
    if one is None:
        return cards.GONE
    progress.take_answer(ctx.store, ctx.me, one, "stuck", ctx.now)
    ctx.after(
        lambda: Card(
            t("“{milestone}” is stuck. Shall we look at what is in the way?", milestone=one.title),
            buttons=(Button(t("I am stuck"), "stuck.milestone", str(one.id), "primary"),),
        )
    )
    return cards.onward(ctx, PART, one.id, t("Noted as stuck."))


@router.press("steps.skip", role=Role.MEMBER)
def skip(ctx: Context) -> Reply:
    """Left as it is; nobody asks about this day again."""
    return cards.onward(ctx, PART, int(ctx.value), t("Left as it is."))

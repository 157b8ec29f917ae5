"""The card of a project for those who work in it: where it stands, one press a milestone, the rest one press away."""

from datetime import date

from bot.core import Button, Card, Context, Say, lines, listed, t, tn
from bot.domain.progress import following, project_status
from handlers import progress, wording
from storage.milestones import Milestone
from storage.projects import Project

ADVANCED_AT_ONCE = 4
SHOWN = 8
LONGEST_LABEL = 40
GONE = t("This project is no longer here. Nothing changed.")
TO_PROJECTS = Button(t("Project"), "project.open")


def today(ctx: Context) -> date:
    """The day that it is for me."""
    return progress.today_of(ctx.now, ctx.me.time_zone)


def day(ctx: Context, of: date) -> Say:
    """A day in words."""
    return progress.day(of, today(ctx), ctx.me.time_zone)


def number(value: str) -> int:
    """The number in a button's value; 0 names nothing."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 18 else 0


def short_title(title: str | None, longest: int = LONGEST_LABEL) -> Say:
    """A title that fits on a button."""
    if not title:
        return t("without a title")
    return title if len(title) <= longest else title[: longest - 1].rstrip() + "…"


def gone() -> Card:
    """What was pressed is not mine, or no longer there: the same."""
    return Card(GONE, buttons=(TO_PROJECTS,))


def mine(ctx: Context, value: str) -> Project | None:
    """The project that a button names, if I work in it."""
    return ctx.people.projects.mine(number(value))


def my_milestone(ctx: Context, value: str) -> tuple[Project, Milestone] | None:
    """The milestone that a button names and its project, if I work in it and it goes on."""
    found = ctx.store.milestones.get(number(value))
    of = ctx.people.projects.mine(found.project_id) if found is not None else None
    return (of, found) if of is not None and found is not None and of.is_open else None


def back_to(of: Project | int) -> Button:
    """The way to a project's card."""
    return Button(t("Project"), "project.card", str(of if isinstance(of, int) else of.id))


def show(ctx: Context, number_: int, before: Say | None = None, *more: Button) -> Card:
    """The card of a project of mine; `before` is a line above it, `more` are buttons that come first."""
    of = ctx.people.projects.mine(number_)
    if of is None:
        return gone()
    some = ctx.store.milestones.of(of.id)
    text = lines(before, of.title or t("without a title"), gap=True)
    if not of.is_open:
        closed = lines(text, t("This project is closed: nobody finds it, and I ask nothing about it."), gap=True)
        return Card(closed, fields=fields(ctx, of, some), buttons=(*more, *_when_closed(of)))
    named = [one.label for one in more]  # no two buttons of one name
    doors = (one for one in _doors(of, some) if one.label not in named)
    return Card(text, fields=fields(ctx, of, some), buttons=(*more, *_steps(some), *doors))


def _when_closed(of: Project) -> tuple[Button, ...]:
    return (
        Button(t("Open it again"), "project.reopen", str(of.id)),
        Button(t("What changed so far"), "updates.list", str(of.id)),
        Button(t("New project"), "project.new"),
    )


def fields(ctx: Context, of: Project, some: list[Milestone]) -> tuple[tuple[Say, Say], ...]:
    """Goal, what was read in it, whom it wants to win, how far it is, and each milestone."""
    found: list[tuple[Say, Say | None]] = [
        (t("Goal"), of.goal),
        (t("I read"), listed([wording.topic(ctx, slug) for slug in of.topics]) if of.topics else None),
        (t("Coalitions"), listed([wording.coalition(ctx, one) for one in of.coalitions]) if of.coalitions else None),
        (t("Status"), progress.both_words(project_status(one.step for one in some)) if some else None),
    ]
    shown = [*progress.open_ones(some), *(one for one in some if not one.step.is_open)]
    for one in shown[:SHOWN]:
        found.append((one.title, progress.state(one, today(ctx), ctx.me.time_zone)))
    if len(shown) > SHOWN:
        rest = len(shown) - SHOWN
        found.append((t("Milestones"), tn("and {n} more", "and {n} more", rest)))
    return tuple((label, value) for label, value in found if value is not None)


def _steps(some: list[Milestone]) -> list[Button]:
    """One press a milestone: the button says where the press leads."""
    found = []
    for one in progress.open_ones(some)[:ADVANCED_AT_ONCE]:
        after = following(one.status)
        if after is not None:
            label = t("{milestone} → {status}", milestone=short_title(one.title), status=progress.PLAIN[after])
            found.append(Button(label, "milestones.advance", f"{one.id}:{one.status}"))
    return found


def _doors(of: Project, some: list[Milestone]) -> list[Button]:
    value = str(of.id)
    found = [
        Button(t("What changed"), "updates.write", value),
        Button(t("Stuck"), "stuck.open", value),
        Button(t("Add a milestone"), "milestones.add", value, "plain" if some else "primary"),
    ]
    if some:
        found.append(Button(t("Milestones and dates"), "milestones.list", value))
    if of.is_shared:
        found.append(Button(t("Team"), "teams.card", value))
    found += [
        Button(t("Looking for members"), "teams.look", value),
        Button(t("Change"), "project.change", value),
        Button(t("New project"), "project.new"),
        Button(t("Leave this project"), "teams.leave", value),
    ]
    return found

"""Milestones of my projects: one press moves one on; new ones, dates in plain words, dropping, a calendar file."""

import json
import re
from datetime import date
from typing import Any

from bot.core import Button, Card, Context, Field, File, Form, Reply, Role, Router, Say, lines, t
from bot.core.calendar import MEDIA_TYPE, Entry, calendar
from bot.domain.progress import ORDER, Status
from handlers import away, overdue, progress
from handlers.me import short
from handlers.project_card import (
    back_to,
    day,
    gone,
    mine,
    my_milestone,
    short_title,
    show,
    today,
)
from storage.milestones import DROPPED, DUE, TAKEN_UP, Milestone
from storage.projects import Project

router = Router()

MOST = 12
BY = re.compile(r"^(by|before|on|due|pada|sebelum|paling lambat|tanggal|sa|bago ang|ภายใน|ก่อน)[\s:]+", re.I)


@router.press("milestones.advance", role=Role.MEMBER)
def advance(ctx: Context) -> Reply:
    """One press: one step on, once; a second press of the same button changes nothing."""
    number, _, before = ctx.value.partition(":")
    found = my_milestone(ctx, number)
    if found is None:
        return gone()
    of, one = found
    if one.status.value != before or one.dropped:
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    after = progress.advance(ctx.store, ctx.me, one, ctx.now)
    if after is None:
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    said: Say = t("“{milestone}” from now on: {after}. Before: {before}.", milestone=one.title,
                  after=progress.PLAIN[after], before=progress.PLAIN[one.status])  # fmt: skip
    more: tuple[Button, ...] = (_undo(one, {"status": one.status.value}),)
    if after is Status.COMPLETE:
        said = lines(said, t("Did anything change because of it? One line is enough."))
        more = (*more, Button(t("What changed"), "updates.milestone", str(one.id), "primary"))
    return show(ctx, of.id, said, *more)


def _undo(one: Milestone, before: dict[str, Any]) -> Button:
    return Button(t("Undo"), "milestones.undo", json.dumps([one.id, before]))


@router.press("milestones.undo", role=Role.MEMBER)
def undo(ctx: Context) -> Reply:
    """Back to what it was; the history keeps both."""
    number, before = json.loads(ctx.value)
    found = my_milestone(ctx, str(number))
    if found is None:
        return gone()
    of, one = found
    if "status" in before:
        progress.advance(ctx.store, ctx.me, one, ctx.now, Status(before.pop("status")))
    if before:
        values = {
            name: date.fromisoformat(value) if name == "due" and value else value for name, value in before.items()
        }
        ctx.store.milestones.change(one.id, **values)
        overdue.watch(ctx, one.id, values["due"]) if values.get("due") else None
        note(ctx, one, {"dropped": TAKEN_UP, "due": DUE}.get(next(iter(values)), DUE))
    return show(ctx, of.id, t("As it was before."))


def note(ctx: Context, one: Milestone, kind: str, **values: Any) -> int:
    """Add a line about a milestone to its project's history."""
    return ctx.store.milestones.tell(
        ctx.me.cohort_id, one.project_id, ctx.me.id, kind, ctx.now, milestone_id=one.id, **values
    )


@router.press("milestones.list", role=Role.MEMBER)
def listed(ctx: Context) -> Reply:
    """All milestones of a project, one button each for what can be changed, and their dates as a file."""
    of = mine(ctx, ctx.value)
    return _list(ctx, of) if of and of.is_open else gone()


def _list(ctx: Context, of: Project, before: Say | None = None, *more: Button) -> Card:
    some = ctx.store.milestones.of(of.id)
    text = lines(before, t("Milestones of “{title}”. Which one shall change?", title=of.title or ""), gap=True)
    fields = tuple((one.title, progress.state(one, today(ctx), ctx.me.time_zone)) for one in some)
    buttons = [Button(short_title(one.title), "milestones.open", str(one.id)) for one in some]
    buttons.append(Button(t("Add a milestone"), "milestones.add", str(of.id)))
    if any(one.due for one in some if one.step.is_open):
        buttons.append(Button(t("Dates for my calendar"), "milestones.calendar"))
    return Card(text, fields=fields, buttons=(*more, *buttons, back_to(of)))


@router.press("milestones.open", role=Role.MEMBER)
def opened(ctx: Context) -> Reply:
    """One milestone: where it stands in both words, and everything that can be done with it."""
    found = my_milestone(ctx, ctx.value)
    return _milestone(ctx, *found) if found else gone()


def _milestone(ctx: Context, of: Project, one: Milestone, before: Say | None = None, *more: Button) -> Card:
    value = str(one.id)
    stuck = ctx.store.milestones.latest(one.id, "stuck") if one.blocked else None
    said: list[tuple[Say, Say | None]] = [
        (t("Status"), t("dropped") if one.dropped else progress.both_words(one.status)),
        (t("Due"), day(ctx, one.due) if one.due else t("no date")),
        (t("Stuck"), (stuck.words or t("yes")) if stuck else (t("yes") if one.blocked else None)),
        (t("Who could help"), stuck.who if stuck else None),
    ]
    buttons = list(more)
    if not one.dropped:
        buttons += [
            Button(t("To: {status}", status=progress.PLAIN[status]), "milestones.set", f"{one.id}:{status}")
            for status in ORDER
            if status is not one.status
        ]
        buttons.append(Button(t("Date"), "milestones.date", value))
        buttons.append(Button(t("No longer stuck"), "stuck.solved", value) if one.blocked
                       else Button(t("Stuck"), "stuck.milestone", value))  # fmt: skip
    buttons += [
        Button(t("What changed"), "updates.milestone", value),
        Button(t("Take it up again"), "milestones.take_up", value) if one.dropped
        else Button(t("Drop it"), "milestones.drop", value),
        back_to(of),
    ]  # fmt: skip
    fields = tuple((label, shown) for label, shown in said if shown is not None)
    return Card(lines(before, one.title, gap=True), fields=fields, buttons=tuple(buttons))


@router.press("milestones.set", role=Role.MEMBER)
def set_status(ctx: Context) -> Reply:
    """Any status, also back."""
    number, _, wanted = ctx.value.partition(":")
    found = my_milestone(ctx, number)
    if found is None or wanted not in {status.value for status in ORDER}:
        return gone()
    of, one = found
    after = progress.advance(ctx.store, ctx.me, one, ctx.now, Status(wanted))
    if after is None:
        return _milestone(ctx, of, one, t("Already saved. Nothing changed."))
    said = t("“{milestone}” from now on: {after}. Before: {before}.", milestone=one.title,
             after=progress.PLAIN[after], before=progress.PLAIN[one.status])  # fmt: skip
    return show(ctx, of.id, said, _undo(one, {"status": one.status.value}))


def check_day(ctx: Context, text: str) -> str:
    """A day in the next two years as ISO text, or Wrong with what to do; "by 7 Dec" is 7 Dec."""
    return away.read_day(ctx, BY.sub("", text.strip())).isoformat()


ADD = Form(
    name="milestones.words",
    title=t("A milestone"),
    fields=(
        Field(key="title", question=t("What is the next step? A few words are enough."), check=short(120)),
        Field(
            key="due",
            question=t("By when? For example: 15 March. Or press Skip."),
            optional=True,
            check=check_day,
        ),
    ),
)


@router.press("milestones.add", role=Role.MEMBER)
def add(ctx: Context) -> Reply:
    """Ask for a step and its date."""
    of = mine(ctx, ctx.value)
    if of is None or not of.is_open:
        return gone()
    if len(ctx.store.milestones.of(of.id)) >= MOST:
        return show(ctx, of.id, t("{n} milestones are enough. Drop or finish one first.", n=MOST))
    return ADD.begin(about={"project": of.id})


@router.form(ADD, role=Role.MEMBER)
def added(ctx: Context) -> Reply:
    """A new milestone, once."""
    of = mine(ctx, str(ctx.about["project"]))
    if of is None or not of.is_open:
        return gone()
    title, due = ctx.answers["title"], ctx.answers.get("due")
    if any(one.title == title and one.step.is_open for one in ctx.store.milestones.of(of.id)):
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    when = date.fromisoformat(due) if due else None
    number = ctx.store.milestones.add(ctx.me.cohort_id, of.id, ctx.me.id, title, due=when)
    said: Say = t("Added: “{milestone}”, without a date.", milestone=title)
    if when is not None:
        overdue.watch(ctx, number, when)
        said = t("Added: “{milestone}”, due on {day}.", milestone=title, day=day(ctx, when))
    return show(ctx, of.id, said, Button(t("Undo"), "milestones.remove", str(number)))


@router.press("milestones.remove", role=Role.MEMBER)
def remove(ctx: Context) -> Reply:
    """Take back a milestone that was just added: erased, unless it has moved on since."""
    found = my_milestone(ctx, ctx.value)
    if found is None:
        return gone()
    if found[1].status is not Status.NOT_STARTED or found[1].blocked:
        return show(ctx, found[0].id, t("It has moved on since. Nothing changed."))
    ctx.store.milestones.remove(found[1].id)
    return show(ctx, found[0].id, t("Removed: {what}.", what=found[1].title))


DATE = Form(
    name="milestones.day",
    title=t("A date"),
    fields=(Field(key="due", question=t("By when? Write a date, for example: 15 March"), check=check_day),),
)


@router.press("milestones.date", role=Role.MEMBER)
def ask_date(ctx: Context) -> Reply:
    """Ask for another date."""
    found = my_milestone(ctx, ctx.value)
    return DATE.begin(about={"milestone": found[1].id}) if found else gone()


@router.form(DATE, role=Role.MEMBER)
def dated(ctx: Context) -> Reply:
    """Another date, from now on."""
    found = my_milestone(ctx, str(ctx.about["milestone"]))
    if found is None:
        return gone()
    of, one = found
    when = date.fromisoformat(ctx.answers["due"])
    if when == one.due:
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    ctx.store.milestones.change(one.id, due=when)
    note(ctx, one, DUE, day=when)
    overdue.watch(ctx, one.id, when)
    before = day(ctx, one.due) if one.due else t("no date")
    said = t("“{milestone}” is due on {day} from now on. Before: {before}.", milestone=one.title, day=day(ctx, when),
             before=before)  # fmt: skip
    return show(ctx, of.id, said, _undo(one, {"due": one.due.isoformat() if one.due else None}))


@router.press("milestones.drop", role=Role.MEMBER)
def drop(ctx: Context) -> Reply:
    """No longer wanted: it counts for nothing, and is not asked about."""
    return _flag(ctx, True)


@router.press("milestones.take_up", role=Role.MEMBER)
def take_up(ctx: Context) -> Reply:
    """Wanted again."""
    return _flag(ctx, False)


def _flag(ctx: Context, dropped: bool) -> Reply:
    found = my_milestone(ctx, ctx.value)
    if found is None:
        return gone()
    of, one = found
    if one.dropped is dropped:
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    ctx.store.milestones.change(one.id, dropped=dropped)
    note(ctx, one, DROPPED if dropped else TAKEN_UP)
    said = (
        t("Dropped: “{milestone}”. It no longer counts, and I do not ask about it.", milestone=one.title)
        if dropped
        else t("Taken up again: “{milestone}”.", milestone=one.title)
    )
    return show(ctx, of.id, said, _undo(one, {"dropped": one.dropped}))


@router.press("milestones.calendar", role=Role.MEMBER)
def to_calendar(ctx: Context) -> Reply:
    """The dates that are still to come, as a file, in a message of its own."""
    ctx.message = None
    said = t("The dates of your milestones. Open the file, and your calendar takes them. Sent again, it changes them.")
    return Card(said, files=(File("kawan-dates.ics", MEDIA_TYPE, "milestones", ctx.me.id),))


@router.file("milestones")
def make(ctx: Context) -> bytes:
    """The file's bytes, made when it is sent: what is done or dropped by then is not in it."""
    titles = {of.id: of.title or "" for of in _projects(ctx)}
    entries = [
        Entry(f"milestone-{one.id}", one.title, one.due, notes=titles.get(one.project_id, ""))
        for one in ctx.store.milestones.open_of(ctx.me.id)
        if one.due is not None
    ]
    return calendar(ctx.programme.name, entries, ctx.now)


def _projects(ctx: Context) -> list[Project]:
    return [*ctx.store.projects.all_mine(ctx.me.id), *ctx.store.teams.of(ctx.me.id)]

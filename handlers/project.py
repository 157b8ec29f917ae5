"""My project: its title and goal, as others find it. Milestones come in a later version."""

import json

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, lines, t
from handlers import wording
from handlers.me import short

router = Router()


@router.word("project", help=t("Your project, so that others can find it"), role=Role.MEMBER)
def project(ctx: Context) -> Reply:
    """My project, or how to begin one."""
    return card(ctx)


@router.press("project.open", role=Role.MEMBER)
def open_project(ctx: Context) -> Reply:
    """The same, from a button."""
    return card(ctx)


def card(ctx: Context, before: Say | None = None, *more: Button) -> Card:
    """Title and goal, and what can be done with them."""
    mine = ctx.store.projects.mine(ctx.me.id)
    if mine is None or not mine.title:
        text = lines(before, t("You have no project here yet. A title is enough to begin."), gap=True)
        return Card(text, buttons=(*more, Button(t("New"), "project.write", style="primary")))
    fields: list[tuple[Say, Say]] = [(t("Project"), mine.title), (t("Goal"), mine.goal or t("not written yet"))]
    if mine.topic:
        fields.append((t("I read"), wording.topic(ctx, mine.topic)))
    text = lines(before, t("Who sees it is your choice: me, then Who sees me."), gap=True)
    return Card(text, fields=tuple(fields), buttons=(*more, Button(t("Change"), "project.write")))


WRITE = Form(
    name="project.words",
    title=t("My project"),
    fields=(
        Field(key="title", question=t("What is your project called?"), check=short(120)),
        Field(key="goal", question=t("What will be different when it has worked?"), optional=True, check=short(500)),
    ),
)


@router.press("project.write", role=Role.MEMBER)
def ask(ctx: Context) -> Reply:
    """Ask for title and goal."""
    return WRITE.begin()


@router.form(WRITE, role=Role.MEMBER)
def written(ctx: Context) -> Reply:
    """Store it; a goal that was skipped stays what it was."""
    before = ctx.store.projects.mine(ctx.me.id)
    title = ctx.answers["title"]
    goal = ctx.answers.get("goal") or (before.goal if before else None)
    _write(ctx, title, goal)
    old = [before.title, before.goal] if before else [None, None]
    undo = Button(t("Undo"), "project.undo", json.dumps(old))
    return card(ctx, t("Kept. From now on whoever may see your project sees this."), undo)


@router.press("project.undo", role=Role.MEMBER)
def undo(ctx: Context) -> Reply:
    """Back to what it was."""
    title, goal = json.loads(ctx.value)
    _write(ctx, title, goal)
    return card(ctx, t("As it was before."))


def _write(ctx: Context, title: str | None, goal: str | None) -> None:
    topics = ctx.programme.understanding.understand(f"{title or ''} {goal or ''}", ctx.me.language).topics
    ctx.store.projects.write(ctx.me.cohort_id, ctx.me.id, title=title, goal=goal, topic=next(iter(topics), None))
    ctx.refresh()

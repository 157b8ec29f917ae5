"""What changed: told in a line or two, who outside the team changed because of it, a public link; and the history."""

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, When, Wrong, lines, t
from bot.domain.progress import Status, public_link
from handlers import progress
from handlers.me import short
from handlers.project_card import back_to, day, gone, mine, my_milestone, number, show
from storage.milestones import (
    CHANGED,
    CLOSED,
    DROPPED,
    DUE,
    JOINED,
    KEPT,
    LEFT,
    REOPENED,
    STUCK,
    TAKEN_UP,
    UNSTUCK,
    Update,
)
from storage.projects import Project

router = Router()

A_PAGE = 5


def check_link(ctx: Context, text: str) -> str:
    """A public address, or Wrong with what to do; it is never opened by the bot."""
    found = public_link(text)
    if found is None:
        raise Wrong(t("Please send one public link that begins with https://, or press Skip. I do not open it."))
    return found


CHANGED_FORM = Form(
    name="updates.words",
    title=t("What changed"),
    fields=(
        Field(key="words", question=t("What changed? A line or two. No tender secrets, please."), check=short(500)),
        Field(
            key="who",
            question=t(
                "Who outside your team changed because of it? For example: an office that now answers. Or press Skip."
            ),
            optional=True,
            check=short(300),
        ),
        Field(
            key="link",
            question=t("Is there a public link that shows it? Everybody must be able to open it. Or press Skip."),
            optional=True,
            check=check_link,
        ),
    ),
)


@router.press("updates.write", role=Role.MEMBER)
def write(ctx: Context) -> Reply:
    """Ask what changed in a project."""
    of = mine(ctx, ctx.value)
    return CHANGED_FORM.begin(about={"project": of.id}) if of and of.is_open else gone()


@router.press("updates.milestone", role=Role.MEMBER)
def write_milestone(ctx: Context) -> Reply:
    """Ask what changed because of a milestone."""
    found = my_milestone(ctx, ctx.value)
    if found is None:
        return gone()
    return CHANGED_FORM.begin(about={"project": found[0].id, "milestone": found[1].id})


@router.form(CHANGED_FORM, role=Role.MEMBER)
def written(ctx: Context) -> Reply:
    """Into the history, once."""
    of = mine(ctx, str(ctx.about["project"]))
    if of is None or not of.is_open:
        return gone()
    words = ctx.answers["words"]
    newest = next((one for one in ctx.store.milestones.history(of.id, limit=1)), None)
    if newest is not None and (newest.member_id, newest.kind, newest.words) == (ctx.me.id, CHANGED, words):
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    found = my_milestone(ctx, str(ctx.about.get("milestone", 0)))
    line = ctx.store.milestones.tell(
        ctx.me.cohort_id,
        of.id,
        ctx.me.id,
        CHANGED,
        ctx.now,
        milestone_id=found[1].id if found else None,
        words=words,
        who=ctx.answers.get("who"),
        link=ctx.answers.get("link"),
    )
    who = (
        t("Kept in the history of “{title}”. Your team and the facilitators read it.", title=of.title or "")
        if of.is_shared
        else t("Kept in the history of “{title}”. Facilitators read it, if they may see your project.",
               title=of.title or "")
    )  # fmt: skip
    buttons = (
        Button(t("Undo"), "updates.undo", str(line)),
        Button(t("What changed so far"), "updates.list", str(of.id)),
    )
    return show(ctx, of.id, who, *buttons)


@router.press("updates.undo", role=Role.MEMBER)
def undo(ctx: Context) -> Reply:
    """Take one's own line out again."""
    found = ctx.store.milestones.update(number(ctx.value))
    if found is None or mine(ctx, str(found.project_id)) is None:
        return gone()
    done = ctx.store.milestones.untell(found.id, ctx.me.id)
    said = t("Taken out of the history again.") if done else t("Nothing changed.")
    return show(ctx, found.project_id, said)


@router.press("updates.list", role=Role.MEMBER)
def history(ctx: Context) -> Reply:
    """What changed so far, newest first, a page at a time."""
    value, _, before = ctx.value.partition(":")
    of = mine(ctx, value)
    if of is None:
        return gone()
    found = ctx.store.milestones.history(of.id, before=number(before) or None, limit=A_PAGE + 1)
    page = found[:A_PAGE]
    if not page:
        return Card(t("Nothing has been told yet."), buttons=(back_to(of),))
    buttons = [back_to(of)]
    if len(found) > A_PAGE:
        buttons.insert(0, Button(t("Earlier"), "updates.list", f"{of.id}:{page[-1].id}"))
    return Card(lines(t("What changed in “{title}”:", title=of.title or ""), *said(ctx, of, page), gap=True),
                buttons=tuple(buttons))  # fmt: skip


def said(ctx: Context, of: Project, page: list[Update]) -> list[Say]:
    """Lines of a history in words; whose they are only where a team has several people."""
    names = {}
    if of.is_shared:
        seen = ctx.people.projects.team([one.member_id for one in page if one.member_id is not None])
        names = {one.id: one.name for one in seen.shown if one.name}
    titles = {one.id: one.title for one in ctx.store.milestones.of(of.id)}
    return [line(ctx, one, titles.get(one.milestone_id or 0), names.get(one.member_id or 0)) for one in page]


def line(ctx: Context, one: Update, milestone: str | None, name: str | None, *, words: bool = True) -> Say:
    """One line of a history, with its day; `words` False leaves out what a person wrote."""
    when: Say = When(one.at)
    head = t("{day}, {name}: {what}", day=when, name=name, what=_what(ctx, one, milestone)) if name else t(
        "{day}: {what}", day=when, what=_what(ctx, one, milestone)
    )  # fmt: skip
    if not words:
        return head
    by = t("Needed by {day}", day=day(ctx, one.day)) if one.day and one.kind == STUCK else None
    help_ = t("Who could help: {who}", who=one.who) if one.who and one.kind == STUCK else None
    other = t("Who changed: {who}", who=one.who) if one.who and one.kind == CHANGED else None
    return lines(head, one.words, help_, by, other, one.link)


def _what(ctx: Context, one: Update, milestone: str | None) -> Say:
    if one.kind == CHANGED:
        return t("what changed, “{milestone}”", milestone=milestone) if milestone else t("what changed")
    whole: dict[str, Say] = {
        JOINED: t("joined the team"),
        LEFT: t("left the team"),
        CLOSED: t("the project was closed"),
        KEPT: t("the project was left to the facilitators"),
        REOPENED: t("the project was opened again"),
    }
    if one.kind in whole:
        return whole[one.kind]
    of = milestone or t("a milestone")
    if one.kind in {status.value for status in Status}:
        return t("“{milestone}”: {status}", milestone=of, status=progress.PLAIN[Status(one.kind)])
    if one.kind == DUE:
        when = day(ctx, one.day) if one.day else t("as before")
        return t("“{milestone}”: another date, {day}", milestone=of, day=when)
    kinds: dict[str, Say] = {
        STUCK: t("stuck"),
        UNSTUCK: t("no longer stuck"),
        DROPPED: t("dropped"),
        TAKEN_UP: t("taken up again"),
    }
    return t("“{milestone}”: {status}", milestone=of, status=kinds.get(one.kind, one.kind))

"""My projects: one sentence begins one, a first step is proposed, and its title, goal and coalitions can be changed."""

import json
from datetime import date, timedelta

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, lines, t
from bot.domain.progress import title_and_goal
from handlers import overdue, wording
from handlers.me import short
from handlers.project_card import day, gone, mine, short_title, show, today
from storage.projects import Project

router = Router()

MOST = 5
LONGEST_SENTENCE = 400
FIRST_STEP_WEEKS = 4
FIRST_STEPS: dict[str, Say] = {
    "data": t("List what data exists already, and who keeps it"),
    "process": t("Draw how it works today, step by step, and mark where it gets stuck"),
    "integrity": t("Write down the three risks that matter most, and who could lower each"),
    "participation": t("Ask five people whom it concerns what they need"),
    "inclusion": t("Meet one group that is left out today, and ask what would help"),
    "sectors": t("Find one office or site where it can be tried first"),
    "openness": t("Find out what is published already, and what is missing"),
    "leadership": t("Ask for half an hour with the person who decides"),
}
ANY_STEP = t("Talk with three people whom it concerns, and write down what they need")


@router.word("project", help=t("Your projects: what is next, what changed, who helps"), role=Role.MEMBER)
def project(ctx: Context) -> Reply:
    """My project, or how to begin one; with a sentence behind the slash word, a new one."""
    sentence = " ".join(ctx.text.split())
    return _begin(ctx, sentence) if 0 < len(sentence) <= LONGEST_SENTENCE else home(ctx)


@router.press("project.open", role=Role.MEMBER)
def open_project(ctx: Context) -> Reply:
    """The same, from a button."""
    return home(ctx)


def all_of(ctx: Context) -> list[Project]:
    """The open projects in which I work, my own first."""
    return [*ctx.store.projects.all_mine(ctx.me.id), *ctx.store.teams.of(ctx.me.id)]


def home(ctx: Context, before: Say | None = None) -> Card:
    """My only project, or the list of them; what waits for my yes comes first."""
    some = all_of(ctx)
    waiting = [
        Button(t("Look: {title}", title=short_title(of.title)), "team_joining.look", str(of.id))
        for of in map(ctx.people.projects.proposed, (one.project_id for one in ctx.store.teams.proposals(ctx.me.id)))
        if of is not None
    ]
    if len(some) == 1:
        return show(ctx, some[0].id, before, *waiting)
    new = Button(t("New project"), "project.new", style="primary")
    if not some:
        said = t("You have no project here yet. One sentence is enough to begin.")
        return Card(lines(before, said, gap=True), buttons=(*waiting, new))
    named = [Button(short_title(one.title, 60), "project.card", str(one.id)) for one in some]
    return Card(lines(before, t("Your projects. Which one?"), gap=True), buttons=(*waiting, *named, new))


@router.press("project.card", role=Role.MEMBER)
def card(ctx: Context) -> Reply:
    """One project."""
    of = mine(ctx, ctx.value)
    return show(ctx, of.id) if of else gone()


START = Form(
    name="project.sentence",
    title=t("New project"),
    fields=(
        Field(
            key="sentence",
            question=t("In one sentence: what shall be different, and for whom?"),
            check=short(LONGEST_SENTENCE),
        ),
    ),
)


@router.word("new_project", role=Role.MEMBER)
@router.press("project.new", role=Role.MEMBER)
@router.press("project.write", role=Role.MEMBER)  # under messages that were sent before projects had milestones
def new(ctx: Context) -> Reply:
    """Ask for the sentence."""
    return START.begin()


@router.form(START, role=Role.MEMBER)
def begun(ctx: Context) -> Reply:
    """One sentence is enough."""
    return _begin(ctx, ctx.answers["sentence"])


def _begin(ctx: Context, sentence: str) -> Card:
    title, goal = title_and_goal(sentence)
    own = ctx.store.projects.all_mine(ctx.me.id)
    same = next((one for one in own if (one.title, one.goal) == (title, goal)), None)
    if same is not None:
        return show(ctx, same.id, t("Already saved. Nothing changed."))
    if len(own) >= MOST:
        return home(ctx, t("{n} projects at once are enough. Leave one of them first.", n=MOST))
    wanted = ctx.programme.understanding.understand(sentence, ctx.me.language)
    number = ctx.store.projects.begin(
        ctx.me.cohort_id,
        ctx.me.id,
        title,
        goal=goal,
        topics=list(wanted.topics[:3]),
        coalitions=list(wanted.coalitions or ctx.profile.coalitions),
    )
    ctx.refresh()
    step, due = _first_step(ctx, next(iter(wanted.topics), None))
    said = lines(
        t("Kept: “{title}”. From now on whoever may see your project sees it; you choose who: me, then Who sees me.",
          title=title),
        t("I read: {topic}.", topic=wording.topic(ctx, wanted.topics[0])) if wanted.topics else None,
        t("A first step could be: “{step}”, by {day}. Shall I add it?", step=step, day=day(ctx, due)),
        gap=True,
    )  # fmt: skip
    value = json.dumps([number, step, due.isoformat()], ensure_ascii=False)
    buttons = (
        Button(t("Yes"), "project.first", value, "primary"),
        Button(t("Another step"), "milestones.add", str(number)),
        Button(t("Not now"), "project.card", str(number)),
        Button(t("Undo"), "project.unbegin", str(number)),
    )
    return Card(said, buttons=buttons)


def _first_step(ctx: Context, topic: str | None) -> tuple[str, date]:
    """A plain first step for a topic's theme, in my language, due on a weekday in four weeks."""
    known = ctx.programme.content.topic(topic or "")
    step = ctx.say(FIRST_STEPS.get(known.theme, ANY_STEP) if known else ANY_STEP)
    due = today(ctx) + timedelta(weeks=FIRST_STEP_WEEKS)
    return step, due + timedelta(days=max(0, 7 - due.weekday()) if due.weekday() > 4 else 0)


@router.press("project.first", role=Role.MEMBER)
def first(ctx: Context) -> Reply:
    """Yes to the first step, once."""
    number, step, due = json.loads(ctx.value)
    of = mine(ctx, str(number))
    if of is None or not of.is_open:
        return gone()
    if ctx.store.milestones.of(of.id):
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    day_ = date.fromisoformat(due)
    made = ctx.store.milestones.add(ctx.me.cohort_id, of.id, ctx.me.id, step, due=day_)
    overdue.watch(ctx, made, day_)
    undo = Button(t("Undo"), "milestones.remove", str(made))
    said = t("Added: “{step}”, due on {day}. One press below moves it on.", step=step, day=day(ctx, day_))
    return show(ctx, of.id, said, undo)


@router.press("project.unbegin", role=Role.MEMBER)
def unbegin(ctx: Context) -> Reply:
    """Take a project back that was just begun; one with milestones is left, not undone."""
    of = mine(ctx, ctx.value)
    if of is None or of.is_shared or ctx.store.milestones.of(of.id):
        return show(ctx, of.id, t("Nothing changed.")) if of else gone()
    ctx.store.projects.erase(of.id)
    ctx.refresh()
    return home(ctx, t("Undone: “{title}” is erased.", title=of.title or ""))


WRITE = Form(
    name="project.words",
    title=t("My project"),
    fields=(
        Field(key="title", question=t("What is your project called?"), check=short(120)),
        Field(key="goal", question=t("What will be different when it has worked?"), optional=True, check=short(500)),
    ),
)


COALITIONS = Form(
    name="project.coalitions",
    title=t("Coalitions"),
    fields=(
        Field(
            key="coalitions",
            question=t("Whose support does your reform need?"),
            kind="many",
            choices=wording.coalitions,
        ),
    ),
)


@router.press("project.change", role=Role.MEMBER)
def change(ctx: Context) -> Reply:
    """What can be changed."""
    of = mine(ctx, ctx.value)
    if of is None:
        return gone()
    buttons = (
        Button(t("Title and goal"), "project.words", ctx.value, "primary"),
        Button(t("Coalitions"), "project.whom", ctx.value),
        Button(t("Who sees me"), "privacy.who"),
        Button(t("Back"), "project.card", ctx.value),
    )
    return Card(t("What do you want to change in “{title}”?", title=of.title or ""), buttons=buttons)


@router.press("project.words", role=Role.MEMBER)
def ask_words(ctx: Context) -> Reply:
    """Ask for title and goal."""
    of = mine(ctx, ctx.value)
    return WRITE.begin(about={"project": of.id}) if of and of.is_open else gone()


@router.form(WRITE, role=Role.MEMBER)
def written(ctx: Context) -> Reply:
    """Store it; a goal that was skipped stays what it was."""
    of = mine(ctx, str(ctx.about["project"]))
    if of is None or not of.is_open:
        return gone()
    _write(ctx, of, ctx.answers["title"], ctx.answers.get("goal") or of.goal)
    undo = Button(t("Undo"), "project.undo", json.dumps([of.id, of.title, of.goal], ensure_ascii=False))
    return show(ctx, of.id, t("Kept. From now on whoever may see your project sees this."), undo)


@router.press("project.undo", role=Role.MEMBER)
def undo(ctx: Context) -> Reply:
    """Back to what it was."""
    number, title, goal = json.loads(ctx.value)
    of = mine(ctx, str(number))
    if of is None:
        return gone()
    _write(ctx, of, title, goal)
    return show(ctx, of.id, t("As it was before."))


def _write(ctx: Context, of: Project, title: str | None, goal: str | None) -> None:
    topics = ctx.programme.understanding.understand(f"{title or ''} {goal or ''}", ctx.me.language).topics
    ctx.store.projects.change(of.id, title=title, goal=goal, topics=list(topics[:3]))
    ctx.refresh()


@router.press("project.whom", role=Role.MEMBER)
def ask_coalitions(ctx: Context) -> Reply:
    """Ask whom it wants to win; begins from what is there."""
    of = mine(ctx, ctx.value)
    if of is None or not of.is_open:
        return gone()
    return COALITIONS.begin(about={"project": of.id}, answers={"coalitions": list(of.coalitions)})


@router.form(COALITIONS, role=Role.MEMBER)
def chosen(ctx: Context) -> Reply:
    """Whom it wants to win from now on."""
    of = mine(ctx, str(ctx.about["project"]))
    if of is None or not of.is_open:
        return gone()
    ctx.store.projects.change(of.id, coalitions=list(ctx.answers["coalitions"]))
    return show(ctx, of.id, t("Kept, from now on."))

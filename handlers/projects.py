"""For facilitators: all projects, overdue and blocked first, narrowed, in pages; proposing members; the status page."""

import json
from collections.abc import Sequence

from bot.core import (
    Button,
    Card,
    Context,
    Country,
    Field,
    Form,
    Reply,
    Role,
    Router,
    Say,
    Urgency,
    Wrong,
    lines,
    listed,
    t,
)
from bot.domain.profiles import Profile
from bot.domain.progress import is_overdue, project_status
from handlers import progress, project_card, team_joining, updates, wording
from handlers.me import short
from handlers.named import check_named
from handlers.project_card import number, short_title, today
from storage.access import Access, Viewer
from storage.milestones import STUCK, Milestone
from storage.projects import Project
from storage.shared_projects import Chosen
from storage.teams import DECLINED, IN, PROPOSED, WANTS

router = Router()

A_PAGE = 8
A_STATUS_PAGE = 15
GONE = t("This project is no longer here, or is kept private. Nothing changed.")


def _value(chosen: Chosen, after: tuple[str, str] | None = None) -> str:
    narrow = [chosen.coalition, chosen.country, int(chosen.overdue), int(chosen.blocked)]
    return json.dumps([*narrow, *(after or ())], ensure_ascii=False)


def _chosen(value: str) -> tuple[Chosen, tuple[str, str] | None]:
    """What a list is narrowed to and where it goes on, from a button's value."""
    if not value:
        return Chosen(), None
    coalition, country, overdue, blocked, *after = json.loads(value)
    return Chosen(coalition, country, bool(overdue), bool(blocked)), (after[0], after[1]) if after else None


@router.press("projects.open", role=Role.FACILITATOR)
def projects(ctx: Context) -> Reply:
    """A page of the list."""
    return _list(ctx, *_chosen(ctx.value))


def _list(ctx: Context, chosen: Chosen, after: tuple[str, str] | None = None, before: Say | None = None) -> Card:
    page = ctx.people.projects.listed(chosen, today(ctx), after, limit=A_PAGE)
    who, steps = _people(ctx, page.projects), ctx.store.milestones.of_all([of.id for of in page.projects])
    said = [_line(ctx, of, who, steps.get(of.id, [])) for of in page.projects]
    if not said:
        said = [t("No project fits.") if after is None else t("No other project.")]
    named = [Button(short_title(of.title), "projects.card", str(of.id)) for of in page.projects]
    if page.after is not None:
        named.append(Button(t("More"), "projects.open", _value(chosen, page.after)))
    buttons = [
        *named,
        Button(t("Narrow down"), "projects.narrow", _value(chosen)),
        Button(t("Status page to copy"), "projects.status", _value(chosen)),
        Button(t("New team project"), "projects.new"),
        Button(t("Back"), "manage.open"),
    ]
    heading = t("Projects, overdue and blocked first. Progress is self-reported.")
    return Card(lines(before, heading, _narrowed(ctx, chosen), *said, gap=True), buttons=tuple(buttons))


def _narrowed(ctx: Context, chosen: Chosen) -> Say | None:
    said: list[Say] = []
    if chosen.coalition:
        said.append(wording.coalition(ctx, chosen.coalition))
    if chosen.country:
        said.append(Country(chosen.country))
    if chosen.overdue:
        said.append(t("overdue"))
    if chosen.blocked:
        said.append(t("blocked"))
    return t("Only: {what}", what=listed(said)) if said else None


def _people(ctx: Context, some: Sequence[Project]) -> dict[int, list[Profile]]:
    """Who works in each of some projects, as facilitators see them; two reads, however many."""
    members = {of.id: [of.member_id] for of in some if of.member_id is not None}
    members |= ctx.store.teams.of_all([of.id for of in some if of.is_shared])
    everybody = ctx.people.profiles(sorted({one for numbers in members.values() for one in numbers}))
    seen = {one.id: one for one in everybody}
    return {of: [seen[one] for one in numbers if one in seen] for of, numbers in members.items()}


def _line(ctx: Context, of: Project, who: dict[int, list[Profile]], some: list[Milestone]) -> Say:
    late = [one for one in some if is_overdue(one.step, today(ctx))]
    held = [one for one in some if one.blocked and one.step.is_open]
    people = who.get(of.id, [])
    by: Say = listed([wording.called(one) for one in people[:5]]) if people else t("nobody in it")
    said: list[Say | None] = [
        t("{title}: {status}", title=of.title or t("without a title"),
          status=progress.PLAIN[project_status(one.step for one in some)]),
        by,
        t("overdue: {milestones}", milestones=listed([one.title for one in late[:3]])) if late else None,
        t("blocked: {milestones}", milestones=listed([one.title for one in held[:3]])) if held else None,
    ]  # fmt: skip
    return lines(*said)


@router.press("projects.narrow", role=Role.FACILITATOR)
def narrow(ctx: Context) -> Reply:
    """Choose what to see."""
    chosen, _ = _chosen(ctx.value)
    buttons = [
        Button(t("Overdue"), "projects.open", _value(Chosen(chosen.coalition, chosen.country, True))),
        Button(t("Blocked"), "projects.open", _value(Chosen(chosen.coalition, chosen.country, False, True))),
    ]
    for one in ctx.programme.content.coalitions:
        narrowed = Chosen(one.slug, chosen.country, chosen.overdue, chosen.blocked)
        buttons.append(Button(wording.coalition(ctx, one.slug), "projects.open", _value(narrowed)))
    buttons += [
        Button(t("A country"), "projects.country", _value(chosen)),
        Button(t("All projects"), "projects.open"),
    ]
    return Card(lines(t("Which projects?"), _narrowed(ctx, chosen)), buttons=tuple(buttons))


def check_country(ctx: Context, text: str) -> str:
    """A country by its name in any of the languages, its code or flag; or Wrong with what to do."""
    wanted = ctx.programme.understanding.understand(text, ctx.me.language)
    if not wanted.countries:
        raise Wrong(t("I did not find that country. Please type its name, for example: Mongolia."))
    return wanted.countries[0]


COUNTRY = Form(
    name="projects.where",
    title=t("A country"),
    fields=(Field(key="country", question=t("Which country?"), check=check_country),),
)


@router.press("projects.country", role=Role.FACILITATOR)
def ask_country(ctx: Context) -> Reply:
    """Ask which."""
    return COUNTRY.begin(about={"chosen": ctx.value})


@router.form(COUNTRY, role=Role.FACILITATOR)
def of_country(ctx: Context) -> Reply:
    """Only projects with somebody of that country."""
    chosen, _ = _chosen(ctx.about["chosen"])
    return _list(ctx, Chosen(chosen.coalition, ctx.answers["country"], chosen.overdue, chosen.blocked))


@router.press("projects.card", role=Role.FACILITATOR)
def card(ctx: Context) -> Reply:
    """One project as far as it is shared with facilitators; that I looked, its owner can see."""
    of = ctx.people.projects.for_facilitators(number(ctx.value))
    return _card(ctx, of) if of else Card(GONE, buttons=(Button(t("All projects"), "projects.open"),))


def _card(ctx: Context, of: Project, before: Say | None = None) -> Card:
    if of.member_id is not None and of.member_id != ctx.me.id:
        ctx.note("people.look", of.member_id)
    some = ctx.store.milestones.of(of.id)
    people = _people(ctx, [of]).get(of.id, [])
    who: Say = listed([wording.called(one) for one in people]) if people else t("nobody")
    fields = [(t("Team") if of.is_shared else t("By"), who), *project_card.fields(ctx, of, some)]
    waiting = ctx.people.profiles([one.member_id for one in ctx.store.teams.waiting(of.id, (PROPOSED, DECLINED))])
    if waiting:
        fields.append((t("Proposed, no answer yet"), listed([wording.called(one) for one in waiting])))
    buttons = []
    if of.is_shared and of.is_open:
        buttons.append(Button(t("Propose a member"), "projects.propose", str(of.id), "primary"))
    history = _history(ctx, of, some)
    text = lines(before, of.title or t("without a title"), history, gap=True)
    return Card(text, fields=tuple(fields), buttons=(*buttons, Button(t("All projects"), "projects.open")))


def _history(ctx: Context, of: Project, some: list[Milestone]) -> Say | None:
    """The newest lines; what somebody wrote when stuck only if they told facilitators."""
    titles = {one.id: one.title for one in some}
    newest = ctx.store.milestones.history(of.id, limit=3)
    said = [
        updates.line(ctx, one, titles.get(one.milestone_id or 0), None, words=one.kind != STUCK or one.told)
        for one in newest
    ]
    return lines(t("What changed lately:"), *said) if said else None


@router.press("projects.status", role=Role.FACILITATOR)
def status(ctx: Context) -> Reply:
    """The status page as text to copy: only what is shared with facilitators. Making it is written down (the route)."""
    ctx.message = None
    chosen, after = _chosen(ctx.value)
    page = ctx.people.projects.listed(chosen, today(ctx), after, limit=A_STATUS_PAGE)
    who, steps = _people(ctx, page.projects), ctx.store.milestones.of_all([of.id for of in page.projects])
    parts: list[Say | None] = [
        t("{programme}: projects on {day}. Progress is self-reported.", programme=ctx.programme.name,
          day=project_card.day(ctx, today(ctx))),
        _narrowed(ctx, chosen),
        *(_status_of(ctx, of, who, steps.get(of.id, [])) for of in page.projects),
        None if page.projects else t("No project fits."),
    ]  # fmt: skip
    more = (Button(t("Next page"), "projects.status", _value(chosen, page.after)),) if page.after else ()
    return Card(lines(*parts, gap=True), buttons=more)


def _status_of(ctx: Context, of: Project, who: dict[int, list[Profile]], some: list[Milestone]) -> Say:
    people = who.get(of.id, [])
    steps = [t("· {milestone}: {state}", milestone=one.title,
               state=progress.state(one, today(ctx), ctx.me.time_zone)) for one in some]  # fmt: skip
    return lines(
        of.title or t("without a title"),
        listed([wording.called(one) for one in people]) if people else t("nobody in it"),
        of.goal,
        t("Status: {status}", status=progress.both_words(project_status(one.step for one in some))),
        *steps,
    )


PROPOSE = Form(
    name="projects.whom",
    title=t("Propose a member"),
    fields=(Field(key="who", question=t("Whom do you propose? Type at least three letters."), check=check_named),),
)


@router.press("projects.propose", role=Role.FACILITATOR)
def ask_whom(ctx: Context) -> Reply:
    """Type whom."""
    of = ctx.people.projects.for_facilitators(number(ctx.value))
    return PROPOSE.begin(about={"project": of.id}) if of and of.is_shared and of.is_open else GONE


@router.form(PROPOSE, role=Role.FACILITATOR)
def found(ctx: Context) -> Reply:
    """Several people may bear a name: one press each, with what speaks against it."""
    of = ctx.people.projects.for_facilitators(int(ctx.about["project"]))
    if of is None:
        return GONE
    some = [one for one in ctx.people.profiles(ctx.answers["who"]) if not one.facilitator]
    buttons = [Button(wording.called(one), "projects.proposed", f"{of.id}:{one.id}", "primary") for one in some]
    text = lines(
        t("Propose the team of “{title}” to whom? They are in it only if they say yes.", title=of.title or "")
        if some
        else t("No fellow of this name. Facilitators are in no team."),
        _apart_note(ctx, of, some),
    )
    return Card(text, buttons=(*buttons, Button(t("No"), "projects.card", str(of.id))))


def _apart_note(ctx: Context, of: Project, some: Sequence[Profile]) -> Say | None:
    """Which of these are kept apart from somebody in the team: facilitators see everybody's wishes."""
    team = ctx.store.teams.members(of.id)
    apart = [one for one in some if _theirs(ctx, one.id).kept_apart_from(team)]
    if not apart:
        return None
    return t("{who}: kept apart from somebody in the team. Both would be told before and after, and you would read "
             "along with the team's messages.", who=listed([wording.called(one) for one in apart]))  # fmt: skip


def _theirs(ctx: Context, whom: int) -> Access:
    apart = ctx.programme.buyers_and_bidders_apart
    return ctx.store.people(Viewer(whom, ctx.me.cohort_id), buyers_and_bidders_apart=apart)


@router.press("projects.proposed", role=Role.FACILITATOR)
def propose(ctx: Context) -> Reply:
    """Asked, once; nobody is added without their yes."""
    project, _, whom = ctx.value.partition(":")
    of = ctx.people.projects.for_facilitators(number(project))
    seen = ctx.people.profile(number(whom))
    if of is None or not of.is_shared or not of.is_open or seen is None or seen.facilitator:
        return GONE
    member, where = ctx.store.members.recall(seen.id), ctx.store.members.where(seen.id)
    place = ctx.store.teams.place(of.id, seen.id, lock=True)
    if member is None or where is None:
        return _card(ctx, of, t("{name} cannot be reached now. Nothing changed.", name=wording.name(seen)))
    if place is not None and place.state == IN:
        return _card(ctx, of, t("{name} is in this team already.", name=wording.name(seen)))
    if place is not None and place.state != WANTS:
        return _card(ctx, of, t("{name} has been asked already. Nothing changed.", name=wording.name(seen)))
    ctx.store.teams.put(ctx.me.cohort_id, of.id, seen.id, PROPOSED, ctx.now, proposed_by=ctx.me.id)
    theirs = Context(ctx.engine, ctx.store, ctx.event, member, ctx.now)
    me = ctx.profile.name or t("A facilitator")
    message = ctx.send(seen.id, team_joining.proposal(theirs, of, me), urgency=Urgency.QUESTION, once=True)
    ctx.store.teams.asked(of.id, seen.id, message)
    ctx.store.schedules.cancel(seen.id, (team_joining.TIMER,), of.id)
    team_joining.set_close(ctx, of, seen.id, where.time_zone)
    return _card(ctx, of, t("{name} is asked. You hear from me within a week.", name=wording.name(seen)))


NEW = Form(
    name="projects.sentence",
    title=t("New team project"),
    fields=(
        Field(key="title", question=t("What is the project called?"), check=short(120)),
        Field(key="goal", question=t("What will be different when it has worked?"), optional=True, check=short(500)),
        Field(
            key="coalitions",
            question=t("Which coalitions is it for?"),
            kind="many",
            optional=True,
            choices=wording.coalitions,
        ),
    ),
)


@router.press("projects.new", role=Role.FACILITATOR)
def new(ctx: Context) -> Reply:
    """Ask for a project that is to have a team."""
    return NEW.begin()


@router.form(NEW, role=Role.FACILITATOR)
def begun(ctx: Context) -> Reply:
    """A team's project with nobody in it yet."""
    title, goal = ctx.answers["title"], ctx.answers.get("goal")
    topics = ctx.programme.understanding.understand(f"{title} {goal or ''}", ctx.me.language).topics
    made = ctx.store.projects.begin(
        ctx.me.cohort_id, None, title, goal=goal, topics=list(topics[:3]),
        coalitions=list(ctx.answers.get("coalitions") or ()),
    )  # fmt: skip
    of = ctx.people.projects.for_facilitators(made)
    return _card(ctx, of, t("Kept. Nobody is in it yet: propose its members.")) if of else GONE

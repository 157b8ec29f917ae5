"""Leaving a project: a team goes on and takes over; the last one out says what becomes of it: close, keep, or erase."""

from bot.core import Button, Card, Context, Reply, Role, Router, Say, Urgency, lines, t
from handlers import overdue, teams, wording
from handlers.project_card import TO_PROJECTS, back_to, gone, mine, number, show
from storage.milestones import CLOSED, KEPT, LEFT, REOPENED, Milestone
from storage.projects import Project
from storage.teams import IN

router = Router()

CHOICES = 6  # people of the team who are offered to take over
NOBODY = "0"


@router.press("teams.leave", role=Role.MEMBER)
def leave(ctx: Context) -> Reply:
    """Ask what becomes of it; nothing has happened yet."""
    of = mine(ctx, ctx.value)
    if of is None:
        return gone()
    others = [one for one in ctx.store.teams.members(of.id) if one != ctx.me.id] if of.is_shared else []
    return _from_team(ctx, of, others) if others else _last(of)


def _from_team(ctx: Context, of: Project, others: list[int]) -> Card:
    shown = ctx.people.projects.team(others).shown[:CHOICES]
    my = [one for one in ctx.store.milestones.of(of.id) if one.written_by == ctx.me.id and one.step.is_open]
    text = lines(
        t("Leave the team of “{title}”? What you wrote stays in its history. The team is told.", title=of.title or ""),
        t("Whom shall I ask about the milestones that you wrote?") if my else None,
    )
    named = [
        Button(t("Leave; ask {name}", name=wording.name(one)), "project_end.go", f"{of.id}:{one.id}") for one in shown
    ]
    if not my:
        named = []
    go = Button(t("Leave; nobody in particular") if my else t("Yes, leave"), "project_end.go", f"{of.id}:{NOBODY}")
    return Card(text, buttons=(*named, go, Button(t("Stay"), "project.card", str(of.id))))


def _last(of: Project) -> Card:
    value = str(of.id)
    text = lines(
        t("Nobody else is in “{title}”. What shall become of it?", title=of.title or ""),
        t("Close: it stays here for you to read, nobody finds it, and I ask nothing about it."),
        t("Leave it to the facilitators: it is no longer yours, and they may find people for it. They see all of it."),
        t("Erase: it is gone, with its milestones and its history."),
    )
    buttons = (
        Button(t("Close it"), "project_end.close", value),
        Button(t("Leave it to the facilitators"), "project_end.keep", value),
        Button(t("Erase it"), "project_end.ask_erase", value, "danger"),
        Button(t("Stay"), "project.card", value),
    )
    return Card(text, buttons=buttons)


@router.press("project_end.go", role=Role.MEMBER)
def go(ctx: Context) -> Reply:
    """Out of the team; the others are told, and one of them is asked from now on."""
    value, _, taker = ctx.value.partition(":")
    of = mine(ctx, value)
    if of is None or not of.is_shared:
        return gone()
    others = [one for one in ctx.store.teams.members(of.id) if one != ctx.me.id]
    if not others:
        return _last(of)
    takes = number(taker) if number(taker) in others else None
    handed = ctx.store.milestones.hand_over(of.id, ctx.me.id, takes)
    name = teams.me_as_met(ctx)
    apart = ctx.people.kept_apart_from(others)
    ctx.store.teams.remove(of.id, ctx.me.id)
    ctx.store.milestones.tell(ctx.me.cohort_id, of.id, ctx.me.id, LEFT, ctx.now)
    for one in handed:
        ctx.store.schedules.cancel(ctx.me.id, (overdue.TIMER,), one.id)
        if takes is not None and one.due is not None:
            overdue.watch(ctx, one.id, one.due, takes)
    for one_ in others:
        who: Say = t("Somebody") if one_ in apart else name
        card = _told(of, who, handed if one_ == takes else [])
        ctx.send(one_, card, about=() if one_ in apart else (ctx.me.id,), urgency=Urgency.QUESTION)
    said = t("You left the team of “{title}”, and the others are told. To come back, ask the team or a facilitator.",
             title=of.title or "")  # fmt: skip
    return Card(said, buttons=(TO_PROJECTS,))


def _told(of: Project, who: Say, handed: list[Milestone]) -> Card:
    said = t("{who} left the team of “{title}”.", who=who, title=of.title or "")
    if not handed:
        return Card(said, buttons=(back_to(of),))
    more = t("From now on I ask you about: {milestones}. You can drop one, or change its date.",
             milestones=", ".join(one.title for one in handed[:5]))  # fmt: skip
    return Card(lines(said, more), buttons=(back_to(of),))


def _alone_in(ctx: Context) -> Project | None:
    """The project that a button names, if I am the only one in it."""
    of = mine(ctx, ctx.value)
    if of is None or (of.is_shared and ctx.store.teams.members(of.id) != [ctx.me.id]):
        return None
    return of


@router.press("project_end.close", role=Role.MEMBER)
def close(ctx: Context) -> Reply:
    """Closed: to be read, not to be found."""
    of = _alone_in(ctx)
    if of is None:
        return gone()
    if not of.is_open:
        return show(ctx, of.id, t("Already so. Nothing changed."))
    ctx.store.projects.change(of.id, state="closed", looking=None)
    ctx.store.milestones.tell(ctx.me.cohort_id, of.id, ctx.me.id, CLOSED, ctx.now)
    ctx.refresh()
    said = t("“{title}” is closed from now on. Its milestones and history stay for you to read.", title=of.title or "")
    undo = Button(t("Undo"), "project.reopen", str(of.id))
    return Card(said, buttons=(undo, Button(t("What changed so far"), "updates.list", str(of.id)), TO_PROJECTS))


@router.press("project.reopen", role=Role.MEMBER)
def reopen(ctx: Context) -> Reply:
    """Open again."""
    of = _alone_in(ctx)
    if of is None:
        return gone()
    if of.is_open:
        return show(ctx, of.id, t("Already so. Nothing changed."))
    ctx.store.projects.change(of.id, state="open")
    ctx.store.milestones.tell(ctx.me.cohort_id, of.id, ctx.me.id, REOPENED, ctx.now)
    ctx.refresh()
    return show(ctx, of.id, t("Open again, from now on."))


@router.press("project_end.keep", role=Role.MEMBER)
def keep(ctx: Context) -> Reply:
    """No longer mine: facilitators may find people for it."""
    of = _alone_in(ctx)
    if of is None or not of.is_open:
        return gone()
    ctx.store.milestones.hand_over(of.id, ctx.me.id, None)
    ctx.store.teams.remove(of.id, ctx.me.id)
    ctx.store.projects.change(of.id, member_id=None, looking=None)
    ctx.store.milestones.tell(ctx.me.cohort_id, of.id, ctx.me.id, KEPT, ctx.now, told=of.is_shared)
    ctx.refresh()
    look = Button(t("Look at the project"), "projects.card", str(of.id))
    note = t(
        "“{title}” was left to the facilitators: nobody is in it now. You can propose people.", title=of.title or ""
    )
    for one in ctx.store.members.facilitators(ctx.me.cohort_id):
        if one != ctx.me.id:
            ctx.send(one, Card(note, buttons=(look,)), urgency=Urgency.QUESTION)
    said = t("“{title}” is left to the facilitators. It is no longer in your profile.", title=of.title or "")
    return Card(said, buttons=(Button(t("Undo"), "project_end.take_back", str(of.id)), TO_PROJECTS))


@router.press("project_end.take_back", role=Role.MEMBER)
def take_back(ctx: Context) -> Reply:
    """Mine again, while nobody else is in it and I was the last to leave."""
    of = ctx.store.projects.get(number(ctx.value), lock=True)
    last = next(iter(ctx.store.milestones.history(of.id, limit=1)), None) if of is not None else None
    if of is None or last is None or (last.kind, last.member_id) != (KEPT, ctx.me.id):
        return gone()
    if ctx.store.teams.members(of.id):
        return gone()
    if last.told:  # it was a team's before
        ctx.store.teams.put(ctx.me.cohort_id, of.id, ctx.me.id, IN, ctx.now)
    else:
        ctx.store.projects.change(of.id, member_id=ctx.me.id)
    ctx.store.milestones.take_over(of.id, ctx.me.id)
    ctx.store.milestones.tell(ctx.me.cohort_id, of.id, ctx.me.id, REOPENED, ctx.now)
    ctx.refresh()
    return show(ctx, of.id, t("As it was before."))


@router.press("project_end.ask_erase", role=Role.MEMBER)
def ask_erase(ctx: Context) -> Reply:
    """Ask for a second yes: this cannot be undone."""
    of = _alone_in(ctx)
    if of is None:
        return gone()
    said = t("Erase “{title}” with its milestones and its history? This cannot be undone.", title=of.title or "")
    yes = Button(t("Yes, erase"), "project_end.erase", str(of.id), "danger")
    return Card(said, buttons=(yes, Button(t("No"), "project.card", str(of.id))))


@router.press("project_end.erase", role=Role.MEMBER)
def erase(ctx: Context) -> Reply:
    """Gone."""
    of = _alone_in(ctx)
    if of is None:
        return gone()
    ctx.store.projects.erase(of.id)
    ctx.refresh()
    return Card(t("Erased: “{title}”, its milestones and its history.", title=of.title or ""), buttons=(TO_PROJECTS,))

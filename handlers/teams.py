"""Teams of collective projects: who is in it, looking for members, and what others find of it."""

from collections.abc import Sequence

from bot.core import Button, Card, Context, Reply, Role, Router, Say, lines, listed, t, tn
from bot.domain.profiles import Audience
from bot.domain.topics import Wanted
from bot.domain.words import word_keys
from handlers import wording
from handlers.project_card import back_to, gone, mine, number, short_title, show
from storage.projects import COALITIONS, COHORT, Project
from storage.shared_projects import Team
from storage.teams import IN, WANTS

router = Router()

SHOWN = 3
LOOKED_THROUGH = 20
NO_LONGER = t("This project does not look for members now. Nothing changed.")


def people_of(team: Team, *, me: bool) -> Say:
    """The team in words: me, those who may be seen, and how many others."""
    said: list[Say] = [t("you")] if me else []
    said += [wording.called(one) for one in team.shown]
    if team.others:
        said.append(tn("{n} other", "{n} others", team.others))
    return listed(said) if said else t("nobody")


@router.press("teams.card", role=Role.MEMBER)
def card(ctx: Context) -> Reply:
    """Who is in the team, who would like to join, and how others find it."""
    of = mine(ctx, ctx.value)
    return team_card(ctx, of) if of and of.is_shared and of.is_open else gone()


def team_card(ctx: Context, of: Project, before: Say | None = None, *more: Button) -> Card:
    """The team of a project of mine."""
    team = ctx.people.projects.team(ctx.store.teams.members(of.id))
    waiting = ctx.store.teams.waiting(of.id, (WANTS,))
    asking = ctx.people.projects.team([one.member_id for one in waiting]).shown
    buttons = [
        Button(t("Let in {name}", name=wording.name(one)), "team_joining.let_in", f"{of.id}:{one.id}", "primary")
        for one in asking
    ]
    found_by: Say = t("nobody: it does not look for members")
    if of.looking is not None:
        found_by = t("the whole cohort") if of.looking == COHORT else t("people of its coalitions")
    fields: list[tuple[Say, Say]] = [(t("Team"), people_of(team, me=True)), (t("Found by"), found_by)]
    if asking:
        fields.append((t("Would like to join"), listed([wording.called(one) for one in asking])))
    text = lines(
        before,
        t("The team of “{title}”. Each of you sees the milestones, the history, and the others as people who met.",
          title=of.title or ""),
        gap=True,
    )  # fmt: skip
    look = Button(t("Who finds it") if of.looking else t("Looking for members"), "teams.look", str(of.id))
    leave = Button(t("Leave this project"), "teams.leave", str(of.id))
    return Card(text, fields=tuple(fields), buttons=(*more, *buttons, look, leave, back_to(of)))


@router.press("teams.look", role=Role.MEMBER)
def look(ctx: Context) -> Reply:
    """Who shall find that it looks for members; for a project of my own, what that changes."""
    of = mine(ctx, ctx.value)
    if of is None or not of.is_open:
        return gone()
    own = None if of.is_shared else t(
        "This makes “{title}” a project of a team: whoever joins sees its milestones and all of its history, also what "
        "you wrote when you were stuck. Nobody joins without your yes.",
        title=of.title or "",
    )  # fmt: skip
    shown = t("Who may find it? They see title, goal and topics, and you as far as you let them see you.")
    buttons = []
    if of.coalitions and of.looking != COALITIONS:
        buttons.append(Button(t("People of its coalitions"), "teams.looking", f"{of.id}:{COALITIONS}"))
    if of.looking != COHORT:
        buttons.append(Button(t("The whole cohort"), "teams.looking", f"{of.id}:{COHORT}"))
    if of.looking is not None:
        buttons.append(Button(t("Stop looking"), "teams.stop", str(of.id)))
    if of.is_shared and ctx.store.teams.members(of.id) == [ctx.me.id]:
        buttons.append(Button(t("Make it my own again"), "teams.own", str(of.id)))
    return Card(lines(own, shown, gap=True), buttons=(*buttons, back_to(of)))


@router.press("teams.looking", role=Role.MEMBER)
def looking(ctx: Context) -> Reply:
    """Found by these people from now on."""
    value, _, scope = ctx.value.partition(":")
    of = mine(ctx, value)
    if of is None or not of.is_open or scope not in (COHORT, COALITIONS):
        return gone()
    if of.looking == scope:
        return team_card(ctx, of, t("Already so. Nothing changed."))
    if not of.is_shared:
        ctx.store.teams.put(ctx.me.cohort_id, of.id, ctx.me.id, IN, ctx.now)
    ctx.store.projects.change(of.id, looking=scope, member_id=None)
    ctx.refresh()
    who = t("the whole cohort") if scope == COHORT else t("people of its coalitions")
    said = t("From now on {who} can find “{title}” by a search. I tell you when somebody would like to join.",
             who=who, title=of.title or "")  # fmt: skip
    after = mine(ctx, value)
    undo = Button(t("Undo"), "teams.stop" if of.is_shared else "teams.own", str(of.id))
    return team_card(ctx, after, said, undo) if after else gone()


@router.press("teams.stop", role=Role.MEMBER)
def stop(ctx: Context) -> Reply:
    """Nobody new finds it."""
    of = mine(ctx, ctx.value)
    if of is None or not of.is_open:
        return gone()
    if of.looking is None:
        return show(ctx, of.id, t("Already so. Nothing changed."))
    ctx.store.projects.change(of.id, looking=None)
    again = Button(t("Undo"), "teams.looking", f"{of.id}:{of.looking}")
    return show(ctx, of.id, t("From now on nobody new finds “{title}”.", title=of.title or ""), again)


@router.press("teams.own", role=Role.MEMBER)
def own(ctx: Context) -> Reply:
    """Back to a project of my own, while nobody else is in it."""
    of = mine(ctx, ctx.value)
    if of is None or not of.is_open:
        return gone()
    if not of.is_shared:
        return show(ctx, of.id, t("Already so. Nothing changed."))
    if ctx.store.teams.members(of.id) != [ctx.me.id]:
        return team_card(ctx, of, t("Others are in the team, so it stays theirs too. Nothing changed."))
    for one in ctx.store.teams.waiting(of.id):
        ctx.store.teams.remove(of.id, one.member_id)
    ctx.store.teams.remove(of.id, ctx.me.id)
    ctx.store.projects.change(of.id, looking=None, member_id=ctx.me.id)
    ctx.refresh()
    return show(ctx, of.id, t("It is your own project again, and nobody new finds it."))


def fitting(ctx: Context, wanted: Wanted) -> list[Project]:
    """Projects that look for members and fit a search, as far as I may know of them; at most three."""
    shared = ctx.people.projects
    if wanted.topics:
        found = shared.looking("topic", wanted.topics)
    elif wanted.words:
        keys = [key for word in wanted.words for key in word_keys(word)][:8]
        found = [of for of in shared.looking("word", keys[:1], limit=LOOKED_THROUGH) if _says(of, keys)]
    else:
        found = shared.looking("coalition", wanted.coalitions)
    return found[:SHOWN]


def _says(of: Project, keys: Sequence[str]) -> bool:
    said = word_keys(f"{of.title or ''} {of.goal or ''}")
    return all(any(word.startswith(key) for word in said) for key in keys)


def found_lines(some: Sequence[Project]) -> Say | None:
    """Found projects in words, under the people; None when there are none."""
    if not some:
        return None
    return lines(t("Looking for members:"), *(t("· {title}", title=of.title or "") for of in some))


def found_buttons(some: Sequence[Project]) -> list[Button]:
    """One button each to look at them."""
    return [Button(t("Look: {title}", title=short_title(of.title)), "teams.view", str(of.id)) for of in some]


@router.press("teams.view", role=Role.MEMBER)
def view(ctx: Context) -> Reply:
    """A project that looks for members, as far as others see it."""
    own_ = mine(ctx, ctx.value)
    if own_ is not None:
        return show(ctx, own_.id)
    of = ctx.people.projects.found(number(ctx.value))
    if of is None:
        return NO_LONGER
    place = ctx.store.teams.place(of.id, ctx.me.id)
    join = Button(t("I would like to join"), "team_joining.want", str(of.id), "primary")
    if place is not None and place.state == WANTS:
        join = Button(t("Withdraw"), "team_joining.withdraw", str(of.id))
    return Card(lines(of.title or "", t("A project that looks for members."), gap=True),
                fields=outside(ctx, of), buttons=() if ctx.me.is_facilitator else (join,))  # fmt: skip


def outside(ctx: Context, of: Project) -> tuple[tuple[Say, Say], ...]:
    """What somebody outside the team sees: no milestone, no history, and of its people what each lets them see."""
    numbers = ctx.store.teams.members(of.id)
    seen = ctx.people.profiles(numbers)
    team = Team(tuple(one for one in seen if one.name), len(numbers) - len([one for one in seen if one.name]))
    found: list[tuple[Say, Say | None]] = [
        (t("Goal"), of.goal),
        (t("Topics"), listed([wording.topic(ctx, slug) for slug in of.topics]) if of.topics else None),
        (t("Coalitions"), listed([wording.coalition(ctx, one) for one in of.coalitions]) if of.coalitions else None),
        (t("Team"), people_of(team, me=False)),
    ]
    return tuple((label, value) for label, value in found if value is not None)


def me_as_met(ctx: Context) -> Say:
    """How the team reads of me: as people whom I met."""
    seen = ctx.people.as_seen_by(Audience.MET)
    return wording.called(seen) if seen else t("A fellow")

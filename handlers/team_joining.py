"""Joining a team: one asks, or a facilitator proposes; nobody without their own yes; who is kept apart is told."""

from bot.core import Button, Card, Context, Reply, Role, Router, Say, Urgency, When, lines, t
from bot.core.programme import local_morning
from handlers import teams
from handlers.project_card import TO_PROJECTS, mine, number, show
from storage.access import Viewer
from storage.milestones import JOINED
from storage.projects import Project
from storage.teams import IN, PROPOSED, WANTS, Place

router = Router()

TIMER = "team_joining.close"
CLOSE_DAYS = 7
MOST = 20  # people in one team
MOST_TEAMS = 5
MOST_OPEN = 3
CLOSED = t("This request is closed. Nothing changed.")


def apart_notice(ctx: Context, of: Project) -> Say | None:
    """What somebody reads before joining a team in which is one from whom they are kept apart; it names nobody."""
    if not ctx.people.kept_apart_from(ctx.store.teams.members(of.id)):
        return None
    return lines(
        t("You and somebody in this team are kept apart. If you join, both of you are told so, without names."),
        t("You two would meet in messages to the whole team only; a facilitator reads along there, and while a tender "
          "is open there are none."),
    )  # fmt: skip


def why_not(ctx: Context, of: Project) -> Say | None:
    """Why somebody cannot join now; None when they can."""
    if len(ctx.store.teams.members(of.id, limit=MOST + 1)) >= MOST:
        return t("This team is full: {n} people are in it.", n=MOST)
    if len(ctx.store.teams.of(ctx.me.id)) >= MOST_TEAMS:
        return t("You are in {n} teams, and that is enough at once. Leave one of them first.", n=MOST_TEAMS)
    return None


@router.press("team_joining.want", role=Role.MEMBER)
def want(ctx: Context) -> Reply:
    """Before anything is sent: what the team will read, and whether somebody there is kept apart from me."""
    of = ctx.people.projects.found(number(ctx.value))
    if of is None or ctx.me.is_facilitator:
        return teams.NO_LONGER
    if (refusal := why_not(ctx, of)) is not None:
        return Card(refusal, buttons=(TO_PROJECTS,))
    text = lines(
        t("The team reads: “{who} would like to join {title}.” One yes from them is enough.",
          who=teams.me_as_met(ctx), title=of.title or ""),
        t("In the team they see you as people do whom you met."),
        apart_notice(ctx, of),
        gap=True,
    )  # fmt: skip
    buttons = (
        Button(t("Send"), "team_joining.send", str(of.id), "primary"),
        Button(t("No, do not send"), "team_joining.not_sent"),
    )
    return Card(text, buttons=buttons)


@router.press("team_joining.not_sent", role=Role.MEMBER)
def not_sent(ctx: Context) -> Reply:
    """Thought better of it."""
    return t("Nothing was sent.")


@router.press("team_joining.send", role=Role.MEMBER)
def send(ctx: Context) -> Reply:
    """The asker's yes: the team is asked."""
    of = ctx.people.projects.found(number(ctx.value))
    if of is None or ctx.me.is_facilitator:
        return teams.NO_LONGER
    place = ctx.store.teams.place(of.id, ctx.me.id, lock=True)
    if place is not None and place.state == IN:
        return show(ctx, of.id, t("You are in this team already."))
    if place is not None and place.state == PROPOSED:  # both sides want it
        return _join(ctx, of)
    if (refusal := why_not(ctx, of)) is not None:
        return Card(refusal, buttons=(TO_PROJECTS,))
    closes = local_morning(ctx.now, ctx.me.time_zone, CLOSE_DAYS)
    if place is None:
        if ctx.store.teams.wants_of(ctx.me.id) >= MOST_OPEN:
            return t(
                "You have asked {n} teams and they have not answered yet. Please wait for one of them.", n=MOST_OPEN
            )
        ctx.store.teams.put(ctx.me.cohort_id, of.id, ctx.me.id, WANTS, ctx.now)
        ctx.store.schedules.set_timer(TIMER, ctx.me.id, closes, of.id)
        apart = ctx.people.kept_apart_from(ctx.store.teams.members(of.id))
        for one in ctx.store.teams.members(of.id):
            if one not in apart:
                ctx.send(
                    one, _asked(ctx, of), about=(ctx.me.id,), on_behalf=ctx.me.id, urgency=Urgency.QUESTION,
                    counted=False, once=True,
                )  # fmt: skip
    said = t("Sent to the team of “{title}”. You hear from me by {day}. Until then you can take it back.",
             title=of.title or "", day=When(closes))  # fmt: skip
    return Card(said, buttons=(Button(t("Withdraw"), "team_joining.withdraw", str(of.id)),))


def _asked(ctx: Context, of: Project) -> Card:
    said = lines(
        t("{who} would like to join {title}.", who=teams.me_as_met(ctx), title=of.title or ""),
        t("One yes from the team is enough. A no is never passed on."),
    )
    value = f"{of.id}:{ctx.me.id}"
    return Card(
        said,
        buttons=(
            Button(t("Let them in"), "team_joining.let_in", value, "primary"),
            Button(t("Not now"), "team_joining.not_in", value),
        ),
    )


def _asker(ctx: Context) -> tuple[Project, Place] | None:
    """The project of mine and the one who would like to join it, whom a button names."""
    project, _, asker = ctx.value.partition(":")
    of = mine(ctx, project)
    place = ctx.store.teams.place(of.id, number(asker), lock=True) if of is not None and of.is_shared else None
    return (of, place) if of is not None and place is not None and of.is_open else None


@router.press("team_joining.let_in", role=Role.MEMBER)
def let_in(ctx: Context) -> Reply:
    """One yes of the team: they are in, since they asked."""
    found = _asker(ctx)
    if found is None:
        return CLOSED
    of, place = found
    if place.state == IN:
        return teams.team_card(ctx, of, t("They are in the team already."))
    asker = ctx.store.members.recall(place.member_id)
    if place.state != WANTS or asker is None or asker.state not in ("active", "paused"):
        return CLOSED
    if len(ctx.store.teams.members(of.id, limit=MOST + 1)) >= MOST:
        return teams.team_card(ctx, of, t("This team is full: {n} people are in it.", n=MOST))
    joins = Context(ctx.engine, ctx.store, ctx.event, asker, ctx.now)
    welcome(joins, of)
    ctx.send(asker.id, show(joins, of.id, t("The team said yes: you are in “{title}”.", title=of.title or "")))
    return teams.team_card(ctx, of, t("They are in the team from now on, and have been told."))


@router.press("team_joining.not_in", role=Role.MEMBER)
def not_in(ctx: Context) -> Reply:
    """A quiet no of one member: the others may still say yes, and the asker sees nothing."""
    return t("All right. Nobody is told.") if _asker(ctx) else CLOSED


@router.press("team_joining.withdraw", role=Role.MEMBER)
def withdraw(ctx: Context) -> Reply:
    """The asker takes it back."""
    place = ctx.store.teams.place(number(ctx.value), ctx.me.id, lock=True)
    if place is None or place.state != WANTS:
        return CLOSED
    ctx.store.teams.remove(place.project_id, ctx.me.id)
    ctx.store.schedules.cancel(ctx.me.id, (TIMER,), place.project_id)
    return t("Taken back. Nothing more happens.")


def proposal(ctx: Context, of: Project, by: Say) -> Card:
    """What somebody sees whom a facilitator proposes; `ctx` is theirs."""
    closes = local_morning(ctx.now, ctx.me.time_zone, CLOSE_DAYS)
    text = lines(
        t("{who} proposes that you join the team of “{title}”.", who=by, title=of.title or ""),
        t("In the team they see you as people do whom you met."),
        apart_notice(ctx, of),
        t("You are in it only if you say yes. If you do nothing, this closes on {day}.", day=When(closes)),
        gap=True,
    )
    buttons = (
        Button(t("Yes, join"), "team_joining.yes", str(of.id), "primary"),
        Button(t("No, thank you"), "team_joining.no", str(of.id)),
    )
    return Card(text, fields=teams.outside(ctx, of), buttons=buttons)


@router.press("team_joining.look", role=Role.MEMBER)
def look(ctx: Context) -> Reply:
    """A proposal that waits for me, again."""
    of = ctx.people.projects.proposed(number(ctx.value))
    return proposal(ctx, of, t("A facilitator")) if of else CLOSED


@router.press("team_joining.yes", role=Role.MEMBER)
def yes(ctx: Context) -> Reply:
    """My own yes."""
    of = ctx.people.projects.proposed(number(ctx.value))
    if of is None:
        place = ctx.store.teams.place(number(ctx.value), ctx.me.id)
        in_it = place is not None and place.state == IN
        return show(ctx, number(ctx.value), t("You are in this team already.")) if in_it else CLOSED
    if (refusal := why_not(ctx, of)) is not None:
        return Card(refusal, buttons=(TO_PROJECTS,))
    return _join(ctx, of)


def _join(ctx: Context, of: Project) -> Card:
    place = ctx.store.teams.place(of.id, ctx.me.id)
    welcome(ctx, of)
    if place is not None and place.proposed_by is not None:
        who = _called_by(ctx, place.proposed_by)
        said = t("{who} said yes to the team of “{title}”.", who=who, title=of.title or "")
        ctx.send(place.proposed_by, said, about=(ctx.me.id,))
    return show(ctx, of.id, t("You are in the team of “{title}” from now on.", title=of.title or ""))


def _called_by(ctx: Context, facilitator: int) -> Say:
    """What a facilitator calls me."""
    them = ctx.store.people(Viewer(facilitator, ctx.me.cohort_id, facilitator=True))
    return them.profile_name(ctx.me.id) or t("A fellow")


@router.press("team_joining.no", role=Role.MEMBER)
def no(ctx: Context) -> Reply:
    """A quiet no: to the facilitator it looks like no answer."""
    of = ctx.people.projects.proposed(number(ctx.value))
    if of is None:
        return CLOSED
    ctx.store.teams.decline(of.id, ctx.me.id)
    return t("All right. Nobody is told, and nothing more happens.")


def welcome(ctx: Context, of: Project) -> None:
    """I am in the team from now on: the others are told, and who is kept apart from me in other words."""
    before = [one for one in ctx.store.teams.members(of.id) if one != ctx.me.id]
    apart = ctx.people.kept_apart_from(before)
    ctx.store.teams.put(ctx.me.cohort_id, of.id, ctx.me.id, IN, ctx.now)
    ctx.store.schedules.cancel(ctx.me.id, (TIMER,), of.id)
    ctx.store.milestones.tell(ctx.me.cohort_id, of.id, ctx.me.id, JOINED, ctx.now)
    doors = (
        Button(t("Team"), "teams.card", str(of.id)),
        Button(t("Leave this project"), "teams.leave", str(of.id)),
    )
    joined = t("{who} is in the team of “{title}” from now on.", who=teams.me_as_met(ctx), title=of.title or "")
    for one in before:
        if one not in apart:
            ctx.send(one, Card(joined, buttons=doors[:1]), about=(ctx.me.id,), urgency=Urgency.QUESTION)
        else:
            ctx.send(one, Card(_told_apart(of), buttons=doors), urgency=Urgency.QUESTION)
    if apart:
        note = t("In the team of “{title}” are people who are kept apart. Both were told. Their messages to the team "
                 "are for a facilitator to read along.", title=of.title or "")  # fmt: skip
        for one in ctx.store.members.facilitators(ctx.me.cohort_id):
            ctx.send(one, Card(note, buttons=(Button(t("Look at the project"), "projects.card", str(of.id)),)))


def _told_apart(of: Project) -> Say:
    return lines(
        t("Somebody joined the team of “{title}” from whom you are kept apart.", title=of.title or ""),
        t("I still bring you together in no other way: messages to the whole team only, a facilitator reads along "
          "there, and while a tender is open there are none. If you would rather not, leave the project."),
    )  # fmt: skip


@router.due(TIMER)
def close(ctx: Context) -> Reply:
    """Day 7: no answer, and a no, close in the same words."""
    place = ctx.store.teams.place(ctx.object or 0, ctx.me.id, lock=True)
    of = ctx.store.projects.get(ctx.object or 0)
    if place is None or place.state == IN:
        return None
    ctx.store.teams.remove(place.project_id, ctx.me.id)
    title = (of.title if of else None) or ""
    if place.state == WANTS:
        if ctx.me.state == "active":
            said = t("It did not come together with the team of “{title}” this time. That mostly has to do with time, "
                     "and says nothing about you.", title=title)  # fmt: skip
            ctx.send(ctx.me.id, said, urgency=Urgency.QUESTION)
        return None
    if place.message is not None and place.state == PROPOSED:
        ctx.edit(place.message, t("This proposal is closed. There is nothing for you to do."), anew=True)
    if place.proposed_by is not None:
        who = _called_by(ctx, place.proposed_by)
        said = t("{who} did not join the team of “{title}” this time.", who=who, title=title)
        ctx.send(place.proposed_by, said, about=(ctx.me.id,), urgency=Urgency.QUESTION)
    return None


def set_close(ctx: Context, of: Project, whom: int, time_zone: str) -> None:
    """A proposal closes by itself."""
    ctx.store.schedules.set_timer(TIMER, whom, local_morning(ctx.now, time_zone, CLOSE_DAYS), of.id)

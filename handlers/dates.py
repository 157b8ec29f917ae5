"""Whom a check-in is for, and when the next question comes."""

from datetime import date, datetime

from bot.core import Context, Say, When, t
from bot.domain.recurrence import Fire
from storage.checkins import Checkin
from storage.teams import IN

ASK = "checkins.ask"  # the route of every check-in's schedule


def is_for(ctx: Context, of: Checkin) -> bool:
    """Am I one of those whom this check-in asks?"""
    kind, key = of.audience.get("kind", "all"), of.audience.get("key")
    if ctx.me.is_facilitator or of.cohort_id != ctx.me.cohort_id:
        return False
    if kind == "coalition":
        return key in ctx.profile.coalitions
    if kind == "team":
        of_team = ctx.store.projects.get(int(key or 0))
        place = ctx.store.teams.place(int(key or 0), ctx.me.id)
        return of_team is not None and of_team.is_open and place is not None and place.state == IN
    return kind == "all" or key == ctx.profile.country


def next_of_mine(ctx: Context, after: datetime | None = None) -> tuple[Checkin, Fire] | None:
    """The check-in that asks me next, and when; None when none does. What I answered early is over."""
    if ctx.store.cards.silence(ctx.me.id).state == "paused" or not ctx.people.agreed_to(ctx.me.id, "questions"):
        return None
    schedules = {one.object: one for one in ctx.store.recurring.of(ctx.me.cohort_id, ASK) if not one.paused}
    found: list[tuple[Checkin, Fire]] = []
    for one in ctx.store.checkins.running(ctx.me.cohort_id) if schedules else ():
        of = schedules.get(one.id)
        fire = of.recurrence.first(ctx.me.time_zone, after or ctx.now) if of and is_for(ctx, one) else None
        while of and fire is not None and ctx.store.checkins.was_asked(one.id, ctx.me.id, fire.date):
            fire = of.recurrence.following(ctx.me.time_zone, fire.key)
        if fire is not None:
            found.append((one, fire))
    return min(found, key=lambda pair: pair[1].at, default=None)


def coming(ctx: Context) -> Say | None:
    """When the next question comes, in words."""
    found = next_of_mine(ctx)
    return t("Next from me: {when}.", when=When(found[1].at, "moment")) if found else None


def first_on(of: Checkin, otherwise: date) -> date:
    """The first date of a check-in."""
    return date.fromisoformat(of.first_on) if of.first_on else otherwise

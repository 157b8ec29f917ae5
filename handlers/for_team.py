"""A check-in for a team: everybody in it is asked, and whoever answers first answers for all."""

from bot.core import Context, Say, t
from handlers import cards, wording
from storage.checkins import Asked, Checkin

FORM = "answering.answer"


def is_for_team(of: Checkin | None) -> bool:
    """Does one answer do for all whom this check-in asks?"""
    return of is not None and of.audience.get("kind") == "team"


def is_answered(ctx: Context, of: Checkin, on: str) -> bool:
    """Has somebody of the team answered for this date already?"""
    return is_for_team(of) and any(answered for _, _, answered in ctx.store.checkins.each_of(of.id, on))


def release(ctx: Context, of: Asked) -> Say | None:
    """I have answered: nobody else of my team is asked for this date any more; what I say of it."""
    if not is_for_team(ctx.store.checkins.get(of.checkin_id)):
        return None
    for number, whose, answered in ctx.store.checkins.each_of(of.checkin_id, of.on_date):
        other = ctx.store.members.recall(whose) if whose != ctx.me.id and not answered else None
        if other is not None:
            _let_go(ctx, Context(ctx.engine, ctx.store, ctx.event, other, ctx.now), number)
    return t("This is your whole team's answer: the others are not asked any more.")


def _let_go(ctx: Context, theirs: Context, number: int) -> None:
    """Take the question from somebody's card: it was answered, and they were not silent."""
    waiting = theirs.store.dialogs.open_of(theirs.me.id, theirs.now)
    if waiting is not None and waiting.form == FORM and waiting.about.get("answer") == number:
        theirs.store.dialogs.end(waiting)
    theirs.store.checkins.withdraw(number, theirs.me.id)
    seen = theirs.people.profile(ctx.me.id)
    who: Say = wording.name(seen) if seen else t("Somebody")
    cards.take_off(theirs, cards.QUESTION, number, t("{who} answered this week's question for your team.", who=who))

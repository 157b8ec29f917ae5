"""Facilitators hear once, in one line of a morning, who could be reached nowhere since the morning before."""

from bot.core import Card, Context, Reply, Router, Say, listed, tn
from bot.core.events import Due
from bot.core.programme import local_morning
from bot.core.unreached import TIMER
from handlers import wording

router = Router()

MOST_NAMES = 10


@router.due(TIMER)
def tell(ctx: Context) -> Reply:
    """Nothing when all of them are back, or have left."""
    if not ctx.me.is_facilitator or ctx.me.state != "active" or not isinstance(ctx.event, Due):
        return None
    until = local_morning(ctx.event.at, ctx.me.time_zone)
    since = local_morning(ctx.event.at, ctx.me.time_zone, -1)
    missed = ctx.store.unreached.some(ctx.me.cohort_id, since, until, but=ctx.me.id, limit=MOST_NAMES + 1)
    seen = ctx.people.profiles(missed[:MOST_NAMES])
    if not seen:
        return None
    names: list[Say] = [wording.name(one) for one in seen]
    count = len(names)
    if len(missed) > MOST_NAMES:
        others = ctx.store.unreached.count(ctx.me.cohort_id, since, until, but=ctx.me.id) - MOST_NAMES
        names.append(tn("{n} other", "{n} others", others))
        count += others
    said = tn(
        "{names} could not be reached since yesterday. "
        "They may have blocked me or left the app; a word from you may help.",
        "{n} people could not be reached since yesterday: {names}. "
        "They may have blocked me or left the app; a word from you may help.",
        count,
        names=listed(names),
    )
    return Card(said, about=tuple(one.id for one in seen))

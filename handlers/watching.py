"""Tell me when somebody joins who fits."""

import json

from bot.core.context import Context
from bot.core.programme import local_morning
from bot.core.replies import Button, Card, Reply, Urgency, lines, t
from bot.core.router import Role, Router
from bot.domain.profiles import Profile
from handlers import wording
from handlers.asks import to_offer
from handlers.finding import watchable

router = Router()


@router.press("watching.watch", role=Role.MEMBER)
def watch(ctx: Context) -> Reply:
    """Be told when somebody joins who fits."""
    wanted = ctx.programme.understanding.understand(ctx.value, ctx.me.language)
    ctx.store.search.watch(ctx.me.cohort_id, ctx.me.id, watchable(wanted), ctx.now)
    what = wording.understood(ctx, wanted) or ctx.value
    said = lines(what, t("I tell you when somebody joins who fits."), gap=True)
    return Card(said, buttons=(Button(t("Stop telling me"), "watching.unwatch"),))


@router.press("watching.unwatch", role=Role.MEMBER)
def unwatch(ctx: Context) -> Reply:
    """No longer be told."""
    ctx.store.search.unwatch(ctx.me.id)
    return t("I no longer tell you when somebody joins. To start again, search and press the button.")


def tell_watchers(ctx: Context) -> None:
    """Somebody has just become visible: whoever waits for them looks again on their next morning."""
    told: set[int] = set()
    for watcher, _, _ in ctx.store.search.watchers(ctx.me.id):
        where = ctx.store.members.where(watcher)
        if watcher not in told and where is not None:
            told.add(watcher)
            ctx.store.schedules.set_timer(
                "watching.tell", watcher, local_morning(ctx.now, where.time_zone, 1), ctx.me.id
            )


@router.due("watching.tell")
def tell(ctx: Context) -> Reply:
    """What is told is what may be seen this morning, not what could be seen when they joined."""
    seen = ctx.people.profile(ctx.object or 0)
    watched = ctx.store.search.watched(ctx.me.id)
    fits = [(kind, key) for kind, key in watched if seen is not None and _shows(seen, kind, key)]
    if seen is None or not fits or ctx.me.state != "active":
        return None
    topic = next((key for _, key in fits if ctx.programme.content.topic(key)), None)
    passed_on = to_offer(ctx, [key for kind, key in fits if kind != "need"], seen.id)
    card = Card(
        t("Somebody joined who fits what you look for: {who}.", who=wording.called(seen)),
        buttons=(
            Button(
                t("Meet {name}", name=wording.name(seen)),
                "requests.preview",
                json.dumps({"to": seen.id, "topic": topic, "why": []}),
            ),
            *([passed_on] if passed_on else []),
            Button(t("Stop telling me"), "watching.unwatch"),
        ),
    )
    ctx.send(ctx.me.id, card, about=(seen.id,), urgency=Urgency.QUESTION, once=True)
    return None


def _shows(seen: Profile, kind: str, key: str) -> bool:
    shown: dict[str, list[str | None]] = {
        "offer": [wish.topic for wish in seen.offers],
        "need": [wish.topic for wish in seen.needs],
        "topic": [*seen.topics, *seen.project_topics],
        "country": [seen.country],
        "coalition": list(seen.coalitions),
    }
    return key in shown.get(kind, ())

"""Tell me when somebody joins who fits."""

import json
from dataclasses import replace

from bot.core.context import Context
from bot.core.replies import Button, Card, Reply, lines, t
from bot.core.router import Role, Router
from bot.domain.hours import next_card
from bot.domain.profiles import Profile
from handlers import cards, wording
from handlers.asks import to_offer
from handlers.finding import watchable
from storage.cards import Part

router = Router()

PART = "watching.joined"


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
    said = t("I no longer tell you when somebody joins. To start again, search and press the button.")
    return cards.go_on(ctx, PART, int(ctx.value or 0), Card(said))


def tell_watchers(ctx: Context) -> None:
    """Somebody has just become visible: whoever waits for them looks again on their next card."""
    told: set[int] = set()
    for watcher, _, _ in ctx.store.search.watchers(ctx.me.id):
        where = ctx.store.members.where(watcher)
        if watcher not in told and where is not None:
            told.add(watcher)
            ctx.store.schedules.set_timer("watching.tell", watcher, next_card(ctx.now, where.time_zone), ctx.me.id)


@router.due("watching.tell")
def tell(ctx: Context) -> Reply:
    """Somebody joined: it rides on the next card."""
    if not cards.when_back(ctx, "watching.tell") and part(ctx, ctx.object or 0) is not None:
        cards.ride(ctx, Part(PART, ctx.object or 0))
    return None


@router.rider(PART, find=lambda ctx: None, asks=False)
def part(ctx: Context, number: int) -> Card | None:
    """What is told is what may be seen this morning, not what could be seen when they joined."""
    seen = ctx.people.profile(number)
    fits = _fits(ctx, seen)
    if seen is None or not fits or ctx.me.state != "active":
        return None
    passed_on = to_offer(ctx, [key for kind, key in fits if kind != "need"], seen.id)
    return Card(
        t("Somebody joined who fits what you look for: {who}.", who=wording.called(seen)),
        buttons=(
            Button(t("Meet {name}", name=wording.name(seen)), "watching.meet", str(seen.id)),
            *([replace(passed_on, action="watching.offer")] if passed_on else []),
            Button(t("Not now"), "watching.later", str(seen.id)),
            Button(t("Stop telling me"), "watching.unwatch", str(seen.id)),
        ),
        about=(seen.id,),
    )


def _fits(ctx: Context, seen: Profile | None) -> list[tuple[str, str]]:
    watched = ctx.store.search.watched(ctx.me.id)
    return [(kind, key) for kind, key in watched if seen is not None and _shows(seen, kind, key)]


def _below(ctx: Context, number: int, action: str, value: str) -> Reply:
    """Go on in a message of its own; the card goes on where it is."""
    return cards.below(ctx, PART, number, t("It goes on below."), action, value)


@router.press("watching.meet", role=Role.MEMBER)
def meet(ctx: Context) -> Reply:
    """What they would see of me."""
    number = int(ctx.value)
    fits = _fits(ctx, ctx.people.profile(number))
    topic = next((key for _, key in fits if ctx.programme.content.topic(key)), None)
    return _below(ctx, number, "requests.preview", json.dumps({"to": number, "topic": topic, "why": []}))


@router.press("watching.offer", role=Role.MEMBER)
def offer(ctx: Context) -> Reply:
    """Pass an open question of mine on to them."""
    return _below(ctx, json.loads(ctx.value)[1], "asks.offer", ctx.value)


@router.press("watching.later", role=Role.MEMBER)
def later(ctx: Context) -> Reply:
    """Not this one; others are still told of."""
    return cards.onward(ctx, PART, int(ctx.value), t("All right. They are found as everybody is."))


def _shows(seen: Profile, kind: str, key: str) -> bool:
    shown: dict[str, list[str | None]] = {
        "offer": [wish.topic for wish in seen.offers],
        "need": [wish.topic for wish in seen.needs],
        "topic": [*seen.topics, *seen.project_topics],
        "country": [seen.country],
        "coalition": list(seen.coalitions),
    }
    return key in shown.get(kind, ())

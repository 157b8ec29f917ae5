"""Tell me when somebody joins who fits."""

import json
from typing import Any

from bot.core.context import Context
from bot.core.programme import local_morning
from bot.core.replies import Button, Card, Reply, Urgency, lines, t
from bot.core.router import Role, Router
from bot.domain.profiles import Profile
from bot.domain.topics import Wanted
from handlers import wording
from storage.access import Viewer

router = Router()


def watchable(wanted: Wanted) -> list[tuple[str, str]]:
    """The keys for which one can be told when somebody joins."""
    found = [(kind, slug) for slug in wanted.topics for kind in ("offer", "topic")]
    if not found:
        found = [("country", code) for code in wanted.countries] + [("coalition", c) for c in wanted.coalitions]
    return found


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
    """Somebody has just become visible: tell those who wait for them and may see them, on their next morning."""
    told: set[int] = set()
    for watcher, kind, key in ctx.store.search.watchers(ctx.me.id):
        seen = ctx.store.people(Viewer(watcher, ctx.me.cohort_id)).profile(ctx.me.id)
        where = ctx.store.members.where(watcher)
        if watcher in told or seen is None or where is None or not _shows(seen, kind, key):
            continue
        told.add(watcher)
        about: dict[str, Any] = {"to": ctx.me.id, "topic": key if kind in ("offer", "topic") else None, "why": []}
        card = Card(
            t("Somebody joined who fits what you look for: {who}.", who=wording.called(seen)),
            buttons=(
                Button(t("Meet {name}", name=wording.name(seen)), "requests.preview", json.dumps(about)),
                Button(t("Stop telling me"), "watching.unwatch"),
            ),
        )
        morning = local_morning(ctx.now, where.time_zone, days=1)
        ctx.send(watcher, card, about=(ctx.me.id,), at=morning, urgency=Urgency.QUESTION, once=True)


def _shows(seen: Profile, kind: str, key: str) -> bool:
    shown: dict[str, list[str | None]] = {
        "offer": [wish.topic for wish in seen.offers],
        "topic": list(seen.topics),
        "country": [seen.country],
        "coalition": list(seen.coalitions),
    }
    return key in shown.get(kind, ())

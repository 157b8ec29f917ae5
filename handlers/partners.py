"""Somebody else to meet instead: two names for the same topic, or of a shared coalition."""

import json

from bot.core.context import Context
from bot.core.replies import Button, t
from bot.domain.allies import rank
from bot.domain.profiles import Profile
from handlers import wording
from storage.search import Clause


def two_others(ctx: Context, topic: str | None, but: int) -> tuple[Button, ...]:
    """Two other people for the same topic, or of a shared coalition."""
    plans = [[Clause(kind, (topic,))] for kind in ("offer", "need", "topic")] if topic else []
    plans.append([Clause("coalition", ctx.profile.coalitions)] if ctx.profile.coalitions else [])
    met = set(ctx.store.introductions.allies_of(ctx.me.id)) | {but}
    found: dict[int, Profile] = {}
    for clauses in plans:
        if clauses and len(found) < 2:
            for ally in rank(ctx.people.find(clauses, limit=30).profiles, ctx.profile, topics=[topic] if topic else []):
                if ally.profile.id not in met:
                    found.setdefault(ally.profile.id, ally.profile)
    return tuple(
        Button(
            t("Meet {name}", name=wording.name(one)),
            "requests.preview",
            json.dumps({"to": one.id, "topic": topic, "why": []}),
        )
        for one in list(found.values())[:2]
    )

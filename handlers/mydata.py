"""Everything of one's own as a file: readable, and without anybody else in it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core import Card, Context, File, Reply, Router, t

router = Router()

# What would show others: words of theirs, who keeps apart from me, and a no that nobody may tell from silence.
OTHERS = ("outbox_about", "apart", "ally", "inbox")
LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "outbox": ("body", "idem", "cause", "lane", "conversation", "platform_ref", "last_error", "lane_gen", "edits"),
    "introduction": ("card", "state", "decided_at", "closed_at", "request_message", "asker_message"),
    "invite": ("prefilled",),
    "report": ("text",),
    "dialog": ("about",),
}


@router.word("mydata")
def my_data(ctx: Context) -> Reply:
    """The file, at once."""
    return _card(ctx)


@router.press("mydata.open")
def open_my_data(ctx: Context) -> Reply:
    """From a button: in a message of its own."""
    ctx.message = None
    return _card(ctx)


def _card(ctx: Context) -> Card:
    text = t("Everything that I keep about you, as a file. Other people's names and words are left out.")
    return Card(text, files=(File("kawan-my-data.json", "application/json", "mydata", ctx.me.id),))


@router.file("mydata")
def make(ctx: Context) -> bytes:
    """The file's bytes: JSON in UTF-8, indented, with a heading that says what it is."""
    stored = ctx.store.privacy.own_data(ctx.me.id)
    mine: dict[str, Any] = {
        name: [{key: value for key, value in row.items() if key not in LEFT_OUT.get(name, ())} for row in rows]
        for name, rows in stored.items()
        if name not in OTHERS
    }
    rules = [rule for _, rule in ctx.store.profiles.aparts(ctx.me.id)]
    if rules:
        mine["keep_us_apart"] = [
            {"sector": rule.sector, "country": rule.country} if rule.other is None else {"person": "left out"}
            for rule in rules
        ]
    mine["allies"] = {"number": len(ctx.store.introductions.allies_of(ctx.me.id))}
    heading = {
        "about this file": ctx.say(
            t(
                "Everything that {programme} keeps about you in its bot, made for you on your request. "
                "Other people's names and words are left out.",
                programme=ctx.programme.name,
            )
        ),
        "made at": ctx.now.isoformat(),
        "run by": f"{ctx.programme.operator}, {ctx.programme.operator_contact}".strip(", "),
    }
    return json.dumps({**heading, **mine}, ensure_ascii=False, indent=2, default=_plain).encode()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

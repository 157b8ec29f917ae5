"""Everything of one's own as a file: readable, and without anybody else in it."""

import json
from datetime import datetime
from typing import Any

from bot.core import Card, Context, File, Reply, Role, Router, t

router = Router()


@router.word("mydata", role=Role.MEMBER)
def my_data(ctx: Context) -> Reply:
    """The file, at once."""
    return _card(ctx)


@router.press("mydata.open", role=Role.MEMBER)
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
    stored = ctx.store.privacy.own_data(ctx.me.id)
    return json.dumps({**heading, **stored}, ensure_ascii=False, indent=2, default=_plain).encode()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

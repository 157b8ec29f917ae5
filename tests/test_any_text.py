"""Whatever somebody writes as name, need or project: no call that a platform refuses, no markup that we did not write.

What people see in these chats has passed the strict rules of the local servers (see `shows` of both platforms).
"""

import random
from collections.abc import Iterator

import pytest

from bot.adapters.slack.render import message
from bot.core.adapter import Envelope, Outcome
from storage import Store
from tests.adapters.slack_platform import Slack
from tests.adapters.slack_rules import ESCAPED, mrkdwn_of
from tests.adapters.telegram_platform import OnTelegram
from tests.chat import Chat, Person, Platform
from tests.test_access import press

A_FEW = 4
PARTS = 8
PIECES = (
    *("<!channel>", "<@U0BAT>", "<#C0GENERAL>", "<https://evil.example|your bank>", "<mailto:a@b.example|x>", "&lt;"),
    *("&amp;", "*bold*", "_i_", "~s~", "`code`", "```", "> quoted", "@channel", "@here", ":flag-mn:"),
    *("[x](tg://user?id=1)", "<b>", "</b", "<a href='x'>", "/leave", "/start x", "@bat", "#tag", "x@b.example"),
    *("https://x.example/a?b=1&c=2", "\u202e", "\u200b", "\u2060", "\u2066", "\u00ad", "\u0301" * 40, "e\u0301\u0302"),
    *("\u2800", "\u3164", "\ufdfa" * 30, "\ud800", "\udc00", "\x00", "\x1b[31m", "\r\n", "\n\n", "\t", "\u2028"),
    *(" ", "", "\\", '"', "'", "{name}", "{0}", "%s", "👩\u200d👩\u200d👧", "👍🏽" * 60, "🇲🇳", "😀", "𝔘"),
    *("漢字。", "กำลัง", "ขอความช่วยเหลือ", "Монгол", "مرحبا بكم", "שלום", "слово. " * 90, "=1+1", "a" * 700),
    *("Sekar", "open contracts", "beneficial ownership", "gubernur belum mau tanda tangan"),
)  # fmt: skip


def texts(count: int, seed: int) -> Iterator[str]:
    """So many texts, the same for the same seed: pieces of every kind, letters from anywhere, in any length."""
    chance = random.Random(seed)
    for _ in range(count):
        pieces = chance.choices(PIECES, k=chance.choice((1, 1, 2, 3, 5, 9)))
        anything = "".join(chr(chance.randrange(0x110000)) for _ in range(chance.choice((0, 0, 1, 4, 12))))
        yield "".join([*pieces, anything]) * chance.choice((1, 1, 1, 1, 2, 9))


def written(who: Person, text: str) -> None:
    """As name, as need and as project; each is shown back as it is kept."""
    for action, value in (("fields.open", "name"), ("wishes.add", "need"), ("project.new", "")):
        press(who.chat, who, action, value, settle=False)
        who.says(text)
        if is_asked(who):
            who.says("cancel")


def is_asked(who: Person) -> bool:
    """Does a question wait for an answer?"""
    number, now = who.member, who.chat.clock.now()
    assert number is not None
    return who.chat.store.now(lambda unit: unit.dialogs.open_of(number, now)) is not None


def holds(store: Store, platform: Platform, count: int, seed: int) -> None:
    """Others look for what was written, and read it; nobody writes more than a few, then reads their own cards."""
    chat = Chat(store, platform)
    chat.screens.outcome = unforged if isinstance(platform, Slack) else unbroken
    seeker = chat.joins("Seeker")
    who = seeker
    for n, text in enumerate(texts(count, seed)):
        who = chat.joins(f"Writer{n}") if n % A_FEW == 0 else who
        written(who, text)
        seeker.says(text if n % 2 else "/find citizens")
        chat.clock.passes(minutes=2)
        if n % A_FEW == A_FEW - 1 or n == count - 1:
            who.says("me")
            who.says("project")


def unbroken(envelope: Envelope) -> Outcome | None:
    """No handler failed."""
    assert "Something went wrong on my side" not in envelope.content.text
    return None


def unforged(envelope: Envelope) -> Outcome | None:
    """Everything that Slack reads as markup is escaped; blocks hold none."""
    unbroken(envelope)
    call = message(envelope.content, envelope.key)
    assert not ESCAPED.search(call["text"]), call["text"]
    assert list(mrkdwn_of(call["blocks"])) == []
    return None


@pytest.mark.parametrize("platform", [Slack(), OnTelegram()], ids=["slack", "telegram"])
def test_random_texts_break_no_rule_and_forge_no_markup(store: Store, platform: Platform) -> None:
    holds(store, platform, 25, 7)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    ("platform", "store"),
    [(Slack(), "sqlite"), (OnTelegram(), "postgresql")],
    indirect=["store"],
    ids=["slack", "telegram"],
)
def test_ten_thousand_random_texts_in_all_break_no_rule_either(store: Store, platform: Platform, part: int) -> None:
    """In parts, which the cores of a machine take side by side; the more people there are, the longer each looks."""
    holds(store, platform, 5_000 // PARTS, 100 * (part + 1) + (11 if isinstance(platform, Slack) else 13))

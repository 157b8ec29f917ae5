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
from tests.chat import Chat, Person
from tests.test_access import press

PIECES = (
    *("<!channel>", "<@U0BAT>", "<#C0GENERAL>", "<https://evil.example|your bank>", "<mailto:a@b.example|x>", "&lt;"),
    *(
        "&amp;",
        "*bold*",
        "_i_",
        "~s~",
        "`code`",
        "```",
        "> quoted",
        "@channel",
        "@here",
        ":flag-mn:",
        "[x](tg://user?id=1)",
    ),
    *("<b>", "</b", "<a href='x'>", "/leave", "/start x", "@bat", "#tag", "https://x.example/a?b=1&c=2", "x@b.example"),
    *(
        "\u202e",
        "\u200b",
        "\u2060",
        "\u2066",
        "\u00ad",
        "\u0301" * 40,
        "e\u0301\u0302",
        "\u2800",
        "\u3164",
        "\ufdfa" * 30,
    ),
    *(
        "\ud800",
        "\udc00",
        "\x00",
        "\x1b[31m",
        "\r\n",
        "\n\n",
        "\t",
        "\u2028",
        " ",
        "",
        "\\",
        '"',
        "'",
        "{name}",
        "{0}",
        "%s",
    ),
    *(
        "👩\u200d👩\u200d👧",
        "👍🏽" * 60,
        "🇲🇳",
        "😀",
        "𝔘",
        "漢字。",
        "กำลัง",
        "ขอความช่วยเหลือ",
        "Монгол",
        "مرحبا بكم",
        "שלום",
    ),
    *(
        "Sekar",
        "open contracts",
        "beneficial ownership",
        "gubernur belum mau tanda tangan",
        "=1+1",
        "a" * 700,
        "слово. " * 90,
    ),
)


def texts(count: int, seed: int = 7) -> Iterator[str]:
    """So many texts, the same for the same seed: pieces of every kind, letters from anywhere, in any length."""
    chance = random.Random(seed)
    for _ in range(count):
        pieces = chance.choices(PIECES, k=chance.choice((1, 1, 2, 3, 5, 9)))
        anything = "".join(chr(chance.randrange(0x110000)) for _ in range(chance.choice((0, 0, 1, 4, 12))))
        yield "".join([*pieces, anything]) * chance.choice((1, 1, 1, 1, 2, 9))


def written(who: Person, text: str) -> None:
    """As name, as need and as project; then shown back, on one's own card and as somebody's project."""
    for action, value in (("fields.open", "name"), ("wishes.add", "need"), ("project.write", "")):
        press(who.chat, who, action, value, settle=False)
        who.says(text)
        who.says("skip")
        who.says("cancel")
    who.says("me")
    who.says("project")


def holds(store: Store, count: int) -> None:
    telegram = OnTelegram()
    chat = Chat(store, Slack(), beside=[telegram])
    chat.screens.outcome = unforged
    sari, seeker = chat.joins("Sari"), chat.joins("Seeker")
    bat = chat.newcomer("Bat", on=telegram)
    bat.says(f"/start {chat.invites()}")
    for label in ("English", "Agree"):
        bat.presses(label)
    for answer in ("Bat", "Neither", "Citizens", "Done", "beneficial ownership"):
        bat.says(answer)
    assert "From now on, just write." in bat.last
    found = chat.store.now(lambda unit: unit.members.recognise("telegram", bat.sender.installation, "Bat"))
    assert found is not None
    bat.member = found[0].id
    for n, text in enumerate(texts(count)):
        written(bat if n % 2 else sari, text)
        seeker.says("/find citizens" if n % 2 else text)
        chat.clock.passes(minutes=2)


def unforged(envelope: Envelope) -> Outcome | None:
    """Everything that Slack reads as markup is escaped; blocks hold none."""
    call = message(envelope.content, envelope.key)
    assert not ESCAPED.search(call["text"]), call["text"]
    assert list(mrkdwn_of(call["blocks"])) == []
    return None


def test_sixty_texts_break_no_rule_and_forge_no_markup(store: Store) -> None:
    holds(store, 60)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_ten_thousand_texts_break_no_rule_and_forge_no_markup(store: Store) -> None:
    holds(store, 10_000)

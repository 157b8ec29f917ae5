"""Whatever people say, nothing of it stands in a log, also at DEBUG and also when a handler fails."""

import io
import logging

import pytest

from bot.core.context import Context
from bot.core.log import configure, get_logger
from bot.core.replies import Reply
from bot.core.router import Route
from tests.chat import Chat

CANARY = "kanariumvulgare"


def converse(chat: Chat) -> None:
    """Names, needs, searches, requests, contacts and mistakes, each with the canary in it."""
    name = f"Sari {CANARY}"
    sari = chat.newcomer(name)
    sari.says(f"/start {CANARY}")
    sari.says(f"/start {chat.invites()}")
    sari.presses("English")
    sari.presses("Agree")
    sari.says(name)
    sari.presses("Neither")
    sari.presses("Citizens")
    sari.presses("Done")
    bat = chat.joins("Bat", country="MN", offers=[("beneficial-ownership", CANARY)])
    sari.says(f"beneficial ownership {CANARY}")
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses("Send")
    bat.presses("Yes")
    sari.presses("Share my contact")
    sari.says(f"{CANARY}@example.org")
    for text in (f"/{CANARY}", f"find {CANARY}", "me", "mydata", "safe"):
        sari.says(text)


@pytest.fixture
def logged(logs_as_before: None) -> io.StringIO:
    logging.disable(logging.NOTSET)
    for name in ("kawan", "kawan.dispatcher"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    stream = io.StringIO()
    configure("DEBUG", stream=stream, as_json=True)
    return stream


def test_nothing_that_people_say_is_logged(chat: Chat, logged: io.StringIO) -> None:
    converse(chat)
    get_logger("kawan.dispatcher").error("the_log_is_on")
    assert "the_log_is_on" in logged.getvalue()
    assert CANARY not in logged.getvalue()


def test_a_failing_handler_logs_where_but_not_what(
    chat: Chat, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(ctx: Context) -> Reply:
        raise ValueError(ctx.text)

    sari = chat.joins("Sari")
    monkeypatch.setitem(chat.kawan.engine.router.words, "find", Route(name="find", handler=fails, takes_text=True))
    sari.says(f"find {CANARY}")
    assert "handler_failed" in logged.getvalue()
    assert "test_canary.py" in logged.getvalue()
    assert CANARY not in logged.getvalue()

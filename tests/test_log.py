"""The logs: structured, and no secret gets through, whoever logs it."""

import io
import json
import logging

import pytest

from bot.core import log

CANARY = "canary7391"
SECRETS = [
    f"xoxb-12-34-{CANARY}",
    f"xoxp-12-{CANARY}",
    f"xapp-1-A0-{CANARY}",
    f"1234567890:AAH{CANARY}_-abcdefghijklmnopqrst",
    f"https://api.telegram.org/bot12345:{CANARY}/sendMessage",
    f"https://api.telegram.org/file/bot12345:{CANARY}/photo.jpg",
    f"postgresql://kawan:{CANARY}@db.example/kawan",
    f"postgresql+psycopg://kawan:p@{CANARY}@db.example/kawan",
    f"password={CANARY} host=db.example",
    f"{{'signing_secret': '{CANARY}'}}",
    f'{{"bot_token": "{CANARY}"}}',
    f"Authorization: Bearer {CANARY}",
]


pytestmark = pytest.mark.usefixtures("logs_as_before")


@pytest.fixture(params=[True, False], ids=["json", "console"])
def written(request: pytest.FixtureRequest) -> io.StringIO:
    stream = io.StringIO()
    log.configure("DEBUG", stream=stream, as_json=request.param)
    return stream


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_redacted_wherever_it_stands(secret: str, written: io.StringIO) -> None:
    ours, theirs = log.get_logger("bot.test"), logging.getLogger("library")
    ours.info(secret)
    ours.info("event", value=secret, inner={"list": [secret, (secret,)]}, error=ValueError(secret), raw=secret.encode())
    theirs.warning("said %s", secret)
    theirs.warning("said %(it)s", {"it": secret})
    try:
        raise ValueError(secret) from RuntimeError(secret)
    except ValueError:
        ours.exception("failed")
        theirs.exception("failed too")
    assert CANARY not in written.getvalue()
    assert written.getvalue().count("[redacted]") >= 8


def test_a_value_whose_name_is_secret_is_redacted(written: io.StringIO) -> None:
    log.get_logger("bot.test").info("event", bot_token=CANARY, settings={"password": CANARY, "webhook_secret": CANARY})
    assert CANARY not in written.getvalue()


def test_what_is_no_secret_stays(written: io.StringIO) -> None:
    log.get_logger("bot.test").info(
        "introduction_sent", introduction=7, at="2026-12-07T09:00:00+07:00", url="https://a.example/b"
    )
    for kept in ("introduction_sent", "7", "2026-12-07T09:00:00+07:00", "https://a.example/b", "bot.test"):
        assert kept in written.getvalue()


def test_json_is_one_object_a_line_with_time_level_and_ids() -> None:
    stream = io.StringIO()
    log.configure("INFO", stream=stream)
    log.get_logger("bot.test").info("event", member=3)
    try:
        raise ValueError('a "quoted"\nsecret: xoxb-1-2')
    except ValueError:
        logging.getLogger("library").exception("failed")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "event", "member": 3, "level": "info", "logger": "bot.test"}
    assert "ValueError" in second["exception"]


def test_talkative_libraries_are_heard_from_warning_on_also_at_debug(written: io.StringIO) -> None:
    for name in (
        "httpx",
        "telegram.Bot",
        "slack_bolt.app",
        "slack_sdk.web",
        "apscheduler.x",
        "asyncio",
        "sqlalchemy.engine",
    ):
        logging.getLogger(name).info("a request with a text")
        logging.getLogger(name).warning("a warning")
    log.get_logger("bot.test").debug("ours")
    assert "a request" not in written.getvalue()
    assert written.getvalue().count("a warning") == 7
    assert "ours" in written.getvalue()


def test_the_level_holds() -> None:
    stream = io.StringIO()
    log.configure("ERROR", stream=stream)
    log.get_logger("bot.test").warning("quiet")
    logging.getLogger("httpx").warning("quiet")
    log.get_logger("bot.test").error("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_configuring_twice_writes_once() -> None:
    stream = io.StringIO()
    log.configure("INFO", stream=stream)
    log.configure("INFO", stream=stream)
    log.get_logger("bot.test").info("event")
    assert len(stream.getvalue().splitlines()) == 1

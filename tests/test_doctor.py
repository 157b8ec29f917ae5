"""`doctor` tries the platforms live: what works, what does not and what to press; its exit code is for cron."""

import argparse
import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.doctor import main
from storage import UnitOfWork, open_store
from storage.lanes import Taken
from tests.adapters.slack_server import APP_TOKEN, BOT_TOKEN, Fault
from tests.storage.people import LANE, new_row
from tests.test_setup import TOKEN, Place, Ran

CANARY = "kanariumvulgare"
STATES = ("failed", "unreachable", "unreachable", "in_doubt")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def configured(place: Place, *, slack: bool = False, telegram: bool = False, mode: str = "socket") -> None:
    place.config.write_text(
        f"""[slack]
enabled = {str(slack).lower()}
mode = "{mode}"
bot_token = "{BOT_TOKEN}"
app_token = "{APP_TOKEN}"
signing_secret = "s"
api_url = "{place.slack.api_url if slack else "https://slack.com/api/"}"
[telegram]
enabled = {str(telegram).lower()}
token = "{TOKEN}"
""",
        encoding="utf-8",
    )


async def doctor(place: Place) -> Ran:
    await place.bot("migrate")
    ran = await place.bot("doctor")
    assert ran.wrong == ""
    for secret in (TOKEN, BOT_TOKEN, APP_TOKEN):
        assert secret not in ran.said
    return ran


def test_everything_well(place: Place) -> None:
    async def scene() -> None:
        async with place.telegram.running(), place.slack:
            configured(place, slack=True, telegram=True)
            ran = await doctor(place)
        assert ran.code == 0
        assert "well: Slack: works, as kawan in the workspace Reform." in ran.said
        assert "well: Slack, Socket Mode: works" in ran.said
        assert "well: Telegram: works, as Kawan (@kawan_test_bot)." in ran.said
        assert [call.method for call in place.telegram.calls] == ["getMe"]
        assert [name for name, _ in place.slack.calls] == ["auth.test", "bots.info", "apps.connections.open"]

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "aware: There are no settings here: config.toml is missing or empty. Make it with `python3 -m bot setup`"),
        ('[programme]\ndefault_language = "mn"\n', "aware: [programme] default_language is not spoken by the bot yet"),
    ],
)
def test_what_is_not_set_or_not_spoken_is_said(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert main(argparse.Namespace(config=str(file))) == 0
    assert said in capsys.readouterr().out
    assert not (tmp_path / "kawan.db").exists()


def test_tokens_of_two_apps_are_told_apart(place: Place) -> None:
    async def scene() -> None:
        async with place.slack:
            configured(place, slack=True)
            place.slack.app = "A0ANOTHER"
            ran = await doctor(place)
        assert ran.code == 1
        assert "wrong: Slack: The two tokens belong to two different apps" in ran.said

    asyncio.run(scene())


def test_a_refused_token_says_where_the_right_one_is(place: Place) -> None:
    async def scene() -> None:
        async with place.telegram.running(), place.slack:
            configured(place, slack=True, telegram=True)
            place.telegram.accepts_token = False
            place.slack.refusing = "token_revoked"
            ran = await doctor(place)
        assert ran.code == 1
        assert "wrong: Telegram: Telegram does not know this token. In Telegram, open @BotFather" in ran.said
        assert (
            "wrong: Slack: The app was removed from the workspace, or its token withdrawn (token_revoked)" in ran.said
        )
        assert "wrong: Slack, Socket Mode:" in ran.said

    asyncio.run(scene())


def test_a_token_without_its_scope_says_what_to_add(place: Place) -> None:
    async def scene() -> None:
        async with place.slack:
            configured(place, slack=True)
            place.slack.faults["apps.connections.open"].append(Fault("error", body="missing_scope"))
            ran = await doctor(place)
        assert ran.code == 1
        assert "add the scope connections:write" in ran.said

    asyncio.run(scene())


def test_scopes_that_the_workspace_did_not_grant_are_named(place: Place) -> None:
    async def scene() -> None:
        async with place.slack:
            configured(place, slack=True, mode="http")
            body = '{"ok": true, "user": "kawan", "team": "Reform", "team_id": "T1", "user_id": "U1"}'
            granted = {"x-oauth-scopes": "chat:write,commands,files:write,im:write,users:read"}
            place.slack.faults["auth.test"].append(Fault("status", status=200, body=body, headers=granted))
            ran = await doctor(place)
        assert ran.code == 0
        assert "aware: Slack has not granted im:history, mpim:write." in ran.said
        assert "Socket Mode" not in ran.said

    asyncio.run(scene())


def test_a_platform_that_does_not_answer_is_wrong_within_the_timeout(place: Place) -> None:
    async def scene() -> None:
        place.gone = "http://127.0.0.1:9"
        configured(place, telegram=True)
        ran = await doctor(place)
        assert ran.code == 1
        assert "wrong: Telegram: Telegram did not answer at http://127.0.0.1:9" in ran.said

    asyncio.run(scene())


@pytest.mark.parametrize("kind", [pytest.param("slow", marks=pytest.mark.long), "html"])
def test_a_slow_or_strange_answer_is_no_traceback(place: Place, kind: str) -> None:
    async def scene() -> None:
        async with place.slack:
            configured(place, slack=True, mode="http")
            slow, html = Fault("slow", seconds=30), Fault("status", status=200, body="<html>sign in to the hotel")
            place.slack.faults["auth.test"].append(slow if kind == "slow" else html)
            ran = await doctor(place)
        assert ran.code == 1
        assert "wrong: Slack: Slack did not answer at" in ran.said

    asyncio.run(scene())


def test_lanes_and_what_did_not_arrive_are_shown_by_number_and_without_anybody_in_them(place: Place) -> None:
    async def scene() -> None:
        configured(place)
        await place.bot("migrate")
        store = open_store(f"sqlite:///{place.folder / 'kawan.db'}", inline=True)
        now = SystemClock().now()

        def job(unit: UnitOfWork) -> list[int]:
            taken = unit.lanes.take(LANE, "owner-of-the-lane", now)
            assert isinstance(taken, Taken)
            gen = taken.held.gen
            unit.lanes.rest(LANE, gen, timedelta(minutes=5))
            unit.lanes.take("slack:T1", "gone", now)
            unit.lanes.release("slack:T1", "gone", 1)
            unit.troubles.begin("slack", "refused", now)
            made = [new_row(unit, f"dm:{CANARY}{n}", body={"text": CANARY}, now=now) for n in range(len(STATES))]
            for claimed, state in zip(unit.claims.claim(LANE, gen, now, 9).taken, STATES, strict=True):
                unit.claims.settle(claimed.row.seq, gen, state, now, why=f"{state}_{TOKEN}")
            new_row(unit, "dm:late", now=now - timedelta(hours=1))
            return made

        made = store.now(job)
        store.close()
        ran = await doctor(place)
        assert ran.code == 0
        for said in (
            f"well: {LANE}: program owner- sends (its turn lasts ",
            f"aware: {LANE}: paused until ",
            "aware: slack:T1: no program sends now.",
            f"aware: {LANE}: replies to leave now: 1, the oldest for 60 minutes.",
            "aware: slack: refuses us since ",
            "aware: Messages that a platform refused, in 30 days: 1.",
            f"aware:   message {made[0]} at {LANE}: failed_[redacted], ",
            "aware: Messages to people who cannot be reached, in 30 days: 2.",
            f"aware:   message {made[2]} at {LANE}: unreachable_[redacted], ",
            "aware: Messages that are being checked: 1.",
            f"aware:   message {made[3]} at {LANE}: in_doubt_[redacted], ",
        ):
            assert said in ran.said, ran.said
        assert "perhaps did not arrive" not in ran.said
        assert CANARY not in ran.said

    asyncio.run(scene())

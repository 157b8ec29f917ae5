"""`python3 -m bot run`: what it refuses to start with, what it says, and how it ends."""

import asyncio
import contextlib
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from storage import open_store
from storage.migrate import upgrade
from tests.adapters.slack_server import SlackServer
from tests.adapters.telegram_server import TelegramServer
from tests.program import TOKEN, Program, both, free_port, sees, slack_section, telegram_section, until


def plain_lines(program: Program) -> list[str]:
    """What is written for people, not for a log."""
    return [line for line in program.log.splitlines() if not line.startswith("{")]


async def ended(folder: Path, **sections: dict[str, Any]) -> tuple[int, list[str]]:
    """Start a program that is to end by itself: its exit code, and what it said."""
    program = Program(folder, sections)
    await program.start()
    return await program.ends(), plain_lines(program)


def test_nothing_enabled_is_said_with_what_to_do(tmp_path: Path) -> None:
    code, said = asyncio.run(ended(tmp_path))
    assert code == 78
    assert len(said) == 1
    assert "python3 -m bot setup" in said[0]


def test_the_demos_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kawan.db'}"
    upgrade(url)
    with contextlib.closing(open_store(url, inline=True)) as store:
        store.now(lambda unit: unit.members.set_fact("demo", "yes"))
    section = {"enabled": True, "token": TOKEN, "api_url": "http://127.0.0.1:9"}
    code, said = asyncio.run(ended(tmp_path, telegram=section))
    assert code == 1
    assert len(said) == 1
    assert "demo" in said[0]


@pytest.mark.long
def test_a_second_bot_with_the_same_file_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            await at.starts()
            second = Program(tmp_path, at.program.sections)
            await second.start()
            assert await second.ends() == 1
            assert any("already" in line for line in plain_lines(second))
            sari = at.at_telegram(42, "Sari")
            sari.says("hello")
            await sees(sari, "invited members")
            at.program.tell(signal.SIGKILL)
            await at.program.ends()
            await at.starts()  # a lock does not outlive its process
            assert await at.program.stop() == 0

    asyncio.run(go())


def test_a_platform_that_refuses_the_token_does_not_stop_the_other(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            at.slack.refusing = "invalid_auth"
            await at.program.start()
            sari = at.at_telegram(42, "Sari")
            sari.says("hello")
            await sees(sari, "invited members", 60)
            await until(lambda: plain_lines(at.program))
            assert plain_lines(at.program) == [
                "Slack: the token is refused (invalid_auth). `python3 -m bot doctor` says what to press."
            ]
            assert await at.program.stop() == 0

    asyncio.run(go())


def test_when_every_platform_refuses_it_says_why_and_ends(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            at.slack.refusing, at.telegram.accepts_token = "token_revoked", False
            await at.program.start()
            assert await at.program.ends() == 1
            said = plain_lines(at.program)
            assert sorted(line.partition(":")[0] for line in said) == ["Slack", "Telegram"]
            assert TOKEN not in at.program.log

    asyncio.run(go())


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    async def go() -> None:
        async with TelegramServer(TOKEN).running() as telegram:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                port = taken.getsockname()[1]
                section = telegram_section(telegram, "webhook", port)
                code, said = await ended(tmp_path, telegram=section, web={"port": port})
            assert code == 1
            assert len(said) == 1
            assert str(port) in said[0]

    asyncio.run(go())


def test_nothing_is_served_where_no_platform_calls_us_and_no_address_is_set(tmp_path: Path) -> None:
    async def go() -> None:
        async with SlackServer(pause=0) as slack:
            program = Program(tmp_path, {"slack": slack_section(slack)})
            await program.start()
            await slack.connected(2)
            await until(lambda: "started" in program.log)
            assert "web_server" not in program.log
            assert await program.stop() == 0

    asyncio.run(go())


def test_health_is_served_and_an_address_called_also_where_no_platform_calls_us(tmp_path: Path) -> None:
    calls: list[str] = []

    async def called(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.Response()

    async def go() -> None:
        application = web.Application()
        application.router.add_get("/{secret}", called)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with SlackServer(pause=0) as slack, aiohttp.ClientSession() as session:
            port = free_port()
            heart = f"http://127.0.0.1:{runner.addresses[0][1]}/kanariumvulgare"
            url = f"sqlite:///{tmp_path / 'kawan.db'}"
            sections = {"bot": {"database_url": url, "heartbeat_url": heart, "log_level": "DEBUG"}}
            program = Program(tmp_path, {**sections, "slack": slack_section(slack), "web": {"port": port}})
            await program.start()
            await until(lambda: calls, 60)  # all is well
            for page, holds in (("healthz", "well"), ("readyz", "slack: sends, listens"), ("metrics", "kawan_calls")):
                async with session.get(f"http://127.0.0.1:{port}/{page}") as answer:
                    assert answer.status == 200
                    assert holds in await answer.text()
            assert await program.stop() == 0
            assert calls == ["/kanariumvulgare"]
            assert "kanariumvulgare" not in program.log
        await runner.cleanup()

    asyncio.run(go())


@pytest.mark.long
def test_a_port_that_is_taken_does_not_keep_a_bot_from_running_that_nobody_calls(tmp_path: Path) -> None:
    async def go() -> None:
        async with SlackServer(pause=0) as slack:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                sections = {"slack": slack_section(slack), "web": {"port": taken.getsockname()[1]}}
                program = Program(tmp_path, sections)
                await program.start()
                await slack.connected(2)
                await until(lambda: "started" in program.log)
                assert "health_is_not_served" in program.log
                assert await program.stop() == 0

    asyncio.run(go())


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            await at.starts()
            at.program.tell(signal.SIGSTOP)  # both signals wait for it together
            at.program.tell(signal.SIGTERM)
            at.program.tell(signal.SIGINT)
            at.program.tell(signal.SIGCONT)
            assert await at.program.ends(10) == 130

    asyncio.run(go())


def test_invitations_carry_the_way_into_each_app(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            (code,) = at.program.invites(role="facilitator")
            await at.starts()
            mirela = at.at_telegram(42, "Mirela")
            mirela.says(f"/start {code}")
            await sees(mirela, "invitation")
            for label, then in (
                ("English", "Until you agree"),
                ("Agree", "1 of 2"),
                ("Mirela", "2 of 2"),
                ("Yes", "Welcome"),
            ):
                mirela.presses(label)
                await sees(mirela, then)
            mirela.says("manage")
            await until(lambda: any("People" in one.labels for one in mirela.screen))
            mirela.presses("People")
            await until(lambda: any("Invite" in one.labels for one in mirela.screen))
            mirela.presses("Invite")
            await sees(mirela, "Whom do you invite?")
            mirela.says("Sari")
            await sees(mirela, "In which language")
            mirela.presses("English")
            await sees(mirela, "In which country")
            mirela.presses("Skip")
            await sees(mirela, "What will they be?")
            mirela.presses("Fellow")
            await sees(mirela, "https://t.me/kawan_test_bot?start=")
            await sees(mirela, "Slack")

    asyncio.run(go())

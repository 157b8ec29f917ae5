"""/healthz, /readyz and /metrics of a bot that runs, over HTTP, on both databases; and the address that is called."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot import health
from bot.adapters.telegram import TelegramAdapter
from bot.app import Kawan, build
from bot.content import load
from bot.core.clock import SystemClock
from bot.core.ids import RandomIds, code_hash
from bot.core.programme import Programme
from bot.health import Health, beat
from storage import Store, UnitOfWork, room
from tests.adapters.telegram_faults import Fault
from tests.adapters.telegram_server import TelegramServer
from tests.storage.people import locked

TOKEN = "4839574812:AAE-local-token-of-no-bot-0123456789"
LANE = "telegram:4839574812"
SARI = 987654321
DOCUMENTED = (Path(__file__).parent.parent / "deploy/README.md").read_text(encoding="utf-8")
CANARY = "kanariumvulgare"


@dataclass
class Watched:
    """A bot at work beside a local Telegram, and its pages."""

    telegram: TelegramServer
    kawan: Kawan
    health: Health
    session: aiohttp.ClientSession
    address: str

    async def page(self, name: str) -> tuple[int, str]:
        async with self.session.get(f"{self.address}/{name}") as answer:
            return answer.status, await answer.text()

    async def says(self, name: str, what: str) -> None:
        """Wait until a page says it."""
        async with asyncio.timeout(15):
            while what not in (await self.page(name))[1]:
                await asyncio.sleep(0.02)


@cache
def programme() -> Programme:
    content = load()
    return Programme(
        content=content, understanding=content.understanding(), name=f"Reform {CANARY}", operator=f"Trust {CANARY}",
        operator_contact="help@reform.example", host_country="SG", emergency_contacts="Call Mirela: 000",
    )  # fmt: skip


def invited(unit: UnitOfWork) -> str:
    """A cohort with one open invitation; returns its code."""
    code, now = RandomIds().code(), SystemClock().now()
    cohort = unit.members.add_cohort(CANARY, f"Reform {CANARY}", "en", "Asia/Bangkok")
    unit.invites.add(cohort, code_hash(code), "fellow", now, now + timedelta(days=14), prefilled={}, invited_by=None)
    return code


@asynccontextmanager
async def watched(store: Store, *faults: Fault, alone: bool | None = None) -> AsyncIterator[Watched]:
    """The bot, running, and a web server with its pages. `faults` meet its first calls of getMe."""
    async with TelegramServer(TOKEN).running() as telegram, aiohttp.ClientSession() as session:
        telegram.fails("getMe", *faults)
        adapter = TelegramAdapter(TOKEN, session=session, api_url=telegram.url, long_poll=1, first_wait=0.5)
        kawan = build(store, programme(), [adapter], a_minute=None, alone=alone)
        found = Health(kawan)
        application = web.Application()
        application.add_routes(found.routes())
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        running = asyncio.create_task(kawan.run())
        try:
            yield Watched(telegram, kawan, found, session, f"http://127.0.0.1:{runner.addresses[0][1]}")
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await runner.cleanup()


def runs(store: Store, play: Callable[[Watched], Awaitable[None]], *faults: Fault, alone: bool | None = None) -> None:
    async def go() -> None:
        async with watched(store, *faults, alone=alone) as at:
            await play(at)

    asyncio.run(go())


async def joins(at: Watched, code: str) -> None:
    """Somebody joins as far as their name, and finds nothing."""
    sari = at.telegram.person(SARI, f"Sari {CANARY}", "en")
    sari.says(f"/start {code}")
    for label, then in (("English", "Until you agree"), ("Agree", "1 of 4")):
        async with asyncio.timeout(10):
            while not any(label in message.labels for message in sari.screen):
                await asyncio.sleep(0.01)
        sari.presses(label)
        async with asyncio.timeout(10):
            while not any(then in message.text for message in sari.screen):
                await asyncio.sleep(0.01)
    sari.says(f"Sari {CANARY}")
    async with asyncio.timeout(10):
        while not any("2 of 4" in message.text for message in sari.screen):
            await asyncio.sleep(0.01)


def test_a_bot_at_work_is_well_and_ready_and_shows_figures_without_anybody_in_them(threaded_store: Store) -> None:
    code = threaded_store.now(invited)

    async def play(at: Watched) -> None:
        await at.says("readyz", "telegram: sends, listens")
        assert await at.page("healthz") == (200, "well\n")
        assert await at.page("readyz") == (200, "database: current\ntelegram: sends, listens\n")
        await joins(at, code)
        await at.says("metrics", 'kawan_events_total{end="taken"} 4.0')
        status, shown = await at.page("metrics")
        assert status == 200
        sent = re.search(r'kawan_calls_total\{outcome="sent"\} (\d+)', shown)
        assert sent is not None
        assert int(sent[1]) >= 4
        for line in (
            "kawan_database_up 1.0",
            'kawan_lane_take_overs_total{lease="clean"} 1.0',
            'kawan_calls_total{outcome="rate_limited"} 0.0',
            'kawan_events_total{end="repeat"} 0.0',
            'kawan_doubts_total{step="begun"} 0.0',
            'kawan_handler_seconds_count{kind="press"} 2.0',
            'kawan_platform_listening{platform="telegram"} 1.0',
            f'kawan_lane_paused_seconds{{lane="{LANE}"}} 0.0',
            'kawan_writer_hold_seconds_bucket{le="+Inf"}',
            "process_resident_memory_bytes",
        ):
            assert line in shown
        for figure in set(re.findall(r"kawan_[a-z_]+", DOCUMENTED)):
            assert f"{figure.removesuffix('_total')} " in shown or f"{figure} " in shown
        for secret in (CANARY, "Sari", str(SARI), TOKEN, TOKEN.partition(":")[2], code, "reform.example", "Mirela"):
            assert secret not in shown

    runs(threaded_store, play)


def test_what_waits_is_shown_by_lane_state_and_urgency(threaded_store: Store) -> None:
    an_hour_ago = SystemClock().now() - timedelta(hours=1)

    def wait(unit: UnitOfWork) -> None:
        for number in range(3):
            unit.outbox.add(
                idem=f"i{number}", key=number.to_bytes(16), lane="slack:T1", conversation=f"dm:{CANARY}{number}",
                member_id=None, body={"text": CANARY}, cause="c", now=an_hour_ago, priority=3,
            )  # fmt: skip

    threaded_store.now(wait)

    async def play(at: Watched) -> None:
        _, shown = await at.page("metrics")
        assert 'kawan_queue_depth{lane="slack:T1",state="queued",urgency="broadcast"} 3.0' in shown
        age = re.search(r'kawan_queue_age_seconds\{lane="slack:T1",state="queued",urgency="broadcast"\} (\S+)', shown)
        assert age is not None
        assert 3600 <= float(age[1]) < 3700
        assert CANARY not in shown

    runs(threaded_store, play)


@pytest.mark.parametrize("threaded_store", ["sqlite"], indirect=True)
def test_it_is_not_ready_before_the_platform_is_reached_nor_after_it_refuses(threaded_store: Store) -> None:
    async def play(at: Watched) -> None:
        assert (await at.page("healthz"))[0] == 200
        status, said = await at.page("readyz")
        assert status == 503
        assert "telegram: not listening" in said or "telegram: nobody sends yet" in said
        await at.says("readyz", "telegram: sends, listens")
        at.telegram.accepts_token = False
        at.telegram.person(SARI, "Sari", "en").says("wakes the long poll up")
        await at.says("readyz", "telegram: refuses us")
        assert (await at.page("readyz"))[0] == 503
        assert 'kawan_platform_refused{platform="telegram"} 1.0' in (await at.page("metrics"))[1]

    runs(threaded_store, play, Fault("cut"))


@pytest.mark.parametrize("threaded_store", ["sqlite"], indirect=True)
def test_it_is_not_ready_while_the_clock_or_the_disk_keeps_it_from_sending(
    threaded_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    threaded_store.keep_room()
    a_month_ago = SystemClock().now() - timedelta(days=40)
    threaded_store.now(lambda unit: unit.outages.look(a_month_ago))

    async def play(at: Watched) -> None:
        await at.says("readyz", "telegram: sends, listens")
        status, said = await at.page("readyz")
        assert status == 503
        assert "clock: doubted" in said
        threaded_store.now(lambda unit: unit.outages.look(SystemClock().now()))  # the operator says that it is right
        assert (await at.page("readyz"))[0] == 200
        with monkeypatch.context() as nearly_full:
            nearly_full.setattr(room, "SHARE", 1.0)
            nearly_full.setattr(room, "SMALLEST", 2**60)
            status, said = await at.page("readyz")
            assert status == 503
            assert "disk: nearly full" in said
        assert (await at.page("readyz"))[0] == 200

    runs(threaded_store, play)


def test_one_that_stands_by_is_ready(threaded_store: Store) -> None:
    threaded_store.now(lambda unit: unit.lanes.take(LANE, "another program", SystemClock().now()))

    async def play(at: Watched) -> None:
        await at.says("readyz", "stands by")
        assert await at.page("readyz") == (200, "database: current\ntelegram: stands by, another program listens\n")
        assert at.telegram.called("getUpdates") == []

    runs(threaded_store, play, alone=False)


def test_a_database_that_does_not_answer_is_seen_and_so_is_its_return(threaded_store: Store) -> None:
    async def play(at: Watched) -> None:
        await at.says("readyz", "telegram: sends, listens")
        with locked(threaded_store):
            lives, ready = await asyncio.gather(at.page("healthz"), at.page("readyz"))
            assert lives == (503, "the database does not answer\n")
            assert ready == (503, "database: does not answer\n")
        await at.says("healthz", "well")
        await at.says("readyz", "telegram: sends, listens")

    runs(threaded_store, play)


@pytest.mark.parametrize("threaded_store", ["sqlite"], indirect=True)
def test_an_address_is_called_while_all_is_well_and_stands_in_no_log(
    threaded_store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "BEAT", 0.05)
    monkeypatch.setattr(health, "SOON", 0.05)
    calls: list[str] = []
    status = 200

    async def called(request: web.Request) -> web.Response:
        calls.append(request.method)
        return web.Response(status=status)

    async def play(at: Watched) -> None:
        nonlocal status
        application = web.Application()
        application.router.add_get(f"/{CANARY}", called)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/{CANARY}"
        beating = asyncio.create_task(beat(at.session, url, at.health))
        for _ in range(2):
            known = len(calls)
            await until(lambda known=known: len(calls) > known + 1)  # type: ignore[misc]
            status = 500
        at.telegram.accepts_token = False
        at.telegram.person(SARI, "Sari", "en").says("wakes the long poll up")
        await at.says("readyz", "refuses us")
        await asyncio.sleep(0.1)
        known = len(calls)
        await asyncio.sleep(0.3)
        assert len(calls) == known
        await runner.cleanup()
        assert not beating.done()
        beating.cancel()
        assert set(calls) == {"GET"}

    runs(threaded_store, play)
    said = capfd.readouterr()
    assert "heartbeat_refused" in said.out + said.err
    assert CANARY not in said.out + said.err


@pytest.mark.parametrize("threaded_store", ["sqlite"], indirect=True)
def test_an_address_at_which_nobody_answers_ends_nothing(
    threaded_store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "BEAT", 0.05)
    monkeypatch.setattr(health, "SOON", 0.05)

    async def play(at: Watched) -> None:
        await at.says("readyz", "telegram: sends, listens")
        beating = asyncio.create_task(beat(at.session, f"http://127.0.0.1:9/{CANARY}", at.health))
        await asyncio.sleep(0.3)
        assert not beating.done()
        beating.cancel()

    runs(threaded_store, play)
    said = capfd.readouterr()
    assert (said.out + said.err).count("heartbeat_failed") >= 2
    assert CANARY not in said.out + said.err


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not holds():
            await asyncio.sleep(0.01)

"""`python3 -m bot run`: the bot, with the platforms of the settings, until it is told to stop."""

import argparse
import asyncio
import contextlib
import fcntl
import gc
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from bot.adapters import PAGES, TELL, adapter_class
from bot.app import build, commands, described, withdraws
from bot.bootstrap import EXIT_INTERRUPTED, EXIT_SETTINGS
from bot.configure import programme
from bot.content import ContentError
from bot.core.begun import Begun
from bot.core.clock import SystemClock, monotonic
from bot.core.in_hand import InHand
from bot.core.language import own_language
from bot.core.log import configure, get_logger
from bot.core.programme import Programme
from bot.health import Health, beat
from bot.invite import cohort, refusal
from bot.settings import Settings, load
from storage import Busy, Store, open_store
from storage.engine import file_of
from storage.migrate import CannotOpen, upgrade

log = get_logger("kawan.run")

FAILED = 1
LISTENS_FIRST = 0.3  # seconds
COLLECTED_AT = 10_000, 20, 20  # one command makes thousands of things, and nearly all go by themselves
# Connecting has a limit of its own, since only a failure there surely means that nothing was sent.
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)
PATIENCE, AGAIN = 60.0, 2.0  # seconds: for a database server that is away at the start
NAMES = {"slack": "Slack", "telegram": "Telegram"}
NOTHING_ENABLED = (
    "No platform is enabled. Run `python3 -m bot setup`, or write enabled = true under [slack] or [telegram]."
)


class CannotRun(Exception):
    """Why the bot does not start, in one line for whoever starts it."""


def main(args: argparse.Namespace) -> int:
    """0 after a stop, 1 when it cannot run or every platform refuses us, 78 when nothing is set up."""
    settings = load(Path(args.config) if args.config else None)
    configure(settings.bot.log_level)
    if not (settings.slack.enabled or settings.telegram.enabled):
        print(NOTHING_ENABLED, file=sys.stderr)
        return EXIT_SETTINGS
    url = settings.bot.database_url.get_secret_value()
    try:
        with _nothing_goes():
            of = programme(settings)
        with _alone(url):
            return _with_store(_when_it_is_there(url, settings), settings, of)
    except CannotRun as why:
        print(why, file=sys.stderr)
    except ContentError as error:
        print(f"The content folder cannot be read: {error}", file=sys.stderr)
    except CannotOpen as error:
        print(f"The database cannot be opened ({error}). `python3 -m bot doctor` says more.", file=sys.stderr)
    return FAILED


def _when_it_is_there(url: str, settings: Settings) -> Store:
    """The database, made ready; a server may be starting, too, and is waited for."""
    began = monotonic()
    while True:
        try:
            return _make_ready(url, settings)
        except (CannotOpen, Busy) as error:
            if file_of(url) is not None or monotonic() - began > PATIENCE:
                raise CannotOpen(str(error)) from None
            log.warning("database_is_away", why=str(error), do="trying for a minute")
            time.sleep(AGAIN)


def _make_ready(url: str, settings: Settings) -> Store:
    refused = refusal(url)
    if refused:
        raise CannotRun(refused)
    upgrade(url)
    store = open_store(url)
    try:
        store.now(lambda unit: cohort(unit, settings.programme))
    except BaseException:
        store.close()
        raise
    return store


@contextlib.contextmanager
def _nothing_goes() -> Iterator[None]:
    """While everything is made, nothing that was made can go; it stays until the end, and is never looked through."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _alone(url: str) -> Iterator[None]:
    """One running bot a SQLite file: a lock beside it, which the system drops however we end."""
    path = file_of(url)
    if path is None:
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("a")
    except OSError as error:
        raise CannotRun(f"The folder of {path} cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotRun(f"Kawan runs with {path} already. Stop that one first.") from None
        yield


def _with_store(store: Store, settings: Settings, of: Programme) -> int:
    try:
        store.keep_room()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_until_told(store, settings, of))
    finally:
        store.close()


async def _prepare(of: Programme) -> None:
    """Make what the first question needs, once the platforms are asked for it, and not with it in hand."""
    await asyncio.sleep(LISTENS_FIRST)
    await asyncio.to_thread(own_language().ready)
    await asyncio.to_thread(of.understanding.ready)
    gc.freeze()


async def _until_told(store: Store, settings: Settings, of: Programme) -> int:
    """Run until a signal comes, or no platform is left."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, _stop_or_exit, told)
    async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session:
        with _nothing_goes():
            adapters = _adapters(store, settings, of, session)
            in_hand = InHand(settings.bot.data_dir / "in_hand")
            begun = Begun(settings.bot.data_dir / "begun")
            kawan = build(store, of, list(adapters.values()), pages=PAGES, tell=TELL, in_hand=in_hand, begun=begun)
        gc.set_threshold(*COLLECTED_AT)
        health = Health(kawan)
        async with _web(settings, adapters.values(), health) as stop_serving, _beating(settings, session, health):
            preparing = asyncio.create_task(_prepare(of))
            running = asyncio.create_task(kawan.run(_say_why, preparing))
            beside = {preparing, asyncio.create_task(_name_links(adapters, of))}
            stopping = asyncio.create_task(told.wait())
            if of.default_language not in own_language().offered:
                log.warning("language_not_spoken", key="default_language", value=of.default_language, instead="en")
            log.info("started", platforms=sorted(adapters), cohort=settings.programme.name)
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()  # raises what nobody expected
                return FAILED
            log.info("stopping")
            await stop_serving()
            for task in (running, *beside):
                task.cancel()
            await asyncio.wait({running, *beside})
    log.info("stopped")
    return 0


def _stop_or_exit(told: asyncio.Event) -> None:
    if told.is_set():
        os._exit(EXIT_INTERRUPTED)
    told.set()


def _say_why(platform: str, why: str) -> None:
    said = why if " " in why else f"the token is refused ({why}). `python3 -m bot doctor` says what to press"
    print(f"{NAMES[platform]}: {said}.", file=sys.stderr, flush=True)


def _adapters(store: Store, settings: Settings, of: Programme, session: aiohttp.ClientSession) -> dict[str, Any]:
    """The adapters of the enabled platforms, by name."""
    found: dict[str, Any] = {}
    proxy = settings.bot.proxy.get_secret_value() or None
    slack, telegram = settings.slack, settings.telegram
    if slack.enabled:
        found["slack"] = adapter_class("slack")(
            slack.bot_token.get_secret_value(),
            session=session,
            clock=SystemClock(),
            app_token=slack.app_token.get_secret_value(),
            signing_secret=slack.signing_secret.get_secret_value(),
            api_url=slack.api_url,
            mode=slack.mode,
            proxy=proxy,
            opened=withdraws(store, SystemClock()),
        )
    if telegram.enabled:
        found["telegram"] = adapter_class("telegram")(
            telegram.token.get_secret_value(),
            session=session,
            api_url=telegram.api_url,
            proxy=proxy,
            mode=telegram.mode,
            webhook_url=telegram.webhook_url,
            webhook_secret=telegram.webhook_secret.get_secret_value(),
            menu=_menu(of),
        )
    return found


def _menu(of: Programme) -> Any:
    """What Telegram shows around the chat, in every language offered."""
    everyone, facilitators = commands(of)
    description, short_description, group_line = described()
    return import_module("bot.adapters.telegram").Menu(
        everyone=everyone,
        facilitator=facilitators,
        description=description,
        short_description=short_description,
        group_line=group_line,
    )


async def _name_links(adapters: dict[str, Any], of: Programme) -> None:
    """How an invitation is used on each platform; Telegram tells the bot's name once it can be reached."""
    if "slack" in adapters:
        of.links["slack"] = "start {code}"
    if "telegram" in adapters:
        while adapters["telegram"].username is None:
            await asyncio.sleep(0.1)
        of.links["telegram"] = f"https://t.me/{adapters['telegram'].username}?start={{code}}"


async def _nothing() -> None:
    """There is no door to close."""


@contextlib.asynccontextmanager
async def _beating(settings: Settings, session: aiohttp.ClientSession, health: Health) -> AsyncIterator[None]:
    """A call every minute to whoever waits for it, if an address is set."""
    url = settings.bot.heartbeat_url.get_secret_value()
    proxy = settings.bot.proxy.get_secret_value() or None
    beating = asyncio.create_task(beat(session, url, health, proxy)) if url else None
    try:
        yield
    finally:
        if beating is not None:
            beating.cancel()


@contextlib.asynccontextmanager
async def _web(
    settings: Settings, adapters: Iterable[Any], health: Health
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The web server, if a platform calls us or [web] is set; gives what closes its door."""
    application = web.Application()
    for adapter in adapters:
        if adapter.name == "slack" and settings.slack.mode == "http":
            adapter.mount(application)
        if adapter.name == "telegram":
            application.add_routes(adapter.routes())
    called = bool(application.router.routes())
    if not called and "web" not in settings.model_fields_set:
        yield _nothing
        return
    application.add_routes(health.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, settings.web.host, settings.web.port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        where = f"{settings.web.host}, port {settings.web.port}"
        if not called:  # nobody needs it to talk with the bot
            log.error("health_is_not_served", why=error.strerror, at=where)
            yield _nothing
            return
        raise CannotRun(f"The web server cannot listen at {where}: {error.strerror}. Set another [web] port.") from None
    log.info("web_server", addresses=[f"{address[0]}:{address[1]}" for address in runner.addresses])
    try:
        yield site.stop
    finally:
        await runner.cleanup()

"""What `bench dispatch` compares, each a process of its own: the bot's whole durable path, and bare libraries."""

import asyncio
import gc
import sys
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from benchmarks._loopback import SECRET, TOKEN

# What the bot says when it found somebody, so that both sides send as much.
SAID = """Open contracting: Publishing usable information on public contracts from planning to delivery, and working \
with citizens and businesses to act on it.

I read: Open contracting.

Ayu Cruzwikhan (Thailand)
· offers Open contracting: “standard contracts the district journalists”
· is in your coalition Government and civil society
· is from another country
· you share English
· is from another sector: Civil society

Kanya Javwong (Mongolia)
· offers help with Open contracting
· is in your coalition Donors and agencies
· is from another country

Joko Kurosuren (Mongolia)
· is looking for the same: Open contracting
· is in your coalition Donors and agencies
· is from another country"""
LABELS = (
    "Meet Ayu Cruzwikhan",
    "Meet Kanya Javwong",
    "Meet Joko Kurosuren",
    "More",
    "Ask the others",
    "Tell me when somebody joins",
)
HANDLE = "AbCdEfGhIjKlMnOpQrStUv"


async def bare_telegram(api: str, _folder: Path, _port: int) -> None:
    """python-telegram-bot with its stock transport: polls, and answers each message with the same."""
    from telegram import InlineKeyboardButton, InlineKeyboardMarkup
    from telegram.ext import Application, ContextTypes, MessageHandler, filters

    async def answer(update: Any, _context: ContextTypes.DEFAULT_TYPE) -> None:
        rows = [[InlineKeyboardButton(label, callback_data=f"{HANDLE}.{n}")] for n, label in enumerate(LABELS)]
        await update.message.reply_text(SAID, reply_markup=InlineKeyboardMarkup(rows))

    application = Application.builder().token(TOKEN).base_url(f"{api}/bot").concurrent_updates(True).build()
    application.add_handler(MessageHandler(filters.TEXT, answer))
    async with application:
        assert application.updater is not None
        await application.updater.start_polling(allowed_updates=["message"])
        await application.start()
        await asyncio.Event().wait()


async def bare_slack(api: str, _folder: Path, port: int) -> None:
    """Bolt with one shared session: takes events over HTTP, and answers each message with the same."""
    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token="xoxb-bench", base_url=f"{api}/api/", session=session)
        app = AsyncApp(client=client, signing_secret=SECRET)

        @app.event("message")
        async def answer(say: Any) -> None:
            section = {"type": "section", "text": {"type": "plain_text", "text": SAID, "emoji": False}}
            await say(text=SAID, blocks=[section, {"type": "actions", "elements": [*map(button, range(len(LABELS)))]}])

        def button(n: int) -> dict[str, Any]:
            text = {"type": "plain_text", "text": LABELS[n], "emoji": False}
            return {"type": "button", "action_id": f"button.{n}", "text": text, "value": f"{HANDLE}.{n}"}

        await _serve(app.server(port=port, path="/slack/events").web_app, port)


async def kawan_telegram(api: str, folder: Path, _port: int) -> None:
    """The bot on Telegram."""
    from bot.adapters.telegram import TelegramAdapter

    async with aiohttp.ClientSession() as session:
        await _kawan(folder, TelegramAdapter(TOKEN, session=session, api_url=api))


async def kawan_slack(api: str, folder: Path, port: int) -> None:
    """The bot on Slack."""
    from bot.adapters.slack import SlackAdapter
    from bot.core.clock import SystemClock

    async with aiohttp.ClientSession() as session:
        adapter = SlackAdapter(
            "xoxb-bench",
            session=session,
            clock=SystemClock(),
            signing_secret=SECRET,
            api_url=f"{api}/api/",
            mode="http",
        )
        application = web.Application()
        adapter.mount(application)
        serving = asyncio.create_task(_serve(application, port))
        await _kawan(folder, adapter)
        serving.cancel()


async def _kawan(folder: Path, adapter: Any) -> None:
    from bot.app import build
    from bot.content import load
    from bot.core.in_hand import InHand
    from bot.core.log import configure
    from bot.core.pacing import UNLIMITED
    from bot.core.programme import Programme
    from bot.run import COLLECTED_AT
    from storage import open_store

    configure("WARNING")
    adapter.pace = UNLIMITED  # what it costs is measured, not what the platform allows
    content = load()
    store = open_store(f"sqlite:///{folder / 'bench.db'}")
    programme = Programme(content=content, understanding=content.understanding())
    # The notes on disk and the rest of the collector as `run` has them.
    kawan = build(store, programme, [adapter], a_minute=None, in_hand=InHand(folder / "in_hand"))
    gc.freeze()
    gc.set_threshold(*COLLECTED_AT)
    await kawan.run()


async def _serve(application: web.Application, port: int) -> None:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


SUBJECTS = {one.__name__: one for one in (bare_telegram, bare_slack, kawan_telegram, kawan_slack)}

if __name__ == "__main__":
    # The bot's loop is that of `run`; the libraries' is the one that they have by themselves.
    loop = uvloop.new_event_loop if sys.argv[1].startswith("kawan") else None
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(SUBJECTS[sys.argv[1]](sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))

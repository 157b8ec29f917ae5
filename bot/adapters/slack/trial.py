"""Trying Slack's two tokens: whose they are, whether they may do what the manifest asks for; changes nothing."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.manifest import SCOPES
from bot.adapters.slack.outcomes import error_name
from bot.adapters.trial import Tried, Trouble

BOT_TOKEN = (
    "Copy the *Bot User OAuth Token* (it begins with xoxb-) at api.slack.com/apps, your app, *OAuth & Permissions*"
)
APP_TOKEN = (
    "At api.slack.com/apps, your app, *Basic Information*, *App-Level Tokens*, press *Generate Token and Scopes*, "
    "add the scope connections:write, press *Generate*, and copy what begins with xapp-"
)
NOT_REACHED = "Slack did not answer at {url} ({why}). Is this computer online, and is its firewall or proxy right?"
UNINSTALLED = frozenset({"account_inactive", "app_uninstalled", "token_revoked", "token_expired"})
REINSTALL = (
    "Slack has not granted {scopes}. At api.slack.com/apps, your app, *OAuth & Permissions*: *Reinstall to Workspace*."
)
NO_SCOPE = frozenset({"missing_scope", "no_permission"})


async def try_bot_token(
    token: str, *, session: aiohttp.ClientSession, api_url: str, proxy: str | None, timeout: float
) -> Tried:
    """Ask Slack whose token this is. Raises Trouble."""
    client = _client(token, session, api_url, proxy)
    answer = await _asked(client.auth_test, BOT_TOKEN, api_url, timeout)
    granted = str(answer.headers.get("x-oauth-scopes") or "")
    missing = sorted(SCOPES.keys() - {scope.strip() for scope in granted.split(",")}) if granted else []
    advice = (REINSTALL.format(scopes=", ".join(missing)),) if missing else ()
    name = str(answer.get("user") or "the bot")
    app = await _app_of(client, answer, timeout)
    return Tried(f"{name} in the workspace {answer.get('team') or answer.get('team_id')}", name, advice, app)


async def try_app_token(
    token: str, *, session: aiohttp.ClientSession, api_url: str, proxy: str | None, timeout: float
) -> Tried:
    """Ask Slack for an address to listen at, and leave it unused. Raises Trouble."""
    client = _client(token, session, api_url, proxy)
    await _asked(lambda: client.apps_connections_open(app_token=token), APP_TOKEN, api_url, timeout)
    named = re.match(r"xapp-\d+-(A[A-Z0-9]+)-", token)
    return Tried("Socket Mode", app=named[1] if named else "")


async def _app_of(client: AsyncWebClient, answer: Any, timeout: float) -> str:
    """The app to which a bot belongs, or nothing where Slack does not tell."""
    try:
        async with asyncio.timeout(timeout):
            found = await client.bots_info(bot=str(answer.get("bot_id") or ""))
        return str(found["bot"]["app_id"])
    except Exception:  # one more check, and no verdict on the token
        return ""


def _client(token: str, session: aiohttp.ClientSession, api_url: str, proxy: str | None) -> AsyncWebClient:
    client = AsyncWebClient(token=token, base_url=api_url.rstrip("/") + "/", session=session, retry_handlers=[])
    client.proxy = proxy or None  # the variables of the environment do not count
    return client


async def _asked(call: Callable[[], Awaitable[Any]], advice: str, api_url: str, timeout: float) -> Any:
    try:
        async with asyncio.timeout(timeout):
            return await call()
    except SlackApiError as error:
        name = error_name(error)
        if not name:
            why = "an answer that is not Slack's"
            raise Trouble(NOT_REACHED.format(url=api_url, why=why), reached=False) from None
        raise Trouble(_told(name, advice), reached=True) from None
    except TimeoutError:
        raise Trouble(NOT_REACHED.format(url=api_url, why="too slow"), reached=False) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Trouble(NOT_REACHED.format(url=api_url, why=type(error).__name__), reached=False) from None


def _told(name: str, advice: str) -> str:
    """What an error of Slack's means for whoever pasted the token."""
    if name in ("ratelimited", "rate_limited"):
        return "Slack wants a pause. Try again in a minute."
    if name in UNINSTALLED:
        return f"The app was removed from the workspace, or its token withdrawn ({name}). Install it again. {advice}."
    if name in NO_SCOPE:
        return f"This token may not do that ({name}). {advice}."
    if name == "not_allowed_token_type":
        return f"This is another kind of token. {advice}."
    return f"Slack does not take this token ({name}). {advice}."

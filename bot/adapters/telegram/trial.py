"""Trying a token at Telegram: who the bot is, and whether BotFather lets it into groups; changes nothing."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.adapters.telegram.transport import Lost, NothingSent, Refusal, SessionRequest
from bot.adapters.trial import Tried, Trouble

REFUSED = (
    "Telegram does not know this token. In Telegram, open @BotFather, send /mybots, press your bot, then *API Token*, "
    "and copy the whole line that it shows."
)
NOT_REACHED = "Telegram did not answer at {url} ({why}). Is this computer online, and is its firewall or proxy right?"
GROUPS = "Groups: this bot is for private chats. In @BotFather send /setjoingroups, choose @{name}, press Disable."
PRIVACY = "Privacy: the bot need not read groups. In @BotFather send /setprivacy, choose @{name}, press Enable."


async def try_token(
    token: str, *, session: aiohttp.ClientSession, api_url: str, proxy: str | None, timeout: float
) -> Tried:
    """Ask Telegram who this is. Raises Trouble."""
    request = SessionRequest(session, proxy=proxy, read_timeout=timeout)
    try:
        async with asyncio.timeout(timeout):
            me = await request.ask(f"{api_url.rstrip('/')}/bot{token}/getMe", {}, timeout)
    except Refusal as error:
        # 404: what was sent is not even shaped like a token
        if error.is_for_token or error.status == 404:
            raise Trouble(REFUSED, reached=True) from None
        raise Trouble(f"Telegram refuses for now ({error.status}). Try again in a minute.", reached=True) from None
    except (NothingSent, Lost) as error:
        raise Trouble(NOT_REACHED.format(url=api_url, why=error.message), reached=False) from None
    except TimeoutError:
        raise Trouble(NOT_REACHED.format(url=api_url, why="too slow"), reached=False) from None
    if not isinstance(me, Mapping) or not isinstance(me.get("username"), str):
        raise Trouble(NOT_REACHED.format(url=api_url, why="an answer that is not Telegram's"), reached=False)
    name = me["username"]
    return Tried(f"{me.get('first_name') or name} (@{name})", name, tuple(_advice(me, name)))


def _advice(me: Mapping[str, Any], name: str) -> list[str]:
    told = [GROUPS.format(name=name)] if me.get("can_join_groups") else []
    return [*told, PRIVACY.format(name=name)] if me.get("can_read_all_group_messages") else told

"""Trying a token at Telegram: who the bot is, and whether BotFather lets it into groups; changes nothing."""

import asyncio

import aiohttp
from telegram import Bot, User
from telegram.error import TelegramError

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
        bot = Bot(token, base_url=f"{api_url.rstrip('/')}/bot", request=request, get_updates_request=request)
        async with asyncio.timeout(timeout):
            me = await bot.get_me()
    except Refusal as error:
        # 404: what was sent is not even shaped like a token
        if error.is_for_token or error.status == 404:
            raise Trouble(REFUSED, reached=True) from None
        raise Trouble(f"Telegram refuses for now ({error.status}). Try again in a minute.", reached=True) from None
    except (NothingSent, Lost) as error:
        raise Trouble(NOT_REACHED.format(url=api_url, why=error.message), reached=False) from None
    except TimeoutError:
        raise Trouble(NOT_REACHED.format(url=api_url, why="too slow"), reached=False) from None
    except (TelegramError, TypeError, ValueError, KeyError) as error:
        why = f"an answer that is not Telegram's, {type(error).__name__}"
        raise Trouble(NOT_REACHED.format(url=api_url, why=why), reached=False) from None
    name = me.username or str(me.id)
    return Tried(f"{me.first_name} (@{name})", name, tuple(_advice(me, name)))


def _advice(me: User, name: str) -> list[str]:
    told = [GROUPS.format(name=name)] if me.can_join_groups else []
    return [*told, PRIVACY.format(name=name)] if me.can_read_all_group_messages else told

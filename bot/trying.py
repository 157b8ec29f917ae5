"""Trying tokens live, for `setup` and `doctor`: each is one question to the platform, with a timeout."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from bot.adapters.trial import Tried, Trouble
from bot.settings import Settings

TIMEOUT = 12.0  # seconds for one question
TWO_APPS = (
    "The two tokens belong to two different apps: the bot would listen as one and write as the other. Take both from "
    "the same app at api.slack.com/apps."
)

Trial = Callable[..., Awaitable[Tried]]
Token = Callable[[str, str, str], Tried]  # a token, the platform's address, a proxy


def telegram(token: str, api_url: str, proxy: str) -> Tried:
    """Try a Telegram token. Raises Trouble."""
    from bot.adapters.telegram.trial import try_token

    return _try(try_token, token, api_url, proxy)


def slack_bot(token: str, api_url: str, proxy: str) -> Tried:
    """Try a Slack bot token. Raises Trouble."""
    from bot.adapters.slack.trial import try_bot_token

    return _try(try_bot_token, token, api_url, proxy)


def slack_app(token: str, api_url: str, proxy: str) -> Tried:
    """Try a Slack app-level token. Raises Trouble."""
    from bot.adapters.slack.trial import try_app_token

    return _try(try_app_token, token, api_url, proxy)


def enabled(settings: Settings) -> list[tuple[str, Tried | Trouble]]:
    """What trying shows for each token of the platforms that are switched on, by what it is for."""
    proxy = settings.bot.proxy.get_secret_value()
    trials: list[tuple[str, Callable[[], Tried]]] = []
    if settings.slack.enabled:
        of = settings.slack
        trials.append(("Slack", lambda: slack_bot(of.bot_token.get_secret_value(), of.api_url, proxy)))
        if of.mode == "socket":
            trials.append(("Slack, Socket Mode", lambda: slack_app(of.app_token.get_secret_value(), of.api_url, proxy)))
    if settings.telegram.enabled:
        token, api_url = settings.telegram.token.get_secret_value(), settings.telegram.api_url
        trials.append(("Telegram", lambda: telegram(token, api_url, proxy)))
    found = [(name, _outcome(trial)) for name, trial in trials]
    apps = {outcome.app for name, outcome in found if isinstance(outcome, Tried) and outcome.app}
    if len(apps) > 1:
        found.append(("Slack", Trouble(TWO_APPS, reached=True)))
    return found


def _outcome(trial: Callable[[], Tried]) -> Tried | Trouble:
    try:
        return trial()
    except Trouble as trouble:
        return trouble


def _try(trial: Trial, token: str, api_url: str, proxy: str) -> Tried:
    async def go() -> Tried:
        limits = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=TIMEOUT / 2)
        async with aiohttp.ClientSession(timeout=limits) as session:
            return await trial(token, session=session, api_url=api_url, proxy=proxy or None, timeout=TIMEOUT)

    return asyncio.run(go())

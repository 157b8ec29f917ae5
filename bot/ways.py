"""How an invitation is used on each platform, for whoever reads a terminal: a link, its QR code, a line to send."""

import io
import sys

from bot import guide, trying
from bot.adapters.trial import Trouble
from bot.settings import Settings


def show(settings: Settings, code: str, username: str) -> None:
    """Print a way in for each platform that is switched on; `username` is the bot's on Telegram, if it is known."""
    if settings.telegram.enabled and username:
        link = f"https://t.me/{username}?start={code}"
        print("\n" + guide.TELEGRAM_WAY.format(link=link))
        print(qr_code(link))
    elif settings.telegram.enabled:
        print("\n" + guide.TELEGRAM_LINE.format(code=code))
    if settings.slack.enabled:
        print("\n" + guide.SLACK_WAY.format(code=code))
    if not (settings.telegram.enabled or settings.slack.enabled):
        print("\n" + guide.ANY_LINE.format(code=code))


def username_of(settings: Settings) -> str:
    """The bot's username, asked of Telegram; empty when it is not used or cannot be reached now."""
    if not settings.telegram.enabled:
        return ""
    of = settings.telegram
    try:
        tried = trying.telegram(of.token.get_secret_value(), of.api_url, settings.bot.proxy.get_secret_value())
    except Trouble:
        return ""
    return tried.username


def qr_code(link: str) -> str:
    """A QR code of half blocks, or nothing where the terminal cannot show them."""
    import segno

    drawn = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(out=drawn, compact=True)
    try:
        drawn.getvalue().encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return ""
    return drawn.getvalue()

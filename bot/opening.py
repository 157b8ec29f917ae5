"""The end of `setup`: the database and the cohort made, the first facilitator invited, and what to do next."""

import io
import sys
from datetime import timedelta
from pathlib import Path

from bot import guide
from bot.core.clock import Clock, SystemClock
from bot.core.ids import Ids, RandomIds, code_hash
from bot.invite import cohort, refusal
from bot.settings import DEFAULT_FILE, Settings
from storage import UnitOfWork, open_store
from storage.migrate import CannotOpen, upgrade

LASTS = timedelta(days=14)


def prepare(
    path: Path, settings: Settings, *, username: str, ids: Ids | None = None, clock: Clock | None = None
) -> int:
    """Migrate, make the cohort, invite the first facilitator; 1 when the database cannot be used."""
    url = settings.bot.database_url.get_secret_value()
    try:
        refused = refusal(url)
        if refused is None:
            upgrade(url)
    except (CannotOpen, OSError) as error:
        refused = (
            f"The database cannot be opened ({error}). Set [bot] database_url there, then run: python3 -m bot setup"
        )
    if refused is not None:
        print(f"\n{path} is written, but the bot cannot start yet.\n{refused}", file=sys.stderr)
        return 1
    print("\n" + guide.DONE.format(file=path))
    code = (ids or RandomIds()).code()
    until = (clock or SystemClock()).now() + LASTS

    def invite(unit: UnitOfWork) -> bool:
        of = cohort(unit, settings.programme)
        if unit.members.facilitators(of):
            return False
        unit.invites.add(of, code_hash(code), "facilitator", until - LASTS, until)
        return True

    store = open_store(url, inline=True)
    try:
        invited = store.now(invite)
    finally:
        store.close()
    if invited:
        print("\n" + guide.INVITATION.format(until=f"{until:%d %B %Y}"))
        _ways(settings, code, username)
    else:
        print("\n" + guide.HAS_FACILITATOR)
    print("\n" + guide.NEXT.format(config="" if path == DEFAULT_FILE else f" --config {path}"))
    return 0


def _ways(settings: Settings, code: str, username: str) -> None:
    """How the code is used, for each platform."""
    if settings.telegram.enabled and username:
        link = f"https://t.me/{username}?start={code}"
        print("\n" + guide.TELEGRAM_WAY.format(link=link))
        print(qr_code(link))
    elif settings.telegram.enabled:
        print(f"\nOn Telegram, open the chat with your bot, and send it this line:\n\n    /start {code}\n")
    if settings.slack.enabled:
        print("\n" + guide.SLACK_WAY.format(code=code))


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

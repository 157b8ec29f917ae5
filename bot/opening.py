"""The end of `setup`: the database and the cohort made, the first facilitator invited, and what to do next."""

import sys
from datetime import timedelta
from pathlib import Path

from bot import guide, ways
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
        ways.show(settings, code, username)
    else:
        print("\n" + guide.HAS_FACILITATOR)
    print("\n" + guide.NEXT.format(config="" if path == DEFAULT_FILE else f" --config {path}"))
    return 0

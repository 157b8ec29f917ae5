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
from storage.engine import file_of
from storage.migrate import CannotOpen, upgrade

LASTS = timedelta(days=14)


def prepare(
    path: Path, settings: Settings, *, username: str, ids: Ids | None = None, clock: Clock | None = None
) -> int:
    """Migrate, make the cohort, invite the first facilitator; 1 when the database cannot be used."""
    url = settings.bot.database_url.get_secret_value()
    option = "" if path == DEFAULT_FILE else f" --config {path}"
    try:
        refused = refusal(url)
        if refused is None:
            upgrade(url)
    except (CannotOpen, OSError) as error:
        file = file_of(url)
        where = (
            f" It belongs at {file.resolve()}: let this user write there, or"
            if file
            else " See that it runs and lets us in, or"
        )
        refused = f"The database cannot be opened ({error}).{where} set another [bot] database_url in {path}."
    if refused is not None:
        print(f"\n{path} is written, but the bot cannot start yet.\n{refused}", file=sys.stderr)
        print(f"Then run: python3 -m bot setup{option}", file=sys.stderr)
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
    print("\n" + guide.NEXT.format(config=option))
    return 0

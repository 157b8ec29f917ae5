"""`python3 -m bot migrate`: bring the configured database to this version."""

import argparse
from pathlib import Path

from bot.settings import load_made
from storage.migrate import state_of, upgrade


def main(args: argparse.Namespace) -> int:
    """Migrate, and say from what to what."""
    settings = load_made(Path(args.config) if args.config else None)
    url = settings.bot.database_url.get_secret_value()
    before = state_of(url)
    if before == "newer":
        print("This database was made by a newer version of Kawan. Update Kawan, then try again.")
        return 1
    upgrade(url)
    print("The database is up to date." if before == "current" else "The database is up to date now.")
    return 0

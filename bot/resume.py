"""`python3 -m bot resume`: the operator says that the clock is right, after it jumped or after a month away."""

import argparse
import contextlib
from pathlib import Path

from bot.core.clock import SystemClock
from bot.core.clock_watch import JUMP
from bot.settings import load_made
from storage import open_store
from storage.migrate import state_of


def main(args: argparse.Namespace) -> int:
    """Believe the clock from now on; a bot that runs goes on within half a minute. 1 when the database does not fit."""
    settings = load_made(Path(args.config) if args.config else None)
    url = settings.bot.database_url.get_secret_value()
    state = state_of(url)
    if state == "empty":
        print("Nothing was stopped by the clock: there is no database yet.")
        return 0
    if state != "current":
        print("There is no database of this version. `python3 -m bot doctor` says more.")
        return 1
    now = SystemClock().now()
    with contextlib.closing(open_store(url, inline=True)) as store:
        last = store.now(lambda unit: unit.outages.last_look())
        if last is None or abs(now - last) <= JUMP:
            print("Nothing was stopped by the clock.")
            return 0
        store.now(lambda unit: unit.outages.look(now))
    print(f"It is {now:%d %B %Y, %H:%M} UTC, you say, and the bot goes on. Each question that is due comes once, late.")
    return 0

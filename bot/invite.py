"""`python3 -m bot invite`: print an invitation, the first facilitator's too; makes the cohort when there is none."""

import argparse
import sys
from datetime import timedelta
from pathlib import Path

from bot import ways
from bot.core.clock import Clock, SystemClock
from bot.core.ids import Ids, RandomIds, code_hash
from bot.settings import ProgrammeSettings, load_made
from storage import UnitOfWork, open_store
from storage.migrate import state_of, upgrade

COHORT = "programme"  # the slug of the cohort that this installation began with
MOST_USES, MOST_DAYS = 100, 60


def main(args: argparse.Namespace, *, clock: Clock | None = None, ids: Ids | None = None) -> int:
    """Store an invitation and print its code, once: only the code's hash is kept."""
    if not (1 <= args.uses <= MOST_USES and 1 <= args.days <= MOST_DAYS):
        print(f"Please give --uses from 1 to {MOST_USES}, and --days from 1 to {MOST_DAYS}.", file=sys.stderr)
        return 2
    if args.role == "facilitator" and args.uses != 1:
        print("An invitation for a facilitator is for one person. Please leave out --uses.", file=sys.stderr)
        return 2
    settings = load_made(Path(args.config) if args.config else None)
    url = settings.bot.database_url.get_secret_value()
    refused = refusal(url)
    if refused:
        print(refused, file=sys.stderr)
        return 1
    upgrade(url)
    now, code = (clock or SystemClock()).now(), (ids or RandomIds()).code()
    until = now + timedelta(days=args.days)

    def job(unit: UnitOfWork) -> None:
        unit.invites.add(cohort(unit, settings.programme), code_hash(code), args.role, now, until, uses=args.uses)

    store = open_store(url, inline=True)
    try:
        store.now(job)
    finally:
        store.close()
    who = "one person" if args.uses == 1 else f"{args.uses} people"
    print(f"An invitation as {args.role}, for {who}, until {until:%d %B %Y}. It is shown only now.")
    ways.show(settings, code, ways.username_of(settings))
    return 0


def refusal(url: str) -> str | None:
    """Why nothing is written into this database, or None."""
    state = state_of(url)
    if state == "newer":
        return "This database was made by a newer version of Kawan. Update Kawan, then try again."
    if state == "empty":
        return None
    store = open_store(url, inline=True)
    try:
        demo = store.now(lambda unit: unit.members.fact("demo"))
    finally:
        store.close()
    return (
        "This is the demo's database: nobody real belongs there. Set another one in [bot] database_url."
        if demo
        else None
    )


def cohort(unit: UnitOfWork, of: ProgrammeSettings) -> int:
    """The cohort's number; made from the settings if there is none."""
    return unit.members.have_cohort(COHORT, of.name, of.default_language, of.default_time_zone)

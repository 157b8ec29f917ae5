"""Who may see what of whom: a model of its own, written from the promises and not from the code that keeps them.

It looks at the tables as they are at the moment of a send, with plain SQL, and says what a text must not have in it.
"""

import sqlite3
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

ME, FACILITATORS, MET, COALITIONS, COHORT = range(5)
HERE = ("active", "paused")
PLAIN = {"name": COALITIONS, "country": COALITIONS, "topics": COALITIONS, "coalitions": COALITIONS}

_PERSON = """SELECT m.id, m.cohort_id, m.role, m.state, m.preset, p.country, p.sector, p.side FROM account a
    JOIN member m ON m.id = a.member_id LEFT JOIN profile p ON p.member_id = m.id WHERE a.external_id = ?"""
_ASKED = "SELECT state FROM introduction WHERE asker_id = ? AND other_id = ? AND state IN ('proposed', 'accepted')"
_QUESTION = "SELECT 1 FROM ask JOIN asked ON asked.ask_id = ask.id WHERE ask.member_id = ? AND asked.member_id = ?"


def open_at(now: datetime, zone: str, hours: str | None) -> bool:
    """May somebody be written to at this moment? From 8 to 20 on weekdays where they are, or as they chose."""
    local = now.astimezone(ZoneInfo(zone))
    times, days = (hours or "08:00-20:00 12345").split()
    begins, ends = times.split("-")
    clock = f"{local:%H:%M}"
    inside = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    return inside and str(local.isoweekday()) in days


def week_of(now: datetime, zone: str) -> str:
    """The week in which somebody is, from Monday to Sunday where they are; for the messages that it may bring."""
    year, week, _ = now.astimezone(ZoneInfo(zone)).isocalendar()
    return f"{year}-{week:02}"


class Oracle:
    """Judges one delivered field at a time."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def _all(self, sql: str, *values: object) -> list[Any]:
        return self._database.execute(sql, values).fetchall()

    def may_see(self, viewer: str, subject: str, field: str) -> bool:
        """May the account `viewer` read this field of the account `subject` now?"""
        if viewer == subject:
            return True
        seen = next(iter(self._all(_PERSON, subject)), None)
        looks = next(iter(self._all(_PERSON, viewer)), None)
        if seen is None or looks is None or seen[1] != looks[1]:
            return False
        if looks[2] == "facilitator":
            return field != "contact" and self._audience(seen, field) >= FACILITATORS
        if seen[2] == "facilitator":
            return field == "name"
        if seen[3] not in HERE or self._kept_apart(seen, looks) or self._kept_apart(looks, seen):
            return False
        met = bool(self._all("SELECT 1 FROM ally WHERE member_id = ? AND other_id = ?", looks[0], seen[0]))
        if field == "contact":
            return met
        if field in ("name", "other_name") and any(self._all(of, seen[0], looks[0]) for of in (_ASKED, _QUESTION)):
            return True  # they asked to meet the viewer, or asked them a question, under this name
        return self._audience(seen, field) >= self._nearness(seen, looks, met)

    def have_met(self, accounts: list[str]) -> bool:
        """Have all of these said yes to each other? Only then may they share a chat."""
        found = [next(iter(self._all(_PERSON, account)), (0,))[0] for account in accounts]
        met = "SELECT 1 FROM ally WHERE member_id = ? AND other_id = ?"
        return all(bool(self._all(met, one, other)) for one in found for other in found if one != other)

    def _audience(self, of: Any, field: str) -> int:
        """The widest audience of a field: the preset's, unless it was set by itself; hidden is a ceiling."""
        if field == "other_name":  # is there to be shown in place of the name
            return FACILITATORS if of[4] == "hidden" else COHORT
        field = "project" if field == "project_goal" else field
        own = dict(self._all("SELECT field, audience FROM visibility WHERE member_id = ?", of[0]))
        usual = COHORT if of[4] == "open" else PLAIN.get(field, MET)
        return min(int(own.get(field, usual)), FACILITATORS if of[4] == "hidden" else COHORT)

    def _nearness(self, seen: Any, looks: Any, met: bool) -> int:
        shared = """SELECT 1 FROM member_coalition a JOIN member_coalition b ON b.coalition = a.coalition
            WHERE a.member_id = ? AND b.member_id = ?"""
        return MET if met else COALITIONS if self._all(shared, seen[0], looks[0]) else COHORT

    def _kept_apart(self, one: Any, other: Any) -> bool:
        """Does `one` wish to be kept apart from `other`, or does the rule about tenders?"""
        if {one[7], other[7]} == {"buyer", "bidder"} and one[5] and one[5] == other[5]:
            return True
        wishes = self._all("SELECT other_id, sector, country FROM apart WHERE member_id = ?", one[0])
        return any(
            whom == other[0] if whom is not None else sector == other[6] and country in (None, other[5])
            for whom, sector, country in wishes
        )

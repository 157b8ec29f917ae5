"""When something repeats: RFC 5545 rules in local time, both clock changes handled, runaway rules refused."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from math import gcd
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = {"DAILY": 366, "WEEKLY": 53, "MONTHLY": 12, "YEARLY": 4}  # each with its longest interval
GRAMMAR = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"\d{1,3}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(T\d{6})?",
    "WKST": "MO|SU",
    "BYDAY": r"([1-5]|-[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([1-5]|-[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,6}",
    "BYMONTHDAY": r"(-?([1-9]|[12]\d|3[01]))(,-?([1-9]|[12]\d|3[01])){0,30}",
    "BYMONTH": r"([1-9]|1[0-2])(,([1-9]|1[0-2])){0,11}",
    "BYSETPOS": r"-?[1-4]",
}
TOO_OFTEN = {"HOURLY", "MINUTELY", "SECONDLY"}
DAYS_IN = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LONGEST_TEXT = 200
LONGEST_COUNT = 4000
HORIZON = timedelta(days=3660)  # no programme lasts longer, and no rule is expanded further
MOST = 4000  # dates of one rule that are ever looked at: more than every day of these years
EVERY_MINUTE = "FREQ=MINUTELY"  # for the trial with replicas; `check` refuses it
ONE_SECOND = timedelta(seconds=1)

Why = Literal["not understood", "too often", "never", "too long"]


class RefusedRule(ValueError):
    """A rule that is not taken; `why` is one of `Why`."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Rule:
    """How often, as buttons choose it and as words say it.

    `every` so many days, weeks or months; on `weekdays` (0 is Monday); in a month on the `nth` of them (1 to 4, -1 the
    last), or on `day` (1 to 28, -1 the last).
    """

    unit: Literal["day", "week", "month"]
    every: int = 1
    weekdays: tuple[int, ...] = ()
    nth: int | None = None
    day: int | None = None

    def as_rrule(self) -> str:
        """The rule as RFC 5545 writes it. Raises RefusedRule."""
        names = ",".join(WEEKDAYS[number] for number in sorted(set(self.weekdays)))
        parts = [f"FREQ={({'day': 'DAILY', 'week': 'WEEKLY', 'month': 'MONTHLY'})[self.unit]}"]
        if self.every != 1:
            parts.append(f"INTERVAL={self.every}")
        if self.nth is not None:
            parts.append(f"BYDAY={self.nth}{names}")
        elif names:
            parts.append(f"BYDAY={names}")
        if self.day is not None:
            parts.append(f"BYMONTHDAY={self.day}")
        text = ";".join(parts)
        if read_rule(text) is None:
            raise RefusedRule("not understood")
        return text


def read_rule(text: str) -> Rule | None:
    """A rule as buttons make it, as plain data to be worded; None for any other (say then only its next date)."""
    found = re.fullmatch(
        r"FREQ=(?P<freq>DAILY|WEEKLY|MONTHLY)(;INTERVAL=(?P<every>\d{1,2}))?"
        r"(;BYDAY=(?P<nth>[1-4]|-1)?(?P<days>(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*))?"
        r"(;BYMONTHDAY=(?P<day>-1|[1-9]|1\d|2[0-8]))?",
        text,
    )
    if found is None:
        return None
    days = tuple(WEEKDAYS.index(name) for name in found["days"].split(",")) if found["days"] else ()
    every = int(found["every"] or 1)
    nth, day = (int(found[name]) if found[name] else None for name in ("nth", "day"))
    shapes = {
        "DAILY": not days and day is None,
        "WEEKLY": bool(days) and nth is None and day is None,
        "MONTHLY": (len(days) == 1 and nth is not None) != (day is not None) and not (days and nth is None),
    }
    if not shapes[found["freq"]] or not 1 <= every <= 52:
        return None
    unit: Literal["day", "week", "month"] = (
        "day" if found["freq"] == "DAILY" else "week" if found["freq"] == "WEEKLY" else "month"
    )
    return Rule(unit, every, days, nth, day)


@dataclass(frozen=True, slots=True)
class Fire:
    """One date of a rule: `key` names it (`2026-12-07`) and is the same in every zone; `at` is its moment in one."""

    key: str
    at: datetime

    @property
    def date(self) -> date:
        return date.fromisoformat(self.key[:10])


@dataclass(frozen=True, slots=True)
class Caught:
    """What is due: the newest date that has come, those before it that were missed, and the one that follows."""

    fire: Fire
    missed: tuple[date, ...]
    following: Fire | None


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule with its local time, the day from which it counts, and the last day on which it may fire."""

    rrule: str
    local_time: time
    starts: date
    until: date | None = None

    def first(self, zone: str, after: datetime) -> Fire | None:
        """The first date whose moment in a zone lies after a moment."""
        local = after.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for found in self._from(local - timedelta(days=2)):
            fire = self._fire(found, zone)
            if fire.at > after:
                return fire
        return None

    def following(self, zone: str, key: str) -> Fire | None:
        """The date that follows one of the rule's dates, whatever the clock says."""
        here = self._local(key)
        return next((self._fire(found, zone) for found in self._from(here) if found > here), None)

    def on(self, zone: str, key: str) -> Fire:
        """A date of the rule in a zone."""
        return self._fire(self._local(key), zone)

    def caught(self, zone: str, key: str, now: datetime) -> Caught:
        """What is due from `key` on: after an outage only the newest date is asked."""
        fire = self.on(zone, key)
        missed: list[date] = []
        while (following := self.following(zone, fire.key)) is not None and following.at <= now:
            missed.append(fire.date)
            fire = following
        return Caught(fire, tuple(missed), following)

    def before(self, key: str, most: int) -> tuple[date, ...]:
        """The rule's dates before one of them, newest first, at most so many."""
        found = self._all()
        end = bisect_right(found, self._local(key) - ONE_SECOND)
        return tuple(one.date() for one in reversed(found[max(0, end - most) : end]))

    def _all(self) -> Sequence[datetime]:
        return _dates(self.rrule, datetime.combine(self.starts, self.local_time), self.until)

    def _from(self, local: datetime) -> Iterator[datetime]:
        found = self._all()
        return islice(iter(found), bisect_right(found, local - ONE_SECOND), None)

    def _local(self, key: str) -> datetime:
        """The local moment that a key stands for; only the rule of the replica trial has a time in its keys."""
        return datetime.combine(date.fromisoformat(key), self.local_time) if len(key) == 10 else _naive(key)

    def _fire(self, local: datetime, zone: str) -> Fire:
        minutely = self.rrule == EVERY_MINUTE
        key = local.isoformat(timespec="minutes") if minutely else local.date().isoformat()
        return Fire(key, moment(local, zone))


def _naive(key: str) -> datetime:
    return datetime.fromisoformat(key)


def check(text: str, starts: date, until: date | None = None) -> None:
    """Raises RefusedRule for a rule that fires more than daily, never, or takes for ever to expand.

    dateutil looks for the next date until the year 9999, so what has none is told by its parts, before it is asked.
    """
    parts = _parts(text)
    every, months = int(parts.get("INTERVAL", "1")), _months(parts, starts)
    days = [int(part) for part in parts["BYMONTHDAY"].split(",")] if "BYMONTHDAY" in parts else []
    if not 1 <= every <= FREQUENCIES[parts["FREQ"]] or int(parts.get("COUNT", "1")) > LONGEST_COUNT:
        raise RefusedRule("too long")
    if not months or (days and not any(abs(day) <= DAYS_IN[month - 1] for day in days for month in months)):
        raise RefusedRule("never")
    if not _dates(text, datetime.combine(starts, time()), until):
        raise RefusedRule("never")


def _parts(text: str) -> dict[str, str]:
    """The rule's parts, if they are of those that can be told to have a date. Raises RefusedRule."""
    pairs = [part.partition("=") for part in text.upper().split(";")]
    parts = {name: value for name, _, value in pairs}
    if parts.get("FREQ") in TOO_OFTEN or parts.keys() & {"BYHOUR", "BYMINUTE", "BYSECOND"}:
        raise RefusedRule("too often")
    freq = parts.get("FREQ", "")
    allowed = {
        "DAILY": {"FREQ", "INTERVAL", "COUNT", "UNTIL"},
        "WEEKLY": {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"},
        "MONTHLY": {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"},
        "YEARLY": {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTHDAY", "BYMONTH"},
    }.get(freq, set())
    known = len(text) <= LONGEST_TEXT and len(pairs) == len(parts) and parts.keys() <= allowed
    if not known or not all(re.fullmatch(GRAMMAR[name], value) for name, value in parts.items()):
        raise RefusedRule("not understood")
    numbered = re.search(r"\d", parts.get("BYDAY", "")) is not None
    odd = (
        (numbered and (freq == "WEEKLY" or not parts.keys().isdisjoint({"BYMONTHDAY", "BYSETPOS"})))
        or ("BYSETPOS" in parts and ("BYDAY" not in parts or "BYMONTHDAY" in parts))
        or (freq == "YEARLY" and ("BYMONTH" in parts) != ("BYMONTHDAY" in parts))
        or ("COUNT" in parts and "UNTIL" in parts)
    )
    if odd:
        raise RefusedRule("not understood")
    return parts


def _months(parts: dict[str, str], starts: date) -> set[int]:
    """The months of the year that the rule can ever reach."""
    named = {int(part) for part in parts["BYMONTH"].split(",")} if "BYMONTH" in parts else set(range(1, 13))
    if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts:
        return {starts.month}
    step = gcd(int(parts.get("INTERVAL", "1")) or 1, 12) if parts["FREQ"] == "MONTHLY" else 1
    return {month for month in named if (month - starts.month) % step == 0}


@lru_cache(maxsize=64)
def _dates(text: str, starts: datetime, until: date | None) -> tuple[datetime, ...]:
    """The rule's local moments, a bounded number of them."""
    made = rrulestr(text, dtstart=starts)
    assert isinstance(made, rrule)
    last = starts + HORIZON if until is None else datetime.combine(until, time.max)
    return tuple(takewhile(lambda one: one <= last, islice(made, MOST)))


def moment(local: datetime, zone: str) -> datetime:
    """A local time as a UTC moment: the first of two when the clock goes back, the first after a gap.

    `local` is naive. A time that a change leaves out becomes the moment of that change.
    """
    where = ZoneInfo(zone)
    early = local.replace(tzinfo=where, fold=0).astimezone(UTC)
    if early.astimezone(where).replace(tzinfo=None) == local:
        return early
    before = local.replace(tzinfo=where, fold=1).astimezone(UTC)  # in a gap fold 1 lies before the change, 0 after it
    offset = early.astimezone(where).utcoffset()
    while early - before > ONE_SECOND:
        middle = before + timedelta(seconds=(early - before) // ONE_SECOND // 2)
        if middle.astimezone(where).utcoffset() == offset:
            early = middle
        else:
            before = middle
    return early

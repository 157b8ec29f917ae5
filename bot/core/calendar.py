"""Calendar files (RFC 5545): days to keep in mind and meetings at a moment, as one .ics that every calendar reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icalendar import Event

MEDIA_TYPE = "text/calendar"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `begins` is a day (all of it, wherever one is) or an aware moment, which then lasts `minutes`.

    `uid` stays the same when the entry is sent again, so that a calendar changes it instead of adding another.
    """

    uid: str
    title: str
    begins: date | datetime
    minutes: int = 60
    notes: str = ""


def calendar(name: str, entries: Sequence[Entry], now: datetime) -> bytes:
    """The file's bytes: UTF-8, lines folded and texts escaped by the library; moments stand in UTC.

    A calendar shows a moment in its owner's own time. Raises ValueError for a moment without a time zone.
    """
    # Loaded when the first file is made: it takes a tenth of a second.
    from icalendar import Calendar, vText

    made = Calendar()
    made.add("prodid", "-//Kawan//Kawan//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", vText(" ".join(name.split())))
    for entry in entries:
        made.add_component(_event(entry, now))
    return bytes(made.to_ical())


def _event(entry: Entry, now: datetime) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{entry.uid}@kawan")
    event.add("dtstamp", now.astimezone(UTC))
    # A later file with the same uid wins where a calendar compares: seconds only grow.
    event.add("sequence", int(now.timestamp()) // 60 % 2**31)
    event.add("summary", entry.title)
    if entry.notes:
        event.add("description", entry.notes)
    if isinstance(entry.begins, datetime):
        if entry.begins.tzinfo is None:
            raise ValueError("a moment without a time zone has no place in a calendar")
        begins = entry.begins.astimezone(UTC)
        event.add("dtstart", begins)
        event.add("dtend", begins + timedelta(minutes=entry.minutes))
    else:
        event.add("dtstart", entry.begins)
        event.add("dtend", entry.begins + timedelta(days=1))
        event.add("transp", "TRANSPARENT")  # a day to keep in mind keeps nobody busy
    return event

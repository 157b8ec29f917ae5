"""Reads the public holidays of holidays.toml."""

from collections.abc import Sequence
from datetime import date

from bot.content.checks import Entry, Source
from bot.domain.holidays import Calendar, Names


def read_holidays(source: Source, countries: set[str], languages: Sequence[str]) -> Calendar:
    """The calendar of the countries that the file names; raises ContentError."""
    found: dict[str, dict[date, Names]] = {}
    for entry in source.top.tables("holiday"):
        entry.text("slug")
        names = entry.labels("names", ("en",), languages)
        mine = found.setdefault(entry.text("country", countries), {})
        for day in _days(entry):
            if day in mine:
                raise entry.error(f"{day} is a holiday of this country already. Remove one of the two.", str(day))
            mine[day] = names
        if entry.has("unsure"):
            entry.value("unsure", bool)
        entry.finish()
    source.top.finish()
    return Calendar(found)


def _days(entry: Entry) -> list[date]:
    days = entry.value("days", list)
    for day in days:
        if type(day) is not date:
            raise entry.error('"days" must be dates, such as 2026-12-25. Change it.', "days")
    return list(days)

"""Public holidays by country: on which days nobody is asked, and why there was no question."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

Names = Mapping[str, str]  # by language; English is always there


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which a country rests."""

    day: date
    names: Names


@dataclass(frozen=True, slots=True)
class Calendar:
    """The holidays of each country, by day."""

    days: Mapping[str, Mapping[date, Names]]

    def changed(self, changes: Mapping[str, Mapping[date, str | None]]) -> "Calendar":
        """The calendar after a programme's own changes: a day with another name, or with none, which is no holiday."""
        if not changes:
            return self
        days = {country: dict(known) for country, known in self.days.items()}
        for country, changed in changes.items():
            mine = days.setdefault(country, {})
            for day, name in changed.items():
                mine.pop(day, None)
                if name is not None:
                    mine[day] = {"en": name}
        return Calendar(days)

    def closed(self, day: date) -> tuple[str, ...]:
        """The countries that rest on a day."""
        return tuple(country for country, known in self.days.items() if day in known)

    def on(self, country: str | None, day: date) -> Holiday | None:
        """What a country celebrates on a day."""
        names = self.days.get(country or "", {}).get(day)
        return None if names is None else Holiday(day, names)

    def skipped(self, country: str | None, before: Iterable[date]) -> tuple[Holiday, ...]:
        """Of the dates before one, newest first, those right before it that were holidays."""
        found: list[Holiday] = []
        for day in before:
            holiday = self.on(country, day)
            if holiday is None:
                break
            found.append(holiday)
        return tuple(found)

"""Public holidays as facilitators changed them; the rest stands in the programme's content."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Moment, table, upsert
from storage.base import member_id as names_member

holiday = table(
    "holiday",
    sa.Column("cohort_id", Id, sa.ForeignKey("cohort.id"), primary_key=True),
    sa.Column("country", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("name", sa.Text),  # nothing: it is none, whatever the content says
    names_member("changed_by", nullable=True),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Index("ix_holiday_changed_by", "changed_by"),
    personal={"changed_by": "unlink"},
    own={},
)


class Holidays:
    """A cohort's changes to the calendar."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def change(self, cohort_id: int, country: str, day: date, name: str | None, by: int, now: datetime) -> None:
        """A day is a holiday with this name, or, without one, is none."""
        values = {
            "cohort_id": cohort_id,
            "country": country,
            "day": day.isoformat(),
            "name": name,
            "changed_by": by,
            "changed_at": now,
        }
        upsert(self._connection, holiday, values, ("cohort_id", "country", "day"))

    def forget_change(self, cohort_id: int, country: str, day: date) -> None:
        """What the content says counts again."""
        self._connection.execute(
            sa.delete(holiday).where(
                holiday.c.cohort_id == cohort_id, holiday.c.country == country, holiday.c.day == day.isoformat()
            )
        )

    def changes(self, cohort_id: int) -> dict[str, dict[date, str | None]]:
        """All of a cohort's changes, by country and day; a handful a year."""
        found: dict[str, dict[date, str | None]] = {}
        rows = self._connection.execute(
            sa.select(holiday.c.country, holiday.c.day, holiday.c.name).where(holiday.c.cohort_id == cohort_id)
        )
        for country, day, name in rows:
            found.setdefault(country, {})[date.fromisoformat(day)] = name
        return found

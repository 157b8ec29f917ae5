"""What people say of themselves: profile, topics, needs, offers, consent, who sees it, whom to keep apart."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.profiles import Apart, Audience
from storage.base import Id, Moment, insert, member_id, same_cohort, table, text, upsert
from storage.prepared import Prepared

profile = table(
    "profile",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("member_id", Id, primary_key=True),
    text("name"),
    text("other_name"),
    text("native_name"),
    sa.Column("country", sa.Text),
    sa.Column("sector", sa.Text),
    sa.Column("side", sa.Text),
    text("organisation"),
    text("role_title"),
    # Found by these is an audience of a message.
    sa.Index("ix_profile_country", "cohort_id", "country", "member_id"),
    sa.Index("ix_profile_sector", "cohort_id", "sector", "member_id"),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
)


def _listed(name: str, column: str, *indexes: sa.Index) -> sa.Table:
    return table(
        name,
        sa.Column("cohort_id", Id, nullable=False),
        sa.Column("member_id", Id, primary_key=True),
        sa.Column(column, sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        *indexes,
        same_cohort("member_id"),
        personal={"member_id": "delete"},
    )


def _found_by(name: str, column: str) -> sa.Table:
    return _listed(name, column, sa.Index(f"ix_{name}_{column}", "cohort_id", column, "member_id"))


member_topic = _found_by("member_topic", "topic")
member_coalition = _found_by("member_coalition", "coalition")
member_language = _listed("member_language", "language")

wish = table(  # a need or an offer
    "wish",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("topic", sa.Text),
    text("text"),
    sa.Index("ix_wish_member_id", "member_id"),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
    sqlite_autoincrement=True,
)

visibility = table(
    "visibility",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("member_id", Id, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("audience", sa.Integer, nullable=False),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
)

consent = table(
    "consent",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("member_id", Id, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    sa.Column("at", Moment, nullable=False),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
)

# Did a member agree to a purpose? Silence is no.
GIVEN = Prepared(
    sa.select(consent.c.given).where(
        consent.c.cohort_id == sa.bindparam("cohort"),
        consent.c.member_id == sa.bindparam("member"),
        consent.c.purpose == sa.bindparam("purpose"),
    )
)

apart = table(
    "apart",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    member_id("other_id", nullable=True),
    sa.Column("sector", sa.Text),
    sa.Column("country", sa.Text),
    sa.Index("ix_apart_member_id", "member_id"),
    sa.Index("ix_apart_other_id", "other_id"),
    same_cohort("member_id"),
    same_cohort("other_id"),
    personal={"member_id": "delete", "other_id": "delete"},
    own={"member_id": ()},  # a wish to be kept apart is never shown to the other
    sqlite_autoincrement=True,
)

PURPOSES = ("profile", "storage", "introductions", "questions", "statistics")
LISTS = {"topics": member_topic, "coalitions": member_coalition, "languages": member_language}


@dataclass(frozen=True, slots=True)
class Wish:
    """A need or an offer as its owner stored it."""

    id: int
    kind: str
    topic: str | None
    text: str | None


class Profiles:
    """A member's own profile, written by the member; each change renews what search knows of them."""

    def __init__(self, connection: Connection, renew: Callable[[int], None]) -> None:
        self._connection = connection
        self._renew = renew
        self._together: set[int] | None = None

    def renew(self, member_number: int) -> None:
        """Make a change known to search; call it after one of state, preset or consent, too."""
        if self._together is None:
            self._renew(member_number)
        else:
            self._together.add(member_number)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Many changes that search learns of once, when all are made."""
        self._together = set()
        try:
            yield
            changed = self._together
        finally:
            self._together = None
        for number in changed:
            self._renew(number)

    def write(self, cohort_id: int, member_number: int, **values: Any) -> None:
        """Overwrite some single fields."""
        known = {"cohort_id": cohort_id, "member_id": member_number, **values}
        upsert(self._connection, profile, known, ("member_id",))
        self.renew(member_number)

    def write_list(self, cohort_id: int, member_number: int, name: str, values: Sequence[str]) -> None:
        """Replace topics, coalitions or languages."""
        into = LISTS[name]
        column = into.columns.keys()[2]
        self._connection.execute(sa.delete(into).where(into.c.member_id == member_number))
        found = [
            {"cohort_id": cohort_id, "member_id": member_number, column: value, "place": place}
            for place, value in enumerate(dict.fromkeys(values))
        ]
        if found:
            self._connection.execute(sa.insert(into), found)
        self.renew(member_number)

    def add_wish(self, cohort_id: int, member_number: int, kind: str, topic: str | None, words: str | None) -> int:
        """Add a need or an offer; its number."""
        number = insert(
            self._connection, wish, cohort_id=cohort_id, member_id=member_number, kind=kind, topic=topic, text=words
        )
        self.renew(member_number)
        return number

    def change_wish(self, member_number: int, number: int, **values: Any) -> None:
        """Change an own need or offer."""
        self._connection.execute(
            sa.update(wish).where(wish.c.id == number, wish.c.member_id == member_number).values(**values)
        )
        self.renew(member_number)

    def drop_wish(self, member_number: int, number: int) -> None:
        """Remove an own need or offer."""
        self._connection.execute(sa.delete(wish).where(wish.c.id == number, wish.c.member_id == member_number))
        self.renew(member_number)

    def wishes(self, member_number: int) -> list[Wish]:
        """A member's own needs and offers, oldest first."""
        found = self._connection.execute(
            sa.select(wish.c.id, wish.c.kind, wish.c.topic, wish.c.text)
            .where(wish.c.member_id == member_number)
            .order_by(wish.c.id)
        )
        return [Wish(*row) for row in found]

    def set_visibility(self, cohort_id: int, member_number: int, own: Mapping[str, Audience | None]) -> None:
        """Set single fields apart from the preset; None returns a field to it."""
        for name, audience in own.items():
            self._connection.execute(
                sa.delete(visibility).where(visibility.c.member_id == member_number, visibility.c.field == name)
            )
            if audience is not None:
                self._connection.execute(
                    sa.insert(visibility).values(
                        cohort_id=cohort_id, member_id=member_number, field=name, audience=int(audience)
                    )
                )
        self.renew(member_number)

    def give_consent(
        self, cohort_id: int, member_number: int, given: Mapping[str, bool], version: int, language: str, now: datetime
    ) -> None:
        """Write down a yes or no for each purpose, with the text's version and language."""
        for purpose, yes in given.items():
            values = {
                "cohort_id": cohort_id,
                "member_id": member_number,
                "purpose": purpose,
                "version": version,
                "language": language,
                "given": yes,
                "at": now,
            }
            upsert(self._connection, consent, values, ("member_id", "purpose"))
        self.renew(member_number)

    def consents(self, member_number: int) -> dict[str, bool]:
        """A member's own yes or no by purpose."""
        found = self._connection.execute(
            sa.select(consent.c.purpose, consent.c.given).where(consent.c.member_id == member_number)
        )
        return {row[0]: row[1] for row in found}

    def keep_apart(
        self,
        cohort_id: int,
        member_number: int,
        *,
        other: int | None = None,
        sector: str | None = None,
        country: str | None = None,
    ) -> int:
        """A wish never to be brought together with a person, or with a sector; its number."""
        return insert(
            self._connection,
            apart,
            cohort_id=cohort_id,
            member_id=member_number,
            other_id=other,
            sector=sector,
            country=country,
        )

    def aparts(self, member_number: int) -> list[tuple[int, Apart]]:
        """A member's own wishes to be kept apart, with their numbers."""
        found = self._connection.execute(
            sa.select(apart.c.id, apart.c.member_id, apart.c.other_id, apart.c.sector, apart.c.country)
            .where(apart.c.member_id == member_number)
            .order_by(apart.c.id)
        )
        return [(row[0], Apart(*row[1:])) for row in found]

    def drop_apart(self, member_number: int, number: int) -> None:
        """Take back an own wish to be kept apart."""
        self._connection.execute(sa.delete(apart).where(apart.c.id == number, apart.c.member_id == member_number))

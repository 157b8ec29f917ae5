"""Cohorts, members and their accounts: who somebody is, in what state, and where they write from."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import (
    Id,
    Moment,
    insert,
    insert_new,
    insert_of,
    member_id,
    overwrite,
    same_cohort,
    table,
    text,
    upsert,
)
from storage.prepared import Prepared

CLOCKS_DIFFER = timedelta(minutes=1)  # of two machines, at most

cohort = table(
    "cohort",
    sa.Column("id", Id, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("default_language", sa.Text, nullable=False),
    sa.Column("default_time_zone", sa.Text, nullable=False),
    sa.Column("ends", sa.Text),
    personal=None,
)

member = table(
    "member",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, sa.ForeignKey("cohort.id"), nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("preset", sa.Text, nullable=False, server_default="careful"),
    sa.Column("discreet", sa.Boolean, nullable=False, server_default=sa.false()),  # no words on lock screens
    sa.Column("invited_by", Id),
    sa.Column("trusted_id", Id),  # the facilitator who reopens a locked account
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("joined_at", Moment),
    sa.Column("paused_until", Moment),
    sa.Column("leaving_at", Moment),
    sa.Column("hours", sa.Text),  # when they may be written to, if they chose: see bot.domain.hours
    # The last row of the outbox when they hid, left or were locked: up to it, what names them may not be sent.
    sa.Column("narrowed_seq", Id),
    sa.UniqueConstraint("cohort_id", "id"),
    sa.Index("ix_member_roster", "cohort_id", "role", "state", "id"),
    sa.Index("ix_member_invited_by", "invited_by"),
    sa.Index("ix_member_trusted_id", "trusted_id"),
    personal={"id": "keep", "invited_by": "unlink", "trusted_id": "unlink"},
    own={"id": ()},
    # ids are never used again: an erased person's number must not come back as somebody else
    sqlite_autoincrement=True,
)

account = table(
    "account",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("installation", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("preferred", sa.Boolean, nullable=False),
    sa.Column("reachable", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("missed_at", Moment),  # since when a message reached this member nowhere; nothing once they write
    sa.UniqueConstraint("platform", "installation", "external_id"),
    sa.Index("ix_account_member_id", "member_id"),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
)

throttle = table(
    "throttle",
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("since", Moment, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    personal=None,  # the subject is an account's or a member's number, kept for an hour
    sqlite_with_rowid=False,
)

meta = table("meta", sa.Column("key", sa.Text, primary_key=True), text("value"), personal=None)

PAUSED = member.c.state == sa.literal_column("'paused'")
sa.Index("ix_member_paused_until", member.c.paused_until, sqlite_where=PAUSED, postgresql_where=PAUSED)

MISSED = account.c.missed_at.is_not(None)
sa.Index("ix_account_missed_at", account.c.missed_at, sqlite_where=MISSED, postgresql_where=MISSED)

LIVE = ("active", "paused")
SEARCHED_BY = frozenset({"role", "state", "preset", "time_zone"})  # what search keeps a copy of


@dataclass(frozen=True, slots=True)
class Member:
    """The person whom an event concerns: identity, role, state and settings; nothing that others might see."""

    id: int
    cohort_id: int
    role: str
    state: str
    language: str
    time_zone: str
    preset: str
    invited_by: int | None
    trusted_id: int | None
    joined_at: datetime | None
    paused_until: datetime | None
    leaving_at: datetime | None
    discreet: bool
    hours: str | None = None

    @property
    def is_facilitator(self) -> bool:
        return self.role == "facilitator"


@dataclass(frozen=True, slots=True)
class Reachable:
    """Where and in which language a member is written to."""

    member_id: int
    platform: str
    installation: str
    conversation: str
    language: str
    time_zone: str
    state: str
    reachable: bool = True
    discreet: bool = False

    @property
    def lane(self) -> str:
        return f"{self.platform}:{self.installation}"


@dataclass(frozen=True, slots=True)
class Account:
    """One of a member's own accounts: where they write from, and whether they want to be written to there."""

    id: int
    platform: str
    installation: str
    external_id: str
    conversation: str
    preferred: bool
    reachable: bool

    @property
    def lane(self) -> str:
        return f"{self.platform}:{self.installation}"


_ACCOUNT = [account.c[name] for name in Account.__dataclass_fields__]
_MEMBER = [member.c[name] for name in Member.__dataclass_fields__]
_RECOGNISE = Prepared(
    sa.select(*_MEMBER, account.c.conversation, account.c.reachable)
    .join_from(account, member, sa.and_(member.c.cohort_id == account.c.cohort_id, member.c.id == account.c.member_id))
    .where(
        account.c.platform == sa.bindparam("platform"),
        account.c.installation == sa.bindparam("installation"),
        account.c.external_id == sa.bindparam("external_id"),
    )
    .with_for_update(of=member)
)
_LOCK = Prepared(sa.select(*_MEMBER).where(member.c.id == sa.bindparam("id")).with_for_update(of=member))
_RECALL = Prepared(sa.select(*_MEMBER).where(member.c.id == sa.bindparam("id")))
_REACHABLE = (
    member.c.id,
    account.c.platform,
    account.c.installation,
    account.c.conversation,
    member.c.language,
    member.c.time_zone,
    member.c.state,
    account.c.reachable,
    member.c.discreet,
)
_WHERE = Prepared(
    sa.select(*_REACHABLE)
    .join_from(member, account, account.c.member_id == member.c.id)
    .where(member.c.id == sa.bindparam("id"))
    .order_by(account.c.reachable.desc(), account.c.preferred.desc(), account.c.id.desc())
    .limit(1)
)

_FORGET_TRIES = Prepared(sa.delete(throttle).where(throttle.c.since < sa.bindparam("before", type_=Moment)))
FACT = Prepared(sa.select(meta.c.value).where(meta.c.key == sa.bindparam("key")))
_ACCOUNTS = sa.select(*_REACHABLE, account.c.preferred).join_from(account, member, account.c.member_id == member.c.id)


class Zones(Protocol):
    """Whoever must know in which time zones a cohort has members."""

    def came(self, cohort_id: int, zone: str) -> None: ...

    def moved(self, member_number: int, cohort_id: int, old: str, new: str) -> None: ...


@cache
def _count_try(dialect: str) -> Prepared:
    statement = insert_of(dialect)(throttle)
    # A window that lies ahead began before the clock was put back: it must not last the longer for it.
    is_over = (throttle.c.since <= sa.bindparam("begun", type_=Moment)) | (
        throttle.c.since > sa.bindparam("ahead", type_=Moment)
    )
    counted = statement.values(
        subject=sa.bindparam("whose"), kind=sa.bindparam("what"), since=sa.bindparam("at"), count=1
    )
    again = {
        "since": sa.case((is_over, statement.excluded.since), else_=throttle.c.since),
        "count": sa.case((is_over, 1), else_=throttle.c["count"] + 1),
    }
    return Prepared(
        counted.on_conflict_do_update(index_elements=["subject", "kind"], set_=again).returning(throttle.c["count"])
    )


class Members:
    """Members and accounts; locking a member's row puts one person's events in a line."""

    def __init__(self, connection: Connection, renew: Callable[[int], None], zones: Zones) -> None:
        self._connection = connection
        self._renew = renew
        self._zones = zones

    def recognise(self, platform: str, installation: str, external_id: str) -> tuple[Member, str] | None:
        """The member behind an account and its stored conversation, locked until the transaction ends; or None.

        Whoever writes from an account can be reached there again.
        """
        found = _RECOGNISE.one(self._connection, platform=platform, installation=installation, external_id=external_id)
        if found is not None and not found.reachable:
            self.set_reachable(platform, installation, external_id, True)
        return None if found is None else (Member(*found[:-2]), found.conversation)

    def lock(self, member_number: int) -> Member | None:
        """A member by number, locked until the transaction ends; or None."""
        found = _LOCK.one(self._connection, id=member_number)
        return None if found is None else Member(*found)

    def recall(self, member_number: int) -> Member | None:
        """A member by number, without locking; or None."""
        found = _RECALL.one(self._connection, id=member_number)
        return None if found is None else Member(*found)

    def where(self, member_number: int) -> Reachable | None:
        """Where to write to a member, or None when they have no account."""
        found = _WHERE.one(self._connection, id=member_number)
        return None if found is None else Reachable(*found)

    def in_one_place(self, members: Sequence[int], platform: str) -> tuple[str, tuple[str, ...]] | None:
        """An installation of a platform where each of these can be reached, and their accounts there; or None."""
        found = self._connection.execute(
            sa.select(account.c.installation, account.c.member_id, account.c.external_id)
            .where(account.c.member_id.in_(members), account.c.platform == platform, account.c.reachable)
            .order_by(account.c.preferred, account.c.id)
        ).all()
        places: dict[str, dict[int, str]] = {}
        for installation, number, external_id in found:
            places.setdefault(installation, {})[number] = external_id
        for installation, there in places.items():
            if len(there) == len(set(members)):
                return installation, tuple(there[number] for number in members)
        return None

    def add(self, cohort_id: int, now: datetime, **values: Any) -> int:
        """A new member's number."""
        number = insert(self._connection, member, cohort_id=cohort_id, created_at=now, **values)
        self._zones.came(cohort_id, values["time_zone"])
        self._renew(number)
        return number

    def change(self, member_number: int, **values: Any) -> None:
        """Overwrite some of a member's settings; search and schedules follow at once."""
        if "time_zone" in values:
            before = self.recall(member_number)
            if before is not None and before.time_zone != values["time_zone"]:
                self._zones.moved(member_number, before.cohort_id, before.time_zone, values["time_zone"])
        overwrite(self._connection, member, {"id": member_number}, **values)
        if not SEARCHED_BY.isdisjoint(values):
            self._renew(member_number)

    def add_account(
        self,
        to: Member,
        platform: str,
        installation: str,
        external_id: str,
        conversation: str,
        now: datetime,
        *,
        preferred: bool = True,
    ) -> None:
        """Bind an account to a member and, unless it is a second choice, write there from now on."""
        if preferred:
            self._connection.execute(sa.update(account).where(account.c.member_id == to.id).values(preferred=False))
        insert(
            self._connection,
            account,
            cohort_id=to.cohort_id,
            member_id=to.id,
            platform=platform,
            installation=installation,
            external_id=external_id,
            conversation=conversation,
            preferred=preferred,
            created_at=now,
        )

    def accounts(self, member_number: int) -> list[Account]:
        """A member's own accounts, the oldest first."""
        found = self._connection.execute(
            sa.select(*_ACCOUNT).where(account.c.member_id == member_number).order_by(account.c.id)
        )
        return [Account(*row) for row in found]

    def prefer(self, member_number: int, account_number: int) -> None:
        """Write to a member at this account of theirs, as long as they can be reached there."""
        self._connection.execute(
            sa.update(account)
            .where(account.c.member_id == member_number)
            .values(preferred=account.c.id == account_number)
        )

    def close_account(self, member_number: int, account_number: int) -> None:
        """Forget one of a member's accounts."""
        self._connection.execute(
            sa.delete(account).where(account.c.member_id == member_number, account.c.id == account_number)
        )

    def close_accounts(self, member_number: int) -> None:
        """Forget a member's accounts: what comes from them is a stranger's."""
        self._connection.execute(sa.delete(account).where(account.c.member_id == member_number))

    def moved(self, platform: str, installation: str, external_id: str, conversation: str) -> None:
        """The person's direct chat has another address now."""
        self._connection.execute(
            sa.update(account)
            .where(
                account.c.platform == platform,
                account.c.installation == installation,
                account.c.external_id == external_id,
            )
            .values(conversation=conversation)
        )

    def set_reachable(self, platform: str, installation: str, external_id: str, yes: bool) -> None:
        """The person blocked or unblocked the bot on one platform."""
        self._connection.execute(
            sa.update(account)
            .where(
                account.c.platform == platform,
                account.c.installation == installation,
                account.c.external_id == external_id,
            )
            .values(reachable=yes, **({"missed_at": None} if yes else {}))
        )

    def known_among(self, platform: str, installation: str, external_ids: Collection[str]) -> set[str]:
        """Which of these accounts belong to a member."""
        found = self._connection.scalars(
            sa.select(account.c.external_id).where(
                account.c.platform == platform,
                account.c.installation == installation,
                account.c.external_id.in_(external_ids),
            )
        )
        return set(found)

    def facilitators(self, cohort_id: int) -> list[int]:
        """The cohort's facilitators, longest first."""
        return list(
            self._connection.scalars(
                sa.select(member.c.id)
                .where(member.c.cohort_id == cohort_id, member.c.role == "facilitator", member.c.state.in_(LIVE))
                .order_by(member.c.id)
            )
        )

    def facilitators_accounts(self, limit: int = 50) -> list[Reachable]:
        """Every account at which a facilitator of any cohort can be reached; of each, the preferred one first."""
        cohorts = self._connection.scalars(sa.select(cohort.c.id).order_by(cohort.c.id)).all()
        numbers = [number for of in cohorts for number in self.facilitators(of)][:limit]
        found = self._connection.execute(_ACCOUNTS.where(account.c.member_id.in_(numbers), account.c.reachable))
        return [Reachable(*where) for *where, _ in sorted(found, key=lambda row: (row.id, not row.preferred))]

    def cohort_named(self, slug: str) -> int | None:
        """A cohort's number by its slug, or None."""
        return self._connection.scalar(sa.select(cohort.c.id).where(cohort.c.slug == slug))

    def add_cohort(self, slug: str, name: str, language: str, time_zone: str) -> int:
        """A new cohort's number."""
        return insert(
            self._connection, cohort, slug=slug, name=name, default_language=language, default_time_zone=time_zone
        )

    def have_cohort(self, slug: str, name: str, language: str, time_zone: str) -> int:
        """A cohort's number; made if there is none yet, and once, though several programs start together."""
        known = self.cohort_named(slug)
        if known is None:
            values = {"slug": slug, "name": name, "default_language": language, "default_time_zone": time_zone}
            insert_new(self._connection, cohort, values)
            known = self.cohort_named(slug)
        assert known is not None
        return known

    def cohort_defaults(self, cohort_id: int) -> tuple[str, str, str]:
        """A cohort's name, default language and default time zone."""
        found = self._connection.execute(
            sa.select(cohort.c.name, cohort.c.default_language, cohort.c.default_time_zone).where(
                cohort.c.id == cohort_id
            )
        ).one()
        return found[0], found[1], found[2]

    def ended_pauses(self, now: datetime, limit: int) -> list[int]:
        """Members whose pause has ended."""
        return list(
            self._connection.scalars(sa.select(member.c.id).where(PAUSED, member.c.paused_until <= now).limit(limit))
        )

    def count_try(self, subject: str, kind: str, now: datetime, window_seconds: int) -> int:
        """Count one try of a kind inside a window that begins with the first; returns how many there are now."""
        # One statement, so that two tries at the same moment count as two.
        counting = _count_try(self._connection.dialect.name)
        begun, ahead = now - timedelta(seconds=window_seconds), now + CLOCKS_DIFFER
        return int(counting.value(self._connection, whose=subject, what=kind, at=now, begun=begun, ahead=ahead))

    def tries_since(self, subject: str, kind: str) -> datetime | None:
        """When the window of a kind of try began."""
        return self._connection.scalar(
            sa.select(throttle.c.since).where(throttle.c.subject == subject, throttle.c.kind == kind)
        )

    def forget_tries(self, before: datetime) -> int:
        """Drop windows that began before a moment."""
        return _FORGET_TRIES.write(self._connection, before=before)

    def fact(self, key: str) -> str | None:
        """A fact about this database, such as that it is the demo's."""
        found: str | None = FACT.value(self._connection, key=key)
        return found

    def set_fact(self, key: str, value: str) -> None:
        upsert(self._connection, meta, {"key": key, "value": value}, ("key",))

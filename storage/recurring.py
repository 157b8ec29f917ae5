"""What repeats: schedules, when each is next due in each time zone, and who was asked on which date."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.recurrence import EVERY_MINUTE, Fire, Recurrence, check
from storage.base import EPOCH, Id, Moment, insert, insert_new_rows, member_id, overwrite, same_cohort, table
from storage.members import Member, account, member
from storage.prepared import Prepared
from storage.profiles import consent, profile

schedule = table(
    "schedule",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, sa.ForeignKey("cohort.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("object", Id),
    sa.Column("rrule", sa.Text, nullable=False),
    sa.Column("local_time", sa.Text, nullable=False),
    sa.Column("starts", sa.Text, nullable=False),
    sa.Column("until", sa.Text),
    sa.Column("role", sa.Text),  # only those; nothing is everybody
    sa.Column("purpose", sa.Text),  # only who agreed to it
    sa.Column("on_holidays", sa.Boolean, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("cohort_id", "id"),
    sa.Index("ix_schedule_name", "cohort_id", "name", "object"),
    personal=None,
    sqlite_autoincrement=True,
)

# A row for each zone in which the cohort has somebody; never a row a member.
schedule_zone = table(
    "schedule_zone",
    sa.Column("schedule_id", Id, sa.ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("time_zone", sa.Text, primary_key=True),
    sa.Column("next_at", Moment),  # EPOCH: to be worked out; nothing: paused or over
    sa.Column("next_date", sa.Text, nullable=False),
    sa.Column("asked_to", Id, nullable=False),  # members up to this number are done with this date
    sa.Index("ix_schedule_zone_next_at", "next_at", "schedule_id"),
    personal=None,
)

occurrence = table(
    "occurrence",
    sa.Column("schedule_id", Id, primary_key=True),
    sa.Column("local_date", sa.Text, primary_key=True),
    member_id(primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("due_at", Moment),  # still to be done then: a try that failed, a member who changed zone
    sa.Column("tries", sa.Integer, nullable=False),
    same_cohort("member_id"),
    sa.ForeignKeyConstraint(["cohort_id", "schedule_id"], ["schedule.cohort_id", "schedule.id"], ondelete="CASCADE"),
    sa.Index("ix_occurrence_member_id", "member_id"),
    personal={"member_id": "delete"},
)
WAITS = occurrence.c.due_at.is_not(None)
sa.Index("ix_occurrence_due_at", occurrence.c.due_at, sqlite_where=WAITS, postgresql_where=WAITS)
ACTIVE = member.c.state == sa.literal_column("'active'")
sa.Index(
    "ix_member_zone", member.c.cohort_id, member.c.time_zone, member.c.id, sqlite_where=ACTIVE, postgresql_where=ACTIVE
)

missed_date = table(  # what an outage swallowed: dates that are not asked any more
    "missed_date",
    sa.Column("schedule_id", Id, sa.ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("time_zone", sa.Text, primary_key=True),
    sa.Column("local_date", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_missed_date_at", "at"),
    personal=None,
)

UNPLANNED, OVER = "", "~"  # in next_date; the second is later than every date
GRACE = timedelta(minutes=5)  # whoever comes into a new zone just before the hour is asked at the hour
MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that repeats for a cohort: `name` is its route, `object` what it is about."""

    id: int
    cohort_id: int
    name: str
    object: int | None
    rrule: str
    local_time: time
    starts: date
    until: date | None
    role: str | None
    purpose: str | None
    on_holidays: bool
    paused: bool

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(self.rrule, self.local_time, self.starts, self.until)


@dataclass(frozen=True, slots=True)
class Claim:
    """A date of a schedule that is due in one zone; `following` is the next one there."""

    schedule: Schedule
    time_zone: str
    fire: Fire
    following: Fire | None
    asked_to: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A member who is due, and where to write to them."""

    member: Member
    platform: str
    installation: str
    conversation: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Members whose one date of a schedule was put off until now."""

    schedule: Schedule
    key: str
    tries: int
    members: tuple[int, ...]


_FIELDS = [schedule.c[name] for name in Schedule.__dataclass_fields__]
_ZONE = (schedule_zone.c.time_zone, schedule_zone.c.next_date, schedule_zone.c.asked_to)
DUE_ZONE = Prepared(
    sa.select(*_FIELDS, *_ZONE)
    .join_from(schedule_zone, schedule, schedule.c.id == schedule_zone.c.schedule_id)
    .where(schedule_zone.c.next_at <= sa.bindparam("now", type_=Moment))
    .order_by(schedule_zone.c.next_at, schedule_zone.c.schedule_id)
    .limit(1)
    .with_for_update(of=schedule_zone, skip_locked=True)
)
DUE_AGAIN = Prepared(
    sa.select(occurrence.c.schedule_id, occurrence.c.local_date, occurrence.c.member_id, occurrence.c.tries)
    .where(WAITS, occurrence.c.due_at <= sa.bindparam("now", type_=Moment))
    .order_by(occurrence.c.due_at)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_ASKED = (*(member.c[name] for name in Member.__dataclass_fields__), profile.c.country)
_PLACES = Prepared(
    sa.select(account.c.member_id, account.c.platform, account.c.installation, account.c.conversation)
    .where(account.c.member_id.in_(sa.bindparam("members", expanding=True)))
    .order_by(account.c.reachable, account.c.preferred, account.c.id)
)


class Recurring:
    """Schedules and their dates. A date is asked of a member once: (schedule, date, member) is a key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        cohort_id: int,
        name: str,
        rrule: str,
        local_time: time,
        starts: date,
        now: datetime,
        *,
        object: int | None = None,  # noqa: A002
        until: date | None = None,
        role: str | None = None,
        purpose: str | None = None,
        on_holidays: bool = False,
        every_minute: bool = False,
    ) -> int:
        """A new schedule's number; it fires in every zone of the cohort's members. Raises RefusedRule.

        `purpose` asks only those who agreed to it. `every_minute` is the trial's with replicas and overrides the rule.
        """
        if every_minute:
            rrule, local_time = EVERY_MINUTE, time()
        else:
            check(rrule, starts, until)
        number = insert(
            self._connection,
            schedule,
            cohort_id=cohort_id,
            name=name,
            object=object,
            rrule=rrule,
            local_time=local_time.strftime("%H:%M"),
            starts=starts.isoformat(),
            until=until.isoformat() if until else None,
            role=role,
            purpose=purpose,
            on_holidays=on_holidays,
            paused=False,
            created_at=now,
        )
        zones = sa.select(member.c.time_zone).where(member.c.cohort_id == cohort_id).distinct()
        for zone in self._connection.scalars(zones).all():
            self._add_zones([number], zone)
        return number

    def change(
        self,
        number: int,
        *,
        rrule: str,
        local_time: time,
        starts: date,
        until: date | None = None,
    ) -> None:
        """Another rule, from its next date on; nobody is asked twice on a day. Raises RefusedRule."""
        check(rrule, starts, until)
        self._connection.execute(
            sa.update(schedule)
            .where(schedule.c.id == number)
            .values(
                rrule=rrule,
                local_time=local_time.strftime("%H:%M"),
                starts=starts.isoformat(),
                until=until.isoformat() if until else None,
            )
        )
        self._plan_anew(schedule_zone.c.schedule_id == number)

    def pause(self, number: int) -> None:
        """Ask nobody until it is resumed."""
        self._connection.execute(sa.update(schedule).where(schedule.c.id == number).values(paused=True))
        self._connection.execute(
            sa.update(schedule_zone)
            .where(schedule_zone.c.schedule_id == number)
            .values(next_at=None, next_date=UNPLANNED, asked_to=0)
        )
        self._connection.execute(sa.update(occurrence).where(occurrence.c.schedule_id == number).values(due_at=None))

    def resume(self, number: int) -> None:
        """Go on with the next date from now."""
        self._connection.execute(sa.update(schedule).where(schedule.c.id == number).values(paused=False))
        self._plan_anew(schedule_zone.c.schedule_id == number)

    def drop(self, number: int) -> None:
        """Remove a schedule and who was asked; to end one and keep that, pause it."""
        self._connection.execute(sa.delete(schedule).where(schedule.c.id == number))

    def get(self, number: int) -> Schedule | None:
        """A schedule by its number."""
        found = self._connection.execute(sa.select(*_FIELDS).where(schedule.c.id == number)).one_or_none()
        return None if found is None else _schedule(found)

    def of(self, cohort_id: int, name: str, object: int | None = None) -> list[Schedule]:  # noqa: A002
        """A cohort's schedules of one route, and about one object if given, oldest first."""
        wanted = sa.select(*_FIELDS).where(schedule.c.cohort_id == cohort_id, schedule.c.name == name)
        if object is not None:
            wanted = wanted.where(schedule.c.object == object)
        return [_schedule(row) for row in self._connection.execute(wanted.order_by(schedule.c.id).limit(100))]

    def asked(self, number: int, key: str, after: int = 0, limit: int = 500) -> list[int]:
        """Who was asked on a date, by member number, a page at a time."""
        return list(
            self._connection.scalars(
                sa.select(occurrence.c.member_id)
                .where(
                    occurrence.c.schedule_id == number,
                    occurrence.c.local_date == key,
                    occurrence.c.member_id > after,
                )
                .order_by(occurrence.c.member_id)
                .limit(limit)
            )
        )

    def count(self, number: int, key: str) -> tuple[int, int]:
        """How many were asked on a date, and how many of them late."""
        found = self._connection.execute(
            sa.select(sa.func.count(), sa.func.count().filter(occurrence.c.late)).where(
                occurrence.c.schedule_id == number, occurrence.c.local_date == key
            )
        ).one()
        return found[0], found[1]

    def missed_since(self, cohort_id: int, since: datetime) -> list[tuple[int, date]]:
        """Dates that an outage swallowed, as (schedule, date), oldest first; at most 100."""
        cohort = sa.select(schedule.c.cohort_id).where(schedule.c.id == missed_date.c.schedule_id).scalar_subquery()
        found = self._connection.execute(
            sa.select(missed_date.c.schedule_id, missed_date.c.local_date)
            .where(missed_date.c.at >= since, cohort == cohort_id)
            .distinct()
            .order_by(missed_date.c.local_date, missed_date.c.schedule_id)
            .limit(100)
        )
        return [(row[0], date.fromisoformat(row[1][:10])) for row in found]

    # What the scheduler asks

    def claim(self, now: datetime) -> Claim | None:
        """The next date that is due in some zone, locked until the transaction ends; another replica skips it."""
        while True:
            found = DUE_ZONE.one(self._connection, now=now)
            if found is None:
                return None
            of, (zone, key, asked_to) = _schedule(found[:-3]), found[-3:]
            try:
                if key == UNPLANNED:
                    self._set(of.id, zone, of.recurrence.first(zone, now - GRACE))
                    continue
                return self._caught(of, zone, key, asked_to, now)
            except (ZoneInfoNotFoundError, ValueError):  # a zone that this machine does not know any more
                self._set(of.id, zone, None)

    def _caught(self, of: Schedule, zone: str, key: str, asked_to: int, now: datetime) -> Claim:
        """The newest date that has come; a date that is half asked is finished first."""
        if asked_to:
            return Claim(of, zone, of.recurrence.on(zone, key), of.recurrence.following(zone, key), asked_to)
        caught = of.recurrence.caught(zone, key, now)
        if caught.missed:
            rows = [
                {"schedule_id": of.id, "time_zone": zone, "local_date": day.isoformat(), "at": now}
                for day in dict.fromkeys(caught.missed)
            ]
            insert_new_rows(self._connection, missed_date, rows, missed_date.c.schedule_id)
        return Claim(of, zone, caught.fire, caught.following, 0)

    def page(self, claim: Claim, limit: int, closed: Collection[str] = ()) -> list[Asked]:
        """The next members to ask, locked, by number; without those in countries that are closed that day."""
        wanted = _eligible(claim.schedule, claim.fire.key).where(
            member.c.time_zone == claim.time_zone, member.c.id > claim.asked_to
        )
        if closed and not claim.schedule.on_holidays:
            wanted = wanted.where(sa.or_(profile.c.country.is_(None), profile.c.country.not_in(closed)))
        return _asked(self._connection, wanted.limit(limit))

    def take(self, of: Schedule, key: str, members: Sequence[Asked], *, late: bool) -> list[Asked]:
        """Write down that these are asked; returns those who were not yet."""
        rows = [
            {
                "schedule_id": of.id,
                "local_date": key,
                "member_id": one.member.id,
                "cohort_id": of.cohort_id,
                "late": late,
                "due_at": None,
                "tries": 0,
            }
            for one in members
        ]
        new = insert_new_rows(self._connection, occurrence, rows, occurrence.c.member_id)
        return [one for one in members if one.member.id in new]

    def go_on(self, claim: Claim, last: int | None) -> None:
        """The date is done up to this member, or for the whole zone."""
        if last is None:
            self._set(claim.schedule.id, claim.time_zone, claim.following)
        else:
            self._set(claim.schedule.id, claim.time_zone, claim.fire, asked_to=last)

    def _set(self, number: int, zone: str, fire: Fire | None, asked_to: int = 0) -> None:
        here = {"schedule_id": number, "time_zone": zone}
        next_at, next_date = (fire.at, fire.key) if fire else (None, OVER)
        overwrite(self._connection, schedule_zone, here, next_at=next_at, next_date=next_date, asked_to=asked_to)

    def put_off(self, number: int, key: str, members: Collection[int], due_at: datetime) -> None:
        """Ask these again then: their question could not be made."""
        if not members:
            return
        mine = _of(number, key, members)
        again = sa.case((occurrence.c.tries < MOST_TRIES, sa.literal(due_at, Moment)), else_=sa.null())
        self._connection.execute(sa.update(occurrence).where(mine).values(due_at=again, tries=occurrence.c.tries + 1))

    def waiting(self, now: datetime, limit: int) -> list[Waiting]:
        """Those who were put off until now, locked, by schedule and date; they wait no longer."""
        found: dict[tuple[int, str], list[Any]] = {}
        for row in DUE_AGAIN.all(self._connection, now=now, limit=limit):
            found.setdefault((row.schedule_id, row.local_date), []).append(row)
        groups = []
        for (number, key), rows in found.items():
            of, members = self.get(number), tuple(row.member_id for row in rows)
            self._connection.execute(sa.update(occurrence).where(_of(number, key, members)).values(due_at=None))
            if of is not None and not of.paused:
                groups.append(Waiting(of, key, max(row.tries for row in rows), members))
        return groups

    def again(self, waiting: Waiting) -> list[Asked]:
        """Of those who were put off, who is still to be asked: a newer date of the same schedule comes instead."""
        newer = sa.select(occurrence.c.member_id).where(
            occurrence.c.schedule_id == waiting.schedule.id,
            occurrence.c.member_id == member.c.id,
            occurrence.c.local_date > waiting.key,
        )
        wanted = _eligible(waiting.schedule).where(member.c.id.in_(waiting.members), ~newer.exists())
        return _asked(self._connection, wanted)

    # Where members are

    def came(self, cohort_id: int, zone: str) -> None:
        """A member is in this zone: every schedule of the cohort fires there."""
        missing = (
            sa.select(schedule.c.id)
            .join_from(
                schedule,
                schedule_zone,
                sa.and_(schedule_zone.c.schedule_id == schedule.c.id, schedule_zone.c.time_zone == zone),
                isouter=True,
            )
            .where(schedule.c.cohort_id == cohort_id, schedule_zone.c.schedule_id.is_(None))
        )
        self._add_zones(self._connection.scalars(missing).all(), zone)

    def moved(self, member_number: int, cohort_id: int, old: str, new: str) -> None:
        """A member changed zone: a date that is over in the new one and to come in the old one is still asked."""
        numbers = self._connection.scalars(sa.select(schedule.c.id).where(schedule.c.cohort_id == cohort_id)).all()
        rows = (
            sa.select(schedule_zone)
            .where(schedule_zone.c.schedule_id.in_(numbers), schedule_zone.c.time_zone.in_((old, new)))
            .order_by(schedule_zone.c.schedule_id, schedule_zone.c.time_zone)
            .with_for_update(of=schedule_zone)
        )
        found: dict[int, dict[str, Any]] = {}
        for row in self._connection.execute(rows):
            found.setdefault(row.schedule_id, {})[row.time_zone] = row
        self.came(cohort_id, new)
        for number, zones in found.items():
            before, after = zones.get(old), zones.get(new)
            if before is None or before.next_at is None or before.next_date == UNPLANNED:
                continue
            if after is None:
                self._begin_at(number, new, before.next_date)
            elif before.next_date < after.next_date or (
                before.next_date == after.next_date and after.asked_to >= member_number
            ):
                values = {
                    "schedule_id": number,
                    "local_date": before.next_date,
                    "member_id": member_number,
                    "cohort_id": cohort_id,
                    "late": False,
                    "due_at": before.next_at,
                    "tries": 0,
                }
                insert_new_rows(self._connection, occurrence, [values], occurrence.c.member_id)

    def _begin_at(self, number: int, zone: str, key: str) -> None:
        of = self.get(number)
        if of is not None:
            self._set(number, zone, of.recurrence.on(zone, key))

    def plan_anew(self) -> None:
        """The clock was put back: work out every next date again. Whoever was asked already is not asked again."""
        self._plan_anew(sa.or_(schedule_zone.c.next_at.is_not(None), schedule_zone.c.next_date == OVER))

    def _plan_anew(self, which: sa.ColumnElement[bool]) -> None:
        self._connection.execute(
            sa.update(schedule_zone).where(which).values(next_at=EPOCH, next_date=UNPLANNED, asked_to=0)
        )

    def _add_zones(self, numbers: Sequence[int], zone: str) -> None:
        paused = (
            {
                row.id
                for row in self._connection.execute(
                    sa.select(schedule.c.id).where(schedule.c.id.in_(numbers), schedule.c.paused)
                )
            }
            if numbers
            else set()
        )
        rows = [
            {
                "schedule_id": number,
                "time_zone": zone,
                "next_at": None if number in paused else EPOCH,
                "next_date": UNPLANNED,
                "asked_to": 0,
            }
            for number in numbers
        ]
        insert_new_rows(self._connection, schedule_zone, rows, schedule_zone.c.schedule_id)


def _eligible(of: Schedule, key: str | None = None) -> sa.Select[Any]:
    """Members who may be asked: active, with somewhere to write to, of the role, agreed to the purpose.

    Each condition is a look-up of its own for each member of a page: as joins, PostgreSQL would read whole tables when
    its statistics do not know today's rows yet.
    """
    place = sa.select(sa.func.max(account.c.id)).where(account.c.member_id == member.c.id)
    wanted = (
        sa.select(*_ASKED)
        .join_from(member, profile, profile.c.member_id == member.c.id, isouter=True)
        .where(member.c.cohort_id == of.cohort_id, ACTIVE, place.scalar_subquery().is_not(None))
        .order_by(member.c.id)
        .with_for_update(of=member)
    )
    if of.role is not None:
        wanted = wanted.where(member.c.role == of.role)
    if of.purpose is not None:
        agreed = sa.select(consent.c.given).where(
            consent.c.member_id == member.c.id, consent.c.purpose == of.purpose, consent.c.given
        )
        wanted = wanted.where(agreed.scalar_subquery().is_not(None))
    if key is not None:
        asked = sa.select(occurrence.c.member_id).where(
            occurrence.c.schedule_id == of.id,
            occurrence.c.local_date == key,
            occurrence.c.member_id == member.c.id,
        )
        wanted = wanted.where(asked.scalar_subquery().is_(None))
    return wanted


def _asked(connection: Connection, wanted: sa.Select[Any]) -> list[Asked]:
    """The members, each with the best place to write to: where they can be reached, where they want to be."""
    found = connection.execute(wanted).all()
    rows = _PLACES.all(connection, members=[row.id for row in found]) if found else ()
    places = {row.member_id: row for row in rows}  # the best comes last
    return [
        Asked(Member(*row[:-1]), at.platform, at.installation, at.conversation, row.country)
        for row in found
        for at in (places[row.id],)
    ]


def _of(number: int, key: str, members: Collection[int]) -> sa.ColumnElement[bool]:
    return sa.and_(
        occurrence.c.schedule_id == number, occurrence.c.local_date == key, occurrence.c.member_id.in_(members)
    )


def _schedule(row: Any) -> Schedule:
    values = dict(zip(Schedule.__dataclass_fields__, row, strict=True))
    values["local_time"] = time.fromisoformat(values["local_time"])
    values["starts"] = date.fromisoformat(values["starts"])
    values["until"] = date.fromisoformat(values["until"]) if values["until"] else None
    return Schedule(**values)

"""The only way to other people: what one viewer may see of whom. Other cohort, hidden and absent look the same."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.profiles import (
    Apart,
    Audience,
    Profile,
    Standing,
    Whole,
    audiences,
    kept_apart,
    reach_of,
    seen_by,
)
from bot.domain.words import word_keys
from storage.base import read
from storage.members import LIVE, member
from storage.portraits import unpack
from storage.prepared import Prepared
from storage.profiles import GIVEN, consent
from storage.search import COHORT, FACILITATORS, MET, Clause, Reach, Search
from storage.shared_projects import SharedProjects

READ_AT_ONCE = 100  # people of a roster in which a name is looked for
SCANNED_AT_MOST = 600  # candidates looked at for one page, when many of them are kept apart from the viewer


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: a member's number, cohort and whether they are a facilitator."""

    id: int
    cohort_id: int
    facilitator: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of profiles; `after` continues it, None at the end."""

    profiles: tuple[Profile, ...]
    after: int | None


# A list of numbers is one value, so that each statement is known to the database whatever its length.
_AMONG = {"sqlite": "IN (SELECT value FROM json_each(:numbers))", "postgresql": "= ANY(:numbers)"}
# With a limit, the wishes are looked up for each; else PostgreSQL reads all of them first.
_LOAD = (
    "SELECT portrait.member_id, portrait.whole, member.preset, member.state, "
    "(SELECT 1 FROM apart WHERE apart.member_id = portrait.member_id LIMIT 1) IS NOT NULL "
    "FROM portrait JOIN member ON member.id = portrait.member_id "
    "WHERE portrait.member_id {among} AND portrait.cohort_id = :cohort"
)
_WISHES = "SELECT member_id, other_id, sector, country FROM apart WHERE member_id {among}"
_ALLIES = "SELECT other_id FROM ally WHERE member_id = :viewer"
# Search knows active fellows who agreed to introductions; of all others there are no keys.
_AGREED = (
    sa.select(consent.c.given)
    .where(consent.c.member_id == member.c.id, consent.c.purpose == "introductions")
    .scalar_subquery()
)
_UNKNOWN_TO_SEARCH = sa.or_(member.c.role != "fellow", member.c.state != "active", _AGREED.is_not(sa.true()))
_FACILITATORS = Prepared(
    sa.select(member.c.id)
    .where(member.c.cohort_id == sa.bindparam("cohort"), member.c.role == "facilitator", member.c.state.in_(LIVE))
    .order_by(member.c.id)
    .limit(20)
)
# Fields by which somebody is there for a viewer; whoever shows none of them is not.
PRESENT = ("name", "country", "topics", "needs", "offers")


class Access:
    """Profiles as this viewer may see them, and nobody from whom they are kept apart."""

    def __init__(self, connection: Connection, viewer: Viewer, *, buyers_and_bidders_apart: bool = True) -> None:
        self._connection = connection
        self._viewer = viewer
        self._default_apart = buyers_and_bidders_apart
        self._mine: Whole | None = None
        self._wishing: set[int] = set()  # of those loaded, who keeps anybody apart
        self._search = Search(connection)
        self._looking: tuple[Reach, frozenset[int]] | None = None
        self._found: dict[int, Profile | None] = {}  # whom search came upon, as the viewer may see them

    @property
    def projects(self) -> SharedProjects:
        """Projects, as far as the viewer may see them."""
        return SharedProjects(self._connection, self._viewer, self)

    def own(self) -> Profile:
        """The viewer's whole profile."""
        return self._own().profile

    def own_whole(self) -> Whole:
        """The viewer's profile with its settings."""
        return self._own()

    def as_seen_by(self, reach: Audience) -> Profile | None:
        """The viewer's own profile, as somebody sees it who stands this near; None when there is nothing to see."""
        mine = self._own()
        if mine.profile.facilitator:
            return _as_facilitator(mine)
        return seen_by(mine, reach) if is_present(mine, reach) else None

    def as_member_sees_me(self, other: int) -> Profile | None:
        """The viewer's own profile as one other member sees it; None when that one cannot see it at all."""
        if self.profile(other) is None:
            return None
        viewer = Viewer(other, self._viewer.cohort_id, self._is_facilitator(other))
        them = Access(self._connection, viewer, buyers_and_bidders_apart=self._default_apart)
        return them.profile(self._viewer.id)

    def profile(self, number: int) -> Profile | None:
        """One member, or None: other cohort, hidden, kept apart, erased, absent."""
        return next(iter(self.profiles([number])), None)

    def profile_name(self, number: int) -> str | None:
        """What to call one member: for facilitators in whatever state they are, else as far as the viewer sees them."""
        if not self._viewer.facilitator:
            seen = self.profile(number)
            return seen.name if seen else None
        whole = self._load([number], states=None).get(number)
        return seen_by(whole, Audience.FACILITATORS).name if whole else None

    def name_of_kept_apart(self, number: int) -> str | None:
        """What to call somebody whom the viewer keeps apart, as they would see them without that wish."""
        loaded = self._load([number])
        if number not in loaded or self._apart_from(list(loaded.values()), but=number):
            return None
        seen = self._seen(loaded[number], met=False)
        return seen.name if seen else None

    def profiles(self, numbers: Sequence[int]) -> list[Profile]:
        """Those of these members whom the viewer may see, in the order asked for; three reads, however many."""
        return self._profiles(numbers, self._met()) if numbers else []

    def _profiles(self, numbers: Sequence[int], met: Collection[int]) -> list[Profile]:
        loaded = self._load(numbers)
        apart_from = self._apart_from(list(loaded.values()))
        found = []
        for number in dict.fromkeys(numbers):
            whole = loaded.get(number)
            if whole is None or number in apart_from:
                continue
            seen = self._seen(whole, met=number in met)
            if seen is not None:
                found.append(seen)
        return found

    def may_bring_together(self, number: int) -> bool:
        """May the viewer be brought together with this member, whether visible or not?"""
        loaded = self._load([number])
        return number in loaded and not self._apart_from(list(loaded.values()))

    def as_met(self, numbers: Sequence[int]) -> list[Profile]:
        """Members of the viewer's team, as people see them who met; without those from whom they are kept apart."""
        loaded = self._load(numbers) if numbers else {}
        apart_from = self._apart_from(list(loaded.values()))
        return [
            seen_by(loaded[number], Audience.FACILITATORS if self._viewer.facilitator else Audience.MET)
            for number in numbers
            if number in loaded and number not in apart_from
        ]

    def kept_apart_from(self, numbers: Sequence[int]) -> set[int]:
        """From which of these the viewer is kept apart, in either direction: numbers only."""
        return self._apart_from(list(self._load(numbers).values())) if numbers else set()

    def met(self, numbers: Collection[int]) -> set[int]:
        """Whom of these the viewer is in touch with."""
        met = self._looking[1] if self._looking is not None else self._met()
        return {number for number in numbers if number in met}

    def find(self, clauses: Sequence[Clause], *, after: int | None = None, limit: int = 30) -> Found:
        """Members who fulfil every clause as far as the viewer may know it, a page at a time.

        The same question and `after` give the same page. A page that is not the last may have fewer than `limit`
        people, even none, when most of those looked at are kept apart from the viewer.
        """
        reach, met = self._looking = self._looking or self._look()
        found: list[Profile] = []
        for _ in range(max(1, SCANNED_AT_MOST // limit)):
            numbers = self._search.find(reach, clauses, after, limit)
            found += self._found_profiles(numbers, met)
            after = numbers[-1] if len(numbers) == limit else None
            if after is None or len(found) >= limit // 2:
                break
        return Found(tuple(found), after)

    def _found_profiles(self, numbers: Sequence[int], met: Collection[int]) -> list[Profile]:
        """Whoever offers help with a topic mostly works on it, too, and is read once."""
        if new := [number for number in numbers if number not in self._found]:
            seen = {one.id: one for one in self._profiles(new, met)}
            self._found |= {number: seen.get(number) for number in new}
        return [one for number in numbers if (one := self._found[number]) is not None]

    def facilitators(self) -> list[Profile]:
        """The cohort's facilitators: every member may know who they are."""
        found = _FACILITATORS.all(self._connection, cohort=self._viewer.cohort_id)
        return self.profiles([one.id for one in found])

    def roster(self, *, after: int = 0, limit: int = 20, locked: bool | None = None) -> list[tuple[Profile, str]]:
        """For facilitators: the cohort's people with their state, a page at a time; nobody for anybody else.

        `locked` asks for those who are locked alone, or for all others.
        """
        is_locked = member.c.state == "locked"
        return self._roster(after, limit, sa.true() if locked is None else is_locked if locked else ~is_locked)

    def called(self, keys: Sequence[str], *, limit: int) -> list[tuple[Profile, str]]:
        """For facilitators: who bears a name that begins with each of these keys, with their state, whatever it is.

        Whom search knows is found by its index; of the others, who are few, so many are read as there are pages of.
        """
        if not self._viewer.facilitator or not keys:
            return []
        found = [(one, "active") for one in self.find([Clause("name", (key,)) for key in keys], limit=limit).profiles]
        after = 0
        while len(found) < limit and (page := self._roster(after, READ_AT_ONCE, _UNKNOWN_TO_SEARCH)):
            found += [(one, state) for one, state in page if one.id != self._viewer.id and _bears(one, keys)]
            after = page[-1][0].id
        return found[:limit]

    def _roster(self, after: int, limit: int, wanted: sa.ColumnElement[bool]) -> list[tuple[Profile, str]]:
        if not self._viewer.facilitator:
            return []
        found = self._connection.execute(
            sa.select(member.c.id, member.c.state)
            .where(
                member.c.cohort_id == self._viewer.cohort_id,
                member.c.role.in_(("fellow", "facilitator")),
                member.c.state.not_in(("left", "arriving")),
                member.c.id > after,
                wanted,
            )
            .order_by(member.c.id)
            .limit(limit)
        ).all()
        loaded = self._load([row.id for row in found], states=None)
        seen = [(loaded[row.id], row.state) for row in found if row.id in loaded]
        return [(seen_by(whole, Audience.FACILITATORS), state) for whole, state in seen]

    def _own(self) -> Whole:
        if self._mine is None:
            alone = Whole(profile=Profile(id=self._viewer.id))
            self._mine = self._load([self._viewer.id], states=None).get(self._viewer.id, alone)
        return self._mine

    def _look(self) -> tuple[Reach, frozenset[int]]:
        """How far the viewer sees and whom they have met, read once for all searches of one event."""
        me = self._viewer
        if me.facilitator:
            return Reach(me.cohort_id, me.id, (COHORT, MET, FACILITATORS)), self._met()
        met = self._met()
        return Reach(me.cohort_id, me.id, (COHORT, *self._own().profile.coalitions), bool(met)), met

    def _seen(self, whole: Whole, *, met: bool) -> Profile | None:
        if whole.profile.id == self._viewer.id:
            return whole.profile
        if self._viewer.facilitator:
            return seen_by(whole, Audience.FACILITATORS)
        if whole.profile.facilitator:
            return _as_facilitator(whole)
        shared = not set(self._own().profile.coalitions).isdisjoint(whole.profile.coalitions)
        reach = reach_of(facilitator=False, met=met, shared_coalition=shared)
        seen = seen_by(whole, reach)
        if met:
            return seen
        if whole.other_name is None:  # else it may stand where nothing else may be seen
            return seen if is_visible(seen) else None
        return seen if is_present(whole, reach) else None

    def _load(self, numbers: Sequence[int], states: tuple[str, ...] | None = LIVE) -> dict[int, Whole]:
        found = self._among(_LOAD, numbers)
        self._wishing.update(number for number, *_, wishes in found if wishes)
        return {
            number: unpack(json.loads(whole) if isinstance(whole, str) else whole, preset)
            for number, whole, preset, state, _ in found
            if states is None or state in states
        }

    def _met(self) -> frozenset[int]:
        return frozenset(number for (number,) in read(self._connection, _ALLIES, {"viewer": self._viewer.id}))

    def _among(self, sql: str, numbers: Sequence[int]) -> Sequence[Any]:
        dialect = self._connection.dialect.name
        some = f"[{','.join(map(str, numbers))}]" if dialect == "sqlite" else list(numbers)
        values = {"numbers": some, "cohort": self._viewer.cohort_id}
        return read(self._connection, sql.format(among=_AMONG[dialect]), values)

    def _apart_from(self, wholes: Sequence[Whole], but: int | None = None) -> set[int]:
        if self._viewer.facilitator or not wholes:
            return set()
        mine = _standing(self._own())
        wishing = self._wishing.intersection([self._viewer.id, *(whole.profile.id for whole in wholes)])
        rules = [Apart(*row) for row in self._among(_WISHES, sorted(wishing))] if wishing else []
        if not rules and mine.side is None:  # nothing could keep anybody apart
            return set()
        mine_rules = [rule for rule in rules if rule.member == self._viewer.id and (but is None or rule.other != but)]
        theirs: dict[int, list[Apart]] = {}
        for rule in rules:
            theirs.setdefault(rule.member, []).append(rule)
        return {
            whole.profile.id
            for whole in wholes
            if whole.profile.id != self._viewer.id
            and not whole.profile.facilitator  # everybody may know and reach the people who run the programme
            and kept_apart(
                mine,
                _standing(whole),
                [*mine_rules, *theirs.get(whole.profile.id, ())],
                buyers_and_bidders=self._default_apart,
            )
        }

    def _is_facilitator(self, number: int) -> bool:
        role = self._connection.scalar(sa.select(member.c.role).where(member.c.id == number))
        return role == "facilitator"

    def agreed_to(self, number: int, purpose: str) -> bool:
        """Did a member agree to a purpose? Silence is no."""
        return bool(GIVEN.value(self._connection, cohort=self._viewer.cohort_id, member=number, purpose=purpose))


def _as_facilitator(whole: Whole) -> Profile:
    """Everybody may know who runs the programme, by their own name, and no more."""
    return Profile(id=whole.profile.id, name=whole.profile.name, facilitator=True)


def is_present(whole: Whole, reach: Audience) -> bool:
    """Is there anything that somebody who stands this near may know? Another name alone makes nobody appear."""
    allowed = audiences(whole.preset, whole.own)
    of = whole.profile
    helps_topics = allowed["topics"] >= reach and any(one.topic for one in (*of.needs, *of.offers))
    return helps_topics or any(allowed[name] >= reach and getattr(of, name) for name in PRESENT)


def is_visible(seen: Profile) -> bool:
    """Does a profile, as somebody sees it, say anything?"""
    return any(getattr(seen, name) for name in PRESENT)


def _bears(one: Profile, keys: Sequence[str]) -> bool:
    names = word_keys(f"{one.name or ''} {one.native_name or ''}")
    return all(any(name.startswith(key) for name in names) for key in keys)


def _standing(whole: Whole) -> Standing:
    of = whole.profile
    return Standing(of.id, of.country, of.sector, of.side)

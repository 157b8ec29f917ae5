"""The only way to other people: what one viewer may see of whom. Other cohort, hidden and absent look the same."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

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
from storage.introductions import ally
from storage.members import LIVE, member
from storage.portraits import portrait, unpack
from storage.profiles import apart, consent
from storage.search import COHORT, FACILITATORS, MET, Clause, Reach, Search

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


_LOAD = (
    sa.select(portrait.c.member_id, portrait.c.whole, member.c.preset, member.c.state)
    .join_from(portrait, member, member.c.id == portrait.c.member_id)
    .where(
        portrait.c.member_id.in_(sa.bindparam("numbers", expanding=True)),
        portrait.c.cohort_id == sa.bindparam("cohort", type_=portrait.c.cohort_id.type),
    )
)
_WISHES = sa.select(apart.c.member_id, apart.c.other_id, apart.c.sector, apart.c.country).where(
    apart.c.member_id.in_(sa.bindparam("numbers", expanding=True))
)
_ALLIES = sa.select(ally.c.other_id).where(ally.c.member_id == sa.bindparam("viewer"))
# Fields by which somebody is there for a viewer; whoever shows none of them is not.
PRESENT = ("name", "country", "topics", "needs", "offers")


class Access:
    """Profiles as this viewer may see them, and nobody from whom they are kept apart."""

    def __init__(self, connection: Connection, viewer: Viewer, *, buyers_and_bidders_apart: bool = True) -> None:
        self._connection = connection
        self._viewer = viewer
        self._default_apart = buyers_and_bidders_apart
        self._mine: Whole | None = None
        self.handed: dict[int, Profile] = {}  # whose profiles were given out

    def own(self) -> Profile:
        """The viewer's whole profile."""
        return self._own().profile

    def own_whole(self) -> Whole:
        """The viewer's profile with its settings."""
        return self._own()

    def as_seen_by(self, reach: Audience) -> Profile | None:
        """The viewer's own profile, as somebody sees it who stands this near; None when there is nothing to see."""
        mine = self._own()
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
                self.handed[number] = seen
        return found

    def may_bring_together(self, number: int) -> bool:
        """May the viewer be brought together with this member, whether visible or not?"""
        loaded = self._load([number])
        return number in loaded and not self._apart_from(list(loaded.values()))

    def find(self, clauses: Sequence[Clause], *, after: int | None = None, limit: int = 30) -> Found:
        """Members who fulfil every clause as far as the viewer may know it, a page at a time.

        The same question and `after` give the same page. A page that is not the last may have fewer than `limit`
        people, even none, when most of those looked at are kept apart from the viewer.
        """
        search = Search(self._connection)
        met = self._met()
        reach = self._reach(bool(met))
        found: list[Profile] = []
        for _ in range(max(1, SCANNED_AT_MOST // limit)):
            numbers = search.find(reach, clauses, after, limit)
            found += self._profiles(numbers, met) if numbers else ()
            after = numbers[-1] if len(numbers) == limit else None
            if after is None or len(found) >= limit // 2:
                break
        return Found(tuple(found), after)

    def facilitators(self) -> list[Profile]:
        """The cohort's facilitators: every member may know who they are."""
        numbers = self._connection.scalars(
            sa.select(member.c.id)
            .where(
                member.c.cohort_id == self._viewer.cohort_id,
                member.c.role == "facilitator",
                member.c.state.in_(LIVE),
            )
            .order_by(member.c.id)
            .limit(20)
        )
        return self.profiles(list(numbers))

    def roster(self, *, after: int = 0, limit: int = 20) -> list[tuple[Profile, str]]:
        """For facilitators: the cohort's people with their state, a page at a time; nobody for anybody else."""
        if not self._viewer.facilitator:
            return []
        found = self._connection.execute(
            sa.select(member.c.id, member.c.state)
            .where(
                member.c.cohort_id == self._viewer.cohort_id,
                member.c.role.in_(("fellow", "facilitator")),
                member.c.state.not_in(("left", "arriving")),
                member.c.id > after,
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

    def _reach(self, met: bool) -> Reach:
        if self._viewer.facilitator:
            return Reach(self._viewer.cohort_id, self._viewer.id, (COHORT, MET, FACILITATORS))
        scopes = (COHORT, *self._own().profile.coalitions)
        return Reach(self._viewer.cohort_id, self._viewer.id, scopes, met)

    def _seen(self, whole: Whole, *, met: bool) -> Profile | None:
        if whole.profile.id == self._viewer.id:
            return whole.profile
        if self._viewer.facilitator:
            return seen_by(whole, Audience.FACILITATORS)
        if whole.profile.facilitator:
            return Profile(id=whole.profile.id, name=whole.profile.name, facilitator=True)
        shared = not set(self._own().profile.coalitions).isdisjoint(whole.profile.coalitions)
        reach = reach_of(facilitator=False, met=met, shared_coalition=shared)
        seen = seen_by(whole, reach)
        if met:
            return seen
        if whole.other_name is None:  # else it may stand where nothing else may be seen
            return seen if is_visible(seen) else None
        return seen if is_present(whole, reach) else None

    def _load(self, numbers: Sequence[int], states: tuple[str, ...] | None = LIVE) -> dict[int, Whole]:
        found = self._connection.execute(_LOAD, {"numbers": numbers, "cohort": self._viewer.cohort_id})
        return {
            number: unpack(whole, preset)
            for number, whole, preset, state in found.all()
            if states is None or state in states
        }

    def _met(self) -> frozenset[int]:
        return frozenset(self._connection.scalars(_ALLIES, {"viewer": self._viewer.id}).all())

    def _apart_from(self, wholes: Sequence[Whole], but: int | None = None) -> set[int]:
        if self._viewer.facilitator or not wholes:
            return set()
        numbers = [whole.profile.id for whole in wholes]
        wishes = self._connection.execute(_WISHES, {"numbers": [*numbers, self._viewer.id]})
        rules = [Apart(*row) for row in wishes.all()]
        mine = _standing(self._own())
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
        return bool(
            self._connection.scalar(
                sa.select(consent.c.given).where(
                    consent.c.cohort_id == self._viewer.cohort_id,
                    consent.c.member_id == number,
                    consent.c.purpose == purpose,
                )
            )
        )


def is_present(whole: Whole, reach: Audience) -> bool:
    """Is there anything that somebody who stands this near may know? Another name alone makes nobody appear."""
    allowed = audiences(whole.preset, whole.own)
    of = whole.profile
    helps_topics = allowed["topics"] >= reach and any(one.topic for one in (*of.needs, *of.offers))
    return helps_topics or any(allowed[name] >= reach and getattr(of, name) for name in PRESENT)


def is_visible(seen: Profile) -> bool:
    """Does a profile, as somebody sees it, say anything?"""
    return any(getattr(seen, name) for name in PRESENT)


def _standing(whole: Whole) -> Standing:
    of = whole.profile
    return Standing(of.id, of.country, of.sector, of.side)

"""Projects of others, as far as one viewer may see them: a team's own, what looks for members, a facilitator's list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.profiles import Audience, Profile
from storage.base import Ordered
from storage.members import LIVE, member
from storage.prepared import Prepared
from storage.profiles import profile, visibility
from storage.projects import COHORT, COLUMNS, Project, project, project_key
from storage.teams import IN, project_member

if TYPE_CHECKING:
    from storage.access import Access, Viewer

LAST = "\U0010ffff"
OVERDUE, BLOCKED, OTHERS = "overdue", "blocked", "others"  # the order of a facilitator's list
_p, _m, _k = project.c, project_member.c, project_key.c
_TEAMS = Prepared(
    sa.select(*COLUMNS)
    .where(_p.cohort_id == sa.bindparam("cohort"), _p.state == "open", _p.member_id.is_(None))
    .order_by(_p.id)
    .limit(sa.bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Team:
    """The members of a team whom the viewer may see, and how many more there are."""

    shown: tuple[Profile, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a facilitator's list is narrowed to; None and False: to nothing."""

    coalition: str | None = None
    country: str | None = None
    overdue: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some projects of the list; `after` (section and number) continues it, None at the end."""

    projects: tuple[Project, ...]
    after: tuple[str, str] | None


class SharedProjects:
    """Bound to one viewer. A project that may not be seen and one that is not there are both None."""

    def __init__(self, connection: Connection, viewer: "Viewer", people: "Access") -> None:
        self._connection = connection
        self._viewer = viewer
        self._people = people

    def mine(self, number: int) -> Project | None:
        """A project in which the viewer works: their own, or one whose team they are in; with what they may change."""
        in_team = sa.exists().where(_m.project_id == _p.id, _m.member_id == self._viewer.id, _m.state == IN)
        return self._one(number, sa.or_(_p.member_id == self._viewer.id, sa.and_(_p.member_id.is_(None), in_team)))

    def found(self, number: int) -> Project | None:
        """A team's project that looks for members, if the viewer may know of it: title, goal and topics."""
        found = self._one(number, _p.member_id.is_(None), _p.looking.is_not(None), _p.state == "open")
        if found is None or not self._with_somebody([found]):
            return None
        if self._viewer.facilitator or found.looking == COHORT:
            return found
        return None if set(found.coalitions).isdisjoint(self._people.own().coalitions) else found

    def _with_somebody(self, some: Sequence[Project]) -> list[Project]:
        """Those in whose team the viewer is not, but somebody who is here, and from whom they are not kept apart.

        Else a project would show one who is locked or leaving, or whom its finder is never to find.
        """
        rows = self._connection.execute(
            sa.select(_m.project_id, _m.member_id)
            .join(member, member.c.id == _m.member_id)
            .where(_m.project_id.in_([one.id for one in some]), _m.state == IN, member.c.state.in_(LIVE))
        ).all()
        apart = self._people.kept_apart_from(sorted({row.member_id for row in rows}))
        there = {row.project_id for row in rows if row.member_id not in apart}
        already = {row.project_id for row in rows if row.member_id == self._viewer.id}
        return [one for one in some if one.id in there - already]

    def proposed(self, number: int) -> Project | None:
        """A project in whose team the viewer was asked to be."""
        asked = sa.exists().where(_m.project_id == _p.id, _m.member_id == self._viewer.id, _m.state == "proposed")
        return self._one(number, asked, _p.state == "open")

    def for_facilitators(self, number: int) -> Project | None:
        """A project as a facilitator may see it; None for anybody else, and for what its owner keeps to themselves."""
        return self._one(number, *self._shown_to_facilitators()) if self._viewer.facilitator else None

    def _one(self, number: int, *conditions: sa.ColumnElement[bool]) -> Project | None:
        here = (_p.cohort_id == self._viewer.cohort_id, _p.id == number)
        found = self._connection.execute(sa.select(*COLUMNS).where(*here, *conditions)).one_or_none()
        return None if found is None else Project(*found)

    def looking(self, kind: str, keys: Sequence[str], *, limit: int = 3) -> list[Project]:
        """Teams' projects that look for members and fit one of these keys (a word is a beginning)."""
        if not keys:
            return []
        values: dict[str, Any] = {"cohort": self._viewer.cohort_id, "kind": kind, "limit": limit}
        is_word, everywhere = kind == "word", self._viewer.facilitator
        values |= {"first": keys[0], "last": keys[0] + LAST} if is_word else {"keys": keys}
        if not everywhere:
            values["scopes"] = [COHORT, *self._people.own().coalitions]
        some = [Project(*row) for row in _looking(is_word, everywhere).all(self._connection, **values)]
        return self._with_somebody(some) if some else []

    def team(self, numbers: Sequence[int]) -> Team:
        """Members of one team as it sees them: as people see them who met. Others are counted, not shown."""
        shown = self._people.as_met([one for one in numbers if one != self._viewer.id])
        here = self._viewer.id in numbers
        return Team(tuple(shown), len(numbers) - len(shown) - here)

    def teams(self, limit: int) -> list[Project]:
        """For facilitators: open projects of teams, the earliest first; none for anybody else."""
        if not self._viewer.facilitator:
            return []
        found = _TEAMS.all(self._connection, cohort=self._viewer.cohort_id, limit=limit)
        return [Project(*row) for row in found]

    def listed(self, chosen: Chosen, today: date, after: tuple[str, str] | None = None, *, limit: int = 8) -> Page:
        """For facilitators: open projects, overdue ones first, then blocked ones, then all others; a page at a time."""
        if not self._viewer.facilitator:
            return Page((), None)
        sections = [OVERDUE, BLOCKED, OTHERS]
        section, at = after or (OVERDUE, "")
        found: list[Project] = []
        for one in sections[sections.index(section) :]:
            if _is_left_out(one, chosen):
                at = ""
                continue
            page = self._section(one, chosen, today, at, limit + 1 - len(found))
            found += page
            if len(found) > limit:
                last = found[limit - 1]
                return Page(tuple(found[:limit]), _cursor(last, today))
            at = ""
        return Page(tuple(found), None)

    def _section(self, section: str, chosen: Chosen, today: date, after: str, limit: int) -> list[Project]:
        late = _p.next_due < today
        on_time = sa.or_(_p.next_due.is_(None), _p.next_due >= today)
        here: list[sa.ColumnElement[bool]] = [_p.cohort_id == self._viewer.cohort_id, _p.state == "open"]
        order: tuple[Any, ...] = (_p.id,)
        if section == OVERDUE:
            here.append(late)
            order = (_p.next_due, _p.id)
            if after:
                day, _, number = after.partition(":")
                due = date.fromisoformat(day)
                here += [_p.next_due >= due, sa.or_(_p.next_due > due, _p.id > int(number))]
        else:
            here += [on_time, _p.blocked.is_(section == BLOCKED), _p.id > int(after or 0)]
        if chosen.blocked:
            here.append(_p.blocked.is_(True))
        here += [*self._shown_to_facilitators(), *_narrowed(chosen)]
        found = self._connection.execute(sa.select(*COLUMNS).where(*here).order_by(*order).limit(limit))
        return [Project(*row) for row in found]

    def _shown_to_facilitators(self) -> tuple[sa.ColumnElement[bool], ...]:
        """Not what its owner keeps to themselves, nor of people who are locked or leaving."""
        here = _state_of(_p.member_id).in_(LIVE)
        return (sa.or_(_p.member_id.is_(None), sa.and_(here, _is_shown("project", _p.member_id))),)


@cache
def _looking(is_word: bool, everywhere: bool) -> Prepared:
    """Projects that look for members: by the beginning of a word or by keys, in some scopes or in all."""
    fits: sa.ColumnElement[bool] = _k.key.in_(sa.bindparam("keys", expanding=True))
    if is_word:
        fits = sa.and_(_k.key >= sa.bindparam("first"), _k.key < sa.bindparam("last", type_=Ordered))
    reach = () if everywhere else (_k.scope.in_(sa.bindparam("scopes", expanding=True)),)
    numbers = (
        sa.select(_k.project_id)
        .where(_k.cohort_id == sa.bindparam("cohort"), _k.kind == sa.bindparam("kind"), fits, *reach)
        .distinct()
        .order_by(_k.project_id)
        .limit(sa.bindparam("limit"))
    )
    return Prepared(sa.select(*COLUMNS).where(_p.id.in_(numbers.scalar_subquery())).order_by(_p.id))


# Looked up row by row through the keys: a PostgreSQL that hashed an EXISTS would read the whole table for one page.
def _state_of(number: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.select(member.c.state).where(member.c.id == number).scalar_subquery()


def _is_shown(field: str, number: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """May facilitators see this field of a member: did the member not keep it to themselves?"""
    own = sa.select(visibility.c.audience).where(visibility.c.member_id == number, visibility.c.field == field)
    return sa.func.coalesce(own.scalar_subquery(), int(Audience.FACILITATORS)) != int(Audience.ME)


def _is_left_out(section: str, chosen: Chosen) -> bool:
    if chosen.overdue:
        return section != OVERDUE
    return chosen.blocked and section == OTHERS


def _cursor(last: Project, today: date) -> tuple[str, str]:
    if last.next_due is not None and last.next_due < today:
        return OVERDUE, f"{last.next_due.isoformat()}:{last.id}"
    return (BLOCKED if last.blocked else OTHERS), str(last.id)


def _narrowed(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if chosen.coalition is not None:
        # JSON as text: a list of slugs, in which no slug is a part of another with its quotes.
        found.append(sa.cast(_p.coalitions, sa.Text).contains(f'"{chosen.coalition}"', autoescape=True))
    if chosen.country is not None:
        team = sa.select(_m.member_id).where(
            _m.project_id == _p.id, _m.state == IN, _is_of(chosen.country, _m.member_id)
        )
        somebody = team.limit(1).correlate(project).scalar_subquery()
        found.append(sa.or_(_is_of(chosen.country, _p.member_id), somebody.is_not(None)))
    return found


def _is_of(country: str, number: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Is a member of this country, as far as facilitators may know?"""
    own = sa.select(profile.c.country).where(profile.c.member_id == number).scalar_subquery()
    return sa.and_(own == country, _is_shown("country", number))

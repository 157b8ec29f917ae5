"""How the questions of a week were answered, in numbers for facilitators; and who was silent, by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.cards import card, stuck
from storage.checkins import answer
from storage.members import account, member
from storage.milestones import STUCK, milestone, project_update
from storage.projects import project
from storage.recurring import occurrence, schedule

LOOKS_BACK = timedelta(days=35)  # late answers to windows that closed before


@dataclass(frozen=True, slots=True)
class Wave:
    """The windows that closed in a week: people, not questions. `late` came after their window, in this week."""

    asked: int
    answered: int
    skipped: int
    silent: int
    silent_twice: int
    late: int


_a = answer.c


class Waves:
    """Counted over everybody at once; whoever is away, left or cannot be reached is not counted as silent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _each(self, cohort_id: int, since: datetime, until: datetime) -> sa.Subquery:
        """One row a member who was asked: did they answer or skip anything, and were they silent before?"""
        # With a limit, so that it is looked up for each of them; else PostgreSQL reads every account first.
        place = sa.select(account.c.id).where(account.c.member_id == member.c.id, account.c.reachable).limit(1)
        reachable = place.correlate(member).scalar_subquery().is_not(None)
        before, said = answer.alias("before"), answer.alias("said")
        last_window = (
            sa.select(sa.func.max(before.c.closes_at))
            .where(before.c.member_id == member.c.id, before.c.closes_at <= since)
            .correlate(member)
            .scalar_subquery()
        )
        spoke = sa.exists().where(
            said.c.member_id == member.c.id,
            said.c.closes_at == last_window,
            sa.or_(said.c.answered_at.is_not(None), said.c.skipped_at.is_not(None)),
        )
        spoke_on_card = sa.exists().where(
            card.c.member_id == member.c.id, card.c.closes_at == last_window, card.c.answered_at.is_not(None)
        )
        silent_before = sa.and_(last_window.is_not(None), ~spoke, ~spoke_on_card)
        skipped = sa.func.max(_a.skipped_at)
        # Somebody who only said how their promise stands has answered too.
        on_card = (
            sa.select(sa.func.max(card.c.answered_at))
            .where(card.c.member_id == member.c.id, card.c.closes_at > since, card.c.closes_at <= until)
            .correlate(member)
            .scalar_subquery()
        )
        answered = sa.func.coalesce(sa.func.max(_a.answered_at), sa.case((skipped.is_(None), on_card)))
        return (
            sa.select(
                member.c.id,
                answered.label("answered"),
                skipped.label("skipped"),
                silent_before.label("silent_before"),
            )
            .join_from(answer, member, member.c.id == _a.member_id)
            .where(_a.cohort_id == cohort_id, _a.closes_at > since, _a.closes_at <= until)
            .group_by(member.c.id, member.c.state)
            .having(sa.or_(sa.and_(member.c.state == "active", reachable), answered.is_not(None)))
            .subquery()
        )

    def of_week(self, cohort_id: int, since: datetime, until: datetime) -> Wave:
        """The windows that closed after `since` and by `until`, in one query."""
        each = self._each(cohort_id, since, until)
        silent = sa.and_(each.c.answered.is_(None), each.c.skipped.is_(None))
        late = (
            sa.select(sa.func.count())
            .where(
                _a.cohort_id == cohort_id,
                _a.closes_at > since - LOOKS_BACK,
                _a.closes_at <= until,
                _a.answered_at > _a.closes_at,
                _a.answered_at > since,
            )
            .scalar_subquery()
        )
        found = self._connection.execute(
            sa.select(
                sa.func.count(),
                sa.func.count(each.c.answered),
                sa.func.count().filter(each.c.answered.is_(None), each.c.skipped.is_not(None)),
                sa.func.count().filter(silent),
                sa.func.count().filter(silent, each.c.silent_before),
                late,
            ).select_from(each)
        ).one()
        return Wave(*found)

    def silent(
        self, cohort_id: int, since: datetime, until: datetime, *, after: int = 0, limit: int = 10
    ) -> list[tuple[int, bool]]:
        """Who was asked and said nothing, as (member, also the time before), by number."""
        each = self._each(cohort_id, since, until)
        found = self._connection.execute(
            sa.select(each.c.id, each.c.silent_before)
            .where(each.c.answered.is_(None), each.c.skipped.is_(None), each.c.id > after)
            .order_by(each.c.id)
            .limit(limit)
        )
        return [(number, bool(twice)) for number, twice in found]

    def stuck(self, cohort_id: int, told_to: int, limit: int = 20) -> list[int]:
        """Who is stuck and wanted this facilitator to know, the newest last: with a promise, then with a project."""
        with_promise = self._connection.scalars(
            sa.select(stuck.c.member_id)
            .where(stuck.c.told_to == told_to, stuck.c.closed_at.is_(None))
            .order_by(stuck.c.id)
            .limit(limit)
        ).all()
        return list(dict.fromkeys([*with_promise, *self._stuck_in_project(cohort_id, limit)]))

    def _stuck_in_project(self, cohort_id: int, limit: int) -> Sequence[int]:
        """Whose words about a milestone that is still stuck all facilitators may read; the newest words count."""
        said, newest = project_update.c, project_update.alias("newest").c
        last = (
            sa.select(sa.func.max(newest.id))
            .where(newest.milestone_id == milestone.c.id, newest.kind == STUCK)
            .correlate(milestone)
            .scalar_subquery()
        )
        return self._connection.scalars(
            sa.select(said.member_id)
            .select_from(project)
            .join(milestone, milestone.c.project_id == project.c.id)
            .join(project_update, said.id == last)
            .where(project.c.cohort_id == cohort_id, project.c.state == "open", project.c.blocked.is_(True))
            .where(milestone.c.blocked.is_(True), milestone.c.dropped.is_(False))
            .where(said.told.is_(True), said.member_id.is_not(None))
            .order_by(said.id)
            .limit(limit)
        ).all()

    def asked_late(self, cohort_id: int, name: str, since: date) -> int:
        """How many questions of this route left late since a day."""
        return (
            self._connection.scalar(
                sa.select(sa.func.count())
                .join_from(schedule, occurrence, occurrence.c.schedule_id == schedule.c.id)
                .where(
                    schedule.c.cohort_id == cohort_id,
                    schedule.c.name == name,
                    occurrence.c.local_date >= since.isoformat(),
                    occurrence.c.late,
                )
            )
            or 0
        )

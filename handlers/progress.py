"""What progress is called in plain words, and the milestones that a weekly card may ask about, each of them once.

For another feature that asks a question anyway (a check-in, the weekly card): `milestone_due` names the milestone to
ask about, `asked` notes that it was, `advance` and `take_answer` store what was answered. Nothing else is needed, and
the kind question after a day has passed (`handlers.overdue`) is then not asked again.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.core.replies import Say, When, t
from bot.domain.progress import ORDER, Status, following, is_overdue
from storage import UnitOfWork
from storage.members import Member
from storage.milestones import STUCK, UNSTUCK, Milestone

SOON = timedelta(days=7)
PLAIN: dict[Status, Say] = {
    Status.NOT_STARTED: t("not started"),
    Status.LIMITED: t("begun"),
    Status.SUBSTANTIAL: t("more than half"),
    Status.COMPLETE: t("done"),
}
# The completion words of OGP's Independent Reporting Mechanism.
OGP: dict[Status, Say] = {
    Status.NOT_STARTED: t("not started"),
    Status.LIMITED: t("limited"),
    Status.SUBSTANTIAL: t("substantial"),
    Status.COMPLETE: t("complete"),
}


def both_words(status: Status) -> Say:
    """A status in plain words, OGP's word beside it."""
    return t("{plain} (in OGP's words, self-reported: {word})", plain=PLAIN[status], word=OGP[status])


def today_of(now: datetime, time_zone: str) -> date:
    """The day that it is for somebody."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def day(of: date, today: date, time_zone: str) -> Say:
    """A day in words; with its year when that is not clear."""
    noon = datetime.combine(of, time(12), tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    shown = When(noon)
    return t("{day} {year}", day=shown, year=str(of.year)) if abs(of - today) > timedelta(days=300) else shown


def state(of: Milestone, today: date, time_zone: str) -> Say:
    """Where a milestone stands, in one line."""
    if of.dropped:
        return t("dropped")
    said = PLAIN[of.status]
    if of.status is Status.COMPLETE:
        return said
    if of.due is not None:
        when = day(of.due, today, time_zone)
        said = (
            t("{status}; it was due on {day}", status=said, day=when)
            if is_overdue(of.step, today)
            else t("{status}; due on {day}", status=said, day=when)
        )
    return t("{status}; stuck", status=said) if of.blocked else said


def milestone_due(store: UnitOfWork, of: Member, now: datetime) -> Milestone | None:
    """The milestone to ask a member about: open, not stuck, due within a week, never asked about its day.

    Those of the week that is over are `handlers.overdue`'s; older ones can only be what nobody was there to ask about.
    """
    today = today_of(now, of.time_zone)
    mine = [one for one in store.milestones.open_of(of.id) if _is_to_ask(one, of) and one.due is not None]
    return next(
        (one for one in mine if one.due and one.due <= today + SOON and not today - SOON <= one.due < today), None
    )


def _is_to_ask(one: Milestone, of: Member) -> bool:
    """In a team one person is asked: whoever wrote the milestone."""
    return not one.blocked and one.asked_at is None and one.written_by == of.id


def asked(store: UnitOfWork, one: Milestone, now: datetime) -> bool:
    """Note that a milestone is asked about; False when it was before, and then it is not asked."""
    return store.milestones.ask(one.id, now)


def advance(store: UnitOfWork, of: Member, one: Milestone, now: datetime, to: Status | None = None) -> Status | None:
    """One step on, or to a status; the history keeps it. None when it is done already, or no longer stood there."""
    after = to or following(one.status)
    if after is None or after is one.status or not store.milestones.advance(one.id, one.status, after):
        return None
    store.milestones.tell(of.cohort_id, one.project_id, of.id, after.value, now, milestone_id=one.id)
    return after


def take_answer(
    store: UnitOfWork, of: Member, one: Milestone, answer: Literal["done", "moving", "stuck"], now: datetime
) -> Status | None:
    """What was answered about a milestone in a check-in; returns its new status, None when that did not change.

    Moving is one step on, but never done by itself; what moves is no longer stuck.
    """
    if answer == "stuck":
        store.milestones.change(one.id, blocked=True)
        store.milestones.tell(of.cohort_id, one.project_id, of.id, STUCK, now, milestone_id=one.id, told=False)
        return None
    if one.blocked:
        store.milestones.change(one.id, blocked=False)
        store.milestones.tell(of.cohort_id, one.project_id, of.id, UNSTUCK, now, milestone_id=one.id)
    if answer == "done":
        return advance(store, of, one, now, Status.COMPLETE)
    return advance(store, of, one, now) if one.status in ORDER[:2] else None


def open_ones(some: Iterable[Milestone]) -> list[Milestone]:
    """Those that are still to do."""
    return [one for one in some if one.step.is_open]

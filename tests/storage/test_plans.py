"""No claim, look-up or search reads a whole table: the plans that both databases make, with enough rows to choose."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.progress import Status
from storage import Store, UnitOfWork, prepared
from storage.access import Viewer
from storage.audiences import Recipients
from storage.base import metadata
from storage.lanes import Taken
from storage.search import Clause, key_row
from storage.shared_projects import Chosen
from tests.storage.people import DAY, HOUR, LANE, NOW, new_cohort, new_member

MANY = 4000
SMALL = {
    "cohort",
    "lane",
    "meta",
    "outage",
    "CONSTANT",
    "json_each",
}  # few rows, none, or a list that was given
DAY_ONE = date(2026, 11, 23)
Plan = tuple[str, list[str]]
ASKED = count()
KEYS = (number.to_bytes(16) for number in count(2**64))
STATES = ("sent",) * 40 + ("failed", "cancelled", "in_doubt", "held", "queued")


def fill(unit: UnitOfWork) -> tuple[int, list[int]]:
    """A cohort with rows in every table, most of them of no interest to any claim."""
    cohort = new_cohort(unit)
    first = new_member(unit, cohort).id + 1
    everybody = range(first, first + MANY)

    def add(table: str, make: Callable[[int], dict[str, Any]]) -> None:
        of = metadata.tables[table]
        shared = {"cohort_id": cohort} if "cohort_id" in of.c else {}
        unit.connection.execute(sa.insert(of), [shared | make(number) for number in everybody])

    def other(number: int) -> int:
        return first + (number * 7 + 1) % MANY

    def staff_or_fellow(n: int) -> str:
        return "facilitator" if n % 500 == 0 else "fellow"

    add("member", lambda n: {"id": n, "role": staff_or_fellow(n), "state": "paused" if n % 100 == 0 else "active",
        "language": "en", "time_zone": "UTC", "preset": "careful", "created_at": NOW, "paused_until": NOW + n * HOUR,
        "invited_by": None, "trusted_id": None})  # fmt: skip
    elsewhere = new_cohort(unit)
    others = [
        {
            "id": first + MANY + n,
            "cohort_id": elsewhere,
            "role": "fellow",
            "state": "left",
            "language": "en",
            "time_zone": "UTC",
            "created_at": NOW,
        }
        for n in range(5 * MANY)
    ]
    unit.connection.execute(sa.insert(metadata.tables["member"]), others)
    add("account", lambda n: {"member_id": n, "platform": "console", "installation": "test", "external_id": f"U{n}",
        "conversation": f"dm:U{n}", "preferred": True, "created_at": NOW})  # fmt: skip
    add("portrait", lambda n: {"member_id": n, "whole": {"profile": {"id": n, "needs": [], "offers": [], "name": "x",
        "country": "ID"}, "other_name": None, "own": {}}})  # fmt: skip
    for kind, keys in (("topic", 40), ("country", 4), ("word", 300), ("coalition", 5)):
        for scope in ("citizens", "donors", "met"):
            add("search_key", lambda n, kind=kind, keys=keys, scope=scope: key_row(  # type: ignore[misc]
                cohort, n, kind, f"{'abcdefgh'[n % 8]}open{(n * 13) % keys}", scope))  # fmt: skip
    add("content", lambda n: {"language": "en", "body": {"text": "x"} if n % 50 == 0 else None, "created_at": NOW})
    contents = unit.connection.scalars(sa.select(metadata.tables["content"].c.id)).all()
    add("outbox", lambda n: {"content_id": contents[n % 40] if n % 7 == 0 else None, "counted": n % 3 == 0,
        "sending_at": NOW - n * HOUR, "released": n % 2 == 0, "idem": f"i{n}", "key": n.to_bytes(16),
        "lane": LANE, "conversation": f"dm:U{n % 900}",
        "member_id": None if n % 97 == 0 else other(n), "class": "once", "kind": "message", "priority": n % 4,
        "body": {"text": "x"} if n % 5 == 4 else None, "cause": "c", "on_behalf": other(n) if n % 50 == 0 else None,
        "state": STATES[n % len(STATES)], "due_at": NOW + (n % 9 - 8) * HOUR, "created_at": NOW,
        "settled_at": NOW - DAY, "doubt_since": NOW, "lane_gen": 1})  # fmt: skip
    seqs = unit.connection.scalars(sa.select(metadata.tables["outbox"].c.seq)).all()
    about = [{"outbox_seq": seq, "member_id": first + (at + 1) % MANY} for at, seq in enumerate(seqs)]
    unit.connection.execute(sa.insert(metadata.tables["outbox_about"]), about)
    add("timer", lambda n: {"member_id": n, "name": "remind", "object": n, "due_at": NOW + n * HOUR})
    add("dialog", lambda n: {"member_id": n, "form": "f", "about": {}, "answers": {}, "field": "x", "version": 1,
        "parked": n % 2 == 0, "expires_at": NOW + n * HOUR})  # fmt: skip
    add("introduction", lambda n: {"asker_id": n, "other_id": other(n), "state": "closed", "asked_at": NOW,
        "closes_at": NOW, "closed_at": NOW})  # fmt: skip
    add("ask", lambda n: {"id": n, "member_id": n, "state": "open", "asked_at": NOW, "times": 1})
    add("asked", lambda n: {"ask_id": n, "member_id": other(n), "asked_at": NOW, "state": "waiting"})
    add("ally", lambda n: {"member_id": n, "other_id": other(n), "since": NOW})
    add("apart", lambda n: {"member_id": n, "other_id": other(n)})
    add("consent", lambda n: {"member_id": n, "purpose": ("introductions", "questions")[n % 2], "version": 1,
        "language": "en", "given": True, "at": NOW})  # fmt: skip
    add("profile", lambda n: {"member_id": n, "name": "x"})
    for column in ("topic", "coalition", "language"):
        add(f"member_{column}", lambda n, column=column: {"member_id": n, column: "x", "place": 0})  # type: ignore[misc]
    add("wish", lambda n: {"member_id": n, "kind": "need"})
    add("visibility", lambda n: {"member_id": n, "field": "name", "audience": 1})
    add("project", lambda n: {"id": n, "member_id": None if n % 10 == 0 else n, "title": "x", "topics": [],
        "coalitions": ["citizens"] if n % 5 == 0 else [], "state": "open" if n % 9 else "closed",
        "blocked": n % 50 == 0, "next_due": NOW.date() + (n % 400 - 20) * DAY if n % 3 else None,
        "looking": "cohort" if n % 20 == 0 else None})  # fmt: skip
    add("project_key", lambda n: {"kind": ("topic", "word")[n % 2], "key": f"aopen{n % 60}", "scope": "cohort",
        "project_id": n})  # fmt: skip
    add("project_member", lambda n: {"project_id": max(first, n - n % 10), "member_id": n, "at": NOW,
        "state": ("in", "in", "proposed", "wants")[n % 4], "proposed_by": other(n)})  # fmt: skip
    add("milestone", lambda n: {"id": n, "project_id": n, "written_by": other(n), "title": "x", "status": "limited",
        "blocked": False, "dropped": False})  # fmt: skip
    add("project_update", lambda n: {"project_id": n, "milestone_id": n, "member_id": other(n), "kind": "changed",
        "told": True, "at": NOW})  # fmt: skip
    add("broadcast", lambda n: {"id": n, "sender_id": other(n), "kind": "message", "audience": "all", "timing": "now",
        "state": ("draft", "out", "out")[n % 3], "answer": ("none", "none", "buttons")[n % 3], "created_at": NOW,
        "root_id": n - 1 if n % 9 == 0 else None})  # fmt: skip
    add("broadcast_part", lambda n: {"broadcast_id": n, "language": "en", "time_zone": "", "content_id": n})
    add("broadcast_answer", lambda n: {"broadcast_id": first + n % 7, "member_id": n, "choice": n % 3, "at": NOW})
    add("watch", lambda n: {"member_id": n, "kind": "topic", "key": f"aopen{n % 40}", "created_at": NOW})
    add("invite", lambda n: {"code_hash": n.to_bytes(32), "role": "fellow", "uses": n % 20 == 0, "prefilled": {},
        "expires_at": NOW + (n - first - 3000) * HOUR, "invited_by": other(n), "for_member": n,
        "created_at": NOW})  # fmt: skip
    found = unit.connection.scalars(sa.select(metadata.tables["invite"].c.id)).all()
    uses = [{"invite_id": invite, "member_id": first + at} for at, invite in enumerate(found)]
    unit.connection.execute(sa.insert(metadata.tables["invite_use"]), uses)
    add("inbox", lambda n: {"source": "console:test", "external_id": f"e{n}", "received_at": NOW + n * HOUR,
        "state": "done"})  # fmt: skip
    add("audit", lambda n: {"actor_id": first, "about_id": n, "action": "people.look", "at": NOW + n * HOUR})
    add("report", lambda n: {"reporter_id": n, "to_id": other(n), "text": "x", "at": NOW})
    add("schedule", lambda n: {"id": n, "name": f"ask{n % 50}", "object": n, "rrule": "FREQ=DAILY",
        "local_time": "09:00", "starts": "2026-11-23", "on_holidays": False, "paused": False,
        "created_at": NOW})  # fmt: skip
    add("schedule_zone", lambda n: {"schedule_id": n, "time_zone": "UTC", "next_at": NOW + n * HOUR,
        "next_date": "2026-11-24", "asked_to": 0})  # fmt: skip
    add("occurrence", lambda n: {"schedule_id": first + n % 5, "local_date": f"2026-11-{n % 20 + 1:02}", "member_id": n,
        "late": False, "due_at": NOW + n * HOUR if n % 50 == 0 else None, "tries": 0})  # fmt: skip
    add(
        "missed_date",
        lambda n: {"schedule_id": n, "time_zone": "UTC", "local_date": "2026-11-20", "at": NOW + n * HOUR},
    )
    add(
        "holiday",
        lambda n: {"country": "ID", "day": f"day {n}", "name": "x", "changed_by": other(n), "changed_at": NOW},
    )
    fill_checkins(add, first, other)
    add("throttle", lambda n: {"subject": f"s{n}", "kind": "code", "since": NOW, "count": 1})
    return cohort, list(everybody)


def fill_checkins(
    add: Callable[[str, Callable[[int], dict[str, Any]]], None], first: int, other: Callable[[int], int]
) -> None:
    """Check-ins, cards and what is said on them, so that an erasure has something to look for."""
    add("checkin", lambda n: {"id": n, "maker_id": other(n), "state": "running", "revision": 1, "words": "x",
        "answer": "text", "options": [], "readers": "facilitators", "audience": {}, "rhythm": {},
        "created_at": NOW})  # fmt: skip
    add("question", lambda n: {"id": n, "checkin_id": n, "revision": 1, "slug": "", "answer": "text", "options": [],
        "readers": "facilitators", "maker_id": other(n)})  # fmt: skip
    add("answer", lambda n: {"member_id": n, "checkin_id": first + n % 30, "question_id": first + n % 30,
        "on_date": "2026-11-30", "asked_at": NOW, "closes_at": NOW})  # fmt: skip
    add("card", lambda n: {"member_id": n, "week": "2026-11-30", "parts": [], "opens_at": NOW, "closes_at": NOW})
    add("promise", lambda n: {"member_id": n, "words": "x", "state": "open", "made_at": NOW})
    add("stuck", lambda n: {"member_id": n, "what": "x", "readers": "self", "opened_at": NOW, "told_to": other(n)})
    add("silence", lambda n: {"member_id": n, "unanswered": 0, "state": "usual", "rested": False, "chosen": False})
    add("talk", lambda n: {"introduction_id": n, "member_id": n, "other_id": other(n), "ask_from": NOW, "times": 0})


@contextmanager
def plans(unit: UnitOfWork) -> Iterator[list[Plan]]:
    """The plan of every statement that runs inside, as this database would make it."""
    said: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        said.append((statement, values[0] if many and isinstance(values, list) else values))

    past_sqlalchemy = prepared.on_driver

    def hear_too(connection: sa.Connection, sql: str, values: Any) -> Any:
        said.append((sql, tuple(values) if isinstance(values, list) else values))
        return past_sqlalchemy(connection, sql, values)

    found: list[Plan] = []
    sa.event.listen(unit.connection, "before_cursor_execute", hear)
    prepared.on_driver = hear_too
    try:
        yield found
    finally:
        sa.event.remove(unit.connection, "before_cursor_execute", hear)
        prepared.on_driver = past_sqlalchemy
    # With a number: SQLite would tell an old plan again, of other rows, if it were asked in the same words.
    explain = f"EXPLAIN QUERY PLAN /* {next(ASKED)} */ " if unit.connection.dialect.name == "sqlite" else "EXPLAIN "
    if explain == "EXPLAIN ":  # on a solid disk, as databases have; else twenty look-ups seem dearer than so few rows
        unit.connection.exec_driver_sql("SET LOCAL random_page_cost = 1.1")
    for statement, values in said:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            rows = unit.connection.exec_driver_sql(explain + statement, values).all()
            found.append((statement, [str(row[-1]) for row in rows]))


def whole_tables(plan: list[str]) -> list[str]:
    """The tables that a plan reads from end to end."""
    found = []
    for line in plan:
        read = re.search(r"^SCAN (\w+)|Seq Scan on (\w+)", line.strip())
        name = (read[1] or read[2]) if read else ""
        if name and not name.startswith("anon_") and name not in SMALL:
            found.append(line.strip())
    return found


def outbox(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    taken = unit.lanes.take(LANE, "me", NOW)
    assert isinstance(taken, Taken)
    gen = taken.held.gen
    claimed = unit.claims.claim(LANE, gen, NOW, 30).taken
    assert claimed
    unit.claims.settle(claimed[0].row.seq, gen, "sent", NOW, ref="r")
    unit.outbox.change(claimed[0].row.seq, idem="x", key=bytes(16), body={}, cause="c", now=NOW)
    assert unit.claims.doubtful(LANE, NOW)
    assert unit.claims.release_due(NOW)
    unit.outbox.by_key(bytes(16))
    unit.outbox.newest(claimed[0].row.seq)
    unit.outbox.arrived(claimed[1].row.seq, NOW)
    unit.outbox.cancel_about(some[0], NOW)
    unit.outbox.cancel_to(some[1], NOW)
    unit.outbox.wipe_to(some[2])
    unit.outbox.wipe(NOW - 7 * DAY, 100)


def watched(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    """Figures for operators are asked for every few seconds, also while many rows wait."""
    found = unit.backlog.heaps(NOW)
    assert {heap.state for heap in found} == {"queued", "held", "in_doubt"}
    assert unit.backlog.doubted(LANE, NOW + DAY)
    assert unit.backlog.in_doubt()
    assert unit.backlog.ended("failed", NOW - 2 * DAY)
    assert unit.backlog.newest_ended("failed", NOW - 2 * DAY)
    assert unit.members.facilitators_accounts()
    unit.unreached.begins(7, NOW)
    unit.unreached.tell_at("tell", dict.fromkeys(unit.unreached.to_tell(1, but=7), NOW))
    unit.unreached.count(1, NOW - DAY, NOW, but=7)
    unit.unreached.some(1, NOW - DAY, NOW, but=7, limit=11)


def told_to_many(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    first = unit.connection.scalar(sa.select(sa.func.min(metadata.tables["content"].c.id))) or 0
    of = range(first, first + 40)
    assert unit.contents.states(of)["sent"]
    assert unit.contents.body(of[0]) is None
    for step in (unit.contents.release, unit.contents.cancel_of):
        assert step(of, 0, 50, NOW).count
    assert unit.contents.unsay_of(of, 0, 5, NOW, key=lambda: next(KEYS), cause="c").count
    unit.contents.forget(NOW + DAY)


def members(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    assert unit.members.recognise("console", "test", f"U{some[0]}")
    assert unit.members.lock(some[0])
    assert unit.members.where(some[0])
    assert unit.members.facilitators(cohort)
    unit.members.ended_pauses(NOW - 7 * DAY, 10)
    unit.members.change(some[0], preset="open")
    unit.members.moved("console", "test", f"U{some[0]}", "dm:new")
    unit.members.count_try("s1", "code", NOW, 3600)
    unit.dialogs.open_of(some[1], NOW)
    unit.dialogs.begin(some[0], "g", {}, {}, "x", NOW)
    unit.inbox.accept("console:test", "new", NOW)
    unit.inbox.ack("console:test", "e5")
    unit.inbox.forget(NOW)
    unit.audit.looks_at(some[0])
    unit.schedules.due(NOW + (some[0] + 5) * HOUR, 20)
    unit.schedules.cancel(some[0], ("remind",), 4)
    unit.schedules.next_of(some[0], "remind")


def introductions(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    one, other = some[0], some[1]
    unit.introductions.open_of(one)
    unit.introductions.waiting_for(one, NOW)
    unit.introductions.received_since(one, NOW)
    unit.introductions.latest_between(one, other)
    unit.introductions.close_all(one, NOW)
    unit.introductions.allies_of(one)
    unit.introductions.are_allies(one, some[:30])
    unit.introductions.part(one, other)
    unit.asks.open_of(one)
    unit.asks.receivers(4)
    unit.asks.askable(cohort, some[:30], NOW)
    unit.asks.settle(4, other, "helping")
    unit.asks.close_all(one)
    unit.invites.find(one.to_bytes(32), NOW)
    unit.invites.used_by(one.to_bytes(32), one)
    unit.invites.prefilled_for(one)
    unit.invites.give_back(one)
    unit.invites.revoke_for(one)
    unit.invites.begin_again([one.to_bytes(32)], NOW)
    unit.invites.adopt(1, one)
    unit.invites.could_not_be_told(LANE, f"dm:U{one % 900}")
    unit.members.known_among("console", "test", [f"U{one}"])
    unit.homes.stands(one, "home:U1")
    unit.homes.last_said(one)
    unit.invites.open_in(cohort, NOW + (MANY - 3100) * HOUR)


def search(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    topic, country = Clause("topic", ("aopen1", "bopen2")), Clause("country", ("aopen1",))
    frequent, rare = Clause("word", ("aop",)), Clause("word", ("aopen29",))
    portrait = metadata.tables["portrait"]
    mine = {"id": some[900], "coalitions": ["citizens", "donors"], "needs": [], "offers": []}
    whole = {"profile": mine, "other_name": None, "own": {}}
    unit.connection.execute(sa.update(portrait).where(portrait.c.member_id == some[900]).values(whole=whole))
    for viewer in (Viewer(some[900], cohort), Viewer(some[900], cohort, facilitator=True)):
        people = unit.people(viewer)
        for clauses in ([topic], [country], [frequent], [rare], [topic, country], [country, frequent], [rare, topic]):
            people.find(clauses)
        people.profiles(some[:30])
        people.may_bring_together(some[5])
        people.agreed_to(some[5], "introductions")
        people.facilitators()
        people.roster(after=some[50])
        people.roster(after=some[50], locked=True)
        people.called(("aop",), limit=10)
    unit.search.watchers(some[0])
    unit.search.watched(some[0])
    unit.search.unwatch(some[0])


def projects(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    one, team = some[3], next(number for number in some if number % 20 == 0 and number % 9)
    unit.projects.all_mine(one)
    unit.projects.some(some[:20])
    unit.projects.change(team, looking="cohort")
    unit.teams.of(one)
    unit.teams.of_all(some[:8])
    unit.teams.waiting(team)
    unit.teams.proposals(one)
    unit.teams.wants_of(one)
    unit.teams.decline(team, one)
    unit.milestones.open_of(one)
    unit.milestones.of_all(some[:20])
    unit.milestones.advance(one, Status.LIMITED, Status.COMPLETE)
    unit.milestones.ask(one, NOW)
    unit.milestones.history(one, before=10**9)
    unit.milestones.latest(one, "stuck")
    unit.milestones.hand_over(team, one, None)
    for viewer in (Viewer(some[900], cohort), Viewer(some[900], cohort, facilitator=True)):
        shared = unit.people(viewer).projects
        for number in (one, team):
            shared.mine(number)
            shared.found(number)
            shared.proposed(number)
            shared.for_facilitators(number)
        shared.looking("topic", ["aopen1", "aopen3"])
        shared.looking("word", ["aop"])
        shared.team(some[:20])
        today = NOW.date()
        for chosen in (Chosen(), Chosen("citizens", "ID"), Chosen(overdue=True), Chosen(blocked=True)):
            page = shared.listed(chosen, today)
            if page.after is not None:
                shared.listed(chosen, today, page.after)
            shared.listed(chosen, today, ("others", str(one)))
    unit.projects.erase(one)


def messages(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    sender, earlier = some[900], some[1]
    audiences = {"all": "", "coalition": "x", "topic": "x", "country": "ID", "sector": "x", "project": str(some[0]),
                 "silent": str(earlier), "coming": str(earlier)}  # fmt: skip
    for kind, key in audiences.items():
        for asks in (False, True):
            of = Recipients(cohort=cohort, sender=sender, kind=kind, key=key, asks=asks)
            unit.broadcasts.next_recipients(of, some[50], 20)
    assert unit.broadcasts.get(some[0], cohort)
    assert len(unit.broadcasts.page(cohort, some[3000], 9)) == 9
    assert unit.broadcasts.asking(cohort, 5)
    unit.broadcasts.change(some[0], shown="x")
    unit.broadcasts.discard(some[0])
    unit.broadcasts.parts(some[0])
    unit.broadcasts.row_of(some[0], some[1])
    unit.broadcasts.arrived(some[0], some[1], NOW)
    unit.broadcasts.send_again(range(1, 20), 50, NOW)
    assert unit.broadcasts.answers.counts(earlier)
    assert unit.broadcasts.answers.page(earlier, some[20], 10, choice=1)
    assert unit.broadcasts.answers.page(earlier, some[20], 10)
    unit.people(Viewer(sender, cohort, facilitator=True)).projects.teams(20)


def schedules(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    claim = unit.recurring.claim(NOW + (some[0] + 30) * HOUR)
    assert claim is not None
    page = unit.recurring.page(replace(claim, asked_to=some[-100]), 50, closed=("ID",))
    assert page
    agreed = replace(claim.schedule, role="fellow", purpose="introductions")
    assert unit.recurring.page(replace(claim, schedule=agreed, asked_to=some[-100]), 50)
    unit.recurring.take(claim.schedule, claim.fire.key, page, late=False)
    unit.recurring.put_off(claim.schedule.id, claim.fire.key, [page[0].member.id], NOW)
    unit.recurring.go_on(claim, page[-1].member.id)
    waiting = unit.recurring.waiting(NOW + (some[0] + 200) * HOUR, 20)
    assert waiting
    unit.recurring.again(waiting[0])
    unit.recurring.asked(claim.schedule.id, claim.fire.key)
    unit.recurring.count(claim.schedule.id, claim.fire.key)
    assert unit.recurring.of(cohort, "ask7")
    unit.recurring.of(cohort, "ask7", some[7])
    unit.recurring.missed_since(cohort, NOW + (some[-1] - 20) * HOUR)
    unit.recurring.pause(some[3])
    unit.recurring.resume(some[3])
    unit.recurring.drop(some[4])
    unit.holidays.forget_change(cohort, "ID", DAY_ONE)


def moving(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    """A cohort with as few schedules as cohorts have."""
    mover = unit.members.recall(some[-1] + 1)
    assert mover is not None
    values = {"id": 10**6, "cohort_id": mover.cohort_id, "name": "ask", "rrule": "FREQ=DAILY", "local_time": "09:00",
        "starts": "2026-11-23", "on_holidays": False, "paused": False, "created_at": NOW}  # fmt: skip
    unit.connection.execute(sa.insert(metadata.tables["schedule"]), values)
    for zone in ("Asia/Jakarta", "Asia/Manila", "Asia/Jakarta"):
        unit.members.change(mover.id, time_zone=zone)


def erasing(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    unit.privacy.own_data(some[3])
    unit.privacy.erase(some[3])


@pytest.fixture
def full_store(store: Store) -> tuple[Store, int, list[int]]:
    """A store with enough rows that reading whole tables would be the dearer plan."""
    cohort, some = store.now(fill)
    store.now(lambda unit: unit.connection.exec_driver_sql("ANALYZE").close())
    return store, cohort, some


def test_nothing_reads_a_whole_table(full_store: tuple[Store, int, list[int]]) -> None:
    store, cohort, some = full_store
    for act in (
        watched,
        outbox,
        told_to_many,
        members,
        introductions,
        search,
        projects,
        messages,
        schedules,
        moving,
        erasing,
    ):

        def job(unit: UnitOfWork, act: Callable[[UnitOfWork, int, list[int]], None] = act) -> list[Plan]:
            with plans(unit) as found:
                act(unit, cohort, some)
            return found

        found = store.now(job)
        assert len(found) >= 10
        bad = [(statement, plan) for statement, plan in found if whole_tables(plan)]
        assert not bad, "\n\n".join("\n".join([statement, *plan]) for statement, plan in bad)


def test_a_whole_table_is_recognised(store: Store) -> None:
    def job(unit: UnitOfWork) -> list[Plan]:
        with plans(unit) as found:
            unit.connection.execute(sa.text("SELECT * FROM outbox WHERE last_error = 'x'")).all()
        return found

    found = store.now(job)
    assert all(whole_tables(plan) for _, plan in found), found


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_search_on_sqlite_needs_no_statistics(store: Store) -> None:
    """A small programme never runs ANALYZE: the statements must leave no other choice."""

    def job(unit: UnitOfWork) -> list[Plan]:
        cohort = new_cohort(unit)
        some = [new_member(unit, cohort, account=False).id] * 1000
        with plans(unit) as found:
            search(unit, cohort, some)
        return found

    reads = [line for statement, plan in store.now(job) if "search_key" in statement for line in plan]
    assert not [line for line in reads if line.startswith("SCAN ") and "anon_" not in line and "CONSTANT" not in line]
    entered = {line for line in reads if re.match(r"SEARCH (search_key|also\d)", line)}
    assert all("member_id=?" in line or "key=?" in line or "start=?" in line or "key>?" in line for line in entered)

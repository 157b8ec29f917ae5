"""No claim, look-up or search reads a whole table: the plans that both databases make, with enough rows to choose."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.progress import Status
from storage import Store, UnitOfWork
from storage.access import Viewer
from storage.base import metadata
from storage.search import Clause, key_row
from storage.shared_projects import Chosen
from tests.storage.people import DAY, HOUR, LANE, NOW, new_cohort, new_member

MANY = 4000
SMALL = {"cohort", "lane", "meta", "CONSTANT", "json_each"}  # a few rows for ever, none, or a list that was given
Plan = tuple[str, list[str]]
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
    add("outbox", lambda n: {"idem": f"i{n}", "key": n.to_bytes(16), "lane": LANE, "conversation": f"dm:U{n % 900}",
        "member_id": None if n % 97 == 0 else other(n), "class": "once", "kind": "message", "priority": n % 4,
        "body": {"text": "x"} if n % 5 == 0 else None, "cause": "c", "on_behalf": other(n) if n % 50 == 0 else None,
        "state": STATES[n % len(STATES)], "due_at": NOW + (n % 9 - 8) * HOUR, "created_at": NOW,
        "settled_at": NOW - DAY, "doubt_since": NOW, "lane_gen": 1})  # fmt: skip
    seqs = unit.connection.scalars(sa.select(metadata.tables["outbox"].c.seq)).all()
    about = [{"outbox_seq": seq, "member_id": first + at} for at, seq in enumerate(seqs)]
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
    add("consent", lambda n: {"member_id": n, "purpose": "introductions", "version": 1, "language": "en",
        "given": True, "at": NOW})  # fmt: skip
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
    add("throttle", lambda n: {"subject": f"s{n}", "kind": "code", "since": NOW, "count": 1})
    return cohort, list(everybody)


@contextmanager
def plans(unit: UnitOfWork) -> Iterator[list[Plan]]:
    """The plan of every statement that runs inside, as this database would make it."""
    said: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        said.append((statement, values[0] if many else values))

    found: list[Plan] = []
    sa.event.listen(unit.connection, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        sa.event.remove(unit.connection, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if unit.connection.dialect.name == "sqlite" else "EXPLAIN "
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
    gen = unit.outbox.take_over(LANE, NOW)
    claimed = unit.outbox.claim(LANE, gen, NOW, 30)
    assert claimed
    unit.outbox.settle(claimed[0].row.seq, gen, "sent", NOW, ref="r")
    unit.outbox.change(claimed[0].row.seq, idem="x", key=bytes(16), body={}, cause="c", now=NOW)
    assert unit.outbox.doubtful(LANE, NOW)
    assert unit.outbox.release_due(NOW)
    unit.outbox.by_key(bytes(16))
    unit.outbox.newest(claimed[0].row.seq)
    unit.outbox.arrived(claimed[1].row.seq, NOW)
    unit.outbox.cancel_about(some[0], NOW)
    unit.outbox.cancel_to(some[1], NOW)
    unit.outbox.wipe_to(some[2])
    unit.outbox.wipe(NOW - 7 * DAY, 100)


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
    unit.search.watchers(some[0])
    unit.search.watched(some[0])
    unit.search.unwatch(some[0])


def projects(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    one, team = some[3], next(number for number in some if number % 20 == 0 and number % 9)
    unit.projects.all_mine(one)
    unit.projects.some(some[:20])
    unit.projects.change(team, looking="cohort")
    unit.teams.of(one)
    unit.teams.of_all(some[:30])
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
    for act in (outbox, members, introductions, search, projects, erasing):

        def job(unit: UnitOfWork, act: Callable[[UnitOfWork, int, list[int]], None] = act) -> list[Plan]:
            with plans(unit) as found:
                act(unit, cohort, some)
            return found

        found = store.now(job)
        assert len(found) >= 10
        bad = [(statement, plan) for statement, plan in found if whole_tables(plan)]
        assert not bad, "\n\n".join("\n".join([statement, *plan]) for statement, plan in bad)


def test_a_whole_table_is_recognised(full_store: tuple[Store, int, list[int]]) -> None:
    store, _, _ = full_store

    def job(unit: UnitOfWork) -> list[Plan]:
        with plans(unit) as found:
            unit.connection.execute(sa.text("SELECT * FROM timer WHERE name = 'x'")).all()
            unit.outbox.depths()
        return found

    assert all(whole_tables(plan) for _, plan in store.now(job))


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

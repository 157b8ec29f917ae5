"""A person's own data and its erasure: complete, nobody else's, and without a trace in any table or file."""

import contextlib
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.profiles import Audience
from storage import Store, UnitOfWork, open_store
from storage.base import metadata
from storage.members import Member
from storage.migrate import upgrade
from tests.storage.people import DAY, HOUR, NOW, Said, new_cohort, new_fellow, new_member, new_row

TABLES = metadata.sorted_tables
by_table = pytest.mark.parametrize("of", TABLES, ids=lambda of: of.name)


def marked(unit: UnitOfWork, cohort: int, mark: str, other: Member) -> Member:
    """A fellow whose every word, in every table, carries a mark: a canary."""
    code = sha256(mark.encode()).digest()
    unit.invites.add(cohort, code, "fellow", NOW, NOW + DAY, prefilled={"name": f"{mark} invited"})
    help_of = [("open-contracting", f"{mark} helps")]
    lists = {"topics": (mark,), "coalitions": (mark,), "needs": help_of, "offers": help_of}
    said = Said(f"{mark} Ayu", project=f"{mark} goal", **lists)  # type: ignore[arg-type]
    me = new_fellow(unit, cohort, said, own={"name": Audience.COHORT}, preset="open")
    unit.profiles.write(
        cohort, me.id, other_name=f"{mark} other", native_name=f"{mark} own", organisation=f"{mark} of", role_title=mark
    )
    unit.profiles.write_list(cohort, me.id, "languages", (mark,))
    unit.profiles.keep_apart(cohort, me.id, other=other.id)
    unit.profiles.keep_apart(cohort, me.id, sector=mark)
    unit.members.change(me.id, invited_by=other.id, trusted_id=other.id, leaving_at=NOW)
    found = unit.invites.find(code, NOW)
    assert found is not None
    unit.invites.use(found, me.id)
    unit.invites.add(cohort, code[::-1], "fellow", NOW, NOW + DAY, prefilled={"name": mark}, for_member=me.id)
    unit.search.watch(cohort, me.id, [("topic", mark)], NOW)
    unit.schedules.set_timer(f"{mark}.timer", me.id, NOW)
    unit.dialogs.begin(me.id, "joining", {"said": f"{mark} about"}, {"name": f"{mark} answer"}, "name", NOW + DAY)
    unit.introductions.propose(cohort, me.id, other.id, {"text": f"{mark} wants to meet"}, NOW, NOW + 7 * DAY)
    unit.introductions.befriend(cohort, me.id, other.id, NOW, None)
    _projects(unit, cohort, mark, me, other)
    unit.audit.report(cohort, me.id, other.id, f"{mark} reports", NOW)
    unit.audit.note(cohort, other.id, "people.look", NOW, me.id)
    text = {"text": f"{mark} reads this"}
    first = new_row(unit, f"dm:U{me.id}", member_id=me.id, body=text)
    new_row(unit, f"dm:U{me.id}", member_id=None, body=text)  # before they were anybody
    new_row(unit, f"dm:U{other.id}", member_id=other.id, body={"text": f"{mark} is named"}, about=(me.id,))
    writes = {"text": f"{mark} writes"}
    new_row(unit, f"dm:U{other.id}", member_id=other.id, body=writes, on_behalf=me.id, at=NOW + HOUR)
    unit.outbox.change(first, idem=f"{mark} edit", key=mark.encode().ljust(16), body=text, cause=mark, now=NOW)
    return me


def _projects(unit: UnitOfWork, cohort: int, mark: str, me: Member, other: Member) -> None:
    """A project of one's own with all that belongs to it, and what one told in a team's."""
    mine = unit.projects.write(cohort, me.id, topics=[mark], coalitions=[mark])
    step = unit.milestones.add(cohort, mine, me.id, f"{mark} step")
    words = {"words": f"{mark} changed", "who": f"{mark} office", "link": f"https://{mark}.example"}
    unit.milestones.tell(cohort, mine, me.id, "changed", NOW, milestone_id=step, **words)
    team = unit.projects.begin(cohort, None, "a team's own", looking="cohort")
    unit.projects.change(team, goal="together")
    unit.teams.put(cohort, team, me.id, "in", NOW, proposed_by=other.id)
    unit.teams.put(cohort, team, other.id, "proposed", NOW, proposed_by=me.id)
    unit.milestones.add(cohort, team, me.id, "a team's step")
    unit.milestones.tell(cohort, team, me.id, "changed", NOW, **words)


def everywhere(unit: UnitOfWork, mark: str) -> list[str]:
    """The table and column of every value that contains a mark."""
    found = []
    for of in TABLES:
        for row in unit.connection.execute(sa.select(of)).mappings():
            found += [f"{of.name}.{name}" for name, value in row.items() if mark in _text(value)]
    return found


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@by_table
def test_every_table_says_what_of_it_is_personal_and_whose(of: sa.Table) -> None:
    assert "personal" in of.info, f"{of.name} is not made by storage.base.table"
    personal, own = of.info["personal"], of.info["own"]
    named = {column.name for column in of.columns if column.name == "member_id" or column.name.endswith("_by")}
    named |= {column.parent.name for key in of.foreign_key_constraints for column in key.elements
              if column.column.table.name == "member" and column.column.name == "id"}  # fmt: skip
    assert named <= set(personal or ()), f"{of.name} names members and does not say what erasing one does"
    assert set(own) <= set(personal or ())
    assert set(personal or ()) <= set(of.c.keys())
    for left_out in own.values():
        assert set(left_out) <= set(of.c.keys())
    if any(column.info.get("text") for column in of.columns) and of.name != "meta":
        assert personal, f"{of.name} keeps words of nobody"


def test_erasing_leaves_no_mark_in_any_column(store: Store) -> None:
    def fill(unit: UnitOfWork) -> tuple[Member, Member]:
        cohort = new_cohort(unit)
        other = new_member(unit, cohort, role="facilitator")
        return marked(unit, cohort, "xqmine", other), marked(unit, cohort, "xqyours", other)

    me, you = store.now(fill)
    before = store.now(lambda unit: everywhere(unit, "xqmine"))
    assert len({name.split(".")[0] for name in before}) == 18  # the marks are really everywhere
    yours = store.now(lambda unit: everywhere(unit, "xqyours"))
    store.now(lambda unit: unit.privacy.erase(me.id))
    assert store.now(lambda unit: everywhere(unit, "xqmine")) == []
    assert store.now(lambda unit: everywhere(unit, "xqyours")) == yours
    assert store.now(lambda unit: unit.members.recall(you.id)) is not None
    left = store.now(lambda unit: unit.members.recall(me.id))
    assert left is not None
    assert (left.state, left.invited_by, left.joined_at) == ("left", None, None)
    assert store.now(lambda unit: unit.outbox.depths())["cancelled"] == 2


def test_erasing_the_one_who_invited_keeps_what_is_the_others(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        staff = new_member(unit, cohort, role="facilitator")
        me = marked(unit, cohort, "xqmine", staff)
        unit.invites.add(cohort, bytes(32), "fellow", NOW, NOW + DAY, prefilled={"name": "Bat"}, invited_by=staff.id)
        unit.privacy.erase(staff.id)
        mine = unit.members.recall(me.id)
        assert mine is not None
        assert (mine.invited_by, mine.trusted_id) == (None, None)
        found = unit.invites.find(bytes(32), NOW)
        assert found is not None
        assert (found.prefilled, found.invited_by) == ({"name": "Bat"}, None)
        assert unit.privacy.own_data(me.id)["profile"][0]["name"] == "xqmine Ayu"

    store.now(job)


def test_own_data_has_all_of_mine_and_nothing_of_another(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        other = new_member(unit, cohort, role="facilitator")
        me, you = marked(unit, cohort, "xqmine", other), marked(unit, cohort, "xqyours", other)
        unit.introductions.propose(cohort, you.id, me.id, {"text": "xqyours wants to meet"}, NOW, NOW + 7 * DAY)
        unit.profiles.keep_apart(cohort, you.id, other=me.id)
        unit.introductions.befriend(cohort, you.id, me.id, NOW, None)
        mine = unit.privacy.own_data(me.id)
        words = str(mine)
        assert "xqyours" not in words
        for said in ("Ayu", "other", "own", "of", "helps", "goal", "invited", "answer", "reports", "wants to meet"):
            assert f"xqmine {said}" in words, said
        assert len(mine["apart"]) == 2  # not that another wishes to be kept apart from me
        assert [set(row) for row in mine["introduction"]] == [
            {"id", "cohort_id", "card", "asked_at", "closes_at"},
            {"id", "cohort_id", "state", "asked_at", "closes_at"},
        ]
        columns = {name for rows in mine.values() for row in rows for name in row}
        assert not columns & {"member_id", "other_id", "asker_id", "actor_id", "invited_by", "trusted_id", "on_behalf"}
        theirs = unit.privacy.own_data(other.id)
        assert "xq" not in str(theirs)  # reports and introductions to somebody are not that one's words

    store.now(job)


def test_after_erasing_nothing_is_left_in_the_file_or_its_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kawan.db'}"
    upgrade(url)
    with contextlib.closing(open_store(url, inline=True)) as store:

        def fill(unit: UnitOfWork) -> list[int]:
            """Pages that were split and filled again, as in a grown database."""
            cohort = new_cohort(unit)
            other = new_member(unit, cohort)
            numbers = []
            for n in range(30):
                marked(unit, cohort, f"before{n}", other)
                numbers.append(marked(unit, cohort, f"xqmine{n}", other).id)
            return numbers

        numbers = store.now(fill)
        assert traces(tmp_path, b"xqmine")
        for number in numbers:
            store.now(lambda unit, number=number: unit.privacy.erase(number))  # type: ignore[misc]
        assert traces(tmp_path, b"xqmine") == []
        assert traces(tmp_path, b"before29") == ["kawan.db"]


def test_a_reader_does_not_hold_up_erasing_and_the_log_is_emptied_when_it_has_gone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kawan.db'}"
    upgrade(url)
    with contextlib.closing(open_store(url, inline=True)) as store:
        me = store.now(lambda unit: marked(unit, cohort := new_cohort(unit), "xqmine", new_member(unit, cohort)).id)
        with contextlib.closing(sqlite3.connect(tmp_path / "kawan.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM profile").fetchone()
            store.now(lambda unit: unit.privacy.erase(me))
            assert traces(tmp_path, b"xqmine")
            reader.execute("COMMIT")
            store.now(lambda unit: None)
            assert traces(tmp_path, b"xqmine") == []


def traces(folder: Path, mark: bytes) -> list[str]:
    return sorted(path.name for path in folder.glob("kawan.db*") if mark in path.read_bytes())


def _across(of: sa.Table) -> list[str]:
    """The columns of a table that name a member and stand beside a cohort."""
    if "cohort_id" not in of.c or of.name == "member":
        return []
    return list(of.info["personal"] or ())


ACROSS = [(of, column) for of in TABLES for column in _across(of)]


@pytest.mark.parametrize(("of", "column"), ACROSS, ids=lambda part: getattr(part, "name", part))
def test_a_row_across_cohorts_cannot_exist(store: Store, of: sa.Table, column: str) -> None:
    def insert(unit: UnitOfWork, cohort: int, number: int) -> None:
        _insert(unit, of, cohort, me, **{column: number})

    def two(unit: UnitOfWork) -> tuple[int, int, int, int]:
        mine, theirs = new_cohort(unit), new_cohort(unit)
        # No rows of theirs yet in the table that is tried.
        numbers = [unit.members.add(cohort, NOW, role="fellow", state="active", language="en", time_zone="UTC")
                   for cohort in (mine, theirs)]  # fmt: skip
        unit.connection.execute(sa.delete(metadata.tables["portrait"]))
        return mine, theirs, numbers[0], numbers[1]

    mine, _, me, them = store.now(two)
    store.now(lambda unit: insert(unit, mine, me))
    with pytest.raises(sa.exc.IntegrityError):
        store.now(lambda unit: insert(unit, mine, them))


def _insert(unit: UnitOfWork, of: sa.Table, cohort: int, mine: int, **values: int) -> int:
    """A row of my cohort with no more than it must have, and what it hangs on; returns its first key."""
    row = {one.name: _value(one) for one in of.columns if not one.nullable and one.server_default is None}
    if of.c.keys()[0] == "id":
        row.pop("id", None)
    for one in of.columns:
        for key in one.foreign_keys:
            parent = key.column.table
            if one.name in row and parent.name not in ("member", "cohort") and one.name != "cohort_id":
                row[one.name] = _insert(unit, parent, cohort, mine)
    row |= dict.fromkeys(_across(of), mine) | {"cohort_id": cohort} | values if "cohort_id" in of.c else values
    inserted = unit.connection.execute(sa.insert(of).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def _value(column: sa.Column[Any]) -> Any:
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.LargeBinary):
        return bytes(32)
    if isinstance(kind, sa.Boolean):
        return False
    return "x" if isinstance(kind, sa.Text) else NOW if "Moment" in repr(kind) else 1

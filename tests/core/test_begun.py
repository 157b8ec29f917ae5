"""What a killed process had claimed and not begun is sent by the next one without doubt; what it began is doubted."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.begun import KEPT, Begun
from storage import Store
from storage.lanes import Taken
from storage.outbox import outbox
from tests.storage.people import LANE, NOW, new_row


@pytest.mark.parametrize("same_owner", [True, False])
def test_only_what_the_last_owner_began_is_in_doubt(store: Store, tmp_path: Path, same_owner: bool) -> None:
    dead = Begun(tmp_path)
    taken = store.now(lambda unit: unit.lanes.take(LANE, "dead", NOW, alone=True))
    assert isinstance(taken, Taken)
    dead.begins(LANE, "dead" if same_owner else "another")
    first, second = store.now(lambda unit: [new_row(unit, f"dm:{n}") for n in range(2)])
    store.now(lambda unit: unit.claims.claim(LANE, taken.held.gen, NOW, 2))
    dead.add(LANE, "dead", first)
    before = Begun(tmp_path).before(LANE)
    store.now(lambda unit: unit.lanes.take(LANE, "next", NOW, alone=True, before=before))
    rows = store.now(lambda unit: unit.connection.execute(sa.select(outbox.c.seq, outbox.c.state)).all())
    states = {row.seq: row.state for row in rows}
    assert states == {first: "in_doubt", second: "queued" if same_owner else "in_doubt"}
    attempts = store.now(lambda unit: unit.connection.scalar(sa.select(sa.func.sum(outbox.c.attempts))))
    assert attempts == (1 if same_owner else 2)


def test_after_a_restart_of_the_machine_nothing_is_known(tmp_path: Path) -> None:
    boot = tmp_path / "boot"
    boot.write_text("one\n")
    begun = Begun(tmp_path / "begun", boot)
    begun.begins(LANE, "me")
    begun.add(LANE, "me", 7)
    assert Begun(tmp_path / "begun", boot).before(LANE) == ("me", frozenset({7}))
    boot.write_text("two\n")
    assert Begun(tmp_path / "begun", boot).before(LANE) is None
    assert Begun(tmp_path / "begun", tmp_path / "none").before(LANE) is None


def test_the_file_stays_small_and_keeps_the_newest(tmp_path: Path) -> None:
    begun = Begun(tmp_path)
    begun.begins(LANE, "me")
    for row in range(2 * KEPT + 5):
        begun.add(LANE, "me", row)
    found = Begun(tmp_path).before(LANE)
    assert found is not None
    assert {KEPT, 2 * KEPT, 2 * KEPT + 4} <= found[1]
    assert len(found[1]) < 2 * KEPT
    assert [file.name for file in tmp_path.iterdir()] == ["console%3Atest"]

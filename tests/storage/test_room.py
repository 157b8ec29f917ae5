"""A full disk, on a small one in memory: nothing committed is lost, and what was sent can still be written down."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Busy, Store, Turn, UnitOfWork, open_store
from storage.migrate import upgrade
from storage.room import RESERVE

MEGABYTE = 1024**2
DISK = 48 * MEGABYTE


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MB in memory; only root may make one, and not in every container."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(tmp_path)], capture_output=True)
    if made.returncode:
        pytest.skip(f"no small disk can be made here: {made.stderr.decode().strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Something else takes all that is left."""
    other = disk / "other"
    with other.open("wb") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(64 * 1024))
    yield
    other.unlink()


def write(store: Store, name: str, turn: Turn = Turn.EVENT) -> None:
    def job(unit: UnitOfWork) -> None:
        unit.members.set_fact(name, "x" * 20_000)

    asyncio.run(store.run(job, turn))


def as_many_as_fit(store: Store) -> list[str]:
    kept: list[str] = []
    with contextlib.suppress(Busy):
        while len(kept) < 1000:
            write(store, f"before{len(kept)}")
            kept.append(f"before{len(kept)}")
    assert len(kept) < 1000
    return kept


def written(store: Store, name: str) -> bool:
    return store.now(lambda unit: unit.members.fact(name)) is not None


def test_on_a_full_disk_events_are_refused_and_what_was_sent_is_still_written_down(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'kawan.db'}"
    upgrade(url)
    with contextlib.closing(open_store(url)) as store:
        store.keep_room()
        assert store.has_room()
        with full(small_disk):
            assert not store.has_room()
            kept = as_many_as_fit(store)
            write(store, "sent", Turn.RELAY)
            with pytest.raises(Busy, match="the disk is full"):
                write(store, "event")
            assert not store.has_room()
        assert store.has_room()
        write(store, "after")
        assert all(written(store, name) for name in [*kept, "sent", "after"])
        assert not written(store, "event")
        assert store.now(lambda unit: unit.connection.exec_driver_sql("PRAGMA integrity_check").scalar()) == "ok"
    assert (small_disk / "kawan.db.reserve").stat().st_size == RESERVE


def test_a_disk_that_fills_up_stops_the_sending_before_it_is_full(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'kawan.db'}"
    upgrade(url)
    with contextlib.closing(open_store(url)) as store:
        store.keep_room()
        left = shutil.disk_usage(small_disk).free
        (small_disk / "other").write_bytes(bytes(left - MEGABYTE // 2))
        assert not store.has_room()
        write(store, "event")  # there is space yet for what people write
        assert written(store, "event")


def test_where_no_reserve_is_kept_nothing_is_held_up(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'kawan.db'}"
    upgrade(url)
    with contextlib.closing(open_store(url)) as store:
        with full(small_disk):
            assert store.has_room()
            as_many_as_fit(store)
        write(store, "after")
        assert written(store, "after")

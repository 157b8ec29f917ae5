"""Which calls have begun, on disk: of what a killed process had claimed, the next one knows what surely never left."""

import contextlib
import os
from pathlib import Path
from urllib.parse import quote

BOOT = Path("/proc/sys/kernel/random/boot_id")
KEPT = 10_000  # calls that are remembered at least; far fewer are under way at any time


class Begun:
    """A file a lane: its owner, then the row of each call before it begins.

    Nothing is flushed: the file outlives the process, not the machine, and after a restart of the machine says nothing.
    """

    def __init__(self, folder: Path, boot: Path = BOOT) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._boot = boot.read_text().strip() if boot.exists() else ""
        self._files: dict[str, int] = {}
        self._rows: dict[str, list[int]] = {}

    def before(self, lane: str) -> tuple[str, frozenset[int]] | None:
        """The process that had a lane last on this machine, and its calls; None when that is not known."""
        try:
            head, *rows = self._path(lane).read_text().splitlines()
            boot, _, owner = head.partition(" ")
            return (owner, frozenset(map(int, rows))) if owner and boot == self._boot else None
        except (OSError, ValueError):
            return None

    def begins(self, lane: str, owner: str, rows: list[int] | None = None) -> None:
        """From here on the lane is this process's."""
        if not self._boot:
            return
        self._forget(lane)
        path, kept = self._path(lane), rows or []
        new = path.with_name(f"{path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # without the file, all is in doubt
            file = os.open(new, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o600)
            os.write(file, "".join(f"{said}\n" for said in (f"{self._boot} {owner}", *kept)).encode())
            os.replace(new, path)
            self._files[lane], self._rows[lane] = file, kept

    def add(self, lane: str, owner: str, row: int) -> None:
        """A call is about to begin. Raises OSError when that can neither be written down nor forgotten."""
        file = self._files.get(lane)
        if file is None:
            return
        rows = self._rows[lane]
        rows.append(row)
        if len(rows) >= 2 * KEPT:
            self.begins(lane, owner, rows[-KEPT:])
            return
        try:
            if os.write(file, f"{row}\n".encode()) == 0:
                raise OSError
        except OSError:
            self._forget(lane)

    def _forget(self, lane: str) -> None:
        """Nothing is known any more."""
        self._path(lane).unlink(missing_ok=True)
        file = self._files.pop(lane, None)
        if file is not None:
            os.close(file)

    def _path(self, lane: str) -> Path:
        return self._folder / quote(lane, safe="")

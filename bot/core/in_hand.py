"""Which event is being handled, on disk, so that one which kills the program is known by the next start."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

DEATHS = 3  # as often as an event may end the program


class Deadly(Exception):
    """This event has ended the program so often that it is not tried again."""


class InHand:
    """A small file an event, only while its handler runs; what is left in it counts the deaths.

    Nothing is flushed: the file must outlive the process, not the machine.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def holding(self, source: str, event_id: str) -> Iterator[None]:
        """While an event is handled; raises Deadly instead when it has killed too often."""
        name = hashlib.sha256(f"{source} {event_id}".encode("utf-8", "replace")).hexdigest()[:32]
        file = self._folder / name
        try:
            before = len(file.read_bytes())
        except FileNotFoundError:
            before = 0
        if before >= DEATHS:
            file.unlink(missing_ok=True)
            raise Deadly
        with file.open("ab") as written:
            written.write(b"x")
        try:
            yield
        finally:  # a killed process does not come here
            file.unlink(missing_ok=True)

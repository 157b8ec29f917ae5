"""Which event is being handled, on disk, so that one which kills the program is known by the next start."""

import contextlib
import hashlib
import os
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
        path = os.path.join(self._folder, name)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size >= DEATHS:
                raise Deadly
            os.write(file, b"x")
            yield
        finally:  # a killed process does not come here
            os.close(file)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

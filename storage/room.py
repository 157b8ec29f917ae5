"""Room on the disk of a SQLite database: what is kept in reserve, and when nothing more should be sent."""

import shutil
from pathlib import Path

RESERVE = 16 * 1024**2  # bytes; a lane needs a few hundred a message to write down that it was sent
FULL = 1024**2
SMALLEST = 200 * 1024**2  # sending stops before so little is left, or before 2 % of a smaller disk
SHARE = 0.02


class Room:
    """A file beside the database holds space; on a full disk it is given up, to write down what was sent.

    Only a bot that runs keeps one: a demo, or a command beside it, needs none and is never held up.
    """

    def __init__(self, database: Path) -> None:
        self._folder = database.absolute().parent
        self._reserve = self._folder / f"{database.name}.reserve"
        self._is_kept = False
        self.given_up = False

    def keep(self) -> None:
        """Take the reserve, if there is space for it."""
        self._is_kept = True
        try:
            with self._reserve.open("ab") as file:
                file.write(bytes(max(0, RESERVE - file.tell())))
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def give_up_if_full(self) -> None:
        """A write failed: if it was for want of space, free the reserve."""
        if self._is_kept and shutil.disk_usage(self._folder).free < FULL:
            self.given_up = True
            self._reserve.unlink(missing_ok=True)

    def is_enough(self) -> bool:
        """May more be sent? Takes the reserve again once there is space for both."""
        if not self._is_kept:
            return True
        disk = shutil.disk_usage(self._folder)
        least = min(SMALLEST, int(disk.total * SHARE))
        if not self.given_up:
            return disk.free >= least
        if disk.free < least + RESERVE:
            return False
        self.keep()
        self.given_up = False
        return True

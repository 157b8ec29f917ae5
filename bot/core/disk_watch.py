"""Whether the disk has room for what is written down about each message; with none, nothing more is sent."""

from bot.core.log import get_logger
from storage import Store

log = get_logger("kawan.disk")


class DiskWatch:
    """Says in the log when the room ends, and when it is there again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._had_room = True

    def has_room(self) -> bool:
        """May what is due be sent?"""
        has = self._store.has_room()
        if has != self._had_room:
            self._had_room = has
            if has:
                log.info("disk_has_room")
            else:
                log.error("disk_nearly_full", do="free some space; what waits to be sent is kept")
        return has

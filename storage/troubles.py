"""Which platforms are in trouble, as facilitators were told: each once, whatever restarts and replicas there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import insert_new, rows
from storage.members import meta

KEY = "trouble:"
TOLD = "told"  # something that happened, and is no state


@dataclass(frozen=True, slots=True)
class Trouble:
    """What kind, in a word, and since when."""

    kind: str
    since: datetime


class Troubles:
    """One row of `meta` for each platform that is in trouble now."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, platform: str) -> Trouble | None:
        """The trouble that was told and is not over."""
        found = self._connection.scalar(sa.select(meta.c.value).where(meta.c.key == KEY + platform))
        return None if found is None else _read(found)

    def now(self) -> dict[str, Trouble]:
        """The platforms that are in trouble now; what was only told once is none of them."""
        known = sa.select(meta.c.key, meta.c.value).where(meta.c.key >= KEY, meta.c.key < KEY[:-1] + ";")
        found = {key.removeprefix(KEY): _read(value) for key, value in self._connection.execute(known)}
        return {platform: of for platform, of in sorted(found.items()) if of.kind != TOLD}

    def begin(self, platform: str, kind: str, now: datetime) -> bool:
        """A trouble begins, or becomes another; False when it is known already."""
        key, value = KEY + platform, f"{kind} {now.isoformat()}"
        known = self.of(platform)
        if known is None:
            return insert_new(self._connection, meta, {"key": key, "value": value})
        if known.kind == kind:
            return False
        before = f"{known.kind} {known.since.isoformat()}"
        done = self._connection.execute(
            sa.update(meta).where(meta.c.key == key, meta.c.value == before).values(value=value)
        )
        return rows(done) == 1

    def is_new(self, what: str, now: datetime, apart: timedelta) -> bool:
        """Something that happened is to be told, unless anybody did so less than `apart` ago."""
        known = self.of(what)
        if known is not None and now - known.since < apart:
            return False
        self.over(what)
        return self.begin(what, TOLD, now)

    def over(self, platform: str) -> bool:
        """It is over; False when there was none, or somebody else has said so."""
        return rows(self._connection.execute(sa.delete(meta).where(meta.c.key == KEY + platform))) == 1


def _read(value: str) -> Trouble:
    kind, _, since = value.partition(" ")
    return Trouble(kind, datetime.fromisoformat(since))

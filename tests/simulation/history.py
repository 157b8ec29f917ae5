"""Histories: what happened, one JSON object a line, in the manner of Jepsen: invoke, then ok, fail or info.

Every line has `type`, `f` (what it is about) and `at` (seconds). `info` is also what is known without anybody asking.

    deliver  a platform hands over an event (event, actor); ok: acknowledged (said: the Ack said something)
    effect   a transaction committed that took an event in (event, said: rows put in line, audited)
    send     a call to a platform (message, lane, once, edit, hidden, state); ok: accepted; fail: not; info: unknown
    seen     a copy of a message stands on somebody's screen (message, edit)
    settle   a doubt or an edit ended (message, to)
    row      the end: a row of the outbox (message, state, lane, once, edit, resends)
    …        died, started, timer, done, took over, confirmed, asked, logged, defect, erased: see `checker`

The simulation writes them, and the tests with real processes; `checker` judges both.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Line = dict[str, Any]
INVOKE, OK, FAIL, INFO = "invoke", "ok", "fail", "info"


class History:
    """Lines in the order in which they happened."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._calls = 0

    def call(self) -> int:
        """A new number, which joins an invoke and its end."""
        self._calls += 1
        return self._calls

    def add(self, kind: str, f: str, at: float, **values: Any) -> None:
        self.lines.append({"type": kind, "f": f, "at": round(at, 3), **values})

    def text(self) -> Iterator[str]:
        """One JSON object a line."""
        for line in self.lines:
            yield json.dumps(line, ensure_ascii=False, sort_keys=True)

    def digest(self) -> str:
        """Two runs that did the same have the same digest."""
        whole = hashlib.sha256()
        for line in self.text():
            whole.update(line.encode("utf-8", "surrogatepass") + b"\n")
        return whole.hexdigest()


def read(files: Iterable[Path]) -> list[Line]:
    """The histories that several processes wrote, as one; each is in its own order."""
    lines: list[Line] = []
    for file in files:
        lines += [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return lines

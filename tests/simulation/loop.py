"""An event loop whose time is a number: it never waits, and whoever drives it may leap over empty hours."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.clock import Clock

START = datetime(2027, 3, 1, 1, 0, tzinfo=UTC)  # a Monday; clocks change on 28 March in Kyiv
RESOLUTION = 1e-6


class Stuck(Exception):
    """Nothing is ready, nothing is scheduled, and somebody still waits: a deadlock."""


class _Selector:
    """Waits by moving the time forward."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stuck
        if timeout > 0:
            self._loop.now += timeout
        return []


class NumberedTask(asyncio.Task[Any]):
    """A task whose hash is its number: sets of tasks have one order in every run."""

    number: int

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in the order of their simulated times; no sockets, no threads."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = _Selector(self)
        self._clock_resolution = RESOLUTION
        self._tasks = 0
        self.set_task_factory(self._numbered)  # type: ignore[arg-type]

    def _numbered(self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **rest: Any) -> NumberedTask:
        self._tasks += 1
        task = NumberedTask.__new__(NumberedTask)
        task.number = self._tasks
        task.__init__(coro, loop=loop, **rest)  # type: ignore[misc]
        return task

    def time(self) -> float:
        return self.now

    def leap(self, to: float) -> None:
        """Move on at once; what was scheduled in between happens late, and once, as after a machine's sleep."""
        self.now = max(self.now, to)

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""


class LoopClock(Clock):
    """The machine's clock as the bot reads it: the loop's time, and whatever somebody has turned it by."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.turned = timedelta(0)

    def now(self) -> datetime:
        return START + timedelta(microseconds=round(self._loop.now * 1_000_000)) + self.turned

    def elapsed(self) -> float:
        return self._loop.now


def run_in(loop: VirtualLoop, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end on a loop of its own."""
    loop.set_exception_handler(lambda _loop, _context: None)  # what a killed process left behind
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()

"""The polling loop: a batch is handed over in order and awaited; only then its updates are confirmed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram.error import TelegramError

from bot.adapters.telegram.parse import ALLOWED_UPDATES, update_number
from bot.adapters.telegram.transport import READ_TIMEOUT, Refusal, SessionRequest
from bot.core.clock import monotonic
from bot.core.ids import Ids
from storage import Busy

log = structlog.get_logger("kawan.telegram")

BATCH = 100
LONG_POLL = 30  # seconds
A_PAUSE = 0.1
LONGEST_WAIT = 30.0
TRIES = 10  # for an update that fails, though the database is well
TAKEN = "another program listens with this token, or a webhook is set: stop that one, then start me again"
REFUSED = "the token is refused: get a new one from BotFather, then start me again"
LAST_BATCH = 12.0  # seconds that a stop waits for the batch in hand


class Stopped(Exception):
    """Polling must end; the message says why, for the operator. `for_good`: the token is refused, nothing works."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class Poller:
    """Asks for updates until cancelled. `first_wait` in seconds; waits double up to 30 s, with jitter."""

    def __init__(
        self, request: SessionRequest, base_url: str, ids: Ids, *, first_wait: float = 0.5, long_poll: int = LONG_POLL
    ) -> None:
        self._request = request
        self._url = f"{base_url}/getUpdates"
        self._ids = ids
        self._first_wait = first_wait
        self._long_poll = long_poll
        self._failures: Counter[int] = Counter()
        self._offset: int | None = None
        self.answers = False  # Telegram, when it was asked last

    async def run(self, take: Callable[[object], Awaitable[None]]) -> None:
        """Raises Stopped when the token is refused or somebody else listens."""
        bad_turns = 0
        self.answers = True  # it has just told us our name
        while True:
            asked = monotonic()
            try:
                batch = await self._ask()
                self.answers = True
            except TelegramError as error:
                self.answers = False
                await self._wait(bad_turns, self._least_wait(error))
                bad_turns += 1
                continue
            if not batch and monotonic() - asked < A_PAUSE:  # a server of one's own that does not wait for news
                await asyncio.sleep(A_PAUSE)
            taken = await self._finished(self._take(batch, take))
            if taken:
                bad_turns = 0
            else:
                await self._wait(bad_turns)
                bad_turns += 1

    async def _ask(self) -> list[Any]:
        arguments = {
            "offset": self._offset,
            "limit": BATCH,
            "timeout": self._long_poll,
            "allowed_updates": ALLOWED_UPDATES,
        }
        answer = await self._request.ask(self._url, arguments, READ_TIMEOUT + self._long_poll)
        if not isinstance(answer, list):
            raise TelegramError("a result that is no list")
        return answer

    async def _take(self, batch: list[Any], take: Callable[[object], Awaitable[None]]) -> bool:
        """Hand a batch over in order; move the offset to the first update that was not taken. True if all were.

        The offset is set, not raised: after a quiet week Telegram goes on with a random, perhaps lower number.
        """
        results = await asyncio.gather(*(take(update) for update in batch), return_exceptions=True)
        for update, result in zip(batch, results, strict=True):
            number = update_number(update)
            if number is None:
                continue
            if isinstance(result, BaseException) and not self._is_hopeless(number, result):
                self._offset = number
                return False
            self._failures.pop(number, None)
            self._offset = number + 1
        return not batch or any(update_number(update) is not None for update in batch)

    def _is_hopeless(self, number: int, error: BaseException) -> bool:
        """An update that fails again and again while the database is well must not hold up all others."""
        if isinstance(error, Busy | OSError | asyncio.CancelledError):
            log.warning("update not taken, asking again", kind=type(error).__name__)
            return False
        self._failures[number] += 1
        log.error("update failed", kind=type(error).__name__, tries=self._failures[number])
        return self._failures[number] >= TRIES

    async def _finished(self, work: Awaitable[bool]) -> bool:
        """A batch in hand is finished also when the bot stops."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=LAST_BATCH)
            task.cancel()
            raise

    def _least_wait(self, error: TelegramError) -> float:
        if isinstance(error, Refusal):
            if error.status == 409:
                raise Stopped(TAKEN)
            if error.is_for_token:
                raise Stopped(REFUSED, for_good=True)
            if error.status == 429:
                return error.retry_after
        log.warning("polling failed", kind=type(error).__name__, why=error.message[:80])
        return 0.0

    async def _wait(self, bad_turns: int, least: float = 0.0) -> None:
        longest = min(LONGEST_WAIT, self._first_wait * 2 ** min(bad_turns, 10))
        jitter = 0.5 + self._ids.key()[0] / 510
        await asyncio.sleep(max(least, longest * jitter))

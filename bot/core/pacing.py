"""How fast a lane may go: what a platform allows, and when the next call may start; pure, in seconds of any clock."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

MARGIN = 0.002  # seconds: clocks and timers are not exact
# By how many starts a late timer may be made up for: the window still holds, a rate has nothing behind it.
CATCH_UP_IN_WINDOW, CATCH_UP_AT_RATE = 3.0, 0.2
A_MINUTE = 60.0
SLOWEST = 1.0  # a second


@dataclass(frozen=True, slots=True)
class Pace:
    """What a platform allows.

    `window`: calls in any second. `rate`: starts a second to begin with; it halves with each refusal and grows by one a
    minute. `chat`: seconds between two calls to one conversation. `a_minute`: calls of a kind in any minute (edit,
    delete, look_up). `at_once`: calls under way. `timeout`: seconds after which a call has surely ended, files too.
    """

    window: int | None = None
    rate: float | None = None
    chat: float = 0.0
    a_minute: Mapping[str, int] = field(default_factory=dict)
    at_once: int = 30
    timeout: float = 10.0


UNLIMITED = Pace()


def spread(most: int, now: float, over: float = A_MINUTE) -> deque[float]:
    """When calls of before come back: a program that begins cannot know them, and counts as many as there may be."""
    return deque(now + over * (n + 1) / most for n in range(most))


class Pacer:
    """One lane's pace. A credit of the window comes back one second after the answer, not after the start."""

    def __init__(self, pace: Pace, now: float) -> None:
        self.pace = pace
        self._under_way = 0
        # When each used credit comes back, earliest first.
        self._back = spread(pace.window, now, 1.0) if pace.window else deque()
        self._chats: dict[str, float] = {}  # conversation -> when it may be written to again
        # Of each kind that is limited by the minute: how many are under way, and until when each other one counts.
        self._begun = dict.fromkeys(pace.a_minute, 0)
        self._counts = {kind: spread(most, now) for kind, most in pace.a_minute.items()}
        self._slot = float("-inf")  # the time that the schedule of starts gives to the next one
        self._rate = pace.rate
        self._since: float | None = None  # when the rate was last changed

    @property
    def under_way(self) -> int:
        return self._under_way

    def rate(self, now: float) -> float | None:
        """Starts a second; None where only the window counts."""
        if self._rate is None:
            return None
        if self._since is None:
            self._since = now
        minutes = int((now - self._since) / A_MINUTE)
        if minutes > 0:
            self._rate += minutes
            self._since += minutes * A_MINUTE
        return self._rate

    def starts(self, now: float, conversation: str | None = None, kind: str = "message") -> None:
        """A call starts now. A press may prove that it arrived before its answer is here; the conversation rests."""
        self._under_way += 1
        self.begins(kind)
        self._rests(conversation, now)
        interval = self._interval(now)
        if interval:
            catch_up = CATCH_UP_IN_WINDOW if self._rate is None else CATCH_UP_AT_RATE
            was_idle = now - self._slot > catch_up * interval
            self._slot = (now if was_idle else self._slot) + interval

    def ended(self, conversation: str, now: float, kind: str = "message", *, refused: bool = False) -> None:
        """Its answer is here, or it will never come; `refused`: the platform said that this was too fast."""
        self._under_way -= 1
        self.ends(kind, now)
        if self.pace.window is not None:
            self._back.append(now + 1 + MARGIN)
        self._rests(conversation, now)
        if refused and self._rate is not None and (self._since is None or now - self._since > 1):
            self._rate, self._since = max(SLOWEST, self._rate / 2), now

    def begins(self, kind: str) -> None:
        """A call of a kind begins: by itself for one that nobody sees, such as a look-up."""
        if kind in self._begun:
            self._begun[kind] += 1

    def ends(self, kind: str, now: float) -> None:
        """It counts from its answer on: it may have arrived as late as that left."""
        if kind in self._begun:
            self._begun[kind] -= 1
            self._counts[kind].append(now + A_MINUTE + MARGIN)

    def _rests(self, conversation: str | None, now: float) -> None:
        if self.pace.chat and conversation is not None:
            self._chats.pop(conversation, None)  # to the end of the order
            self._chats[conversation] = now + self.pace.chat + MARGIN

    def ready_at(self, now: float) -> float:
        """When the next call may start: now, later, or (inf) only after another answer."""
        self._forget(now)
        if self._under_way >= self.pace.at_once:
            return float("inf")
        credit = now
        if self.pace.window is not None:
            over = self._under_way + len(self._back) + 1 - self.pace.window
            if over > len(self._back):
                return float("inf")
            credit = self._back[over - 1] if over > 0 else now
        return max(now, credit, self._slot if self._interval(now) else now)

    def room(self, now: float, ahead: float) -> int:
        """How many calls could start until so many seconds from now."""
        self._forget(now)
        free = self.pace.at_once - self._under_way
        until = now + ahead
        if self.pace.window is not None:
            used = sum(back > until for back in self._back)
            free = min(free, self.pace.window - self._under_way - used)
        interval = self._interval(now)
        if interval:
            first = max(self._slot, now)
            free = min(free, int((until - first) / interval) + 1 if first <= until else 0)
        return max(0, free)

    def resting(self, now: float) -> frozenset[str]:
        """Conversations that may not be written to yet."""
        self._forget(now)
        return frozenset(self._chats)

    def left(self, now: float) -> dict[str, int]:
        """Of each kind that is limited by the minute, how many calls may still start."""
        self._forget(now)
        return {kind: most - self._begun[kind] - len(self._counts[kind]) for kind, most in self.pace.a_minute.items()}

    def next_rested(self, now: float) -> float:
        """When the first of these conversations, or of the kinds that are used up, may go on; inf when none rests."""
        used_up = [kind for kind, left in self.left(now).items() if left <= 0]
        first = [self._counts[kind][0] for kind in used_up if self._counts[kind]]
        return min([*self._chats.values(), *first], default=float("inf"))

    def _interval(self, now: float) -> float:
        """Seconds between two starts, so that calls do not come in waves."""
        rate = self.rate(now)
        if rate is not None:
            return 1 / rate
        return 0.99 / self.pace.window if self.pace.window else 0.0

    def _forget(self, now: float) -> None:
        while self._back and self._back[0] <= now:
            self._back.popleft()
        for counting in self._counts.values():
            while counting and counting[0] <= now:
                counting.popleft()
        # In the order in which they ended, which is that of their times.
        for conversation, at in list(self._chats.items()):
            if at > now:
                break
            del self._chats[conversation]

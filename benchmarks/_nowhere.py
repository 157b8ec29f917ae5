"""A platform that takes everything at once and keeps nothing, for benchmarks that end where delivery begins."""

from collections.abc import Callable
from typing import Any

from bot.core.adapter import Envelope, Outcome, Sent
from bot.core.events import Event
from bot.core.pacing import UNLIMITED
from bot.core.replies import Content


class Nowhere:
    """Its events are handed over by the benchmark itself."""

    name = "bench"
    installation = "test"
    lane = f"{name}:{installation}"
    pace = UNLIMITED

    async def run(self, receive: Callable[[Event], Any]) -> None:
        raise NotImplementedError("the benchmark hands events over itself")

    def parts(self, content: Content) -> list[Content]:
        return [content]

    async def send(self, envelope: Envelope) -> Outcome:
        return Sent(envelope.key)

    async def look_up(self, envelope: Envelope) -> Sent | None:
        return None

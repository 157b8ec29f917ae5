"""What the bot needs of a platform: to listen, to send, and to say honestly what became of a message."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bot.core.events import Address, Event
from bot.core.pacing import Pace
from bot.core.replies import Content


@dataclass(frozen=True, slots=True)
class Sent:
    """It arrived; `ref` is the platform's reference, kept for edits."""

    ref: str


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Refused for now; `retry_after` in seconds."""

    retry_after: float


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proof that nothing left this machine: no name, no connection, no TLS."""

    why: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The person cannot be reached at this address: blocked, deactivated, gone."""

    why: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The platform refused this message for good."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps it arrived: a timeout, a reset, a broken answer."""

    why: str


Outcome = Sent | RateLimited | NotSent | Unreachable | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Absent:
    """The platform was asked and has no such message: it did not arrive until now."""


class LaneClosed(Exception):
    """The platform does not take our token any more: nothing is received or sent until a person mends it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class MenuFor:
    """Whom a menu of commands is made for."""

    language: str
    facilitator: bool


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to the request itself. Not a message: it may be lost with its request and never names another person.

    `problems` are form errors by field; `open` is a form page to show; `note` says "I wrote to you directly"; `menu` is
    for platforms that show each person a menu of their own, and does not make an empty answer a different one.
    """

    toast: str | None = None
    problems: dict[str, str] = field(default_factory=dict)
    open: "Page | None" = None
    note: str | None = None
    menu: MenuFor | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PageField:
    """One question of a form page, in the reader's language."""

    key: str
    question: str
    kind: str
    choices: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    value: str = ""
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A form page for platforms with modals; `held` is the outbox row that is cancelled once the page is open."""

    dialog: int
    version: int
    title: str
    fields: tuple[PageField, ...]
    submit: str
    cancel: str
    held: int | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One visible call: a message, or (with `edits`) a change of the message with that platform reference.

    `key` is the outbox key in base64url: buttons carry it as `key.n`, Slack metadata as it is.
    `attempted_at` is the UTC timestamp (seconds) of the first attempt, for `look_up`.
    """

    key: str
    address: Address
    content: Content
    edits: str | None = None
    deletes: str | None = None
    files: tuple[tuple[str, str, bytes], ...] = ()
    attempted_at: float | None = None


class Adapter(Protocol):
    """A platform. `send` and `look_up` never raise for what a platform answers."""

    @property
    def name(self) -> str: ...

    @property
    def lane(self) -> str:
        """`platform:installation`, known once `run` has started."""
        ...

    @property
    def pace(self) -> Pace:
        """How fast the platform takes calls."""
        ...

    async def run(self, receive: Callable[[Event], Awaitable[Ack]]) -> None:
        """Listen until cancelled; acknowledge each event once `receive` has returned.

        Raises LaneClosed when the platform refuses our token.
        """
        ...

    def parts(self, content: Content) -> list[Content]:
        """Split into visible calls; pure."""
        ...

    async def send(self, envelope: Envelope) -> Outcome: ...

    async def look_up(self, envelope: Envelope) -> Sent | Absent | None:
        """Did it arrive? Only where the platform can tell; None says nothing."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A platform that says how it is: `trouble` is why it takes nothing from us until a person mends it, or None.

    `is_listening`: what people do there reaches us now.
    """

    @property
    def trouble(self) -> str | None: ...

    @property
    def is_listening(self) -> bool: ...

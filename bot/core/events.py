"""What can happen, who did it, and where: everything a platform or the clock can tell the bot."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A conversation in our own words; the adapter finds the platform's reference for it.

    `conversation` is `dm:<user>`, `group:<user>,<user>`, `channel:<channel>` or `home:<user>`,
    a person's own page.
    """

    platform: str
    installation: str
    conversation: str

    @property
    def lane(self) -> str:
        """The platform installation whose rate limit and order this address shares."""
        return f"{self.platform}:{self.installation}"

    @property
    def is_private(self) -> bool:
        return self.conversation.startswith("dm:")

    @property
    def is_home(self) -> bool:
        return self.conversation.startswith("home:")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who acted, as the platform's signed data says; `id` is the platform's own."""

    platform: str
    installation: str
    id: str
    name: str = ""
    locale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Plain text that somebody wrote; `reply_to` is the outbox key of the message answered, when the platform tells."""

    id: str
    sender: Sender
    address: Address
    text: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something that is not text: a photo, a voice note, a sticker. It is never downloaded."""

    id: str
    sender: Sender
    address: Address
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash word; `name` without the slash."""

    id: str
    sender: Sender
    address: Address
    name: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A press on a button; `handle` is what the button carried on the wire (see `ids.button_handle`)."""

    id: str
    sender: Sender
    address: Address
    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """A submitted form page; `dialog` and `version` name the question that was open."""

    id: str
    sender: Sender
    address: Address
    dialog: int
    version: int
    answers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Somebody opened the bot's page (Slack App Home)."""

    id: str
    sender: Sender
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A message was changed after it was sent; `text` is the new one."""

    id: str
    sender: Sender
    address: Address
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A message was deleted by its writer."""

    id: str
    sender: Sender
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """The person blocked (`yes=False`) or unblocked the bot."""

    id: str
    sender: Sender
    address: Address
    yes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The platform installation was removed or its token revoked."""

    id: str
    platform: str
    installation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A schedule or timer came due for these members (at most 500), about one object."""

    id: str
    name: str
    members: tuple[int, ...]
    at: datetime
    object: int | None = None


PersonEvent = Message | Unreadable | Command | Press | Submit | Opened | Edited | Deleted | Reachable
Event = PersonEvent | Disconnected | Due

"""People with the Telegram app, for the local server: what they see, and what they do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.adapters.telegram_server import TelegramServer


@dataclass
class ChatMessage:
    """One message as a person sees it."""

    number: int
    text: str
    bold: list[str]
    buttons: list[tuple[str, str]]  # label, what it carries
    kind: str = "text"
    file: tuple[str, bytes] | None = None
    edits: int = 0

    @property
    def labels(self) -> list[str]:
        return [label for label, _ in self.buttons]


@dataclass
class Person:
    """Somebody with the Telegram app."""

    server: "TelegramServer"
    id: int
    name: str
    language: str

    @property
    def user(self) -> dict[str, Any]:
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": self.language}

    @property
    def chat(self) -> dict[str, Any]:
        return {"id": self.id, "type": "private", "first_name": self.name}

    @property
    def screen(self) -> list[ChatMessage]:
        return self.server.screens[self.id]

    def says(self, text: str, **more: Any) -> int:
        return self.sends(text=text, **more)

    def sends(self, **content: Any) -> int:
        """A message with this content, text or not; returns the update's number."""
        message = {
            "message_id": self.server.message_number(),
            "from": self.user,
            "chat": self.chat,
            "date": 1_790_000_000,
        }
        return self.server.happens(message={**message, **content})

    def presses(self, label: str) -> str:
        """Press the newest button that begins so; returns the id of the query."""
        for message in reversed(self.screen):
            for shown, data in message.buttons:
                if shown.startswith(label):
                    return self.presses_data(data, message)
        raise AssertionError(f"{self.name} sees no button {label!r}")

    def presses_data(self, data: str, message: ChatMessage | None = None) -> str:
        query = f"q{self.server.message_number()}"
        number = message.number if message else 1
        under = {
            "message_id": number,
            "date": 1_790_000_000,
            "chat": self.chat,
            "text": message.text if message else "",
        }
        self.server.happens(
            callback_query={"id": query, "from": self.user, "chat_instance": "1", "data": data, "message": under}
        )
        return query

    def blocks(self, status: str = "kicked") -> int:
        """Block the bot; "member" unblocks it."""
        self.server.blocked.add(self.id) if status == "kicked" else self.server.blocked.discard(self.id)
        bot = {"id": self.server.bot_id, "is_bot": True, "first_name": "Kawan"}
        return self.server.happens(
            my_chat_member={
                "chat": self.chat, "from": self.user, "date": 1_790_000_000,
                "old_chat_member": {"user": bot, "status": "member"},
                "new_chat_member": {"user": bot, "status": status},
            }
        )  # fmt: skip


def write(message: ChatMessage, arguments: dict[str, Any]) -> None:
    """Put the checked arguments of a call on the screen."""
    text = str(arguments.get("text") or arguments.get("caption") or "").strip()
    encoded = text.encode("utf-16-le")
    entities = arguments.get("entities") or arguments.get("caption_entities") or []
    message.text = text
    message.bold = [
        encoded[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le") for e in entities
    ]  # fmt: skip
    message.buttons = list(_buttons(arguments.get("reply_markup", [])))


def _buttons(rows: list[list[dict[str, str]]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for button in row:
            yield button["text"], button["callback_data"]

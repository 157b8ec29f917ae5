"""Conversations on Telegram: what people do comes as updates through parse, what they see goes through render."""

import json
from dataclasses import replace
from typing import Any

from bot.adapters.telegram.parse import parse
from bot.adapters.telegram.render import Rendered, parts, render
from bot.core.adapter import Envelope
from bot.core.events import Command, Event, Message, Press
from bot.core.replies import Content
from tests.adapters.telegram_rules import read_arguments
from tests.chat import Person, Shown

DATE = 1_790_000_000


class OnTelegram:
    """A `Platform` for `tests.chat.Chat`: people have numbers on Telegram, and bear their names in the chat."""

    name = "telegram"
    installation = "4839574812"

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def says(self, number: int, who: Person, text: str) -> Event:
        message: dict[str, Any] = {"message_id": number, "from": self._user(who), "chat": self._chat(who), "date": DATE}
        message["text"] = text
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        return self._parsed({"update_id": number, "message": message}, who)

    def presses(self, number: int, who: Person, handle: str) -> Event:
        under = {"message_id": 1, "date": DATE, "chat": self._chat(who), "text": "…"}
        query = {"id": f"q{number}", "from": self._user(who), "chat_instance": "1", "data": handle, "message": under}
        return self._parsed({"update_id": number, "callback_query": query}, who)

    def parts(self, content: Content) -> list[Content]:
        return parts(content)

    def shows(self, envelope: Envelope) -> list[Shown]:
        return [self._shown(envelope, envelope.content)]

    def _shown(self, envelope: Envelope, content: Content) -> Shown:
        rendered = render(content, envelope.key)
        _accepted(envelope, rendered)
        buttons = [(button["text"], button["callback_data"]) for row in rendered.rows for button in row]
        return Shown(rendered.text, buttons, envelope.edits is not None)

    def _parsed(self, update: dict[str, Any], who: Person) -> Event:
        """Through JSON, as it travels; then the number becomes the name again that the other side knows."""
        event = parse(json.loads(json.dumps(update)), self.installation).event
        assert isinstance(event, Message | Command | Press)
        assert event.sender.id == str(self._number(who))
        assert event.address.conversation == f"dm:{event.sender.id}"
        return replace(event, sender=replace(event.sender, id=who.sender.id), address=who.address)

    def _number(self, who: Person) -> int:
        return self._numbers.setdefault(who.sender.id, 700_000_001 + len(self._numbers))

    def _user(self, who: Person) -> dict[str, Any]:
        sender = who.sender
        return {
            "id": self._number(who), "is_bot": False, "first_name": sender.name, "language_code": sender.locale or "en"
        }  # fmt: skip

    def _chat(self, who: Person) -> dict[str, Any]:
        return {"id": self._number(who), "type": "private", "first_name": who.sender.name}


def _accepted(envelope: Envelope, rendered: Rendered) -> None:
    """Raises Refused for what the local server, strict about every documented limit, would answer with 400."""
    if envelope.files:
        return
    fields = {"chat_id": "42", "text": rendered.text}
    if rendered.entities:
        fields["entities"] = json.dumps(rendered.entities)
    if rendered.rows:
        fields["reply_markup"] = json.dumps({"inline_keyboard": rendered.rows})
    read_arguments("sendMessage", fields, {})

"""Slack's way for conversation tests: what is said and pressed goes through parse, what is shown through render."""

from dataclasses import replace

from bot.adapters.slack.pages import home
from bot.adapters.slack.parse import PLATFORM, Workspace, parse
from bot.adapters.slack.render import message, parts
from bot.core.adapter import Envelope
from bot.core.events import Event, PersonEvent
from bot.core.replies import Content
from tests.adapters.slack_people import commanded, pressed, written
from tests.adapters.slack_rules import problems_of_message, problems_of_view
from tests.adapters.slack_server import BOT_USER, TEAM
from tests.chat import Person, Shown


class Slack:
    """A Platform of `tests.chat`: people are known there by name, on Slack by an id made from it."""

    name = PLATFORM
    installation = TEAM

    def __init__(self) -> None:
        self._workspace = Workspace(TEAM, BOT_USER)

    def says(self, number: int, who: Person, text: str) -> Event:
        user, channel = _ids(who)
        self._workspace.chats[user] = channel
        if text.startswith("/"):
            return self._event(commanded(number, user, channel, text[1:]), who)
        return self._event(written(number, user, channel, text), who)

    def presses(self, number: int, who: Person, handle: str) -> Event:
        user, channel = _ids(who)
        return self._event(pressed(number, user, channel, handle), who)

    def parts(self, content: Content) -> list[Content]:
        return parts(content)

    def shows(self, envelope: Envelope) -> list[Shown]:
        if envelope.address.is_home:
            call = home(envelope.content, envelope.key)
            problems = problems_of_view(call)
        else:
            call = message(envelope.content, envelope.key)
            problems = problems_of_message({**call, "channel": "D0"})
        assert not problems, problems
        texts = [block["text"]["text"] for block in call["blocks"] if "text" in block]
        buttons = [element for block in call["blocks"] for element in block.get("elements", ())]
        labelled = [(button["text"]["text"], button["value"]) for button in buttons]
        return [Shown("\n".join(texts), labelled, envelope.edits is not None)]

    def _event(self, body: dict[str, object], who: Person) -> Event:
        event = parse(body, self._workspace)
        assert isinstance(event, PersonEvent)
        assert event.sender.id == _ids(who)[0]
        assert event.address.conversation == f"dm:{event.sender.id}"
        return replace(event, sender=who.sender, address=who.address)


def _ids(who: Person) -> tuple[str, str]:
    """A person's id and direct chat."""
    name = who.name.encode().hex().upper()
    return f"U{name}", f"D{name}"

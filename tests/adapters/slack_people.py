"""People on Slack, for tests: they write, press and fill in forms, by payloads made from recorded ones."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from tests.adapters.slack_server import Delivery, Shown, SlackServer

PAYLOADS = Path(__file__).parent / "payloads" / "slack"


def payload(name: str) -> dict[str, Any]:
    """A recorded payload, to be changed at will."""
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return deepcopy(found)


def written(number: int, user: str, channel: str, text: str) -> dict[str, Any]:
    """Somebody writes in the direct chat; Slack escapes three characters."""
    body = payload("message_im")
    body["event_id"] = f"Ev{number}"
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    body["event"] |= {"user": user, "channel": channel, "text": escaped, "ts": f"1764550800.{number:06}"}
    return body


def commanded(number: int, user: str, channel: str, text: str) -> dict[str, Any]:
    """Somebody types `/kawan …`."""
    body = payload("slash_command")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return body | {"user_id": user, "channel_id": channel, "text": escaped, "trigger_id": f"{number}.1.command"}


def pressed(number: int, user: str, channel: str, handle: str) -> dict[str, Any]:
    """Somebody presses a button."""
    body = payload("block_actions")
    body["user"] |= {"id": user}
    body["channel"]["id"] = body["container"]["channel_id"] = channel
    body["actions"][0]["value"] = handle
    body["trigger_id"] = f"{number}.1.action"
    return body


class SlackPerson:
    """Somebody at a local Slack."""

    def __init__(self, server: SlackServer, user: str) -> None:
        self.server = server
        self.user = user
        self.answered: Any = None

    @property
    def channel(self) -> str:
        return self.server.channel_of(self.user)

    @property
    def screen(self) -> list[Shown]:
        return self.server.screen(self.user)

    async def says(self, text: str) -> Delivery:
        return await self.sends(written(self.server.number(), self.user, self.channel, text))

    async def sends(self, body: dict[str, Any]) -> Delivery:
        """Any payload of the Events API."""
        return await self.server.deliver("events_api", body)

    async def kawan(self, text: str = "", channel: str = "C0GENERAL") -> Delivery:
        """Type `/kawan …` in a channel."""
        body = commanded(self.server.number(), self.user, channel, text)
        body |= {"trigger_id": self.server.trigger(self.user), "response_url": self.server.response_url(self.user)}
        return await self.server.deliver("slash_commands", body)

    async def presses(self, label: str) -> Delivery:
        """Press the newest button with this label."""
        for shown in reversed(self.screen):
            for button in shown.buttons:
                if button["text"]["text"] == label:
                    return await self.presses_handle(button["value"])
        raise AssertionError(f"no button {label!r}")

    async def presses_handle(self, handle: str, channel: str = "") -> Delivery:
        body = pressed(self.server.number(), self.user, channel or self.channel, handle)
        body |= {"trigger_id": self.server.trigger(self.user), "response_url": self.server.response_url(self.user)}
        return await self.server.deliver("interactive", body)

    async def presses_at_home(self, handle: str) -> Delivery:
        body = payload("block_actions_home")
        body["user"]["id"], body["actions"][0]["value"] = self.user, handle
        return await self.server.deliver("interactive", body | {"trigger_id": self.server.trigger(self.user)})

    async def submits(self, **answers: str) -> Delivery:
        """Fill in the modal that is open, and send it."""
        view = self.server.views[self.user]
        body = payload("view_submission")
        values = {
            block["block_id"]: {
                block["element"]["action_id"]: _filled(block["element"], answers.get(block["block_id"], ""))
            }
            for block in view["blocks"]
        }
        body["user"]["id"] = self.user
        body["view"] = {**body["view"], **view, "state": {"values": values}}
        delivery = await self.server.deliver("interactive", body | {"trigger_id": self.server.trigger(self.user)})
        if delivery.acknowledged and not delivery.answer:
            del self.server.views[self.user]  # an empty answer closes it
        return delivery

    async def opens_home(self) -> Delivery:
        body = payload("app_home_opened")
        body["event_id"] = f"Ev{self.server.number()}"
        body["event"] |= {"user": self.user, "channel": self.channel}
        return await self.sends(body)


def _filled(element: dict[str, Any], answer: str) -> dict[str, Any]:
    """The state of one input, as Slack sends it."""
    if element["type"] == "multi_users_select":
        return {"type": element["type"], "selected_users": answer.split(",") if answer else []}
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": answer or None}
    groups = element.get("option_groups") or [{"options": element["options"]}]
    picked = [option for group in groups for option in group["options"] if option["value"] in answer.split(",")]
    if element["type"] in ("checkboxes", "multi_static_select"):
        return {"type": element["type"], "selected_options": picked}
    return {"type": element["type"], "selected_option": picked[0] if picked else None}

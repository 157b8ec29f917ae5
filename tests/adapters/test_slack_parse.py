"""Recorded payloads become the right events; everything else becomes nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.parse import Workspace, id_of, parse
from bot.adapters.slack.texts import unmarked
from bot.core.events import (
    Address,
    Command,
    Deleted,
    Disconnected,
    Edited,
    Event,
    Message,
    Opened,
    Press,
    Sender,
    Submit,
    Unreadable,
)
from tests.adapters.slack_people import PAYLOADS, payload
from tests.adapters.slack_server import BOT_USER, TEAM

HANDLE = "AAAAAAAAAAAAAAAAAAAAAA.0"
DIRECT = Address("slack", TEAM, "dm:U0SARI")
CHANNEL = Address("slack", TEAM, "channel:C0GENERAL")
SARI = Sender("slack", TEAM, "U0SARI")
NAMED = Sender("slack", TEAM, "U0SARI", "sari")


def workspace() -> Workspace:
    return Workspace(TEAM, BOT_USER, "B0KAWAN", chats={"U0SARI": "D0SARI"}, keys={"D0SARI/1764550700.000100": "key"})


EVENTS: dict[str, Event] = {
    "message_im": Message(id="Ev0MESSAGE", sender=SARI, address=DIRECT, text="legal drafting"),
    "message_markup": Message(
        id="Ev0MARKUP",
        sender=SARI,
        address=DIRECT,
        text="see <b> R&D ocp.example/a?b=1&c=2 @bat #news @here bat@ocp.example 🇲🇳",
    ),
    "message_thread_reply": Message(id="Ev0THREAD", sender=SARI, address=DIRECT, text="yes, gladly", reply_to="key"),
    "message_photo": Unreadable(id="Ev0PHOTO", sender=SARI, address=DIRECT, kind="photo"),
    "message_voice": Unreadable(id="Ev0VOICE", sender=SARI, address=DIRECT, kind="voice"),
    "message_document": Unreadable(id="Ev0DOCUMENT", sender=SARI, address=DIRECT, kind="file"),
    "message_forwarded": Unreadable(id="Ev0FORWARD", sender=SARI, address=DIRECT, kind="file"),
    "message_changed": Edited(id="Ev0CHANGED", sender=SARI, address=DIRECT, text="legal drafting, and courts"),
    "message_deleted": Deleted(id="Ev0DELETED", sender=SARI, address=DIRECT),
    "message_slack_connect": Message(
        id="Ev0CONNECT",
        sender=Sender("slack", TEAM, "U0LENA"),
        address=Address("slack", TEAM, "dm:U0LENA"),
        text="hello",
    ),
    "app_home_opened": Opened(id="Ev0HOME", sender=SARI, address=Address("slack", TEAM, "home:U0SARI")),
    "app_uninstalled": Disconnected(id="Ev0UNINSTALLED", platform="slack", installation=TEAM),
    "tokens_revoked": Disconnected(id="Ev0REVOKED", platform="slack", installation=TEAM),
    "slash_command": Command(id="100.1.command", sender=NAMED, address=CHANNEL, name="", text="find legal drafting"),
    "slash_command_direct": Command(id="100.2.command", sender=NAMED, address=DIRECT, name="", text="allies"),
    "slash_command_empty": Command(id="100.3.command", sender=NAMED, address=CHANNEL, name="help"),
    "block_actions": Press(id="200.1.action", sender=NAMED, address=DIRECT, handle=HANDLE),
    "block_actions_group": Press(
        id="200.2.action", sender=NAMED, address=Address("slack", TEAM, "channel:G0TWO"), handle=HANDLE
    ),
    "block_actions_home": Press(id="200.3.action", sender=NAMED, address=DIRECT, handle=HANDLE),
    "view_submission": Submit(
        id="300.1.view",
        sender=NAMED,
        address=DIRECT,
        dialog=7,
        version=2,
        answers={"name": "Sari <b> & co", "country": "citizens", "coalitions": "citizens,donors", "need": ""},
    ),
}
NOTHING = {
    "app_home_messages", "app_rate_limited", "block_actions_link", "message_bot", "message_changed_own",
    "message_channel", "message_group", "message_joined", "message_other_workspace", "message_own",
    "message_slackbot", "message_unfolded", "shortcut", "tokens_revoked_of_a_person", "unknown_event",
    "url_verification", "view_closed",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_every_recorded_payload_is_understood_or_ignored(name: str) -> None:
    assert name in EVENTS or name in NOTHING
    assert parse(payload(name), workspace()) == EVENTS.get(name)


def test_a_direct_chat_that_is_not_ours_is_answered_as_a_channel() -> None:
    body = payload("slash_command_direct") | {"channel_id": "D0OTHERS"}
    event = parse(body, workspace())
    assert isinstance(event, Command)
    assert event.address.conversation == "channel:D0OTHERS"


def test_the_id_is_the_events_else_the_triggers_else_the_views_else_the_bodys() -> None:
    body = payload("view_submission")
    assert id_of(payload("message_im")) == "Ev0MESSAGE"
    assert id_of(body) == "300.1.view"
    del body["trigger_id"]
    assert id_of(body) == "V0FORM.1764.b"
    del body["view"]
    assert id_of(body) == id_of(dict(reversed(body.items())))
    assert len(id_of(body)) == 64
    assert id_of(body) != id_of(body | {"token": "other"})


@pytest.mark.parametrize("metadata", ["", "{oops", "[]", '{"dialog": "7", "version": 2}', '{"dialog": true}', "null"])
def test_a_form_that_is_not_ours_is_nothing(metadata: str) -> None:
    body = payload("view_submission")
    body["view"]["private_metadata"] = metadata
    assert parse(body, workspace()) is None


def test_a_link_whose_words_hide_its_address_shows_both() -> None:
    assert unmarked("<https://evil.example|our bank>") == "our bank (https://evil.example)"


@given(st.text())
def test_what_was_typed_comes_back_as_typed(text: str) -> None:
    """A colon word for a flag is the one thing that changes."""
    typed = text.replace(":flag-", "")
    sent = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert unmarked(sent) == typed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EVENTS)), st.data(), JSON)
def test_a_broken_payload_never_raises(name: str, data: st.DataObject, broken: Any) -> None:
    body = payload(name)
    place: Any = body
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not inner or not isinstance(inner, dict | list) or data.draw(st.booleans()):
            place[key] = broken
            break
        place = inner
    parse(json.loads(json.dumps(body)), workspace())
    id_of(body)

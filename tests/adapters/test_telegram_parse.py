"""Telegram's updates as events: recorded payloads, forged ones, and anything else."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.telegram.parse import Group, Incoming, Unparsable, parse, query_of, update_number
from bot.core.events import Address, Command, Edited, Event, Message, Press, Reachable, Sender, Unreadable

FOLDER = Path(__file__).parent / "payloads" / "telegram"
BOT = "4839574812"
SEKAR = Sender("telegram", BOT, "728139455", "Sekar Ayu", "id")
HERE = Address("telegram", BOT, "dm:728139455")
KEY = "AAECAwQFBgcICQoLDA0ODw"
QUERY = "31274530819435568"
SUPERGROUP = Group(-1001938475612, can_write=True)


def recorded(name: str) -> dict[str, Any]:
    update: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return update


def expected(payload: str, make: Callable[..., Event], fields: dict[str, Any]) -> Event:
    number = str(recorded(payload)["update_id"])
    return make(**{"id": number, "sender": SEKAR, "address": HERE, **fields})


EXPECTED: dict[str, tuple[Callable[..., Event], dict[str, Any]]] = {
    "text": (Message, {"text": "gubernur belum mau tanda tangan"}),
    "start_with_code": (Command, {"name": "start", "text": "Zm9vYmFyYmF6cXV4MTIzNA"}),
    "start": (Command, {"name": "start", "text": ""}),
    "command_with_bot_name": (Command, {"name": "find", "text": "beneficial ownership"}),
    "command_in_thai": (Command, {"name": "ค้นหา", "text": "กฎหมาย"}),
    "reply_to_bot": (Message, {"text": "Ya, saya mau", "reply_to": KEY}),
    "text_in_reply_to_own": (Message, {"text": "maksud saya ini"}),
    "forwarded": (Message, {"text": "baca ini"}),
    "edited_text": (Edited, {"text": "gubernur sudah mau"}),
    "photo": (Unreadable, {"kind": "photo"}),
    "album": (Unreadable, {"kind": "photo", "id": "album-13594857283746551"}),
    "blocked": (Reachable, {"yes": False}),
    "unblocked": (Reachable, {"yes": True}),
    **{
        kind: (Unreadable, {"kind": kind})
        for kind in (
            "voice", "video", "video_note", "audio", "animation", "document", "sticker", "location", "venue", "contact",
            "poll", "dice", "story",
        )
    },
}  # fmt: skip
PRESSES = {
    "press": (f"{KEY}.0", f"{QUERY}11"),
    "press_on_inaccessible_message": (f"{KEY}.1", f"{QUERY}12"),
    "press_forged": ("../../etc\0'; DROP", f"{QUERY}13"),
    "press_game": ("", f"{QUERY}14"),
}
NOT_FOR_US: dict[str, Incoming] = {
    "edited_caption": Incoming(),
    "live_location_moved": Incoming(),
    "pinned": Incoming(),
    "auto_delete_timer": Incoming(),
    "of_a_kind_not_yet_known": Incoming(),
    "from_a_bot": Incoming(),
    "unknown_kind": Incoming(),
    "removed_from_group": Incoming(),
    "press_inline": Incoming(query=f"{QUERY}15"),
    "press_in_group": Incoming(query=f"{QUERY}16"),
    "added_to_group": Incoming(group=replace(SUPERGROUP, joined=True)),
    "group_text": Incoming(group=SUPERGROUP),
    "group_migrated": Incoming(group=Group(-4093847, can_write=True)),
    "added_to_channel": Incoming(group=Group(-1001938475613, can_write=False, joined=True)),
}


def test_every_recorded_payload_is_expected_somewhere() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*EXPECTED, *PRESSES, *NOT_FOR_US}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_update_becomes_its_event(name: str) -> None:
    make, fields = EXPECTED[name]
    assert parse(recorded(name), BOT) == Incoming(expected(name, make, fields))


@pytest.mark.parametrize("name", PRESSES)
def test_a_press_keeps_its_handle_and_its_query(name: str) -> None:
    handle, query = PRESSES[name]
    assert parse(recorded(name), BOT) == Incoming(expected(name, Press, {"handle": handle}), query=query)


@pytest.mark.parametrize("name", NOT_FOR_US)
def test_what_is_not_a_private_matter_makes_no_event(name: str) -> None:
    assert parse(recorded(name), BOT) == NOT_FOR_US[name]


@pytest.mark.parametrize(
    ("code", "locale"),
    [
        ("id", "id"), ("tl", "fil"), ("fil", "fil"), ("tl-PH", "fil-PH"), ("zh-hans", "zh-hans"), ("", None),
        ("x" * 40, None), ("../id", None), (7, None), (None, None),
    ],
)  # fmt: skip
def test_the_app_language_is_taken_when_it_is_one(code: object, locale: str | None) -> None:
    update = recorded("text")
    update["message"]["from"]["language_code"] = code
    event = parse(update, BOT).event
    assert isinstance(event, Message)
    assert event.sender.locale == locale


def test_identity_comes_from_the_sender_not_from_the_chat() -> None:
    update = recorded("text")
    update["message"]["chat"]["id"] = 999
    event = parse(update, BOT).event
    assert isinstance(event, Message)
    assert (event.sender.id, event.address.conversation) == ("728139455", "dm:728139455")


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("/find\nlegal\ndrafting", "find", "legal\ndrafting"),
        ("/", "", ""),
        ("/ find", "", ""),
        ("//find", "/find", ""),
        ("/\u2060safe", "safe", ""),
    ],
)
def test_slash_words_are_told_from_text(text: str, name: str, rest: str) -> None:
    update = recorded("text")
    update["message"]["text"] = text
    event = parse(update, BOT).event
    if name:
        assert isinstance(event, Command)
        assert (event.name, event.text) == (name, rest)
    else:
        assert isinstance(event, Message)
        assert event.text == text


@settings(max_examples=500)
@given(st.sampled_from([*EXPECTED, *PRESSES, *NOT_FOR_US]), st.data())
def test_a_mangled_update_is_an_event_or_unparsable_and_nothing_else(name: str, data: st.DataObject) -> None:
    update = recorded(name)
    thing: Any = update
    for _ in range(data.draw(st.integers(0, 4))):
        inner = [value for value in thing.values() if isinstance(value, dict)] if isinstance(thing, dict) else []
        thing = data.draw(st.sampled_from(inner)) if inner else thing
    field = data.draw(st.sampled_from(sorted(thing)))
    junk = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=2)
    thing[field] = data.draw(junk | st.dictionaries(st.text(max_size=3), st.none(), max_size=2))
    if data.draw(st.booleans()):
        del thing[field]
    with suppress(Unparsable):
        assert isinstance(parse(update, BOT), Incoming)
    assert update_number(update) is None or isinstance(update_number(update), int)
    assert query_of(update) is None or isinstance(query_of(update), str)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_is_no_update_is_unparsable(thing: object) -> None:
    with pytest.raises(Unparsable):
        parse(thing, BOT)
    assert update_number(thing) is None

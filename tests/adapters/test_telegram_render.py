"""What people see on Telegram: any text, any script, any length stays within every documented limit."""

import json
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.adapters.telegram.parse import parse
from bot.adapters.telegram.render import CAPTION, TEXT, Rendered, clean, is_visible, parts, render, toast, units
from bot.core.events import Press
from bot.core.ids import encode, read_button_handle
from bot.core.replies import Content, File, Pressable
from tests.adapters.telegram_rules import read_arguments

KEY = encode(bytes(range(16)))
AFILE = File("calendar.ics", "text/calendar", "calendar", 1)

SCRIPTS = [
    "Political buy-in. ", "Төрийн худалдан авалт. ", "ขอความช่วยเหลือด้านกฎหมาย", "مرحبا بكم في البرنامج. ", "שלום ",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467", "e\u0301\u0302", "\U0001d518", "\u202eevil", "\ud800", "\0",
    "\u200b\u2060", "/leave ", "@bat ", "[x](tg://user?id=1)", "<b>", "\n\n", "  ", "```", "\u2800", "漢字。", "&amp;",
    "https://x.example/a/b ", "\u3164",
]  # fmt: skip
PIECE = st.sampled_from(SCRIPTS) | st.text(max_size=12)
ANY_TEXT = st.builds(lambda pieces, times: "".join(pieces) * times, st.lists(PIECE, max_size=6), st.integers(0, 400))
SHORT_TEXT = st.builds("".join, st.lists(PIECE, max_size=4))
BUTTON = st.builds(
    Pressable,
    st.one_of(SHORT_TEXT, ANY_TEXT),
    st.just("x"),
    st.just(""),
    st.sampled_from(["plain", "primary", "danger"]),
)
BUTTONS = st.one_of(
    st.lists(BUTTON, max_size=4), st.builds(lambda button, times: [button] * times, BUTTON, st.integers(0, 130))
).map(tuple)
FIELDS = st.lists(st.tuples(SHORT_TEXT, SHORT_TEXT), max_size=4) | st.just([("Name", "Value")] * 120)
CONTENT = st.builds(
    Content,
    text=ANY_TEXT,
    title=st.none() | SHORT_TEXT | ANY_TEXT,
    fields=FIELDS.map(tuple),
    buttons=BUTTONS,
    files=st.sampled_from([(), (AFILE,), (AFILE, AFILE)]),
)


def accepted(rendered: Rendered, *, caption: bool = False) -> None:
    """Raises what the local server, strict about every documented limit, would refuse."""
    fields = {"chat_id": "42", "caption" if caption else "text": rendered.text}
    entities = json.dumps(rendered.entities)
    fields["caption_entities" if caption else "entities"] = entities
    if rendered.rows:
        fields["reply_markup"] = json.dumps({"inline_keyboard": rendered.rows})
    files = {"document": ("a.pdf", b"x")} if caption else {}
    read_arguments("sendDocument" if caption else "sendMessage", fields, files)


def buttons_of(rendered: Rendered) -> list[tuple[str, str]]:
    return [(button["text"], button["callback_data"]) for row in rendered.rows for button in row]


@settings(max_examples=200, deadline=None)
@given(CONTENT)
@example(Content(text=""))
@example(Content(text="😀" * 4096))
@example(Content(text="x" * 4096, title="t"))
@example(Content(text="x", buttons=(Pressable("ไทย" * 30, "x"),) * 100))
def test_whatever_is_said_is_within_every_limit_in_parts_and_uncut(content: Content) -> None:
    accepted(render(content, KEY, CAPTION), caption=True)
    for part in (*parts(content), content):
        accepted(render(part, KEY, CAPTION if part.files else TEXT), caption=bool(part.files))


@settings(max_examples=100, deadline=None)
@given(CONTENT)
def test_parts_lose_no_word_no_file_and_no_button(content: Content) -> None:
    made = parts(content)
    whole = render(Content(content.text, content.title, content.fields), KEY, 10**9).text
    shown = "".join(render(part, KEY, CAPTION if part.files else TEXT).text for part in made)
    assert letters(shown) == letters(whole)
    assert [file for part in made for file in part.files] == list(content.files)
    assert [button for part in made for button in part.buttons] == list(content.buttons)
    assert all(len(part.files) <= 1 for part in made)


def letters(text: str) -> list[str]:
    """What can be seen of a text, without the white space that a cut takes away and the marks of a cut."""
    return [c for c in text if unicodedata.category(c)[0] in "LNPS" and c not in "\u2800\u3164…"]


@settings(max_examples=100, deadline=None)
@given(BUTTONS)
def test_every_button_comes_back_as_the_press_that_it_is(buttons: tuple[Pressable, ...]) -> None:
    for part in parts(Content(text="Choose", buttons=buttons)):
        shown = buttons_of(render(part, KEY))
        assert len(shown) == len(part.buttons)
        for number, (_, data) in enumerate(shown):
            assert read_button_handle(pressed(data)) == (bytes(range(16)), number)


def pressed(data: str) -> str:
    sari = {"id": 42, "is_bot": False, "first_name": "Sari"}
    under = {"message_id": 1, "date": 0, "chat": {"id": 42, "type": "private"}}
    query = {"id": "q", "from": sari, "chat_instance": "1", "data": data, "message": under}
    event = parse(json.loads(json.dumps({"update_id": 1, "callback_query": query})), "1").event
    assert isinstance(event, Press)
    return event.handle


@given(SHORT_TEXT, SHORT_TEXT, SHORT_TEXT)
def test_only_our_own_words_are_bold_and_nothing_else_is_marked(title: str, text: str, value: str) -> None:
    rendered = render(Content(text, title, (("Name", value),)), KEY)
    encoded = rendered.text.encode("utf-16-le")
    marks = rendered.entities
    bold = [encoded[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le") for e in marks]
    shown = clean(title).strip()
    assert bold == ([shown] if is_visible(shown) else []) + ["Name:"]
    assert all(entity["type"] == "bold" and entity.keys() == {"type", "offset", "length"} for entity in marks)


@pytest.mark.parametrize("text", ["/leave", "tap /safe now", "(/leave)", "x\n/leave", ".../leave"])
def test_a_person_cannot_make_a_command_that_others_tap(text: str) -> None:
    shown = render(Content(text), KEY).text
    assert "/leave" not in shown
    assert "/safe" not in shown
    assert shown.replace("\u2060", "") == text


def test_the_two_harmless_commands_stay_as_the_bot_wrote_them() -> None:
    for text in ("/start Zm9v", "Type /help."):
        assert render(Content(text), KEY).text == text
    assert render(Content("/starting /helper"), KEY).text == "/\u2060starting /\u2060helper"


@pytest.mark.parametrize("text", ["and/or", "https://x.example/a/b", "1/2", "w/o"])
def test_slashes_inside_words_and_addresses_stay_as_they_are(text: str) -> None:
    assert render(Content(text), KEY).text == text


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_long_text_is_split_after_sentences() -> None:
    sentence = "Beneficial ownership registers need a law, a budget and a friend in the ministry. "
    made = parts(Content(sentence * 120, "Title", buttons=(Pressable("Go", "x"),)))
    assert len(made) == 3
    assert all(part.text.endswith(".") for part in made)
    assert [part.title for part in made] == ["Title", None, None]
    assert [len(part.buttons) for part in made] == [0, 0, 1]


def test_a_text_without_spaces_is_not_split_inside_a_letter() -> None:
    family = "👩‍👩‍👧‍👦"
    for text in (family * 1000, "ก็" * 5000, "é" * 5000):
        for part in parts(Content(text)):
            first = part.text[0]
            assert not unicodedata.category(first).startswith("M")
            assert first != "\u200d"
            assert part.text[-1] != "\u200d"


def test_what_fits_is_one_message() -> None:
    for content in (
        Content("x" * 4096),
        Content("x" * 1024, files=(AFILE,)),
        Content("x", buttons=(Pressable("a", "b"),) * 20),
    ):
        assert parts(content) == [content]


def test_a_file_with_buttons_comes_before_the_text_that_carries_them() -> None:
    made = parts(Content("Your calendar", files=(AFILE,), buttons=(Pressable("Right", "x"),)))
    assert [(part.text, len(part.files), len(part.buttons)) for part in made] == [("", 1, 0), ("Your calendar", 0, 1)]


def test_short_labels_stand_in_pairs_and_long_ones_alone() -> None:
    labels = ("Meet", "More", "Tell me when somebody joins", "Yes")
    rendered = render(Content("x", buttons=tuple(Pressable(label, "x") for label in labels)), KEY)
    assert [[button["text"] for button in row] for row in rendered.rows] == [
        ["Meet", "More"], ["Tell me when somebody joins"], ["Yes"]
    ]  # fmt: skip


@given(ANY_TEXT)
def test_a_toast_fits_or_is_left_out(text: str) -> None:
    shown = toast(text)
    assert shown is None or (is_visible(shown) and units(shown) <= 200)

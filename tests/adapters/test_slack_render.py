"""Any text, any script, any length stays within Slack's limits, and nothing a person types becomes markup."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.slack import pages
from bot.adapters.slack.parse import Workspace, parse
from bot.adapters.slack.render import blocks, body, message, parts
from bot.adapters.slack.texts import chunks, cut, escaped, units
from bot.core.adapter import Page, PageField
from bot.core.cleaning import clean_text
from bot.core.events import Press
from bot.core.ids import button_handle, read_button_handle
from bot.core.replies import Content, File, Pressable
from tests.adapters.slack_people import pressed
from tests.adapters.slack_rules import RECOMMENDED_TEXT, mrkdwn_of, problems_of_message, problems_of_view, strings
from tests.adapters.slack_server import TEAM

KEY = "AAAAAAAAAAAAAAAAAAAAAA"
FAMILY = "\u200d".join("👩👩👧👦")
# Words that Slack would read as its own, marks without a letter, families in one emoji, what is invisible.
PIECES = st.sampled_from(
    [
        "<!channel>", "<@U0BAT>", "<https://evil.example|your bank>", "&lt;!here&gt;", "&amp;", "*bold*", "_i_", "~s~",
        "`code`", "> quoted", "@channel", ":flag-mn:", "\u0301" * 40, FAMILY, "🇲🇳", "กำลัง", "Монгол",
        "\u202e", "\u200b",
        " ", "\n\n", '"', "\\", "a" * 700, "слово. " * 300, "👍🏽" * 500, "\x00", "\ud800",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES | st.text(max_size=30), max_size=30).map("".join))
BUTTONS = st.builds(
    Pressable, TEXTS, st.just("a"), st.just(""), st.sampled_from(["plain", "primary", "danger", "other"])
)
CONTENTS = st.builds(
    Content,
    TEXTS,
    st.none() | TEXTS,
    st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple),
    st.lists(BUTTONS, max_size=99).map(tuple),
)


def without_space(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=100, deadline=None)
@given(CONTENTS)
def test_any_content_is_a_valid_message(content: Content) -> None:
    call = message(content, KEY)
    assert problems_of_message({**call, "channel": "D0"}) == []
    assert call["metadata"] == {"event_type": "kawan", "event_payload": {"key": KEY}}
    assert list(mrkdwn_of(call["blocks"])) == []
    assert len(json.dumps(call["blocks"], ensure_ascii=False)) < 12_000
    assert units(call["text"]) <= RECOMMENDED_TEXT
    json.dumps(call).encode()


@settings(max_examples=80, deadline=None)
@given(CONTENTS)
def test_the_parts_of_any_content_show_all_of_it(content: Content) -> None:
    shown, labels = "", 0
    for part in parts(content):
        call = message(part, KEY)
        assert problems_of_message({**call, "channel": "D0"}) == []
        assert len([e for block in call["blocks"] for e in block.get("elements", ())]) == len(part.buttons)
        labels += len(part.buttons)
        shown += "".join(block["text"]["text"] for block in call["blocks"] if "text" in block)
    assert labels == len(content.buttons)
    words = without_space(body(content))
    if words.isprintable():
        assert words in without_space(shown)


@settings(max_examples=30, deadline=None)
@given(st.lists(BUTTONS, min_size=1, max_size=40))
def test_every_button_survives_render_and_parse(buttons: list[Pressable]) -> None:
    shown = [e for block in blocks(Content("x", buttons=tuple(buttons)), KEY) for e in block.get("elements", ())]
    assert len(shown) == len(buttons)
    for n, element in enumerate(shown):
        event = parse(pressed(n, "U0SARI", "D0SARI", element["value"]), Workspace(TEAM))
        assert isinstance(event, Press)
        assert event.handle == button_handle(KEY, n)
        read = read_button_handle(event.handle)
        assert read is not None
        assert read[1] == n


def test_of_too_many_buttons_the_last_ones_stay() -> None:
    buttons = (*(Pressable(f"choice {n}", "a") for n in range(90)), Pressable("Cancel", "a"))
    shown = [e for block in blocks(Content("x", buttons=buttons), KEY) for e in block.get("elements", ())]
    assert len(shown) == 40
    assert shown[-1]["text"]["text"] == "Cancel"
    assert shown[-1]["value"] == button_handle(KEY, 90)


@given(TEXTS)
def test_no_text_becomes_markup(text: str) -> None:
    shown = escaped(text, 3_000)
    assert not re.search(r"[<>]", shown)
    assert not re.search(r"(?<!\u2060)[*_~`]", shown)
    assert re.sub(r"&(amp|lt|gt);", "", shown).count("&") == 0
    back = shown.replace("\u2060", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert text.replace("\u2060", "").startswith(back.removesuffix("…"))


@given(TEXTS, st.integers(2, 200))
def test_escaping_after_cutting_splits_no_escape(text: str, limit: int) -> None:
    shown = escaped(text, limit)
    assert units(shown) <= limit
    assert not re.search(r"&(?!amp;|lt;|gt;)", shown)


@given(TEXTS, st.integers(1, 100))
def test_a_cut_text_is_within_its_limit(text: str, limit: int) -> None:
    assert units(cut(text, limit)) <= limit


@given(TEXTS, st.integers(64, 300))
def test_chunks_are_within_their_limit_and_lose_nothing(text: str, limit: int) -> None:
    found = list(chunks(text, limit))
    assert all(units(chunk) <= limit for chunk in found)
    assert without_space("".join(found)) == without_space(text)


def test_a_family_is_never_torn_apart() -> None:
    assert cut(FAMILY * 20, 30) == FAMILY * 2 + "…"


FIELDS = st.builds(
    PageField,
    key=st.uuids().map(str),
    question=TEXTS,
    kind=st.sampled_from(["text", "choice", "many"]),
    choices=st.lists(st.tuples(st.uuids().map(str), TEXTS), max_size=120, unique_by=lambda pair: pair[0]).map(tuple),
    optional=st.booleans(),
    value=TEXTS,
    hint=st.none() | TEXTS,
)
PAGES = st.builds(
    Page,
    dialog=st.integers(1, 2**60),
    version=st.integers(1, 1000),
    title=TEXTS,
    fields=st.lists(FIELDS, min_size=1, max_size=5, unique_by=lambda field: field.key).map(tuple),
    submit=TEXTS,
    cancel=TEXTS,
)


@settings(max_examples=60, deadline=None)
@given(PAGES)
def test_any_page_is_a_valid_modal_and_comes_back(page: Page) -> None:
    view = pages.modal(page)
    assert view is not None
    assert [problem for problem in problems_of_view(view) if problem != "msg_blocks_too_long"] == []
    assert len(json.dumps(view)) < 250_000
    assert pages.form_of(view) == (page.dialog, page.version)
    assert list(mrkdwn_of(view)) == []


def test_two_hundred_countries_stand_in_groups() -> None:
    countries = tuple((f"c{n}", f"Country {n}") for n in range(249))
    field = PageField("country", "Where?", "choice", countries, value="c120")
    view = pages.modal(Page(1, 1, "About you", (field,), "Send", "Cancel"))
    assert view is not None
    element = view["blocks"][0]["element"]
    assert [len(group["options"]) for group in element["option_groups"]] == [100, 100, 49]
    assert element["initial_option"]["value"] == "c120"


def test_a_page_without_questions_or_with_too_many_is_no_modal() -> None:
    fields = tuple(PageField(f"f{n}", "?", "text") for n in range(101))
    assert pages.modal(Page(1, 1, "x", (), "Send", "Cancel")) is None
    assert pages.modal(Page(1, 1, "x", fields, "Send", "Cancel")) is None


@settings(max_examples=50, deadline=None)
@given(CONTENTS, TEXTS)
def test_any_content_is_a_valid_home_and_any_text_a_remark(content: Content, text: str) -> None:
    assert problems_of_view(pages.home(content, KEY)) == []
    assert problems_of_view(pages.note(text)) == []


@given(TEXTS)
def test_a_cleaned_text_is_shown_as_it_is(text: str) -> None:
    kept = clean_text(text, 500)
    shown = "\n".join(strings([block.get("text", {}).get("text") for block in blocks(Content(kept), KEY)]))
    assert kept in shown or not kept


def test_files_with_buttons_are_two_calls_the_files_last() -> None:
    file = File("mine.json", "application/json", "mydata", 1)
    found = parts(Content("Here it is.", buttons=(Pressable("Delete", "a"),), files=(file,)))
    assert [(len(part.buttons), len(part.files)) for part in found] == [(1, 0), (0, 1)]
    assert len(parts(Content("Here it is.", files=(file,)))) == 1

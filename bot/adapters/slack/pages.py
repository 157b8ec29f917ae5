"""Views: a form page as a modal and back, a short remark as a modal, the App Home."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.adapters.slack.render import Block, blocks, plain_text, section
from bot.adapters.slack.texts import ELLIPSIS, beginning, cut, is_visible, readable
from bot.core.adapter import Page, PageField
from bot.core.replies import Content

# https://docs.slack.dev/reference/views/modal-views and https://docs.slack.dev/reference/block-kit/block-elements
TITLE = 24
LABEL = 2_000
TYPED = 3_000
OPTION = 75
OPTION_VALUE = 150
FEW_OPTIONS = 10
A_GROUP = 100
PEOPLE = 10  # picked in one form
VIEW_BLOCKS = 100
BLOCK_ID = 255
FORM = "kawan.form"
NOTE = "kawan.note"
ANSWER = "answer"


def modal(page: Page) -> dict[str, Any] | None:
    """The `view` argument of `views.open`; None if the page cannot be one (it is then asked in messages)."""
    keys = [field.key for field in page.fields]
    if not 0 < len(keys) <= VIEW_BLOCKS or len(set(keys)) < len(keys) or max(map(len, keys)) > BLOCK_ID or "" in keys:
        return None
    if any(len(field.choices) > A_GROUP * A_GROUP for field in page.fields):
        return None
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": json.dumps({"dialog": page.dialog, "version": page.version}),
        "title": _label(page.title, TITLE),
        "submit": _label(page.submit, TITLE),
        "close": _label(page.cancel, TITLE),
        "blocks": [_input(field) for field in page.fields],
    }


def note(text: str) -> dict[str, Any]:
    """A modal that only says something."""
    shown = section(cut(readable(text), TYPED) if is_visible(text) else ELLIPSIS)
    return {"type": "modal", "callback_id": NOTE, "title": plain_text("Kawan"), "blocks": [shown]}


def home(content: Content, key: str) -> dict[str, Any]:
    """The `view` argument of `views.publish`."""
    return {"type": "home", "blocks": blocks(content, key)}


def form_of(view: Mapping[str, Any]) -> tuple[int, int] | None:
    """Dialog and version of a submitted form, or None if it is none of ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "")
        dialog, version = kept["dialog"], kept["version"]
    except (ValueError, KeyError, TypeError):
        return None
    return (dialog, version) if type(dialog) is int and type(version) is int else None


def answers_of(view: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, by field; several choices are joined by commas."""
    found: dict[str, str] = {}
    values = (view.get("state") or {}).get("values") or {}
    for key, elements in values.items():
        for answer in elements.values():
            chosen = answer.get("selected_options") or [answer.get("selected_option")]
            picked = [option["value"] for option in chosen if option]
            found[key] = ",".join(picked or answer.get("selected_users") or ()) or answer.get("value") or ""
    return found


def problems_for(view: Mapping[str, Any], problems: Mapping[str, str]) -> dict[str, str]:
    """Form errors by block; one about a field that is not shown stands at the first."""
    shown = [block["block_id"] for block in view.get("blocks", ()) if block.get("type") == "input"]
    return {(key if key in shown or not shown else shown[0]): cut(text, TYPED) for key, text in problems.items()}


def _label(text: str, limit: int) -> Block:
    line = " ".join(readable(text).split())
    return plain_text(cut(line, limit) if is_visible(line) else ELLIPSIS)


def _input(field: PageField) -> Block:
    found: Block = {
        "type": "input",
        "block_id": field.key,
        "label": plain_text(cut(readable(field.question), LABEL) if is_visible(field.question) else ELLIPSIS),
        "optional": field.optional,
        "element": _element(field),
    }
    if field.hint and is_visible(field.hint):
        found["hint"] = plain_text(cut(readable(field.hint), LABEL))
    return found


def _element(field: PageField) -> Block:
    if field.kind == "people":
        return {"type": "multi_users_select", "action_id": ANSWER, "max_selected_items": PEOPLE}
    return _choices(field) if field.choices and field.kind != "text" else _text(field)


def _text(field: PageField) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": ANSWER, "multiline": True, "max_length": TYPED}
    if is_visible(field.value):
        element["initial_value"] = beginning(readable(field.value), TYPED)
    return element


def _choices(field: PageField) -> Block:
    many = field.kind == "many"
    options = [_option(value, label) for value, label in field.choices]
    picked = set(field.value.split(",")) if many else {field.value}
    initial = [option for option in options if option["value"] in picked]
    if len(options) <= FEW_OPTIONS:
        element: Block = {"type": "checkboxes" if many else "radio_buttons", "options": options}
    elif len(options) <= A_GROUP:
        element = {"type": "multi_static_select" if many else "static_select", "options": options}
    else:
        groups = list(_groups(options))
        element = {"type": "multi_static_select" if many else "static_select", "option_groups": groups}
    if initial:
        element["initial_options" if many else "initial_option"] = initial if many else initial[0]
    return {"action_id": ANSWER, **element}


def _option(value: str, label: str) -> Block:
    return {"text": _label(label, OPTION), "value": beginning(value, OPTION_VALUE) or ELLIPSIS}


def _groups(options: list[Block]) -> Iterator[Block]:
    """A hundred at a time, named by their first and last."""
    for at in range(0, len(options), A_GROUP):
        some = options[at : at + A_GROUP]
        first, last = (cut(option["text"]["text"], OPTION // 2 - 2) for option in (some[0], some[-1]))
        yield {"label": plain_text(f"{first} – {last}"), "options": some}

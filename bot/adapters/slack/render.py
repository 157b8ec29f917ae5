"""From a content to what Slack's Web API takes: blocks within every limit, people's text only in plain text."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bot.adapters.slack.texts import ELLIPSIS, chunks, cut, escaped, is_visible, readable, units
from bot.core.ids import button_handle
from bot.core.replies import Content, Pressable

# https://docs.slack.dev/reference/block-kit/blocks
SECTION = 3_000
HEADER = 150
BUTTON_LABEL = 75
# `msg_blocks_too_long` is not documented; it was seen near 13,200 characters (slackapi/bolt-js#2509).
ALL_BLOCKS = 11_800
# https://docs.slack.dev/reference/methods/chat.postMessage recommends 4,000.
FALLBACK = 3_900
A_ROW = 5
MOST_BUTTONS = 40
A_BUTTON = 400  # characters at most, with its label and its share of the row
LAST_BUTTONS = 4  # done, back, skip, cancel
A_PART_OF_TEXT = 5_000
A_PART_OF_BUTTONS = 25
EVENT_TYPE = "kawan"

Block = dict[str, Any]


def plain_text(text: str) -> Block:
    """A text object in which nothing is markup."""
    return {"type": "plain_text", "text": text, "emoji": False}


def section(text: str) -> Block:
    return {"type": "section", "text": plain_text(text)}


def size(blocks: Block | Sequence[Block]) -> int:
    """Characters of blocks as they go over the wire."""
    return units(json.dumps(blocks, ensure_ascii=False))


def message(content: Content, key: str) -> dict[str, Any]:
    """Arguments of `chat.postMessage` and `chat.update`, without the channel.

    `text` is what a notification shows; who wants to be discreet gets other words there.
    The metadata can be read by other apps of the workspace: it holds the opaque key and nothing else.
    """
    return {
        "text": escaped(content.preview, FALLBACK) if content.preview else fallback(content),
        "blocks": blocks(content, key),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
    }


def blocks(content: Content, key: str) -> list[Block]:
    """A header, the text in sections, the buttons in rows; what is too long for one message ends in an ellipsis."""
    rows = list(_rows(content.buttons, key))
    if _surely_fits(content):
        return [*(list(_texts(content)) or [section(ELLIPSIS)]), *rows]
    room = ALL_BLOCKS - size(rows)
    found: list[Block] = []
    for block in _texts(content):
        fitting = _fit(block, room)
        if fitting is None:
            break
        found.append(fitting)
        room -= size(fitting) + 2
        if fitting is not block:
            break
    return [*(found or [section(ELLIPSIS)]), *rows]


def fallback(content: Content) -> str:
    """The same in one escaped text, for notifications and screen readers."""
    text = "\n".join(part for part in (readable(content.title or ""), body(content)) if is_visible(part))
    return escaped(text, FALLBACK) or ELLIPSIS


def body(content: Content) -> str:
    """The text and the fields under each other."""
    lines = [content.text, *(f"{name}: {value}" for name, value in content.fields)]
    return readable("\n".join(line for line in lines if line))


def parts(content: Content) -> list[Content]:
    """The content, or several that show all of it: texts, then the buttons under the last, then files."""
    if _surely_fits(content) or _fits(content):
        return [content]
    texts = [piece for piece in chunks(body(content), A_PART_OF_TEXT) if is_visible(piece)]
    if not _is_header(content.title or ""):
        texts[:0] = [piece for piece in chunks(readable(content.title or ""), A_PART_OF_TEXT) if is_visible(piece)]
    title = content.title if _is_header(content.title or "") else None
    plain = replace(content, title=None, fields=(), buttons=(), files=())
    found = [replace(plain, text=text) for text in texts or [ELLIPSIS]]
    found[0] = replace(found[0], title=title)
    for at in range(0, len(content.buttons), A_PART_OF_BUTTONS):
        buttons = content.buttons[at : at + A_PART_OF_BUTTONS]
        with_buttons = replace(found[-1], buttons=buttons)
        if not found[-1].buttons and _fits(with_buttons):
            found[-1] = with_buttons
        else:
            found.append(replace(plain, text=ELLIPSIS, buttons=buttons))
    if content.files:
        found.append(replace(plain, text="", files=content.files))
    return found


def _fits(content: Content) -> bool:
    if content.files:
        return not content.buttons and units(fallback(content)) < FALLBACK - 1
    texts = list(_texts(content))
    buttons_fit = len(content.buttons) <= A_PART_OF_BUTTONS
    return buttons_fit and size(texts) + size(list(_rows(content.buttons, "k" * 22))) <= ALL_BLOCKS - 50


def _surely_fits(content: Content) -> bool:
    """Is it so short that nothing need be measured? A character is at most two, escaped or as UTF-16 units."""
    if content.files or content.title or content.fields or len(content.buttons) > A_PART_OF_BUTTONS:
        return False
    return 2 * len(content.text) + A_BUTTON * len(content.buttons) < ALL_BLOCKS // 2


def _is_header(title: str) -> bool:
    return units(_line(title)) <= HEADER and is_visible(title)


def _line(text: str) -> str:
    return " ".join(readable(text).split())


def _texts(content: Content) -> Iterator[Block]:
    if content.title and _is_header(content.title):
        yield {"type": "header", "text": plain_text(_line(content.title))}
    elif content.title:
        yield from (section(piece) for piece in chunks(readable(content.title), SECTION) if is_visible(piece))
    yield from (section(piece) for piece in chunks(body(content), SECTION) if is_visible(piece))


def _fit(block: Block, room: int) -> Block | None:
    """The block, a shorter one that fits, or None."""
    if size(block) <= room:
        return block
    if block["type"] != "section":
        return None
    text = block["text"]["text"]
    limit = units(text)
    while (limit := min(limit - 1, limit - (size(section(text)) - room))) > 20:
        text = cut(text, limit)
        if size(section(text)) <= room:
            return section(text)
    return None


def _rows(buttons: Sequence[Pressable], key: str) -> Iterator[Block]:
    numbered = list(enumerate(buttons))
    if len(numbered) > MOST_BUTTONS:
        numbered = numbered[: MOST_BUTTONS - LAST_BUTTONS] + numbered[-LAST_BUTTONS:]
    for at in range(0, len(numbered), A_ROW):
        elements = [_button(button, n, key) for n, button in numbered[at : at + A_ROW]]
        yield {"type": "actions", "elements": elements}


def _button(button: Pressable, n: int, key: str) -> Block:
    label = _line(button.label)
    found: Block = {
        "type": "button",
        "action_id": f"button.{n}",
        "text": plain_text(cut(label, BUTTON_LABEL) if is_visible(label) else ELLIPSIS),
        "value": button_handle(key, n),
    }
    if button.style in ("primary", "danger"):
        found["style"] = button.style
    return found

"""From contents to what Telegram shows: text with entities, inline keyboards, and parts within every limit."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.adapters.telegram.parse import DEFUSED
from bot.core.ids import button_handle
from bot.core.replies import Content, Pressable

# All lengths are UTF-16 code units. Sources: core.telegram.org/bots/api for text, caption, callback answers and
# callback_data (64 bytes); python-telegram-bot's constants for buttons and entities; tginfo/Telegram-Limits#187 for
# the size of a keyboard.
TEXT = 4_096
CAPTION = 1_024
TOAST = 200
ENTITIES = 100
BUTTONS = 100
KEYBOARD_BYTES = 10_000
LABEL = 64  # ours: a longer one does not show on a telephone
SHORTER_LABELS = (LABEL, 40, 24, 12, 6, 3)
FEW = 20  # so many buttons fit whatever their labels
SHORT_LABEL = 16  # columns; two such buttons stand side by side
SPLIT = TEXT - 8  # a part may grow when it is cleaned again
LONGEST_TITLE = 256  # a longer one is text

NOTHING = "…"  # an empty message cannot be sent
BLANK = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc"  # letters and symbols that show nothing
DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]")
LINE_END = re.compile("\r\n?|\u2028|\u2029")
# Telegram turns "/word" into something that can be tapped, and the tap says it in the reader's name: "/leave" in
# somebody's project must not. Two words harm nobody, and the bot shows them itself.
COMMAND = re.compile(r"(?<![\w/<>])/(?=[A-Za-z0-9_])(?!(?:start|help)\b)")
SENTENCE_END = re.compile(r"\n+|(?<=[.!?…。！？।])\s+")
JOINING = frozenset("\u200d\ufe0e\ufe0f")
STYLES = ("primary", "danger")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of one message, its bold stretches, and the rows of its buttons, as they travel: plain data.

    The library's objects for the same cost as much as sending the message.
    """

    text: str
    entities: list[dict[str, Any]]
    rows: list[list[dict[str, Any]]]


def units(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts offsets."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Without control characters and tappable commands. Cleaning twice changes nothing."""
    if not text.replace("\n", "").isprintable():
        text = DROPPED.sub("", LINE_END.sub("\n", text))
    return COMMAND.sub(DEFUSED, text) if "/" in text else text


def is_visible(text: str) -> bool:
    """Is there anything to see? Telegram refuses what only looks long."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in BLANK for c in text)


def render(content: Content, key: str, limit: int = TEXT) -> Rendered:
    """One message. What is over the limit is cut: `parts` is there so that nothing is.

    For who wants to be discreet all of it is a spoiler: hidden in notifications and in the list of chats until tapped.
    """
    text, bold = _composed(content)
    if units(text) > limit:
        text = _cut(text, limit)
    if not is_visible(text):
        text, bold = (NOTHING if limit == TEXT else ""), []
    longest = units(text)
    marks = [("bold", offset, length) for offset, length in bold[: ENTITIES - 1]]
    before = 0
    if content.preview and text:
        marks.insert(0, ("spoiler", 0, longest))
        told = f"{clean(content.preview).strip()}\n\n"
        if longest + units(told) <= limit:
            text, before = told + text, units(told)
    entities = [
        {"type": kind, "offset": before + offset, "length": min(length, longest - offset)}
        for kind, offset, length in marks
        if offset < longest
    ]
    return Rendered(text, entities, keyboard(content.buttons, key))


def toast(text: str | None) -> str | None:
    """The text of a callback answer, or None."""
    shown = _cut(clean(text).strip(), TOAST) if text else ""
    return shown if is_visible(shown) else None


def _composed(content: Content) -> tuple[str, list[tuple[int, int]]]:
    """Title, text and fields under each other, and what of it is bold as (offset, length)."""
    lines: list[str] = []
    bold: list[tuple[int, int]] = []
    offset = 0

    def add(line: str, strong: str = "") -> None:
        nonlocal offset
        if strong:
            bold.append((offset, units(strong)))
        lines.append(line)
        offset += units(line) + 1

    title, text = clean(content.title or "").strip(), clean(content.text).strip()
    if is_visible(title):
        add(title, title)
    if text:
        add(text)
    for name, value in content.fields:
        field = f"{clean(name).strip()}:"
        add(f"{field} {clean(value).strip()}".rstrip(), field)
    return "\n".join(lines), bold


def keyboard(buttons: Sequence[Pressable], key: str) -> list[list[dict[str, Any]]]:
    """Up to 100 buttons, one or two a row, with labels as long as the whole keyboard allows."""
    shown = buttons[:BUTTONS]
    longest = next((size for size in SHORTER_LABELS if _fits(shown, key, size)), SHORTER_LABELS[-1])
    rows: list[list[dict[str, Any]]] = []
    free = 0
    for number, pressable in enumerate(shown):
        label = _label(pressable.label, longest)
        button = {"text": label, "callback_data": button_handle(key, number)}
        if pressable.style in STYLES:
            button["style"] = pressable.style
        narrow = _columns(label) <= SHORT_LABEL
        if narrow and free:
            rows[-1].append(button)
            free = 0
        else:
            rows.append([button])
            free = 1 if narrow else 0
    return rows


def _label(label: str, longest: int) -> str:
    line = " ".join(DROPPED.sub("", LINE_END.sub(" ", label)).split())
    return _cut(line, longest) if is_visible(line) else NOTHING


def _columns(label: str) -> int:
    """How wide a label is, in columns of a terminal."""
    if label.isascii():
        return len(label)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in label
    )  # fmt: skip


def _fits(buttons: Sequence[Pressable], key: str, longest: int) -> bool:
    """Is the keyboard light enough with labels of this length?"""
    return len(buttons) <= FEW or 24 + sum(_button_weight(one, key, longest) for one in buttons) <= KEYBOARD_BYTES


def _button_weight(button: Pressable, key: str, longest: int) -> int:
    """Bytes of a button as it travels, in a row of its own: the widest form."""
    body = {"text": _label(button.label, longest), "callback_data": button_handle(key, 99), "style": "primary"}
    return len(json.dumps([body])) + 2


def parts(content: Content) -> list[Content]:
    """Split into visible calls: files first, long texts at sentence ends, buttons on the last.

    One file goes together with a short text, unless there are buttons: a text with buttons must stay a text, so that
    pressing can change it into a longer one.
    """
    composed, _ = _composed(content)
    groups = _button_groups(content.buttons)
    if not content.files and units(composed) <= TEXT and len(groups) <= 1:
        return [content]
    if len(content.files) == 1 and not content.buttons and units(composed) <= CAPTION:
        return [content]
    made = _split(content, groups, composed)
    return [replace(one, preview=content.preview) for one in made]


def _split(content: Content, groups: list[tuple[Pressable, ...]], composed: str) -> list[Content]:
    made = [Content(text="", files=(file,), language=content.language) for file in content.files]
    if made and not is_visible(composed) and len(groups) <= 1:
        return [*made[:-1], replace(made[-1], buttons=content.buttons)]
    made += _texts(content)
    first, *others = groups or [()]
    made[-1] = replace(made[-1], buttons=first)
    return made + [Content(text=NOTHING, buttons=group, language=content.language) for group in others]


def _button_groups(buttons: Sequence[Pressable]) -> list[tuple[Pressable, ...]]:
    """The buttons in groups that fit under one message each."""
    if len(buttons) <= FEW:
        return [tuple(buttons)] if buttons else []
    groups: list[list[Pressable]] = []
    weight = KEYBOARD_BYTES
    for button in buttons:
        more = _button_weight(button, "k" * 22, LABEL)
        if not groups or len(groups[-1]) == BUTTONS or weight + more > KEYBOARD_BYTES:
            groups.append([])
            weight = 24
        groups[-1].append(button)
        weight += more
    return [tuple(group) for group in groups]


def _texts(content: Content) -> list[Content]:
    """The words of a content without files and buttons, as contents that fit."""
    composed, _ = _composed(content)
    if units(composed) <= TEXT:
        return [replace(content, files=(), buttons=())]
    title: str | None = clean(content.title or "").strip()
    body = composed
    if title and is_visible(title) and units(title) <= LONGEST_TITLE:
        body = composed[len(title) + 1 :]
    else:
        title = None
    room = SPLIT - (units(title) + 1 if title else 0)
    pieces: list[str] = []
    while body:
        cut = _break(body, room)
        piece, body, room = body[:cut].strip(), body[cut:].strip(), SPLIT
        if is_visible(piece):
            pieces.append(piece)
    made = [Content(text=piece, language=content.language) for piece in pieces or [NOTHING]]
    made[0] = replace(made[0], title=title)
    return made


def _break(text: str, room: int) -> int:
    """Where to cut a text so that what comes before fits: after a sentence, else between words, else letters."""
    fits = _fitting(text, room)
    if fits == len(text):
        return fits
    window = text[: fits + 1]
    ends = [end.end() for end in SENTENCE_END.finditer(window) if end.end() <= fits]
    if ends and ends[-1] >= fits // 3:
        return ends[-1]
    space = max(window.rfind(" "), window.rfind("\n"))
    return space if space >= fits // 3 else _between_letters(text, fits)


def _fitting(text: str, room: int) -> int:
    """How many characters of a text fit into so many code units."""
    fits = min(len(text), room)
    while units(text[:fits]) > room:
        fits -= max(1, (units(text[:fits]) - room) // 2)
    return fits


def _between_letters(text: str, cut: int) -> int:
    """Not before a mark that belongs to the letter, and not inside an emoji."""
    for earlier in range(cut, max(cut - 32, 0), -1):
        joined = text[earlier : earlier + 1] in JOINING or text[earlier - 1] == "\u200d"
        if not joined and not unicodedata.category(text[earlier : earlier + 1] or " ").startswith("M"):
            return earlier
    return cut


def _cut(text: str, limit: int) -> str:
    if units(text) <= limit:
        return text
    return text[: _between_letters(text, _fitting(text, limit - 1))].rstrip() + NOTHING

"""Cutting by what a reader sees as one character, escaping for mrkdwn, and reading Slack's own markup as plain text."""

import re
import unicodedata
from collections.abc import Iterator

ELLIPSIS = "…"
WORD_JOINER = "\u2060"
UNSEEN = ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")
# `*_~` and the backtick stay active after escaping, and `&gt;` at the start of a line is a quotation.
ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": f"{WORD_JOINER}&gt;",
    **{character: WORD_JOINER + character for character in "*_~`"},
}
ESCAPING = str.maketrans(ESCAPES)
BREAKS = ("\n\n", "\n", ". ", "? ", "! ", "。", " ")
TOKEN = re.compile(r"<([@#!]|[a-z][a-z0-9+.-]*:)([^<>|]*)(?:\|([^<>]*))?>", re.IGNORECASE)
FLAG = re.compile(r":flag-([a-z]{2}):")


def units(text: str) -> int:
    """Length in UTF-16 code units: never less than what Slack may count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def readable(text: str) -> str:
    """The text without lone surrogates and control characters, which make a call invalid."""
    if text.replace("\n", "").isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def is_visible(text: str) -> bool:
    """Whether there is anything to see; Slack refuses texts that are empty."""
    return any(unicodedata.category(character) not in UNSEEN for character in text)


def clusters(text: str) -> Iterator[str]:
    """What a reader sees as single characters; an endless pile of marks comes in pieces."""
    from wcwidth import iter_graphemes  # its tables are not read before something is too long

    for cluster in iter_graphemes(text):
        if len(cluster) <= 32:
            yield cluster
        else:
            yield from cluster


def beginning(text: str, limit: int) -> str:
    """The longest beginning of whole characters within `limit` units."""
    size = 0
    kept: list[str] = []
    for cluster in clusters(text[: limit + 64]):
        size += units(cluster)
        if size > limit:
            break
        kept.append(cluster)
    return "".join(kept)


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis, within `limit` units."""
    return text if units(text) <= limit else beginning(text, limit - 1) + ELLIPSIS


def chunks(text: str, limit: int) -> Iterator[str]:
    """The whole text in pieces of at most `limit` units, broken between paragraphs, sentences or words if possible."""
    while units(text) > limit:
        head = beginning(text, limit)
        at = len(head)
        for mark in BREAKS:
            found = head.rfind(mark)
            if found > len(head) // 3:
                at = found + len(mark)
                break
        yield text[:at].rstrip(" \n")
        text = text[at:].lstrip("\n")
    yield text


def escaped(text: str, limit: int) -> str:
    """The text for mrkdwn within `limit` units, cut by whole characters so that no escape is split."""
    whole = text[: limit + 1].translate(ESCAPING)
    if units(whole) <= limit:
        return whole
    size = 0
    kept: list[str] = []
    for cluster in clusters(text[: limit + 64]):
        piece = cluster.translate(ESCAPING)
        size += units(piece)
        if size > limit - 1:
            return "".join(kept) + ELLIPSIS
        kept.append(piece)
    return "".join(kept)


def unmarked(text: str) -> str:
    """What a person wrote, as Slack delivers it, in plain text: links, mentions, flags and escapes undone."""
    text = TOKEN.sub(_plain_token, text)
    text = FLAG.sub(lambda flag: "".join(chr(ord(letter) + 0x1F1A5) for letter in flag[1].upper()), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _plain_token(token: re.Match[str]) -> str:
    kind, body, label = token[1], token[2], token[3]
    if kind in "@#":
        return kind + (label or body).removeprefix(kind)
    if kind == "!":
        return label or "@" + body.partition("^")[0]
    address = body if kind.lower() in ("mailto:", "tel:") else kind + body
    if not label or address.removeprefix("https://").removeprefix("http://").rstrip("/") == label.rstrip("/"):
        return label or address
    return f"{label} ({address})"

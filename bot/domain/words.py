"""Free words: how a text is cut into keys that are found again by their beginning, also where no spaces are written."""

import re
import unicodedata

LONGEST = 24
SHORTEST = 3
THAI = re.compile(r"[\u0e00-\u0e7f]+")
WORD = re.compile(r"[^\W_]+", re.UNICODE)


def folded(text: str) -> str:
    """Compatibility forms and case folded, accents of Latin letters dropped: how words are compared."""
    parts = unicodedata.normalize("NFKD", text[:8000]).casefold()
    return unicodedata.normalize("NFC", "".join(c for c in parts if not _is_latin_accent(c)))


def _is_latin_accent(character: str) -> bool:
    return "\u0300" <= character <= "\u036f" and character not in "\u0306\u0308"  # й and ё keep theirs


def word_keys(text: str) -> tuple[str, ...]:
    """The distinct keys of a text: words of three letters or more, and for Thai every three characters in a row."""
    found: dict[str, None] = {}
    for word in WORD.findall(folded(text)) if not THAI.search(text) else _pieces(folded(text)):
        if len(word) >= SHORTEST:
            found.setdefault(word[:LONGEST])
    return tuple(found)


def _pieces(text: str) -> list[str]:
    pieces = list(WORD.findall(THAI.sub(" ", text)))
    for run in THAI.findall(text):
        pieces += [run[at : at + 3] for at in range(max(1, len(run) - 2))]
    return pieces

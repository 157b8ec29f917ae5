"""What may stand as somebody's name, how it will be shown, and whether it looks like the name of another."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from confusable_homoglyphs import confusables  # type: ignore[import-untyped]

LONGEST = 80  # characters, so that a name fits on a button
MARKS_A_LETTER = 3  # Thai needs two on one letter, some neighbours three
_JOINERS = "\u200c\u200d"
_MARKUP = re.compile(r"[<>{}\[\]|\\`*_~@#]|://|www\.|\b[a-z0-9-]+\.(com|org|net|me|io|info|link|app|ru|cn)\b", re.I)
# After case folding and homoglyphs, these still look the same on a small screen.
_ALIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("|", "l"), ("i", "l"), ("5", "s"))

Fault = Literal["empty", "long", "no letter"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it will be shown; `changed`: something could not be shown; `odd`: it looks like markup or a link."""

    shown: str
    changed: bool = False
    odd: bool = False
    fault: Fault | None = None


def read_name(raw: str) -> Name:
    """Read what somebody typed as a name. A `fault` says why it cannot be taken; names are never split or re-cased."""
    kept: list[str] = []
    marks = dropped = 0
    for character in unicodedata.normalize("NFC", raw[:1000]):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        joins = character in _JOINERS and bool(kept) and kept[-1].isalpha() and not kept[-1].isascii()
        if kind in ("Zs", "Zl", "Zp") or character in "\n\t\r":
            kept.append(" ")
        elif marks <= MARKS_A_LETTER and (joins or kind not in ("Cc", "Cf", "Cs", "Co", "Cn")):
            kept.append(character)
        else:
            dropped += 1
    shown = " ".join("".join(kept).split()).strip(_JOINERS)
    return Name(shown, changed=dropped > 0, odd=bool(_MARKUP.search(shown)), fault=_fault(shown))


def _fault(shown: str) -> Fault | None:
    if not shown:
        return "empty"
    if len(shown) > LONGEST:
        return "long"
    return None if any(unicodedata.category(character).startswith("L") for character in shown) else "no letter"


def skeleton(name: str) -> str:
    """What a name looks like: two names with the same skeleton cannot be told apart at a glance.

    In the manner of UTS 39 (skeleton), with the Unicode table of confusables. It goes further in two ways, since it
    guards people: case, accents, spaces and punctuation do not count, and neither do pairs like rn and m.
    """
    parts = unicodedata.normalize("NFKD", name)
    looks = "".join(_latin(character) for character in parts if character.isalnum() or character == "|").casefold()
    for pair, like in _ALIKE:
        looks = looks.replace(pair, like)
    return looks


@lru_cache(maxsize=4096)
def _latin(character: str) -> str:
    """The Latin letter that a letter of another script looks like, else itself."""
    if character.isascii():
        return character
    for form in (character, character.casefold()):
        found = confusables.is_confusable(form, greedy=True) or []
        likes = [
            like["c"] for one in found for like in one["homoglyphs"] if like["c"].isascii() and like["c"].isalnum()
        ]
        if likes:
            return str(min(likes, key=len))
    return character


BADGES = ("facilitator", "fasilitator", "administrator", "moderator", "operator", "admin", "kawan")


def wears_a_badge(name: str) -> bool:
    """Does a name claim to speak for the programme? The badge is drawn by the bot alone."""
    letters = "".join(character for character in skeleton(name) if character.isalpha())
    return any(skeleton(badge) in letters for badge in BADGES)


def looks_like(name: str, taken: Iterable[str]) -> bool:
    """Does a name look like one of these?"""
    mine = skeleton(name)
    return bool(mine) and any(skeleton(other) == mine for other in taken)

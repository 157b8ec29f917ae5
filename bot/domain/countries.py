"""Countries as plain data, and the countries that a text names by flag or by ISO code."""

from collections.abc import Mapping
from dataclasses import dataclass

_FIRST_FLAG_LETTER = 0x1F1E6
_LAST_FLAG_LETTER = 0x1F1FF


@dataclass(frozen=True, slots=True)
class Country:
    """One country or territory: ISO 3166 codes, and its name in each language."""

    code: str
    alpha3: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CountryName:
    """Further forms of a name; several codes when the name means more than one country."""

    codes: tuple[str, ...]
    forms: tuple[str, ...]


def flags_in(text: str) -> tuple[str, ...]:
    """Return the alpha-2 codes that flag emoji in the text spell, known countries or not."""
    codes: list[str] = []
    half = ""
    for character in text:
        if _FIRST_FLAG_LETTER <= ord(character) <= _LAST_FLAG_LETTER:
            half += chr(ord(character) - _FIRST_FLAG_LETTER + ord("A"))
            if len(half) == 2:
                codes.append(half)
                half = ""
        else:
            half = ""
    return tuple(codes)


def code_of(typed: str, codes: Mapping[str, str], shouting: bool, stop_words: frozenset[str]) -> str | None:
    """Return the country of an ISO code typed in capitals, else None.

    "my", "in", "no" and "it" are words, so small letters never count, and capitals do not where everything
    is in capitals. Three letters that are a stop word ("AND", "CAN", "PER") are not read as a country at all.
    """
    if len(typed) not in (2, 3) or shouting or not typed.isascii() or not typed.isupper():
        return None
    if len(typed) == 3 and typed.lower() in stop_words:
        return None
    return codes.get(typed)

"""The edge: every text or number that comes from outside is cleaned here, the same for both databases."""

import unicodedata

LONGEST_TEXT = 4_000
LONGEST_READ = 40_000  # more than this is not even looked at
JOINERS = "\u200c\u200d"  # needed inside words of several scripts and inside emoji
MARKS_A_LETTER = 4
KEPT = {"\n", "\t"}


def clean_text(raw: str, longest: int = LONGEST_READ) -> str:
    """Plain text that both databases store and every screen shows: no control, format or lone surrogate characters.

    Normalised to NFC, at most four marks on a letter, cut to `longest` before and after (a short text can grow).
    """
    if raw.isascii() and raw.replace("\n", " ").isprintable():  # as most lines are
        return raw[:longest].strip()
    text = raw[:longest].encode("utf-8", "ignore").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks > MARKS_A_LETTER or (kind in ("Cc", "Cf", "Cs", "Co", "Cn") and not _is_needed(character, kept)):
            continue
        kept.append(character)
    return "".join(kept)[:longest].strip().strip(JOINERS).strip()


def _is_needed(character: str, before: list[str]) -> bool:
    if character in KEPT:
        return True
    return character in JOINERS and bool(before) and not before[-1].isspace() and not before[-1].isascii()


def one_line(raw: str, longest: int = 200) -> str:
    """A name or title: cleaned, and all white space single."""
    return " ".join(clean_text(raw, longest * 4).split())[:longest]


def clean_int(raw: str, least: int, most: int) -> int | None:
    """A whole number between two bounds, in any script's digits; None for anything else."""
    text = unicodedata.normalize("NFKC", raw[:40]).strip()
    if not (1 <= len(text) <= 18 and text.isdecimal()):
        return None
    number = int(text)
    return number if least <= number <= most else None

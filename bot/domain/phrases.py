"""How typed text is made comparable: normalised, cut into words, freed of endings, and forgiven its typing errors."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

LONGEST_TEXT = 4000  # characters; what is longer is understood by its beginning
_WORD = re.compile(r"[\u0e00-\u0e7f]+|[^\W_\u0e00-\u0e7f]+")
_INITIALS = re.compile(r"(?<!\w)(?:\w\.){2,}")  # U.S., พ.ร.บ.
# Two letters that phones without a Mongolian keyboard lack, and letters that Unicode does not decompose.
_ALIKE = str.maketrans({"ө": "о", "ү": "у", "ё": "е", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "’": "'", "ʻ": "'"})
_MONGOLIAN_ENDINGS = (
    *("нуудын", "нуудийн", "чуудын", "чуудийн", "чуудтай", "ийнхаа", "ийнхээ", "уудтай", "уудын", "уудийн", "ынхаа"),
    *("чууд", "нууд", "наас", "нээс", "ноос", "ууд", "ийн", "ний", "ийг", "аас", "ээс", "оос", "аар", "ээр", "оор"),
    *("тай", "тэй", "той", "руу", "луу", "иар", "иас", "даа", "дээ", "доо", "таа", "тээ", "ын", "ны", "ыг", "нд"),
    *("аа", "ээ", "оо", "ад", "эд", "од", "аг", "эг", "ид"),
)  # longest first
_CYRILLIC_VOWELS = "аэиоуеяюыйө"


class Word(NamedTuple):
    """A word as typed, and as compared."""

    typed: str
    plain: str


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    parts = unicodedata.normalize("NFD", character)
    if len(parts) > 1 and parts[0].isascii():
        return parts[0]
    return "" if unicodedata.category(character) == "Cf" or "\u0300" <= character <= "\u036f" else character


def normalise(text: str) -> str:
    """Return the text in NFKC and small letters, Latin letters without accents; never raises."""
    return _plain(unicodedata.normalize("NFKC", text[:LONGEST_TEXT])[:LONGEST_TEXT])


def _plain(text: str) -> str:
    text = text.casefold()
    if text.isascii():
        return text
    text = "".join(map(_fold, text.translate(_ALIKE)))
    return text.replace("เเ", "แ")


def words_of(text: str) -> list[Word]:
    """Cut a text into words; a run of Thai letters is one word."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT])[:LONGEST_TEXT]
    text = _INITIALS.sub(lambda initials: initials[0].replace(".", ""), text)
    return [Word(typed, _plain(typed)) for typed in _WORD.findall(text)]


def is_thai(word: str) -> bool:
    """Tell whether a word is a run of Thai letters."""
    return "\u0e00" <= word[:1] <= "\u0e7f"


def plain(text: str) -> str:
    """Return the words of a text, normalised, with one space between them."""
    return " ".join(word.plain for word in words_of(text))


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return a word without the commonest endings of English, Indonesian, Filipino or Mongolian."""
    if "а" <= word[:1] <= "я":
        return _mongolian_stem(word)
    if len(word) < 5 or not word.isascii():
        return word
    if word.endswith("nya") and len(word) > 6:
        return word[:-3]
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("ing") and len(word) > 6:
        rest = word[:-3]
        return rest[:-1] if rest[-1] == rest[-2] else rest
    if word.endswith("ng") and word[-3] in "aiou" and len(word) > 6:
        return word[:-2]
    if word.endswith("s") and word[-2] not in "sui":
        return word[:-1]
    return word


@lru_cache(maxsize=4096)
def _mongolian_stem(word: str) -> str:
    for _ in range(2):
        for ending in _MONGOLIAN_ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= 4:
                word = word[: -len(ending)]
                break
        else:
            break
    if len(word) > 4 and word[-1] in "нгд" and word[-2] in _CYRILLIC_VOWELS:
        word = word[:-1]
    last = [letter in _CYRILLIC_VOWELS for letter in word[-3:]]
    if len(word) > 4 and last == [False, True, False]:
        # A short vowel falls out before an ending: төсөв, төсвийн.
        word = word[:-2] + word[-1]
    return word


def grams(run: str, size: int = 3) -> tuple[str, ...]:
    """Return the distinct letter trigrams of a run of Thai, in order: what a search without spaces compares."""
    return tuple(dict.fromkeys(run[start : start + size] for start in range(len(run) - size + 1)))


def _shorter(word: str) -> set[str]:
    return {word[:place] + word[place + 1 :] for place in range(len(word))}


class Spelling:
    """Finds the known words that a mistyped word may mean, by comparing both without one or two letters."""

    SHORTEST = 4
    LONG = 10  # from this length on, two errors are forgiven

    def __init__(self, known: Iterable[str], most: int = 2) -> None:
        self._most = most  # errors that are forgiven in a long word
        self._known: dict[str, str] = {}  # words with a space between them: quicker to build than lists
        table = self._known
        for word in known:
            if len(word) < self.SHORTEST or not word.isalpha() or is_thai(word):
                continue
            keys = _shorter(word)
            if len(word) >= self.LONG and most > 1:
                # Two errors are looked for only behind the first three letters: a tenth of the keys, most of the use.
                keys |= {word[:3] + rest for once in _shorter(word[3:]) for rest in _shorter(once)}
            keys.add(word)
            for key in keys:
                table[key] = f"{table[key]} {word}" if key in table else word

    def meant(self, word: str) -> list[tuple[str, int]]:
        """Return known words with their number of errors, only those of the least number; [] when none is near."""
        if not self.SHORTEST - 1 <= len(word) <= 30 or not word.isalpha():
            return []
        found = self._near(word, _shorter(word) | {word}, 1)
        if not found and self._most > 1 and len(word) >= self.LONG - 1:
            found = self._near(word, {word[:3] + rest for once in _shorter(word[3:]) for rest in _shorter(once)}, 2)
        return found

    def _near(self, word: str, keys: set[str], most: int) -> list[tuple[str, int]]:
        candidates = {known for key in keys for known in self._known.get(key, "").split()}
        return [(known, most) for known in sorted(candidates) if OSA.distance(word, known, score_cutoff=most) <= most]

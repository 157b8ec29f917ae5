"""Finds known phrases in Thai, which has no spaces: as a part of the text, else by the letter trigrams they share."""

from collections.abc import Iterable
from itertools import accumulate, pairwise
from math import log

from rapidfuzz import fuzz

from bot.domain.phrases import Word, grams, is_thai
from bot.domain.search_words import Found, Reference

_CUT = "\n"  # stands where something was found, so that nothing is found across it
_SHORT_NAME = 4  # a country's name of so few letters may be a part of another word
_BEFORE_NAME = ("ใน", "จาก", "ประเทศ", "ของ", "ที่", "คน", "กับ", "และ", "ชาว", _CUT)
_PREFIXES = ("การ", "ความ", "ระบบ")
_LEAST = 8  # letters of a phrase that may be found in spite of an error


class ThaiPhrases:
    """All phrases with Thai letters; add() them, then finish()."""

    def __init__(self, stop_words: Iterable[str]) -> None:
        self._stop = sorted(stop_words, key=len, reverse=True)
        self._phrases: dict[str, list[Reference]] = {}
        self._longest_first: list[str] = []
        self._with: dict[str, list[str]] = {}
        self._weight: dict[str, float] = {}
        self._whole: dict[str, float] = {}

    def add(self, typed: list[Word], reference: Reference) -> None:
        """Add a phrase if it has Thai letters, also without its opening syllable (การ, ความ)."""
        words = [word.plain for word in typed]
        if not any(is_thai(word) for word in words):
            return
        whole = "".join(words)
        shorter = [whole.removeprefix(prefix) for prefix in _PREFIXES if reference.kind == "topic"]
        for form in (whole, *(form for form in shorter if len(form) >= _LEAST)):
            references = self._phrases.setdefault(form, [])
            if reference not in references:
                references.append(reference)

    def finish(self) -> None:
        """Build the index of trigrams."""
        self._longest_first = sorted(self._phrases, key=lambda phrase: (-len(phrase), phrase))
        for phrase, references in self._phrases.items():
            if len(phrase) >= _LEAST - 1 and references:
                for gram in grams(phrase):
                    self._with.setdefault(gram, []).append(phrase)
        values = {
            gram: {reference for phrase in phrases for reference in self._phrases[phrase]}
            for gram, phrases in self._with.items()
        }
        self._weight = {gram: log(120 / (1 + min(len(found), 100))) for gram, found in values.items()}
        long_ones = [phrase for phrase in self._phrases if len(phrase) >= _LEAST - 1]
        self._whole = {phrase: sum(self._weight[gram] for gram in grams(phrase)) for phrase in long_ones}

    def find(self, words: list[str], found: Found) -> list[str]:
        """Put what the words (normalised) mean into found; return the runs of Thai that are left over."""
        rest = _CUT + "".join(words)
        starts = list(accumulate((len(word) for word in words), initial=1))
        longest = next((len(phrase) for phrase in self._longest_first if phrase in rest), 0)
        # A long phrase with an error goes before the short ones that stand whole inside it.
        rest = self._find_alike(rest, found, max(longest + 1, 12), 0.6, 88)
        for phrase in self._longest_first:
            if phrase in rest and (place := self._place(phrase, rest, starts)) >= 0:
                self._accept(phrase, found, float(len(phrase)))
                rest = _cut_out(rest, place, place + len(phrase))
        rest = self._find_alike(rest, found, 0, 0.4, 82)
        rest = "".join(_CUT + rest[start:end] for start, end in pairwise([0, *starts]))
        for word in self._stop:
            rest = rest.replace(word, _CUT)
        return [run for run in rest.split(_CUT) if len(run) > 2 and is_thai(run)]

    def _place(self, phrase: str, rest: str, starts: list[int]) -> int:
        place = rest.find(phrase)
        if len(phrase) > _SHORT_NAME or self._phrases[phrase][0].kind != "country":
            return place
        while place >= 0 and place not in starts and not rest[:place].endswith((*_BEFORE_NAME, *self._stop)):
            place = rest.find(phrase, place + 1)
        return place

    def _accept(self, phrase: str, found: Found, weight: float) -> None:
        for reference in self._phrases[phrase]:
            found.add(reference, weight, phrase)

    def _find_alike(self, rest: str, found: Found, length: int, least: float, score: float) -> str:
        """Find phrases of at least a length with a typing error or, when they share most trigrams, a part left out."""
        shared: dict[str, float] = {}
        for gram in set(grams(rest)):
            for phrase in self._with.get(gram, ()):
                shared[phrase] = shared.get(phrase, 0.0) + self._weight[gram]
        scored = []
        for phrase, weight in shared.items():
            share = weight / self._whole[phrase]
            if share >= least and len(phrase) >= length:
                scored.append((share * len(phrase) ** 0.5, phrase))
        for _, phrase in sorted(scored, reverse=True)[:6]:
            share = self._share(phrase, rest)
            if share < least:
                continue
            alignment = fuzz.partial_ratio_alignment(phrase, rest)
            if alignment is None or alignment.score < (score if share < 0.65 or length else 66):
                continue
            start, end = alignment.dest_start, alignment.dest_end
            if length and end - start < 0.85 * len(phrase):
                continue
            self._accept(phrase, found, share * len(phrase))
            found.corrected.append((rest[start:end].strip(_CUT), phrase))
            rest = _cut_out(rest, start, end)
        return rest

    def _share(self, phrase: str, rest: str) -> float:
        return sum(self._weight[gram] for gram in grams(phrase) if gram in rest) / self._whole[phrase]


def _cut_out(rest: str, start: int, end: int) -> str:
    return rest[:start] + _CUT * (end - start) + rest[end:]

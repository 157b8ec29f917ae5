"""Hints: words of a topic that mean it together in any order, for sentences that hold none of its phrases whole.

A hint is written "pay*/paid + late/delay*": one word of each group must stand near the others; a star ends a beginning.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from bot.domain.phrases import Spelling, Word, is_thai, stem, words_of
from bot.domain.search_words import Found, Reference

JOIN, OR, MORE = " + ", "/", "*"
_WINDOW = 10  # words between the first and the last one of a hint
_LONGEST = 200  # words of a text that are looked at
_LEAST_ROOT = 4
# Longest first. What is left must be a word of a hint, so that a wrong cut does no harm.
_BEFORE = (
    *("memper", "diper", "meng", "meny", "peng", "mang", "nang", "pang", "napaka", "naka", "maka", "paki", "pinag"),
    *("mem", "men", "pem", "pen", "ber", "ter", "mag", "nag", "pag", "me", "di", "pe", "ke", "se", "na", "ma", "ka"),
    *("i", "un", "re"),
)
_BEHIND = ("kannya", "kan", "nya", "lah", "an", "in", "hin", "han", "ng", "i", "ed", "ly", "er", "ers")

_Table = dict[str, list[tuple[int, int]]]  # word -> (hint, group)


class _Hint(NamedTuple):
    reference: Reference
    groups: int


class _Match(NamedTuple):
    letters: int
    hint: _Hint
    places: frozenset[int]


def is_hint(form: str) -> bool:
    """Tell whether an everyday form is a hint and no phrase."""
    return JOIN in form


def parts_of(form: str) -> list[list[str]]:
    """Return the groups of a hint, each with its words as written."""
    return [[word.strip() for word in group.split(OR)] for group in form.split(JOIN)]


class HintIndex:
    """All hints; add() them, then finish()."""

    def __init__(self, stop_words: frozenset[str]) -> None:
        self._stop = stop_words
        self._words: _Table = {}
        self._beginnings: _Table = {}
        self._joined: _Table = {}  # "may-ari", which stands as two words in a text
        self._thai: _Table = {}
        self._written: dict[str, tuple[_Table, str]] = {}  # only while they are added
        self._hints: list[_Hint] = []
        self._spelling = Spelling(())

    def add(self, form: str, reference: Reference) -> None:
        """Add a hint as it is written in the content."""
        number = len(self._hints)
        groups = parts_of(form)
        self._hints.append(_Hint(reference, len(groups)))
        for group, words in enumerate(groups):
            meaning = (number, group)
            for word in words:
                table, plain = self._place(word)
                table.setdefault(plain, []).append(meaning)

    def _place(self, word: str) -> tuple[_Table, str]:
        if word not in self._written:
            parts = words_of(word)
            plain = "".join(part.plain for part in parts)
            if len(parts) > 1 and not is_thai(plain):
                self._written[word] = self._joined, plain
            elif is_thai(plain):
                self._written[word] = self._thai, plain
            elif word.endswith(MORE):
                self._written[word] = self._beginnings, plain
            else:
                self._written[word] = self._words, stem(plain)
        return self._written[word]

    def finish(self) -> None:
        """Build the index for typing errors."""
        self._written.clear()
        known = {*self._words, *self._beginnings}
        self._spelling = Spelling((word for word in sorted(known) if len(word) > _LEAST_ROOT), most=1)

    def find(self, words: Sequence[Word], unused: set[str], found: Found) -> set[str]:
        """Put what the hints mean into found; return the words (normalised) that told it.

        unused holds the words that no phrase explains: a hint of explained words alone adds nothing to a topic found.
        """
        words = words[:_LONGEST]
        hits: dict[int, dict[int, list[int]]] = {}
        for place, word in enumerate(words):
            for number, group in self._meanings(word.plain):
                hits.setdefault(number, {}).setdefault(group, []).append(place)
        for place, (first, second) in enumerate(pairwise(words)):
            for number, group in self._joined.get(first.plain + second.plain, ()):
                hits.setdefault(number, {}).setdefault(group, []).append(place)
        self._forgive(words, unused, hits)
        told: set[int] = set()
        for match in sorted(self._whole(words, unused, hits), key=lambda one: (-one.hint.groups, -one.letters)):
            new = {place for place in match.places if words[place].plain in unused}
            free = match.hint.reference in found.weights or not found.of("topic")
            if (new or free) and 2 * len(match.places - told) > len(match.places):
                told |= match.places
                found.add(match.hint.reference, match.letters * 0.9)
        return {words[place].plain for place in told} | self._find_thai(words, found)

    def _whole(self, words: Sequence[Word], unused: set[str], hits: dict[int, dict[int, list[int]]]) -> list[_Match]:
        matches = []
        fresh = {place for place, word in enumerate(words) if word.plain in unused}
        for number, groups in hits.items():
            hint = self._hints[number]
            if len(groups) == hint.groups and (
                places := _together([groups[one][:12] for one in sorted(groups)], fresh)
            ):
                letters = sum(len(words[place].plain) for place in places if words[place].plain not in self._stop)
                matches.append(_Match(letters, hint, places))
        return matches

    def _meanings(self, word: str) -> set[tuple[int, int]]:
        if is_thai(word):
            return set()
        found: set[tuple[int, int]] = set()
        for form in _forms(word):
            found.update(self._words.get(form, ()))
            for end in range(2, len(form) + 1):
                found.update(self._beginnings.get(form[:end], ()))
        return found

    def _forgive(self, words: Sequence[Word], unused: set[str], hits: dict[int, dict[int, list[int]]]) -> None:
        """Let one mistyped word complete a hint of which the rest is there."""
        open_ones = {number for number, groups in hits.items() if len(groups) == self._hints[number].groups - 1}
        if not open_ones:
            return
        for place, word in enumerate(words[:40]):
            if word.plain not in unused or len(word.plain) <= _LEAST_ROOT or self._meanings(word.plain):
                continue
            for meant, _ in self._spelling.meant(word.plain):
                if meant[0] != word.plain[0]:
                    continue
                for number, group in (*self._words.get(meant, ()), *self._beginnings.get(meant, ())):
                    if number in open_ones and group not in hits[number]:
                        hits[number].setdefault(group, []).append(place)

    def _find_thai(self, words: Sequence[Word], found: Found) -> set[str]:
        """Thai has no spaces: a word of a hint is looked for anywhere, and only where no phrase told a topic."""
        text = "".join(word.plain for word in words)
        if found.of("topic") or not any(is_thai(word.plain) for word in words):
            return set()
        groups: dict[int, dict[int, int]] = {}
        for part, meanings in self._thai.items():
            if part in text:
                for number, group in meanings:
                    best = groups.setdefault(number, {})
                    best[group] = max(best.get(group, 0), len(part))
        whole = [
            (self._hints[number].groups, sum(letters.values()), self._hints[number].reference)
            for number, letters in groups.items()
            if len(letters) == self._hints[number].groups
        ]
        for size, letters, reference in sorted(whole, reverse=True)[:2]:
            found.add(reference, letters * 0.9 + size)
        return {word.plain for word in words if is_thai(word.plain)} if whole else set()


@lru_cache(maxsize=4096)
def _forms(word: str) -> frozenset[str]:
    """A word, and what is left of it without the commonest syllables before and behind it."""
    forms = frozenset({word, stem(word)})
    if not word.isascii() or len(word) <= _LEAST_ROOT:
        return forms
    cut = {word.removeprefix(before) for before in _BEFORE} | {word}
    cut |= {form.removesuffix(behind) for form in cut for behind in _BEHIND}
    if len(word) > 6 and word[1:3] in ("in", "um"):
        cut.add(word[0] + word[3:])
    return forms | {form for form in cut if len(form) >= _LEAST_ROOT}


def _together(groups: list[list[int]], fresh: set[int]) -> frozenset[int] | None:
    """Return one place of each group, all different and near together, fresh ones first, else None."""
    fewest, *others = sorted(groups, key=len)
    for start in fewest:
        chosen = {start}
        for group in others:
            near = [place for place in group if place not in chosen]
            if not near:
                break
            chosen.add(min(near, key=lambda place: (place not in fresh, abs(place - start))))
        else:
            ordered = sorted(chosen)
            if all(later - earlier <= _WINDOW for earlier, later in pairwise(ordered)) and (
                ordered[-1] - ordered[0] <= _WINDOW + 2
            ):
                return frozenset(chosen)
    return None

"""Finds known phrases of languages with spaces in a list of words: whole and in order first, then most of a phrase."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log
from typing import Literal, NamedTuple

from bot.domain.phrases import Spelling, Word, is_thai, stem

Kind = Literal["topic", "coalition", "sector", "country"]
_ENOUGH = 0.58  # share of a phrase's weight that must be typed when it is not typed whole
_MORE = 0.75  # the same where another topic was already found
_RARE = 3  # one of the typed words must belong to at most this many topics
# Words that a phrase may lose without losing its meaning.
_ARTICLES = frozenset({"a", "an", "the", "ang", "ng", "mga", "sa", "na"})
_PATIENCE = 150  # unknown words in one text that are looked at for typing errors
_ENDS = ""  # the key under which a branch keeps the phrases that end there


class Reference(NamedTuple):
    """What a phrase means; several countries are written "KR,KP"."""

    kind: Kind
    value: str


@dataclass(slots=True)
class Found:
    """What has been found so far, with a weight for the order (letters matched, less for errors)."""

    weights: dict[Reference, float] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    corrected: list[tuple[str, str]] = field(default_factory=list)

    def add(self, reference: Reference, weight: float, typed: str = "") -> None:
        """Keep a finding; the heavier of two counts."""
        self.weights[reference] = max(weight, self.weights.get(reference, 0.0))
        self.typed.setdefault(reference.value, typed)

    def of(self, kind: Kind) -> tuple[str, ...]:
        """Return the values of one kind, heaviest first."""
        chosen = [reference for reference in self.weights if reference.kind == kind]
        return tuple(reference.value for reference in sorted(chosen, key=lambda one: -self.weights[one]))


@dataclass(slots=True)
class _Phrase:
    words: tuple[str, ...]
    shown: tuple[Word, ...]
    language: str
    exact_case: bool
    references: list[Reference]
    forms: set[str]


class _Place(NamedTuple):
    """A word of the query, and the known words it may stand for with their number of errors."""

    word: Word
    meanings: dict[str, int]


class _Match(NamedTuple):
    letters: int
    errors: int
    foreign: bool
    start: int
    end: int
    phrase: _Phrase


_Branch = dict[str, "_Branch | list[_Phrase]"]


class PhraseIndex:
    """All phrases, as a tree of word stems; add() them, then finish()."""

    def __init__(self, stop_words: frozenset[str]) -> None:
        self._stop = stop_words
        self._phrases: dict[tuple[tuple[str, ...], bool], _Phrase] = {}
        self._tree: _Branch = {}
        self._with: dict[str, list[_Phrase]] = {}
        self._weight: dict[str, float] = {}
        self._topics: dict[str, int] = {}
        self._plain: set[str] = set()
        self._bound: dict[tuple[str, ...], str] = {}
        self._spelling = Spelling(())

    def add(self, typed: list[Word], reference: Reference, language: str, exact_case: bool) -> None:
        """Add a phrase; words that mean nothing are left out of it, acronyms never are."""
        every = [word for word in typed if not is_thai(word.plain)]
        if len(every) < len(typed):
            return  # Thai and mixed phrases are found by their letters
        shown = tuple(
            word for word in every if word.plain not in self._stop or (len(word.typed) > 1 and word.typed.isupper())
        ) or tuple(every)
        lost = {word.plain for word in every} - {word.plain for word in shown}
        if len(shown) == 1 and not lost <= _ARTICLES:
            shown = (self._bind(every),)
        words = tuple(stem(word.plain) for word in shown)
        if not words:
            return
        phrase = self._phrases.get((words, exact_case))
        if phrase is None:
            phrase = self._phrases[words, exact_case] = _Phrase(words, shown, language, exact_case, [], set())
        self._plain.update(word.plain for word in shown)
        phrase.forms.add(shown[0].plain)
        if reference not in phrase.references:
            phrase.references.append(reference)

    def _bind(self, words: list[Word]) -> Word:
        """Make one word of a phrase like "buy-in", of which only a plain word would be left."""
        bound = "_".join(word.plain for word in words)
        self._bound[tuple(stem(word.plain) for word in words)] = bound
        return Word(" ".join(word.typed for word in words), bound)

    def bind(self, words: list[Word]) -> list[Word]:
        """Join words that mean something only together; to be done before the stop words are left out."""
        joined: list[Word] = []
        number = 0
        while number < len(words):
            size = 1
            for more in (3, 2):
                part = words[number : number + more]
                bound = self._bound.get(tuple(stem(word.plain) for word in part))
                if bound:
                    joined.append(Word(" ".join(word.typed for word in part), bound))
                    size = len(part)
                    break
            else:
                joined.append(words[number])
            number += size
        return joined

    def finish(self) -> None:
        """Build the tree, the weights and the spelling index."""
        topics: dict[str, set[str]] = {}
        for phrase in self._phrases.values():
            branch = self._tree
            for word in phrase.words:
                branch = branch.setdefault(word, {})  # type: ignore[assignment]
            branch.setdefault(_ENDS, []).append(phrase)  # type: ignore[union-attr]
            values = {reference.value for reference in phrase.references if reference.kind == "topic"}
            for word in set(phrase.words):
                topics.setdefault(word, set()).update(values)
                if values and len(phrase.words) > 1:
                    self._with.setdefault(word, []).append(phrase)
        self._topics = {word: len(values) for word, values in topics.items()}
        self._weight = {word: log(90 / (1 + count)) for word, count in self._topics.items()}
        self._spelling = Spelling(sorted(self._plain))

    def find(self, words: list[Word], found: Found, language: str, shouting: bool) -> list[Word]:
        """Put what the words mean into found; return the words that were not used."""
        places = list(self._places(words))
        used: set[int] = set()
        matches = sorted(
            (match for start in range(len(places)) for match in self._matches(places, start, language, shouting)),
            key=lambda match: (-match.letters, match.errors, match.foreign, match.start),
        )
        self._take([match for match in matches if match.end - match.start > 1], places, used, found)
        self._find_partly(places, used, found, language, 3)
        self._take([match for match in matches if match.end - match.start == 1], places, used, found)
        self._find_partly(places, used, found, language, 2)
        return [place.word for number, place in enumerate(places) if number not in used]

    def _take(self, matches: list[_Match], places: list[_Place], used: set[int], found: Found) -> None:
        for number, match in enumerate(matches):
            if used.isdisjoint(range(match.start, match.end)):
                used.update(range(match.start, match.end))
                self._accept(match, places, found, _rivals(matches, number))

    def _places(self, words: list[Word]) -> Iterator[_Place]:
        number = patience = 0
        while number < len(words):
            word = words[number]
            patience += word.plain not in self._topics
            if patience > _PATIENCE:
                yield _Place(word, self._exact(word.plain))
                number += 1
                continue
            both = word.plain + words[number + 1].plain if number + 1 < len(words) else ""
            meanings = self._exact(word.plain)
            if not meanings and len(both) > 5:
                typed = Word(word.typed + words[number + 1].typed, both)
                joined = self._exact(both)
                parts = [_Place(typed, joined)] if joined else self._split(typed, with_stop_word=True)
                if parts and (joined or not self._exact(words[number + 1].plain)):
                    yield from parts
                    number += 2
                    continue
            number += 1
            if meanings:
                yield _Place(word, meanings)
            elif parts := self._split(word):
                yield from parts
            elif word.typed.isupper() or not self._is_noise(word.plain):
                yield _Place(word, self._mistyped(word.plain))

    def _exact(self, word: str) -> dict[str, int]:
        return {known: 0 for known in (stem(word), word) if known in self._topics}

    def _mistyped(self, word: str) -> dict[str, int]:
        near = self._spelling.meant(word)
        short = stem(word)
        if not near and short != word:
            near = self._spelling.meant(short)
        return {stem(known): errors for known, errors in near}

    def _is_noise(self, word: str) -> bool:
        """A stray letter or two, or two stop words typed without a space between."""
        cuts = range(2, len(word) - 1)
        return len(word) < 3 or any(word[:cut] in self._stop and word[cut:] in self._stop for cut in cuts)

    def _split(self, word: Word, with_stop_word: bool = False) -> list[_Place]:
        """Two known words typed without a space between; one of them may be a stop word."""
        text = word.plain
        if not 7 <= len(text) <= 40 or not text.isalpha():
            return []
        for cut in range(2, len(text) - 1):
            parts = (text[:cut], text[cut:])
            if not any(len(part) > 4 and part in self._plain for part in parts):
                continue
            known = all(part in self._plain or part in self._stop for part in parts)
            if known and (not with_stop_word or any(part in self._stop for part in parts)):
                return [_Place(Word(part, part), self._exact(part)) for part in parts if part not in self._stop]
        return []

    def _matches(self, places: list[_Place], start: int, language: str, shouting: bool) -> Iterator[_Match]:
        waiting: list[tuple[_Branch, int, int, int]] = [(self._tree, start, 0, 0)]
        while waiting:
            branch, place, errors, letters = waiting.pop()
            for phrase in branch.get(_ENDS, ()):
                if _counts(phrase, places[start:place], errors, shouting):  # type: ignore[arg-type]
                    foreign = bool(language) and phrase.language not in ("", language)  # type: ignore[union-attr]
                    yield _Match(letters, errors, foreign, start, place, phrase)  # type: ignore[arg-type]
            if place == len(places):
                continue
            for word, more in places[place].meanings.items():
                if (following := branch.get(word)) is not None:
                    size = letters + len(places[place].word.plain)
                    waiting.append((following, place + 1, errors + more, size))  # type: ignore[arg-type]

    def _accept(self, match: _Match, places: list[_Place], found: Found, rivals: list[Reference]) -> None:
        typed = " ".join(place.word.typed for place in places[match.start : match.end])
        weight = match.letters - 2.0 * match.errors
        references = match.phrase.references
        if rivals:
            codes = sorted({code for one in (*references, *rivals) for code in one.value.split(",")})
            references = [Reference("country", ",".join(codes))]
        for reference in references:
            found.add(reference, weight, typed)
        for place, shown in zip(places[match.start : match.end], match.phrase.shown, strict=True):
            if place.meanings.get(stem(shown.plain), 0):
                found.corrected.append((place.word.typed, shown.plain))

    def _find_partly(self, places: list[_Place], used: set[int], found: Found, language: str, least: int) -> None:
        """Find phrases of which most was typed, in any order, near together."""
        at: dict[str, list[tuple[int, int]]] = {}
        for number, place in enumerate(places):
            if number not in used:
                for word, errors in place.meanings.items():
                    at.setdefault(word, []).append((number, errors))
        rare = [word for word in at if self._topics[word] <= _RARE]
        candidates = {id(phrase): phrase for word in rare for phrase in self._with.get(word, ())}
        scored = []
        for phrase in candidates.values():
            numbers = _near_together(phrase, at)
            typed = [word for word in dict.fromkeys(phrase.words) if word in numbers]
            if len(typed) < least or all(self._topics[word] > _RARE for word in typed):
                continue
            share = sum(self._weight[word] for word in typed) / sum(self._weight[word] for word in set(phrase.words))
            foreign = bool(language) and phrase.language not in ("", language)
            scored.append((-len(typed) * share, foreign, share, phrase, numbers))
        enough = _MORE if least > 2 or found.of("topic") else _ENOUGH
        for _, _, share, phrase, numbers in sorted(scored, key=lambda one: one[:2]):
            taken = set(numbers.values())
            if share >= enough and used.isdisjoint(taken):
                used |= taken
                enough = _MORE
                for reference in phrase.references:
                    found.add(reference, share * sum(len(places[number].word.plain) for number in taken))
                for shown in phrase.shown:
                    number = numbers.get(stem(shown.plain), -1)
                    if number >= 0 and places[number].meanings[stem(shown.plain)]:
                        found.corrected.append((places[number].word.typed, shown.plain))


def _counts(phrase: _Phrase, places: list[_Place], errors: int, shouting: bool) -> bool:
    """Tell whether a match may be believed: acronyms and plain words need to be typed as they are."""
    if phrase.exact_case:
        return all(
            place.word.typed == shown.typed or (place.word.typed.isupper() and not shouting)
            for place, shown in zip(places, phrase.shown, strict=True)
        )
    if len(places) > 1:
        return errors <= len(places)
    typed, shown = places[0].word.plain, phrase.shown[0]
    if not errors:
        # "roads" is a topic, "road" is any road.
        return typed in phrase.forms or len(typed) > 5 or len(typed) > len(shown.plain) or not typed.isascii()
    short = max(len(typed), len(shown.plain)) < 7 and sorted(typed) != sorted(shown.plain)
    if short or shown.typed.isupper() or len(typed) < 6:
        return False
    return typed[0] == shown.plain[0] or (errors == 1 and len(shown.plain) > 7)


def _rivals(matches: list[_Match], number: int) -> list[Reference]:
    """Other countries that a mistyped name may mean just as well."""
    best = matches[number]
    if not best.errors or any(reference.kind != "country" for reference in best.phrase.references):
        return []
    same = [
        other.phrase.references
        for other in matches[number + 1 : number + 12]
        if (other.start, other.end, other.errors) == (best.start, best.end, best.errors)
    ]
    mine = {reference.value for reference in best.phrase.references}
    return [one for references in same for one in references if one.kind == "country" and one.value not in mine]


def _near_together(phrase: _Phrase, at: dict[str, list[tuple[int, int]]]) -> dict[str, int]:
    """Return word -> place for the words of a phrase that stand near one another, the best such group."""
    every = sorted((number, word) for word in set(phrase.words) for number, _ in at.get(word, ())[:40])
    width = len(phrase.words) + 3
    best: dict[str, int] = {}
    for first, (number, _) in enumerate(every):
        group: dict[str, int] = {}
        for other, word in every[first : first + 2 * width]:
            if other < number + width and other not in group.values():
                group.setdefault(word, other)
        if len(group) > len(best):
            best = group
    return best

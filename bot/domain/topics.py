"""What a person typed, understood: topics, coalitions, countries, sectors and free words, in five languages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from rapidfuzz import fuzz, process

from bot.domain.countries import Country, CountryName, code_of, flags_in
from bot.domain.hints import HintIndex, is_hint
from bot.domain.phrases import LONGEST_TEXT, Word, is_thai, normalise, plain, stem, words_of
from bot.domain.search_words import Found, Kind, PhraseIndex, Reference
from bot.domain.thai import ThaiPhrases


@dataclass(frozen=True, slots=True)
class Theme:
    """A group of topics, for browsing and for the nearest topics."""

    slug: str
    labels: Mapping[str, str]
    review: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """What a member works on; synonyms are typed forms of any language, exact_case those that are also plain words."""

    slug: str
    theme: str
    area: str
    labels: Mapping[str, str]
    synonyms: tuple[str, ...] = ()
    everyday: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exact_case: tuple[str, ...] = ()
    review: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coalition:
    """A group of support that a member wants to win."""

    slug: str
    wording: str
    labels: Mapping[str, str]
    descriptions: Mapping[str, str]
    forms: tuple[str, ...] = ()
    review: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sector:
    """What a member is."""

    slug: str
    labels: Mapping[str, str]
    forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A name that means several countries: the caller asks which."""

    typed: str
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a text asks for, best first; corrected holds (typed, meant) for every typing error that was forgiven."""

    topics: tuple[str, ...] = ()
    coalitions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    ambiguous: tuple[Ambiguous, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()

    @property
    def unsure(self) -> bool:
        """Tell whether a word had to be corrected or a name means several countries."""
        return bool(self.corrected or self.ambiguous)


@dataclass(frozen=True, slots=True)
class Term:
    """An entry of the glossary; topic is "" where none fits."""

    slug: str
    term: str
    aliases: tuple[str, ...]
    topic: str
    definition: Mapping[str, str]
    review: tuple[str, ...] = ()


class Understanding:
    """Reads what people type. Made once from the content, its index by `ready`, else at the first question: 0.2 s.

    It remembers how the content's own words read, and nothing else that anybody typed.
    """

    def __init__(
        self,
        topics: Iterable[Topic],
        coalitions: Iterable[Coalition] = (),
        sectors: Iterable[Sector] = (),
        countries: Iterable[Country] = (),
        country_names: Iterable[CountryName] = (),
        exact_case: Iterable[str] = (),
        stop_words: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        stop = {language: {normalise(word) for word in words} for language, words in (stop_words or {}).items()}
        self._topics = {topic.slug: topic for topic in topics}
        self._coalitions, self._sectors = tuple(coalitions), tuple(sectors)
        self._countries, self._country_names = tuple(countries), tuple(country_names)
        self._cased = frozenset(exact_case)
        self._stop = frozenset(word for words in stop.values() for word in words if not is_thai(word))
        self._phrases = PhraseIndex(self._stop)
        self._thai = ThaiPhrases(stop.get("th", ()))
        self._hints = HintIndex(self._stop)
        self._codes: dict[str, str] = {}
        self._own_words: set[str] = set()
        self._known: dict[tuple[str, str | None], Wanted] = {}
        self._told_by: dict[str, dict[str, None]] = {}  # a stem of a label or synonym -> topics, for the nearest ones
        self._is_ready = False
        self._making = Lock()

    def ready(self) -> None:
        """Make the index, unless it is made."""
        with self._making:
            if not self._is_ready:
                self._make()
                self._is_ready = True

    def _make(self) -> None:
        for topic in self._topics.values():
            self._add_topic(topic)
        for coalition in self._coalitions:
            self._add("coalition", coalition.slug, coalition.labels, coalition.forms)
        for sector in self._sectors:
            self._add("sector", sector.slug, sector.labels, sector.forms)
        for country in self._countries:
            self._codes |= {country.code: country.code, country.alpha3: country.code}
            self._add("country", country.code, country.names, (), self._cased)
        for name in self._country_names:
            self._add("country", ",".join(name.codes), {}, name.forms, self._cased)
        self._phrases.finish()
        self._thai.finish()
        self._hints.finish()
        for topic in self._topics.values():
            for text in (*topic.labels.values(), *topic.synonyms):
                for word in plain(text).split():
                    if len(word) >= 4 and word not in self._stop:
                        self._told_by.setdefault(stem(word), {})[topic.slug] = None

    def _add_topic(self, topic: Topic) -> None:
        self._add("topic", topic.slug, topic.labels, topic.synonyms, frozenset(topic.exact_case))
        for language, forms in topic.everyday.items():
            for form in forms:
                if is_hint(form):
                    self._hints.add(form, Reference("topic", topic.slug))
                else:
                    self._add("topic", topic.slug, {language: form}, (), frozenset(topic.exact_case))

    def _add(
        self,
        kind: Kind,
        value: str,
        labels: Mapping[str, str],
        forms: Iterable[str],
        exact_case: frozenset[str] = frozenset(),
    ) -> None:
        reference = Reference(kind, value)
        self._own_words.update(word for text in (*labels.values(), *forms) for word in (text, text.casefold()))
        for language, text in [*labels.items(), *(("", form) for form in forms)]:
            for form in variants(text):
                words = words_of(form)
                self._phrases.add(words, reference, language, form in exact_case)
                self._thai.add(words, reference)

    def understand(self, text: str, language: str | None = None) -> Wanted:
        """Return what the text asks for; language is the reader's own and decides between equal readings."""
        if not self._is_ready:
            self.ready()
        known = self._known.get((text, language))
        if known is None:
            known = self._read(text, language)
            if text in self._own_words:
                self._known[text, language] = known
        return known

    def _read(self, text: str, language: str | None) -> Wanted:
        words = words_of(text)
        shouting = _is_shouting(words, self._stop)
        found = Found()
        for flag in flags_in(text[:LONGEST_TEXT]):
            if flag in self._codes:
                found.add(Reference("country", flag), 2.0)
        kept = [
            word
            for word in self._phrases.bind(words)
            if not is_thai(word.plain)
            and (word.plain not in self._stop or code_of(word.typed, self._codes, shouting, self._stop))
        ]
        free: list[str] = []
        for word in self._phrases.find(kept, found, language or "", shouting):
            code = code_of(word.typed, self._codes, shouting, self._stop)
            if code:
                found.add(Reference("country", code), 2.0)
            elif word.plain not in self._stop:
                free.append(word.plain)
        if any(is_thai(word.plain) for word in words):
            free += self._thai.find([word.plain for word in words], found)
        told = self._hints.find(words, set(free), found)
        return _wanted(found, [word for word in free if word not in told])

    def nearest(self, text: str, limit: int = 3) -> tuple[str, ...]:
        """Return the topics to propose when nothing was found, best first: of the same theme, else by likeness."""
        slugs: dict[str, None] = {}
        for slug in (understood := self.understand(text).topics):
            theme = self._topics[slug].theme
            slugs |= dict.fromkeys(other.slug for other in self._topics.values() if other.theme == theme)
        if not understood:
            slugs |= dict.fromkeys(self._sharing_a_word(text))
        return tuple(slug for slug in slugs if slug not in understood)[:limit]

    def _sharing_a_word(self, text: str) -> list[str]:
        """Topics that share a word with the text, those with the rarest word first."""
        rarity: dict[str, float] = {}
        for word in plain(text[:400]).split()[:30]:
            if len(word) < 4 or word in self._stop:
                continue
            near = process.extractOne(stem(word), self._told_by.keys(), scorer=fuzz.ratio, score_cutoff=86)
            told = self._told_by[near[0]] if near else {}
            for slug in told:
                rarity[slug] = rarity.get(slug, 0) + 1 / len(told)
        return sorted(rarity, key=lambda slug: -rarity[slug])


def variants(label: str) -> tuple[str, ...]:
    """Return the forms of a label: whole, without its brackets, and what stands in them."""
    opening, closing = label.find("("), label.find(")")
    if not 0 <= opening < closing:
        return (label,)
    forms = (label, label[:opening] + label[closing + 1 :], label[opening + 1 : closing])
    return tuple(form.strip() for form in forms if len(form.strip()) > 1)


def _is_shouting(words: list[Word], stop_words: frozenset[str]) -> bool:
    letters = [word for word in words if word.typed.upper() != word.typed.lower()]
    if not letters or not all(word.typed.isupper() for word in letters):
        return False
    return len(letters) > 1 or letters[0].plain in stop_words


def _wanted(found: Found, free: list[str]) -> Wanted:
    ambiguous = []
    for reference in found.of("country"):
        if "," in reference:
            ambiguous.append(Ambiguous(found.typed[reference], tuple(reference.split(","))))
    return Wanted(
        topics=found.of("topic"),
        coalitions=found.of("coalition"),
        countries=tuple(code for code in found.of("country") if "," not in code),
        sectors=found.of("sector"),
        words=tuple(dict.fromkeys(free)),
        ambiguous=tuple(ambiguous),
        corrected=tuple(dict.fromkeys(found.corrected)),
    )


# Normalised, longest first, so that the whole question is taken away.
_QUESTIONS_BEFORE = (
    *("apa yang dimaksud dengan", "kahulugan ng", "apakah itu", "ano ba ang", "meaning of", "what does", "apa arti"),
    *("what are", "what is", "ano yung", "ano ang", "apa itu", "what s", "jelaskan", "explain", "define", "arti"),
)
_QUESTIONS_AFTER = (
    *("гэдэг нь юу вэ", "гэж юу вэ", "гэж юу", "юу вэ", "adalah", "means", "mean", "apa"),
    *("แปลว่าอะไร", "หมายถึงอะไร", "คืออะไร", "คือ"),
)
_PLAIN_AFTER = tuple(map(plain, _QUESTIONS_AFTER))
_ARTICLES = ("a ", "an ", "the ", "ang ")


class Glossary:
    """Finds the entry of the glossary that a whole text asks for."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms: dict[str, Term] = {}
        for term in terms:
            for form in (term.term, *term.aliases):
                for variant in variants(form):
                    self._terms.setdefault(_key(plain(variant)), term)

    def find_term(self, text: str) -> Term | None:
        """Return the term that the whole text names, with or without "what is" in five languages, else None."""
        asked = plain(text)
        return self._terms.get(_key(asked)) or self._terms.get(_key(_without_question(asked)))


def _without_question(asked: str) -> str:
    for before in _QUESTIONS_BEFORE:
        if asked.startswith(before + " "):
            asked = asked[len(before) + 1 :]
            break
    for after in _PLAIN_AFTER:
        if asked.endswith(after if is_thai(after) else " " + after):
            asked = asked[: -len(after)].strip()
            break
    for article in _ARTICLES:
        asked = asked.removeprefix(article)
    return asked


def _key(asked: str) -> str:
    return " ".join(map(stem, asked.split()))

"""What a programme can edit, as TOML files beside this one: loaded and checked into plain data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.content.checks import ContentError, Entry, Source
from bot.content.holidays import read_holidays
from bot.domain.countries import Country, CountryName
from bot.domain.holidays import Calendar
from bot.domain.phrases import plain
from bot.domain.topics import Coalition, Glossary, Sector, Term, Theme, Topic, Understanding

__all__ = [
    "LANGUAGES",
    "Coalition",
    "Content",
    "ContentError",
    "Country",
    "CountryName",
    "Emergency",
    "Prompt",
    "Sector",
    "Term",
    "Theme",
    "Topic",
    "WordForms",
    "load",
]

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "id", "mn", "fil", "th")
_NO_CLASH = ("safe", "leave")  # words with consequences: no other word of any language may look like them
_AROUND = " .!?…,\n\t"  # "stop !!" is stop
_A_FEW_WORDS = 12  # more than that tells of something, and does not call for help


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question of the library; text holds placeholders in braces."""

    slug: str
    kind: str
    cadence: str
    answer: str
    default_privacy: str
    text: Mapping[str, str]
    review: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordForms:
    """What one can type for a word, per language; the first form is the one that is shown."""

    id: str
    forms: Mapping[str, tuple[str, ...]]

    def shown(self, language: str) -> str:
        """Return the form to show, in English where the language has none."""
        return (self.forms.get(language) or self.forms["en"])[0]


@dataclass(frozen=True, slots=True)
class Emergency:
    """What a person in danger types, and the default answer; its text is never empty."""

    phrases: Mapping[str, tuple[str, ...]]
    text: Mapping[str, str]
    review: tuple[str, ...]
    compared: frozenset[str]
    within: frozenset[str]

    def said_in(self, message: str) -> bool:
        """Tell whether the message is one of the phrases, or a short one around a plain one; in any language."""
        said = plain(message)
        return said in self.compared or (
            said.count(" ") < _A_FEW_WORDS and any(f" {phrase} " in f" {said} " for phrase in self.within)
        )


@dataclass(frozen=True)
class Content:
    """Everything that a programme can edit, checked."""

    coalitions: tuple[Coalition, ...]
    themes: tuple[Theme, ...]
    areas: Mapping[str, str]
    topics: tuple[Topic, ...]
    sectors: tuple[Sector, ...]
    countries: tuple[Country, ...]
    country_names: tuple[CountryName, ...]
    exact_case_countries: tuple[str, ...]
    stop_words: Mapping[str, tuple[str, ...]]
    terms: tuple[Term, ...]
    prompts: tuple[Prompt, ...]
    words: tuple[WordForms, ...]
    emergency: Emergency
    calendar: Calendar

    def understanding(self) -> Understanding:
        """Build the reader of what people type; takes about a tenth of a second, so build it once."""
        return Understanding(
            self.topics,
            self.coalitions,
            self.sectors,
            self.countries,
            self.country_names,
            self.exact_case_countries,
            self.stop_words,
        )

    @cached_property
    def glossary(self) -> Glossary:
        """The look-up of terms."""
        return Glossary(self.terms)

    @cached_property
    def word_forms(self) -> Mapping[str, str]:
        """Every form of every word, compared without case, with the word's id."""
        return {form.casefold(): word.id for word in self.words for forms in word.forms.values() for form in forms}

    def word_of(self, text: str) -> str | None:
        """The id of the word that a text is, in any language; or None. A word's own id is always one of its forms."""
        return self.word_forms.get(text.strip(_AROUND).casefold())

    def word_label(self, word: str, language: str) -> str:
        """How a word is shown in a language."""
        return next((one.shown(language) for one in self.words if one.id == word), word)

    def is_emergency(self, text: str) -> bool:
        """Does the whole message say that somebody is in danger?"""
        return self.emergency.said_in(text)

    def topic(self, slug: str) -> Topic | None:
        """A topic by slug."""
        return self._topics.get(slug)

    def coalition(self, slug: str) -> Coalition | None:
        """A coalition by slug."""
        return next((one for one in self.coalitions if one.slug == slug), None)

    def sector(self, slug: str) -> Sector | None:
        """A sector by slug."""
        return next((one for one in self.sectors if one.slug == slug), None)

    @cached_property
    def _topics(self) -> Mapping[str, Topic]:
        return {topic.slug: topic for topic in self.topics}


def load(folder: Path | None = None) -> Content:
    """Read and check every content file of a folder; raises ContentError with file, line and what to do."""
    folder = folder or FOLDER
    areas, themes, topics = _topics(Source(folder / "topics.toml"))
    countries = _countries(Source(folder / "countries.toml"))
    names, cased = _country_names(Source(folder / "country_names.toml"), {country.code for country in countries})
    words = _words(Source(folder / "words.toml"))
    return Content(
        coalitions=_coalitions(Source(folder / "coalitions.toml")),
        themes=themes,
        areas=areas,
        topics=topics,
        sectors=_sectors(Source(folder / "sectors.toml")),
        countries=countries,
        country_names=names,
        exact_case_countries=cased,
        stop_words=_stop_words(Source(folder / "stop_words.toml")),
        terms=_terms(Source(folder / "glossary.toml"), {topic.slug for topic in topics}),
        prompts=_prompts(Source(folder / "prompts.toml")),
        words=words,
        emergency=_emergency(Source(folder / "emergency.toml"), words),
        calendar=read_holidays(Source(folder / "holidays.toml"), {country.code for country in countries}, LANGUAGES),
    )


def _topics(source: Source) -> tuple[dict[str, str], tuple[Theme, ...], tuple[Topic, ...]]:
    top = source.top
    top.texts("languages", LANGUAGES)
    areas = {entry.text("slug"): entry.text("label") for entry in _each(top, "ogp_area")}
    themes = tuple(
        Theme(entry.text("slug"), entry.labels("labels", LANGUAGES, LANGUAGES), entry.texts("unsure", LANGUAGES))
        for entry in _each(top, "theme")
    )
    slugs = {theme.slug for theme in themes}
    topics = tuple(_topic(entry, slugs, areas) for entry in _each(top, "topic"))
    top.finish()
    return areas, themes, topics


def _topic(entry: Entry, themes: set[str], areas: Mapping[str, str]) -> Topic:
    everyday = entry.table("everyday") if entry.has("everyday") else None
    phrases = {language: everyday.texts(language) for language in LANGUAGES} if everyday else {}
    if everyday:
        everyday.finish()
    synonyms = entry.texts("synonyms")
    return Topic(
        slug=entry.text("slug"),
        theme=entry.text("theme", themes),
        area=entry.text("ogp_area", areas),
        labels=entry.labels("labels", LANGUAGES, LANGUAGES),
        synonyms=synonyms,
        everyday=phrases,
        exact_case=entry.texts("exact_case", (*synonyms, *(form for forms in phrases.values() for form in forms))),
        review=entry.texts("unsure", LANGUAGES),
    )


def _coalitions(source: Source) -> tuple[Coalition, ...]:
    source.top.texts("languages", LANGUAGES)
    found = tuple(
        Coalition(
            slug=entry.text("slug"),
            wording=entry.text("wording"),
            labels=entry.labels("label", LANGUAGES, LANGUAGES),
            descriptions=entry.labels("description", LANGUAGES, LANGUAGES),
            forms=entry.texts("forms"),
            review=entry.texts("unsure", LANGUAGES),
        )
        for entry in _each(source.top, "coalition")
    )
    source.top.finish()
    return found


def _sectors(source: Source) -> tuple[Sector, ...]:
    source.top.texts("languages", LANGUAGES)
    found = tuple(
        Sector(entry.text("slug"), entry.labels("labels", LANGUAGES, LANGUAGES), entry.texts("forms"))
        for entry in _each(source.top, "sector")
    )
    source.top.finish()
    return found


def _countries(source: Source) -> tuple[Country, ...]:
    source.top.texts("languages", LANGUAGES)
    found = tuple(
        Country(entry.text("code"), entry.text("alpha3"), entry.labels("names", LANGUAGES, LANGUAGES))
        for entry in _each(source.top, "country", "code")
    )
    source.top.finish()
    return found


def _country_names(source: Source, codes: set[str]) -> tuple[tuple[CountryName, ...], tuple[str, ...]]:
    exact_case = source.top.texts("exact_case")
    names = tuple(
        CountryName(entry.texts("codes", codes), entry.texts("forms")) for entry in _each(source.top, "name", "")
    )
    source.top.finish()
    return names, exact_case


def _stop_words(source: Source) -> dict[str, tuple[str, ...]]:
    table = source.top.table("stop_words")
    found = {language: tuple(table.text(language).split()) for language in LANGUAGES}
    table.finish()
    source.top.finish()
    return found


def _terms(source: Source, topics: set[str]) -> tuple[Term, ...]:
    found = tuple(
        Term(
            slug=entry.text("slug"),
            term=entry.text("term"),
            aliases=entry.texts("aliases"),
            topic=entry.text("topic", {"", *topics}),
            definition=entry.labels("definition", ("en",), LANGUAGES),
            review=entry.texts("review", LANGUAGES),
        )
        for entry in _each(source.top, "term")
    )
    source.top.finish()
    return found


def _prompts(source: Source) -> tuple[Prompt, ...]:
    found = tuple(
        Prompt(
            slug=entry.text("slug"),
            kind=entry.text("kind"),
            cadence=entry.text("cadence"),
            answer=entry.text("answer"),
            default_privacy=entry.text("default_privacy"),
            text=entry.labels("text", ("en",), LANGUAGES),
            review=entry.texts("review", LANGUAGES),
        )
        for entry in _each(source.top, "prompt")
    )
    source.top.finish()
    return found


def _words(source: Source) -> tuple[WordForms, ...]:
    top = source.top
    top.texts("languages", LANGUAGES)
    top.texts("review", LANGUAGES)
    tables = top.table("words")
    taken: dict[str, dict[str, str]] = {}  # a form -> language -> the word that it stands for
    found = []
    for word in tables.names():
        entry = tables.table(word)
        forms = {language: entry.texts(language) for language in LANGUAGES if entry.has(language)}
        entry.finish()
        if not forms.get("en"):
            raise entry.error('"en" is missing. Every word needs its English form.')
        for language, typed in forms.items():
            for form in typed:
                _take(entry, taken, word, language, form)
        found.append(WordForms(word, forms))
    tables.finish()
    top.finish()
    return tuple(found)


def _take(entry: Entry, taken: dict[str, dict[str, str]], word: str, language: str, form: str) -> None:
    """Refuse a form that already stands for another word: of this language, or of any where one of them is grave."""
    others = taken.setdefault(plain(form), {})
    for other_language, other in others.items():
        grave = word in _NO_CLASH or other in _NO_CLASH
        if other != word and (grave or other_language == language):
            message = f'"{form}" already stands for "{other}". Choose another form for "{word}".'
            raise entry.error(message, language, form)
    others[language] = word


def _emergency(source: Source, words: tuple[WordForms, ...]) -> Emergency:
    top = source.top
    top.texts("languages", LANGUAGES)
    review = top.texts("review", LANGUAGES)
    table = top.table("phrases")
    phrases = {language: table.texts(language) for language in LANGUAGES if table.has(language)}
    table.finish()
    typed = {plain(form) for word in words for forms in word.forms.values() for form in forms}
    for language, said in phrases.items():
        for phrase in said:
            if plain(phrase) in typed:
                raise table.error(f'"{phrase}" is also a form in words.toml. Remove one of the two.', language, phrase)
    inside = top.table("within")
    within = frozenset(plain(one) for language in LANGUAGES if inside.has(language) for one in inside.texts(language))
    inside.finish()
    text = top.labels("text", ("en",), LANGUAGES)
    top.finish()
    compared = frozenset(plain(phrase) for said in phrases.values() for phrase in said)
    return Emergency(phrases, text, review, compared, within)


def _each(top: Entry, key: str, named_by: str = "slug") -> Iterator[Entry]:
    """Give the entries of a list of tables; each is checked for unknown keys once it was read."""
    for entry in top.tables(key, named_by):
        yield entry
        entry.finish()

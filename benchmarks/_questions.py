"""What people type when they look for somebody: names, topics, sentences, countries, five languages, typing errors."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks._cohort import PROGRAMME, WORDS, Cohort
from bot.content import Content
from bot.domain.phrases import is_thai

LANGUAGES = ("en", "id", "mn", "fil", "th")
SENTENCES = {
    "en": "hello, does anybody here know about {about} and could help us a little?",
    "id": "halo, apakah ada yang tahu soal {about} dan bisa bantu kami sedikit?",
    "mn": "сайн байна уу, {about} талаар мэддэг хүн байна уу, бидэнд туслаач",
    "fil": "magandang araw, may nakakaalam ba dito tungkol sa {about} at makakatulong sa amin?",
    "th": "สวัสดีค่ะ มีใครรู้เรื่อง {about} และช่วยเราได้บ้างไหม",
}
NONSENSE = ("quantum bananas", "xyzzy plugh", "asdf", "zzzz qqqq", "ไดโนเสาร์สีม่วง", "нүүрэн ном", "blah", "¿?", "12 44")


@dataclass(frozen=True, slots=True)
class Question:
    """A text that a viewer, a member's number, types in a language."""

    kind: str
    viewer: int
    language: str
    text: str


class Writer:
    """Invents texts in one language."""

    def __init__(self, draw: random.Random, content: Content, cohort: Cohort, language: str) -> None:
        self._draw = draw
        self._content = content
        self._cohort = cohort
        self._language = language
        self._countries = {country.code: country.names for country in content.countries}

    def _label(self, labels: Mapping[str, str]) -> str:
        return labels.get(self._language) or labels["en"]

    def topic(self) -> str:
        one = self._draw.choice(self._content.topics)
        return self._draw.choice((self._label(one.labels), *one.synonyms))

    def near(self) -> str:
        return self._label(self._countries[self._draw.choice(PROGRAMME)])

    def far(self) -> str:
        return self._label(self._countries[self._draw.choice(self._cohort.rare_countries)])

    def coalition(self) -> str:
        return self._label(self._draw.choice(self._content.coalitions).labels)

    def sector(self) -> str:
        return self._label(self._draw.choice(self._content.sectors).labels)

    def words(self, many: int) -> str:
        return " ".join(self._draw.sample(WORDS, many))

    def name(self) -> str:
        return self._draw.choice(self._cohort.names)

    def beginning(self) -> str:
        return self.name()[: self._draw.choice((3, 4, 5))]

    def mistyped(self) -> str:
        """A topic with two neighbours swapped, a letter left out or a letter twice."""
        text = self.topic()
        at = self._draw.randrange(1, max(2, len(text) - 2))
        wrong = (text[at + 1 : at + 2] + text[at], "", text[at] * 2)
        how = self._draw.randrange(3)
        return text if is_thai(text) else text[:at] + wrong[how] + text[at + (2 if how == 0 else 1) :]

    def sentence(self) -> str:
        about = self._draw.choice((self.topic, lambda: f"{self.topic()} {self.near()}", lambda: self.words(2)))()
        return SENTENCES[self._language].format(about=about)

    def nonsense(self) -> str:
        return self._draw.choice(NONSENSE)


KINDS: dict[str, Callable[[Writer], str]] = {
    "topic": Writer.topic,
    "topic and country": lambda one: f"{one.topic()} {one.near()}",
    "topic and rare country": lambda one: f"{one.topic()} {one.far()}",
    "mistyped topic": Writer.mistyped,
    "sentence": Writer.sentence,
    "word": lambda one: one.words(1),
    "two words": lambda one: one.words(2),
    "word and country": lambda one: f"{one.words(1)} {one.near()}",
    "name": Writer.name,
    "whole name": lambda one: f"{one.name()} {one.name()}",
    "beginning of a name": Writer.beginning,
    "name and country": lambda one: f"{one.name()} {one.near()}",
    "country": Writer.near,
    "rare country": Writer.far,
    "coalition": Writer.coalition,
    "sector": Writer.sector,
    "coalition and country": lambda one: f"{one.coalition()} {one.near()}",
    "sector and country": lambda one: f"{one.sector()} {one.far()}",
    "topic, coalition and country": lambda one: f"{one.topic()} {one.coalition()} {one.near()}",
    "nonsense": Writer.nonsense,
}


def questions(draw: random.Random, content: Content, cohort: Cohort, many: int) -> list[Question]:
    """So many questions, of every kind alike, from anybody among the viewers."""
    writers = {language: Writer(draw, content, cohort, language) for language in LANGUAGES}
    found = []
    for _ in range(many):
        language, kind = draw.choice(LANGUAGES), draw.choice(list(KINDS))
        found.append(Question(kind, draw.choice(cohort.viewers), language, KINDS[kind](writers[language])))
    return found

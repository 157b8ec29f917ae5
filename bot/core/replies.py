"""What can be said: texts not yet in anybody's language, cards, buttons, files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """An English sentence and its values, put into the reader's language only when a reader is known."""

    msgid: str
    values: Mapping[str, "Say"] = field(default_factory=dict)
    plural: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A programme's own text, by language; English is the fallback."""

    by_language: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lines:
    """Several texts under each other; `gap=True` leaves an empty line between them."""

    parts: tuple["Say", ...]
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """Several texts as the reader's language lists them: a, b and c."""

    items: tuple["Say", ...]


@dataclass(frozen=True, slots=True)
class When:
    """A moment in the reader's zone; style is `date` (7 Dec), `day` (Mon 7 Dec), `time` or `moment` (all of it)."""

    at: datetime
    style: str = "day"


@dataclass(frozen=True, slots=True)
class Country:
    """A country by ISO 3166-1 alpha-2 code, named in the reader's language."""

    code: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language by its code; named in the reader's language, or in itself with `own=True`."""

    code: str
    own: bool = False


Say = str | int | Text | Words | Lines | Listed | When | Country | Tongue


def t(msgid: str, **values: Say) -> Text:
    """A sentence for the catalogue. `msgid` is English, with `{name}` placeholders."""
    return Text(msgid, values)


def tn(singular: str, plural: str, n: int, **values: Say) -> Text:
    """A sentence that depends on a number, which it may show as `{n}`."""
    return Text(singular, {"n": n, **values}, plural, n)


def lines(*parts: Say | None, gap: bool = False) -> Lines:
    """Texts under each other; what is None is left out."""
    return Lines(tuple(part for part in parts if part is not None), gap)


def listed(items: Sequence[Say]) -> Listed:
    return Listed(tuple(items))


@dataclass(frozen=True, slots=True)
class Button:
    """A press that can be made; `action` names the route, `value` what it is about; `style` is plain or primary."""

    label: Say
    action: str
    value: str = ""
    style: str = "plain"


@dataclass(frozen=True, slots=True)
class File:
    """A file made when it is sent: `source` names who makes it, `of` for whom, `data` (as JSON) from what."""

    name: str
    media_type: str
    source: str
    of: int
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers to be drawn: a bar each, labelled; a picture where pictures go, else bars made of text."""

    title: Say
    series: tuple[tuple[Say, int], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One message: plain text and data, no markup. Fields are (name, value) pairs.

    `about` are members whom it names: what still waits is cancelled if they hide or leave, and erasing them wipes it.
    """

    text: Say
    title: Say | None = None
    fields: tuple[tuple[Say, Say], ...] = ()
    buttons: tuple[Button, ...] = ()
    files: tuple[File, ...] = ()
    chart: Chart | None = None
    about: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """Begin (or go on with) a form: its name, what it is about, and answers already known."""

    form: str
    about: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)


Reply = str | Text | Lines | Card | Ask | None


class Urgency(IntEnum):
    """The order in which a lane sends, first to last (reliability 1.6)."""

    REPLY = 0
    SAFETY = 0  # the same: neither waits for a crowd that comes in
    WELCOME = 1
    QUESTION = 2
    BROADCAST = 3


@dataclass(frozen=True, slots=True)
class Pressable:
    """A button in the reader's language, as the outbox keeps it."""

    label: str
    action: str
    value: str = ""
    style: str = "plain"


@dataclass(frozen=True, slots=True)
class Content:
    """A card in the reader's language: all that an adapter sees."""

    text: str
    title: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Pressable, ...] = ()
    files: tuple[File, ...] = ()
    language: str = "en"
    preview: str | None = None  # what a lock screen may say instead, where somebody wants to be discreet

    def as_json(self) -> dict[str, Any]:
        """The stored body; empty parts are left out."""
        body: dict[str, Any] = {"text": self.text, "language": self.language}
        if self.title:
            body["title"] = self.title
        if self.fields:
            body["fields"] = [list(pair) for pair in self.fields]
        if self.buttons:
            body["buttons"] = [[b.label, b.action, b.value, b.style] for b in self.buttons]
        if self.preview:
            body["preview"] = self.preview
        if self.files:
            body["files"] = [[f.name, f.media_type, f.source, f.of, f.data] for f in self.files]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Content":
        """The content of a stored body (see `as_json`)."""
        return cls(
            text=body["text"],
            title=body.get("title"),
            fields=tuple((name, value) for name, value in body.get("fields", ())),
            buttons=tuple(Pressable(*button) for button in body.get("buttons", ())),
            files=tuple(File(*file) for file in body.get("files", ())),
            language=body.get("language", "en"),
            preview=body.get("preview"),
        )

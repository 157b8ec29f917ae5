"""From a card to the reader's language: catalogues, plurals, dates, names of countries and languages."""

import gettext
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.messages.pofile import read_po

from bot.core.replies import (
    Button,
    Card,
    Chart,
    Content,
    Country,
    File,
    Lines,
    Listed,
    Pressable,
    Say,
    Text,
    Tongue,
    When,
    Words,
    t,
)

LANGUAGES = ("en", "id", "mn", "fil", "th")
FOLDER = Path(__file__).resolve().parent.parent / "locales"
OWN_NAMES = {"en": "English", "id": "Bahasa Indonesia", "mn": "Монгол", "fil": "Filipino", "th": "ไทย"}
CHART, CHART_FILE = "chart", "chart.png"
PATTERNS = {"date": "d MMM", "day": "EEE d MMM", "weekday": "EEEE", "time": "HH:mm", "moment": "EEE d MMM, HH:mm"}
DISCREET = t("You have a message.")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever will read it: their language, time zone, and whether their lock screen may say what it is about."""

    language: str
    time_zone: str = "UTC"
    discreet: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language's sentences, by English msgid; plurals by form."""

    messages: Mapping[str, tuple[str, ...]]
    form: Callable[[int], int]
    complete: bool


def read_catalogue(path: Path) -> Catalogue:
    """Read a .po file; a sentence that is missing or marked fuzzy falls back to English, and makes it incomplete."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    messages: dict[str, tuple[str, ...]] = {}
    complete = True
    for message in catalogue:
        if not message.id or message.fuzzy:
            complete = complete and not message.id
            continue
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        msgid = message.id[0] if isinstance(message.id, tuple | list) else message.id
        if all(strings):
            messages[str(msgid)] = tuple(str(string) for string in strings)
        else:
            complete = False
    return Catalogue(messages, gettext.c2py(catalogue.plural_expr), complete)


class Language:
    """Says what is to be said, in the reader's language."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        self._catalogues = catalogues

    @property
    def offered(self) -> tuple[str, ...]:
        """English, and every language whose catalogue is complete."""
        return tuple(
            language
            for language in LANGUAGES
            if language == "en" or (language in self._catalogues and self._catalogues[language].complete)
        )

    def ready(self) -> None:
        """Read the names and dates of every language offered now, and not while somebody waits for the writer."""
        for language in self.offered:
            len(_locale(language).territories)

    def say(self, what: Say, reader: Reader) -> str:
        """One text in the reader's language. What a person wrote is passed through as it is."""
        match what:
            case str():
                return what
            case int():
                return str(what)
            case Text():
                return self._text(what, reader)
            case Words(by_language):
                return by_language.get(reader.language) or by_language.get("en") or next(iter(by_language.values()), "")
            case Lines(parts, gap):
                return ("\n\n" if gap else "\n").join(self.say(part, reader) for part in parts)
            case Listed(items):
                said = [self.say(item, reader) for item in items]
                return format_list(said, locale=_locale(reader.language))
            case When(at, style):
                zone = ZoneInfo(reader.time_zone)
                return format_datetime(at, PATTERNS[style], tzinfo=zone, locale=_locale(reader.language))
            case Country(code):
                return str(_locale(reader.language).territories.get(code, code))
            case Tongue(code, own):
                return OWN_NAMES.get(code) or _tongue(code, code) if own else _tongue(code, reader.language)

    def content(self, card: Card, reader: Reader) -> Content:
        """A whole card in the reader's language."""
        return Content(
            text=self.say(card.text, reader),
            title=None if card.title is None else self.say(card.title, reader),
            fields=tuple((self.say(name, reader), self.say(value, reader)) for name, value in card.fields),
            buttons=tuple(self._button(button, reader) for button in card.buttons),
            files=card.files if card.chart is None else (*card.files, self._drawn(card.chart, reader)),
            language=reader.language,
            preview=self.say(DISCREET, reader) if reader.discreet else None,
        )

    def _drawn(self, chart: Chart, reader: Reader) -> File:
        """A chart as the picture that is drawn of it when it is sent."""
        series = [[self.say(label, reader), number] for label, number in chart.series]
        return File(CHART_FILE, "image/png", CHART, 0, {"title": self.say(chart.title, reader), "series": series})

    def _button(self, button: Button, reader: Reader) -> Pressable:
        return Pressable(self.say(button.label, reader), button.action, button.value, button.style)

    def _text(self, text: Text, reader: Reader) -> str:
        catalogue = self._catalogues.get(reader.language)
        forms = catalogue.messages.get(text.msgid) if catalogue else None
        if text.count is None:
            sentence = forms[0] if forms else text.msgid
        elif catalogue and forms:
            sentence = forms[min(catalogue.form(text.count), len(forms) - 1)]
        else:
            sentence = text.msgid if text.count == 1 or text.plural is None else text.plural

        if not text.values:
            return sentence
        said = list(_pieces(sentence))
        for at in range(1, len(said), 2):  # every second piece is a name
            value = text.values.get(said[at])
            said[at] = f"{{{said[at]}}}" if value is None else self.say(value, reader)
        return "".join(said)


@lru_cache(maxsize=4096)  # as many as there are sentences in all languages, nearly
def _pieces(sentence: str) -> list[str]:
    """A sentence of the catalogues, cut at its placeholders: text, name, text, and so on."""
    return PLACEHOLDER.split(sentence)


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(language if language in LANGUAGES else "en")


def _tongue(code: str, reader: str) -> str:
    name = str(_locale(reader).languages.get(code, code))
    return name[:1].upper() + name[1:]


def load_language(folder: Path = FOLDER) -> Language:
    """Every catalogue in a folder: `id.po` is Indonesian; complete if it says all that `messages.pot` names."""
    catalogues = {path.stem: read_catalogue(path) for path in sorted(folder.glob("*.po"))}
    template = folder / "messages.pot"
    if template.exists():
        wanted = _msgids(template)
        for name, found in catalogues.items():
            catalogues[name] = replace(found, complete=found.complete and wanted <= found.messages.keys())
    return Language(catalogues)


@cache
def own_language() -> Language:
    """The catalogues of this installation, read once."""
    return load_language()


def _msgids(template: Path) -> set[str]:
    with template.open("rb") as file:
        found = [message.id for message in read_po(file) if message.id]
    return {str(one[0] if isinstance(one, tuple | list) else one) for one in found}

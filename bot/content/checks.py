"""Reads one content file entry by entry; whatever is wrong becomes a ContentError with file, line and what to do."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

SCHEMA_VERSION = 1
NEXT = "\n"  # among the anchors of an error: go on from the next line
T = TypeVar("T")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class ContentError(Exception):
    """A content file is wrong; the message names the file, the line and what to do."""


class Source:
    """One TOML file, and where in it things stand."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            raise ContentError(f"{path.name}: the file is missing. Put it back into {path.parent}.") from None
        except UnicodeDecodeError:
            raise ContentError(f"{path.name}: the file is not UTF-8 text. Save it as UTF-8.") from None
        try:
            data = tomllib.loads("\n".join(self._lines))
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"at line (\d+)", str(error))
            line = place[1] if place else str(len(self._lines))
            raise ContentError(f"{self.name}, line {line}: this is no TOML ({error}). Correct that line.") from None
        self.top = Entry(self, data, ())
        version = self.top.value("schema_version", int)
        if version != SCHEMA_VERSION:
            raise self.error(f"schema_version is {version}. Write {SCHEMA_VERSION}.", "schema_version")

    def error(self, message: str, *anchors: str) -> ContentError:
        """Return an error for the line that the anchors lead to, each looked for behind the one before."""
        line = 0
        for anchor in anchors:
            if anchor == NEXT:
                line += 1
                continue
            line = next((n for n in range(line, len(self._lines)) if anchor in self._lines[n]), line)
        return ContentError(f"{self.name}, line {line + 1}: {message}")


class Entry:
    """One table of a file; every key must be asked for once, and finish() refuses those that were not."""

    def __init__(self, source: Source, data: Mapping[str, Any], anchors: tuple[str, ...]) -> None:
        self.source = source
        self._data = data
        self._anchors = anchors
        self._asked: set[str] = set()

    def error(self, message: str, *anchors: str) -> ContentError:
        """Return an error for a line in this entry."""
        return self.source.error(message, *self._anchors, *anchors)

    def has(self, key: str) -> bool:
        """Tell whether an optional key is there."""
        return key in self._data

    def value(self, key: str, kind: type[T]) -> T:
        """Return a value of the kind that it must have."""
        self._asked.add(key)
        if key not in self._data:
            raise self.error(f'"{key}" is missing. Add it.')
        found = self._data[key]
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise self.error(f'"{key}" must be {_called(kind)}. Change it.', key)
        return found

    def text(self, key: str, allowed: Iterable[str] = (), default: str | None = None) -> str:
        """Return a text, one of the allowed if any are named."""
        if default is not None and key not in self._data:
            return default
        found = self.value(key, str).strip()
        if not found and "" not in allowed:
            raise self.error(f'"{key}" is empty. Write something.', key)
        choices = sorted(allowed)
        if choices and found not in choices:
            raise self.error(f'"{key}": "{found}" is unknown. Use one of {_shortened(choices, found)}.', key, found)
        return found

    def day(self, key: str) -> date:
        """Return a date."""
        return self.value(key, date)

    def texts(self, key: str, allowed: Iterable[str] = ()) -> tuple[str, ...]:
        """Return a list of texts, () when the key is not there."""
        if key not in self._data:
            return ()
        found = self.value(key, list)
        choices = sorted(allowed)
        for one in found:
            if not isinstance(one, str) or not one.strip():
                raise self.error(f'"{key}" must be a list of texts. Change it.', key)
            if choices and one not in choices:
                raise self.error(f'"{key}": "{one}" is unknown. Use one of {_shortened(choices, one)}.', key, one)
        return tuple(found)

    def labels(self, key: str, needed: Iterable[str], languages: Iterable[str]) -> dict[str, str]:
        """Return a text per language; the needed languages must be there, all placeholders as in English."""
        table = self.table(key)
        found = {language: table.text(language) for language in languages if table.has(language)}
        table.finish()
        for language in needed:
            if language not in found:
                raise self.error(f'"{key}" has no "{language}". Add that language.', key)
        wanted = sorted(_PLACEHOLDER.findall(found.get("en", "")))
        for language, text in found.items():
            if sorted(_PLACEHOLDER.findall(text)) != wanted:
                names = ", ".join(f"{{{name}}}" for name in wanted) or "no placeholder"
                message = f'"{key}" in "{language}" must hold {names}, as in English. Correct it.'
                raise self.error(message, key, text[:20])
        return found

    def table(self, key: str) -> "Entry":
        """Return a table inside this one."""
        return Entry(self.source, self.value(key, dict), (*self._anchors, key))

    def tables(self, key: str, named_by: str = "slug") -> list["Entry"]:
        """Return a list of tables; their names must differ."""
        entries: list[Entry] = []
        seen: set[str] = set()
        for data in self.value(key, list) if key in self._data else []:
            if not isinstance(data, dict):
                raise self.error(f'"{key}" must be tables, each under [[{key}]]. Change it.', key)
            name = str(data.get(named_by, ""))
            place = (f'{named_by} = "{name}"',) if name else (*(f"{key}]]", NEXT) * len(entries), f"{key}]]")
            entry = Entry(self.source, data, (*self._anchors, *place))
            if name and name in seen:
                anchor = f'{named_by} = "{name}"'
                message = f'{named_by} "{name}" stands twice. Remove or rename one.'
                raise self.source.error(message, anchor, NEXT, anchor)
            seen.add(name)
            entries.append(entry)
        return entries

    def names(self) -> tuple[str, ...]:
        """Return the keys of a table whose keys are names."""
        return tuple(self._data)

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                raise self.error(f'"{key}" is not known here. Remove it, or correct its spelling.', key)


def _called(kind: type) -> str:
    names = {str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}
    return names.get(kind, f"a {kind.__name__}")


def _shortened(choices: list[str], wrong: str) -> str:
    near = [choice for choice in choices if choice[:3] == wrong[:3]] or choices
    return ", ".join(f'"{choice}"' for choice in near[:8]) + (" …" if len(near) > 8 else "")

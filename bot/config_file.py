"""Reads config.toml, and says what is wrong in it: which line, which key, what to do, never the value."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

LARGEST_BYTES = 1_000_000
HEADER = re.compile(r"\s*\[\s*([\w-]+)\s*\]")
KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")
# What stands where a key belongs may be a token in the wrong place; only what looks like one of ours is repeated.
PLAIN_KEY = re.compile(r"[a-z][a-z_]{0,30}")

A_SECTION = "this is a section: put [{section}] on a line of its own, its keys below"
A_WHOLE_NUMBER = "write a whole number"
SENTENCES = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "dict_type": A_SECTION,
    "greater_than_equal": "write {ge} or more",
    "int_from_float": A_WHOLE_NUMBER,
    "int_parsing": A_WHOLE_NUMBER,
    "int_parsing_size": A_WHOLE_NUMBER,
    "int_type": A_WHOLE_NUMBER,
    "less_than_equal": "write {le} or less",
    "literal_error": "write {expected}",
    "missing_key": "{advice}",
    "model_attributes_type": A_SECTION,
    "model_type": A_SECTION,
    "path_type": 'write a path in "quotes"',
    "string_too_long": "write at most {max_length} letters",
    "string_too_short": "write something here",
    "string_type": 'write a text in "quotes"',
    "tuple_type": 'write a list of texts: ["one", "two"]',
    "value_error": "{error}",
}


class SettingsError(Exception):
    """The settings cannot be used; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says, and on which line each (section, key) and each (section,) stands."""

    name: str
    values: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int]


def read_config(path: Path) -> ConfigFile:
    """Read a file. Raises SettingsError."""
    text = _text(path)
    try:
        return ConfigFile(path.name, tomllib.loads(text), _lines(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(_not_toml(path.name, str(error), text)) from None


def not_true_or_false(file: ConfigFile, switches: Iterable[tuple[str, str]]) -> list[ErrorDetails]:
    """Switches that say "yes" or 1: a variable may be written so, in a file it is a mistake."""
    return [
        {"type": "bool_type", "loc": (section, key), "msg": "", "input": None}
        for section, key in switches
        if isinstance(of := file.values.get(section), dict) and not isinstance(of.get(key, False), bool)
    ]


def explain(
    mistakes: Iterable[ErrorDetails], file: ConfigFile, keys: Mapping[str, Iterable[str]], prefix: str
) -> SettingsError:
    """Every mistake on a line of its own; `keys` are the known ones by section, `prefix` that of the variables."""
    return SettingsError("\n".join(dict.fromkeys(_mistake(one, file, keys, prefix) for one in mistakes)))


def near(word: str, known: Iterable[str]) -> str:
    """A question that proposes the nearest known word, or nothing."""
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else ""


def _text(path: Path) -> str:
    name = path.name or str(path)
    if path.is_dir():
        raise SettingsError(f"{name} is a folder. Name the file in it.")
    if not path.exists():
        raise SettingsError(f"{name} does not exist. Copy config.example.toml, or leave --config away.")
    if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        raise SettingsError(f"{name} is not a settings file. Begin with a copy of config.example.toml.")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name} cannot be read ({error.strerror}). Let this user read it.") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError(f"{name} line {line}: this is not UTF-8 text. Save the file as UTF-8.") from None
    if "\0" in text:
        raise SettingsError(f"{name} is not a text file. Begin with a copy of config.example.toml.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(text: str) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := HEADER.match(line):
            section = (header[1],)
            found.setdefault(section, number)
        elif key := KEY.match(line):
            found.setdefault((*section, key[1]), number)
    return found


def _not_toml(name: str, said: str, text: str) -> str:
    where = re.search(r"at line (\d+)", said)
    line = int(where[1]) if where else text.rstrip("\n").count("\n") + 1
    if "overwrite" in said or "twice" in said or "redefine" in said:
        return f"{name} line {line}: this key or section stands twice. Keep one of them."
    return (
        f'{name} line {line}: I cannot read this. A line is: key = "text", key = 5, or key = true; a section is [name].'
    )


def _mistake(one: ErrorDetails, file: ConfigFile, keys: Mapping[str, Iterable[str]], prefix: str) -> str:
    where = tuple(str(part) for part in one["loc"][:2])
    details = one.get("ctx", {})
    section, key = where[0], str(details.get("key", where[1] if len(where) > 1 else ""))
    if one["type"] == "extra_forbidden":
        advice = _unknown(where, keys)
    else:
        sentence = SENTENCES.get(one["type"], "this is not a value that fits")
        advice = sentence.format(section=section, **details).replace("'", '"')
    return f"{_place(file, section, key, prefix)}: {advice}{'' if advice.endswith('?') else '.'}"


def _unknown(where: tuple[str, ...], keys: Mapping[str, Iterable[str]]) -> str:
    if len(where) > 1:
        return "there is no such key." + (near(where[1], keys[where[0]]) or " config.example.toml holds them all")
    homes = [section for section, names in keys.items() if where[0] in names]
    if homes:
        return f"this stands above every section. Put it below [{homes[0]}]"
    return "there is no such section." + (near(where[0], keys) or " config.example.toml holds them all")


def _place(file: ConfigFile, section: str, key: str, prefix: str) -> str:
    variable = f"{prefix}{section}__{key}".upper()
    if key and any(name.upper() == variable and value for name, value in os.environ.items()):
        return variable
    line = file.lines.get((section, key)) or file.lines.get((section,))
    named = key if PLAIN_KEY.fullmatch(key) else "a key" if key else ""
    place = f"[{section}] {named}".rstrip() if PLAIN_KEY.fullmatch(section) else "a section"
    return f"{file.name} line {line}, {place}" if line else f"{file.name}, {place}"

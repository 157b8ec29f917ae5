"""Writes settings into config.toml: line by line, so that the comments stay; for its owner only, and all or nothing."""

import contextlib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.config_file import HEADER, KEY

EXAMPLE = Path(__file__).resolve().parent.parent / "config.example.toml"

Values = Mapping[tuple[str, str], Any]  # by section and key: texts, whole numbers, true and false, lists of texts


def filled(text: str, values: Values) -> str:
    """A settings file with these values in it. What is laid out too freely for that is written anew on the example."""
    written = _replace(text, values)
    if _says(written, values):
        return written
    found = tomllib.loads(text)
    old = {(section, key): value for section, of in found.items() for key, value in of.items()}
    return _replace(EXAMPLE.read_text(encoding="utf-8"), {**old, **values})


def write(path: Path, text: str) -> None:
    """Put a text in the place of a file, readable by its owner only; killed on the way, the old file stands."""
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def _replace(text: str, values: Values) -> str:
    left = dict(values)
    lines: list[str] = []
    section = ""
    for line in text.splitlines():
        if header := HEADER.match(line):
            _append(lines, section, left)
            section = header[1]
        key = KEY.match(line)
        if key is not None and (section, key[1]) in left:
            line = f"{key[1]} = {_toml(left.pop((section, key[1])))}"
        lines.append(line)
    _append(lines, section, left)
    for missing in dict.fromkeys(section for section, _ in left):
        lines += ["", f"[{missing}]"]
        _append(lines, missing, left)
    return "\n".join(lines).rstrip("\n") + "\n"


def _append(lines: list[str], section: str, left: dict[tuple[str, str], Any]) -> None:
    """What a section does not say yet goes to its end, before the empty lines that close it."""
    missing = [key for of, key in left if of == section]
    end = len(lines)
    while missing and end and not lines[end - 1].strip():
        end -= 1
    lines[end:end] = [f"{key} = {_toml(left.pop((section, key)))}" for key in missing]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's escapes are TOML's; only the delete character may stand in JSON and not in TOML.
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False).replace("\x7f", "")


def _says(text: str, values: Values) -> bool:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return all(
        found.get(section, {}).get(key) == (list(value) if isinstance(value, tuple) else value)
        for (section, key), value in values.items()
    )

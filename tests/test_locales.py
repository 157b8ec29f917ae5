"""Every sentence in every language: complete where it is offered, with the same placeholders and the right plurals."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bot.core.language import FOLDER, load_language

ROOT = Path(__file__).resolve().parent.parent
COMPLETE = ("id",)
PLACEHOLDER = re.compile(r"\{\w+\}")


@cache
def sentences() -> dict[str, str | None]:
    """Every msgid that the code says, with its plural."""
    found: dict[str, str | None] = {}
    for folder in ("handlers", "bot"):
        extracted = extract_from_dir(
            ROOT / folder, method_map=[("**.py", "python")], keywords={"t": None, "tn": (1, 2)}
        )
        for _, _, message, _, _ in extracted:
            one, plural = message if isinstance(message, tuple) else (message, None)
            found[one] = plural
    return found


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def messages(path: Path) -> dict[str, Message]:
    return {
        str(message.id[0] if isinstance(message.id, tuple | list) else message.id): message
        for message in catalogue(path)
        if message.id
    }


CATALOGUES = sorted(FOLDER.glob("*.po*"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.name)
def test_a_catalogue_holds_exactly_what_the_code_says(path: Path) -> None:
    known = set(messages(path))
    assert known == set(sentences()), {"missing": set(sentences()) - known, "left over": known - set(sentences())}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.po")), ids=lambda path: path.name)
def test_placeholders_are_the_same_in_both_languages(path: Path) -> None:
    for msgid, message in messages(path).items():
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        allowed = set(PLACEHOLDER.findall(msgid)) | set(PLACEHOLDER.findall(sentences()[msgid] or ""))
        for string in strings:
            if string:
                used = set(PLACEHOLDER.findall(string))
                assert used <= allowed, (msgid, string)
                assert allowed - used <= {"{n}"}, (msgid, string)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.po")), ids=lambda path: path.name)
def test_plurals_have_as_many_forms_as_the_language(path: Path) -> None:
    forms = catalogue(path).num_plurals
    for message in messages(path).values():
        if isinstance(message.id, tuple | list):
            assert isinstance(message.string, tuple | list)
            assert len(message.string) == forms, message.id


@pytest.mark.parametrize("language", COMPLETE)
def test_a_language_that_is_offered_says_everything(language: str) -> None:
    missing = [
        msgid
        for msgid, message in messages(FOLDER / f"{language}.po").items()
        if message.fuzzy or not all(message.string if isinstance(message.string, tuple | list) else [message.string])
    ]
    assert missing == []
    assert language in load_language().offered


def test_the_bot_speaks_calmly() -> None:
    assert [msgid for msgid in sentences() if "!" in msgid] == []


def test_an_unfinished_catalogue_is_not_offered(tmp_path: Path) -> None:
    text = (FOLDER / "id.po").read_text(encoding="utf-8")
    (tmp_path / "messages.pot").write_text((FOLDER / "messages.pot").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "th.po").write_text(text[:2000].rpartition("\n\n")[0] + "\n", encoding="utf-8")
    assert load_language(tmp_path).offered == ("en",)
    (tmp_path / "th.po").unlink()
    (tmp_path / "id.po").write_text(text + '\nmsgid "Something new."\nmsgstr ""\n', encoding="utf-8")
    assert load_language(tmp_path).offered == ("en",)
    (tmp_path / "id.po").write_text(text, encoding="utf-8")
    assert load_language(tmp_path).offered == ("en", "id")

"""The content that comes with the project is whole, and a broken file is refused with file, line and what to do."""

import re
import shutil
from pathlib import Path

import pytest

from bot import content
from bot.content.demo import load_demo

CONTENT = content.load()
DEMO = load_demo(CONTENT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in content.FOLDER.glob("*.toml"):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path


def change(folder: Path, file: str, old: str, new: str) -> int:
    """Change the first occurrence; return its line."""
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_content_has_its_five_coalitions_eighty_four_topics_and_eight_themes() -> None:
    assert (len(CONTENT.coalitions), len(CONTENT.topics), len(CONTENT.themes), len(CONTENT.areas)) == (5, 84, 8, 10)
    assert len(CONTENT.countries) > 200
    assert len(CONTENT.sectors) == 7


def test_everything_indonesian_is_there_and_marked_for_review() -> None:
    for texts, review in [(term.definition, term.review) for term in CONTENT.terms] + [
        (prompt.text, prompt.review) for prompt in CONTENT.prompts
    ]:
        assert set(texts) == {"en", "id"}
        assert review == ("id",)


def test_the_seven_words_have_their_indonesian_forms() -> None:
    shown = {word.id: word.shown("id") for word in CONTENT.words}
    seven = ("find", "ask", "allies", "project", "me", "safe", "help", "manage")
    assert [shown[word] for word in seven] == ["cari", "tanya", "kawan", "proyek", "saya", "aman", "bantuan", "kelola"]
    assert all(set(word.forms) == set(content.LANGUAGES) for word in CONTENT.words)


@pytest.mark.parametrize(
    "message", ["I am in danger", "help me!", "I'M IN DANGER!!", "tolong saya", "saklolo", "ช่วยด้วย", "надад туслаач"]
)
def test_an_emergency_is_known_by_the_whole_message(message: str) -> None:
    assert CONTENT.emergency.said_in(message)


@pytest.mark.parametrize(
    "message",
    [
        "please help, I am in danger", "I think I'm in danger!", "somebody is following me", "aku sedang dalam bahaya",
        "tolong, saya dibuntuti orang", "tulong po, nasa panganib ako",
    ],
)  # fmt: skip
def test_a_few_words_around_it_are_an_emergency_too(message: str) -> None:
    assert CONTENT.emergency.said_in(message)


@pytest.mark.parametrize(
    "message",
    [
        "help", "bantuan", "help me with OCDS", "", "the law is in danger", "tolong bantu saya mencari auditor",
        "Please help me understand how contracts are published in Mongolia",
        "We train reporters who were told by a witness: I am in danger, and who then did not know whom to ask for help",
    ],
)  # fmt: skip
def test_other_messages_are_no_emergency(message: str) -> None:
    assert not CONTENT.emergency.said_in(message)


def test_the_emergency_text_names_people_in_every_language() -> None:
    assert set(CONTENT.emergency.text) == set(content.LANGUAGES)
    assert all("help@accessnow.org" in text for text in CONTENT.emergency.text.values())


def test_the_demo_is_fictional_and_whole() -> None:
    assert DEMO.fictional
    assert (len(DEMO.fellows), len(DEMO.facilitators), len(DEMO.collective_projects)) == (24, 2, 4)
    assert (content.FOLDER / "demo_cohort.toml").read_text("utf-8").startswith("# FICTIONAL")
    (teguh,) = [fellow for fellow in DEMO.fellows if fellow.id == "f07"]
    assert teguh.recuse == (("civil_society", "ID"),)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("topics.toml", 'theme = "data"', 'theme = "dta"', '"dta" is unknown'),
        ("topics.toml", 'slug = "data-quality"', 'slug = "ocds-publication"', "stands twice"),
        ("topics.toml", ', th = "การจัดซื้อจัดจ้างแบบเปิด" }', " }", 'no "th"'),
        ("topics.toml", 'synonyms = ["OC"', 'sinonyms = ["OC"', "not known here"),
        ("topics.toml", 'synonyms = ["OC",', 'synonyms = [7, "OC",', "list of texts"),
        ("topics.toml", "schema_version = 1", "schema_version = 2", "Write 1"),
        ("topics.toml", "[[ogp_area]]", "[[ogp_area", "no TOML"),
        ("coalitions.toml", 'mn = "Улс төрийн манлайлал"\n', "", 'no "mn"'),
        ("glossary.toml", 'topic = "ocds-publication"', 'topic = "ocds"', "unknown"),
        ("prompts.toml", '\\"{milestone}\\" jatuh', '\\"{langkah}\\" jatuh', "must hold"),
        ("words.toml", 'id = ["tanya", "bertanya"]', 'id = ["cari"]', "already stands"),
        ("words.toml", 'en = ["skip"]', 'en = ["aman"]', "already stands"),
        ("emergency.toml", '"SOS"', '"help"', "words.toml"),
        ("emergency.toml", '[text]\nen = """', '[text]\nen = ""\nzz = """', "empty"),
        ("country_names.toml", 'codes = ["CV"]', 'codes = ["C"]', "unknown"),
    ],
)
def test_a_broken_file_names_file_line_and_what_to_do(folder: Path, file: str, old: str, new: str, told: str) -> None:
    line = change(folder, file, old, new)
    with pytest.raises(content.ContentError) as caught:
        content.load(folder)
    message = str(caught.value)
    named = re.match(rf"{re.escape(file)}, line (\d+): ", message)
    assert named, message
    assert re.search(told, message), message
    assert abs(int(named[1]) - line) <= 14, (message, line)


def test_the_line_is_the_line_of_the_mistake(folder: Path) -> None:
    line = change(folder, "topics.toml", 'ogp_area = "civic-space"', 'ogp_area = "civic-spce"')
    with pytest.raises(content.ContentError, match=rf"^topics\.toml, line {line}: "):
        content.load(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "words.toml").unlink()
    with pytest.raises(content.ContentError, match=r"words\.toml: the file is missing"):
        content.load(folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('recuse = ["civil_society:ID"]', 'recuse = ["grantee:any"]', "no sector and country"),
        ('topic = "political-buy-in"', 'topic = "politics"', "unknown"),
        ('members = ["f08"', 'members = ["f99"', "unknown"),
        ('status = "complete"', 'status = "finished"', "unknown"),
        ("due = 2026-09-30", 'due = "soon"', "date"),
    ],
)
def test_a_broken_demo_is_refused(folder: Path, old: str, new: str, told: str) -> None:
    change(folder, "demo_cohort.toml", old, new)
    with pytest.raises(content.ContentError, match=told):
        load_demo(folder=folder)

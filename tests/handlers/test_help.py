"""Help: the words of a role, a human, a report, and who is behind the bot."""

import pytest

from tests.chat import Chat, Person


@pytest.fixture
def mirela(chat: Chat) -> Person:
    """A facilitator."""
    return chat.joins("Mirela", role="facilitator")


def test_help_lists_the_seven_words_and_for_facilitators_one_more(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    sari.says("help")
    words = [line.partition(":")[0] for line in sari.last.splitlines()[1:]]
    assert sorted(words) == sorted(["find", "ask", "allies", "project", "me", "safe", "help", "Also"])
    assert sari.last.splitlines()[-1] == "Also: stop, undo, leave, mydata, and privacy"
    assert "a facilitator reopens it" in sari.last
    mirela.says("help")
    assert "manage:" in mirela.last


@pytest.mark.parametrize(("language", "word"), [("id", "cari"), ("mn", "хайх"), ("fil", "hanapin"), ("th", "ค้นหา")])
def test_help_shows_the_words_of_the_readers_language(chat: Chat, language: str, word: str) -> None:
    sari = chat.joins("Sari", language=language)
    sari.says("help")
    assert f"{word}:" in sari.last


def test_a_message_goes_to_the_only_facilitator_and_back_and_forth(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    sari.says("help")
    sari.presses("Talk to a human")
    sari.says("May I change my coalition?")
    assert "Sari (Indonesia) writes to you:\n\nMay I change my coalition?" in mirela.last
    mirela.presses("Reply")
    mirela.says("Yes, you may")
    assert "Mirela (facilitator) writes to you:\n\nYes, you may" in sari.last
    sari.presses("Reply")
    sari.says("Thank you")
    assert "Thank you" in mirela.last


def test_with_several_facilitators_one_is_chosen(chat: Chat, mirela: Person) -> None:
    haruto = chat.joins("Haruto", role="facilitator")
    sari = chat.joins("Sari")
    sari.says("help")
    sari.presses("Talk to a human")
    sari.presses("Haruto")
    sari.says("Hello")
    assert "Hello" in haruto.last
    assert mirela.sees() == []


def test_without_a_facilitator_the_operator_is_named(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("help")
    sari.presses("Talk to a human")
    assert "help@reform.example" in sari.last


def test_a_report_goes_to_the_chosen_facilitator_alone(chat: Chat, mirela: Person) -> None:
    haruto = chat.joins("Haruto", role="facilitator")
    bat = chat.joins("Bat")
    sari = chat.joins("Sari")
    sari.says("help")
    sari.presses("Report a person")
    sari.presses("Mirela")
    sari.says("Bat")
    sari.says("He wrote to me at night")
    assert "Report 1, Mon 23 Nov, 10:00." in sari.last or "Report " in sari.last
    assert "Given to Mirela, and to nobody else." in sari.last
    assert "About: Bat\n\nHe wrote to me at night" in mirela.last
    assert haruto.sees() == []
    assert bat.sees() == []


def test_a_report_to_the_operator_reaches_no_facilitator(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    sari.says("help")
    sari.presses("Report a person")
    sari.presses("Reform Trust")
    sari.says("Mirela")
    sari.says("She shared my name")
    assert "help@reform.example" in sari.last
    assert mirela.sees() == []
    assert chat.store.now(lambda unit: unit.audit.reports_to_operator()) == 1


def test_who_is_behind_names_operator_country_and_readers(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("help")
    sari.presses("Who is behind this")
    for part in ("Reform Trust", "Singapore", "help@reform.example", "who runs the server"):
        assert part in sari.last


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("talk to a human", "What shall I pass on?"),
        ("bicara dengan manusia", "What shall I pass on?"),
        ("report a person", "Who shall receive your report?"),
        ("keep us apart", "Whom I keep apart from you"),
        ("pisahkan kami", "Whom I keep apart from you"),
        ("block", "Whom I keep apart from you"),
        ("requests", "No requests are open."),
        ("withdraw", "No requests are open."),
        ("who sees me", "You can choose:"),
        ("hide me", "You can choose:"),
        ("siapa melihat saya", "You can choose:"),
        ("change my profile", "What do you want to change?"),
        ("delete my account", "Leave the bot?"),
        ("hapus data saya", "Leave the bot?"),
        ("tolong hapus data saya", "Leave the bot?"),
        ("saya mau berhenti", "Until when shall I leave you in peace?"),
        ("I want to stop", "Until when shall I leave you in peace?"),
        ("hide my organisation", "Who sees each field now."),
        ("hide this project", "Who sees each field now."),
        ("who are you?", "I am Kawan, a bot."),
        ("how do I start a project", "In one sentence: what shall be different"),
        ("report progress", "You have no project here yet."),
        ("change language", "Which language shall I speak with you?"),
        ("ganti bahasa", "Which language shall I speak with you?"),
        ("cancel", "No question is open now."),
        ("/batal", "No question is open now."),
        ("77", "No question is open now."),
        ("/foo", "I do not know foo. Type help for the list"),
    ],
)
def test_what_people_naturally_type_opens_the_screen(chat: Chat, mirela: Person, typed: str, seen: str) -> None:
    sari = chat.joins("Sari")
    sari.says(typed)
    assert seen in sari.last
    assert mirela.sees() == []


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("people", "People of Reform Asia"),
        ("peserta", "People of Reform Asia"),
        ("session", "Messages to Reform Asia"),
        ("message to all", "Messages to Reform Asia"),
        ("round", "Manage Reform Asia"),
        ("introductions", "No requests are open."),
    ],
)
def test_what_facilitators_naturally_type_opens_the_screen(mirela: Person, typed: str, seen: str) -> None:
    mirela.says(typed)
    assert mirela.last.startswith(seen)


def test_invite_typed_alone_is_for_facilitators_and_tells_fellows_whom_to_ask(chat: Chat) -> None:
    sari = chat.joins("Sari", language="id")
    sari.says("undang")
    assert "Fasilitator" in sari.last
    mirela = chat.joins("Mirela", role="facilitator")
    sari.says("invite")
    assert "Mirela" in sari.last
    mirela.says("invite")
    assert "Whom do you invite?" in mirela.last


def test_a_report_with_a_name_goes_on_to_what_happened(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    sari.says("report Bat")
    sari.presses("Mirela")
    assert "What happened?" in sari.last
    sari.says("He wrote to me at night")
    assert "About: Bat\n\nHe wrote to me at night" in mirela.last


@pytest.mark.parametrize("typed", ["report writing on open data", "block open data grants"])
def test_a_topic_after_such_a_word_is_a_search(chat: Chat, typed: str) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says(typed)
    assert "Bat (Mongolia)" in sari.last


@pytest.mark.parametrize("typed", ["introduce me to Bat", "write to Bat", "perkenalkan saya dengan Bat"])
def test_whom_one_wants_to_meet_is_found_in_a_sentence(chat: Chat, typed: str) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN")
    sari.says(typed)
    assert "Meet Bat" in sari.buttons()


@pytest.mark.parametrize("typed", ["keep me apart from Bat", "block Bat", "pisahkan saya dari Bat"])
def test_keeping_apart_from_a_named_person_asks_first(chat: Chat, typed: str) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says(typed)
    sari.presses("Apart from Bat")
    assert "You and Bat (Mongolia) are kept apart from now on." in sari.last
    sari.says("open data")
    assert "Bat" not in sari.last
    sari.says("block Zebediah")
    assert "No one found. Nothing changed." in sari.last


def test_change_typed_under_a_card_that_offers_it_is_that_button(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("me")
    sari.presses("Offer something")
    sari.says("open data portals")
    sari.says("change")
    assert sari.last.startswith("What is it about?")


@pytest.mark.parametrize("word", ["me", "mydata", "privacy", "allies", "help", "/help", "hide this project"])
def test_a_word_alone_is_obeyed_in_a_question_and_the_question_comes_back(chat: Chat, word: str) -> None:
    sari = chat.joins("Sari")
    sari.says("project")
    sari.presses("New project")
    asked = sari.last
    sari.says(word)
    assert sari.last == f"Now back to the earlier question.\n{asked}"
    sari.says("Publish the asset declarations of our province")
    assert "mydata" not in sari.last
    assert "Publish the asset declarations of our province" in sari.last


def test_a_word_of_the_bot_never_becomes_a_project(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("project")
    sari.presses("New project")
    sari.says("leave")
    assert "erase" in sari.last
    assert chat.store.now(lambda unit: unit.projects.mine(sari.member or 0)) is None


@pytest.mark.parametrize("begins", ["human", "stop"])
def test_leaving_is_decided_in_words_while_a_question_is_open(chat: Chat, mirela: Person, begins: str) -> None:
    sari = chat.joins("Sari")
    sari.says(begins)
    asked = sari.last.splitlines()[-1]
    sari.says("leave")
    sari.says("yes")
    assert sari.last == "To be sure: please press “Yes, leave”, or type it."
    sari.says("tidak")
    assert sari.last == f"Now back to the earlier question.\n{asked}"
    sari.says("leave")
    sari.says("Yes, leave")
    assert sari.last.startswith("I will erase your data tomorrow")
    assert mirela.sees() == []


@pytest.mark.parametrize("answer", ["People", "Round", "manage", "hide my data from brokers"])
def test_what_is_a_word_for_facilitators_or_begins_like_one_is_a_fellows_answer(chat: Chat, answer: str) -> None:
    sari = chat.joins("Sari")
    sari.says("new project")
    sari.says(answer)
    assert f"Kept: “{answer}”." in sari.last

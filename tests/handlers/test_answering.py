"""The weekly card: asked in one's own morning, answered by a tap or a line, rarer when silent, never dropped untold."""

from datetime import date

import pytest

from tests.chat import Chat, Person
from tests.handlers.test_projects import has


@pytest.fixture
def mirela(chat: Chat) -> Person:
    """A facilitator, Monday 23 November 2026, 10:00 in Jakarta."""
    return chat.joins("Mirela", role="facilitator")


@pytest.fixture
def sari(chat: Chat) -> Person:
    return chat.joins("Sari")


def usual(facilitator: Person) -> None:
    """Every second Monday at nine, from the library."""
    facilitator.says("manage")
    facilitator.presses("Check-ins")
    facilitator.presses("The usual")
    facilitator.presses("Start it")


def asks(facilitator: Person, words: str, kind: str = "A line of text", readers: str = "The facilitators") -> None:
    """Own words, every week on Monday at nine."""
    facilitator.says("manage")
    facilitator.presses("Check-ins")
    facilitator.presses("New")
    facilitator.presses("My own words")
    facilitator.says(words)
    facilitator.presses(kind)
    facilitator.presses("Everybody")
    facilitator.presses("Every week")
    facilitator.presses("Monday")
    facilitator.presses("09:00")
    facilitator.presses(readers)
    facilitator.presses("Start it")


def to_monday(chat: Chat, weeks: int = 1) -> None:
    """On to Monday 09:00 in Jakarta, so many weeks from the first."""
    chat.passes(days=7 * weeks - 1, hours=23)


def test_the_question_comes_in_ones_own_morning_and_one_tap_answers_it(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    chat.passes(days=6, hours=22, minutes=59)
    assert sari.sees() == []
    chat.passes(minutes=1)
    assert sari.last == "How is your energy?\n\nThe facilitators read this."
    assert sari.buttons() == ["1", "2", "3", "4", "5", "Skip", "Later"]
    sari.presses("4")
    assert sari.last.startswith("Kept: 4.\nA line about it, if you like")
    sari.says("the ministry wrote back")
    assert "Kept: “the ministry wrote back”." in sari.last
    assert "Thank you. That is all for this time." in sari.last
    assert "Next from me: Mon 7 Dec, 09:00." in sari.last
    assert "Until Sun 6 Dec you can change your answers." in sari.last


def test_words_are_typed_and_a_search_taken_for_an_answer_is_given_back(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    asks(mirela, "What did you learn?")
    to_monday(chat)
    assert sari.last == "What did you learn?\n\nThe facilitators read this."
    sari.says("beneficial ownership")
    assert "Kept: “beneficial ownership”." in sari.last
    sari.presses("I meant a search")
    assert "Bat (Mongolia)" in sari.last
    assert "What did you learn?" in sari.sees()[-2]
    sari.says("help")
    assert "Just write what you are looking for" in sari.last
    sari.says("people say yes when they are asked early")
    assert "Kept: “people say yes when they are asked early”." in sari.last
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("Open")
    mirela.presses("Answers")
    assert "“people say yes when they are asked early”" in mirela.last
    assert "beneficial ownership" not in mirela.last


def test_a_typed_word_and_a_typed_button_are_no_answers(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "What did you learn?")
    to_monday(chat)
    sari.says("language")
    sari.says("Bahasa Indonesia")
    assert "Disimpan" not in sari.last
    sari.says("kabar")
    assert sari.last == "What did you learn?\n\nPara fasilitator membaca ini."


def test_an_answer_can_be_changed_until_the_window_closes_and_not_after(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    asks(mirela, "What did you learn?")
    to_monday(chat)
    sari.says("patience and more patience is needed for all this")
    chat.passes(days=6)
    sari.says("checkin")
    assert "Thank you. That is all for this time." in sari.last
    sari.presses("Change my answers")
    assert "“patience and more patience is needed for all this”" in sari.last
    sari.presses("Change: What did you learn?")
    sari.says("patience")
    assert "Kept: “patience”." in sari.last
    chat.passes(days=1)
    assert "What did you learn?" in sari.last  # the next week's
    sari.presses("Change my answers")
    assert "patience" not in sari.last


def test_a_late_answer_still_counts(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("Open")
    mirela.presses("Change")
    mirela.presses("How often")
    mirela.presses("Every second week")
    mirela.presses("Monday")
    mirela.presses("09:00")
    to_monday(chat)
    assert "How is your energy?" in sari.last
    chat.passes(days=3)
    assert "A reminder, the only one:\n\nHow is your energy?" in sari.last
    chat.passes(days=6)
    sari.presses("2")
    assert "Kept: 2.\nIt came late, and still counts." in sari.last


def test_one_reminder_and_no_more(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat)
    chat.passes(days=2, hours=23, minutes=59)
    assert len(sari.sees()) == 1
    chat.passes(minutes=1)
    assert len(sari.sees()) == 2
    assert sari.last.startswith("A reminder, the only one:")
    assert sari.sees()[0] == "I ask again below."
    chat.passes(days=3, hours=23)
    assert len(sari.sees()) == 2


def test_whoever_answered_is_not_reminded(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat)
    sari.presses("3")
    seen = len(sari.sees())
    chat.passes(days=6)
    assert len(sari.sees()) == seen


def test_skip_and_later_are_answers_too(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat)
    sari.presses("Later")
    assert sari.last == ("It waits. To answer, press Now or type checkin.\nI remind you once: Thu 3 Dec, 09:00.")
    sari.presses("Now")
    assert "How is your energy?" in sari.last
    sari.presses("Skip")
    assert sari.last.startswith("Skipped.\n\nThank you.")
    assert len(sari.sees()) == 1  # one message all along


def test_the_coming_question_can_be_answered_early_and_is_not_asked_again(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    sari.says("checkin")
    assert sari.last.startswith("Early, for Mon 30 Nov. On that day I do not ask again.\n\nHow is your energy?")
    sari.presses("5")
    sari.presses("That is all")
    seen = len(sari.sees())
    to_monday(chat)
    chat.passes(days=6)
    assert len(sari.sees()) == seen
    chat.passes(days=1)
    assert "How is your energy?" in sari.last


def test_somebody_away_or_without_consent_is_asked_nothing(chat: Chat, mirela: Person, sari: Person) -> None:
    bat = chat.joins("Bat", purposes=("profile", "storage", "introductions"))
    asks(mirela, "How is your energy?", "1 to 5")
    sari.says("away until 7 Dec")
    seen = len(sari.sees())
    to_monday(chat)
    chat.passes(days=6)
    assert len(sari.sees()) == seen
    assert bat.sees() == []
    bat.says("checkin")
    assert "You did not agree to questions" in bat.last


def test_a_yes_to_leaving_is_no_answer_to_the_weeks_question(chat: Chat, mirela: Person, sari: Person) -> None:
    usual(mirela)
    to_monday(chat)
    sari.says("leave")
    sari.says("yes")
    assert sari.last == "To be sure: please press “Yes, leave”, or type it."
    sari.says("no")
    assert sari.last == "You stay. Nothing was erased."


def test_the_last_promise_comes_first_and_done_asks_for_the_next(chat: Chat, mirela: Person, sari: Person) -> None:
    usual(mirela)
    to_monday(chat)
    assert sari.last.startswith("What is your next small step, and by when?\n\nOnly you read this.")
    sari.says("call the mayor's office on Tuesday")
    assert sari.last.startswith("By when?")
    sari.presses("In a week")
    assert "Kept: “call the mayor's office on Tuesday”, by Mon 7 Dec. I ask you next time how it went." in sari.last
    chat.passes(days=14)
    assert sari.last == (
        "You wanted to do this: “call the mayor's office on Tuesday”, by Mon 7 Dec.\nHow does it stand?"
    )
    assert sari.buttons() == ["Done", "Moving", "Stuck", "Drop it"]
    sari.presses("Done")
    assert sari.last.startswith("Done: that is good to hear.\n\nWhat is your next small step?")
    sari.says("write down what he said, in one page")
    sari.presses("Skip")
    assert "Only you read this." in sari.last  # the question of the library follows
    sari.presses("Skip")
    assert sari.last.startswith("Skipped.\n\nOne thing is missing in your profile.")


def test_who_is_stuck_chooses_who_knows_and_the_blocker_comes_back(chat: Chat, mirela: Person, sari: Person) -> None:
    usual(mirela)
    to_monday(chat)
    sari.says("get the decree signed by the governor this month")
    sari.presses("Skip")
    chat.passes(days=14)
    seen = len(mirela.sees())
    sari.presses("Stuck")
    assert sari.last == "1 of 3. What exactly holds it up? Nobody sees this until you say so."
    sari.says("the legal bureau does not answer")
    sari.says("somebody who knows the bureau")
    sari.presses("In two weeks")
    assert sari.last == "Kept, for you alone: “the legal bureau does not answer”.\nShall somebody know of it?"
    assert len(mirela.sees()) == seen
    sari.presses("Tell a facilitator")
    assert sari.last.startswith("Mirela knows now, and can answer you here.")
    assert mirela.last == (
        "Sari (Indonesia) is stuck and wants you to know:\n“the legal bureau does not answer”\n"
        "Who could help: somebody who knows the bureau\nBy when: Mon 28 Dec"
    )
    chat.passes(days=14)
    assert "You were stuck on: “the legal bureau does not answer”." in sari.last
    sari.presses("Moving")
    assert sari.last.startswith("Good that it moves. I ask again next time.")


def test_who_is_stuck_asks_the_others_and_the_card_goes_on(chat: Chat, mirela: Person, sari: Person) -> None:
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    usual(mirela)
    to_monday(chat)
    sari.says("get the decree signed by the governor this month")
    sari.presses("Skip")
    chat.passes(days=14)
    sari.presses("Stuck")
    sari.says("beneficial ownership rules are unclear")
    sari.presses("Skip")
    sari.presses("Skip")
    sari.presses("Ask the others")
    assert sari.sees()[-2].startswith("Nobody was asked yet: below is what the others would see.\n\n")
    assert "Only you read this." in sari.sees()[-2]  # the question that follows
    assert "asks: “beneficial ownership rules are unclear”" in sari.last
    assert not any("unclear" in text for text in (*bat.sees(), *mirela.sees()))
    sari.presses("Send")
    assert "asks: “beneficial ownership rules are unclear”" in bat.last


@pytest.mark.parametrize(("ends", "said"), [("Solved", "Good to hear."), ("Close", "The question is closed.")])
def test_the_end_of_a_question_frees_the_promise_that_was_stuck(
    chat: Chat, mirela: Person, sari: Person, ends: str, said: str
) -> None:
    chat.joins("Bat", country="MN", offers=["open-data"])
    usual(mirela)
    to_monday(chat)
    sari.says("publish the open data of March")
    sari.presses("Skip")
    chat.passes(days=14)
    sari.says("stuck")  # typed, as it stands on the button
    sari.says("nobody here has published open data")
    sari.presses("Skip")
    sari.presses("Skip")
    sari.presses("Ask the others")
    sari.presses("Change")
    sari.says("Who has published open data in a small office?")
    sari.presses("Send")
    sari.says("ask")
    sari.presses(ends)
    assert sari.last.startswith(said)
    free = "“publish the open data of March” is no longer marked as stuck. I ask you next time how it stands."
    assert free in sari.last
    chat.passes(days=14)
    assert "You wanted to do this: “publish the open data of March”." in sari.last
    assert "You were stuck on" not in sari.last
    sari.presses("Done")
    assert "Done: that is good to hear." in sari.last


def test_what_is_kept_private_is_told_to_nobody(chat: Chat, mirela: Person, sari: Person) -> None:
    usual(mirela)
    to_monday(chat)
    sari.says("get the decree signed by the governor this month")
    sari.presses("Skip")
    chat.passes(days=14)
    sari.presses("Stuck")
    sari.says("my own director is against it")
    sari.presses("Skip")
    sari.presses("Skip")
    sari.presses("Keep it private")
    assert sari.last.startswith("Nobody is told.")
    mirela.presses("Check-ins")
    mirela.presses("Open")
    mirela.presses("Answers")
    chat.passes(days=7)
    assert "director" not in "\n".join(mirela.sees())
    assert "governor" not in "\n".join(mirela.sees())


def new_in(chat: Chat, person: Person, days: int) -> list[str]:
    """What somebody who says nothing sees now, and in the days that follow."""
    before = len(person.sees())
    chat.passes(days=days)
    return person.sees()[before:]


def test_silence_slows_down_then_asks_then_stops_and_says_so(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat)
    weeks = [[sari.last, *new_in(chat, sari, 3)]]
    for _ in range(6):
        monday = new_in(chat, sari, 4)
        weeks.append([*monday, *new_in(chat, sari, 3)])
    question, reminder = "How is your energy?\n\nThe facilitators read this.", "A reminder, the only one:\n\n"
    assert weeks[0] == [question, reminder + question]
    assert weeks[1] == [question, reminder + question]
    assert weeks[2] == []
    assert weeks[3][0].startswith("My last questions stayed open, so I ask every second time now.")
    assert weeks[4] == []
    assert weeks[5][0].startswith("My last questions stayed open, so I ask only this one:\nShall I go on?")
    assert weeks[6][0].startswith("I stop asking you questions now.")
    assert new_in(chat, sari, 4) == []
    sari.presses("Ask me again")
    assert sari.last.startswith("Good. I ask you again on every date from now on.\nNext from me:")
    chat.passes(days=7)
    assert sari.last == question


def test_an_answer_brings_back_the_usual_rhythm(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat, 4)
    chat.passes(days=7)
    chat.passes(days=7)
    chat.passes(days=7)
    assert sari.last.startswith("My last questions stayed open")
    sari.presses("5")
    sari.presses("That is all")
    chat.passes(days=7)
    assert sari.last == "How is your energy?\n\nThe facilitators read this."


def test_one_may_choose_to_be_asked_less_or_not_at_all(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat)
    for _ in range(5):
        chat.passes(days=7)
    sari.presses("Every second time")
    assert "From now on I ask you every second time" in sari.last
    assert new_in(chat, sari, 7) == []
    chat.passes(days=7)
    assert "How is your energy?" in sari.last
    sari.presses("3")
    sari.presses("That is all")
    assert new_in(chat, sari, 7) == []
    chat.passes(days=7)
    assert "How is your energy?" in sari.last


def test_two_check_ins_in_one_week_are_one_card(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    asks(mirela, "What did you learn?")
    to_monday(chat)
    assert len(sari.sees()) == 1
    sari.presses("2")
    sari.presses("That is all")
    assert sari.last.startswith("What did you learn?")
    assert len(sari.sees()) == 1
    sari.says("that it is slow, and that this is all right")
    assert "Thank you." in sari.last


def test_a_question_that_comes_after_a_finished_card_waits_for_the_next(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat)
    asks(mirela, "What did you learn?")
    mirela.presses("Change")
    mirela.presses("How often")
    mirela.presses("Every week")
    mirela.presses("Wednesday")
    mirela.presses("09:00")
    sari.presses("2")
    sari.presses("That is all")
    seen = len(sari.sees())
    chat.passes(days=6)
    assert len(sari.sees()) == seen
    chat.passes(days=1)
    assert len(sari.sees()) == seen + 1
    assert "How is your energy?" in sari.last or "What did you learn?" in sari.last
    for _ in range(2):
        sari.presses("Skip")
    assert "Thank you." in sari.last


def test_a_due_milestone_rides_on_the_card_and_is_not_asked_about_twice(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    has(chat, sari, "Data published", due=date(2026, 12, 2))
    asks(mirela, "How is your energy?", "1 to 5")
    to_monday(chat)
    sari.presses("2")
    sari.presses("That is all")
    assert sari.last.startswith("“Data published” is for Wed 2 Dec. Where does it stand?\nProject: Project of Sari")
    sari.presses("Moving")
    assert "Your project says now: “Data published”, begun." in sari.last
    assert "Thank you." in sari.last
    chat.passes(days=3)
    assert "was due on" not in sari.last
    chat.passes(days=4)
    sari.presses("Skip")
    assert "Data published" not in sari.last


def test_a_milestone_whose_day_was_long_before_is_not_said_to_be_coming(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    asks(mirela, "How is your energy?", "1 to 5")
    has(chat, sari, "Governor", due=date(2026, 10, 30))
    to_monday(chat)
    sari.presses("4")
    sari.presses("That is all")
    assert "“Governor” was due on Fri 30 Oct. Where does it stand?" in sari.last

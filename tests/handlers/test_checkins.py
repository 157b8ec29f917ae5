"""Setting up check-ins: read back in words, tried, started, changed from the next date on, and read by whom it said."""

import pytest

from storage import UnitOfWork
from storage.access import Viewer
from tests.chat import Chat, Person
from tests.handlers.test_answering import asks, to_monday, usual

EVERYBODY = ("Only me", "The facilitators", "The cohort", "Counts only")


@pytest.fixture
def mirela(chat: Chat) -> Person:
    """A facilitator, Monday 23 November 2026, 10:00 in Jakarta."""
    return chat.joins("Mirela", role="facilitator")


@pytest.fixture
def sari(chat: Chat) -> Person:
    return chat.joins("Sari")


def test_the_usual_check_in_is_read_back_in_words_before_anything_is_sent(
    chat: Chat, mirela: Person, sari: Person
) -> None:
    chat.joins("Bat", purposes=("profile", "storage"))
    mirela.says("manage")
    mirela.presses("Check-ins")
    assert "There is no check-in yet." in mirela.last
    mirela.presses("The usual")
    assert "Nothing is sent before you press Start it." in mirela.last
    assert "For: everybody: 1 fellow" in mirela.last
    assert "Every second Monday at 09:00, their time.\nFirst: Mon 30 Nov." in mirela.last
    to_monday(chat)
    assert sari.sees() == []
    mirela.presses("Start it")
    assert "Started. To stop it again, press Pause it or End it." in mirela.last
    assert "Every second Monday at 09:00, their time.\nNext: Mon 7 Dec." in mirela.last
    chat.passes(days=7)
    assert "Only you read this." in sari.last


def test_own_words_with_own_choices_for_a_country(chat: Chat, mirela: Person, sari: Person) -> None:
    bat = chat.joins("Bat", country="MN")
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("New")
    mirela.presses("My own words")
    mirela.says("How was the week?")
    mirela.presses("My own choices")
    mirela.says("one")
    assert "Please write 2 to 8 short choices" in mirela.last
    mirela.says("calm, busy, too much")
    mirela.presses("A country")
    mirela.says("Mongolia")
    mirela.presses("Another rhythm")
    mirela.presses("Every 3 weeks")
    mirela.presses("Monday")
    mirela.says("22:00")
    assert "At that hour people rest." in mirela.last
    mirela.says("9")
    mirela.presses("Counts only")
    assert "“How was the week?”" in mirela.last
    assert "For: Mongolia: 1 fellow" in mirela.last
    assert "Every 3 weeks on Monday at 09:00, their time." in mirela.last
    mirela.presses("Start it")
    to_monday(chat)
    assert sari.sees() == []
    assert bat.last == "How was the week?\n\nOnly counts, no names."
    assert bat.buttons()[:3] == ["calm", "busy", "too much"]


def test_a_change_holds_from_the_next_date_on(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "What did you learn?")
    to_monday(chat)
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("Open")
    mirela.presses("Change")
    mirela.presses("The question")
    mirela.presses("My own words")
    mirela.says("What surprised you?")
    mirela.presses("A line of text")
    mirela.presses("Only me")
    assert "Changed, from Mon 7 Dec on." in mirela.last
    sari.says("checkin")
    assert sari.last == "What did you learn?\n\nThe facilitators read this."
    sari.says("that nothing is as quick as it looks from outside")
    chat.passes(days=7)
    assert sari.last == "What surprised you?\n\nOnly Mirela reads this."
    other = chat.joins("Nergui", role="facilitator")
    sari.says("that my director came along to the village")
    for viewer, seen in ((mirela, True), (other, False)):
        viewer.says("manage")
        viewer.presses("Check-ins")
        viewer.presses("Open")
        viewer.presses("Answers")
        assert ("director" in viewer.last) is seen
        assert "nothing is as quick" in viewer.last


def test_paused_it_asks_nobody_and_resumed_it_goes_on(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "What did you learn?")
    mirela.presses("Pause it")
    assert "Paused: from now on it asks nobody. To bring it back: Resume it." in mirela.last
    to_monday(chat)
    assert sari.sees() == []
    mirela.presses("Resume it")
    assert "Next: Mon 7 Dec." in mirela.last
    chat.passes(days=7)
    assert "What did you learn?" in sari.last


def test_ended_it_asks_nobody_and_the_answers_stay(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "What did you learn?")
    to_monday(chat)
    sari.says("that nothing is as quick as it looks from outside")
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("Open")
    mirela.presses("End it")
    assert "End this check-in?" in mirela.last
    mirela.presses("Yes, end it")
    assert "Ended. The answers stay readable" in mirela.last
    seen = len(sari.sees())
    chat.passes(days=14)
    assert len(sari.sees()) == seen
    mirela.presses("Answers")
    assert "nothing is as quick" in mirela.last


def test_a_test_shows_the_question_and_keeps_nothing(chat: Chat, mirela: Person) -> None:
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("The usual")
    mirela.presses("Send me a test")
    assert mirela.last.startswith("A test, for you alone:\n\nHow is your energy for the reform this week")
    assert mirela.buttons() == ["1", "2", "3", "4", "5", "Skip", "Later"]
    mirela.presses("3")
    assert mirela.last == "That was the test. Nothing was kept."


def test_the_list_has_pages(chat: Chat, mirela: Person) -> None:
    for number in range(6):
        asks(mirela, f"Question {number}?")
    mirela.says("manage")
    mirela.presses("Check-ins")
    assert "Question 5?" in mirela.last
    assert "Question 0?" not in mirela.last
    mirela.presses("More")
    assert "Question 0?" in mirela.last


@pytest.mark.parametrize("readers", EVERYBODY)
def test_an_answer_is_read_by_whom_it_said_and_by_nobody_else(chat: Chat, readers: str) -> None:
    mirela, other = chat.joins("Mirela", role="facilitator"), chat.joins("Nergui", role="facilitator")
    sari, bat = chat.joins("Sari"), chat.joins("Bat")
    asks(mirela, "What did you learn?", readers=readers)
    to_monday(chat)
    sari.says("Answercanary is what I want to say to those people")
    everywhere = {
        "mirela": (mirela, readers in ("Only me", "The facilitators", "The cohort")),
        "nergui": (other, readers in ("The facilitators", "The cohort")),
        "bat": (bat, readers == "The cohort"),
    }
    bat.says("that it is good to be asked about such things")
    if readers == "The cohort":
        bat.presses("What others wrote")
    for name, (viewer, may) in everywhere.items():
        if viewer is not bat:
            viewer.says("manage")
            viewer.presses("Check-ins")
            viewer.presses("Open")
            viewer.presses("Answers")
        assert any("Answercanary" in text for text in viewer.sees()) is may, (name, readers)


def test_a_private_answer_is_read_by_nobody_and_goes_with_its_member(chat: Chat, mirela: Person, sari: Person) -> None:
    usual(mirela)
    to_monday(chat)
    sari.says("Answercanary, and that by the end of this year")
    sari.presses("Skip")
    me, staff = sari.member or 0, mirela.member or 0

    def readable(unit: UnitOfWork) -> list[str]:
        found = [
            one
            for viewer in (Viewer(staff, chat.cohort, facilitator=True), Viewer(staff, chat.cohort))
            for checkin in unit.checkins.listed(chat.cohort)
            for one in unit.checkins.readable(viewer, checkin.id)
        ]
        return [one.words or "" for one in found]

    assert chat.store.now(readable) == []
    own = chat.store.now(lambda unit: unit.privacy.own_data(me))
    assert "Answercanary, and that by the end of this year" in str(own["answer"])
    assert "Answercanary, and that by the end of this year" in str(own["promise"])
    chat.store.now(lambda unit: unit.privacy.erase(me))
    assert "Answercanary" not in str(chat.store.now(lambda unit: unit.privacy.own_data(me)))
    assert "answer" not in chat.store.now(lambda unit: unit.privacy.own_data(me))


def test_counts_are_shown_from_five_answers_on(chat: Chat, mirela: Person) -> None:
    fellows = [chat.joins(name) for name in ("Ari", "Bat", "Chai", "Dul", "Ena")]
    asks(mirela, "How is your energy?", "1 to 5", "Counts only")
    to_monday(chat)
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("Open")
    for number, fellow in enumerate(fellows, 1):
        fellow.presses("4")
        mirela.presses("Answers")
        assert (f"4: {number}" in mirela.last) is (number == 5)
        mirela.presses("Back")
    assert not any(name in mirela.last for name in ("Ari", "Chai", "Ena"))


def test_a_facilitator_of_another_cohort_reads_and_changes_nothing(chat: Chat, mirela: Person, sari: Person) -> None:
    asks(mirela, "What did you learn?")
    elsewhere = chat.store.now(lambda unit: unit.members.add_cohort("two", "Two", "en", "UTC"))
    stranger = chat.joins("Stranger", role="facilitator", cohort=elsewhere)
    to_monday(chat)
    sari.says("Answercanary is what I want to say to those people")
    stranger.says("manage")
    stranger.presses("Check-ins")
    assert "There is no check-in yet." in stranger.last

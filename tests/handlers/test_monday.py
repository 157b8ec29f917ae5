"""The facilitator's Monday card says what is true: who answered, who is stuck, who is silent, and how the bot is."""

from datetime import date

import pytest

from tests.chat import Chat, Person
from tests.handlers.test_answering import asks, to_monday, usual
from tests.handlers.test_projects import has


@pytest.fixture
def mirela(chat: Chat) -> Person:
    return chat.joins("Mirela", role="facilitator")


def monday_of(person: Person) -> str:
    """The newest Monday card on a facilitator's screen."""
    return next(text for text in reversed(person.sees()) if text.startswith("The week before"))


def test_numbers_are_people_and_add_up(chat: Chat, mirela: Person) -> None:
    ari, bat, chai, dul, ena = (chat.joins(name) for name in ("Ari", "Bat", "Chai", "Dul", "Ena"))
    asks(mirela, "How is your energy?", "1 to 5")
    asks(mirela, "What did you learn?")
    to_monday(chat)
    for fellow in (ari, bat):
        fellow.presses("4")
        fellow.presses("That is all")
    chai.presses("Skip")
    ena.says("away until 20 Dec")
    chat.passes(days=7)
    assert "2 of 4 answered.\n1 skipped.\nSilent: 1." in monday_of(mirela)
    chat.passes(days=7)
    said = monday_of(mirela)
    assert "0 of 4 answered." in said
    assert "Silent: 4, 1 of them twice." in said
    mirela.presses("Who is silent")
    assert "Dul (Indonesia), also the time before" in mirela.last
    assert "Ari (Indonesia)\n" in mirela.last
    assert "Ena" not in mirela.last
    assert dul.sees()


def test_who_wants_it_known_is_named_until_it_moves(chat: Chat, mirela: Person) -> None:
    sekar, jek = chat.joins("Sekar"), chat.joins("Jek")
    usual(mirela)
    to_monday(chat)
    for fellow in (sekar, jek):
        fellow.says("get the decree signed by the governor this month")
        fellow.presses("Skip")
    chat.passes(days=14)
    for fellow, knows in ((sekar, True), (jek, False)):
        fellow.presses("Stuck")
        fellow.says("the bureau is silent")
        fellow.presses("Skip")
        fellow.presses("Skip")
        fellow.presses("Tell a facilitator" if knows else "Keep it private")
    chat.passes(days=7)
    assert "2 of 2 answered." in monday_of(mirela)
    assert "Silent" not in monday_of(mirela)
    assert "Stuck and want you to know: Sekar." in monday_of(mirela)
    chat.passes(days=7)
    sekar.presses("Moving")
    chat.passes(days=7)
    assert "Stuck" not in monday_of(mirela)


def test_who_told_of_a_stuck_milestone_is_named_until_it_is_free(chat: Chat, mirela: Person) -> None:
    other = chat.joins("Nergui", role="facilitator")
    sekar, jek = chat.joins("Sekar"), chat.joins("Jek")
    usual(mirela)
    for fellow, choice in ((sekar, "Tell a facilitator"), (jek, "Keep it private")):
        has(chat, fellow, "Decree", due=date(2027, 3, 1))
        fellow.says("stuck")
        for words in ("the bureau is silent", "skip", "skip"):
            fellow.says(words)
        fellow.presses(choice)
    to_monday(chat)
    for facilitator in (mirela, other):
        assert "Stuck and want you to know: Sekar." in monday_of(facilitator)
    sekar.says("project")
    sekar.presses("Milestones")
    sekar.presses("Decree")
    sekar.presses("No longer stuck")
    chat.passes(days=7)
    assert "Stuck" not in monday_of(mirela)


def test_who_said_how_their_promise_stands_was_not_silent_the_time_before(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    usual(mirela)
    to_monday(chat)
    sari.says("get the decree signed by the governor this month")
    sari.presses("Skip")
    chat.passes(days=14)
    sari.presses("Moving")  # and no word to the question that follows
    chat.passes(days=7)
    assert "1 of 1 answered." in monday_of(mirela)
    chat.passes(days=7)
    chat.passes(days=7)
    assert "Silent: 1.\n" in monday_of(mirela)


def test_a_late_answer_is_told(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    usual(mirela)
    to_monday(chat)
    chat.passes(days=8)
    sari.says("checkin")
    sari.says("get the decree signed by the governor this month")
    sari.presses("Skip")
    chat.passes(days=6)
    assert "1 late answer came in." in monday_of(mirela)


def test_after_an_outage_it_says_when_and_what_follows(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    usual(mirela)
    chat.passes(days=6, hours=16)
    mirela.says("help")
    for _ in range(5):
        chat.passes(minutes=9)
    chat.passes(hours=9)
    chat.passes(hours=1)
    assert "How is" not in sari.last
    said = monday_of(mirela)
    assert "Bot: I was away from Mon 30 Nov, 02:45 to Mon 30 Nov, 11:45." in said
    assert "Nothing is lost" in said
    assert "This comes late: it was meant for Mon 30 Nov, and I was not running then." in sari.last


def test_a_quiet_week_is_a_sign_of_life(chat: Chat, mirela: Person) -> None:
    usual(mirela)
    for _ in range(0, (7 * 24 - 1) * 60, 10):
        chat.clock.passes(minutes=10)
        chat.store.now(lambda unit: unit.outages.look(chat.clock.now()))
    chat.settles()
    assert monday_of(mirela) == (
        "The week before Mon 30 Nov\nNo question closed in this week.\nBot: well.\nNo backup has been made by me yet."
    )


def test_each_facilitator_gets_it_in_their_own_morning(chat: Chat, mirela: Person) -> None:
    far = chat.joins("Nergui", role="facilitator", time_zone="Asia/Ulaanbaatar")
    usual(mirela)
    chat.passes(days=6, hours=22)
    assert monday_of(far)
    assert not any(text.startswith("The week before") for text in mirela.sees())
    chat.passes(hours=1)
    assert monday_of(mirela)


def test_it_is_not_said_to_be_well_while_an_app_is_in_trouble(chat: Chat, mirela: Person) -> None:
    usual(mirela)
    at = chat.clock.now()
    chat.store.now(lambda unit: unit.troubles.begin("telegram", "silent", at))
    chat.store.now(lambda unit: unit.troubles.is_new("database", at, at - at))
    to_monday(chat)
    said = monday_of(mirela)
    assert "Bot: in trouble with Telegram since Mon 23 Nov, 10:00. What waits there is not lost." in said
    assert "well" not in said
    assert "Database" not in said

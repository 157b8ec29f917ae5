"""Asking the others: a preview, five who fit and agreed, help that comes back, and a no that nobody is told of."""

import pytest

from bot.domain.profiles import Preset
from tests.chat import Chat, Person

NEED = "Who has a template for beneficial ownership forms?"


def group(chat: Chat, many: int = 2) -> tuple[Person, list[Person]]:
    """One who needs, and some who offer."""
    sari = chat.joins("Sari", country="ID")
    names = ("Bat", "Dor", "Gan", "Naran", "Tuul", "Oyun", "Saran")[:many]
    sectors = ("government", "civil_society")
    return sari, [
        chat.joins(name, country="MN", sector=sectors[n % 2], offers=["beneficial-ownership"])
        for n, name in enumerate(names)
    ]


def asks(sari: Person, text: str = NEED) -> None:
    sari.says(f"ask {text}")
    sari.presses("Send")


def test_the_others_get_exactly_what_the_preview_showed(chat: Chat) -> None:
    sari, (bat, dor) = group(chat)
    sari.says(f"ask {NEED}")
    previewed = sari.last.split("\n\n")[1]
    assert f"“{NEED}”" in previewed
    assert "It goes to 2 fellows: 1 from Government and 1 from Civil society." in sari.last
    assert bat.sees() == dor.sees() == []
    sari.presses("Send")
    assert bat.last.startswith(previewed)
    assert dor.last.startswith(previewed)
    assert "Sent to 2 fellows." in sari.last
    assert "Mon 30 Nov" in sari.last


def test_a_kind_of_people_can_be_left_out(chat: Chat) -> None:
    sari, (bat, dor) = group(chat)
    sari.says(f"ask {NEED}")
    sari.presses("Leave out: Government")
    assert "It goes to 1 fellow: 1 from Civil society." in sari.last
    sari.presses("Send")
    assert bat.sees() == []
    assert NEED in dor.last


def test_no_more_than_five_are_asked_and_each_once_a_week(chat: Chat) -> None:
    sari, people = group(chat, 7)
    asks(sari)
    assert sum(NEED in person.last for person in people) == 5
    pilo = chat.joins("Pilo", country="PH")
    asks(pilo, "I need help with beneficial ownership, too")
    assert [len(person.sees()) for person in people] == [1] * 7
    chat.passes(days=8)
    tam = chat.joins("Tam", country="TH")
    asks(tam, "Where do we begin with beneficial ownership?")
    assert sum("Tam" in person.last for person in people) == 5


@pytest.mark.parametrize("hidden", ["refused", "away", "preset"])
def test_who_did_not_agree_is_away_or_hidden_is_not_asked(chat: Chat, hidden: str) -> None:
    sari = chat.joins("Sari")
    purposes = (
        ("profile", "storage", "introductions")
        if hidden == "refused"
        else ("profile", "storage", "introductions", "questions")
    )
    bat = chat.joins(
        "Bat", offers=["beneficial-ownership"], purposes=purposes,
        preset=Preset.HIDDEN if hidden == "preset" else Preset.OPEN,
    )  # fmt: skip
    if hidden == "away":
        bat.says("away until 7 Dec")
    before = len(bat.sees())
    sari.says(f"ask {NEED}")
    assert "Nobody whom I may ask now fits this." in sari.last
    assert len(bat.sees()) == before


def test_helping_puts_both_in_touch(chat: Chat) -> None:
    sari, (bat, _) = group(chat)
    asks(sari)
    handle = bat.handle_of("I can help")
    bat.presses("I can help")
    assert "You and Sari (Indonesia) are in touch now." in bat.last
    assert f"Bat can help with “{NEED}”." in sari.last
    assert "You and Bat (Mongolia) are in touch now." in sari.last
    count = len(sari.sees())
    chat.happens(bat.platform.presses(chat.count(), bat, handle))
    assert len(sari.sees()) == count


def test_an_answer_comes_back_to_the_asker_alone(chat: Chat) -> None:
    sari, (bat, dor) = group(chat)
    asks(sari)
    bat.presses("Answer")
    bat.says("We use a two-page form, I can send it.")
    assert "Bat answers: “We use a two-page form, I can send it.”" in sari.last
    assert "two-page" not in "".join(dor.sees())
    assert "Passed on to Sari." in bat.last
    bat.presses("I can help, put us in touch")
    assert "You and Bat (Mongolia) are in touch now." in sari.last


def test_a_no_and_silence_look_the_same_to_the_asker(chat: Chat) -> None:
    sari, (bat, _) = group(chat)
    asks(sari)
    bat.presses("Not this time")
    sari.says("ask")
    assert "2 were asked, 0 answered or offered help." in sari.last


def test_after_a_week_the_asker_is_asked_and_can_say_thanks(chat: Chat) -> None:
    sari, (bat, dor) = group(chat)
    asks(sari)
    bat.presses("Answer")
    bat.says("Use ours.")
    chat.passes(days=7, hours=2)
    assert "Did it move?" in sari.last
    sari.presses("Solved")
    assert "closed" in dor.last
    sari.presses("Thank those who helped")
    assert f"Sari says thank you. Your help with “{NEED}” made a difference." in bat.last
    assert "thank" not in dor.last


def test_not_yet_goes_to_others(chat: Chat) -> None:
    sari, people = group(chat, 7)
    asks(sari)
    chat.passes(days=7, hours=2)
    sari.presses("Not yet")
    assert "It goes to 2 fellows" in sari.last
    sari.presses("Send")
    assert all(NEED in person.last for person in people)


def test_a_question_that_fits_nobody_is_offered_to_whoever_joins(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says(f"ask {NEED}")
    sari.presses("Keep it open")
    assert "Kept open." in sari.last
    code = chat.invites()
    bat = chat.newcomer("Bat")
    bat.says(f"/start {code}")
    for step in ("English", "Agree"):
        bat.presses(step)
    bat.says("Bat")
    bat.presses("Buyer")
    bat.presses("Citizens")
    bat.presses("Done")
    bat.says("beneficial ownership registers")
    bat.says("I can help with beneficial ownership")
    bat.presses("Yes")
    chat.passes(days=6, hours=22)
    assert "Somebody joined" not in sari.last
    chat.passes(hours=1)  # Monday 09:00: it rides on the card
    assert any("Somebody joined who fits what you look for: Bat" in text for text in sari.sees())
    if "Did it move?" in sari.last:
        sari.presses("Not now")
    sari.presses("Ask them")
    assert NEED in bat.last


def test_a_question_pressed_twice_is_asked_once(chat: Chat) -> None:
    sari, (bat, _) = group(chat)
    sari.says(f"ask {NEED}")
    handle = sari.handle_of("Send")
    for _ in range(2):
        chat.happens(sari.platform.presses(chat.count(), sari, handle))
    assert len(bat.sees()) == 1


def test_leaving_closes_the_question_for_those_who_were_asked(chat: Chat) -> None:
    sari, (bat, _) = group(chat)
    asks(sari)
    sari.says("leave")
    sari.presses("Yes, leave")
    assert bat.last == "This request is closed. There is nothing for you to do."
    bat.presses("I can help") if "I can help" in bat.buttons() else None
    assert "in touch" not in bat.last


def test_people_who_are_kept_apart_are_not_asked(chat: Chat) -> None:
    sari = chat.joins("Sari", country="ID", side="buyer")
    bat = chat.joins("Bat", country="ID", side="bidder", offers=["beneficial-ownership"])
    sari.says(f"ask {NEED}")
    assert "Nobody whom I may ask now fits this." in sari.last
    assert bat.sees() == []


def test_the_data_file_has_my_questions_and_not_who_got_them(chat: Chat) -> None:
    sari, (bat, _) = group(chat)
    asks(sari)
    bat.presses("Answer")
    bat.says("Use ours.")
    sari.says("mydata")
    mine = b"".join(data for _, _, data in chat.screens.files).decode()
    assert NEED in mine
    assert "Use ours." not in mine

"""Answers to messages: given by a press or in words, changed, read by the sender alone, and erased with their owner."""

import json

import pytest

from tests.chat import Chat
from tests.handlers.test_messages import adds_up, newest, sends


def test_a_press_answers_and_another_one_changes_it(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    chat.joins("Bat")
    sends(mirela, "Can you review the draft?", "Yes, No, Not sure", how="With buttons")
    assert "To answer, press a button. Only Mirela reads your answer." in sari.last
    sari.presses("Yes")
    assert "Your answer: Yes" in sari.last
    assert "Can you review the draft?" in sari.last
    sari.presses("No")
    assert "Your answer: No" in sari.last
    mirela.presses("How it stands")
    assert "Answered: 1" in mirela.last
    assert "Delivered, no answer yet: 1" in mirela.last
    adds_up(mirela.last, 2)
    mirela.presses("Results")
    assert "1 of 2 answered" in newest(mirela)
    assert "No: 1 (100 %)" in newest(mirela)
    mirela.presses("Who answered what")
    assert "Sari (Indonesia): No" in mirela.last


def test_the_chart_of_the_results_is_a_picture(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, "Can you come?", "Yes, No", how="With buttons")
    sari.presses("Yes")
    mirela.presses("Results")
    name, media_type, picture = chat.screens.files[-1]
    assert (name, media_type) == ("chart.png", "image/png")
    assert picture.startswith(b"\x89PNG")


def test_own_words_go_to_the_sender_alone(chat: Chat) -> None:
    mirela, otto = chat.joins("Mirela", role="facilitator"), chat.joins("Otto", role="facilitator")
    sari = chat.joins("Sari")
    sends(mirela, "What holds you up?", how="In their own words")
    sari.presses("Answer")
    assert "Only Mirela reads your answer." in sari.last
    sari.says("The governor will not sign. Canarywords.")
    assert "Kept for Mirela alone." in sari.last
    mirela.presses("Results")
    mirela.presses("Who answered what")
    assert "Canarywords" in mirela.last
    otto.says("message")
    otto.presses("Earlier messages")
    otto.presses("What holds you up?")
    otto.presses("Results")
    assert "1 of 2 answered" in otto.last
    assert "Who answered what is for Mirela alone." in otto.last
    assert "Canarywords" not in "\n".join(otto.sees())


def test_answers_are_in_ones_own_data_and_erased_with_their_owner(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, "What holds you up?", how="In their own words")
    sari.presses("Answer")
    sari.says("Canarywords")
    number = sari.member
    assert number is not None
    mine = chat.store.now(lambda unit: unit.privacy.own_data(number))
    assert "Canarywords" in json.dumps(mine["broadcast_answer"], default=str)
    chat.store.now(lambda unit: unit.privacy.erase(number))
    mirela.presses("Results")
    assert "Canarywords" not in mirela.last
    assert "0 of 1 answered" in mirela.last


def test_the_silent_are_reminded_and_their_answers_count_with_the_first_message(chat: Chat) -> None:
    mirela, sari, bat = chat.joins("Mirela", role="facilitator"), chat.joins("Sari"), chat.joins("Bat")
    sends(mirela, "Can you come?", "Yes, No", how="With buttons")
    sari.presses("Yes")
    before = len(sari.sees())
    mirela.presses("Remind those who have not answered")
    assert "A reminder:" in mirela.sees()[-2]
    assert "It goes to 1 person: those who have not answered." in mirela.last
    mirela.presses("Send to 1")
    chat.passes(minutes=12)
    assert "A reminder:" in bat.last
    assert len(sari.sees()) == before
    bat.presses("No")
    mirela.presses("Results")
    assert "2 of 2 answered" in newest(mirela)


def test_a_withdrawn_message_takes_no_answers(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, "Can you come?", "Yes, No", how="With buttons")
    handle = sari.handle_of("Yes")
    mirela.presses("Withdraw")
    mirela.presses("Yes, withdraw")
    chat.happens(sari.platform.presses(chat.count(), sari, handle))
    mirela.presses("How it stands")
    assert "Answered" not in mirela.last


def test_nobody_answers_what_they_were_not_sent(chat: Chat) -> None:
    from tests.test_access import press

    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari", country="ID")
    bat = chat.joins("Bat", country="MN")
    sends(mirela, "Can you come?", "Indonesia", "Yes, No", to="One country", how="With buttons")
    assert "Can you come?" in sari.last
    number = chat.store.now(lambda unit: unit.broadcasts.page(chat.cohort, None, 1)[0].id)
    press(chat, bat, "messages.choose", f"{number}:0")
    assert "no longer here" in bat.last
    assert chat.store.now(lambda unit: unit.broadcasts.answers.counts(number)) == {}


@pytest.mark.parametrize("typed", ["Yes", "Yes, " + "x" * 40, ", ".join(f"label {n}" for n in range(9))])
def test_buttons_that_cannot_be_are_asked_again(chat: Chat, typed: str) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    chat.joins("Sari")
    mirela.says("message")
    mirela.presses("Write a message")
    mirela.says("Can you come?")
    mirela.presses("Everybody")
    mirela.presses("With buttons")
    mirela.says(typed)
    assert "Please" in mirela.last
    mirela.says("Yes; No")
    assert "When shall it leave?" in mirela.last

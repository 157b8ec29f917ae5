"""The language of one person: changed at once, confirmed in the new one."""

import pytest

from tests.chat import Chat


def test_a_press_changes_the_language_at_once(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("language")
    for label in ("English", "Bahasa Indonesia"):
        if label in sari.buttons():
            sari.presses(label)
    sari.says("bahasa")
    sari.presses("English")
    assert "From now on I speak English with you. To change it, type language." in sari.last


@pytest.mark.parametrize("typed", ["language english", "ganti bahasa ke Inggris", "change language to English"])
def test_the_language_can_be_named_after_the_word(chat: Chat, typed: str) -> None:
    sari = chat.joins("Sari", language="id" if "Inggris" in typed else "en")
    sari.says(typed)
    assert "From now on I speak English with you." in sari.last


def test_a_language_that_is_not_spoken_is_named_with_those_that_are(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("language Klingon")
    assert sari.last == "I do not speak “Klingon” yet.\nWhich language shall I speak with you?"
    assert "English" in sari.buttons()

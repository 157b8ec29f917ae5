"""The language of one person: changed at once, confirmed in the new one."""

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


def test_the_language_can_be_named_after_the_word(chat: Chat) -> None:
    sari = chat.joins("Sari", language="id")
    sari.says("language english")
    assert "From now on I speak English with you." in sari.last

"""What words mean: asked with a word, simply written, or read page by page."""

import pytest

from tests.chat import Chat


@pytest.mark.parametrize("text", ["what is OCDS", "what OCDS", "/what OCDS", "OCDS", "apa itu OCDS"])
def test_a_term_is_explained(chat: Chat, text: str) -> None:
    sari = chat.joins("Sari")
    sari.says(text)
    assert "Open Contracting Data Standard (OCDS): A shared, non-proprietary data format" in sari.last


def test_a_term_is_explained_in_the_readers_language(chat: Chat) -> None:
    sari = chat.joins("Sari", language="id")
    sari.says("apa OCDS")
    assert "Format data bersama yang terbuka" in sari.last


def test_an_unknown_term_says_what_to_do(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("what OCDS flumph")
    assert "I have no meaning for OCDS flumph." in sari.last


@pytest.mark.parametrize("typed", ["what people work on open data in Mongolia", "what about Bat"])
def test_a_question_that_asks_for_no_term_is_a_search(chat: Chat, typed: str) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says(typed)
    assert "Bat (Mongolia)" in sari.last


def test_what_nobody_knows_is_searched_too(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("what is a flumph")
    assert "No one found." in sari.last


def test_all_terms_are_listed_page_by_page(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("what")
    first = sari.last
    sari.presses("More")
    assert sari.last != first
    sari.presses("Back")
    assert sari.last == first

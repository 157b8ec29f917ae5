"""A message of several parts is one message: it is taken back, or changed before it left, as a whole."""

from datetime import timedelta

import pytest

from bot.core.context import Context, take_back
from bot.core.events import Due
from bot.core.replies import Card, Content
from storage import Store, UnitOfWork
from tests.chat import Chat, Plain


class InParts(Plain):
    """An app that shows what stands between two bars as messages of their own."""

    def parts(self, content: Content) -> list[Content]:
        return [Content(text) for text in content.text.split("|")]


@pytest.fixture
def chat(store: Store) -> Chat:
    return Chat(store, InParts())


def held(chat: Chat, number: int) -> int:
    """A message in three parts that waits for an hour; returns its number."""

    def job(unit: UnitOfWork) -> int:
        message = context(chat, unit, number).send(number, Card("one|two|three"), at=chat.clock.now() + HOUR)
        assert message is not None
        return message

    return chat.store.now(job)


def context(chat: Chat, unit: UnitOfWork, number: int) -> Context:
    me = unit.members.recall(number)
    assert me is not None
    event = Due(id=f"d{chat.count()}", name="x", members=(number,), at=chat.clock.now())
    return Context(chat.kawan.engine, unit, event, me, chat.clock.now())


HOUR = timedelta(hours=1)


def test_a_message_of_several_parts_is_taken_back_with_all_of_them(chat: Chat) -> None:
    sari = chat.joins("Sari")
    assert sari.member is not None
    message = held(chat, sari.member)
    assert chat.store.now(lambda unit: take_back(unit, message, chat.clock.now())) == 3
    chat.passes(hours=2)
    assert sari.sees() == []


def test_changed_before_it_left_none_of_the_old_words_leave(chat: Chat) -> None:
    sari = chat.joins("Sari")
    number = sari.member
    assert number is not None
    message = held(chat, number)
    chat.store.now(lambda unit: context(chat, unit, number).edit(message, Card("new")))
    chat.passes(hours=2)
    assert sari.sees() == ["new"]


def test_left_alone_all_parts_leave_in_order(chat: Chat) -> None:
    sari = chat.joins("Sari")
    assert sari.member is not None
    held(chat, sari.member)
    chat.passes(hours=2)
    assert sari.sees() == ["one", "two", "three"]

"""An event that ends the program three times is not tried a fourth time; everything else goes on."""

import os
from pathlib import Path

import pytest

from bot.app import build
from bot.core.in_hand import DEATHS, Deadly, InHand
from tests.chat import Chat


def dies(folder: Path, source: str = "telegram:1", event_id: str = "e1") -> None:
    """A process that ends while it handles the event."""
    child = os.fork()
    if child == 0:
        with InHand(folder).holding(source, event_id):
            os._exit(9)
    os.waitpid(child, 0)


def test_three_deaths_are_counted_over_restarts_and_only_for_that_event(tmp_path: Path) -> None:
    for _ in range(DEATHS):
        dies(tmp_path)
        with InHand(tmp_path).holding("telegram:1", "e2"):
            pass
    with pytest.raises(Deadly), InHand(tmp_path).holding("telegram:1", "e1"):
        raise AssertionError("it is not handled")
    assert list(tmp_path.iterdir()) == []


def test_a_handler_that_only_fails_is_no_death(tmp_path: Path) -> None:
    for _ in range(2 * DEATHS):
        with pytest.raises(ValueError, match="x"), InHand(tmp_path).holding("telegram:1", "e1"):
            raise ValueError("x")
    assert list(tmp_path.iterdir()) == []


def test_whoever_wrote_the_deadly_event_is_told_once_and_its_repeats_end(chat: Chat, tmp_path: Path) -> None:
    chat.kawan = build(
        chat.store, chat.programme, [chat.screens], clock=chat.clock, ids=chat.ids, a_minute=None,
        in_hand=InHand(tmp_path),
    )  # fmt: skip
    sari = chat.joins("Sari")
    event = sari.platform.says(chat.count(), sari, "help")
    for _ in range(DEATHS):
        dies(tmp_path, "console:test", event.id)
    chat.happens(event)
    assert "Something went wrong on my side" in sari.last
    assert chat.kawan.figures.of("poison", "update") == 1
    chat.happens(event)
    assert len(sari.screen) == 1
    sari.says("help")
    assert "Something went wrong" not in sari.last

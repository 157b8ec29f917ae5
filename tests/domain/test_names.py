"""Names: shown as they were meant, never split, and never a mask for somebody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.names import LONGEST, looks_like, read_name, skeleton


@pytest.mark.parametrize(
    "name", ["Sekar", "Нямдорж Бат-Эрдэнэ", "กมล ศรีสุข", "O'Brien", "José Ñíguez", "Ng", "محمد", "Ẹ̀kọ́", "李"]
)
def test_a_real_name_is_kept_as_it_is(name: str) -> None:
    read = read_name(name)
    assert read.shown == name
    assert (read.changed, read.odd, read.fault) == (False, False, None)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\u200b\u200b", "empty"),
        ("😀" * 300, "long"),
        ("😀", "no letter"),
        ("12", "no letter"),
    ],
)
def test_what_is_no_name_is_refused(typed: str, fault: str) -> None:
    assert read_name(typed).fault == fault


def test_eighty_characters_are_enough_and_not_one_more() -> None:
    assert read_name("a" * LONGEST).fault is None
    assert read_name("a" * (LONGEST + 1)).fault == "long"


@pytest.mark.parametrize("typed", ["Sa\u202eri", "S\x00ari", "S" + "a" + "\u0300" * 20 + "ri"])
def test_what_cannot_be_shown_is_left_out_and_said(typed: str) -> None:
    read = read_name(typed)
    assert read.changed
    assert "\u202e" not in read.shown
    assert len(read.shown) < 9


@pytest.mark.parametrize(
    "typed", ["<!channel>", "<@U123>", "https://evil.example", "www.sari.org", "*Sari*", "sari.com"]
)
def test_markup_and_links_are_odd_but_literal(typed: str) -> None:
    assert read_name(typed).odd
    assert read_name(typed).shown == typed


@pytest.mark.parametrize(
    "mask",
    [
        "Мirelа Duquenоy",
        "mirela duquenoy",
        "Mire1a Duquenoy",
        "Mirela  Duquenoy.",
        "Ｍｉｒｅｌａ Duquenoy",
        "Mirelä Duquenoy",
    ],
)
def test_a_mask_of_another_name_is_recognised(mask: str) -> None:
    assert looks_like(mask, ["Haruto", "Mirela Duquenoy"])


@pytest.mark.parametrize("name", ["Mirela D.", "Mirela Duquenoy Santos", "Бат", "กมล", ""])
def test_other_names_are_free(name: str) -> None:
    assert not looks_like(name, ["Mirela Duquenoy", "Bat"])


@given(st.text(max_size=200))
def test_any_text_is_read_and_what_is_shown_stays_so(typed: str) -> None:
    read = read_name(typed)
    again = read_name(read.shown)
    assert (again.shown, again.changed) == (read.shown, False)
    assert isinstance(skeleton(typed), str)

"""How answers are shaped, whose turn a question has, and what silence leads to."""

from datetime import date

import pytest

from bot.content import load
from bot.domain.checkins import (
    Readers,
    Shape,
    Silence,
    Step,
    after_answer,
    after_silence,
    next_step,
    number_of,
    readers_of,
    reminder_day,
    shape_of,
    turn,
    week_of,
)


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ("scale 1-5 + optional line", Shape(("1", "2", "3", "4", "5"), "optional")),
        ("text", Shape()),
        ("text + date", Shape(day=True)),
        ("text + buttons (tell facilitator / ask peers / keep private)", Shape()),
        ("choice technical/adaptive/both + text", Shape(("technical", "adaptive", "both"), "optional")),
        ("choice of five coalitions + text", Shape(("five coalitions",), "optional")),
        ("buttons + text", Shape(("yes", "no"), "optional")),
        ("date", Shape(line="none", day=True)),
    ],
)
def test_the_librarys_way_of_saying_how_to_answer_is_read(said: str, shape: Shape) -> None:
    assert shape_of(said) == shape


def test_every_question_of_the_library_has_readers_and_a_shape() -> None:
    for prompt in load().prompts:
        assert shape_of(prompt.answer).choices or shape_of(prompt.answer).line
        assert readers_of(prompt.default_privacy) in Readers
        assert (readers_of(prompt.default_privacy) is Readers.SELF) or prompt.default_privacy != "self"


def test_questions_take_turns_date_by_date() -> None:
    slugs = ["a", "b", "c"]
    dates = [date(2026, 11, 30), date(2026, 12, 14), date(2026, 12, 28), date(2027, 1, 11)]
    assert [turn(slugs, number_of(dates[0], on, days=14)) for on in dates] == ["a", "b", "c", "a"]
    months = [date(2026, 12, 7), date(2027, 1, 4), date(2027, 2, 1)]
    assert [number_of(months[0], on, days=30) for on in months] == [0, 1, 2]


def steps(answers: str) -> list[Step]:
    """What happens date by date to somebody who answers ("y") or not ("n") whatever is asked."""
    now, found = Silence(), []
    for week, answer in enumerate(answers):
        step, now = next_step(now)
        found.append(step)
        if step in (Step.ASK, Step.ASK_LESS, Step.WHETHER):
            now = after_answer(now) if answer == "y" else after_silence(now, str(week))
    return found


def test_two_silent_cards_slow_down_a_third_asks_and_then_it_stops() -> None:
    ask, less, rest, whether, stop, nothing = Step.ASK, Step.ASK_LESS, Step.REST, Step.WHETHER, Step.STOP, Step.NOTHING
    assert steps("nnnnnnnnn") == [ask, ask, rest, less, rest, whether, stop, nothing, nothing]
    assert steps("nynynyn") == [ask] * 7
    assert steps("nnnyyyy") == [ask, ask, rest, less, ask, ask, ask]


def test_a_slower_rhythm_that_was_chosen_stays() -> None:
    now = Silence(state="slow", chosen=True)
    found = []
    for _ in range(6):
        step, now = next_step(now)
        found.append(step)
        if step is Step.ASK:
            now = after_answer(now)
    assert found == [Step.REST, Step.ASK] * 3


@pytest.mark.parametrize(
    ("opened", "day"),
    [
        (date(2026, 11, 30), date(2026, 12, 3)),  # Monday: Thursday
        (date(2026, 12, 2), date(2026, 12, 4)),  # Wednesday: Friday
        (date(2026, 12, 4), None),  # Friday: the week is over
        (date(2026, 12, 5), None),
    ],
)
def test_the_reminder_comes_on_a_working_day_of_the_same_week(opened: date, day: date | None) -> None:
    assert reminder_day(opened) == day
    assert day is None or week_of(day) == week_of(opened)

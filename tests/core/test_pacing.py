"""The pace of a lane, played in a time of its own: never over the limit, and nearly all of it."""

import heapq
from collections.abc import Iterator
from itertools import pairwise

import pytest

from bot.adapters.slack.adapter import PACE as SLACK
from bot.adapters.telegram.adapter import PACE as TELEGRAM
from bot.core.pacing import UNLIMITED, Pace, Pacer


def play(pace: Pace, calls: int, took: float, *, late: float = 0.0, refused: tuple[int, ...] = ()) -> list[float]:
    """When each of some calls started, each as soon as it might, with timers that are `late`; answered after `took`."""
    pacer, now = Pacer(pace, 0.0), 1000.0
    under_way: list[tuple[float, int]] = []
    starts: list[float] = []
    while len(starts) < calls:
        ready = pacer.ready_at(now)
        if ready <= now:
            pacer.starts(now)
            heapq.heappush(under_way, (now + took, len(starts)))
            starts.append(now)
            continue
        back = under_way[0][0] if under_way else float("inf")
        now = min(ready + late, back)
        while under_way and under_way[0][0] <= now:
            at, number = heapq.heappop(under_way)
            pacer.ended(f"dm:{number}", at, refused=number in refused)
    return starts


def most_in_a_second(starts: list[float]) -> int:
    return max(sum(at <= other < at + 1 for other in starts) for at in starts)


def gaps(starts: list[float]) -> Iterator[float]:
    return (later - earlier for earlier, later in pairwise(starts))


@pytest.mark.parametrize("took", [0.005, 0.02, 0.2])
@pytest.mark.parametrize("late", [0.0, 0.004])
def test_a_window_is_never_passed_and_nearly_filled(took: float, late: float) -> None:
    starts = play(TELEGRAM, 600, took, late=late)
    assert most_in_a_second(starts) <= 30
    share = 600 / (30 * (starts[-1] - starts[0]))
    assert share > 0.97 / (1 + took)


def test_calls_of_a_kind_are_counted_by_the_minute() -> None:
    pacer = Pacer(Pace(a_minute={"edit": 2}, timeout=10.0), -60.0)
    for at in (0.0, 1.0):
        pacer.starts(at, f"dm:{at}", "edit")
    pacer.starts(1.0, "dm:9")
    assert pacer.left(1.0) == {"edit": 0}
    assert pacer.left(65.0) == {"edit": 0}  # no answer yet: they may only just have arrived
    pacer.ended("dm:0.0", 65.0, "edit")
    pacer.ended("dm:1.0", 66.0, "edit")
    pacer.ended("dm:9", 66.0)
    assert 125 < pacer.next_rested(66.0) < 125.1
    assert pacer.left(125.1) == {"edit": 1}
    assert pacer.next_rested(125.1) == float("inf")
    assert pacer.left(126.1) == {"edit": 2}


def test_what_the_program_before_this_one_did_counts_as_spread_over_the_time_before() -> None:
    pacer = Pacer(Pace(window=30, a_minute={"edit": 50, "look_up": 40}), 100.0)
    assert pacer.ready_at(100.0) == pytest.approx(100 + 1 / 30)
    assert pacer.left(100.0) == {"edit": 0, "look_up": 0}
    assert pacer.left(103.7) == {"edit": 3, "look_up": 2}
    assert pacer.left(160.0) == {"edit": 50, "look_up": 40}
    assert pacer.room(160.0, 1.0) == 30


def test_a_look_up_counts_only_among_its_kind() -> None:
    pacer = Pacer(Pace(window=30, a_minute={"look_up": 2}), -60.0)
    for _ in range(2):
        pacer.begins("look_up")
    assert pacer.left(0.0) == {"look_up": 0}
    pacer.ends("look_up", 5.0)
    assert pacer.left(64.9) == {"look_up": 0}
    assert pacer.left(65.1) == {"look_up": 1}
    assert pacer.under_way == 0
    assert pacer.ready_at(0.0) == 0.0


def test_starts_are_spread_and_not_in_waves() -> None:
    assert max(gaps(play(TELEGRAM, 300, 0.01))) < 0.06


def test_a_rate_grows_by_one_a_minute_and_halves_when_refused() -> None:
    starts = play(SLACK, 900, 0.05)
    assert most_in_a_second(starts) <= 10
    assert 900 / (starts[-1] - starts[0]) > 8
    slower = play(SLACK, 100, 0.05, refused=(10, 11, 12))
    assert most_in_a_second([at for at in slower if at > slower[20]]) <= 5


def test_a_conversation_rests_for_a_second_after_the_answer() -> None:
    pacer = Pacer(TELEGRAM, 0.0)
    pacer.starts(5.0)
    assert pacer.resting(5.0) == frozenset()  # it is under way, which the outbox knows
    pacer.ended("dm:1", 5.5)
    assert pacer.resting(6.4) == {"dm:1"}
    assert 6.5 <= pacer.next_rested(6.4) < 6.51
    assert pacer.resting(6.6) == frozenset()
    assert pacer.next_rested(6.6) == float("inf")


def test_a_conversation_rests_also_while_a_call_is_under_way_that_a_press_has_proved() -> None:
    pacer = Pacer(TELEGRAM, 0.0)
    pacer.starts(5.0, "dm:1")
    assert pacer.resting(5.4) == {"dm:1"}
    pacer.ended("dm:1", 5.5)
    assert pacer.resting(6.4) == {"dm:1"}
    assert pacer.resting(6.6) == frozenset()


def test_only_what_can_start_soon_is_claimed() -> None:
    pacer = Pacer(TELEGRAM, 0.0)
    assert 4 <= pacer.room(5.0, 0.2) <= 8
    for _ in range(30):
        pacer.starts(5.0)
    assert pacer.room(5.0, 0.2) == 0
    assert pacer.ready_at(5.0) == float("inf")  # only an answer can give a credit back
    for _ in range(30):
        pacer.ended("dm:1", 5.1)
    assert pacer.room(5.2, 0.2) == 0
    assert pacer.room(6.2, 0.2) >= 1


def test_a_terminal_has_no_limit_but_the_calls_under_way() -> None:
    pacer = Pacer(UNLIMITED, 0.0)
    assert pacer.room(5.0, 0.2) == 30
    pacer.starts(5.0)
    pacer.ended("dm:1", 5.0)
    assert pacer.room(5.0, 0.2) == 30
    assert pacer.resting(5.0) == frozenset()

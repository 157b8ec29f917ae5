"""Progress: one press forward, a project's status from its milestones, overdue, and links that anybody can open."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.progress import (
    LONGEST_TITLE,
    ORDER,
    Status,
    Step,
    following,
    is_blocked,
    is_overdue,
    next_due,
    project_status,
    public_link,
    title_and_goal,
)

TODAY = date(2026, 11, 23)
steps = st.builds(Step, st.sampled_from(ORDER), st.none() | st.dates(), st.booleans(), st.booleans())


def test_three_presses_lead_from_not_started_to_done_and_no_further() -> None:
    status: Status | None = Status.NOT_STARTED
    seen = []
    while status is not None:
        seen.append(status)
        status = following(status)
    assert seen == [Status.NOT_STARTED, Status.LIMITED, Status.SUBSTANTIAL, Status.COMPLETE]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "not_started"),
        (["not_started", "not_started"], "not_started"),
        (["limited", "not_started"], "limited"),
        (["complete", "not_started"], "limited"),  # a half is not more than a half
        (["complete", "limited"], "substantial"),
        (["complete", "complete", "substantial"], "substantial"),
        (["complete", "complete"], "complete"),
    ],
)
def test_a_projects_status_is_made_from_its_milestones(statuses: list[str], expected: str) -> None:
    assert project_status(Step(Status(one)) for one in statuses) == expected


@given(st.lists(steps))
def test_dropped_milestones_count_for_nothing(some: list[Step]) -> None:
    kept = [step for step in some if not step.dropped]
    assert project_status(some) == project_status(kept)
    assert next_due(some) == next_due(kept)
    assert is_blocked(some) == is_blocked(kept)


@given(steps)
def test_only_what_is_open_and_past_its_day_is_overdue(step: Step) -> None:
    late = is_overdue(step, TODAY)
    assert late == (step.due is not None and step.due < TODAY and step.status != "complete" and not step.dropped)


def test_the_day_itself_is_not_late() -> None:
    assert not is_overdue(Step(Status.LIMITED, TODAY), TODAY)
    assert is_overdue(Step(Status.LIMITED, date(2026, 11, 22)), TODAY)


@given(st.text(max_size=400))
def test_a_title_fits_and_the_whole_sentence_is_kept(sentence: str) -> None:
    title, goal = title_and_goal(sentence)
    assert len(title) <= LONGEST_TITLE + 1
    whole = " ".join(sentence.split())
    assert goal == whole if len(whole) > LONGEST_TITLE else title.rstrip(".") == whole.rstrip(".")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://example.org/a?b=1", "https://example.org/a?b=1"),
        ("http://data.example.go.id", "http://data.example.go.id"),
        ("example.org/report", "https://example.org/report"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x"),
        ("https://пример.мон/х", "https://пример.мон/х"),
        ("ftp://example.org", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://localhost/x", None),
        ("http://127.0.0.1/", None),
        ("http://[::1]/", None),
        ("http://10.0.0.7/", None),
        ("http://printer.local/", None),
        ("https://me:secret@example.org/", None),
        ("https://me@example.org/", None),
        ("https://example.org:99999/", None),
        ("https://[broken", None),
        ("we wrote to them", None),
        ("nothing", None),
        ("", None),
        ("https://example.org/" + "a" * 500, None),
    ],
)
def test_evidence_is_a_link_that_anybody_can_open(typed: str, kept: str | None) -> None:
    assert public_link(typed) == kept


@given(st.text(max_size=80))
def test_any_text_is_a_link_or_none(text: str) -> None:
    found = public_link(text)
    assert found is None or found.startswith(("http://", "https://"))

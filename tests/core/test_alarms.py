"""A platform in trouble: facilitators are told on the other one, once, and once more when it is over."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.app import build
from bot.core import alarms
from bot.core.adapter import Sent
from bot.core.figures import COUNTED, TIMED
from storage import Store, UnitOfWork
from storage.outbox import outbox
from tests.chat import Chat, Person, Plain
from tests.storage.people import locked, new_row


class Elsewhere(Plain):
    """A second platform."""

    name = "telegram"
    installation = "B1"


class Here(Plain):
    """The platform that will be in trouble."""

    name = "slack"
    installation = "T1"


ELSEWHERE = Elsewhere()
REFUSED = "Slack no longer lets me in"
AGAIN = "Slack works again"


@pytest.fixture
def two(store: Store) -> Chat:
    """A programme on two platforms."""
    return Chat(store, Here(), beside=[ELSEWHERE])


def on_both(chat: Chat, name: str, language: str = "en") -> tuple[Person, Person]:
    """A facilitator with an account on each platform; Slack is where the bot writes to them. They live in Jakarta."""
    here = chat.joins(name, role="facilitator", language=language)
    there = Person(chat, name, here.member, on=ELSEWHERE)

    def job(unit: UnitOfWork) -> None:
        me = unit.members.recall(here.member or 0)
        assert me is not None
        at, now = there.address, chat.clock.now()
        unit.members.add_account(me, at.platform, at.installation, name, at.conversation, now, preferred=False)

    chat.store.now(job)
    return here, there


def looks(chat: Chat) -> None:
    """The bot looks how its platforms are, and what it has to say is delivered."""
    asyncio.run(chat.kawan.alarms.look())
    chat.settles()


def test_a_refused_token_is_told_on_the_other_platform_once_and_once_when_it_works_again(two: Chat) -> None:
    here, there = on_both(two, "Mirela")
    fellow = two.joins("Sari")
    two.settles()
    looks(two)
    assert there.sees() == here.sees() == []
    two.screens.trouble = "invalid_auth"
    for _ in range(3):
        looks(two)
        two.clock.passes(minutes=20)
    (said,) = there.sees()
    assert REFUSED in said
    assert "help@reform.example: “invalid_auth”" in said
    assert "doctor" in said
    assert here.sees() == []
    two.screens.trouble = None
    for _ in range(2):
        looks(two)
    assert [AGAIN in text for text in there.sees()] == [False, True]
    assert here.sees() == fellow.sees() == []


def test_it_is_told_at_night_and_in_the_language_of_each(two: Chat) -> None:
    _, there = on_both(two, "Mirela", language="id")
    two.settles()
    two.clock.passes(hours=14)  # midnight in Jakarta
    two.screens.trouble = "token_revoked"
    looks(two)
    assert "tidak lagi menerima saya" in there.last


def test_a_restart_and_a_second_program_do_not_tell_it_again(two: Chat) -> None:
    _, there = on_both(two, "Mirela")
    two.settles()
    two.screens.trouble = "invalid_auth"
    looks(two)
    two.kawan = build(two.store, two.programme, two.kawan.adapters, clock=two.clock, ids=two.ids, a_minute=None)
    looks(two)
    assert len(there.sees()) == 1
    two.screens.trouble = None  # as after a start with a new token
    looks(two)
    assert AGAIN in there.last


def test_a_platform_that_is_away_for_ten_minutes_is_told_with_since_when(two: Chat) -> None:
    _, there = on_both(two, "Mirela")
    two.settles()
    two.screens.is_listening = False
    looks(two)
    two.clock.passes(minutes=9)
    looks(two)
    assert there.sees() == []
    two.clock.passes(minutes=2)
    looks(two)
    assert "I have not reached Slack since" in there.last
    assert "10:00" in there.last
    two.screens.is_listening = True
    looks(two)
    assert AGAIN in there.last


def test_doubts_that_pile_up_are_told(two: Chat) -> None:
    here, there = on_both(two, "Mirela")
    two.settles()
    began = two.clock.now()

    def hang(unit: UnitOfWork) -> None:
        for number in range(10):
            new_row(unit, f"group:{number}", lane="slack:T1", once=True)
        unit.connection.execute(
            sa.update(outbox).where(outbox.c.lane == "slack:T1").values(state="in_doubt", doubt_since=began)
        )

    two.store.now(hang)
    two.clock.passes(minutes=9)
    looks(two)
    assert there.sees() == []
    two.clock.passes(minutes=2)
    looks(two)
    assert "whether 10 messages arrived" in there.last
    two.store.now(
        lambda unit: unit.connection.execute(
            sa.update(outbox).where(outbox.c.lane == "slack:T1").values(state="unconfirmed")
        ).close()
    )
    looks(two)
    assert AGAIN in there.last
    assert here.sees() == []


def test_what_ends_the_program_is_told_wherever_the_facilitator_is(two: Chat) -> None:
    here, there = on_both(two, "Mirela")
    two.settles()
    two.kawan.figures.add("poison", "row")
    for _ in range(2):
        looks(two)
    assert ["ended my program three times" in text for text in here.sees()] == [True]
    assert there.sees() == []


def test_a_database_that_was_away_is_told_when_it_is_back(
    threaded_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "ANSWERS", 0.5)
    two = Chat(threaded_store, Here(), beside=[ELSEWHERE])
    here, _ = on_both(two, "Mirela")
    two.settles()
    replica = build(threaded_store, two.programme, two.kawan.adapters, clock=two.clock, ids=two.ids, a_minute=None)
    both = (two.kawan.alarms, replica.alarms)

    async def go() -> None:
        with locked(threaded_store):
            await asyncio.gather(*(one.look() for one in both))
            two.clock.passes(minutes=10)
        for _ in range(2):
            for one in both:
                await one.look()
            two.clock.passes(minutes=40)

    asyncio.run(go())
    two.settles()
    (said,) = here.sees()
    assert "10:00" in said
    assert "10:10" in said


def test_who_comes_to_another_platform_later_is_told_then(two: Chat) -> None:
    two.joins("Mirela", role="facilitator")
    two.settles()
    two.screens.trouble = "invalid_auth"
    for _ in range(2):
        looks(two)
    assert two.store.now(lambda unit: unit.backlog.heaps(two.clock.now())) == []
    _, there = on_both(two, "Bold")
    for _ in range(2):
        looks(two)
    assert [REFUSED in text for text in there.sees()] == [True]


def test_everything_that_is_counted_and_timed_has_a_name_and_a_known_label(two: Chat) -> None:
    mirela, _ = on_both(two, "Mirela")
    two.screens.known = lambda envelope: Sent("r")
    mirela.says("hello")
    mirela.says("manage")
    mirela.presses("People")
    two.passes(seconds=timedelta(days=1).total_seconds())
    found = two.kawan.figures
    assert found.of("event", "taken") >= 3
    assert {name for name, _ in found.times} == set(TIMED)
    for name, label in found.counts:
        assert label in COUNTED[name].labels
    for name, label in found.times:
        assert label in TIMED[name].labels

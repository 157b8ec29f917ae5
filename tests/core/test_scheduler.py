"""Everybody is asked once a date, in their own morning: clock changes, outages, jumps, moves, restarts, replicas."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from time import sleep
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.app import build
from bot.core.context import Context
from bot.core.events import Occurrence
from bot.core.replies import Reply
from bot.core.router import Route
from bot.domain.recurrence import Rule
from storage import Store, UnitOfWork
from storage.outages import Outage
from storage.outbox import outbox
from storage.recurring import occurrence, schedule_zone
from tests.chat import START, Chat, Person

EVERY_MONDAY = Rule("week", 1, (0,)).as_rrule()
DAILY = Rule("day").as_rrule()
NINE = time(9)


@dataclass
class Diary:
    """What the route of the tests was asked for, and its schedule."""

    chat: Chat
    asked: list[tuple[str, date]] = field(default_factory=list)
    seen: list[Occurrence] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    fails: Callable[[Context], bool] = lambda ctx: False

    def question(self, ctx: Context) -> Reply:
        assert ctx.occurrence is not None
        if self.fails(ctx):
            ctx.send(ctx.me.id, "never said")
            raise RuntimeError("secret words")
        self.asked.append((ctx.profile.name or "", ctx.occurrence.local_date))
        self.seen.append(ctx.occurrence)
        self.moments.append(ctx.now)
        late = " (late)" if ctx.occurrence.late else ""
        return f"Question {ctx.object} of {ctx.occurrence.local_date}{late}"

    def every(self, rrule: str, at: time = NINE, *, starts: date = date(2026, 11, 23), **more: object) -> int:
        """A schedule of this route."""
        now = self.chat.clock.now()
        return self.chat.store.now(
            lambda unit: unit.recurring.add(
                self.chat.cohort,
                "test.ask",
                rrule,
                at,
                starts,
                now,
                object=7,
                **more,  # type: ignore[arg-type]
            )
        )

    def local(self, n: int, zone: str) -> datetime:
        return self.moments[n].astimezone(ZoneInfo(zone))


@pytest.fixture
def diary(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Diary:
    found = Diary(chat)
    monkeypatch.setitem(
        chat.kawan.engine.router.dues, "test.ask", Route(name="test.ask", handler=found.question, anytime=True)
    )
    return found


def until(chat: Chat, moment: datetime) -> None:
    """Time passes; the bot ticks now, whenever something is due, and at the end."""

    def soonest(unit: UnitOfWork) -> datetime | None:
        moments = [
            unit.connection.scalar(sa.select(sa.func.min(column)).where(column > chat.clock.at))
            for column in (schedule_zone.c.next_at, occurrence.c.due_at, outbox.c.due_at)
        ]
        return min((one for one in moments if one is not None), default=None)

    chat.settles()
    while (next_due := chat.store.now(soonest)) is not None and next_due < moment:
        at(chat, next_due)
    at(chat, moment)


def at(chat: Chat, moment: datetime) -> None:
    """The clock shows this, and ticks."""
    chat.clock.at = moment
    chat.settles()


def moves(chat: Chat, person: Person, zone: str) -> None:
    number = person.member
    assert number is not None
    chat.store.now(lambda unit: unit.members.change(number, time_zone=zone))


def occurrences(chat: Chat) -> int:
    return chat.store.now(lambda unit: unit.connection.scalar(sa.select(sa.func.count()).select_from(occurrence)) or 0)


def test_each_is_asked_at_nine_in_their_own_morning(chat: Chat, diary: Diary) -> None:
    sari = chat.joins("Sari", time_zone="Asia/Jakarta")
    chat.joins("Pilo", time_zone="Asia/Manila")
    diary.every(EVERY_MONDAY)
    until(chat, START + timedelta(days=15))
    monday = [date(2026, 11, 30), date(2026, 12, 7)]
    assert diary.asked == [(name, day) for day in monday for name in ("Pilo", "Sari")]
    assert [diary.local(n, "Asia/Manila").hour for n in (0, 2)] == [9, 9]
    assert [diary.local(n, "Asia/Jakarta").hour for n in (1, 3)] == [9, 9]
    assert sari.sees() == ["Question 7 of 2026-11-30", "Question 7 of 2026-12-07"]
    assert [seen.next for seen in diary.seen] == [date(2026, 12, 7)] * 2 + [date(2026, 12, 14)] * 2
    assert not any(seen.late for seen in diary.seen)


def test_a_missing_time_fires_at_the_change_and_a_doubled_one_the_first_time(chat: Chat, diary: Diary) -> None:
    chat.joins("Olena", time_zone="Europe/Kyiv", country=None)
    chat.clock.at = datetime(2027, 3, 26, tzinfo=UTC)
    diary.every(DAILY, time(3, 30), starts=date(2027, 3, 26))
    until(chat, datetime(2027, 3, 30, tzinfo=UTC))
    kyiv = [moment.astimezone(ZoneInfo("Europe/Kyiv")) for moment in diary.moments]
    assert [f"{moment:%d %H:%M}" for moment in kyiv] == ["26 03:30", "27 03:30", "28 04:00", "29 03:30"]
    diary.moments.clear()
    chat.clock.at = datetime(2027, 10, 30, tzinfo=UTC)
    chat.store.now(lambda unit: unit.outages.look(chat.clock.now()))
    chat.store.now(lambda unit: unit.recurring.plan_anew())
    until(chat, datetime(2027, 11, 1, 12, tzinfo=UTC))
    assert [f"{moment:%d %H:%M}" for moment in diary.moments] == ["30 00:30", "31 00:30", "01 01:30"]


def test_after_three_days_without_the_bot_one_late_question_is_spread_and_leaves_by_day(
    chat: Chat, diary: Diary
) -> None:
    people = [chat.joins(f"P{n}") for n in range(12)]
    number = diary.every(DAILY)
    until(chat, datetime(2026, 11, 24, 3, tzinfo=UTC))
    diary.asked.clear()
    back = datetime(2026, 11, 27, 14, tzinfo=UTC)  # 21:00 in Jakarta, on a Friday
    at(chat, back)
    assert [day for _, day in diary.asked] == [date(2026, 11, 27)] * 12
    assert all(seen.late for seen in diary.seen[-12:])
    due = chat.store.now(
        lambda unit: unit.connection.scalars(sa.select(outbox.c.due_at).where(outbox.c.state == "held")).all()
    )
    local = sorted(one.astimezone(ZoneInfo("Asia/Jakarta")) for one in due)
    assert len(local) == 12
    assert len(set(local)) == 12
    monday = datetime(2026, 11, 30, 8, tzinfo=ZoneInfo("Asia/Jakarta"))
    assert all(monday <= one < monday + timedelta(minutes=30) for one in local)
    assert people[0].last == "Question 7 of 2026-11-24"
    asked = chat.store.now(lambda unit: unit.recurring.count(number, "2026-11-27"))
    assert asked == (12, 12)
    missed = chat.store.now(lambda unit: unit.recurring.missed_since(chat.cohort, back - timedelta(hours=1)))
    assert missed == [(number, date(2026, 11, 25)), (number, date(2026, 11, 26))]
    at(chat, monday.astimezone(UTC) + timedelta(minutes=30))
    assert people[0].sees().count("Question 7 of 2026-11-27 (late)") == 1
    outages = chat.store.now(lambda unit: unit.outages.since(back - timedelta(hours=1)))
    assert outages[0] == Outage(datetime(2026, 11, 24, 3, tzinfo=UTC), back)


@pytest.mark.parametrize("hours", [1, -1, 24 * 20])
def test_a_clock_that_jumps_and_comes_back_asks_nobody_twice_and_leaves_nobody_out(
    chat: Chat, diary: Diary, hours: int
) -> None:
    chat.joins("Sari")
    diary.every(DAILY)
    until(chat, datetime(2026, 11, 24, 1, 30, tzinfo=UTC))  # 08:30 in Jakarta
    true = chat.clock.at
    at(chat, true + timedelta(hours=hours))
    at(chat, true + timedelta(hours=hours, minutes=1))
    chat.clock.at = true + timedelta(minutes=2)
    until(chat, true + timedelta(days=25))
    days = [day for _, day in diary.asked]
    assert len(days) == len(set(days))
    wanted = {date(2026, 11, 24) + timedelta(days=n) for n in range(25)}
    assert wanted <= set(days)


def test_a_clock_that_jumps_a_year_stops_everything_until_it_is_right_again_or_confirmed(
    chat: Chat, diary: Diary
) -> None:
    sari = chat.joins("Sari")
    diary.every(DAILY)
    until(chat, datetime(2026, 11, 24, 1, 30, tzinfo=UTC))
    true = chat.clock.at
    for jump in (365, -365):
        at(chat, true + timedelta(days=jump))
        assert diary.asked == []
        sari.says("help")
        assert sari.sees() == []
    until(chat, true + timedelta(hours=1))
    assert len(sari.sees()) == 3  # what was answered meanwhile, and today's question
    assert diary.asked == [("Sari", date(2026, 11, 24))]
    at(chat, true + timedelta(days=365))
    chat.store.now(lambda unit: unit.outages.look(chat.clock.now()))
    chat.settles()
    assert [day for _, day in diary.asked[1:]] == [date(2027, 11, 23)]  # 08:30: the newest date is yesterday


@pytest.mark.parametrize("there", ["Asia/Manila", "America/Los_Angeles", "Pacific/Auckland"])
@pytest.mark.parametrize("hour", range(0, 24, 6))
def test_whoever_moves_is_asked_once_a_date(chat: Chat, diary: Diary, there: str, hour: int) -> None:
    sari = chat.joins("Sari", time_zone="Asia/Jakarta")
    chat.joins("Other", time_zone="Asia/Manila")
    diary.every(DAILY)
    until(chat, datetime(2026, 11, 24, hour, 30, tzinfo=UTC))
    moves(chat, sari, there)
    until(chat, datetime(2026, 11, 27, hour, tzinfo=UTC))
    moves(chat, sari, "Asia/Jakarta")
    until(chat, datetime(2026, 11, 30, 12, tzinfo=UTC))
    days = [day for name, day in diary.asked if name == "Sari"]
    assert len(days) == len(set(days))
    assert set(days) >= {date(2026, 11, 24) + timedelta(days=n) for n in range(7)}


def test_a_restart_in_the_midst_of_a_crowd_asks_the_rest(chat: Chat, diary: Diary) -> None:
    for n in range(25):
        chat.joins(f"P{n}")
    diary.every(DAILY)
    chat.settles()
    chat.clock.at = datetime(2026, 11, 24, 2, tzinfo=UTC)
    chat.kawan.scheduler._chunks.size = 10
    chat.store.now(lambda unit: unit.outages.look(chat.clock.now()))
    chat.store.now(chat.kawan.scheduler._ask)
    assert len(diary.asked) == 10
    chat.kawan = build(chat.store, chat.programme, [chat.screens], clock=chat.clock, ids=chat.ids, a_minute=None)
    chat.settles()
    assert sorted(diary.asked) == sorted((f"P{n}", date(2026, 11, 24)) for n in range(25))


def test_one_whose_question_fails_is_tried_again_and_holds_up_nobody(chat: Chat, diary: Diary) -> None:
    sari, bat, pilo = (chat.joins(name) for name in ("Sari", "Bat", "Pilo"))
    diary.every(DAILY)
    diary.fails = lambda ctx: ctx.me.id == bat.member
    until(chat, datetime(2026, 11, 24, 2, tzinfo=UTC))
    assert len(sari.sees()) == len(pilo.sees()) == 1
    assert bat.sees() == []
    until(chat, datetime(2026, 11, 24, 2, 15, tzinfo=UTC))
    assert bat.sees() == []
    diary.fails = lambda ctx: False
    until(chat, datetime(2026, 11, 24, 4, tzinfo=UTC))
    chat.passes(minutes=30)
    assert [text.replace(" (late)", "") for text in bat.sees()] == ["Question 7 of 2026-11-24"]
    assert len(sari.sees()) == len(pilo.sees()) == 1


def test_one_who_never_can_be_asked_is_given_up_and_asked_the_next_date(chat: Chat, diary: Diary) -> None:
    bat = chat.joins("Bat")
    diary.every(EVERY_MONDAY)
    diary.fails = lambda ctx: True
    until(chat, datetime(2026, 12, 6, tzinfo=UTC))
    diary.fails = lambda ctx: False
    until(chat, datetime(2026, 12, 8, tzinfo=UTC))
    assert bat.sees() == ["Question 7 of 2026-12-07"]


def test_only_who_is_there_and_agreed_is_asked(chat: Chat, diary: Diary) -> None:
    away, gone, silent, staff, sari = (
        chat.joins("Away"),
        chat.joins("Gone"),
        chat.joins("Silent", purposes=("profile",)),
        chat.joins("Staff", role="facilitator"),
        chat.joins("Sari"),
    )
    other = chat.store.now(lambda unit: unit.members.add_cohort("two", "Two", "en", "UTC"))
    chat.joins("Elsewhere", cohort=other)
    away.says("away until 3 Dec")
    number = gone.member
    assert number is not None
    chat.store.now(lambda unit: unit.members.change(number, state="left"))
    diary.every(DAILY, role="fellow", purpose="questions")
    until(chat, datetime(2026, 11, 25, tzinfo=UTC))
    assert diary.asked == [("Sari", date(2026, 11, 24))]
    assert silent.sees() == staff.sees() == []
    assert sari.last == "Question 7 of 2026-11-24"


def test_whoever_joins_from_a_new_zone_is_asked_there(chat: Chat, diary: Diary) -> None:
    diary.every(DAILY)
    chat.joins("Bat", time_zone="Asia/Ulaanbaatar")
    until(chat, datetime(2026, 11, 24, 5, tzinfo=UTC))
    assert diary.asked == [("Bat", date(2026, 11, 24))]
    assert diary.local(0, "Asia/Ulaanbaatar").hour == 9


def test_a_holiday_is_skipped_where_it_is_one_and_told_afterwards(chat: Chat, diary: Diary) -> None:
    chat.joins("Pilo", country="PH", time_zone="Asia/Manila")
    chat.joins("Ng", country="MY", time_zone="Asia/Manila")
    mirela = chat.joins("Mirela", role="facilitator", country=None)
    number = mirela.member
    assert number is not None
    diary.every(DAILY, role="fellow")
    chat.store.now(
        lambda unit: unit.holidays.change(chat.cohort, "PH", date(2026, 12, 1), "Team day", number, chat.clock.now())
    )
    until(chat, datetime(2026, 12, 2, 12, tzinfo=UTC))
    pilo = [(day, seen.skipped) for (name, day), seen in zip(diary.asked, diary.seen, strict=True) if name == "Pilo"]
    assert [day for day, _ in pilo if day >= date(2026, 11, 29)] == [date(2026, 11, 29), date(2026, 12, 2)]
    assert [(one.day, one.names["en"]) for one in pilo[-1][1]] == [
        (date(2026, 12, 1), "Team day"),
        (date(2026, 11, 30), "Bonifacio Day"),
    ]
    ng = [day for name, day in diary.asked if name == "Ng"]
    assert {date(2026, 11, 30), date(2026, 12, 1)} <= set(ng)
    chat.store.now(
        lambda unit: unit.holidays.change(chat.cohort, "PH", date(2026, 12, 8), None, number, chat.clock.now())
    )
    until(chat, datetime(2026, 12, 8, 12, tzinfo=UTC))
    assert ("Pilo", date(2026, 12, 8)) in diary.asked


def test_a_question_for_the_night_waits_for_the_morning(chat: Chat, diary: Diary) -> None:
    sari = chat.joins("Sari")
    diary.every(DAILY, time(22))
    until(chat, datetime(2026, 11, 23, 15, 10, tzinfo=UTC))  # 22:10
    assert diary.asked == [("Sari", date(2026, 11, 23))]
    assert sari.sees() == []
    until(chat, datetime(2026, 11, 24, 1, tzinfo=UTC))
    assert len(sari.sees()) == 1


def test_a_paused_schedule_asks_nobody_and_goes_on_with_its_next_date(chat: Chat, diary: Diary) -> None:
    chat.joins("Sari")
    number = diary.every(DAILY)
    until(chat, datetime(2026, 11, 24, 12, tzinfo=UTC))
    chat.store.now(lambda unit: unit.recurring.pause(number))
    chat.joins("Bat", time_zone="Asia/Ulaanbaatar")
    until(chat, datetime(2026, 11, 26, 12, tzinfo=UTC))
    assert len(diary.asked) == 1
    chat.store.now(lambda unit: unit.recurring.resume(number))
    until(chat, datetime(2026, 11, 27, 12, tzinfo=UTC))
    assert diary.asked[1:] == [("Bat", date(2026, 11, 27)), ("Sari", date(2026, 11, 27))]
    assert not any(seen.late for seen in diary.seen)


def test_another_time_holds_from_the_next_date_and_asks_nobody_twice_that_day(chat: Chat, diary: Diary) -> None:
    chat.joins("Sari")
    number = diary.every(DAILY)
    until(chat, datetime(2026, 11, 24, 5, tzinfo=UTC))
    chat.store.now(
        lambda unit: unit.recurring.change(number, rrule=DAILY, local_time=time(15), starts=date(2026, 11, 23))
    )
    until(chat, datetime(2026, 11, 25, 12, tzinfo=UTC))
    assert [day.day for _, day in diary.asked] == [24, 25]
    assert diary.local(1, "Asia/Jakarta").hour == 15


def test_messages_of_a_date_bear_its_name(chat: Chat, diary: Diary) -> None:
    sari = chat.joins("Sari")
    number = diary.every(DAILY)
    until(chat, datetime(2026, 11, 24, 5, tzinfo=UTC))
    assert occurrences(chat) == 1

    def idem(unit: UnitOfWork) -> list[str]:
        return list(unit.connection.scalars(sa.select(outbox.c.idem)))

    assert chat.store.now(idem) == [f"ci:{number}:2026-11-24:{sari.member}:1"]


def test_a_stop_amid_a_tick_is_no_fault(threaded_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    kawan = Chat(threaded_store).kawan

    async def go() -> None:
        busy = asyncio.create_task(threaded_store.run(lambda unit: sleep(0.3)))
        await asyncio.sleep(0.05)
        kawan.scheduler.start()
        await asyncio.sleep(0.05)
        kawan.scheduler.stop()
        await busy

    asyncio.run(go())
    assert [line.message for line in caplog.records if line.levelname == "ERROR"] == []

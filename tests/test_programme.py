"""A whole programme of the demo cohort: what each said is kept, the Monday card is true, nobody hears too much."""

import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.content.demo import load_demo
from bot.core.replies import Text
from bot.domain.checkins import week_of
from handlers.answering import LABELS, NEXT_STEP
from storage import UnitOfWork
from storage.cards import promise
from storage.checkins import answer
from tests.chat import Chat, Person
from tests.handlers.test_answering import usual
from tests.handlers.test_messages import writes
from tests.programme import A_WEEK, FIRST, Fellow, Play

HABITS = ("prompt", "late", "prompt", "stuck", "silent", "away", "prompt", "moves", "stuck", "prompt")
OUTAGE = 25
ROUND = 13 * 2 * A_WEEK  # until the library's thirteen questions have all had their turn
BANGKOK = ZoneInfo("Asia/Bangkok")
ZONES = ("America/New_York", "Europe/Kyiv")  # where those who move go, with both changes of the clock
# Not counted: people's own messages, requests to meet, and the end of a time away, which they asked for.
UNCOUNTED = ("answers: “", "would like to meet you", "is in touch", "are in touch", "says thank you", "time away ends")


class Programme:
    """The cohort, its facilitator, and the weeks that they live through."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.play = Play(chat)
        self.mirela: Person = chat.joins("Mirela", role="facilitator", time_zone="Asia/Bangkok", country=None)
        content = chat.programme.content
        self.holidays = content.calendar
        plans = load_demo(content).fellows
        self.fellows = [self.play.joins(plan, HABITS[n % len(HABITS)], n) for n, plan in enumerate(plans)]
        self.cards = self.away = self.met = self.written = self.late = 0
        usual(self.mirela)

    def label(self, choice: str | None) -> str | None:
        """What stands on the button of an answer."""
        coalition = self.chat.programme.content.coalition(choice or "")
        known = LABELS.get(choice or "")
        return coalition.labels["en"] if coalition else known.msgid if isinstance(known, Text) else choice

    def lives(self, weeks: int) -> None:
        """Week after week, from Monday 23 November 2026 on."""
        for week in range(1, weeks + 1):
            monday = date(2026, 11, 23) + week * A_WEEK
            nine = datetime.combine(monday, time(9), tzinfo=BANGKOK).astimezone(UTC)
            self.play.until(nine - timedelta(hours=6) if week == OUTAGE else nine)
            if week == OUTAGE:  # over the Monday of a date, until Wednesday afternoon
                self.play.at(nine + timedelta(hours=54), was_there=False)
                self.play.until(nine + timedelta(hours=56))
            self.reads_the_card(monday, nine)
            for n in range(0 if week % 2 else 4 if week % 6 == 2 else 1):  # now and then one more than anybody gets
                self.play.until(nine + timedelta(hours=5 + n))
                writes(self.mirela, f"On Thursday we meet online, for the {week}th week of our year. Part {n + 1}.")
                self.mirela.presses("Send to")
                self.written += 1
            for day in (0, 1, 3, 4):
                self._day(week, monday + timedelta(days=day))

    def _day(self, week: int, day: date) -> None:
        """At two in the afternoon of their own, whoever is there does what they do."""
        moments = sorted(
            (datetime.combine(day, time(14), tzinfo=of.zone).astimezone(UTC), of.number, of)
            for of in self.fellows
            if (of.habit == "late") == (day.weekday() == 4) or day.weekday() == 1
        )
        for moment, number, fellow in moments:
            if moment < self.chat.clock.now() - timedelta(hours=12):  # the bot was not there
                continue
            self.play.until(max(moment + timedelta(minutes=number), self.chat.clock.now()))
            self._lives(fellow, week, day.weekday())

    def _lives(self, of: Fellow, week: int, weekday: int) -> None:
        if of.is_away or (of.habit == "silent" and 3 <= week % 26 <= 20):
            return
        if of.habit == "late":
            # On Friday, or the week after, when it is over.
            if (weekday == 4 and week % 4 == 3) or (weekday == 1 and week % 2 == 0):
                of.answers()
            return
        if of.habit == "silent" and week % 26 == 21 and "Ask me again" in of.person.buttons():
            of.press(of.person.screen[-1], "Ask me again")
        if of.habit == "moves" and weekday == 3 and week % 9 == 4:
            home = of.zone.key == of.plan.timezone
            of.moves(ZONES[of.number % 2] if home else of.plan.timezone)
        of.answers()
        if of.habit == "prompt" and weekday == 1 and (week + of.number) % 7 == 0:
            self.met += of.asks_to_meet()
        if of.habit == "away" and weekday == 3 and week % 8 == 2:
            of.goes_away(3)

    def reads_the_card(self, monday: date, nine: datetime) -> None:
        """The newest Monday card, beside what the fellows themselves know."""
        said = next(text for text in reversed(self.mirela.sees()) if text.startswith("The week before"))
        assert said.splitlines()[0] == f"The week before {monday:%a} {monday.day} {monday:%b}"
        found = [line for line in said.splitlines()[1:] if not line.startswith("Stuck and want")]
        expected = self._expected(nine)
        assert found[: len(expected)] == expected, (monday, said)
        away = "Bot: I was away from " in said
        assert found[-1] == "No backup has been made by me yet."
        bot = found[len(expected) : -1]
        assert bot == ["Bot: well."] or (away and "Nothing is lost" in said), (monday, said)
        self.away += away
        stuck = {of.person.name for of in self.fellows if of.told or of.told_of_steps}
        named = next((line for line in said.splitlines() if line.startswith("Stuck and want")), "")
        assert stuck == {of.person.name for of in self.fellows if of.person.name in named}, (monday, named)
        self.cards += 1

    def _expected(self, nine: datetime) -> list[str]:
        closed = [
            (of, wave, [*of.waves.values()].index(wave))
            for of in self.fellows
            for wave in of.waves.values()
            if nine - A_WEEK < wave.closes_at <= nine
        ]
        kinds: Counter[str] = Counter()
        for of, wave, n in closed:
            before = [*of.waves.values()][n - 1] if n else None
            if wave.answered_at or (wave.touched_at and not wave.skipped_at):
                kinds["answered"] += 1
            elif of.is_away:
                continue
            elif wave.skipped_at:
                kinds["skipped"] += 1
            else:
                kinds["silent"] += 1
                kinds["twice"] += before is not None and before.touched_at is None
        late = sum(
            wave.answered_at is not None and wave.answered_at > max(wave.closes_at, nine - A_WEEK)
            for of in self.fellows
            for wave in of.waves.values()
            if nine - timedelta(days=42) < wave.closes_at <= nine
        )
        asked = kinds["answered"] + kinds["skipped"] + kinds["silent"]
        lines = [f"{kinds['answered']} of {asked} answered." if asked else "No question closed in this week."]
        lines += [f"{kinds['skipped']} skipped."] if kinds["skipped"] else []
        twice = f", {kinds['twice']} of them twice" if kinds["twice"] else ""
        lines += [f"Silent: {kinds['silent']}{twice}."] if kinds["silent"] else []
        self.late += late
        return lines + ([f"{late} late answer{'s' * (late > 1)} came in."] if late else [])


def kept(programme: Programme, of: Fellow) -> None:
    """What each said is there at the end: answers, promises, milestones and their history."""

    def job(unit: UnitOfWork) -> None:
        member = of.person.member
        assert member is not None
        rows = unit.connection.execute(sa.select(answer).where(answer.c.member_id == member).order_by(answer.c.id))
        found = {row.on_date: (row.choice, row.words, bool(row.skipped_at)) for row in rows}
        said = {day.isoformat(): wave for day, wave in of.waves.items()}
        assert found.keys() == said.keys(), of.person.name
        for day, (choice, words, skipped) in found.items():
            wave = said[day]
            assert (words, skipped) == (wave.words, wave.skipped_at is not None), (of.person.name, day)
            assert programme.label(choice) == wave.choice, (of.person.name, day)
        promises = unit.connection.execute(
            sa.select(promise.c.words, promise.c.state).where(promise.c.member_id == member).order_by(promise.c.id)
        )
        assert [list(row) for row in promises] == of.promises, of.person.name
        project = unit.projects.all_mine(member)[0].id
        steps = {one.title: (one.status, one.due, one.blocked) for one in unit.milestones.of(project)}
        assert steps == {title: (one.status, one.due, one.blocked) for title, one in of.steps.items()}
        history = [one.kind for one in reversed(unit.milestones.history(project, limit=500))]
        assert history == of.history, of.person.name

    programme.chat.store.now(job)


def heard(of: Fellow) -> Counter[date]:
    """How many messages the bot or a facilitator began, by the week of their own zone."""
    return Counter(
        week_of(at.astimezone(of.zone).date()) for at, text in of.started if not any(one in text for one in UNCOUNTED)
    )


def never_too_much(programme: Programme, weeks: int) -> None:
    """Three at most; somebody who answers hears something every week. Nothing is asked twice."""
    last = date(2026, 11, 23) + (weeks - 1) * A_WEEK
    for of in programme.fellows:
        by_week = heard(of)
        assert max(by_week.values()) <= 3, (of.person.name, by_week)
        if of.habit != "away":
            parts = [found[0] for _, text in of.started if (found := re.search(r"for the .* Part \d", text))]
            assert len(parts) == len(set(parts)) == programme.written, (of.person.name, parts)
        if of.habit in ("prompt", "stuck", "late"):
            mondays = [FIRST + n * A_WEEK for n in range((last - FIRST).days // 7)]
            free = [day for day in mondays if not programme.holidays.on(of.plan.country, day)]
            assert all(by_week[day] >= 1 for day in free), (of.person.name, by_week)
        assert max(Counter(of.asked_about).values(), default=0) <= 1, (of.person.name, of.asked_about)
        reminders = Counter(week_of(at.astimezone(of.zone).date()) for at, text in of.started if "A reminder" in text)
        assert max(reminders.values(), default=0) <= 1
        assert max(Counter(of.gaps).values(), default=0) <= 1, (of.person.name, of.gaps)
        assert all(later - day >= ROUND for slug, day, later in again(of)), (of.person.name, of.questions)


def again(of: Fellow) -> list[tuple[str, date, date]]:
    """Questions of the library that came once more, with the dates before and after."""
    days: dict[str, list[date]] = {}
    for day, slug in of.questions.items():
        days.setdefault(slug, []).append(day)
    return [(slug, one, two) for slug, some in days.items() if slug != NEXT_STEP for one, two in pairwise(sorted(some))]


def whole(chat: Chat, weeks: int) -> Programme:
    programme = Programme(chat)
    programme.lives(weeks)
    for of in programme.fellows:
        kept(programme, of)
    never_too_much(programme, weeks)
    assert programme.cards == weeks
    assert programme.met > 1
    assert sum(len(of.gaps) for of in programme.fellows) > 10
    return programme


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_six_weeks_of_twenty_fellows_are_kept_counted_and_told_truly(chat: Chat) -> None:
    programme = whole(chat, 6)
    assert sum(wave.answered_at is not None for of in programme.fellows for wave in of.waves.values()) > 30


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nine_months_of_twenty_fellows_are_kept_counted_and_told_truly(chat: Chat) -> None:
    programme = whole(chat, 39)
    assert programme.late > 10
    assert programme.away == 2  # the late card, and the next: both weeks saw it
    assert sum(wave.answered_at is not None for of in programme.fellows for wave in of.waves.values()) > 200

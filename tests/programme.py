"""A programme of many weeks, played: fellows with habits answer their cards, and keep an account of their own."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.content.demo import Fellow as Plan
from bot.core.adapter import Envelope, Outcome
from bot.domain.checkins import week_of
from bot.domain.progress import ORDER, Status
from handlers import overdue
from storage import UnitOfWork
from tests.chat import Chat, Person, Shown, plain

A_WEEK = timedelta(days=7)
FIRST = date(2026, 11, 30)  # the first date of the check-in that is set up on Monday 23 November
MILESTONE = re.compile(r"“(.+?)” (?:is for|was due on) ")
PROMPTED = ("promise", "step", "words", "choice")  # with these a card of a check-in begins
GAPS = {  # what may be missing, what is written then, and what is pressed after that
    "names no topic": ("open data", "Right"),
    "can help others with": ("Drafting laws, in two languages", "None of these"),
    "for whom you work": ("Government", ""),
    "which organisation": ("An office of my own", ""),
}
PARTS: dict[str, set[str]] = {  # what a part is, by the buttons under it
    "promise": {"Done", "Moving", "Stuck", "Drop it"},
    "step": {"Done", "Moving", "Stuck", "Skip"},
    "next": {"Write it", "Not now"},
    "gap": {"Fill it in", "Not now"},
    "overdue": {"It is done", "It needs more time"},
    "moved": {"Solved", "Not yet", "Close the question"},
    "talk": {"Yes", "Not yet", "No"},
    "words": {"Answer", "Skip", "Later"},
    "choice": {"Skip", "Later"},
    "share": {"Tell a facilitator", "Keep it private"},
    "asked": {"I can help", "Not this time"},
    "request": {"Yes, put us in touch"},
    "line": {"That is all"},
    "day": {"In a week", "In a month"},
}


def part_of(labels: list[str]) -> str | None:
    """Which part of a card has these buttons."""
    return next((name for name, needed in PARTS.items() if needed <= set(labels)), None)


@dataclass
class Wave:
    """One date of the check-in as its fellow lived it."""

    asked_at: datetime
    closes_at: datetime
    answered_at: datetime | None = None
    skipped_at: datetime | None = None
    touched_at: datetime | None = None  # anything on its card
    choice: str | None = None
    words: str | None = None


@dataclass
class Step:
    """A milestone as its fellow knows it."""

    status: Status
    due: date
    blocked: bool = False


@dataclass(eq=False)
class Fellow:
    """Somebody with a habit: prompt, late, silent, stuck, away or moves."""

    play: "Play"
    person: Person
    plan: Plan
    habit: str
    number: int
    waves: dict[date, Wave] = field(default_factory=dict)
    behind: dict[date, Wave] = field(default_factory=dict)  # not seen yet, if there is one
    started: list[tuple[datetime, str]] = field(default_factory=list)  # messages that were no answer to a press
    steps: dict[str, Step] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    promises: list[list[str]] = field(default_factory=list)  # words and state
    asked_about: list[tuple[str, date]] = field(default_factory=list)  # milestones and their days
    questions: dict[date, str] = field(default_factory=dict)  # of the library, by the day of their card
    gaps: list[str] = field(default_factory=list)  # what was said to be missing in their profile
    told: bool = False  # the facilitator knows that they are stuck
    told_of_steps: bool = False  # with a milestone, for good
    away_until: date | None = None
    shares: int = 0

    @property
    def zone(self) -> ZoneInfo:
        return self.play.zones[self.person.name]

    @property
    def local(self) -> datetime:
        return self.play.chat.clock.now().astimezone(self.zone)

    @property
    def wave(self) -> Wave:
        """The newest date on which they were asked; a question may have come after "Did you talk?" on the same card."""
        for day, wave in self.behind.items():
            if not self.waves or day > max(self.waves):
                self.waves[day] = wave
        return self.waves[max(self.waves)]

    def hears(self, text: str, labels: list[str]) -> None:
        """A message that the bot began. Is it the card of a date?"""
        now = self.play.chat.clock.now()
        self.started.append((now, text))
        monday = week_of(self.local.date())
        is_date = (monday - FIRST).days >= 0 and (monday - FIRST).days % 14 == 0
        first = part_of(labels)
        if not is_date or first not in (*PROMPTED, "talk") or text.startswith("A reminder"):
            return
        assert monday not in self.waves, (self.person.name, monday, text)
        closes = datetime.combine(monday + A_WEEK, time(), tzinfo=self.zone).astimezone(UTC)
        (self.behind if first == "talk" else self.waves)[monday] = Wave(now, closes)

    def open_part(self) -> tuple[str, Shown] | None:
        """The newest part that waits for an answer; what follows on a press is answered at once or never."""
        for n, shown in enumerate(list(reversed(self.person.screen))[:4]):
            found = part_of([label for label, _ in shown.buttons])
            if found is not None and (n == 0 or found not in ("line", "day", "share")):
                return found, shown
        return None

    def answers(self) -> None:
        """Everything that waits, one after the other."""
        for _ in range(25):
            found = self.open_part()
            if found is None:
                return
            getattr(self, f"_{found[0]}")(found[1])
        raise AssertionError(f"{self.person.name} never comes to an end: {self.person.last}")

    def press(self, shown: Shown, label: str) -> None:
        """A button of just this message."""
        handle = next(handle for name, handle in shown.buttons if name.startswith(label))
        event = self.person.platform.presses(self.play.chat.count(), self.person, handle)
        self.play.does(self, lambda: self.play.chat.happens(event))

    def says(self, text: str) -> None:
        self.play.does(self, lambda: self.person.says(text))

    def _touch(self) -> None:
        if (self.waves or self.behind) and self.wave.touched_at is None:
            self.wave.touched_at = self.play.chat.clock.now()

    # What they do with each part.

    def _choice(self, shown: Shown) -> None:
        self._asks(shown)
        labels = [label for label, _ in shown.buttons]
        if self._skips(shown):
            return
        at = (self.number + len(self.waves)) % (len(labels) - 2)
        self.press(shown, labels[at])
        self._said(choice=labels[at])

    def _asks(self, shown: Shown) -> None:
        """Which question of the library is this?"""
        prompts = self.play.chat.programme.content.prompts
        slug, wave = next(one.slug for one in prompts if one.text["en"] in shown.text), self.wave
        day = next(day for day, one in self.waves.items() if one is wave)
        assert self.questions.setdefault(day, slug) == slug, (self.person.name, shown.text)

    def _gap(self, shown: Shown) -> None:
        missing = next(words for words in GAPS if words in shown.text)
        self.gaps.append(missing)
        if self.number % 2:
            self.press(shown, "Not now")
            return
        self.press(shown, "Fill it in")
        answer, then = GAPS[missing]
        self.says(answer)
        if then in self.person.buttons():
            self.press(self.person.screen[-1], then)

    def _skips(self, shown: Shown) -> bool:
        """Some leave every third question open."""
        skips = self.number % 7 == 3 and len(self.waves) % 3 == 0
        if skips:
            self.press(shown, "Skip")
            self._touch()
            self.wave.skipped_at = self.wave.skipped_at or self.play.chat.clock.now()
        return skips

    def _line(self, shown: Shown) -> None:
        if self.number % 2:
            self.press(shown, "That is all")
            return
        words = self._sentence("a line")
        self.says(words)
        self._said(words=words)

    def _sentence(self, what: str) -> str:
        return f"{self.person.name} wrote {what} on date {len(self.waves)} and means exactly this"

    def _words(self, shown: Shown) -> None:
        self._asks(shown)
        if self._skips(shown):
            return
        is_next = shown.text.find("next small step") >= 0
        is_stuck = shown.text.find("struggling") >= 0
        words = self._sentence("a promise" if is_next else "an answer")
        self.press(shown, "Answer")
        self.says(words)
        self._said(words=words)
        if is_next:
            self.promises.append([words, "open"])
        self.told = self.told and not is_stuck

    def _said(self, **given: str) -> None:
        self._touch()
        self.wave.answered_at = self.wave.answered_at or self.play.chat.clock.now()
        for name, value in given.items():
            setattr(self.wave, name, value)

    def _day(self, shown: Shown) -> None:
        self.press(shown, "Skip")

    def _promise(self, shown: Shown) -> None:
        self._touch()
        turn = (self.number + len(self.waves)) % 4
        if self.habit == "stuck" and turn < 2:
            self.press(shown, "Stuck")
            self.says(f"{self.plan.needs[0].text if self.plan.needs else 'nobody answers'} ({len(self.waves)})")
            self.says("skip")
            self.says("skip")
            self.told = False
            return
        label, state = [("Done", "done"), ("Moving", "open"), ("Done", "done"), ("Drop it", "dropped")][turn]
        self.press(shown, label)
        self.promises[-1][1] = state
        self.told = False

    def _next(self, shown: Shown) -> None:
        if self.number % 3 == 0:
            self.press(shown, "Not now")
            return
        words = self._sentence("a next promise")
        self.press(shown, "Write it")
        self.says(words)
        self.promises.append([words, "open"])

    def _share(self, shown: Shown) -> None:
        self.shares += 1
        if self.shares % 3 == 1:
            self.press(shown, "Tell a facilitator")
            self.told = True
        elif self.shares % 3 == 2:
            self.press(shown, "Ask the others")
            if "Send" in self.person.buttons():
                self.press(self.person.screen[-1], "Send")
        else:
            self.press(shown, "Keep it private")

    def _milestone(self, shown: Shown) -> tuple[str, Step]:
        found = MILESTONE.search(shown.text)
        assert found is not None, shown.text
        self.asked_about.append((found[1], self.steps[found[1]].due))
        return found[1], self.steps[found[1]]

    def _step(self, shown: Shown) -> None:
        _, step = self._milestone(shown)
        self._touch()
        turn = (self.number + len(self.waves)) % 5
        label = ["Done", "Moving", "Moving", "Skip", "Stuck"][turn]
        self.press(shown, label)
        if label == "Done":
            self._becomes(step, Status.COMPLETE)
        elif label == "Moving" and step.status in ORDER[:2]:
            self._becomes(step, ORDER[ORDER.index(step.status) + 1])
        elif label == "Stuck":
            step.blocked = True
            self.history.append("stuck")
            if self.number % 2:
                self._tells_why()

    def _tells_why(self) -> None:
        """What is in the way of a milestone, to the facilitators."""
        self.press(self.person.screen[-1], "I am stuck")
        for words in ("The bureau does not answer", "skip", "skip"):
            self.says(words)
        self.press(self.person.screen[-1], "Tell a facilitator")
        self.history.append("stuck")
        self.told_of_steps = True

    def _becomes(self, step: Step, status: Status) -> None:
        step.status = status
        self.history.append(status.value)

    def _overdue(self, shown: Shown) -> None:
        _, step = self._milestone(shown)
        label = ["It is done", "It needs more time", "Leave it as it is"][self.number % 3]
        self.press(shown, label)
        if label == "It is done":
            self._becomes(step, Status.COMPLETE)
        elif label == "It needs more time":
            later = self.local.date() + timedelta(days=40 + self.number)
            self.says(f"{later.day} {later:%B} {later.year}")
            step.due = later
            self.history.append("due")

    def _moved(self, shown: Shown) -> None:
        self.press(shown, "Solved" if len(self.waves) % 2 else "Close the question")

    def _talk(self, shown: Shown) -> None:
        self.press(shown, "Yes")
        if "Skip" in self.person.buttons():
            self.press(self.person.screen[-1], "Skip")

    def _asked(self, shown: Shown) -> None:
        if self.number % 2:
            self.press(shown, "Not this time")
            return
        self.press(shown, "Answer")
        self.says("We wrote to them together, with one page and one date.")

    def _request(self, shown: Shown) -> None:
        self.press(shown, "Yes, put us in touch")

    def asks_to_meet(self) -> bool:
        """Somebody whom a search finds; False when nobody is there whom they could ask."""
        for need in self.plan.needs:
            self.says(need.topic.replace("-", " "))
            meet = next((label for label in self.person.buttons() if label.startswith("Meet ")), None)
            if meet is None or self.play.fellows[meet.removeprefix("Meet ")].habit == "silent":
                continue
            self.press(self.person.screen[-1], meet)
            if "Send" in self.person.buttons():
                self.press(self.person.screen[-1], "Send")
                return True
        return False

    def goes_away(self, weeks: int) -> None:
        """Until a day, in plain words."""
        self.away_until = self.local.date() + timedelta(weeks=weeks)
        self.says(f"away until {self.away_until.day} {self.away_until:%B} {self.away_until.year}")

    @property
    def is_away(self) -> bool:
        """Now, by their own words; the day that they named is the first one back, from nine o'clock on."""
        if self.away_until is None:
            return False
        return self.local < datetime.combine(self.away_until, time(9), tzinfo=self.zone)

    def moves(self, zone: str) -> None:
        """To another zone."""
        number = self.person.member
        assert number is not None
        self.play.chat.store.now(lambda unit: unit.members.change(number, time_zone=zone))
        self.play.zones[self.person.name] = ZoneInfo(zone)


class Play:
    """The stage: a clock that stops wherever something is due, and ears for everything that is sent."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.zones: dict[str, ZoneInfo] = {}
        self.fellows: dict[str, Fellow] = {}
        self._actor: Fellow | None = None
        chat.screens.outcome = self._hears

    def _hears(self, envelope: Envelope) -> Outcome | None:
        who = self.fellows.get(envelope.address.conversation.removeprefix("dm:"))
        if who is not None and envelope.edits is None and who is not self._actor:
            who.hears(plain(envelope.content), [button.label for button in envelope.content.buttons])
        return None

    def does(self, who: Fellow, act: Callable[[], object]) -> None:
        """Somebody acts; what they are told meanwhile is an answer."""
        self._actor = who
        try:
            act()
        finally:
            self._actor = None

    def joins(self, plan: Plan, habit: str, number: int) -> Fellow:
        """A fellow of the demo cohort, with their project and its dates."""
        person = self.chat.joins(
            plan.preferred_name, country=plan.country, time_zone=plan.timezone, coalitions=plan.coalitions,
            sector=plan.sector if number % 5 else None, topics=plan.topics if number % 4 else (),
            needs=[(one.topic, one.text) for one in plan.needs],
            offers=[(one.topic, one.text) for one in plan.offers], languages=plan.languages,
        )  # fmt: skip
        fellow = Fellow(self, person, plan, habit, number)
        self.zones[person.name] = ZoneInfo(plan.timezone)
        self.fellows[person.name] = fellow
        self.chat.store.now(lambda unit: self._project(unit, fellow))
        return fellow

    def _project(self, unit: UnitOfWork, of: Fellow) -> None:
        assert of.person.member is not None
        plan, member, cohort = of.plan.project, of.person.member, self.chat.cohort
        number = unit.projects.begin(cohort, member, plan.title, topics=[plan.topic], coalitions=of.plan.coalitions)
        for one in plan.milestones:
            due, status = one.due, Status(one.status)
            made = unit.milestones.add(cohort, number, member, one.title, due=due, status=one.status)
            of.steps[one.title] = Step(status, due)
            asked_at = overdue.monday_after(due, of.plan.timezone)
            if asked_at > self.chat.clock.now():
                unit.schedules.set_timer(overdue.TIMER, member, asked_at, made)

    def until(self, moment: datetime) -> None:
        """Time passes; the bot is there whenever something is due, and all the time between."""

        while (due := self._next_due()) is not None and due < moment:
            self.at(due)
        self.at(moment)

    def _next_due(self) -> datetime | None:
        return self.chat.store.now(lambda unit: unit.outages.next_due(self.chat.clock.at))

    def at(self, moment: datetime, *, was_there: bool = True) -> None:
        """The clock shows this, and ticks; `was_there`: the bot looked at it all the time until now."""
        if was_there:
            self.chat.store.now(lambda unit: unit.outages.was_there(moment))
        self.chat.clock.at = moment
        self.chat.settles()

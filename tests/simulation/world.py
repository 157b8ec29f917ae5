"""One seed, from the first morning to the day when everything has settled."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, MutableMapping
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from structlog.testing import capture_logs

from bot.adapters.slack.adapter import PACE as SLACK_PACE
from bot.adapters.telegram.adapter import PACE as TELEGRAM_PACE
from bot.core.adapter import Envelope
from bot.core.ids import SeededIds, decode
from bot.core.replies import Content
from handlers import router
from storage.base import EPOCH, as_microseconds
from tests.simulation.cohorts import SLACK, TELEGRAM, Cohorts, named
from tests.simulation.expected import Expected, moment
from tests.simulation.history import INFO, INVOKE, History
from tests.simulation.loop import START, LoopClock, VirtualLoop, run_in
from tests.simulation.machine import TICK, Machine
from tests.simulation.marks import marks_in
from tests.simulation.oracle import Oracle, open_at, week_of
from tests.simulation.people import People
from tests.simulation.plan import A_DAY, Plan, Visit
from tests.simulation.platforms import Line, Platform, marks_of, said
from tests.simulation.tables import at_the_end
from tests.simulation.watching import Noted, watched

A_MORNING = 900.0  # visits that begin within so many seconds happen at the same time
PATIENCE = 2 * 3600.0  # for so long a seed waits for quiet before it goes on anyway
AFTERWARDS = 16 * A_DAY  # what was begun ends by itself
WAITS_FOR_MORNING = 2  # the priority from which on a message waits for its reader
A_LEAP = 9 * A_DAY  # three such without a look, and the bot would doubt its clock
A_WHILE = 4.0  # seconds without a call, and hours may be skipped
_OPEN = "SELECT 1 FROM outbox WHERE state IN ('queued', 'sending', 'in_doubt') LIMIT 1"
# The live card of a message, which is renewed every quarter of an hour for a week, is looked at twice a day.
_NEXT = """SELECT min(at) FROM (SELECT min(due_at) AS at FROM timer WHERE name != 'messages.card'
    UNION ALL SELECT min(due_at) + 43200000000 FROM timer WHERE name = 'messages.card'
    UNION ALL SELECT min(due_at) FROM outbox WHERE state = 'held'
    UNION ALL SELECT min(next_at) FROM schedule_zone)"""
_ROW = """SELECT o.member_id, o.cause, o.class, o.edits, m.state, coalesce(o.body, c.body), o.conversation, o.lane,
    CASE WHEN o.kind = 'message' THEN o.priority ELSE 0 END, m.time_zone, m.hours, o.kind = 'message' AND o.counted
    FROM outbox o LEFT JOIN member m ON m.id = o.member_id LEFT JOIN content c ON c.id = o.content_id
    WHERE o.seq = ?"""


_STATE = "SELECT m.state FROM account a JOIN member m ON m.id = a.member_id WHERE a.external_id = ?"
_ASKED = """SELECT o.member_id, o.local_date, (SELECT count(*) FROM answer a WHERE a.member_id = o.member_id
    AND a.on_date = o.local_date) FROM occurrence o WHERE o.schedule_id = 1 ORDER BY 1, 2"""
# The live cards of which every change has arrived.
_CARDS = """SELECT b.id, o.platform_ref FROM broadcast b JOIN outbox o ON o.seq = b.card
    WHERE b.state = 'out' AND o.state = 'sent' AND o.platform_ref IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.edits = o.seq AND e.state != 'sent') ORDER BY b.id"""
SUMMARY = re.compile(r"(?:sent|terkirim) (\d+) (?:of|dari) (\d+)")
PART = re.compile(r"^[^:\n]+: (\d+)$", re.MULTILINE)
WAITING = re.compile(r"^(?:Waiting|Menunggu): ", re.MULTILINE)


class World:
    """Everything outside the bot: platforms, people, deaths and clocks; and the history of what happened."""

    def __init__(self, plan: Plan, cohorts: Cohorts, settings: dict[str, Any] | None = None) -> None:
        self.plan = plan
        self.cohorts = cohorts
        self.settings = settings or {}
        self.history = History()
        self.loop = VirtualLoop()
        self.clock = LoopClock(self.loop)
        self.ids = SeededIds(plan.seed)
        self.luck = plan.random("world")
        self.router = router
        self.calls = 0
        self.goes_on = True  # faults happen and people act; at the end both stop
        self.over = False
        self._machines: list[Machine | None] = [None] * plan.replicas
        self._is_up = asyncio.Event()  # at least one of them
        laid = cohorts.lay(plan.size, plan.slack_share, plan.checkin)
        cohorts.store.forget_wakes()
        self.database = cohorts.database
        cohorts.store.time = self._database_time
        self.oracle = Oracle(self.database)
        self.expected = Expected(self.database, plan.checkin)
        self.platforms = {
            "slack": Platform(self, *SLACK, tells=True, pace=SLACK_PACE),
            "telegram": Platform(self, *TELEGRAM, tells=False, pace=TELEGRAM_PACE),
        }
        self.people = People(self, laid.homes, laid.codes)
        # Past a doubt; where another replica may take the lane, less than a lease.
        self._skipped = 185.0 if plan.replicas == 1 else 40.0
        self._claimed: dict[int, dict[str, Any]] = {}
        self._spawned: set[asyncio.Task[Any]] = set()

    @property
    def machines(self) -> list[Machine]:
        """The replicas that are up."""
        return [one for one in self._machines if one is not None]

    @property
    def fault_rate(self) -> float:
        return self.plan.fault_rate if self.goes_on else 0.0

    def _database_time(self) -> datetime:
        """Nobody turns the clock of the database."""
        return self.clock.now() - self.clock.turned

    def lines(self, machine: Machine) -> list[Line]:
        """The ways to the platforms that one replica has."""
        return [Line(platform, machine) for platform in self.platforms.values()]

    def run(self) -> History:
        """The whole seed."""
        with ExitStack() as stack:
            logged = stack.enter_context(capture_logs())
            stack.enter_context(watched())
            run_in(self.loop, self._main)
        self._read_the_log(logged)
        return self.history

    def later(self, seconds: float, act: Callable[..., None], *values: Any) -> None:
        """Somebody does something after a while, unless the seed is over by then."""
        self.loop.call_later(seconds, lambda: None if self.over else act(*values))

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of the world; what goes wrong in it is a mistake of the simulation's."""
        task = self.loop.create_task(coro)
        self._spawned.add(task)
        return task

    async def _main(self) -> None:
        for place in range(self.plan.replicas):
            self._starts(place)
        last = 0.0
        for _, together in groupby(self.plan.visits, lambda visit: int(visit.at // A_MORNING)):
            await self._morning(list(together))
            last = self.loop.time()
        self.goes_on = False
        for platform in self.platforms.values():
            platform.blocked.clear()
        await self._until(last + AFTERWARDS)
        await self._quiet(PATIENCE)
        await self._stops()
        self._ends()

    async def _stops(self) -> None:
        """The seed is over; a mistake of the simulation's own is raised."""
        self.over = True
        for machine in self.machines:
            await machine.ends()
        for task in self._spawned:
            if not task.done():
                task.cancel()
        await asyncio.gather(*self._spawned, return_exceptions=True)
        for task in self._spawned:
            if not task.cancelled():
                task.result()

    async def _morning(self, visits: list[Visit]) -> None:
        await self._until(visits[0].at)
        if self.plan.has("clock jumps") and self.luck.random() < 0.3 * self.plan.fault_rate:
            self.clock.turned += timedelta(hours=self.luck.choice((-1, 1)))
        if self.kills("gently"):
            self.spawn(self._starts_anew(self.luck.uniform(0, 60)))
        tasks = [self.spawn(self._visit(visit)) for visit in visits]
        await asyncio.wait(tasks)
        await self._quiet(PATIENCE)

    async def _starts_anew(self, after: float) -> None:
        """The operator stops the bot as one should, and starts it again."""
        await asyncio.sleep(after)
        if self.machines:
            machine = self.luck.choice(self.machines)
            await machine.ends()
            self.history.add(INFO, "ended", self.loop.time(), replica=machine.place)
            if machine in self.machines:
                self.died(machine.place)

    async def _visit(self, visit: Visit) -> None:
        await asyncio.sleep(max(0.0, visit.at - self.loop.time()))
        await self.people.visits(visit.who, visit.acts, visit.begins)

    async def _until(self, at: float) -> None:
        """Leap to a moment; on the way stop wherever something is due."""
        for _ in range(400):
            await self._quiet(PATIENCE)
            due = self._next_due()
            if due is None or due > at:
                break
            if due <= self.loop.time():
                await asyncio.sleep(TICK + 1)
            await self._leaps(due)
        await self._leaps(at)

    async def _leaps(self, to: float) -> None:
        """Over empty hours; the ticker looks in now and then, or the bot would not believe its clock any more."""
        while self.loop.time() < to:
            await self.up()  # an outage is as long as it was drawn, not as long as a leap
            before = self.loop.time()
            self.loop.leap(min(to, before + A_LEAP))
            await asyncio.sleep(2.0 if self.loop.time() - before > TICK else TICK)  # the ticker was due on the way

    def _next_due(self) -> float | None:
        """When the next timer or held row is due, in seconds of the loop."""
        found = self.database.execute(_NEXT).fetchone()[0]
        if found is None:
            return None
        return (EPOCH + timedelta(microseconds=found) - START - self.clock.turned).total_seconds()

    async def _quiet(self, patience: float) -> None:
        """Wait until nothing is on its way, for at most so many seconds."""
        ends, step = self.loop.time() + patience, 0.5
        while self.loop.time() < ends and not self._is_quiet():
            if step >= A_WHILE and self.machines and not self._is_a_call_on_its_way():
                self.loop.leap(self.loop.time() + self._skipped)  # what waits, waits for a time to pass
                step = A_WHILE
            if self.machines:
                await asyncio.sleep(min(step, TICK))
                step *= 1.5
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.up(), ends - self.loop.time())

    async def up(self) -> None:
        """Wait until some replica is up."""
        await self._is_up.wait()

    def _is_a_call_on_its_way(self) -> bool:
        return any(platform.on_the_way for platform in self.platforms.values())

    def _is_anything_on_its_way(self) -> bool:
        return any(platform.on_the_way or platform.to_hand_over for platform in self.platforms.values())

    def _is_quiet(self) -> bool:
        if not self.machines or self._is_anything_on_its_way():
            return False
        return self.database.execute(_OPEN).fetchone() is None

    # Deaths.

    def kills(self, point: str) -> bool:
        """Is the process killed at this point, this time?"""
        rate = self.plan.death_rate if self.goes_on and self.plan.has("deaths") else 0.0
        return rate > 0 and self.luck.random() < rate

    def fails_busy(self) -> bool:
        """Does the database refuse a job this time?"""
        rate = self.fault_rate * 0.1
        return rate > 0 and self.luck.random() < rate and self.plan.has("busy")

    def freezes(self) -> bool:
        """Does a replica stand still, while another is there to take its place?"""
        rate = self.fault_rate * 0.02 if self.plan.replicas > 1 and self.plan.has("freezes") else 0.0
        return rate > 0 and self.luck.random() < rate

    def died(self, place: int) -> None:
        """Somebody starts it again: mostly at once, sometimes after days."""
        self._machines[place] = None
        if not self.machines:
            self._is_up.clear()
        of = self.luck.random()
        down = self.luck.uniform(1, 60) if of < 0.9 else self.luck.uniform(60, 3600)
        if of > 0.98 and self.plan.has("outages"):
            down = self.luck.uniform(3600, 3 * A_DAY)
        self.later(down, self._starts, place)

    def _starts(self, place: int) -> None:
        machine = self._machines[place] = Machine(self, place)
        machine.start()
        self._is_up.set()
        self.history.add(INFO, "started", self.loop.time(), replica=place)

    # What the history says.

    def committed(self, noted: Noted) -> None:
        """A transaction was committed."""
        add, now = self.history.add, self.loop.time()
        if noted.accepted:
            self.expected.look()
        for event, failed in noted.accepted:
            said = len(noted.rows) + noted.changed
            add(INFO, "effect", now, event=event, failed=failed, said=said, audited=noted.audited,
                leaves=self._leaves(event))  # fmt: skip
        if noted.rows:
            add(INFO, "rows", now, rows=noted.rows, of=[event for event, _ in noted.accepted])
        for f, values in noted.lines:
            add(INFO, f, now, **values)
        for seq in noted.claimed:
            self._claimed[seq] = self._judge(seq)

    def _leaves(self, event: str) -> bool:
        """Is whoever did this about to leave, locked or gone? Then they are told that, whatever they press."""
        who = self.people.about.get(event, ("", ""))[0]
        found = self.database.execute(_STATE, (who,)).fetchone()
        return found is None or found[0] in ("leaving", "locked")

    def _judge(self, seq: int) -> dict[str, Any]:
        """A message is claimed: from now on it may leave. What of it the oracle forbids at this moment, and to whom."""
        found = self.database.execute(_ROW, (seq,)).fetchone()
        member, cause, of_class, edits, state, body, conversation, lane, priority, zone, hours, counts = found
        content = Content.from_json(json.loads(body or '{"text": ""}'))
        who, typed = self.people.about.get(cause, ("", ""))
        kind, _, viewers = conversation.partition(":")
        hidden = []
        for field, number in marks_of(content):
            subject = named(number)
            if (field, number) in self.people.told or (field, number) in marks_in(typed):
                continue
            if not all(self.oracle.may_see(viewer, subject, field) for viewer in viewers.split(",")):
                hidden.append([field, subject])
        values: dict[str, Any] = {"once": of_class == "once", "edit": edits is not None, "again": seq in self._claimed}
        removes = edits is not None and body is None  # which nobody gets
        if state in ("left", "locked", "leaving") and not removes:
            values |= {"state": state, "says": said(content)[-30:]}
        if member is not None and priority >= WAITS_FOR_MORNING:
            values["rests"] = state == "paused" or not open_at(self.clock.now(), zone, hours)
        if member is not None and counts:
            values["week"] = week_of(self.clock.now(), zone)
        if kind != "dm":
            values["met"] = self.oracle.have_met(viewers.split(","))
        return {
            "message": seq, "member": member, "cause": cause, "lane": lane, "to": conversation, "hidden": hidden,
            "own": who == viewers, **values,
        }  # fmt: skip

    def sends(self, call: int, envelope: Envelope) -> int | None:
        """A call begins; returns the message's number, None when its row was erased since the claim."""
        row = self.database.execute("SELECT seq FROM outbox WHERE key = ?", (decode(envelope.key),)).fetchone()
        at = envelope.address
        judged = self._claimed.get(row[0]) if row else {"message": None, "to": at.conversation, "lane": at.lane}
        assert judged is not None
        self.history.add(INVOKE, "send", self.loop.time(), call=call, **judged)
        return row[0] if row else None

    def _ends(self) -> None:
        """The tables as they are when everything has settled."""
        now = round(self.loop.time(), 3)
        self.history.lines += at_the_end(self.database.execute, now, as_microseconds(self.clock.now()))
        for member, day in self.expected.due(moment(now - A_DAY)):
            self.history.add(INFO, "due", now, member=member, day=day)
        for member, day, questions in self.database.execute(_ASKED) if self.expected.is_unchanged else ():
            right = self.expected.is_a_date(day)
            self.history.add(INFO, "asked on", now, member=member, day=day, questions=questions, right=right)
        for number, ref in self.database.execute(_CARDS):
            self._reads_the_card(number, ref, now)
        for number, due in self.database.execute("SELECT id, due_at FROM timer ORDER BY id"):
            late = EPOCH + timedelta(microseconds=due) < self.clock.now() - timedelta(hours=2)
            self.history.add(INFO, "waits", now, timer=number, overdue=late)

    def _reads_the_card(self, number: int, ref: str, now: float) -> None:
        """What the sender of a message to many reads about it on their screen, when everything has settled."""
        screens = [
            shown for platform in self.platforms.values() for screen in platform.screens.values() for shown in screen
        ]
        text = next((shown.text for shown in screens if shown.ref == ref), "")
        found = SUMMARY.search(text)
        if found is not None:
            parts = [int(n) for n in PART.findall(text)]
            self.history.add(INFO, "card", now, broadcast=number, sent=int(found[1]), of=int(found[2]),
                             parts=sum(parts), waits=WAITING.search(text) is not None)  # fmt: skip

    def _read_the_log(self, logged: list[MutableMapping[str, Any]]) -> None:
        """What was logged: nobody's marks, and no handler that failed."""
        for entry in logged:
            if entry["event"] in ("handler_failed", "send_failed", "look_up_failed"):
                self.history.add(INFO, "defect", 0.0, what=f"{entry['event']}: {entry.get('kind')} {entry.get('at')}")
            if marks_in(str(entry)):
                self.history.add(INFO, "logged", 0.0, event=entry["event"])

"""Many people on both platforms who write and get messages, to all and what must arrive; and what became of each."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import aiohttp
import sqlalchemy as sa

from bot.core.clock import SystemClock
from bot.core.ids import RandomIds
from bot.invite import COHORT
from storage import UnitOfWork, open_store
from storage.migrate import upgrade
from storage.outbox_rows import NewRow
from storage.profiles import PURPOSES
from tests.adapters.slack_people import written
from tests.adapters.slack_server import TEAM
from tests.adapters.telegram_people import Person
from tests.program import TOKEN, until
from tests.simulation.history import Line
from tests.simulation.tables import at_the_end
from tests.unreliable import Arrived, UnreliableSlack, UnreliableTelegram

BOT = TOKEN.partition(":")[0]
SENDER = 42
FIRST = 1000  # the number of the first person on Telegram
AGAIN = "In case this did not reach you:"
AT_A_TIME = 3  # messages prepared within a minute, in which somebody may write twenty times
LANES = {"slack": f"slack:{TEAM}", "telegram": f"telegram:{BOT}"}
OPEN = ("queued", "held", "sending", "in_doubt")


@dataclass(frozen=True)
class Amounts:
    """How many messages of each kind there are; half of the people are on each platform."""

    people: int
    replies: int  # to each
    to_all: int
    must_arrive: int  # for each

    @property
    def messages(self) -> int:
        return self.people * (self.replies + self.to_all + self.must_arrive)


@dataclass
class Crowd:
    """The people of one trial, at two servers. `seconds`: over how long they write."""

    slack: UnreliableSlack
    telegram: UnreliableTelegram
    url: str
    amounts: Amounts
    seconds: float
    draw: random.Random
    events: list[str] = field(default_factory=list)  # ids of what was acknowledged
    handles: list[str] = field(default_factory=list)
    sender: int = 0

    @property
    def on_slack(self) -> list[str]:
        return [f"U0P{n:04}" for n in range(0, self.amounts.people, 2)]

    @property
    def on_telegram(self) -> list[Person]:
        return [self.telegram.person(FIRST + n, f"P{n}") for n in range(1, self.amounts.people, 2)]

    def joins(self) -> None:
        """Write everybody down, and what must arrive at its moment; the program has not begun."""
        upgrade(self.url)
        with contextlib.closing(open_store(self.url, inline=True)) as store:
            store.now(self._fill)

    def _fill(self, unit: UnitOfWork) -> None:
        now, ids = SystemClock().now(), RandomIds()
        cohort = unit.members.add_cohort(COHORT, "Reform Asia", "en", "Asia/Bangkok")
        people = [("telegram", BOT, str(SENDER), "facilitator")]
        people += [("slack", TEAM, user, "fellow") for user in self.on_slack]
        people += [("telegram", BOT, str(person.id), "fellow") for person in self.on_telegram]
        rows = []
        for place, (platform, installation, external, role) in enumerate(people):
            known = {"role": role, "state": "active", "language": "en", "time_zone": "Asia/Jakarta"}
            number = unit.members.add(cohort, now, **known, joined_at=now, hours="00:00-00:00 1234567")
            me = unit.members.recall(number)
            assert me is not None
            self.sender = self.sender or number
            unit.members.add_account(me, platform, installation, external, f"dm:{external}", now)
            unit.profiles.write(cohort, number, name="Mirela" if role == "facilitator" else f"P{place}")
            unit.profiles.give_consent(cohort, number, dict.fromkeys(PURPOSES, True), 1, "en", now)
            for n in range(self.amounts.must_arrive if role == "fellow" else 0):
                rows.append(
                    NewRow(
                        idem=f"must:{number}:{n}", key=ids.key(), lane=LANES[platform], conversation=f"dm:{external}",
                        member_id=number, cause="trial", body={"text": f"Please read point {number}.{n}."}, priority=2,
                        at=now + timedelta(seconds=self.draw.uniform(0, self.seconds)),
                    )
                )  # fmt: skip
        unit.outbox.add_many(rows, now)

    async def prepares(self) -> None:
        """The facilitator writes the messages to all, up to the question whether to send them."""
        mirela, send = self.telegram.person(SENDER, "Mirela"), f"Send to {self.amounts.people}"
        for n in range(self.amounts.to_all):
            if n and n % AT_A_TIME == 0:
                await asyncio.sleep(60)
            mirela.says("message")
            await _presses(mirela, "Write a message")
            await _shows(mirela, "Cancel")
            mirela.says(f"The draft law, part {n}.")
            for label in ("Everybody", "No answer", "Now"):
                await _presses(mirela, label)
            await _shows(mirela, send)
            self.handles.append(dict(mirela.screen[-1].buttons)[send])

    async def writes(self) -> None:
        """Everybody writes, and the facilitator says yes to each message, at random moments."""
        async with asyncio.TaskGroup() as tasks:
            for user in self.on_slack:
                tasks.create_task(self._writes_on_slack(user, self._moments(self.amounts.replies)))
            for person in self.on_telegram:
                tasks.create_task(self._writes_on_telegram(person, self._moments(self.amounts.replies)))
            tasks.create_task(self._says_yes(self._moments(self.amounts.to_all)))

    def _moments(self, count: int) -> list[float]:
        """Seconds to wait before each."""
        at = sorted(self.draw.uniform(0, self.seconds) for _ in range(count))
        return [after - before for before, after in pairwise([0.0, *at])]

    async def _writes_on_slack(self, user: str, waits: list[float]) -> None:
        channel = self.slack.channel_of(user)
        for wait in waits:
            await asyncio.sleep(wait)
            body = written(self.slack.number(), user, channel, "quixotic marmalade")
            while not await self._taken(body):
                await asyncio.sleep(0.3)
            self.events.append(str(body["event_id"]))

    async def _taken(self, body: dict[str, object]) -> bool:
        """One delivery; nobody may be there, or die while holding it."""
        if not self.slack.sockets:
            return False
        try:
            return (await self.slack.deliver("events_api", body)).acknowledged
        except (OSError, aiohttp.ClientError, ZeroDivisionError):
            return False

    async def _writes_on_telegram(self, person: Person, waits: list[float]) -> None:
        for wait in waits:
            await asyncio.sleep(wait)
            self.events.append(str(person.says("quixotic marmalade")))

    async def _says_yes(self, waits: list[float]) -> None:
        mirela = self.telegram.person(SENDER, "Mirela")
        for wait, handle in zip(waits, self.handles, strict=True):
            await asyncio.sleep(wait)
            mirela.presses_data(handle, mirela.screen[-1])

    def open(self) -> int:
        """How many rows have not ended, apart from the facilitator's card; -1 while the database is not there."""
        try:
            with contextlib.closing(open_store(self.url, inline=True)) as store:
                return store.now(_open)
        except Exception:  # it may be down at this moment
            return -1

    def history(self) -> list[Line]:
        """What happened, for the simulation's checker."""
        with contextlib.closing(open_store(self.url, inline=True)) as store:
            return store.now(self._history)

    def _history(self, unit: UnitOfWork) -> list[Line]:
        c = unit.connection
        lines = list(at_the_end(lambda sql: c.execute(sa.text(sql)), 0.0))
        taken = [str(one) for one in c.scalars(sa.text("SELECT external_id FROM inbox WHERE source <> 'clock'"))]
        answered = {str(one) for one in c.scalars(sa.text("SELECT DISTINCT cause FROM outbox"))}
        came = {"said": True, "failed": False, "leaves": False, "audited": False}
        lines += [{"type": "ok", "f": "deliver", "event": event} for event in self.events]
        lines += [{"type": "info", "f": "effect", "event": event, **came} for event in taken if event in answered]
        lines = [line for line in lines if line["f"] != "row" or line["member"] != self.sender]
        rows = {row["message"]: row for row in lines if row["f"] == "row"}
        for place, (message, lane, one) in enumerate(_copies(unit, self.slack.arrived, self.telegram.arrived)):
            row = rows.get(message) if message is not None else None
            about = {"message": message, "edit": False, "lane": lane, "to": "dm:somebody", "own": True,
                     "once": row is not None and row["once"], "at": 10.0 * place, "text": one.text}  # fmt: skip
            lines += [{"type": "invoke", "f": "send", **about}, {"type": "info", "f": "seen", **about}]
        return lines


async def _shows(who: Person, label: str) -> None:
    """Wait until the newest message has this button."""
    await until(lambda: who.screen and label in who.screen[-1].labels, 60)


async def _presses(who: Person, label: str) -> None:
    await _shows(who, label)
    who.presses(label)


def _open(unit: UnitOfWork) -> int:
    said = sa.text("SELECT count(*) FROM outbox WHERE state IN ('queued', 'held', 'sending', 'in_doubt')")
    return int(unit.connection.scalar(said) or 0)


def _copies(
    unit: UnitOfWork, slack: list[Arrived], telegram: list[Arrived]
) -> Iterator[tuple[int | None, str, Arrived]]:
    """Each copy that arrived with the row that it is of: by its key, else by its words, which nobody else was told."""
    found = unit.connection.execute(
        sa.text(
            "SELECT o.seq, o.key, o.conversation, o.lane, coalesce(o.body, c.body) AS body FROM outbox o"
            " LEFT JOIN content c ON c.id = o.content_id ORDER BY o.seq"
        )
    ).all()
    by_key = {bytes(row.key): row.seq for row in found}
    by_words: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in found:
        for words in _marks(str(row.body)):
            by_words[row.conversation, words].append(row.seq)
    for one in slack:
        yield by_key.get(one.key or b""), LANES["slack"], one
    for one in telegram:
        if one.to == f"dm:{SENDER}":
            continue
        said = [seq for words in _marks(one.text) for seq in by_words[one.to, words]]
        yield by_key.get(one.key) if one.key else next(iter(said), None), LANES["telegram"], one


def _marks(text: str) -> list[str]:
    """The words that make a text one of ours."""
    words = text.replace("\\n", " ").replace('"', " ").replace("'", " ").split()
    return [f"{a} {b.rstrip('.')}" for a, b in pairwise(words) if a in ("point", "part")]

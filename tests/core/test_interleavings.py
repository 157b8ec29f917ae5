"""Presses out of order, two at once and stale, 10,000 times: one wins, each is answered, and no state is illegal."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from bot.core.adapter import Ack
from bot.core.events import Disconnected, Due, Event, Press
from bot.core.ids import button_handle, code_hash, encode
from bot.core.language import Reader
from bot.core.replies import Card
from storage import Store, UnitOfWork
from tests.chat import Chat, Person

ROUNDS = 10_000
PEOPLE = 24
A_ROUND_FORGETS = ("ally", "introduction", "dialog", "outbox_about", "outbox", "inbox", "timer", "talk")
DOORS = (
    ("apart.sector", ""),
    ("hours.days", ""),
    ("hours.change", ""),
    ("fields.open", "side"),
    ("fields.open", "coalitions"),
)
TEXTS = ("Ministry of Roads", "2 weeks", "back", "skip", "cancel", "help", "Jakarta")
MAY_BECOME = {
    None: {"proposed", "accepted", "declined", "withdrawn", "closed"},
    "proposed": {"proposed", "accepted", "declined", "withdrawn", "closed"},
    "declined": {"declined", "withdrawn", "closed"},  # which its asker does not know
    "accepted": {"accepted"},
    "withdrawn": {"withdrawn"},
    "closed": {"closed"},
}
T = TypeVar("T")
Pressed = tuple[Person, str, str, str]  # who, the handle, the action, the value


@dataclass
class Table:
    """Everybody at one database, and what was counted."""

    chat: Chat
    draw: random.Random
    people: list[Person]
    counts: Counter[str] = field(default_factory=Counter)
    known: dict[int, str] = field(default_factory=dict)  # the state of each introduction of this round
    handles: dict[tuple[str, str, str], Pressed] = field(default_factory=dict)  # every button of this round

    async def run(self, job: Callable[[UnitOfWork], T]) -> T:
        return await self.chat.store.run(job)

    async def rows(self, sql: str, **values: object) -> list[Any]:
        return list(await self.run(lambda unit: unit.connection.execute(sa.text(sql), values).all()))

    async def at_once(self, events: Sequence[Event]) -> list[Ack]:
        """Hand events over in any order, each before the others are done; every person's is answered."""
        events = self.draw.sample(list(events), len(events))
        acks: list[Ack] = await asyncio.gather(*(self.chat.kawan.dispatcher.receive(event) for event in events))
        self.counts["events"] += len(events)
        # By words of their own, or by what replaced them before they left: somebody else's press, or a farewell.
        ids = {event.id for event in events}
        rows = await self.rows("SELECT cause, conversation, member_id IS NULL, CAST(body AS TEXT) FROM outbox")
        answered = {conversation for cause, conversation, farewell, _ in rows if farewell or cause in ids}
        for event, ack in zip(events, acks, strict=True):
            if not isinstance(event, Due | Disconnected):
                assert ack.toast or ack.note or event.address.conversation in answered, event
                self.counts["kind lines"] += bool(ack.toast)
        if self.draw.random() < 0.8:  # else the next press comes before the answer has left
            await self.delivers()
        assert not any("went wrong" in (body or "") for *_, body in rows)
        return acks

    async def delivers(self) -> None:
        """What is in line has arrived: this is about presses, and no relay runs."""
        arrive = "UPDATE outbox SET state = 'sent', platform_ref = CAST(seq AS TEXT) WHERE state = 'queued'"
        await self.run(lambda unit: unit.connection.execute(sa.text(arrive)))

    def press(self, who: Person, handle: str) -> Press:
        return Press(id=f"p{self.chat.count()}", sender=who.sender, address=who.address, handle=handle)

    async def shown(self, *people: Person) -> list[Pressed]:
        """Every button that these were ever shown in this round, also those that are stale."""
        whose = {person.member: person for person in people}
        found = await self.run(
            lambda unit: unit.connection.execute(
                sa.text(
                    "SELECT key, member_id, body FROM outbox WHERE body IS NOT NULL AND state = 'sent' ORDER BY seq"
                )
            ).all()
        )
        for key, member, body in found:
            content = json.loads(body) if isinstance(body, str) else body
            for n, (_, action, value, _) in enumerate(content.get("buttons", ())):
                if member in whose:
                    handle = button_handle(encode(bytes(key)), n)
                    self.handles[handle, action, value] = whose[member], handle, action, value
        return [one for one in self.handles.values() if one[0] in people]

    async def give(self, who: Person, action: str, value: str) -> str:
        """A message with one button; returns its handle."""
        key = self.chat.ids.key()
        body = self.chat.kawan.engine.language.content(Card("?"), Reader("en")).as_json()
        body["buttons"] = [["?", action, value, "plain"]]
        at = who.address
        await self.run(
            lambda unit: unit.outbox.add(
                idem=f"given:{encode(key)}", key=key, lane=at.lane, conversation=at.conversation, member_id=who.member,
                body=body, cause="given", now=self.chat.clock.now(),
            )
        )  # fmt: skip
        await self.delivers()
        return button_handle(encode(key), 0)

    async def clear(self) -> None:
        """The next round finds the people, and nothing between them."""
        self.known, self.handles = {}, {}
        await self.run(lambda unit: [unit.connection.execute(sa.text(f"DELETE FROM {of}")) for of in A_ROUND_FORGETS])


async def meeting(of: Table) -> None:
    """Two people ask, take back, say yes and no, and the week ends: in any order, on two devices, twice."""
    one, other = of.draw.sample(of.people, 2)
    for asker, asked in ((one, other), (other, one)):
        about = json.dumps({"to": asked.member, "topic": None, "why": []})
        await of.at_once([of.press(asker, await of.give(asker, "requests.preview", about))])
    await of.delivers()
    for _ in range(of.draw.randint(2, 4)):
        there = [one for one in await of.shown(one, other) if one[2].startswith(("requests.", "introductions."))]
        chosen = of.draw.choices(there, weights=[1 + 2 * (one[2] != "requests.preview") for one in there], k=2)
        events: list[Event] = [of.press(who, handle) for who, handle, _, _ in chosen]
        if of.draw.random() < 0.5:  # the same press twice: two devices, an impatient thumb
            events.append(of.press(*chosen[0][:2]))
        if of.known and of.draw.random() < 0.2:
            events.append(await _due(of))
        await of.at_once(events)
        await _meetings_are_legal(of)


async def _due(of: Table) -> Due:
    number = of.draw.choice(sorted(of.known))
    asker, asked = (await of.rows("SELECT asker_id, other_id FROM introduction WHERE id = :id", id=number))[0]
    name = of.draw.choice(("introductions.close", "introductions.remind"))
    member = asker if name == "introductions.close" else asked
    return Due(id=f"d{of.chat.count()}", name=name, members=(member,), at=of.chat.clock.now(), object=number)


async def _meetings_are_legal(of: Table) -> None:
    found = await of.rows("SELECT id, state, closed_at, decided_at, asker_id, other_id FROM introduction")
    for number, state, closed, decided, _, _ in found:
        before = of.known.get(number)
        assert state in MAY_BECOME[before], (before, state)
        assert (closed is None) == (state in ("proposed", "declined")), state
        assert state in ("proposed", "closed") or decided is not None
        of.counts[f"{before} to {state}"] += before != state
        of.known[number] = state
    pairs = Counter(frozenset(row[4:]) for row in found if row[1] == "proposed")
    assert max(pairs.values(), default=0) <= 1, "two requests of one pair wait at once"
    accepted = [row for row in found if row[1] == "accepted"]
    assert len(accepted) <= 1
    met = await of.rows("SELECT member_id, other_id FROM ally")
    assert {tuple(row) for row in met} == {pair for row in accepted for pair in (row[4:6], (row[5], row[4]))}
    for row in accepted:
        told = "SELECT count(*) FROM outbox WHERE member_id = :who AND CAST(body AS TEXT) LIKE '%in touch now%'"
        assert (await of.rows(told, who=row[4]))[0][0] == 1, "the asker hears of the yes once"


async def form(of: Table) -> None:
    """One person with questions, who presses what is new and what is old and types, on two devices."""
    who = of.draw.choice(of.people)
    await of.at_once([of.press(who, await of.give(who, *of.draw.choice(DOORS)))])
    await of.delivers()
    for _ in range(of.draw.randint(2, 4)):
        before = await _waiting(of, who)
        there = [one for one in await of.shown(who) if one[2].startswith(("form.", "hours.", "fields."))]
        chosen = of.draw.choices(there, k=of.draw.randint(1, 2)) if there else []
        events: list[Event] = [of.press(who, handle) for _, handle, _, _ in chosen]
        typed = not chosen or of.draw.random() < 0.3
        if typed:
            events.append(of.chat.platform.says(of.chat.count(), who, of.draw.choice(TEXTS)))
        elif of.draw.random() < 0.5:
            events.append(of.press(*chosen[0][:2]))
        await of.at_once(events)
        after = await _waiting(of, who)
        stamps = {":".join(value.split(":")[:2]) for _, _, action, value in chosen if action.startswith("form.")}
        only_forms = all(action.startswith("form.") for _, _, action, _ in chosen) and not typed
        if before and only_forms and f"{before[0]}:{before[1]}" not in stamps:
            assert after == before, "an old question's answer counts for nothing"
            of.counts["stale"] += 1
        elif before and after and only_forms and before[0] == after[0] and len(stamps) == 1:
            assert after[1] <= before[1] + 1, "one question is answered once"
            of.counts["steps"] += after[1] - before[1]


async def _waiting(of: Table, who: Person) -> tuple[Any, ...] | None:
    asked = "SELECT id, version, CAST(answers AS TEXT) FROM dialog WHERE member_id = :who AND NOT parked"
    found = await of.rows(asked, who=who.member)
    assert len(found) <= 1, "one question waits at most"
    return tuple(found[0]) if found else None


async def invitation(of: Table) -> None:
    """Two people open one link at the same moment; who is in says yes and no at the same moment, twice."""
    code = of.chat.ids.code()
    await of.run(lambda unit: _invite(of, unit, code))
    both = [of.chat.newcomer(f"New{of.chat.count()}") for _ in range(2)]
    await of.at_once([of.chat.platform.says(of.chat.count(), who, f"/start {code}") for who in both])
    came = "SELECT a.external_id, a.member_id FROM account a WHERE a.external_id IN (:one, :two)"
    found = await of.rows(came, one=both[0].name, two=both[1].name)
    assert len(found) == 1, "one of the two is in"
    winner = next(who for who in both if who.name == found[0][0])
    winner.member = found[0][1]
    for _ in range(of.draw.randint(1, 3)):
        there = [one for one in await of.shown(winner) if one[2].startswith(("joining.", "agreement."))]
        if not there:
            break
        chosen = of.draw.choices(there, k=2)
        await of.at_once([of.press(winner, one[1]) for one in (*chosen, chosen[0])])
        states = await of.rows("SELECT state FROM member WHERE id = :who", who=winner.member)
        agreed = await of.rows("SELECT count(*) FROM consent WHERE member_id = :who", who=winner.member)
        if not states or states[0][0] == "left":
            of.counts["said no"] += 1
            break
        assert states[0][0] in ("arriving", "joining")
        assert (agreed[0][0] > 0) == (states[0][0] == "joining"), states


def _invite(of: Table, unit: UnitOfWork, code: str) -> None:
    now = of.chat.clock.now()
    unit.invites.add(of.chat.cohort, code_hash(code), "fellow", now, now + timedelta(days=14))


KINDS: tuple[Callable[[Table], Awaitable[None]], ...] = (meeting, form, invitation)


@pytest.mark.long
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_ten_thousand_interleavings_leave_legal_states_only(store: Store) -> None:
    """On a database with one writer, where what comes at once is handled in some order."""
    _interleaved(store, ROUNDS)


@pytest.mark.long
@pytest.mark.parametrize("threaded_store", ["postgresql"], indirect=True)
def test_presses_that_are_truly_at_once_leave_legal_states_only(threaded_store: Store) -> None:
    """In transactions beside each other."""
    _interleaved(threaded_store, ROUNDS // 10)


def _interleaved(store: Store, rounds: int) -> None:
    chat = Chat(store)
    of = Table(chat, random.Random(1), [chat.joins(f"P{n}", country="ID") for n in range(PEOPLE)])

    async def go() -> None:
        for n in range(rounds):
            await KINDS[n % len(KINDS)](of)
            await of.clear()
            of.counts["interleavings"] += 1

    asyncio.run(go())
    print(dict(+of.counts))
    assert of.counts["interleavings"] == rounds
    for seen in ("accepted", "declined", "withdrawn", "closed"):  # else nothing was tried
        assert of.counts[f"proposed to {seen}"] > 0, seen
    assert min(of.counts[seen] for seen in ("steps", "stale", "said no", "kind lines")) > rounds // 100

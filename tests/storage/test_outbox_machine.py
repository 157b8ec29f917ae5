"""A row of the outbox goes only ways that are drawn (reliability 1.3), whatever happens in whatever order."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from storage import UnitOfWork
from storage.lanes import Taken
from tests.simulation.loop import START
from tests.simulation.seeds import cohorts

LANE = "slack:T1"
CONVERSATIONS = ("dm:U1", "dm:U2")
BODY = {"text": "hello", "language": "en"}
UNSETTLED = ("queued", "held", "sending", "in_doubt")


class OutboxMachine(RuleBasedStateMachine):
    """Rows, owners of the lane that come and go, and what platforms answer."""

    rows: Bundle[int] = Bundle("rows")

    def __init__(self) -> None:
        super().__init__()
        cohorts().lay(3, 1.0)
        self.store = cohorts().store
        self.now: datetime = START
        self.state: dict[int, str] = {}
        self.about: dict[int, tuple[str, int, datetime]] = {}  # conversation, priority, due
        self.gen_of: dict[int, int] = {}
        self.owners = 0
        self.gen = self.takes().held.gen

    def takes(self) -> Taken:
        """Another process becomes the owner of the lane at once."""
        self.owners += 1
        found = self.do(lambda unit: unit.lanes.take(LANE, f"owner {self.owners}", self.now, alone=True))
        assert isinstance(found, Taken)
        return found

    def do(self, job: Any) -> Any:
        return self.store.now(job)

    @rule(target=rows, to=st.sampled_from(CONVERSATIONS), priority=st.integers(0, 2), held=st.booleans(),
          once=st.booleans())  # fmt: skip
    def says(self, to: str, priority: int, held: bool, once: bool) -> int:
        n = len(self.state) + 1
        due = self.now + timedelta(minutes=5) if held else self.now

        def add(unit: UnitOfWork) -> int:
            return unit.outbox.add(
                idem=f"row {n}", key=n.to_bytes(16, "big"), lane=LANE, conversation=to, member_id=None, body=BODY,
                cause="test", now=self.now, once=once, priority=priority, at=due if held else None,
            )  # fmt: skip

        seq: int = self.do(add)
        self.state[seq] = "held" if held else "queued"
        self.about[seq] = to, priority, due
        return seq

    @rule(minutes=st.integers(1, 4))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.do(lambda unit: unit.claims.release_due(self.now))
        for seq, state in self.state.items():
            if state == "held" and self.about[seq][2] <= self.now:
                self.state[seq] = "queued"

    @rule(room=st.integers(1, 3))
    def claims(self, room: int) -> None:
        taken = self.do(lambda unit: unit.claims.claim(LANE, self.gen, self.now, room).taken)
        assert len(taken) <= room
        for seq in [one.row.seq for one in taken]:
            to, priority, due = self.about[seq]
            assert self.state[seq] == "queued"
            assert due <= self.now
            others = [(n, state) for n, state in self.state.items() if n != seq and self.about[n][0] == to]
            assert all(state != "sending" for _, state in others), "two at once in one conversation"
            assert priority == 0 or all(state != "in_doubt" for _, state in others), "overtook a doubt"
            first = [n for n, state in others if state == "queued" and self.about[n][1] == priority]
            assert all(n > seq for n in first), "overtook an earlier one"
            self.state[seq], self.gen_of[seq] = "sending", self.gen

    @rule(seq=rows, to=st.sampled_from(["sent", "queued", "unreachable", "failed", "in_doubt"]), late=st.booleans())
    def answers(self, seq: int, to: str, late: bool) -> None:
        """What a platform said; `late`: to an owner who has lost the lane meanwhile."""
        gen = self.gen - 1 if late else self.gen_of.get(seq, self.gen)
        done = self.do(lambda unit: unit.claims.settle(seq, gen, to, self.now, due=self.now))
        allowed = self.state[seq] == "sending" and self.gen_of[seq] == gen
        assert done is allowed
        if allowed:
            self.state[seq] = to
            to_, priority, _ = self.about[seq]
            self.about[seq] = to_, priority, self.now

    @rule()
    def another_takes_over(self) -> None:
        found = self.takes()
        self.gen = found.held.gen
        for seq, state in self.state.items():
            if state == "sending":  # of those that killed their owner again and again nobody tries more
                self.state[seq] = "failed" if seq in found.failed else "in_doubt"

    @rule(seq=rows, to=st.sampled_from(["sent", "queued", "unconfirmed"]))
    def doubt_ends(self, seq: int, to: str) -> None:
        self.do(lambda unit: unit.claims.resolve(seq, to, self.now, ref="1" if to == "sent" else None))
        if self.state[seq] == "in_doubt":
            self.state[seq] = to
            self.about[seq] = *self.about[seq][:2], self.now

    @rule(seq=rows)
    def is_pressed(self, seq: int) -> None:
        self.do(lambda unit: unit.outbox.arrived(seq, self.now))
        if self.state[seq] in ("sending", "in_doubt", "unconfirmed"):
            self.state[seq] = "sent"

    @rule(seq=rows)
    def is_cancelled(self, seq: int) -> None:
        self.do(lambda unit: unit.outbox.cancel([seq], self.now))
        if self.state[seq] in ("queued", "held"):
            self.state[seq] = "cancelled"

    @precondition(lambda self: any(state == "sending" for state in self.state.values()))
    @rule()
    def nothing_is_born_sending(self) -> None:
        sending = [seq for seq, state in self.state.items() if state == "sending"]
        assert all(self.do(lambda unit, seq=seq: unit.outbox.get(seq)).sending_at is not None for seq in sending)

    @invariant()
    def every_row_is_where_it_may_be(self) -> None:
        found = dict(cohorts().database.execute("SELECT seq, state FROM outbox"))
        assert found == self.state


TestOutboxRow = OutboxMachine.TestCase
TestOutboxRow.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

"""The budget of attention, in one place: quiet hours in each person's own zone, and so many messages a week."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.hours import USUAL, Hours, next_allowed, next_card, read_hours, week_began
from storage.base import Moment
from storage.outbox_rows import COUNTED, NEVER_THERE, outbox
from storage.prepared import Prepared

QUIET_FROM = 2  # priorities: from here on, messages wait for the person's hours
A_WEEK = timedelta(days=8)  # longer than any person's week is over

# Not what surely never arrived; of what ended the program while it was sent, or was sent once more, nobody knows.
_COUNT = Prepared(
    sa.select(outbox.c.member_id, outbox.c.cause, outbox.c.sending_at).where(
        COUNTED,
        outbox.c.member_id.in_(sa.bindparam("members", expanding=True)),
        outbox.c.sending_at > sa.bindparam("since", type_=Moment),
        outbox.c.state.not_in([*(state for state in NEVER_THERE if state != "unconfirmed"), "held"])
        | (outbox.c.deaths > 0)
        | (outbox.c.resend_count > 0),
    )
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a programme allows itself: messages a week for one person, and their hours unless they chose others."""

    weekly_cap: int = 3
    hours: Hours = USUAL
    buyers_and_bidders_apart: bool = True


@dataclass(frozen=True, slots=True)
class Waits:
    """A message that would be sent to somebody now."""

    member_id: int
    time_zone: str
    hours: str | None
    priority: int
    counted: bool
    cause: str


@dataclass(slots=True)
class Attention:
    """How much each of some people have heard from the bot this week. The parts of one message count as one."""

    connection: Connection
    limits: Limits
    now: datetime
    heard: dict[int, dict[str, datetime]] = field(default_factory=dict)  # member -> cause -> when

    def look(self, members: Collection[int]) -> None:
        """Read what these people were sent; one statement, however many."""
        unknown = [number for number in members if number not in self.heard]
        if not unknown:
            return
        self.heard |= {number: {} for number in unknown}
        found = _COUNT.all(self.connection, members=unknown, since=self.now - A_WEEK)
        for number, cause, at in found:
            self.heard[number][cause] = at

    def delay(self, message: Waits) -> datetime | None:
        """Until when a message waits, or None when it may go now; then it counts."""
        if message.priority >= QUIET_FROM:
            hours = read_hours(message.hours, self.limits.hours)
            allowed = next_allowed(hours, self.now, message.time_zone)
            if allowed > self.now:
                return allowed
        heard = self.heard.setdefault(message.member_id, {})
        if not message.counted or message.cause in heard:
            return None
        if self.is_over(message.member_id, message.time_zone):
            return next_card(self.now, message.time_zone)
        heard[message.cause] = self.now
        return None

    def is_over(self, member: int, time_zone: str) -> bool:
        """Has this person had as many as a week allows?"""
        began = week_began(self.now, time_zone)
        return sum(at >= began for at in self.heard.get(member, {}).values()) >= self.limits.weekly_cap


def over_cap(connection: Connection, people: Mapping[int, str], now: datetime, limits: Limits) -> Iterable[int]:
    """Which of these people (member -> time zone) are at the weekly cap now: for a preview."""
    attention = Attention(connection, limits, now)
    attention.look(people)
    return [number for number, zone in people.items() if attention.is_over(number, zone)]

"""Alarms: facilitators are told on another platform when one is in trouble, once, and once more when it is over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.adapter import Watched
from bot.core.clock import Clock
from bot.core.context import Engine, as_card, reader_of
from bot.core.figures import Figures
from bot.core.listening import listens_elsewhere
from bot.core.log import get_logger
from bot.core.relay import Relay
from bot.core.replies import Say, Urgency, When, lines, t
from storage import Busy, Store, Turn, UnitOfWork
from storage.members import Reachable

log = get_logger("kawan.alarms")

LOOKS_APART = 15.0  # seconds
ANSWERS = 10.0  # seconds within which a database that is there has answered
SILENT_FOR = timedelta(minutes=10)  # a platform that is away for less needs nobody
AWAY_FOR = timedelta(minutes=1)  # the same for the database
AWAY_TOLD = timedelta(minutes=30)  # by whichever replica is the first
MANY_DOUBTS = 10
IN_DOUBT_FOR = timedelta(minutes=10)  # well after a doubt should have ended
GOOD_FOR = timedelta(days=1)  # an alarm that is older tells nothing any more


@dataclass(frozen=True, slots=True)
class Standing:
    """How one platform is, as far as this process knows. `refused` says why it does not let us in."""

    platform: str
    lane: str
    refused: str | None
    owns: bool
    listens: bool
    stands_by: bool  # another program may listen, and this one waits for its turn


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found about a platform: in what trouble it is, in a word, or that it is surely well."""

    kind: str | None = None
    well: bool = False
    said: Say = ""


class Alarms:
    """Looks at every platform now and then. What it says goes through the outbox, at once, at any hour."""

    def __init__(self, engine: Engine, store: Store, clock: Clock, relays: Sequence[Relay], figures: Figures) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._relays = relays
        self._figures = figures
        self._stir = asyncio.Event()
        self._refused: dict[str, str] = {}
        self._seen: dict[str, str | None] = {}  # the trouble found before: only a new one is told
        self._nobody: set[str] = set()  # alarms for which there was no receiver
        self._silent_since: dict[str, datetime] = {}
        self._away_since: datetime | None = None
        self._poison: dict[str, int] = {}

    def ended(self, platform: str, why: str) -> None:
        """A platform does not let us in any more."""
        self._refused[platform] = why
        self._stir.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOKS_APART):
                    await self._stir.wait()
            except TimeoutError:
                pass
            self._stir.clear()
            try:
                await self.look()
            except Exception as error:  # a mistake of ours must not end the looking
                log.error("look_failed", kind=type(error).__name__)

    async def look(self) -> None:
        """See how every platform is, and tell what is new."""
        now = self._clock.now()
        try:
            async with asyncio.timeout(ANSWERS):
                seen = await self._store.run(lambda unit: self._look(unit, now), Turn.TICK)
        except (Busy, TimeoutError, OSError) as error:
            if self._away_since is None:
                log.error("database_away", kind=type(error).__name__)
            self._away_since = self._away_since or now
            return
        self._seen |= seen
        self._away_since = None
        self._poison = {what: self._figures.of("poison", what) for what in ("row", "update")}

    def standings(self) -> list[Standing]:
        """How each platform is."""
        return [self._standing(relay) for relay in self._relays]

    def _standing(self, relay: Relay) -> Standing:
        adapter = relay.adapter
        trouble = adapter.trouble if isinstance(adapter, Watched) else None
        listens = adapter.is_listening if isinstance(adapter, Watched) else True
        refused = self._refused.get(adapter.name) or trouble
        return Standing(adapter.name, adapter.lane, refused, relay.owns, listens, listens_elsewhere(relay))

    def _look(self, unit: UnitOfWork, now: datetime) -> dict[str, str | None]:
        """One transaction; returns the trouble of each platform of which something is known."""
        standings = self.standings()
        since = self._away_since
        if since is not None and now - since >= AWAY_FOR and unit.troubles.is_new("database", now, AWAY_TOLD):
            self._tell(unit, now, "database", _database(since, now), self._to(unit, standings))
        for what, said in (("row", POISON_ROW), ("update", POISON_UPDATE)):
            if self._figures.of("poison", what) > self._poison.get(what, 0):
                self._tell(unit, now, f"poison:{what}", said, self._to(unit, standings))
        found: dict[str, str | None] = {}
        for standing in standings:
            seen = self._find(unit, standing, now)
            if self._tell_of(unit, standing, seen, now, standings):
                found[standing.platform] = seen.kind
        return found

    def _find(self, unit: UnitOfWork, standing: Standing, now: datetime) -> Seen:
        if standing.refused is not None:
            return Seen("refused", said=self._refusal(standing))
        if not standing.listens and not standing.stands_by:
            since = self._silent_since.setdefault(standing.platform, now)
            return Seen("silent", said=_silent(standing, since)) if now - since >= SILENT_FOR else Seen()
        self._silent_since.pop(standing.platform, None)
        if not standing.owns:
            return Seen()  # its owner knows better
        doubts = unit.backlog.doubted(standing.lane, now - IN_DOUBT_FOR)
        if doubts >= MANY_DOUBTS:
            return Seen("doubts", said=_doubts(standing, doubts))
        return Seen(well=doubts == 0)

    def _tell_of(
        self, unit: UnitOfWork, standing: Standing, seen: Seen, now: datetime, standings: Sequence[Standing]
    ) -> bool:
        """Tell what is new of a platform; False when nothing is known of it, or nobody could be told yet."""
        platform = standing.platform
        if seen.kind is not None and self._seen.get(platform) != seen.kind:
            to = self._to(unit, standings, platform)
            what = f"{platform}:{seen.kind}"
            if not to:  # perhaps the other platform has not told us yet who we are there
                return self._unheard(what)
            if unit.troubles.begin(platform, seen.kind, now):
                log.error("platform_in_trouble", platform=platform, trouble=seen.kind)
                self._tell(unit, now, what, seen.said, to)
        elif seen.well and unit.troubles.over(platform):
            log.info("platform_well_again", platform=platform)
            again = t("{platform} works again. What waited there is on its way.", platform=_called(standing))
            self._tell(unit, now, f"{platform}:over", again, self._to(unit, standings, platform))
        return seen.kind is not None or seen.well

    def _unheard(self, what: str) -> bool:
        """There is nobody to tell; that is logged once, and tried again."""
        if what not in self._nobody:
            log.error("nobody_to_alarm", about=what)
        self._nobody.add(what)
        return False

    def _to(self, unit: UnitOfWork, standings: Sequence[Standing], besides: str = "") -> list[Reachable]:
        """The facilitators, each at one account on a platform that works."""
        working = {one.lane for one in standings if one.refused is None and one.platform != besides}
        first: dict[int, Reachable] = {}
        for account in unit.members.facilitators_accounts():
            if account.lane in working:
                first.setdefault(account.member_id, account)
        return list(first.values())

    def _tell(self, unit: UnitOfWork, now: datetime, what: str, said: Say, to: Sequence[Reachable]) -> None:
        if not to:
            self._unheard(what)
        card = as_card(said)
        for account in to:
            content = self._engine.language.content(card, reader_of(account))
            for number, part in enumerate(self._engine.parts_on(account.platform, content)):
                unit.outbox.add(
                    idem=f"alarm:{what}:{now.isoformat()}:{account.member_id}:{number}",
                    key=self._engine.ids.key(),
                    lane=account.lane,
                    conversation=account.conversation,
                    member_id=account.member_id,
                    body=part.as_json(),
                    cause=f"alarm:{what}",
                    now=now,
                    priority=int(Urgency.SAFETY),
                    not_after=now + GOOD_FOR,
                )

    def _refusal(self, standing: Standing) -> Say:
        contact, why = self._engine.programme.operator_contact, standing.refused or ""
        tell = (
            t("Please tell whoever runs me, {contact}: “{why}”.", contact=contact, why=why)
            if contact
            else t("Please tell whoever runs me: “{why}”.", why=why)
        )
        return lines(
            t(
                "{platform} no longer lets me in: nobody reaches me there, and what I say there waits. "
                "Nothing is lost.",
                platform=_called(standing),
            ),
            lines(tell, t("The command “python3 -m bot doctor” says what to press.")),
            gap=True,
        )


POISON_ROW = t(
    "One message ended my program three times, so I no longer try to send it; all others go on. "
    "Please tell whoever runs me: the command “python3 -m bot doctor” shows its number."
)
POISON_UPDATE = t(
    "Something that came in ended my program three times, so I set it aside; all else goes on. "
    "Please tell whoever runs me."
)


def _called(standing: Standing) -> str:
    return standing.platform.capitalize()


def _silent(standing: Standing, since: datetime) -> Say:
    return t(
        "I have not reached {platform} since {time}. What people write there comes in later, and what I say there "
        "waits. You need do nothing; I tell you when it works again.",
        platform=_called(standing),
        time=When(since, "moment"),
    )


def _doubts(standing: Standing, count: int) -> Say:
    return t(
        "{platform} does not tell me whether {n} messages arrived. I keep asking, and what names somebody is not sent "
        "twice. I tell you when it is over.",
        platform=_called(standing),
        n=count,
    )


def _database(since: datetime, until: datetime) -> Say:
    return t(
        "My database did not answer from {began} to {ended}, so I could not either. "
        "Nothing that I had confirmed is lost.",
        began=When(since, "moment"),
        ended=When(until, "moment"),
    )

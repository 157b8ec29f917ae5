"""One event, the member whom it concerns, and what a handler may do."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from bot.core.chunks import Chunks
from bot.core.events import Address, Event, Occurrence, Sender
from bot.core.forms import Form
from bot.core.ids import Ids
from bot.core.language import Language, Reader
from bot.core.programme import Programme
from bot.core.replies import Card, Content, Lines, Pressable, Reply, Say, Text, Urgency, t
from bot.core.router import Role, Router
from bot.domain.profiles import Profile
from storage import UnitOfWork
from storage.access import Access, Viewer
from storage.members import Member, Reachable
from storage.outbox import Row

ONLY_FACILITATORS = t("Only facilitators can do this. To reach them, type help.")
BELOW = t("It is below.")
EARLIER = "earlier"  # in a stored body: the numbers of the parts before it
GROUPS = "slack"  # where a bot may open a chat for several people

Parts = Callable[[Content], list[Content]]
HOLD_SECONDS, MOST = 0.015, 250  # of one step of a message to many; writing it down takes as long again


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What every context shares; built once by the composition root.

    `parts` is, by platform, how a content becomes visible calls; `pages` are the platforms that open forms as pages;
    `chunks` says how many rows a step of a long work takes.
    """

    router: Router
    language: Language
    programme: Programme
    ids: Ids
    parts: Mapping[str, Parts] = field(default_factory=dict)
    pages: frozenset[str] = frozenset()
    chunks: Chunks = field(default_factory=lambda: Chunks(HOLD_SECONDS, MOST))

    def parts_on(self, platform: str, content: Content) -> list[Content]:
        """A content as the calls that show it on a platform."""
        split = self.parts.get(platform)
        return split(content) if split else [content]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """An account that is nobody's: it may show an invitation, and gets one neutral line."""

    sender: Sender
    address: Address
    event: Event
    code: str | None
    now: datetime
    store: UnitOfWork
    engine: Engine

    @property
    def language(self) -> str:
        """The platform's guess, if the bot speaks it."""
        guess = (self.sender.locale or "").split("-")[0].split("_")[0]
        return guess if guess in self.engine.language.offered else self.engine.programme.default_language

    def become(self, member: Member) -> "Context":
        """Go on as a member: the account was just bound to one."""
        return Context(self.engine, self.store, self.event, member, self.now, here=self.address)


class Context:
    """What a handler gets. It returns what it says back, and calls `send` to speak to anybody else.

    A handler does no network work and never commits; it sees other people only through `people`.
    """

    def __init__(
        self,
        engine: Engine,
        store: UnitOfWork,
        event: Event,
        me: Member,
        now: datetime,
        *,
        here: Address | None = None,
        text: str = "",
        value: str = "",
        message: int | None = None,
        object: int | None = None,  # noqa: A002
    ) -> None:
        self.engine = engine
        self.store = store
        self.event = event
        self.me = me
        self.now = now
        self.here = here
        self.text = text
        self.value = value
        self.message = message
        self.object = object
        self.about: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        self.later: list[Callable[[], Reply]] = []
        self.occurrence: Occurrence | None = None  # the date of a schedule that this is about
        self.not_before: datetime | None = None  # what is said to me waits until then
        self._said = 0

    @property
    def programme(self) -> Programme:
        """The programme's settings and content."""
        return self.engine.programme

    @property
    def ids(self) -> Ids:
        return self.engine.ids

    @cached_property
    def people(self) -> Access:
        """Other members, as far as I may see them."""
        viewer = Viewer(self.me.id, self.me.cohort_id, self.me.is_facilitator)
        return Access(
            self.store.connection,
            viewer,
            buyers_and_bidders_apart=self.programme.buyers_and_bidders_apart,
        )

    @property
    def profile(self) -> Profile:
        """My own profile."""
        return self.people.own()

    @property
    def reader(self) -> Reader:
        return Reader(self.me.language, self.me.time_zone, self.me.discreet)

    def say(self, what: Say) -> str:
        """A text in my language."""
        return self.engine.language.say(what, self.reader)

    def form(self, name: str) -> Form:
        """A form by name."""
        return self.engine.router.forms[name][0]

    def finish(self, form: str) -> Reply:
        """Run the handler of a finished form; the role is asked again, it may have changed since the first question."""
        route = self.engine.router.forms[form][1]
        if route.role is Role.FACILITATOR:
            if not self.me.is_facilitator:
                return ONLY_FACILITATORS
            self.note(route.name)
        return route.handler(self)

    def word_of(self, text: str) -> str | None:
        """The word that a text is: one of its forms in any language, or its own name."""
        name = text.strip().casefold()
        return self.programme.content.word_of(text) or (name if name in self.engine.router.words else None)

    def last_said(self) -> Row | None:
        """The newest message to me where I write now, or change of one; None when it is in another app of mine."""
        row, here = self.store.homes.last_said(self.me.id), self.here
        is_elsewhere = (
            row is not None and here is not None and here.is_private and here.conversation != row.conversation
        )
        return None if is_elsewhere else row

    def shown(self) -> tuple[Pressable, ...]:
        """The buttons under it."""
        row = self.last_said()
        return Content.from_json(row.body).buttons if row is not None and row.body else ()

    def after(self, reply: Callable[[], Reply]) -> None:
        """Say something more, in a message of its own, once the reply is said."""
        self.later.append(reply)

    def refresh(self) -> None:
        """Read myself anew after a change."""
        found = self.store.members.lock(self.me.id)
        assert found is not None
        self.me = found
        self.__dict__.pop("people", None)

    def send(
        self,
        to: int,
        reply: str | Text | Lines | Card,
        *,
        about: Collection[int] = (),
        on_behalf: int | None = None,
        at: datetime | None = None,
        urgency: Urgency = Urgency.REPLY,
        once: bool = False,
        counted: bool | None = None,
        purpose: str | None = None,
        not_after: datetime | None = None,
    ) -> int | None:
        """Say something to a member, in their language, where they are; the message's number, or None if nowhere.

        `about` are members whom it names: it is cancelled if they hide or leave before it goes. `once` is for whatever
        names a third person: it is never sent twice, not even in doubt. `counted` for the weekly cap: by default what
        waits for the person's hours, too. `purpose` is the consent without which it is not sent.
        """
        found = self.store.members.where(to)
        if found is None:
            return None
        address = Address(found.platform, found.installation, found.conversation)
        return self._queue(
            to,
            address,
            as_card(reply),
            reader_of(found),
            about=about,
            on_behalf=on_behalf,
            at=at,
            urgency=urgency,
            once=once,
            counted=urgency >= Urgency.QUESTION if counted is None else counted,
            purpose=purpose,
            not_after=not_after,
        )

    def send_group(self, members: Sequence[int], card: Card) -> bool:
        """Open a chat for these members with one message; False where they share no place in which a bot may do so.

        The card may name nobody: it stays with the others when one of them is erased.
        """
        place = self.store.members.in_one_place(members, GROUPS)
        if place is None:
            return False
        installation, accounts = place
        address = Address(GROUPS, installation, f"group:{','.join(accounts)}")
        languages = {found.language for found in map(self.store.members.where, members) if found is not None}
        language = languages.pop() if len(languages) == 1 else self.programme.default_language
        discreet = any(found.discreet for found in map(self.store.members.where, members) if found is not None)
        reader = Reader(language, self.me.time_zone, discreet)
        self._queue(None, address, card, reader, about=members, once=True)
        return True

    def reply(self, reply: Reply, *, at: datetime | None = None) -> int | None:
        """Say something to the person of this event, where they wrote from; `at` holds it back until then."""
        if reply is None:
            return None
        if self.here is None or not self.here.is_private:
            return self.send(self.me.id, reply, at=at)  # type: ignore[arg-type]
        return self._queue(self.me.id, self.here, as_card(reply), self.reader, at=at)

    def show(self, card: Card, *, about: Collection[int] = ()) -> None:
        """Put a card on the page that was opened, in place of what waits to be shown; nothing if it stands there."""
        if self.here is None:
            return
        waiting, standing = self.store.homes.stands(self.me.id, self.here.conversation)
        self.store.outbox.cancel(waiting, self.now)
        if standing != self.engine.language.content(card, self.reader).as_json():
            self._queue(self.me.id, self.here, card, self.reader, about=about, once=True)

    def greet(self, address: Address, card: Card, language: str) -> int:
        """Say the first thing to somebody who was invited and is no member yet: the row names no member."""
        return self._queue(None, address, card, Reader(language, self.me.time_zone))

    def farewell(self, reply: str | Text | Lines | Card) -> None:
        """Say a last thing to somebody who was just erased: the row names no member."""
        if self.here is not None:
            self._queue(None, self.here, as_card(reply), self.reader)

    def _queue(
        self,
        to: int | None,
        address: Address,
        card: Card,
        reader: Reader,
        *,
        about: Collection[int] = (),
        on_behalf: int | None = None,
        at: datetime | None = None,
        urgency: Urgency = Urgency.REPLY,
        once: bool = False,
        counted: bool = False,
        purpose: str | None = None,
        not_after: datetime | None = None,
    ) -> int:
        """Put a card in line, one row a visible call; returns the number of the last, which has the buttons."""
        if at is None and to == self.me.id:
            at = self.not_before
        content = self.engine.language.content(card, reader)
        numbers: list[int] = []
        for part in [content] if address.is_home else self.engine.parts_on(address.platform, content):
            number = self.store.outbox.add(
                idem=self._idem(),
                key=self.ids.key(),
                lane=address.lane,
                conversation=address.conversation,
                member_id=to,
                body=part.as_json() | ({EARLIER: tuple(numbers)} if numbers else {}),
                cause=self.event.id,
                now=self.now,
                once=once,
                priority=int(urgency),
                on_behalf=on_behalf,
                about={*about, *card.about},
                at=at,
                counted=counted,
                purpose=purpose,
                not_after=not_after,
            )
            numbers.append(number)
        return numbers[-1]

    def edit(
        self, message: int, reply: str | Text | Lines | Card, *, about: Collection[int] = (), anew: bool = False
    ) -> int | None:
        """Change a message of mine or, by its number, one that this feature sent; returns where it stands now.

        What no longer fits into one message becomes new ones, and the old one says so. `anew`: the new words name
        nobody whom the old ones named, so they are said even where those may not be named any more.
        """
        row = self.store.outbox.get(message)
        if row is None or row.member_id is None:
            return None
        found = self.store.members.where(row.member_id)
        if not self._is_still_there(row, found):
            return self.send(row.member_id, reply, about=about, once=row.once)
        reader = self.reader if row.member_id == self.me.id or found is None else reader_of(found)
        platform, _, installation = row.lane.partition(":")
        card = as_card(reply)
        content = self.engine.language.content(card, reader)
        whole = len(self.engine.parts_on(platform, content)) == 1
        self.store.outbox.cancel(earlier_parts(row), self.now)  # if they have not left, neither do the old words
        self.store.outbox.change(
            message,
            idem=self._idem(),
            key=self.ids.key(),
            body=(content if whole else self.engine.language.content(Card(BELOW), reader)).as_json(),
            cause=self.event.id,
            now=self.now,
            about={*about, *card.about},
            anew=anew,
        )
        if whole:
            return message
        address = Address(platform, installation, row.conversation)
        return self._queue(row.member_id, address, card, reader, about=about, once=row.once)

    def delete(self, message: int) -> None:
        """Take a message off the screen on which it stands, as far as its platform can."""
        self.store.outbox.unsay(message, idem=self._idem(), key=self.ids.key(), cause=self.event.id, now=self.now)

    def _is_still_there(self, row: Row, found: Reachable | None) -> bool:
        """Does the chat with this message still belong to its member? They may have forgotten that app since."""
        here = self.here if row.member_id == self.me.id else None
        if found is None or (here is not None and (here.lane, here.conversation) == (row.lane, row.conversation)):
            return True
        mine = self.store.members.accounts(found.member_id)
        return any((one.lane, one.conversation) == (row.lane, row.conversation) for one in mine)

    def _idem(self) -> str:
        self._said += 1
        if self.occurrence is not None:
            return f"ci:{self.occurrence.schedule}:{self.occurrence.key}:{self.me.id}:{self._said}"
        return f"re:{self.event.id}:{self.me.id}:{self._said}"

    def note(self, action: str, about: int | None = None) -> None:
        """Write a privileged act into the audit."""
        self.store.audit.note(self.me.cohort_id, self.me.id, action, self.now, about)


def reader_of(found: Reachable) -> Reader:
    """How somebody reads what is sent to them."""
    return Reader(found.language, found.time_zone, found.discreet)


def earlier_parts(row: Row | None) -> list[int]:
    """The parts before the last one of a message that was too long for one call."""
    return list((row.body or {}).get(EARLIER, ())) if row is not None else []


def take_back(store: UnitOfWork, message: int, now: datetime) -> int:
    """Cancel a message with all its parts, as far as they have not left yet; how many had not."""
    return store.outbox.cancel([*earlier_parts(store.outbox.get(message)), message], now)


def as_card(reply: Any) -> Card:
    """A text as the card that says only this."""
    return reply if isinstance(reply, Card) else Card(reply)

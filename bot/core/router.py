"""Which handler answers which event; help, menus and manifests are made from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.forms import Form
from bot.core.replies import Ask, Card, Reply, Say

if TYPE_CHECKING:
    from bot.core.context import Context, Stranger

Handler = Callable[["Context"], Reply]
StrangerHandler = Callable[["Stranger"], "Reply | tuple[Context, Reply]"]
FileMaker = Callable[["Context"], bytes]


class Role(StrEnum):
    """What a member must be to use a route."""

    MEMBER = "member"  # everybody in the cohort, facilitators too
    FACILITATOR = "facilitator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in. `anytime`: also for somebody who has not finished joining, or is leaving.

    `again`: its handler answers a press on a button that is not offered any more, too.
    """

    name: str
    handler: Handler
    role: Role = Role.MEMBER
    help: Say | None = None
    takes_text: bool = False
    anytime: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rider:
    """A part of the weekly card that a feature contributes; the order of features is the order of parts.

    `find` gives the number of what waits for this person, or None; `show` the part, or None when it is over meanwhile;
    `listens` the form that takes what is typed while the part is shown. Parts that are not `main` are small: they come
    last, and two at a time. A part that `asks` is only for those who agreed to questions and did not pause them.
    """

    name: str
    find: "Callable[[Context], int | None]"
    show: "Callable[[Context, int], Card | None]"
    listens: "Callable[[Context, int], Ask | None]"
    main: bool = False
    asks: bool = True


@dataclass
class Router:
    """Routes of one feature; `Router(joining.router, allies.router)` joins several, and refuses doubles."""

    words: dict[str, Route] = field(default_factory=dict)
    presses: dict[str, Route] = field(default_factory=dict)
    forms: dict[str, tuple[Form, Route]] = field(default_factory=dict)
    dues: dict[str, Route] = field(default_factory=dict)
    files: dict[str, FileMaker] = field(default_factory=dict)
    slots: dict[str, Handler | StrangerHandler] = field(default_factory=dict)
    riders: dict[str, Rider] = field(default_factory=dict)

    @classmethod
    def of(cls, *children: "Router") -> "Router":
        """All routes of several routers."""
        whole = cls()
        for child in children:
            for name in ("words", "presses", "forms", "dues", "files", "slots", "riders"):
                mine, theirs = getattr(whole, name), getattr(child, name)
                if doubled := mine.keys() & theirs.keys():
                    raise ValueError(f"two handlers for {name}: {', '.join(sorted(doubled))}")
                mine.update(theirs)
        return whole

    def word(
        self,
        name: str,
        *,
        help: Say | None = None,  # noqa: A002
        role: Role,
        takes_text: bool = False,
        anytime: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Answer a word, in any language and with or without a slash; `help` puts it on the help card."""

        def add(handler: Handler) -> Handler:
            self.words[name] = Route(
                name=name, handler=handler, role=role, help=help, takes_text=takes_text, anytime=anytime
            )
            return handler

        return add

    def press(
        self, action: str, *, role: Role, anytime: bool = False, again: bool = False
    ) -> Callable[[Handler], Handler]:
        """Answer a press; the reply changes the message that was pressed.

        With `again` also one on a button that is gone meanwhile, as from a second device: that reply is a new message.
        """

        def add(handler: Handler) -> Handler:
            self.presses[action] = Route(name=action, handler=handler, role=role, anytime=anytime, again=again)
            return handler

        return add

    def form(self, form: Form, *, role: Role, anytime: bool = False) -> Callable[[Handler], Handler]:
        """Answer a finished form; its answers are in `ctx.answers`, what it was about in `ctx.about`."""

        def add(handler: Handler) -> Handler:
            self.forms[form.name] = (form, Route(name=form.name, handler=handler, role=role, anytime=anytime))
            return handler

        return add

    def due(self, name: str) -> Callable[[Handler], Handler]:
        """Do what a timer asks, for one member (`ctx.me`), about one object (`ctx.object`)."""

        def add(handler: Handler) -> Handler:
            self.dues[name] = Route(name=name, handler=handler, anytime=True)
            return handler

        return add

    def file(self, source: str) -> Callable[[FileMaker], FileMaker]:
        """Make a file when it is sent, for the member it is about (`ctx.me`)."""

        def add(maker: FileMaker) -> FileMaker:
            self.files[source] = maker
            return maker

        return add

    def rider(
        self,
        name: str,
        *,
        find: "Callable[[Context], int | None]",
        listens: "Callable[[Context, int], Ask | None] | None" = None,
        main: bool = False,
        asks: bool = True,
    ) -> "Callable[[Callable[[Context, int], Card | None]], Callable[[Context, int], Card | None]]":
        """Ride on the weekly card: the function shows the part."""

        def add(show: "Callable[[Context, int], Card | None]") -> "Callable[[Context, int], Card | None]":
            hears = listens or (lambda ctx, number: None)
            self.riders[name] = Rider(name=name, find=find, show=show, listens=hears, main=main, asks=asks)
            return show

        return add

    def search(self, handler: Handler) -> Handler:
        """Answer everything that is not a word or an answer."""
        self.slots["search"] = handler
        return handler

    def arrival(self, handler: StrangerHandler) -> StrangerHandler:
        """Answer an account that is nobody's."""
        self.slots["arrival"] = handler
        return handler

    def opened(self, handler: Handler) -> Handler:
        """Show a person's page (`ctx.show`) to somebody who has opened it, where their app has one."""
        self.slots["opened"] = handler
        return handler

    def unfinished(self, handler: Handler) -> Handler:
        """Go on with somebody who has not finished joining."""
        self.slots["unfinished"] = handler
        return handler

    def leaving(self, handler: Handler) -> Handler:
        """Answer somebody who is leaving, within their day to undo."""
        self.slots["leaving"] = handler
        return handler

    def emergency(self, handler: Handler) -> Handler:
        """Answer somebody who says that they are in danger, in any step."""
        self.slots["emergency"] = handler
        return handler

"""The one path that every event takes: inbox, member, question, word, search, role, handler, outbox, commit, Ack."""

import traceback
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from bot.core import forms
from bot.core.adapter import Ack, MenuFor, Page
from bot.core.asking import Asking
from bot.core.cleaning import LONGEST_TEXT, clean_text
from bot.core.clock import Clock, monotonic
from bot.core.context import ONLY_FACILITATORS, Context, Engine, Stranger, as_card, take_back
from bot.core.events import (
    Command,
    Deleted,
    Disconnected,
    Due,
    Edited,
    Event,
    Message,
    Opened,
    PersonEvent,
    Press,
    Reachable,
    Submit,
    Unreadable,
)
from bot.core.figures import Figures
from bot.core.ids import read_button_handle
from bot.core.in_hand import Deadly, InHand
from bot.core.language import Reader
from bot.core.log import get_logger
from bot.core.replies import Ask, Content, Pressable, Reply, t
from bot.core.router import Role, Route
from storage import Busy, Store, Turn, UnitOfWork
from storage.dialogs import Dialog
from storage.homes import HOME
from storage.members import LIVE
from storage.outbox import Row

log = get_logger("kawan.dispatcher")

BUTTONS_LAST = timedelta(days=90)
LONGEST_LABEL = 75
NEVER_PROPOSED = {"safe", "leave", "stop", "start", "invite", "link", "undo", "yes", "no"}
IN_ANY_QUESTION = {"help", "safe", "leave", "stop", "undo", "visible"}  # even while somebody is joining
ALSO_NAMES = {"aman", "ligtas"}  # safe, in Indonesian and in Filipino
MAY_ANSWER = {"yes", "no", "hello", "thanks", "change", "stuck", "people"}
A_MINUTE = 20
PAGE_OPENS = timedelta(seconds=5)  # for so long a form's first question waits for its page


class DueFailed(Exception):
    """A timer's handler raised: nothing of it was kept, and it is to be tried again later."""


class Dispatcher:
    """Turns events into committed effects. `a_minute` limits one account's events; None does not."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        clock: Clock,
        *,
        a_minute: int | None = A_MINUTE,
        in_hand: InHand | None = None,
        figures: Figures | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._a_minute = a_minute
        self._in_hand = in_hand
        self._figures = figures or Figures()
        self._recent: OrderedDict[str, deque[datetime]] = OrderedDict()
        self.asking = Asking(engine, self._say)

    async def receive(self, event: Event) -> Ack:
        """Take an event in and return the answer to its request, after the commit.

        Raises Busy when the database cannot take it: the platform is then not acknowledged and delivers it again.
        """
        now, arrived = self._clock.now(), monotonic()
        over = self._over_limit(event, now)
        turn = Turn.TICK if isinstance(event, Due) else Turn.EVENT
        try:
            ack = await self._store.run(lambda unit: self._survive(unit, event, now, over), turn)
            self._figures.took("taken_in", monotonic() - arrived, type(event).__name__.lower())
            return ack
        except (Busy, OSError):
            self._figures.add("event", "put_off")
            raise
        except Exception as error:
            self._figures.add("event", "failed")
            error_id = self._engine.ids.error()
            if isinstance(error, Deadly):
                self._figures.add("poison", "update")
            log.error(
                "handler_failed",
                of=type(event).__name__,
                error_id=error_id,
                kind=type(error).__name__,
                at=_places(error),
            )
            if isinstance(event, Due):
                raise DueFailed(error_id) from None
            return await self._store.run(lambda unit: self._apologise(unit, event, now, error_id), turn)

    def _survive(self, unit: UnitOfWork, event: Event, now: datetime, over: int) -> Ack:
        """The same, timed, with a note on disk for the case that the process does not live to the end of it."""
        began = monotonic()
        try:
            if self._in_hand is None:
                return self.turn(unit, event, now, over=over)
            with self._in_hand.holding(source_of(event), event.id):
                return self.turn(unit, event, now, over=over)
        finally:
            self._figures.took("handler", monotonic() - began, type(event).__name__.lower())

    def turn(self, unit: UnitOfWork, event: Event, now: datetime, *, over: int = 0) -> Ack:
        """The whole path of one event, inside one transaction."""
        source = source_of(event)
        if not unit.inbox.accept(source, event.id, now):
            self._figures.add("event", "repeat")
            return _ack_from(unit.inbox.ack(source, event.id))
        self._figures.add("event", "taken")
        if isinstance(event, Due):
            return self._due(unit, event, now)
        if isinstance(event, Disconnected):
            return Ack()
        ack = self._person(unit, event, now, over)
        if ack != Ack():
            unit.inbox.keep_ack(source, event.id, {"toast": ack.toast, "note": ack.note, "problems": ack.problems})
        return ack

    def _over_limit(self, event: Event, now: datetime) -> int:
        """By how many an account is over its events a minute."""
        if self._a_minute is None or isinstance(event, Due | Disconnected | Reachable | Opened):
            return 0
        account = f"{event.sender.platform}:{event.sender.installation}:{event.sender.id}"
        recent = self._recent.setdefault(account, deque(maxlen=self._a_minute + 2))
        self._recent.move_to_end(account)
        while len(self._recent) > 10_000:
            self._recent.popitem(last=False)
        while recent and abs(now - recent[0]) > timedelta(minutes=1):  # a clock that was put back leaves some ahead
            recent.popleft()
        recent.append(now)
        return max(0, len(recent) - self._a_minute)

    def _due(self, unit: UnitOfWork, event: Due, now: datetime) -> Ack:
        route = self._engine.router.dues[event.name]
        for number in event.members:
            member = unit.members.lock(number)
            if member is not None and member.state != "left":
                ctx = Context(self._engine, unit, event, member, now, object=event.object)
                self._say(ctx, route.handler(ctx))
        return Ack()

    def _person(self, unit: UnitOfWork, event: PersonEvent, now: datetime, over: int) -> Ack:
        sender = event.sender
        found = unit.members.recognise(sender.platform, sender.installation, sender.id)
        if isinstance(event, Reachable):
            unit.members.set_reachable(sender.platform, sender.installation, sender.id, event.yes)
            return Ack()
        if found is None or found[0].state in ("locked", "left"):
            return self._stranger(unit, event, now, over)
        member, conversation = found
        if event.address.is_private and event.address.conversation != conversation:
            unit.members.moved(sender.platform, sender.installation, sender.id, event.address.conversation)
        ctx = Context(self._engine, unit, event, member, now, here=event.address)
        if over and not self._is_urgent(ctx, event):
            if over == 1:
                ctx.reply(t("That is a lot at once. Please wait a minute, then go on."))
            return Ack()
        ack = self._with_menu(self._member(ctx, event), ctx)
        if event.address.is_private or event.address.is_home or ack.open is not None or ack.toast:
            return ack
        return replace(ack, note=self._aside(ctx))

    def _with_menu(self, ack: Ack, ctx: Context) -> Ack:
        """With what the person's menu of commands is made for, where a platform shows one."""
        if ctx.me.state not in LIVE:
            return ack
        return replace(ack, menu=MenuFor(ctx.me.language, ctx.me.is_facilitator))

    def _is_urgent(self, ctx: Context, event: PersonEvent) -> bool:
        """Safety is never turned away, however much was sent before it."""
        match event:
            case Message(text=text):
                text = clean_text(text)
                return self._engine.programme.content.is_emergency(text) or ctx.word_of(text.lstrip("/")) == "safe"
            case Command(name=name):
                return ctx.word_of(clean_text(name)) == "safe"
        return False

    def _aside(self, ctx: Context) -> str:
        return ctx.say(t("I answered you in our direct chat."))

    def _stranger(self, unit: UnitOfWork, event: PersonEvent, now: datetime, over: int) -> Ack:
        stranger = Stranger(
            sender=event.sender,
            address=event.address,
            event=event,
            code=_code_in(event),
            now=now,
            store=unit,
            engine=self._engine,
        )
        handler: Any = self._engine.router.slots["arrival"]
        if over:
            return Ack()
        reply = handler(stranger)
        if reply is None:
            return Ack()
        if isinstance(reply, tuple):  # they are a member now, and are answered as one
            return self._with_menu(self._say(*reply), reply[0])
        reader = Reader(stranger.language, self._engine.programme.default_time_zone)
        content = self._engine.language.content(as_card(reply), reader)
        if not event.address.is_private and not event.address.is_home:
            return Ack(note=content.text)
        unit.outbox.add(
            idem=f"re:{source_of(event)}:{event.id}:0",
            key=self._engine.ids.key(),
            lane=event.address.lane,
            conversation=event.address.conversation,
            member_id=None,
            body=content.as_json(),
            cause=event.id,
            now=now,
        )
        return Ack()

    def _member(self, ctx: Context, event: PersonEvent) -> Ack:
        match event:
            case Press():
                return self._press(ctx, event)
            case Submit():
                return self._submit(ctx, event)
            case Command():
                return self._command(ctx, clean_text(event.name), clean_text(event.text))
            case Message():
                return self._message(ctx, clean_text(event.text), event.text)
            case Unreadable():
                return self._say(ctx, self._unreadable(ctx))
            case Edited():
                return self._say(ctx, t("I keep what you wrote first. To correct something about you, type me."))
            case Opened():
                return self._opened(ctx)
            case Deleted():
                return self._say(ctx, t("What I stored stays until you change it. To correct it, type me."))
            case _:
                return Ack()

    def _opened(self, ctx: Context) -> Ack:
        """What stands on the person's page is made anew each time that they look at it."""
        handler: Any = self._engine.router.slots["opened"]
        return self._say(ctx, handler(ctx))

    def _unreadable(self, ctx: Context) -> Reply:
        sentence = t("I can only read text. Nothing was stored. Please type your answer.")
        waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
        return forms.question(ctx, waiting, sentence) if waiting else sentence

    def _message(self, ctx: Context, text: str, raw: str) -> Ack:
        if self._engine.programme.content.is_emergency(text):
            return self._run_slot(ctx, "emergency")
        slashed = text.startswith("/")
        if slashed:
            name, _, rest = text[1:].partition(" ")
            return self._command(ctx, name, rest.strip())
        waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
        word = ctx.word_of(text)
        if waiting is not None and (decided := self._decides_beside(ctx, waiting, word, text)):
            return decided
        if waiting is not None and not self._leaves(ctx, waiting, word, text):
            if not self._was_only_a_page(ctx, waiting):
                return self._say(ctx, forms.take_text(ctx, waiting, text))
            if ctx.form(waiting.form).firm:
                return self._ask_here(ctx, waiting)
            ctx.store.dialogs.end(waiting)
        if not text:
            return self._say(ctx, t("I got an empty message. Just write what you are looking for, or type help."))
        if len(text) > LONGEST_TEXT:
            return self._say(
                ctx,
                t(
                    "That is longer than I can keep ({n} characters). Nothing was saved yet. "
                    "Please send a shorter version, or split it.",
                    n=f"{LONGEST_TEXT:,}",
                ),
            )
        if word in self._engine.router.words:
            return self._word(ctx, self._engine.router.words[word], "", waiting)
        route, rest = self._word_with_text(ctx, text)
        if route is not None:
            return self._word(ctx, route, rest)
        ctx.text = text
        return self._typed_button(ctx, text, _named_by(ctx, text)) or self._run_slot(ctx, "search")

    def _decides_beside(self, ctx: Context, waiting: Dialog, word: str | None, text: str) -> Ack | None:
        """A typed label presses where the question is gentle, or something grave was shown since; also yes and no."""
        shown = _named_by(ctx, text)
        is_grave = any(one.style == "danger" for one in shown)
        if is_grave and word in ("yes", "no") and any(ctx.word_of(one.label.split(",")[0]) == word for one in shown):
            return self._run(ctx, replace(self._engine.router.words[word], anytime=True))
        return self._typed_button(ctx, text, shown) if is_grave or ctx.form(waiting.form).gentle else None

    def _leaves(self, ctx: Context, waiting: Dialog, word: str | None, text: str) -> bool:
        """Is this no answer? A word of the bot alone is obeyed, where it cannot be one; joining has to be finished."""
        if waiting.field == "name" and word == "safe":
            return text.casefold().strip(" .!") not in ALSO_NAMES
        if waiting.field == "name" or ctx.form(waiting.form).firm:
            return word in IN_ANY_QUESTION
        route = self._engine.router.words.get(word or "")
        # A facilitator's word, such as session, is a fellow's answer like any other.
        return route is not None and word not in MAY_ANSWER and (route.role is Role.MEMBER or ctx.me.is_facilitator)

    def _was_only_a_page(self, ctx: Context, waiting: Dialog) -> bool:
        """Was this form only ever a page, which the person has closed? Platforms do not tell of that."""
        if not self._engine.pages or waiting.question is None:
            return False
        row = ctx.store.outbox.get(waiting.question)
        return row is not None and row.state == "cancelled"

    def _ask_here(self, ctx: Context, waiting: Dialog) -> Ack:
        """Ask in the chat what the closed page asked: nobody answers a question that is not to be seen."""
        number = ctx.reply(forms.question(ctx, waiting))
        if number is not None:
            ctx.store.dialogs.asked(waiting.id, number)
        return Ack()

    def _word_with_text(self, ctx: Context, text: str) -> tuple[Route | None, str]:
        """A word that takes text, at the beginning; in some languages it is two or three words long."""
        parts = text.split(" ", 3)
        for length in range(min(3, len(parts) - 1), 0, -1):
            route = self._engine.router.words.get(ctx.word_of(" ".join(parts[:length])) or "")
            if route is not None and route.takes_text:
                return route, " ".join(parts[length:]).strip()
        return None, ""

    def _typed_button(self, ctx: Context, text: str, shown: Sequence[Pressable]) -> Ack | None:
        """A button's label, typed instead of pressed, is a press on the newest message."""
        typed = text.casefold()
        for button in shown:
            route = self._engine.router.presses.get(button.action)
            if button.label.casefold() == typed and route is not None:
                ctx.value = button.value
                return self._run(ctx, route)
        return None

    def _command(self, ctx: Context, name: str, rest: str) -> Ack:
        whole = rest if not name else ""
        if not name:  # one command for all words: `/kawan find Bat`, and `/kawan Bat` is a search
            name, _, rest = rest.partition(" ")
        name = name.split("@")[0]  # Telegram names the bot in groups
        word = ctx.word_of(name)
        route = self._engine.router.words.get(word or "")
        if route is not None:
            asked = ctx.store.dialogs.open_of(ctx.me.id, ctx.now) if word == "help" else None
            return self._word(ctx, route, rest, asked)
        waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
        if waiting is not None and word is not None:
            return self._say(ctx, forms.take_text(ctx, waiting, word))
        if word in forms.STEPS:
            ctx.text = word
            return self._run_slot(ctx, "search")
        if whole and nearest_word(ctx, whole) is None:
            ctx.text = whole
            return self._run_slot(ctx, "search")
        return self._say(ctx, self.did_you_mean(ctx, name))

    def did_you_mean(self, ctx: Context, typed: str) -> Reply:
        """For a word that is none: the nearest one, never one that sends, hides or erases."""
        near = nearest_word(ctx, typed)
        if near is None:
            return t(
                "I do not know {typed}. Type help for the list, or just write what you are looking for.",
                typed=typed[:40],
            )
        return t("I do not know {typed}. Did you mean {near}? Type help for the list.", typed=typed[:40], near=near)

    def _word(self, ctx: Context, route: Route, text: str, waiting: Dialog | None = None) -> Ack:
        if waiting is not None and not ctx.form(waiting.form).gentle:
            ctx.after(lambda: _asked_again(ctx, waiting))
        ctx.text = text
        return self._run(ctx, route)

    def _run_slot(self, ctx: Context, slot: str) -> Ack:
        handler: Any = self._engine.router.slots[slot]
        return self._run(ctx, Route(name=slot, handler=handler, anytime=slot == "emergency"))

    def _run(self, ctx: Context, route: Route) -> Ack:
        """State, then role, then the handler; a privileged route leaves an audit row."""
        if not route.anytime and ctx.me.state in ("arriving", "joining", "leaving"):
            slot = "leaving" if ctx.me.state == "leaving" else "unfinished"
            handler: Any = self._engine.router.slots[slot]
            return self._say(ctx, handler(ctx))
        if route.role is Role.FACILITATOR:
            if not ctx.me.is_facilitator:
                return self._refuse(ctx)
            ctx.note(route.name)
        return self._say(ctx, route.handler(ctx))

    def _refuse(self, ctx: Context) -> Ack:
        if isinstance(ctx.event, Press):
            return Ack(toast=ctx.say(ONLY_FACILITATORS))
        return self._say(ctx, ONLY_FACILITATORS)

    def _press(self, ctx: Context, event: Press) -> Ack:
        read = read_button_handle(event.handle)
        row = ctx.store.outbox.by_key(read[0]) if read else None
        if row is not None and row.member_id not in (None, ctx.me.id):
            return Ack(toast=ctx.say(t("This button is not for you.")))
        buttons = Content.from_json(row.body).buttons if row is not None and row.body else ()
        if row is None or read is None or read[1] >= len(buttons) or ctx.now - row.created_at > BUTTONS_LAST:
            log.warning("unknown_button", platform=event.sender.platform)
            return Ack(toast=ctx.say(t("That button no longer works. Type help.")))
        ctx.store.outbox.arrived(row.seq, ctx.now)
        button = buttons[read[1]]
        if row.conversation.startswith(HOME):  # a page stays as it is: what is pressed there is answered in the chat
            ctx.value = button.value
            ack = self._pressed(ctx, button.action)
            return ack if ack.toast or ack.open else replace(ack, note=self._aside(ctx))
        ctx.message, ctx.value = row.message, button.value
        if button.action.startswith("form."):
            return self._form_press(ctx, button.action, row)
        newest = ctx.store.outbox.newest(row.message)
        if newest is not None and newest.seq != row.seq and not _still_offers(newest, button.action, button.value):
            route = self._engine.router.presses.get(button.action)
            if route is None or not route.again:
                return Ack(toast=ctx.say(t("Already saved. Nothing changed.")))
            ctx.message = None
        return self._pressed(ctx, button.action)

    def _pressed(self, ctx: Context, action: str) -> Ack:
        route = self._engine.router.presses.get(action)
        if route is None:
            return Ack(toast=ctx.say(t("That button no longer works. Type help.")))
        return self._run(ctx, route)

    def _form_press(self, ctx: Context, action: str, row: Row) -> Ack:
        number, _, rest = ctx.value.partition(":")
        version, _, value = rest.partition(":")
        waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
        if waiting is None:
            return Ack(toast=ctx.say(t("That question is closed. Nothing changed.")))
        if (str(waiting.id), str(waiting.version)) != (number, version):
            if str(waiting.id) == number and _same_choice(waiting.answers, value):
                return Ack(toast=ctx.say(t("Already saved. Nothing changed.")))
            earlier = t("That was an earlier question. Here is the current one:")
            ctx.message = None
            return self._say(ctx, forms.question(ctx, waiting, earlier))
        if action == "form.choose":
            return self._say(ctx, forms.take_choice(ctx, waiting, value))
        return self._say(ctx, forms.take_step(ctx, waiting, action.removeprefix("form.")))

    def _submit(self, ctx: Context, event: Submit) -> Ack:
        waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
        if waiting is None or waiting.id != event.dialog:
            return Ack(toast=ctx.say(t("That question is closed. Nothing changed.")))
        reply, problems = forms.take_page(ctx, waiting, event.answers)
        if problems:
            return Ack(problems=problems)
        if waiting.question is not None:  # the page was faster than the word that it is open
            take_back(ctx.store, waiting.question, ctx.now)
        return self._say(ctx, reply)

    def _say(self, ctx: Context, reply: Reply) -> Ack:
        """Put a reply, and what comes after it, into the outbox; a press changes the message it sits on."""
        page = self._put(ctx, reply)
        while ctx.later:
            ctx.message = None
            following = self._put(ctx, ctx.later.pop(0)())
            page = page or following  # one press opens one page; a second form is asked in the chat
        return Ack(open=page)

    def _put(self, ctx: Context, reply: Reply) -> Page | None:
        """Say it; returns the page of a form that is to be opened at once."""
        dialog = None
        if isinstance(reply, Ask):
            dialog, reply = forms.begin(ctx, reply)
            if self._opens_page(ctx, dialog):
                number = ctx.reply(reply, at=ctx.now + PAGE_OPENS)
                if number is not None:
                    ctx.store.dialogs.asked(dialog.id, number)
                return forms.page(ctx, replace(dialog, question=number))
        if reply is None:
            return None
        number = ctx.edit(ctx.message, reply) if ctx.message is not None else ctx.reply(reply)
        if dialog is not None and number is not None:
            ctx.store.dialogs.asked(dialog.id, number)
        return None

    def _opens_page(self, ctx: Context, dialog: Dialog) -> bool:
        """Can this event open a window, and is this form one that is shown there?"""
        event = ctx.event
        return (
            isinstance(event, Press | Command)
            and event.sender.platform in self._engine.pages
            and ctx.form(dialog.form).page
        )

    def _apologise(self, unit: UnitOfWork, event: Event, now: datetime, error_id: str) -> Ack:
        """Keep the failed event's id, so that its repeats stop here, and say sorry with an id that can be read out."""
        if not unit.inbox.accept(source_of(event), event.id, now, error_id=error_id):
            return Ack()
        if isinstance(event, Due | Disconnected | Reachable | Opened):
            return Ack()
        sender = event.sender
        found = unit.members.recognise(sender.platform, sender.installation, sender.id)
        if found is None:
            return Ack()
        ctx = Context(self._engine, unit, event, found[0], now, here=event.address)
        ctx.reply(
            t(
                "Something went wrong on my side, and nothing of it was kept. Please try again. "
                "If it happens again, tell a facilitator this number: {error}.",
                error=error_id,
            )
        )
        return Ack()


def _places(error: BaseException) -> list[str]:
    """Where it went wrong, innermost last; not what it said, which may hold somebody's words."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def source_of(event: Event) -> str:
    """Whose event ids these are."""
    if isinstance(event, Due):
        return "clock"
    if isinstance(event, Disconnected):
        return f"{event.platform}:{event.installation}"
    return f"{event.sender.platform}:{event.sender.installation}"


def nearest_word(ctx: Context, typed: str) -> str | None:
    """A listed word one or two letters away, in the reader's language; never one that sends, hides or erases."""
    if not 3 <= len(typed) <= 20:
        return None
    forms_by_text = {
        form: name
        for form, name in ctx.programme.content.word_forms.items()
        if name in ctx.engine.router.words and name not in NEVER_PROPOSED
    }
    distance = 1 if len(typed) <= 4 else 2
    best = process.extractOne(
        typed.casefold(), list(forms_by_text), scorer=DamerauLevenshtein.distance, score_cutoff=distance
    )
    return None if best is None else ctx.programme.content.word_label(forms_by_text[best[0]], ctx.me.language)


def _named_by(ctx: Context, text: str) -> tuple[Pressable, ...]:
    """The buttons of the newest message, if a text is short enough to be the label of one."""
    return ctx.shown() if len(text) <= LONGEST_LABEL else ()


def _asked_again(ctx: Context, waiting: Dialog) -> Reply:
    """The question that a word of the bot interrupted, unless the word began another or ended all."""
    still = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
    if still is None or still.id != waiting.id:
        return None
    return forms.question(ctx, still, t("Now back to the earlier question."))


def _code_in(event: PersonEvent) -> str | None:
    """An invitation code: after /start, or alone in a message."""
    if not isinstance(event, Message | Command):
        return None
    said = f"/{event.name} {event.text}".replace("/ ", "/") if isinstance(event, Command) else event.text
    words = clean_text(said, 200).split()
    if words and words[0].casefold().lstrip("/") in ("start", "join") and (len(words) == 2 or said.startswith("/")):
        return " ".join(words[1:]) or None
    return words[0] if len(words) == 1 and len(words[0]) == 22 else None


def _ack_from(stored: dict[str, Any]) -> Ack:
    return Ack(stored.get("toast"), dict(stored.get("problems") or {}), None, stored.get("note"))


def _still_offers(row: Row, action: str, value: str) -> bool:
    buttons = Content.from_json(row.body).buttons if row.body else ()
    return any((button.action, button.value) == (action, value) for button in buttons)


def _same_choice(answers: Any, value: str) -> bool:
    return bool(value) and any(value == kept or (isinstance(kept, list) and value in kept) for kept in answers.values())

"""The people of a seed: fellows, facilitators, newcomers, outsiders, and one who tries everything."""

import asyncio
import random
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.core.adapter import Page
from bot.core.events import Command, Deleted, Edited, Event, Message, Press, Reachable, Sender, Submit, Unreadable
from bot.core.ids import read_button_handle
from bot.core.router import Role
from tests.simulation.cohorts import MALICIOUS, SLACK, TELEGRAM, named, number_of
from tests.simulation.history import INFO
from tests.simulation.marks import mark, marks_in
from tests.simulation.platforms import Platform, Shown

if TYPE_CHECKING:
    from tests.simulation.world import World

SEARCHES = ("beneficial ownership", "ocds", "e-procurement Mongolia", "red flags", "integrity pacts", "Indonesia")
WORDS = ("help", "me", "allies", "requests", "privacy", "visible", "find", "undo", "away", "returned", "apart",
         "mydata", "hello", "thanks", "yes", "no", "start", "human", "change", "skip", "back", "cancel",
         "done")  # fmt: skip
RARELY = ("leave", "safe", "stop", "link")
# The bad inputs of everyday life.
JUNK = ("", "  \u200b ", "x" * 5000, "%", "' OR 1=1", "/broadcast hi", "/halp", "{name}", "\ud800 lone", "a\0b",
        "9" * 50, "25:61", "30 February", "١٢٣", "NaN", "@here <!channel>", "https://evil.example/|click",
        "I am in danger", "find", "/start wrong", "🙂" * 90, "what", "=cmd()")  # fmt: skip
STAFF_WORDS = ("manage", "invite", "people", "message", "export")
# How gladly a button is pressed; whatever is not named here: 1.
GLADLY = {
    "requests.preview": 6, "requests.send": 12, "introductions.yes": 7, "introductions.no": 4, "contacts.share": 4,
    "form.choose": 5, "form.done": 7, "form.cancel": 0.4, "form.back": 0.3, "joining.language": 9,
    "agreement.agree": 9, "joining.no": 0.3, "leaving.yes": 0.4, "leaving.undo": 4, "privacy.preset": 2,
    "privacy.set": 2, "apart.keep": 2, "people.locked": 0.3, "invitations.new": 3, "people.open": 4,
    "messages.new": 9, "messages.send": 14, "messages.stop": 0.1, "messages.withdraw": 0.15, "messages.discard": 0.3,
    "messages.change": 0.4, "messages.sample": 0.3, "messages.choose": 5, "messages.reply": 3, "sessions.new": 4,
    "answering.pick": 5, "answering.write": 6, "answering.later": 0.4, "checkins.ended": 0.2, "checkins.end": 0.2,
    "consent.no": 0.5, "wishes.keep": 4, "linking.forgotten": 1,
}  # fmt: skip
NEWS = ("What do you want to say", "Apa yang ingin Anda sampaikan", "session about", "Tentang apa sesinya")
AT_LAST = ("messages.send", "messages.discard", "form.cancel")  # with this they have done what they came for
BACK = re.compile(r"^.*\n.*(?:new way into|jalan masuk baru)", re.MULTILINE)
KEPT = re.compile(
    r"(?:Kept|Disimpan): “(step \d+)”\.$", re.MULTILINE
)  # the words of an answer, as the bot repeats them
CODE = re.compile(r"/start ([A-Za-z0-9_-]{22})")
PREVIEWS = {
    "en": re.compile(r"and nothing more:\n\n(.*)\n\nPressing Send", re.DOTALL),
    "id": re.compile(r"tidak lebih:\n\n(.*)\n\nDengan menekan", re.DOTALL),
}


@dataclass
class Person:
    """Somebody with an account, and what they remember."""

    who: str
    platform: Platform
    luck: random.Random
    pages: list[Page] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)  # marks that they wrote themselves
    minds: bool = False  # they came for one thing, and go on with what was shown last
    pressed: set[str] = field(default_factory=set)  # handles, while they mind

    @property
    def sender(self) -> Sender:
        name = mark("name", number_of(self.who))
        return Sender(self.platform.name, self.platform.installation, self.who, name, "en")

    @property
    def screen(self) -> list[Shown]:
        return self.platform.screens.get(f"dm:{self.who}", [])


class People:
    """Everybody who acts; acts are drawn from what stands on the screen."""

    def __init__(self, world: "World", homes: dict[str, tuple[str, str]], codes: tuple[str, ...]) -> None:
        self._world = world
        self._homes = dict(homes)
        self._codes = list(codes)
        self._people: dict[str, Person] = {}
        self._events = 0
        self._answered = 0  # so many answers were typed, each with words of its own
        self.about: dict[str, tuple[str, str]] = {}  # event: who, and what they wrote
        self._described: dict[str, dict[str, Any]] = {}
        self.told: set[tuple[str, int]] = set()  # marks that somebody else may have written into a form
        self._ways_back: dict[str, str] = {}  # who: the code that a facilitator made for them alone

    def person(self, who: str) -> Person:
        if who not in self._people:
            home = self._homes.setdefault(who, (SLACK, TELEGRAM)[number_of(who) % 2])
            platform = self._world.platforms[home[0]]
            self._people[who] = Person(who, platform, self._world.plan.random(f"acts of {who}"))
        return self._people[who]

    async def visits(self, who: str, acts: int, begins: str | None = None) -> None:
        """Somebody is at the keyboard for a few acts."""
        person = self.person(who)
        if begins is not None:
            self._writes(person, begins)
            person.minds = True
        for _ in range(acts):
            await asyncio.sleep(person.luck.uniform(2, 6) if person.minds else 0)
            if person.minds and not person.platform.is_up:
                await asyncio.sleep(60)
            self.acts(person)
            await asyncio.sleep(person.luck.uniform(0.3, 8))
            if begins is not None and not person.minds:
                break
        person.minds = False
        person.pressed.clear()

    # What they learn.

    def sees(self, conversation: str, text: str, buttons: list[tuple[str, str, str]]) -> None:
        """A message arrived: who can use a code of it remembers it, and who is asked compares."""
        world = self._world
        for code in CODE.findall(text):
            if any(code in known for known in (self._codes, self._ways_back.values())):
                continue
            if (again := BACK.search(text)) is not None:
                for field, number in marks_in(again.group(0)):
                    self._ways_back[named(number)] = code if field == "name" else ""
            else:
                self._codes.append(code)
        for words in KEPT.findall(text):
            world.history.add(INFO, "kept", world.loop.time(), to=conversation, words=words)
        if any(action == "answering.skip" for _, _, action in buttons):
            person = self.person(conversation.removeprefix("dm:"))
            if person.luck.random() < 0.4:
                world.later(person.luck.uniform(5, 3600), self._answers_later, person)
        if any(action == "introductions.yes" for _, _, action in buttons):
            by = [named(number) for _, number in marks_in(text)]
            language = "en" if "Only you see this" in text else "id"
            world.history.add(INFO, "asked", world.loop.time(), to=conversation, by=by, text=text, language=language)
            person = self.person(conversation.removeprefix("dm:"))
            if person.luck.random() < 0.7:
                world.later(person.luck.uniform(5, 600), self._decides, person)

    def hears(self, who: str, text: str) -> None:
        """A toast, or a word that the answer is elsewhere."""
        self._world.history.add(INFO, "toast", self._world.loop.time(), who=who,
                                stale="earlier question" in text or "Already saved" in text)  # fmt: skip

    def gets(self, who: str, page: Page) -> None:
        self.person(who).pages.append(page)

    def shows_an_error(self, who: str, event: Event) -> None:
        """Slack said that it did not work; most people try again."""
        person = self.person(who)
        if person.luck.random() < 0.8 and self._world.goes_on:
            again = _again(event, self._id())
            self._described[again.id] = self.described(event)
            self.about[again.id] = self.about[event.id]
            self._world.later(5.0, self._brings, person, again)

    def described(self, event: Event) -> dict[str, Any]:
        """What the history says of an event."""
        return self._described.get(event.id, {})

    # What they do.

    def acts(self, person: Person) -> None:
        """One act."""
        luck, who = person.luck, person.who
        if who[0] in "XN" and not person.screen:
            self._knocks(person)
        elif who in self._ways_back and luck.random() < 0.5:
            self._writes(person, f"/start {self._ways_back.pop(who)}")
        elif who == MALICIOUS and luck.random() < 0.6:
            self._attacks(person)
        elif person.pages:
            self._submits(person, person.pages.pop())
        elif person.minds and person.screen:
            self._answers(person)
        elif self._world.plan.has("blocks") and luck.random() < 0.02:
            self._blocks(person)
        elif person.screen and luck.random() < 0.72:
            self._answers(person)
        else:
            self._writes(person, self._something(person))

    def _knocks(self, person: Person) -> None:
        if person.who[0] == "N" and self._codes and person.luck.random() < 0.85:
            number = number_of(person.who) - 1000
            self._writes(person, f"/start {self._codes[number % len(self._codes)]}")
        else:
            self._writes(person, person.luck.choice(("hello", "/start", "/start " + "a" * 22, *JUNK[:4])))

    def _something(self, person: Person) -> str:
        luck = person.luck
        of = luck.random()
        if of < 0.35:
            return luck.choice(SEARCHES)
        if of < 0.75:
            return luck.choice(WORDS)
        if of < 0.80:
            return luck.choice(RARELY)
        if of < 0.88:
            return f"/find {mark(luck.choice(('name', 'organisation')), luck.randrange(self._world.plan.size))}"
        if person.who == "U0" and of < 0.97:
            return luck.choice(("manage", "manage", *STAFF_WORDS))
        return luck.choice(JUNK)

    def _answers(self, person: Person) -> None:
        """To what stands on the screen: mostly the newest message, sometimes an old one, sometimes twice."""
        luck, screen = person.luck, person.screen
        shown = screen[-1] if luck.random() < 0.85 else luck.choice(screen)
        if person.minds:  # what was answered already may have come last
            news = [one for one in screen if not person.pressed.intersection(handle for _, handle, _ in one.buttons)]
            shown = news[-1] if news else screen[-1]
        question = _asks(shown)
        if _is_of_a_checkin(shown) and luck.random() < 0.5:
            self._answered += 1
            self._writes(person, f"step {self._answered}")
        elif question and (luck.random() < 0.75 or person.minds):
            self._writes(person, self._reply(person, question))
        elif shown.buttons:
            weights = [GLADLY.get(action, 1) for _, _, action in shown.buttons]
            if person.minds and shown.buttons[0][2] == "form.choose":
                weights[0] = 20  # everybody, no answer, now
            self._presses(person, shown, luck.choices(range(len(shown.buttons)), weights=weights)[0])
        else:
            self._writes(person, self._something(person))

    def _reply(self, person: Person, question: str) -> str:
        luck, number = person.luck, number_of(person.who)
        if luck.random() < 0.1:
            return luck.choice(JUNK)
        if any(words in question for words in NEWS):
            what = ("the data is out", "please read https://example.org", "@here hello")
            return f"news of today: {luck.choice(what)}"
        if "buttons say" in question or "tombolnya" in question:
            return "Yes, No, Not sure"
        if "at what time" in question or "jam berapa" in question:
            soon = self._world.clock.now() + timedelta(days=luck.randint(1, 6))
            return luck.choice((f"{soon.day} {soon:%b} 14:30", f"{soon:%Y-%m-%d} 09:00", "20 May 14:30", "tomorrow"))
        if "How can" in question and "reach you" in question:
            return f"{mark('contact', number)} at example.org"
        if "call you" in question:
            return mark("name", number)
        if "move you" in question:
            return f"help with ocds, {mark('needs', number)}"
        if "name?" in question:
            whose = luck.randrange(self._world.plan.size)
            self.told.add(("name", whose))
            return mark("name", whose)
        if any(word in question.lower() for word in ("city", "country", "negara", "kota")):
            return luck.choice(("Manila", "Mongolia", "Jakarta", "nowhere"))
        if "Until when" in question:
            return luck.choice(("2 weeks", "tomorrow", "2027-05-02", "next year"))
        return luck.choice(("a word of thanks", "e-procurement", "English", "thank you"))

    def _decides(self, person: Person) -> None:
        """Whoever is asked to meet comes to the keyboard for it, mostly."""
        for shown in reversed(person.screen):
            if any(action == "introductions.yes" for _, _, action in shown.buttons):
                self._presses(person, shown, 0 if person.luck.random() < 0.65 else 1)
                return

    def _answers_later(self, person: Person) -> None:
        """Whoever is asked a question answers it when there is time, some of them twice."""
        if person.screen and self._world.goes_on:
            self._answers(person)
            if person.luck.random() < 0.5:
                self._world.later(person.luck.uniform(5, 300), self._answers_later, person)

    def _presses(self, person: Person, shown: Shown, n: int) -> None:
        _, handle, action = shown.buttons[n]
        for language, preview in PREVIEWS.items() if action == "requests.send" else ():
            if (card := preview.search(shown.text)) is not None:
                at = self._world.loop.time()
                self._world.history.add(INFO, "confirmed", at, by=person.who, text=card.group(1), language=language)
        self._press(person, handle, action)
        if person.minds:
            person.pressed.add(handle)
            person.minds = action not in AT_LAST
        if person.luck.random() < 0.06:
            self._press(person, handle, action)

    def _press(self, person: Person, handle: str, action: str) -> None:
        event = Press(id=self._id(), sender=person.sender, address=person.platform.address(person.who), handle=handle)
        route = self._world.router.presses.get(action)
        staff = route is not None and route.role is Role.FACILITATOR
        self._described[event.id] = {"what": action, "staff": staff, "facilitator": person.who == "U0"}
        self._brings(person, event)

    def _writes(self, person: Person, text: str) -> None:
        address = person.platform.address(person.who)
        event: Event
        if text.startswith("/") and person.platform.name == "slack" and len(text) > 1:
            name, _, rest = text[1:].partition(" ")
            event = Command(id=self._id(), sender=person.sender, address=address, name=name, text=rest)
        else:
            event = Message(id=self._id(), sender=person.sender, address=address, text=text)
        self._described[event.id] = {"what": text[:60]}
        self.about[event.id] = person.who, text
        self._brings(person, event)

    def _submits(self, person: Person, page: Page) -> None:
        answers = {}
        for one in page.fields:
            few = one.choices[:1] if person.minds and person.luck.random() < 0.6 else one.choices
            chosen = person.luck.choice(few)[0] if few else self._reply(person, one.question)
            answers[one.key] = chosen
        event = Submit(
            id=self._id(), sender=person.sender, address=person.platform.address(person.who), dialog=page.dialog,
            version=page.version, answers=answers,
        )  # fmt: skip
        self._described[event.id] = {"what": "a page"}
        self.about[event.id] = person.who, " ".join(answers.values())
        self._brings(person, event)

    def _blocks(self, person: Person) -> None:
        """Block the bot, or let it in again."""
        blocked = person.platform.blocked
        yes = person.who in blocked
        (blocked.discard if yes else blocked.add)(person.who)
        if person.platform.name == "telegram":
            at = person.platform.address(person.who)
            event = Reachable(id=self._id(), sender=person.sender, address=at, yes=yes)
            self._described[event.id] = {"what": "blocks" if not yes else "lets in", "silent": True}
            self._brings(person, event)

    def _attacks(self, person: Person) -> None:
        """Others' buttons, invented ones, words of staff, and searches for whoever hides."""
        luck = person.luck
        of = luck.random()
        others = [screen for chat, screen in person.platform.screens.items() if chat != f"dm:{person.who}"]
        screens = [shown for screen in others for shown in screen if shown.buttons]
        if of < 0.4 and screens:
            self._press(person, luck.choice(luck.choice(screens).buttons)[1], "somebody's")
        elif of < 0.55:
            handle = luck.choice((f"{'A' * 22}.0", "x.y", "", f"{'é' * 22}.1", "." * 30))
            if screens:
                handle = luck.choice((handle, f"{luck.choice(screens).key}.{luck.randrange(99)}"))
            assert read_button_handle(handle) is None or len(handle) < 30
            self._press(person, handle, "forged")
        elif of < 0.75:
            self._writes(person, luck.choice((*STAFF_WORDS, "/start " + luck.choice(("b" * 22, *self._codes)))))
        elif of < 0.95:
            field = luck.choice(("name", "organisation", "needs", "role_title", "project"))
            self._writes(person, f"/find {mark(field, luck.randrange(self._world.plan.size))}")
        else:
            kind = luck.choice((Unreadable, Edited, Deleted))
            rest: dict[str, Any] = {Unreadable: {"kind": "photo"}, Edited: {"text": "manage"}, Deleted: {}}[kind]
            at = person.platform.address(person.who)
            self._brings(person, kind(id=self._id(), sender=person.sender, address=at, **rest))

    def _id(self) -> str:
        self._events += 1
        return f"e{self._events}"

    def _brings(self, person: Person, event: Event) -> None:
        self.about.setdefault(event.id, (person.who, ""))
        person.platform.blocked.discard(person.who) if not isinstance(event, Reachable) else None
        person.platform.brings(event, person.who)


def _is_of_a_checkin(shown: Shown) -> bool:
    """Does this message take a line as the answer to a check-in's question?"""
    return any(action in ("answering.skip", "answering.enough") for _, _, action in shown.buttons)


def _asks(shown: Shown) -> str | None:
    """The question of a message that wants words, not a press."""
    actions = [action for _, _, action in shown.buttons]
    is_form = any(action.startswith("form.") for action in actions) or shown.text.rstrip().endswith("?")
    return shown.text if is_form and "form.choose" not in actions and "introductions.yes" not in actions else None


def _again(event: Event, new: str) -> Event:
    """The same act, done once more: the platform gives it a new id."""
    values = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
    return type(event)(**{**values, "id": new})

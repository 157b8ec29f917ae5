"""What I promised myself: done, moving or stuck; and when stuck, who shall know of it."""

import json
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.core import Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, When, lines, t
from bot.core.replies import Text
from bot.domain.checkins import week_of
from handlers import asks, cards, wording
from handlers.away import read_day
from handlers.help import staff
from handlers.me import short
from storage.cards import Part, Promise, Stuck

router = Router()

SPANS: dict[str, tuple[Say, int]] = {
    "7": (t("In a week"), 7),
    "14": (t("In two weeks"), 14),
    "30": (t("In a month"), 30),
}
NEW = Button(t("Promise myself something"), "promises.new")
KEEPS = timedelta(days=2)  # what is typed later is a search again


def spans(ctx: Context) -> tuple[Choice, ...]:
    """Days that can be pressed instead of typed."""
    return tuple(Choice(key, label) for key, (label, _) in SPANS.items())


def read_span(ctx: Context, text: str) -> str:
    """A span that was pressed or a day that was typed, as an ISO date."""
    if text in SPANS:
        return (cards.today(ctx) + timedelta(days=SPANS[text][1])).isoformat()
    return read_day(ctx, text).isoformat()


def on(ctx: Context, day: str) -> When:
    """An ISO date as the reader's language says it."""
    return When(cards.noon(ctx, date.fromisoformat(day)))


def by_when(after: str | None = None) -> Field:
    """The question for a day; with `after` only when that one was answered."""
    return Field(
        key="day",
        question=t("By when? Press one, or write a day, for example: 7 Dec"),
        kind="choice",
        open=True,
        choices=spans,
        check=read_span,
        optional=True,
        when=(lambda ctx: bool(ctx.answers.get(after))) if after else None,
    )


def words(ctx: Context, of: Promise) -> Say:
    """A promise with its day."""
    if of.day is None:
        return t("“{words}”", words=of.words or "")
    return t("“{words}”, by {day}", words=of.words or "", day=on(ctx, of.day))


def _waiting(ctx: Context) -> int | None:
    found = ctx.store.cards.promise(ctx.me.id)
    this_week = week_of(cards.today(ctx)).isoformat()
    made = found.made_at.astimezone(ZoneInfo(ctx.me.time_zone)).date().isoformat() if found else ""
    return found.id if found is not None and made < this_week else None


@router.rider("promises.promise", find=_waiting, main=True)
def part(ctx: Context, number: int) -> Card | None:
    """Last time's promise comes first, and the open blocker with it."""
    found = ctx.store.cards.promise(ctx.me.id)
    if found is None or found.id != number:
        return None
    held = ctx.store.cards.open_stuck(ctx.me.id)
    blocked = None
    if held is not None and held.promise_id == number and held.what:
        blocked = t("You were stuck on: “{what}”.", what=held.what)
    text = lines(t("You wanted to do this: {promise}.", promise=words(ctx, found)), blocked, t("How does it stand?"))
    value = str(number)
    return Card(
        text,
        buttons=(
            Button(t("Done"), "promises.done", value, "primary"),
            Button(t("Moving"), "promises.moving", value),
            Button(t("Stuck"), "promises.stuck", value),
            Button(t("Drop it"), "promises.drop", value),
        ),
    )


def _mine(ctx: Context) -> Promise | None:
    found = ctx.store.cards.promise(ctx.me.id)
    return found if found is not None and str(found.id) == ctx.value else None


def _end(ctx: Context, state: str, said: Say, *more: Part) -> Reply:
    found = _mine(ctx)
    if found is None:
        return cards.GONE
    ctx.store.cards.change_promise(found.id, ctx.me.id, state=state, said_at=ctx.now)
    ctx.store.cards.free(ctx.me.id, ctx.now)
    return cards.onward(ctx, "promises.promise", found.id, said, *more)


@router.press("promises.done", role=Role.MEMBER)
def done(ctx: Context) -> Reply:
    """Done: what is next?"""
    return _end(ctx, "done", t("Done: that is good to hear."), Part("promises.next", int(ctx.value)))


@router.press("promises.drop", role=Role.MEMBER)
def drop(ctx: Context) -> Reply:
    """Not any more; nothing to explain."""
    return _end(ctx, "dropped", t("Dropped. I do not ask about it again."))


@router.press("promises.moving", role=Role.MEMBER)
def moving(ctx: Context) -> Reply:
    """On its way: asked again next time."""
    found = _mine(ctx)
    if found is None:
        return cards.GONE
    ctx.store.cards.change_promise(found.id, ctx.me.id, said="moving", said_at=ctx.now)
    ctx.store.cards.free(ctx.me.id, ctx.now)
    return cards.onward(ctx, "promises.promise", found.id, t("Good that it moves. I ask again next time."))


PROMISE = Form(
    name="promises.promise",
    title=t("A promise to myself"),
    fields=(
        Field(
            key="words",
            question=t("What is your next small step? Only you see it, and I ask you next time how it went."),
            check=short(300),
            optional=True,
        ),
        by_when("words"),
    ),
    page=False,
    gentle=True,
    keeps=KEEPS,
)


@router.rider(
    "promises.next", find=lambda ctx: None, listens=lambda ctx, number: PROMISE.begin({"part": number}), main=True
)
def next_step(ctx: Context, number: int) -> Card | None:
    """After a promise that was kept: what is next?"""
    buttons = (
        Button(t("Write it"), "promises.write", str(number)),
        Button(t("Not now"), "promises.later", str(number)),
    )
    return Card(
        t("What is your next small step? Only you see it, and I ask you next time how it went."), buttons=buttons
    )


@router.press("promises.write", role=Role.MEMBER)
def write(ctx: Context) -> Reply:
    """Ask for it, in place."""
    return PROMISE.begin({"part": int(ctx.value)})


@router.press("promises.new", role=Role.MEMBER)
def new(ctx: Context) -> Reply:
    """A promise of one's own accord."""
    return PROMISE.begin()


@router.press("promises.later", role=Role.MEMBER)
def later(ctx: Context) -> Reply:
    """No promise for now."""
    end_form(ctx, PROMISE.name)
    return cards.onward(ctx, "promises.next", int(ctx.value), t("All right, no promise for now."))


def end_form(ctx: Context, name: str) -> None:
    """Stop taking what is typed as the answer to a form of the card."""
    waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
    if waiting is not None and waiting.form == name:
        ctx.store.dialogs.end(waiting)


@router.form(PROMISE, role=Role.MEMBER)
def promised(ctx: Context) -> Reply:
    """Keep it."""
    typed = ctx.answers["words"]
    said = make(ctx, typed, ctx.answers.get("day")) if typed else t("All right, no promise for now.")
    if "part" in ctx.about:
        return cards.onward(ctx, "promises.next", ctx.about["part"], said)
    return said


def make(ctx: Context, typed: str, day: str | None) -> Text:
    """A new promise, and what I say to it."""
    ctx.store.cards.make_promise(ctx.me.cohort_id, ctx.me.id, typed, day, ctx.now)
    if day is None:
        return t("Kept: “{words}”. I ask you next time how it went.", words=typed)
    return t("Kept: “{words}”, by {day}. I ask you next time how it went.", words=typed, day=on(ctx, day))


STUCK = Form(
    name="promises.stuck",
    title=t("Stuck"),
    fields=(
        Field(key="what", question=t("What exactly holds it up? Nobody sees this until you say so."), check=short(500)),
        Field(
            key="who",
            question=t("Who could help? A person, an office, or what they would have to know."),
            optional=True,
            check=short(200),
        ),
        by_when(),
    ),
    page=False,
)


@router.press("promises.stuck", role=Role.MEMBER)
def stuck(ctx: Context) -> Reply:
    """What holds it up?"""
    found = _mine(ctx)
    if found is None:
        return cards.GONE
    ctx.store.cards.change_promise(found.id, ctx.me.id, said="stuck", said_at=ctx.now)
    cards.touched(ctx, "promises.promise", found.id)
    return STUCK.begin({"part": ["promises.promise", found.id], "promise": found.id})


@router.form(STUCK, role=Role.MEMBER)
def told(ctx: Context) -> Reply:
    """Kept in private; who else shall know is the next question."""
    said = ctx.answers
    return share(
        ctx, ctx.about["part"], what=said["what"], who=said["who"], day=said.get("day"), promise_id=ctx.about["promise"]
    )


def share(ctx: Context, part: list[Any], **kept: Any) -> Card:
    """Keep what somebody is stuck on, and ask who shall know."""
    ctx.store.cards.free(ctx.me.id, ctx.now)
    number = ctx.store.cards.add_stuck(ctx.me.cohort_id, ctx.me.id, ctx.now, **kept)
    value = json.dumps([number, *part])
    buttons = [Button(t("Tell a facilitator"), "promises.tell", value, "primary")] if staff(ctx) else []
    text = lines(t("Kept, for you alone: “{what}”.", what=kept["what"]), t("Shall somebody know of it?"))
    buttons += [
        Button(t("Ask the others"), "promises.ask", value),
        Button(t("Keep it private"), "promises.private", value),
    ]
    return Card(text, buttons=tuple(buttons))


def _shared(ctx: Context) -> tuple[Stuck | None, str, int]:
    number, rider, about, *_ = json.loads(ctx.value)
    return ctx.store.cards.stuck(number, ctx.me.id), rider, about


@router.press("promises.private", role=Role.MEMBER)
def private(ctx: Context) -> Reply:
    """Nobody is told."""
    _, rider, about = _shared(ctx)
    return cards.onward(ctx, rider, about, t("Nobody is told. I ask you next time how it stands."))


@router.press("promises.ask", role=Role.MEMBER)
def ask(ctx: Context) -> Reply:
    """The others, in my own words: the preview comes in a message of its own, and nothing is sent before its yes."""
    held, rider, about = _shared(ctx)
    if held is not None and held.what:
        draft = {"text": held.what, "stuck": held.id}
        ctx.after(lambda: asks.preview(ctx, draft))
    return cards.onward(ctx, rider, about, t("Nobody was asked yet: below is what the others would see."))


@router.press("promises.tell", role=Role.MEMBER)
def tell(ctx: Context) -> Reply:
    """Which facilitator, where there are several."""
    people = staff(ctx)
    number, *part = json.loads(ctx.value)
    if len(people) == 1:
        return _tell(ctx, number, people[0].id, part)
    buttons = [
        Button(t("Tell {name}", name=wording.name(one)), "promises.told", json.dumps([number, *part, one.id]))
        for one in people
    ]
    keep = Button(t("Keep it private"), "promises.private", ctx.value)
    return Card(t("Whom shall I tell? They get your words and your name."), buttons=(*buttons, keep))


@router.press("promises.told", role=Role.MEMBER)
def tell_one(ctx: Context) -> Reply:
    """The one who was chosen."""
    number, rider, about, to = json.loads(ctx.value)
    return _tell(ctx, number, to, [rider, about])


def _tell(ctx: Context, number: int, to: int, part: list[Any]) -> Reply:
    """Pass it on with my name; the facilitators' Monday card names me until it is solved."""
    held = ctx.store.cards.stuck(number, ctx.me.id)
    other = next((one for one in staff(ctx) if one.id == to), None)
    if held is None or other is None:
        return cards.GONE
    if held.told_at is None:
        seen = ctx.people.as_member_sees_me(to)
        card = Card(
            lines(
                t("{name} is stuck and wants you to know:", name=wording.called(seen) if seen else t("A fellow")),
                t("“{what}”", what=held.what or ""),
                t("Who could help: {who}", who=held.who) if held.who else None,
                t("By when: {day}", day=on(ctx, held.day)) if held.day else None,
            ),
            buttons=(Button(t("Reply"), "help.reply", str(ctx.me.id), "primary"),),
        )
        ctx.send(to, card, about=(ctx.me.id,), on_behalf=ctx.me.id)
        ctx.store.cards.change_stuck(number, ctx.me.id, readers="facilitators", told_to=to, told_at=ctx.now)
    said = t("{name} knows now, and can answer you here.", name=wording.name(other))
    return cards.onward(ctx, part[0], part[1], said)

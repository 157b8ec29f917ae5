"""Answering a question of a check-in: a tap or a line, changed until the window closes, read by whom it said."""

from typing import Any

from bot.core import Ask, Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, When, Words, lines, t
from bot.core.events import Message
from bot.core.forms import begin
from bot.core.replies import Text
from bot.domain.checkins import COALITIONS, Readers, Shape, shape_of
from handlers import cards, for_team, promises, wording
from handlers.me import short
from storage.access import Viewer
from storage.checkins import Asked

router = Router()

PART = cards.QUESTION
NEXT_STEP, STUCK = "pulse-next", "pulse-stuck"  # two questions of the library that lead on
LONGEST = 2000
A_PAGE = 5
LAST = 6  # questions of windows that may be open
A_SEARCH = 6  # words: so short a line may have been meant as a search

LABELS: dict[str, Say] = {
    "technical": t("An expert could fix it"),
    "adaptive": t("People must change"),
    "both": t("Both"),
    "yes": t("Yes"),
    "no": t("No"),
}


def reads(ctx: Context, readers: str, maker: int | None) -> Say:
    """Who may read an answer, in four words."""
    match Readers(readers):
        case Readers.MAKER:
            name = ctx.people.profile_name(maker) if maker else None
            return t("Only {name} reads this.", name=name or t("one facilitator"))
        case Readers.FACILITATORS:
            return t("The facilitators read this.")
        case Readers.COHORT:
            return t("Your cohort reads this.")
        case Readers.COUNTS:
            return t("Only counts, no names.")
    return t("Only you read this.")


def text_of(ctx: Context, slug: str, own: str | None) -> Say:
    """A question in the reader's language; own words as they were written."""
    prompt = next((one for one in ctx.programme.content.prompts if one.slug == slug), None)
    return Words(prompt.text) if prompt else own or t("How is it going?")


def choices_of(ctx: Context, shape: Shape, options: Any) -> list[Choice]:
    """What can be tapped: value and label."""
    if shape.choices == COALITIONS:
        return wording.coalitions(ctx)
    if options:
        return [Choice(one, one) for one in options]
    return [Choice(one, LABELS.get(one, one)) for one in shape.choices]


def _about(of: Asked) -> dict[str, Any]:
    return {
        "answer": of.id, "slug": of.slug, "own": of.question, "shape": of.shape, "options": list(of.options),
        "readers": of.readers, "maker": of.maker_id,
    }  # fmt: skip


def _shape(ctx: Context) -> Shape:
    return shape_of(ctx.about["shape"])


def _question(ctx: Context) -> Say:
    about = ctx.about
    return lines(text_of(ctx, about["slug"], about["own"]), reads(ctx, about["readers"], about["maker"]))


def _line(ctx: Context) -> Say:
    return t("A line about it, if you like.") if _shape(ctx).is_quick else _question(ctx)


ANSWER = Form(
    name="answering.answer",
    title=t("Your answer"),
    fields=(
        Field(
            key="choice",
            question=_question,
            kind="choice",
            choices=lambda ctx: choices_of(ctx, _shape(ctx), ctx.about["options"]),
            optional=True,
            when=lambda ctx: _shape(ctx).is_quick,
        ),
        Field(
            key="words",
            question=_line,
            check=short(LONGEST),
            optional=True,
            when=lambda ctx: _shape(ctx).line != "none",
        ),
        Field(
            key="day",
            question=t("By when? Press one, or write a day, for example: 7 Dec"),
            kind="choice",
            open=True,
            choices=promises.spans,
            check=promises.read_span,
            optional=True,
            when=lambda ctx: _shape(ctx).day and (_shape(ctx).line == "none" or bool(ctx.answers.get("words"))),
        ),
    ),
    page=False,
    gentle=True,
    keeps=promises.KEEPS,
)


def _listens(ctx: Context, number: int) -> Ask | None:
    """Words are typed; for a question with buttons what is typed stays a search."""
    of = ctx.store.checkins.asked(number, ctx.me.id)
    return None if of is None or shape_of(of.shape).is_quick else ANSWER.begin(_about(of))


@router.rider(PART, find=lambda ctx: None, listens=_listens, main=True)
def part(ctx: Context, number: int) -> Card | None:
    """The question, who reads the answer, and what can be tapped."""
    of = ctx.store.checkins.asked(number, ctx.me.id)
    return None if of is None or of.answered_at or of.skipped_at else card(ctx, of)


def card(ctx: Context, of: Asked) -> Card:
    """One question as it is asked."""
    value = str(of.id)
    found = choices_of(ctx, shape_of(of.shape), of.options)
    buttons = [Button(one.label, "answering.pick", f"{value}:{at}") for at, one in enumerate(found)]
    if not buttons:
        buttons = [Button(t("Answer"), "answering.write", value, "primary")]
    buttons += [Button(t("Skip"), "answering.skip", value), Button(t("Later"), "answering.later", value)]
    text = lines(text_of(ctx, of.slug, of.question), reads(ctx, of.readers, of.maker_id), gap=True)
    return Card(text, buttons=tuple(buttons))


def _mine(ctx: Context, value: str | None = None) -> Asked | None:
    return ctx.store.checkins.asked(int(value or ctx.value), ctx.me.id)


def _is_closed(ctx: Context, of: Asked) -> bool:
    """Answered, and the window is over: it stays as it is. A first answer is never too late."""
    return of.answered_at is not None and ctx.now >= of.closes_at


CLOSED = t("That week is closed. Your answer stays as it was.")


@router.press("answering.write", role=Role.MEMBER)
def write(ctx: Context) -> Reply:
    """Ask for words, in place."""
    of = _mine(ctx)
    if of is None:
        return cards.GONE
    return CLOSED if _is_closed(ctx, of) else ANSWER.begin(_about(of))


@router.press("answering.pick", role=Role.MEMBER)
def pick(ctx: Context) -> Reply:
    """One tap is an answer already; a line may follow."""
    value, _, at = ctx.value.partition(":")
    of = _mine(ctx, value)
    if of is None:
        return cards.GONE
    if _is_closed(ctx, of):
        return CLOSED
    shape = shape_of(of.shape)
    chosen = choices_of(ctx, shape, of.options)[int(at)]
    ctx.store.checkins.record(of.id, ctx.me.id, choice=chosen.value, answered_at=ctx.now, skipped_at=None)
    cards.touched(ctx, PART, of.id)
    team = for_team.release(ctx, of)
    kept = lines(_kept(ctx, of, t("Kept: {choice}.", choice=chosen.label)), team)
    if shape.line == "none":
        return cards.onward(ctx, PART, of.id, kept, also=_others(of))
    dialog, _ = begin(ctx, ANSWER.begin(_about(of), {"choice": chosen.value}))
    if ctx.message is not None:
        ctx.store.dialogs.asked(dialog.id, ctx.message)
    text = lines(kept, t("A line about it, if you like: just write it."), reads(ctx, of.readers, of.maker_id))
    return Card(text, buttons=(Button(t("That is all"), "answering.enough", value),))


def _kept(ctx: Context, of: Asked, said: Text) -> Say:
    return lines(said, t("It came late, and still counts.")) if ctx.now >= of.closes_at else said


@router.press("answering.enough", role=Role.MEMBER)
def enough(ctx: Context) -> Reply:
    """No line."""
    promises.end_form(ctx, ANSWER.name)
    of = _mine(ctx)
    return cards.onward(ctx, PART, int(ctx.value), also=_others(of) if of else ())


@router.press("answering.skip", role=Role.MEMBER)
def skip(ctx: Context) -> Reply:
    """Not this one."""
    promises.end_form(ctx, ANSWER.name)
    return _skip(ctx, int(ctx.value))


def _skip(ctx: Context, number: int) -> Reply:
    of = ctx.store.checkins.asked(number, ctx.me.id)
    if of is None:
        return cards.GONE
    if of.answered_at is not None:
        return cards.onward(ctx, PART, number, t("Your answer stays as it was."))
    ctx.store.checkins.record(number, ctx.me.id, skipped_at=ctx.now)
    return cards.onward(ctx, PART, number, t("Skipped."))


@router.press("answering.later", role=Role.MEMBER)
def later(ctx: Context) -> Reply:
    """It waits; the one reminder comes as planned."""
    promises.end_form(ctx, ANSWER.name)
    cards.awake(ctx)
    reminder = ctx.store.schedules.next_of(ctx.me.id, "cards.remind")
    word = ctx.programme.content.word_label("checkin", ctx.me.language)
    text = lines(
        t("It waits. To answer, press Now or type {word}.", word=word),
        t("I remind you once: {when}.", when=When(reminder, "moment")) if reminder else None,
    )
    return Card(text, buttons=(Button(t("Now"), "cards.now", style="primary"),))


@router.form(ANSWER, role=Role.MEMBER)
def answered(ctx: Context) -> Reply:
    """Keep what was said; what was skipped stays as it was."""
    number = int(ctx.about["answer"])
    of = ctx.store.checkins.asked(number, ctx.me.id)
    if of is None:
        return cards.GONE
    given = {key: value for key in ("choice", "words", "day") if (value := ctx.answers.get(key)) is not None}
    if not given:
        return _skip(ctx, number)
    if _is_closed(ctx, of):
        return CLOSED
    first = {} if of.answered_at else {"answered_at": ctx.now}
    ctx.store.checkins.record(number, ctx.me.id, skipped_at=None, **given, **first)
    team = for_team.release(ctx, of) if first else None
    words = given.get("words")
    if of.slug == STUCK and words:
        cards.touched(ctx, PART, number)
        return promises.share(ctx, [PART, number], what=words)
    said: Say = t("Kept: “{words}”.", words=words) if words else t("Kept.")
    if of.slug == NEXT_STEP and words:
        said = promises.make(ctx, words, given.get("day"))
    typed = isinstance(ctx.event, Message) and words and of.answered_at is None and len(words.split()) <= A_SEARCH
    meant = (Button(t("I meant a search"), "answering.search", str(number)),) if typed else ()
    return cards.onward(ctx, PART, number, lines(_kept(ctx, of, said), team), also=(*_others(of), *meant))  # type: ignore[arg-type]


@router.press("answering.search", role=Role.MEMBER)
def search(ctx: Context) -> Reply:
    """What was taken for an answer was a search: forget it, search, and ask again."""
    of = _mine(ctx)
    if of is None or not of.words:
        return cards.GONE
    typed = of.words
    ctx.store.checkins.record(of.id, ctx.me.id, choice=None, words=None, day=None, answered_at=None)
    made = ctx.store.cards.promise(ctx.me.id) if of.slug == NEXT_STEP else None
    if made is not None and made.words == typed:
        ctx.store.cards.change_promise(made.id, ctx.me.id, state="dropped")

    def look() -> Reply:
        ctx.value = typed
        return ctx.engine.router.presses["allies.again"].handler(ctx)

    ctx.after(look)
    return cards.reopen(ctx, PART, of.id)


@router.press("answering.list", role=Role.MEMBER)
def listed(ctx: Context) -> Reply:
    """My answers whose windows are open, each to be changed."""
    open_ones = [of for of in ctx.store.checkins.last_asked(ctx.me.id, LAST) if ctx.now < of.closes_at]
    if not open_ones:
        return CLOSED
    said = [said_in(ctx, of) for of in open_ones]
    buttons = [
        Button(t("Change: {question}", question=_short(ctx, of)), "answering.write", str(of.id)) for of in open_ones
    ]
    return Card(lines(*said, gap=True), buttons=tuple(buttons))


def _short(ctx: Context, of: Asked) -> str:
    text = ctx.say(text_of(ctx, of.slug, of.question))
    return text if len(text) <= 40 else f"{text[:39]}…"


def said_in(ctx: Context, of: Asked) -> Say:
    """A question and its answer in words."""
    labels = {one.value: one.label for one in choices_of(ctx, shape_of(of.shape), of.options)}
    answer = [
        labels.get(of.choice, of.choice) if of.choice else None,
        f"“{of.words}”" if of.words else None,
        t("by {day}", day=promises.on(ctx, of.day)) if of.day else None,
    ]
    said = lines(*answer) if any(answer) else t("skipped") if of.skipped_at else t("not answered yet")
    return lines(text_of(ctx, of.slug, of.question), said)


def _others(of: Asked) -> tuple[Button, ...]:
    """What others wrote, where the cohort may read it."""
    if of.readers != Readers.COHORT:
        return ()
    return (Button(t("What others wrote"), "answering.others", str(of.checkin_id)),)


@router.press("answering.others", role=Role.MEMBER)
def others(ctx: Context) -> Reply:
    """Others' answers that I may read, from people whom I may see; in a message of its own."""
    number, _, before = ctx.value.partition(":")
    if not before:
        ctx.message = None
    return answers_page(ctx, int(number), int(before) if before else None, "answering.others")


def _on(of: Asked) -> When:
    return When(of.asked_at, "date")


def answers_page(ctx: Context, of: int, before: int | None, action: str, *more: Button) -> Card:
    """A page of the answers that I may read, the newest first, each with its name as I may see it."""
    viewer = Viewer(ctx.me.id, ctx.me.cohort_id, ctx.me.is_facilitator)
    found = ctx.store.checkins.readable(viewer, of, before=before, limit=A_PAGE + 1)
    page = found[:A_PAGE]
    names = {one.id: one for one in ctx.people.profiles([one.member_id for one in page if one.member_id is not None])}
    said = [
        lines(
            t("{name}, {day}", name=wording.called(names[one.member_id]), day=When(one.asked_at, "date")),
            said_in(ctx, one),
        )
        for one in page
        if one.member_id in names and one.member_id != ctx.me.id
    ]
    buttons = [*more]
    if len(found) > A_PAGE:
        buttons.insert(0, Button(t("More"), action, f"{of}:{page[-1].id}"))
    nothing = t("Nobody has written anything yet that you may read.")
    return Card(lines(*said, gap=True) if said else nothing, buttons=tuple(buttons))

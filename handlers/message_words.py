"""A message to many in words: what each receiver sees, and what the sender reads about it."""

from datetime import timedelta

from bot.core import Button, Card, Context, Country, Say, When, Words, lines, t, tn
from bot.core.language import Reader
from bot.domain.messages import Tally
from handlers import wording
from storage.broadcasts import Broadcast

EXCERPT = 60  # characters
COMES, CANNOT = 0, 1
PARTS: dict[str, Say] = {
    "answered": t("Answered"),
    "delivered": t("Delivered"),
    "unreachable": t("Cannot be reached"),
    "failed": t("Failed"),
    "unconfirmed": t("Perhaps not arrived"),
    "cancelled": t("Cancelled before it left"),
    "expired": t("Too late to be sent"),
    "waiting": t("Waiting"),
    "gone": t("Have left the bot since"),
}


def sender(ctx: Context, one: Broadcast) -> Say:
    """Who a message is from."""
    mine = ctx.profile.name if one.sender_id == ctx.me.id else None
    return mine or ctx.people.profile_name(one.sender_id or 0) or t("a facilitator")


def received(ctx: Context, one: Broadcast, *, sample: bool = False) -> Card:
    """What a receiver sees; as a `sample`, its buttons do nothing."""
    name = sender(ctx, one)
    fields: tuple[tuple[Say, Say], ...] = ()
    if one.session_at is not None:
        fields = session_fields(one)
    card = Card(
        lines(t("A reminder:") if one.kind == "reminder" else None, one.text or "", _how(ctx, one, name), gap=True),
        title=t("From {name}, facilitator", name=name),
        fields=fields,
        buttons=answer_buttons(one, sample=sample),
    )
    return card


def session_fields(one: Broadcast) -> tuple[tuple[Say, Say], ...]:
    """When and where, in the reader's own time."""
    assert one.session_at is not None
    ends = one.session_at + timedelta(minutes=one.session_minutes or 60)
    when: Say = t("{start} to {end}, your time", start=When(one.session_at, "moment"), end=When(ends, "time"))
    fields: list[tuple[Say, Say]] = [(t("When"), when)]
    return (*fields, (t("Where"), one.place)) if one.place else tuple(fields)


def _how(ctx: Context, one: Broadcast, name: Say) -> Say:
    """How to answer, and who reads it."""
    if one.answer == "text":
        return t("To answer, press Answer and write. Only {name} reads your answer.", name=name)
    if one.answer == "buttons":
        return t("To answer, press a button. Only {name} reads your answer.", name=name)
    label = ctx.programme.content.word_label
    word = Words({language: label("help", language) for language in ctx.engine.language.offered})
    return t("No answer is needed. To write to a facilitator, type {word}.", word=word)


def answer_buttons(one: Broadcast, *, sample: bool = False) -> tuple[Button, ...]:
    """The buttons by which a receiver answers."""
    action = "messages.sample" if sample else "messages.choose"
    found = [Button(label, action, f"{one.root}:{place}") for place, label in enumerate(answer_labels(one))]
    if one.answer == "text":
        found.append(Button(t("Answer"), "messages.sample" if sample else "messages.reply", str(one.root), "primary"))
    if one.session_at is not None:
        found.append(Button(t("Calendar file"), "messages.sample" if sample else "sessions.calendar", str(one.root)))
    return tuple(found)


def answer_labels(one: Broadcast) -> list[Say]:
    """What can be answered by a press."""
    if one.session_at is not None:
        return [t("I come"), t("I cannot")]
    return list(one.labels or ()) if one.answer == "buttons" else []


def addressed_to(ctx: Context, one: Broadcast) -> Say:
    """The audience of a message in words."""
    key = one.audience_key or ""
    match one.audience:
        case "coalition":
            return t("the coalition {name}", name=wording.coalition(ctx, key))
        case "country":
            return Country(key)
        case "sector":
            return t("the sector {name}", name=wording.sector(ctx, key))
        case "topic":
            return t("the topic {name}", name=wording.topic(ctx, key))
        case "project":
            found = ctx.people.projects.for_facilitators(int(key)) if key.isdigit() else None
            return t("the team of {project}", project=(found.title if found else None) or t("a project"))
        case "silent":
            return t("those who have not answered")
        case "coming":
            return t("all who have not said that they cannot come")
    return t("everybody")


def excerpt(one: Broadcast) -> str:
    """How a message begins, on one line."""
    line = " ".join((one.text or "…").split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"


def leaving(one: Broadcast) -> Say:
    """When a confirmed message leaves."""
    assert one.leaves_at is not None
    if one.timing == "morning":
        return t("each person's own morning, from {when}", when=When(one.leaves_at, "moment"))
    at = one.at if one.timing == "at" and one.at is not None and one.at > one.leaves_at else one.leaves_at
    return When(at, "moment")


def people(n: int, more: bool = False) -> Say:
    """So many people."""
    if more:
        return t("more than {n} people", n=f"{n:,}")
    return tn("{n} person", "{n} people", n)


def fields_of(one: Broadcast, of: Tally) -> tuple[tuple[Say, Say], ...]:
    """The parts of a tally, which add up to the recipients; what is none is left out."""
    # What is answered to a reminder counts with its message: its own card does not say who is silent.
    counts = one.answer != "none" and one.kind != "reminder"
    labels = PARTS | ({"delivered": t("Delivered, no answer yet")} if counts else {})
    shown = [(labels[name], f"{count:,}") for name, count in of.parts.items() if count or name == "delivered"]
    return tuple(shown)


def in_words(ctx: Context, card: Card, reader: Reader) -> dict[str, object]:
    """A card in a reader's language, as a content that many share."""
    return ctx.engine.language.content(card, reader).as_json()

"""Answering a facilitator's message: a press or own words, for the sender alone; it can be changed."""

from datetime import timedelta

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, lines, t
from handlers import message_words
from handlers.me import short
from storage.broadcasts import TAKEN_BACK, Broadcast

router = Router()

OVER = t("This message was withdrawn, or is no longer here. Nothing was kept.")
LONGEST = 2000


def asked(ctx: Context, number: str) -> Broadcast | None:
    """The message that I was sent and can still answer."""
    one = ctx.store.broadcasts.get(int(number), ctx.me.cohort_id) if number.isdigit() else None
    if one is None or one.sender_id is None or one.state in ("draft", *TAKEN_BACK):
        return None
    return one if ctx.store.broadcasts.row_of(one.id, ctx.me.id) is not None else None


@router.press("messages.choose", role=Role.MEMBER)
def choose(ctx: Context) -> Reply:
    """One of the buttons; a later press changes the answer."""
    number, _, place = ctx.value.partition(":")
    one = asked(ctx, number)
    labels = message_words.answer_labels(one) if one is not None else []
    if one is None or not place.isdigit() or int(place) >= len(labels):
        return OVER
    keep(ctx, one, choice=int(place))
    return answered(ctx, one, labels[int(place)])


def keep(ctx: Context, one: Broadcast, *, choice: int | None = None, words: str | None = None) -> None:
    """Keep an answer; who answers has the message."""
    ctx.store.broadcasts.answers.keep(ctx.me.cohort_id, one.id, ctx.me.id, ctx.now, choice=choice, words=words)
    ctx.store.broadcasts.arrived(one.id, ctx.me.id, ctx.now)


def answered(ctx: Context, one: Broadcast, said: Say, more: Say | None = None) -> Card:
    """The message with the answer under it, and the way to change it."""
    name = message_words.sender(ctx, one)
    hint = (
        t("Kept for {name} alone. To change it, press another button.", name=name)
        if one.answer == "buttons"
        else t("Kept for {name} alone. To change it, press Answer again.", name=name)
    )
    text = lines(one.text or "", lines(t("Your answer: {answer}", answer=said), hint, more), gap=True)
    fields = message_words.session_fields(one) if one.session_at is not None else ()
    title = t("From {name}, facilitator", name=name)
    return Card(text, title=title, fields=fields, buttons=message_words.answer_buttons(one))


def _question(ctx: Context) -> Say:
    one = ctx.store.broadcasts.get(int(ctx.about.get("broadcast", 0)), ctx.me.cohort_id)
    name = message_words.sender(ctx, one) if one is not None else t("a facilitator")
    return t("What do you want to answer? Only {name} reads your answer.", name=name)


REPLY = Form(
    name="messages.answer",
    title=t("Answer"),
    fields=(Field(key="text", question=_question, check=short(LONGEST)),),
    keeps=timedelta(days=1),
)


@router.press("messages.reply", role=Role.MEMBER)
def write_back(ctx: Context) -> Reply:
    """Ask for the words, in a message of its own: what is answered stays readable."""
    one = asked(ctx, ctx.value)
    if one is None:
        return OVER
    ctx.message = None
    return REPLY.begin(about={"broadcast": one.id})


@router.form(REPLY, role=Role.MEMBER)
def written(ctx: Context) -> Reply:
    """Keep the words."""
    one = asked(ctx, str(ctx.about.get("broadcast", "")))
    if one is None:
        return OVER
    words = ctx.answers["text"]
    keep(ctx, one, words=words)
    name = message_words.sender(ctx, one)
    text = lines(
        t("Your answer: {answer}", answer=words),
        t("Kept for {name} alone. To change it, press Answer again.", name=name),
    )
    return Card(text, buttons=(Button(t("Answer"), "messages.reply", str(one.id)),))

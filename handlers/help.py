"""Help: the words one can type, a human to talk to, and who is behind this bot."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from bot.core import Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, lines, listed, t
from bot.core.replies import Pressable
from bot.core.router import Route
from bot.domain.profiles import Profile
from handlers import me, wording
from handlers.me import short

router = Router()

ALSO = ("stop", "undo", "leave", "mydata", "privacy")  # without a line of their own, but nobody should have to guess


@router.word("help", help=t("This list, a human to talk to, and who is behind this"), anytime=True, role=Role.MEMBER)
def typed_help(ctx: Context) -> Reply:
    """The words; whoever has not agreed yet sees again what they were shown."""
    if ctx.me.state == "arriving":
        unfinished: Any = ctx.engine.router.slots["unfinished"]
        ctx.after(lambda: unfinished(ctx))
    return help_card(ctx)


def help_card(ctx: Context) -> Card:
    """The words of my role, in my language; made from the routes, so that none is missing or promised in vain."""
    label = ctx.programme.content.word_label
    mine = ctx.me.language
    words: list[tuple[Say, Say]] = [(label(route.name, mine), route.help or "") for route in listed_words(ctx)]
    words.append((t("Also"), listed([label(word, mine) for word in ALSO])))
    buttons = [Button(t("Who is behind this"), "help.behind")]
    if ctx.me.state in ("active", "paused"):
        buttons = [Button(t("Talk to a human"), "help.human"), Button(t("Report a person"), "reports.open"), *buttons]
    text = t("Just write what you are looking for. You need none of these words, but you can type them:")
    return Card(text, fields=tuple(words), buttons=tuple(buttons))


def listed_words(ctx: Context) -> list[Route]:
    """The words with a line of help that this person may use."""
    routes = ctx.engine.router.words.values()
    return [one for one in routes if one.help is not None and (one.role is Role.MEMBER or ctx.me.is_facilitator)]


def offered(ctx: Context, word: str) -> list[Pressable]:
    """The buttons under the newest message that a typed word means: "yes" is Yes, and "Yes, leave"."""
    return [one for one in ctx.shown() if ctx.word_of(one.label.split(",")[0]) == word]


def press(ctx: Context, button: Pressable) -> Reply:
    """Do what a button does; one that hides, erases or is for facilitators is named instead, for a press of its own."""
    route = ctx.engine.router.presses.get(button.action)
    if route is None or route.role is not Role.MEMBER or button.style == "danger":
        return sure(ctx, button)
    ctx.value = button.value
    return route.handler(ctx)


def sure(ctx: Context, button: Pressable) -> Card:
    """Name a button that a word alone does not press, with all that stood beside it."""
    said = t("To be sure: please press “{button}”, or type it.", button=button.label)
    return Card(said, buttons=tuple(Button(*astuple(one)) for one in ctx.shown()))


@router.word("change", role=Role.MEMBER)
def change(ctx: Context) -> Reply:
    """What I can change of my profile, unless a button of that name was just shown."""
    meant = offered(ctx, "change")
    return press(ctx, meant[0]) if meant else me.change(ctx)


@router.press("help.open", anytime=True, role=Role.MEMBER)
def open_help(ctx: Context) -> Reply:
    """From a button."""
    return help_card(ctx)


@router.word("behind", anytime=True, role=Role.MEMBER)
@router.press("help.behind", anytime=True, role=Role.MEMBER)
def behind(ctx: Context) -> Reply:
    """Who runs it, where, and who could technically read it."""
    programme = ctx.programme
    fields: list[tuple[Say, Say]] = [
        (t("Run by"), programme.operator),
        (t("For"), programme.name),
        (t("Server in"), wording.stored_in(ctx)),
        (t("Contact"), programme.operator_contact or t("ask a facilitator")),
        (t("Who could read this chat"), _readers(ctx)),
    ]
    demo = t("This is a demo: the people in it, and this programme, are fictional.") if programme.fictional else None
    text = lines(t("I am Kawan, a bot. No company stands between you and the programme."), demo)
    return Card(text, fields=tuple(fields), buttons=(Button(t("Back"), "help.open"),))


def _readers(ctx: Context) -> Say:
    operator = ctx.programme.operator
    match ctx.here.platform if ctx.here else "":
        case "slack":
            return t("Slack, the owner of your workspace, and {operator}, who runs the server", operator=operator)
        case "telegram":
            return t("Telegram, and {operator}, who runs the server", operator=operator)
    return t("The company of the app that you write in, and {operator}, who runs the server", operator=operator)


def staff(ctx: Context) -> list[Profile]:
    """The facilitators, without myself."""
    return [one for one in ctx.people.facilitators() if one.id != ctx.me.id]


def _choices(ctx: Context) -> Sequence[Choice]:
    return [Choice(str(one.id), wording.name(one)) for one in staff(ctx)]


HUMAN = Form(
    name="help.human",
    title=t("Talk to a human"),
    fields=(
        Field(
            key="to",
            question=t("Whom do you want to reach?"),
            kind="choice",
            choices=_choices,
            when=lambda ctx: len(staff(ctx)) > 1,
        ),
        Field(key="text", question=t("What shall I pass on? I send it with your name."), check=short(2000)),
    ),
)


@router.word("human", role=Role.MEMBER)
@router.press("help.human", role=Role.MEMBER)
def human(ctx: Context) -> Reply:
    """Begin a message to a facilitator."""
    if not staff(ctx):
        contact = ctx.programme.operator_contact
        return t("No facilitator is here at the moment. You reach {operator} at: {contact}",
                 operator=ctx.programme.operator, contact=contact)  # fmt: skip
    return HUMAN.begin()


@router.form(HUMAN, role=Role.MEMBER)
def passed_on(ctx: Context) -> Reply:
    """Send it to the facilitator who was chosen."""
    found = staff(ctx)
    to = int(ctx.answers.get("to") or (found[0].id if found else 0))
    return write_to(ctx, to, ctx.answers["text"])


def write_to(ctx: Context, to: int, text: str) -> Card:
    """Pass words on to a member whom I may see, with my name as they know it, and a way to answer."""
    other = ctx.people.profile(to)
    if other is None:
        return Card(t("I could not pass this on: they cannot be reached here now. Nothing was sent."))
    seen = ctx.people.as_member_sees_me(to)
    name: Say = wording.called(seen) if seen else t("A fellow")
    card = Card(
        lines(t("{name} writes to you:", name=name), text, gap=True),
        buttons=(Button(t("Reply"), "help.reply", str(ctx.me.id)),),
    )
    if ctx.send(to, card, about=(ctx.me.id,), on_behalf=ctx.me.id) is None:
        return Card(t("I could not pass this on: they cannot be reached here now. Nothing was sent."))
    return Card(t("Passed on to {name}. When they answer, it comes here.", name=wording.name(other)))


ANSWER = Form(
    name="help.answer",
    title=t("Reply"),
    fields=(
        Field(
            key="text",
            question=lambda ctx: t("What shall I pass on to {name}?", name=_name(ctx, int(ctx.about["to"]))),
            check=short(2000),
        ),
    ),
)


def _name(ctx: Context, number: int) -> Say:
    found = ctx.people.profile(number)
    return wording.name(found) if found else t("them")


@router.press("help.reply", role=Role.MEMBER)
def reply(ctx: Context) -> Reply:
    """Answer a message; the message stays on the screen."""
    ctx.message = None
    return ANSWER.begin(about={"to": int(ctx.value)})


@router.form(ANSWER, role=Role.MEMBER)
def answered(ctx: Context) -> Reply:
    """Pass the answer on."""
    return write_to(ctx, int(ctx.about["to"]), ctx.answers["text"])

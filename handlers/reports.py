"""Reporting a person: to a facilitator or to the operator, as the reporter chooses."""

from collections.abc import Sequence

from bot.core import Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, Urgency, When, lines, t
from handlers import wording
from handlers.glossary import search_instead
from handlers.help import staff
from handlers.me import short
from handlers.named import named

router = Router()

OPERATOR = "operator"
LONGEST_NAME = 4  # words


def _receivers(ctx: Context) -> Sequence[Choice]:
    people = [Choice(str(one.id), wording.name(one)) for one in staff(ctx)]
    return [*people, Choice(OPERATOR, t("{operator}, not a facilitator", operator=ctx.programme.operator))]


REPORT = Form(
    name="reports.report",
    title=t("Report a person"),
    fields=(
        Field(
            key="to",
            question=t("Who shall receive your report? Choose somebody who is not part of it."),
            kind="choice",
            choices=_receivers,
        ),
        Field(key="whom", question=t("Whom is it about? Write the name as you know it."), check=short(200)),
        Field(key="what", question=t("What happened? Your words are passed on as they are."), check=short(3000)),
    ),
)


@router.word("report", takes_text=True, role=Role.MEMBER)
def report(ctx: Context) -> Reply:
    """The word, also with a name behind it; whether anybody of that name is here changes nothing."""
    if not ctx.text:
        return REPORT.begin()
    if asks_for_topic(ctx, ctx.text):
        return search_instead(ctx)
    return REPORT.begin(answers={"whom": ctx.text} if len(ctx.text.split()) <= LONGEST_NAME else {})


def asks_for_topic(ctx: Context, text: str) -> bool:
    """Is this a search after all, as in "report writing on public procurement", and not somebody's name?"""
    return bool(ctx.programme.understanding.understand(text, ctx.me.language).topics) and not named(ctx, text)


@router.press("reports.open", role=Role.MEMBER)
def open_report(ctx: Context) -> Reply:
    """Begin; nothing is kept until the last answer."""
    return REPORT.begin()


@router.form(REPORT, role=Role.MEMBER)
def reported(ctx: Context) -> Reply:
    """Keep it, pass it on, and give a receipt. The person it is about learns nothing from the bot."""
    said = ctx.answers
    to = None if said["to"] == OPERATOR else int(said["to"])
    if to is not None and to not in {one.id for one in staff(ctx)}:
        ctx.after(lambda: REPORT.begin(answers={"whom": said["whom"], "what": said["what"]}))
        return t("I gave it to nobody: this person does not receive reports any more. Please choose again.")
    text = f"{said['whom']}: {said['what']}"
    number = ctx.store.audit.report(ctx.me.cohort_id, ctx.me.id, to, text, ctx.now)
    receipt = t("Report {number}, {when}.", number=number, when=When(ctx.now, "moment"))
    silent = t("The person it is about is not told by me. To keep away from them: me, then Keep us apart.")
    if to is None:
        contact = t(
            "I keep it for {operator}, and no facilitator is told. I cannot call them: write to them too, and name the "
            "number. {contact}",
            operator=ctx.programme.operator,
            contact=ctx.programme.operator_contact,
        )
        return Card(lines(receipt, contact, silent))
    seen = ctx.people.as_member_sees_me(to)
    name: Say = wording.called(seen) if seen else t("A fellow")
    card = Card(
        lines(
            t("Report {number} from {name}, for you alone:", number=number, name=name),
            t("About: {whom}", whom=said["whom"]),
            said["what"],
            gap=True,
        ),
        buttons=(Button(t("Reply"), "help.reply", str(ctx.me.id)),),
    )
    ctx.send(to, card, on_behalf=ctx.me.id, urgency=Urgency.SAFETY)
    other = ctx.people.profile(to)
    given = t("Given to {name}, and to nobody else.", name=wording.name(other) if other else t("a facilitator"))
    return Card(lines(receipt, given, silent))

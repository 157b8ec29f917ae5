"""The live card of a message: one card of the sender, edited in place, whose numbers add up to the recipients."""

from bot.core import Button, Card, Context, Say, When, lines, t, tn
from bot.domain.messages import Tally, bar
from handlers import message_words
from storage.broadcasts import Broadcast

STOPPABLE = ("writing", "waiting", "leaving")


def live(ctx: Context, one: Broadcast, of: Tally) -> Card:
    """How it stands with a message now."""
    text = lines(_what(ctx, one), *_stands(one, of))
    fields = () if one.state in ("writing", "waiting") else message_words.fields_of(one, of)
    return Card(text, title=_title(one), fields=fields, buttons=buttons(one, of))


def _title(one: Broadcast) -> Say:
    if one.kind == "reminder":
        return t("Reminder")
    return t("Session") if one.session_at is not None else t("Message")


def _what(ctx: Context, one: Broadcast) -> Say:
    return t("“{text}”, to {audience}", text=message_words.excerpt(one), audience=message_words.addressed_to(ctx, one))


def _stands(one: Broadcast, of: Tally) -> list[Say]:
    """What is happening, in a sentence or two."""
    everybody = message_words.people(of.recipients)
    match one.state:
        case "writing":
            return [t("Getting ready: {people} so far. Nothing has left yet.", people=everybody)]
        case "waiting":
            return [
                t("For {people}. It leaves: {when}.", people=everybody, when=message_words.leaving(one)),
                t("Until then you can stop it, and nobody gets it."),
            ]
        case "stopping":
            return [t("Stopping. What has not left yet does not leave any more.")]
        case "stopped":
            return [_stopped(of), *on_their_way(of.waiting)]
        case "withdrawing" | "unsaying":
            return [
                t("Withdrawing. What has not left yet does not leave; what was sent is deleted where the app lets me.")
            ]
        case "withdrawn":
            return [_withdrawn(of), *on_their_way(of.waiting)]
    line = t(
        "{bar} sent {sent} of {all}", bar=bar(of.sent, of.recipients), sent=f"{of.sent:,}", all=f"{of.recipients:,}"
    )
    return [line, *_later(one, of)]


def _later(one: Broadcast, of: Tally) -> list[Say]:
    if not of.waiting:
        return []
    if one.timing == "morning" or (one.timing == "at" and not of.sent):
        return [t("It leaves: {when}.", when=message_words.leaving(one))]
    return [t("The rest is on its way, or waits: for the morning, or for Monday.")]


def on_their_way(copies: int) -> list[Say]:
    """What was being sent when it was stopped, of which nobody knows yet."""
    if not copies:
        return []
    return [tn("{n} copy was on its way just then: whether it arrived, I find out.",
               "{n} copies were on their way just then: whether they arrived, I find out.", copies)]  # fmt: skip


def _stopped(of: Tally) -> Say:
    if not of.sent and not of.unconfirmed and not of.waiting:
        return tn("Stopped. {n} person would have got it; nobody did.",
                  "Stopped. {n} people would have got it; nobody did.", of.recipients)  # fmt: skip
    return tn("Stopped. {n} person had it already.", "Stopped. {n} people had it already.", of.sent)


def _withdrawn(of: Tally) -> Say:
    if not of.sent and not of.unconfirmed and not of.waiting:
        return t("Withdrawn before anybody had it.")
    return tn(
        "Withdrawn. {n} person had it already, and may have read it: I delete it there, where the app lets me.",
        "Withdrawn. {n} people had it already, and may have read it: I delete it there, where the app lets me.",
        of.sent + of.unconfirmed,
    )


def buttons(one: Broadcast, of: Tally) -> tuple[Button, ...]:
    """What can be done now."""
    value = str(one.id)
    found: list[Button] = []
    out = one.state == "out"
    if one.state in STOPPABLE or (out and of.waiting):
        found.append(Button(t("Stop"), "messages.stop", value, "danger"))
    if one.answer != "none" and one.state in ("leaving", "out", "stopped"):
        found.append(Button(t("Results"), "messages.results", str(one.root), "primary"))
    if out and one.answer != "none" and of.delivered + of.unconfirmed and one.kind != "reminder":
        found.append(Button(t("Remind those who have not answered"), "messages.remind", value))
    if out and of.unconfirmed + of.failed:
        found.append(Button(t("Send again ({n})", n=of.unconfirmed + of.failed), "messages.again", value))
    if one.state in ("leaving", "out", "stopped") and of.sent + of.unconfirmed:
        found.append(Button(t("Withdraw"), "messages.withdraw", value, "danger"))
    if one.state not in ("writing", "stopping", "withdrawing", "unsaying"):
        found.append(Button(t("How it stands"), "messages.show", value))
    return tuple(found)


def listed(one: Broadcast, name: Say) -> Say:
    """A message in the list of earlier ones."""
    day: Say = When(one.confirmed_at or one.created_at, "date")
    n = one.recipients
    return tn("{day}, {name}: “{text}”, {n} person", "{day}, {name}: “{text}”, {n} people", n,
              day=day, name=name, text=message_words.excerpt(one))  # fmt: skip

"""What was answered to a message: counts for every facilitator, names and words for its sender alone."""

from bot.core import Button, Card, Chart, Context, Reply, Role, Router, Say, lines, t, tn
from handlers import message_acts, message_sending, message_words, wording
from storage.broadcasts import Broadcast

router = Router()

A_PAGE = 10


@router.press("messages.results", role=Role.FACILITATOR)
def results(ctx: Context) -> Reply:
    """How many answered what, with a chart; in a message of its own, so that the live card stays."""
    one = message_acts.sent(ctx)
    if one is None:
        return message_acts.NOT_HERE
    ctx.message = None
    of = message_sending.tally_of(ctx, one)
    counts = ctx.store.broadcasts.answers.counts(one.id)
    answered = sum(counts.values())
    labels = message_words.answer_labels(one)
    said = [
        t("{label}: {n} ({percent} %)", label=label, n=f"{counts.get(place, 0):,}",
          percent=_percent(counts.get(place, 0), answered))
        for place, label in enumerate(labels)
    ]  # fmt: skip
    chart = None
    if labels and answered:
        chart = Chart(
            t("Answers: {n}", n=f"{answered:,}"),
            tuple((label, counts.get(place, 0)) for place, label in enumerate(labels)),
        )
    heading = t("“{text}”: {answered} of {all} answered.", text=message_words.excerpt(one),
                answered=f"{answered:,}", all=f"{of.recipients:,}")  # fmt: skip
    if not message_acts.is_mine(ctx, one):
        alone = t("Who answered what is for {name} alone.", name=message_words.sender(ctx, one))
        return Card(lines(heading, *said, alone), chart=chart)
    return Card(lines(heading, *said), chart=chart, buttons=_buttons(one, answered))


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _buttons(one: Broadcast, answered: int) -> tuple[Button, ...]:
    if not answered:
        return ()
    if one.session_at is None:
        return (Button(t("Who answered what"), "messages.who", f"{one.id}:0:"),)
    return (
        Button(t("Who comes"), "messages.who", f"{one.id}:0:{message_words.COMES}"),
        Button(t("Who cannot"), "messages.who", f"{one.id}:0:{message_words.CANNOT}"),
    )


@router.press("messages.who", role=Role.FACILITATOR)
def who(ctx: Context) -> Reply:
    """Each answer with a name, ten at a time; for the sender alone."""
    ctx.value, _, place = ctx.value.partition(":")
    after, _, only = place.partition(":")
    choice = int(only) if only.isdigit() else None
    one = message_acts.sent(ctx)
    if one is None:
        return message_acts.NOT_HERE
    if not message_acts.is_mine(ctx, one):
        return t("Who answered what is for {name} alone.", name=message_words.sender(ctx, one))
    start = int(after) if after.isdigit() else 0
    found = ctx.store.broadcasts.answers.page(one.id, start, A_PAGE + 1, choice=choice)
    page = found[:A_PAGE]
    if not page:
        return t("No answers yet.")
    names = {seen.id: wording.called(seen) for seen in ctx.people.profiles([answer.member_id for answer in page])}
    labels = message_words.answer_labels(one)
    said: list[Say] = []
    for answer in page:
        chosen = labels[answer.choice] if answer.choice is not None and answer.choice < len(labels) else answer.text
        said.append(t("{name}: {answer}", name=names.get(answer.member_id) or t("somebody who is locked or away"),
                      answer=chosen or "…"))  # fmt: skip
    more = (Button(t("More"), "messages.who", f"{one.id}:{page[-1].member_id}:{only}"),) if len(found) > A_PAGE else ()
    counts = ctx.store.broadcasts.answers.counts(one.id)
    everybody = sum(counts.values()) if choice is None else counts.get(choice, 0)
    return Card(lines(tn("{n} answer:", "{n} answers:", everybody), *said), buttons=more)

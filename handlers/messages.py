"""For facilitators: writing to many, the preview as receivers see it, and the yes that sends it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.core import Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, When, Wrong, lines, t, tn
from bot.domain import messages as rules
from bot.domain.hours import next_card, week_began
from handlers import message_sending, message_words, readings, wording
from handlers.moments import check_moment
from storage.broadcasts import Broadcast

router = Router()

ONLY_FACILITATORS = t("Only facilitators can send to the cohort. To reach them, type help.")
GONE = t("This message is no longer here. Nothing was sent.")
TEAMS = 20  # projects whose teams can be chosen
RECENT = 5  # messages whose silent receivers can be chosen
MENU = (
    Button(t("Write a message"), "messages.new", style="primary"),
    Button(t("Invite to a session"), "sessions.new"),
    Button(t("Earlier messages"), "messages.list", "0"),
)


@router.word("message", role=Role.MEMBER)
def message(ctx: Context) -> Reply:
    """The word. Fellows are told whom to turn to."""
    return menu(ctx) if ctx.me.is_facilitator else ONLY_FACILITATORS


@router.press("messages.open", role=Role.FACILITATOR)
def menu(ctx: Context) -> Reply:
    """What can be sent to many."""
    return Card(t("Messages to {programme}", programme=ctx.programme.name), buttons=MENU)


def check_text(ctx: Context, text: str) -> str:
    """The words of a message, which must fit into one."""
    over = rules.too_long_by(text)
    if over:
        raise Wrong(
            t(
                "That is too long by {n} characters: {most} fit into one message. Please send a shorter text.",
                n=f"{over:,}",
                most=f"{rules.LONGEST:,}",
            )
        )
    return text


def _check_labels(ctx: Context, text: str) -> list[str]:
    found = rules.labels(text)
    if not 2 <= len(found) <= rules.MOST_LABELS:
        raise Wrong(t("Please write two to {n} buttons, with a comma between.", n=rules.MOST_LABELS))
    if any(len(label) > rules.LONGEST_LABEL for label in found):
        raise Wrong(t("Please keep each button under {n} characters.", n=rules.LONGEST_LABEL))
    return list(found)


def _check_country(ctx: Context, text: str) -> str:
    found = ctx.programme.understanding.understand(text, ctx.me.language).countries
    if len(found) != 1:
        raise Wrong(t("I did not find that country. Please type the name of one."))
    return found[0]


def _check_topic(ctx: Context, text: str) -> str:
    return readings.check_topics(ctx, text)[0]


def _audiences(ctx: Context) -> Sequence[Choice]:
    found = [
        Choice("all", t("Everybody")),
        Choice("coalition", t("One coalition")),
        Choice("country", t("One country")),
        Choice("sector", t("One sector")),
        Choice("topic", t("One topic")),
    ]
    if ctx.people.projects.teams(1):
        found.append(Choice("project", t("One project's team")))
    if ctx.store.broadcasts.asking(ctx.me.cohort_id, 1):
        found.append(Choice("silent", t("Those who have not answered")))
    return found


def _projects(ctx: Context) -> Sequence[Choice]:
    return [
        Choice(str(one.id), one.title or t("a project without a title")) for one in ctx.people.projects.teams(TEAMS)
    ]


def _silent(ctx: Context) -> Sequence[Choice]:
    earlier = ctx.store.broadcasts.asking(ctx.me.cohort_id, RECENT)
    return [Choice(str(one.id), message_words.excerpt(one)) for one in earlier]


def _is(key: str, value: str) -> Any:
    return lambda ctx: ctx.answers.get(key) == value


AUDIENCE = (
    Field(key="to", question=t("Who shall get it?"), kind="choice", choices=_audiences),
    Field(
        key="coalition",
        question=t("Which coalition?"),
        kind="choice",
        choices=wording.coalitions,
        when=_is("to", "coalition"),
    ),
    Field(key="country", question=t("Which country?"), check=_check_country, when=_is("to", "country")),
    Field(
        key="sector",
        question=t("Which sector?"),
        kind="choice",
        choices=wording.sectors,
        when=_is("to", "sector"),
    ),
    Field(key="topic", question=t("Which topic? Write it in your own words."), check=_check_topic,
          when=_is("to", "topic")),
    Field(
        key="project",
        question=t("Which project's team?"),
        kind="choice",
        choices=_projects,
        when=_is("to", "project"),
    ),
    Field(key="silent", question=t("Not answered which message?"), kind="choice", choices=_silent,
          when=_is("to", "silent")),
)  # fmt: skip
WRITE = Form(
    name="messages.write",
    title=t("Message"),
    fields=(
        Field(key="text", question=t("What do you want to say? Write it as people shall read it."), check=check_text),
        *AUDIENCE,
        Field(
            key="answer",
            question=t("How can people answer?"),
            kind="choice",
            choices=(
                Choice("none", t("No answer")),
                Choice("buttons", t("With buttons")),
                Choice("text", t("In their own words")),
            ),
        ),
        Field(
            key="labels",
            question=t("What shall the buttons say? Put a comma between, as in: Yes, No, Not sure"),
            check=_check_labels,
            when=_is("answer", "buttons"),
        ),
        Field(
            key="when",
            question=t("When shall it leave?"),
            kind="choice",
            choices=(
                Choice("now", t("Now")),
                Choice("at", t("At a time")),
                Choice("morning", t("Each person's own morning, 09:00")),
            ),
        ),
        Field(
            key="at",
            question=t("On which day, at what time? For example: 7 Dec 14:30. I take it as your own time."),
            check=check_moment,
            when=_is("when", "at"),
        ),
    ),
)


@router.press("messages.new", role=Role.FACILITATOR)
def new(ctx: Context) -> Reply:
    """Begin to write."""
    return WRITE.begin()


@router.form(WRITE, role=Role.FACILITATOR)
def written(ctx: Context) -> Reply:
    """A draft: shown as receivers will see it, then asked for a yes."""
    said = dict(ctx.answers)
    at = datetime.fromisoformat(said["at"]) if said["when"] == "at" else None
    values = {
        "text": said["text"],
        "answer": said["answer"],
        "labels": said.get("labels") if said["answer"] == "buttons" else None,
        "timing": said["when"],
        "at": at,
        "said": said,
        **audience_of(said),
    }
    replace_draft(ctx)
    return preview(ctx, ctx.store.broadcasts.draft(ctx.me.cohort_id, ctx.me.id, ctx.now, **values))


def replace_draft(ctx: Context) -> None:
    """Forget the draft that a form changed: a new one takes its place."""
    earlier = ctx.about.get("draft")
    if earlier is not None:
        ctx.store.broadcasts.discard(int(earlier))


def without(said: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The answers of a form but for these, which are asked anew."""
    return {key: value for key, value in said.items() if key not in keys}


def audience_of(said: dict[str, Any]) -> dict[str, str | None]:
    """The audience that was chosen in a form."""
    return {"audience": said["to"], "audience_key": said.get(said["to"])}


def preview(ctx: Context, number: int) -> Reply:
    """The message as receivers see it, then what will happen and the question."""
    one = ctx.store.broadcasts.get(number, ctx.me.cohort_id)
    assert one is not None
    ctx.after(lambda: question(ctx, one))
    return message_words.received(ctx, one, sample=True)


@router.press("messages.sample", role=Role.FACILITATOR)
def sample(ctx: Context) -> Reply:
    """A button of the preview."""
    ctx.message = None
    return t("This is only how they will see it. Nothing is sent until you say so.")


def question(ctx: Context, one: Broadcast) -> Card:
    """How many get it, when, what to think of; send or not."""
    can_change = () if one.kind == "reminder" else (_change(one),)
    other = (*can_change, Button(t("Throw away"), "messages.discard", str(one.id)))
    count, more = ctx.store.broadcasts.audiences.count(one.addressed)
    if count == 0:
        return Card(nobody(one), buttons=other)
    text = lines(
        t("This is what they see. Nothing is sent yet."),
        t("It goes to {people}: {audience}.", people=message_words.people(count, more),
          audience=message_words.addressed_to(ctx, one)),
        *_who_waits(ctx, one),
        *_warned(one),
        _when(ctx, one),
    )  # fmt: skip
    send = Button(t("Send to {n}", n=f"{count:,}" + ("+" if more else "")), "messages.send", str(one.id), "primary")
    return Card(text, buttons=(send, *other))


def _change(one: Broadcast) -> Button:
    return Button(t("Change"), "sessions.change" if one.kind == "session" else "messages.change", str(one.id))


def nobody(one: Broadcast) -> Say:
    """Why nobody would get it."""
    if one.audience == "all":
        return t("No one would get this: the cohort has no active members.")
    return t("No one would get this: no active member is in this audience. Choose another one.")


def too_late(one: Broadcast, leaves: datetime) -> Say:
    """Why an invitation is not sent any more."""
    if one.kind == "reminder":
        return t("It would leave at {time}, after the session began. Nothing was sent.", time=When(leaves, "time"))
    return t("It would leave at {time}, after the session began. Nothing was sent. You can change when the session is.",
             time=When(leaves, "time"))  # fmt: skip


def _who_waits(ctx: Context, one: Broadcast) -> list[Say]:
    """Who gets it later, and who not at all."""
    found: list[Say] = []
    if one.asks:
        everybody, _ = ctx.store.broadcasts.audiences.count(one.addressed_without_question)
        asked, more = ctx.store.broadcasts.audiences.count(one.addressed)
        if everybody > asked and not more:
            left_out = everybody - asked
            found.append(tn("{n} person agreed to no questions and is not asked.",
                            "{n} people agreed to no questions and are not asked.", left_out))  # fmt: skip
    since = week_began(ctx.now, ctx.me.time_zone)
    full = ctx.store.broadcasts.audiences.full(one.addressed, since, ctx.programme.weekly_cap)
    if full and one.session_at is not None and one.session_at <= next_card(ctx.now, ctx.me.time_zone):
        found.append(
            tn("{n} person already has {cap} this week, and does not get it: Monday is after the session.",
               "{n} people already have {cap} this week, and do not get it: Monday is after the session.", full,
               cap=ctx.programme.weekly_cap)
        )  # fmt: skip
    elif full:
        found.append(
            tn("{n} person already has {cap} this week: they get it Monday.",
               "{n} people already have {cap} this week: they get it Monday.", full, cap=ctx.programme.weekly_cap)
        )  # fmt: skip
    return found


def _warned(one: Broadcast) -> list[Say]:
    found = rules.warnings(one.text or "")
    said: list[Say] = []
    if found.many_links:
        said.append(t("It has {n} links. Many links look like spam; one is easier to follow.", n=found.links))
    elif found.links:
        said.append(tn("It has a link. Please open it once yourself.",
                       "It has {n} links. Please open them once yourself.", found.links))  # fmt: skip
    if found.calls:
        said.append(t("{word} calls nobody here: everybody gets the message anyway.", word=found.calls[0]))
    return said


def _when(ctx: Context, one: Broadcast) -> Say:
    hold = ctx.programme.hold_minutes
    held = t("It is held for {n} minutes first, so that you can still stop it.", n=hold) if hold else None
    if one.timing == "morning":
        return lines(t("It leaves at 09:00 of each person's own day."), held)
    night = t("Where it is night or the weekend then, it waits for the next morning there.")
    if one.timing == "at" and one.at is not None:
        return lines(t("It leaves on {when}, your time.", when=When(one.at, "moment")), held, night)
    return lines(held or t("It leaves at once."), night)


def draft_of(ctx: Context) -> Broadcast | None:
    """My draft that a button names."""
    one = ctx.store.broadcasts.get(int(ctx.value), ctx.me.cohort_id) if ctx.value.isdigit() else None
    return one if one is not None and one.sender_id == ctx.me.id and one.state == "draft" else None


STEPS: dict[str, tuple[Say, tuple[str, ...]]] = {
    "text": (t("The text"), ("text",)),
    "to": (t("Who gets it"), ("to", "coalition", "country", "sector", "topic", "project", "silent")),
    "answer": (t("How people answer"), ("answer", "labels")),
    "when": (t("When it leaves"), ("when", "at")),
}


@router.press("messages.change", role=Role.FACILITATOR)
def change(ctx: Context) -> Reply:
    """What shall be different?"""
    one = draft_of(ctx)
    if one is None or not one.said:
        return message_sending.already(ctx)
    buttons = [Button(label, "messages.step", f"{one.id}:{step}") for step, (label, _) in STEPS.items()]
    return Card(t("What shall I change?"), buttons=(*buttons, Button(t("Back"), "messages.ask", str(one.id))))


@router.press("messages.ask", role=Role.FACILITATOR)
def ask_again(ctx: Context) -> Reply:
    """The question once more."""
    one = draft_of(ctx)
    return message_sending.already(ctx) if one is None else question(ctx, one)


@router.press("messages.step", role=Role.FACILITATOR)
def change_step(ctx: Context) -> Reply:
    """Ask one part of it anew; the rest stays."""
    ctx.value, _, step = ctx.value.partition(":")
    one = draft_of(ctx)
    if one is None or not one.said or step not in STEPS:
        return GONE
    return WRITE.begin(about={"draft": one.id}, answers=without(one.said, STEPS[step][1]))


@router.press("messages.discard", role=Role.FACILITATOR)
def discard(ctx: Context) -> Reply:
    """Nothing is kept of it."""
    one = draft_of(ctx)
    if one is None:
        return message_sending.already(ctx)
    ctx.store.broadcasts.discard(one.id)
    return Card(t("Thrown away. Nothing was sent."), buttons=(Button(t("Back"), "messages.open"),))


@router.press("messages.send", role=Role.FACILITATOR, again=True)
def send(ctx: Context) -> Reply:
    """The yes: it is held, then it leaves. From here on this message is the live card."""
    one = draft_of(ctx)
    if one is None:
        return message_sending.already(ctx)
    count, _ = ctx.store.broadcasts.audiences.count(one.addressed)
    if count == 0:
        return Card(nobody(one), buttons=(_change(one),))
    leaves = message_sending.leaves_at(ctx)
    if one.session_at is not None and one.session_at <= leaves:
        return Card(too_late(one, leaves), buttons=() if one.kind == "reminder" else (_change(one),))
    message_sending.begin(ctx, one, count)
    return None

"""Sessions: an invitation in everybody's own time, with a calendar file, I come or I cannot, and one reminder."""

from datetime import datetime
from typing import Any

from bot.core import Button, Card, Choice, Context, Field, File, Form, Reply, Role, Router, Say, t
from bot.core.calendar import MEDIA_TYPE, Entry, calendar
from handlers import message_answers, message_sending, messages
from handlers.me import short
from handlers.moments import check_moment

router = Router()

MINUTES = tuple(Choice(str(n), t("{n} minutes", n=n)) for n in (30, 60, 90, 120))


SESSION = Form(
    name="sessions.write",
    title=t("Session"),
    fields=(
        Field(key="text", question=t("What is the session about? Write it as people shall read it."),
              check=messages.check_text),
        Field(
            key="at",
            question=t("On which day, at what time? For example: 7 Dec 14:30. I take it as your own time, and show "
                       "everybody theirs."),
            check=check_moment,
        ),
        Field(key="minutes", question=t("How long is it?"), kind="choice", choices=MINUTES),
        Field(key="place", question=t("Where? A link, or a place."), optional=True, check=short(300)),
        *messages.AUDIENCE,
    ),
)  # fmt: skip
STEPS: dict[str, tuple[Say, tuple[str, ...]]] = {
    "text": (t("The text"), ("text",)),
    "at": (t("When it is"), ("at", "minutes")),
    "place": (t("Where it is"), ("place",)),
    "to": messages.STEPS["to"],
}


@router.press("sessions.new", role=Role.FACILITATOR)
def new(ctx: Context) -> Reply:
    """Begin to invite."""
    return SESSION.begin()


@router.form(SESSION, role=Role.FACILITATOR)
def written(ctx: Context) -> Reply:
    """A draft, shown as receivers will see it."""
    said = dict(ctx.answers)
    values: dict[str, Any] = {
        "kind": "session",
        "text": said["text"],
        "answer": "buttons",
        "session_at": datetime.fromisoformat(said["at"]),
        "session_minutes": int(said["minutes"]),
        "place": said.get("place"),
        "said": said,
        **messages.audience_of(said),
    }
    messages.replace_draft(ctx)
    return messages.preview(ctx, ctx.store.broadcasts.draft(ctx.me.cohort_id, ctx.me.id, ctx.now, **values))


@router.press("sessions.change", role=Role.FACILITATOR)
def change(ctx: Context) -> Reply:
    """What shall be different?"""
    one = messages.draft_of(ctx)
    if one is None:
        return message_sending.already(ctx)
    buttons = [Button(label, "sessions.step", f"{one.id}:{step}") for step, (label, _) in STEPS.items()]
    return Card(t("What shall I change?"), buttons=(*buttons, Button(t("Back"), "messages.ask", str(one.id))))


@router.press("sessions.step", role=Role.FACILITATOR)
def change_step(ctx: Context) -> Reply:
    """Ask one part of it anew; the rest stays."""
    ctx.value, _, step = ctx.value.partition(":")
    one = messages.draft_of(ctx)
    if one is None or not one.said or step not in STEPS:
        return messages.GONE
    return SESSION.begin(about={"draft": one.id}, answers=messages.without(one.said, STEPS[step][1]))


@router.press("sessions.calendar", role=Role.MEMBER)
def calendar_file(ctx: Context) -> Reply:
    """The file, in a message of its own."""
    one = message_answers.asked(ctx, ctx.value)
    if one is None or one.session_at is None:
        return message_answers.OVER
    ctx.message = None
    file = File("session.ics", MEDIA_TYPE, "sessions.calendar", ctx.me.id, {"broadcast": one.id})
    return Card(t("Open this file, and your calendar shows the session in your own time."), files=(file,))


@router.file("sessions.calendar")
def make_calendar(ctx: Context) -> bytes:
    """A session as a calendar file, in the reader's language."""
    one = ctx.store.broadcasts.get(int(ctx.about.get("broadcast", 0)), ctx.me.cohort_id)
    if one is None or one.session_at is None:
        return b""
    text = one.text or ""
    title = text.strip().split("\n")[0][:120]
    notes = "\n".join(part for part in (text, one.place) if part)
    entry = Entry(f"session-{one.id}", title, one.session_at, one.session_minutes or 60, notes)
    return calendar(ctx.programme.name, [entry], one.confirmed_at or one.created_at)


@router.due("sessions.remind")
def remind(ctx: Context) -> Reply:
    """The day before: once more to all who have it and have not said that they cannot come."""
    one = ctx.store.broadcasts.get(ctx.object or 0, ctx.me.cohort_id)
    over = one is None or one.session_at is None or one.session_at <= ctx.now
    if one is None or over or one.state not in ("leaving", "out") or not ctx.me.is_facilitator:
        return None
    number = message_sending.draft_reminder(ctx, one, "coming")
    reminder = ctx.store.broadcasts.get(number, ctx.me.cohort_id)
    assert reminder is not None
    message_sending.start(ctx, reminder, ctx.now)
    return None

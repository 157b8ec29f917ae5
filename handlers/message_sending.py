"""A confirmed message on its way: its rows written, let go, cancelled and taken back, a chunk a transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core import Context, Reply, Router, Urgency, When, t
from bot.core.clock import monotonic
from bot.core.language import Reader
from bot.domain.messages import Tally, next_morning, tally
from handlers import message_card, message_words
from storage.audiences import idem_prefix
from storage.broadcasts import Broadcast, Recipient
from storage.outbox_rows import NewRow

router = Router()

AT_ONCE = 200  # people at most whose rows are written with the yes
CARD_EVERY = timedelta(seconds=30)
CARD_SELDOM = timedelta(minutes=15)
CARD_FOR = timedelta(days=7)
GIVES_UP = timedelta(days=14)  # after that a message that nobody could be reached with is too late
DAY_BEFORE = timedelta(days=1)
SOON = timedelta(hours=12)  # a reminder this soon after the invitation would be one too many
REMINDERS = 50  # of one message, which are withdrawn with it
ON_ITS_WAY = ("writing", "waiting", "leaving")


def draft_reminder(ctx: Context, one: Broadcast, audience: str) -> int:
    """A message once more, as a draft for some of those who have it; returns its number."""
    return ctx.store.broadcasts.draft(
        ctx.me.cohort_id,
        ctx.me.id,
        ctx.now,
        kind="reminder",
        root_id=one.root,
        text=one.text,
        answer=one.answer,
        labels=one.labels,
        session_at=one.session_at,
        session_minutes=one.session_minutes,
        place=one.place,
        audience=audience,
        audience_key=str(one.root),
    )


def tally_of(ctx: Context, one: Broadcast) -> Tally:
    """What became of a message: from the states of its rows, so that it always adds up."""
    answered = sum(ctx.store.broadcasts.answers.counts(one.id).values())
    return tally(one.recipients, _states(ctx, one), answered)


def on_their_way(ctx: Context, one: Broadcast) -> int:
    """How many copies are being sent now, or were, and nobody knows whether they arrived."""
    states = _states(ctx, one)
    return states.get("sending", 0) + states.get("in_doubt", 0)


def _states(ctx: Context, one: Broadcast) -> Mapping[str, int]:
    contents = ctx.store.broadcasts.parts(one.id).values()
    return ctx.store.contents.states(contents) if contents else {}


def leaves_at(ctx: Context) -> datetime:
    """When what is confirmed now may leave."""
    return ctx.now + timedelta(minutes=ctx.programme.hold_minutes)


def begin(ctx: Context, one: Broadcast, people: int) -> None:
    """The yes of the sender: the message that was pressed becomes the live card, and the rows are written.

    The rows of few people at once; those of many in transactions of their own, so that the yes is answered soon.
    """
    leaves = leaves_at(ctx)
    start(ctx, one, leaves, at_once=people <= AT_ONCE)
    one = _again(ctx, one)
    card = message_card.live(ctx, one, tally_of(ctx, one))
    number = ctx.reply(card) if ctx.message is None else ctx.edit(ctx.message, card)
    ctx.store.broadcasts.change(one.id, card=number)
    ctx.store.schedules.set_timer("messages.card", ctx.me.id, leaves + CARD_EVERY, one.id)
    if one.kind == "session" and one.session_at is not None and one.session_at - DAY_BEFORE > leaves + SOON:
        ctx.store.schedules.set_timer("sessions.remind", ctx.me.id, one.session_at - DAY_BEFORE, one.id)


def start(ctx: Context, one: Broadcast, leaves: datetime, *, at_once: bool = False) -> None:
    """Write the rows, held until `leaves`: the first ones at once, or in the next step."""
    ctx.store.broadcasts.change(one.id, state="writing", confirmed_at=ctx.now, leaves_at=leaves, said=None)
    if at_once:
        step(ctx, _again(ctx, one), AT_ONCE + 1)
    else:
        ctx.store.schedules.set_timer("messages.step", ctx.me.id, ctx.now, one.id)


def already(ctx: Context) -> Reply:
    """What a second yes is told."""
    one = ctx.store.broadcasts.get(int(ctx.value), ctx.me.cohort_id) if ctx.value.isdigit() else None
    if one is None or one.confirmed_at is None:
        return t("This message is no longer here. Nothing was sent.")
    of = tally_of(ctx, one)
    ctx.message = None
    return t("Already being sent (started {time}). {sent} of {all} sent.",
             time=When(one.confirmed_at, "time"), sent=f"{of.sent:,}", all=f"{of.recipients:,}")  # fmt: skip


def _again(ctx: Context, one: Broadcast) -> Broadcast:
    found = ctx.store.broadcasts.get(one.id, one.cohort_id)
    assert found is not None
    return found


def step(ctx: Context, one: Broadcast, size: int = 0) -> None:
    """Do the next chunk of whatever a message's state asks for, and set the time for the one after it."""
    if one.state in ON_ITS_WAY and not may_send(ctx, one):
        stop(ctx, one)
        return
    size, began = size or ctx.engine.chunks.size, monotonic()
    match one.state:
        case "writing":
            more = _write(ctx, one, size)
        case "waiting" | "leaving":
            more = _release(ctx, one, size)
        case "stopping":
            more = _cancel(ctx, one, "stopped", size)
        case "withdrawing":
            more = _cancel(ctx, one, "unsaying", size)
        case "unsaying":
            more = _unsay(ctx, one, size)
        case _:
            return
    if more:
        ctx.engine.chunks.took(size, monotonic() - began)
        ctx.store.schedules.set_timer("messages.step", ctx.me.id, ctx.now, one.id)


def stop(ctx: Context, one: Broadcast) -> None:
    """Nothing of it leaves any more."""
    ctx.store.broadcasts.change(one.id, state="stopping", cursor=0)
    step(ctx, _again(ctx, one))


def withdraw(ctx: Context, one: Broadcast) -> None:
    """What waits does not leave; what was sent is deleted where the platform allows; so with its reminders."""
    for number in ctx.store.broadcasts.reminders(one.id, REMINDERS):
        reminder = ctx.store.broadcasts.get(number, one.cohort_id)
        if reminder is not None and not ctx.store.broadcasts.discard(number):
            withdraw(ctx, reminder)
    ctx.store.broadcasts.change(one.id, state="withdrawing", cursor=0)
    step(ctx, _again(ctx, one))
    now = _again(ctx, one)
    if now.state == "unsaying":
        step(ctx, now)
    renew(ctx, _again(ctx, one))


def watch(ctx: Context, one: Broadcast) -> None:
    """Renew the live card soon, from now on."""
    if one.sender_id is None:
        return
    ctx.store.schedules.cancel(one.sender_id, ("messages.card",), one.id)
    ctx.store.schedules.set_timer("messages.card", one.sender_id, ctx.now + CARD_EVERY, one.id)


def may_send(ctx: Context, one: Broadcast) -> bool:
    """Is the sender still a facilitator who is here? Asked again in every step."""
    found = ctx.store.members.recall(one.sender_id) if one.sender_id is not None else None
    return found is not None and found.is_facilitator and found.state in ("active", "paused")


def _write(ctx: Context, one: Broadcast, size: int) -> bool:
    """Write the next rows, held; the last ones set the time at which they leave."""
    found, after = ctx.store.broadcasts.next_recipients(one.addressed, one.cursor, size)
    parts = ctx.store.broadcasts.parts(one.id)
    rows = [_row(ctx, one, to, _content(ctx, one, to, parts)) for to in found]
    ctx.store.outbox.add_many(rows, ctx.now)
    written = one.recipients + len(rows)
    if after is not None:
        ctx.store.broadcasts.change(one.id, recipients=written, cursor=after)
        return True
    ctx.store.broadcasts.change(one.id, state="waiting", recipients=written, cursor=0)
    assert one.leaves_at is not None
    if one.leaves_at > ctx.now:
        ctx.store.schedules.set_timer("messages.step", ctx.me.id, one.leaves_at, one.id)
        return False
    return True


def _content(ctx: Context, one: Broadcast, to: Recipient, parts: dict[tuple[str, str], int]) -> int:
    """The words for one person's language (and zone, where a time is named): written down once."""
    key = (to.language, to.time_zone if one.session_at is not None else "")
    if key not in parts:
        card = message_words.received(ctx, one)
        body = ctx.engine.language.content(card, Reader(to.language, to.time_zone)).as_json()
        parts[key] = ctx.store.contents.add(to.language, body, ctx.now, broadcast=one.id)
        ctx.store.broadcasts.add_part(one.id, *key, parts[key])
    return parts[key]


def _row(ctx: Context, one: Broadcast, to: Recipient, content: int) -> NewRow:
    assert one.leaves_at is not None
    at = one.leaves_at
    if one.timing == "at" and one.at is not None:
        at = max(at, one.at)
    if one.timing == "morning":
        at = next_morning(at, to.time_zone)
    return NewRow(
        idem=f"{idem_prefix(one.id)}{to.member_id}",
        key=ctx.ids.key(),
        lane=to.lane,
        conversation=to.conversation,
        member_id=to.member_id,
        cause=f"broadcast:{one.id}",
        content_id=content,
        once=True,
        priority=int(Urgency.BROADCAST),
        on_behalf=one.sender_id,
        purpose="questions" if one.asks else None,
        counted=one.audience != "coming",  # who said yes, wants to be reminded
        released=False,
        at=at,
        not_after=min(at + GIVES_UP, one.session_at) if one.session_at is not None else at + GIVES_UP,
    )


def _release(ctx: Context, one: Broadcast, size: int) -> bool:
    """Let the next rows go; those of a later hour stay held until it comes."""
    assert one.leaves_at is not None
    if one.leaves_at > ctx.now:
        return False
    chunk = ctx.store.contents.release(_contents(ctx, one), one.cursor, size, ctx.now)
    done = chunk.after is None
    ctx.store.broadcasts.change(one.id, state="out" if done else "leaving", cursor=chunk.after or 0)
    return not done


def _cancel(ctx: Context, one: Broadcast, then: str, size: int) -> bool:
    """Cancel the next rows that have not left."""
    chunk = ctx.store.contents.cancel_of(_contents(ctx, one), 0, size, ctx.now)
    if chunk.after is not None:
        return True
    ended = ctx.now if then == "stopped" else one.ended_at
    ctx.store.broadcasts.change(one.id, state=then, cursor=0, ended_at=ended)
    if then == "stopped":
        renew(ctx, _again(ctx, one))
    return then != "stopped"


def _unsay(ctx: Context, one: Broadcast, size: int) -> bool:
    """Take back the next rows that were sent."""
    chunk = ctx.store.contents.unsay_of(
        _contents(ctx, one), one.cursor, size, ctx.now, key=ctx.ids.key, cause=f"broadcast:{one.id}"
    )
    if chunk.after is not None:
        ctx.store.broadcasts.change(one.id, cursor=chunk.after)
        return True
    ctx.store.broadcasts.change(one.id, state="withdrawn", cursor=0, ended_at=ctx.now)
    renew(ctx, _again(ctx, one))
    return False


def _contents(ctx: Context, one: Broadcast) -> list[int]:
    return sorted(ctx.store.broadcasts.parts(one.id).values())


@router.due("messages.step")
def go_on(ctx: Context) -> Reply:
    """The next chunk."""
    one = ctx.store.broadcasts.get(ctx.object or 0, ctx.me.cohort_id)
    if one is not None:
        step(ctx, one)
        now = _again(ctx, one)
        if now.state != one.state:
            renew(ctx, now)
    return None


def renew(ctx: Context, one: Broadcast, *, always: bool = False) -> None:
    """Say on the live card what is true now, if that is something else than it says."""
    of = tally_of(ctx, one)
    says = f"{one.state} {of}"
    if one.card is None or (one.shown == says and not always):
        return
    ctx.edit(one.card, message_card.live(ctx, one, of))
    ctx.store.broadcasts.change(one.id, shown=says)


@router.due("messages.card")
def renew_card(ctx: Context) -> Reply:
    """The live card, every half minute while it leaves, and then seldom while answers come."""
    one = ctx.store.broadcasts.get(ctx.object or 0, ctx.me.cohort_id)
    if one is None or one.leaves_at is None or ctx.now - one.leaves_at > CARD_FOR:
        return None
    fresh = ctx.now - one.leaves_at < timedelta(hours=1)
    waiting = tally_of(ctx, one).waiting
    if waiting and one.state in (*ON_ITS_WAY, "out") and not may_send(ctx, one):
        stop(ctx, one)
        one = _again(ctx, one)
    renew(ctx, one)
    if waiting or one.answer != "none":
        soon = waiting and fresh
        ctx.store.schedules.set_timer(
            "messages.card", ctx.me.id, ctx.now + (CARD_EVERY if soon else CARD_SELDOM), one.id
        )
    return None

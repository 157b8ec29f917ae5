"""Did you talk? Asked once on the weekly card of each of two people in touch; what one says, the other never learns."""

from datetime import timedelta

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, t
from bot.domain.checkins import week_of
from bot.domain.hours import next_card
from handlers import cards, wording
from handlers.partners import two_others
from storage.talks import Talk

router = Router()

PART = "talks.talked"
AFTER = timedelta(days=5)  # the first time to talk; also what somebody without time gets once more
AGAIN = timedelta(days=7)
MOST_TIMES = 2  # asked so often, whatever the answer


def expect(ctx: Context, introduction: int, other: int) -> None:
    """I and the other are in touch from now on: each is asked on the first card after five days."""
    ask_from = ctx.now + AFTER
    ctx.store.talks.expect(ctx.me.cohort_id, introduction, ctx.me.id, other, ask_from)
    for number in (ctx.me.id, other):
        where = ctx.store.members.where(number)
        if where is not None:
            ctx.store.schedules.set_timer(PART, number, next_card(ask_from, where.time_zone))


@router.due(PART)
def due(ctx: Context) -> Reply:
    """If no question's card carries it that Monday, it is a card of its own."""
    if ctx.me.state == "active" and _waiting(ctx) is not None:
        week = cards.week_with_room(ctx)
        if week == week_of(cards.today(ctx)):
            cards.put(ctx, week, None)
    return None


def _waiting(ctx: Context) -> int | None:
    found = ctx.store.talks.waiting(ctx.me.id, ctx.now)
    return found.id if found else None


def _name(ctx: Context, of: Talk) -> Say | None:
    other = ctx.people.profile(of.other_id) if of.other_id is not None else None
    return wording.name(other) if other else None


@router.rider(PART, find=_waiting, main=True, asks=False)
def part(ctx: Context, number: int) -> Card | None:
    """The question; left out when the other is not to be seen any more."""
    of = ctx.store.talks.get(number, ctx.me.id)
    name = _name(ctx, of) if of is not None and of.said is None else None
    if name is None:
        return None
    value = str(number)
    return Card(
        t("Did you and {name} talk? Nobody learns who said what; only totals are counted.", name=name),
        buttons=(
            Button(t("Yes"), "talks.yes", value, "primary"),
            Button(t("Not yet"), "talks.not_yet", value),
            Button(t("No"), "talks.no", value),
        ),
        about=(of.other_id,) if of is not None and of.other_id is not None else (),
    )


def _mine(ctx: Context) -> Talk | None:
    return ctx.store.talks.get(int(ctx.value.partition(":")[0]), ctx.me.id)


@router.press("talks.yes", role=Role.MEMBER)
def yes(ctx: Context) -> Reply:
    """It counts once both say so. Was it worth the time?"""
    of = _mine(ctx)
    if of is None:
        return cards.GONE
    ctx.store.talks.change(of.id, ctx.me.id, said="yes", said_at=ctx.now)
    cards.touched(ctx, PART, of.id)
    buttons = [Button(str(n), "talks.value", f"{of.id}:{n}") for n in range(1, 6)]
    text = t("Good. Was it worth your time, from 1 (no) to 5 (very much)? Only totals are counted.")
    return Card(text, buttons=(*buttons, Button(t("Skip"), "talks.value", f"{of.id}:")))


@router.press("talks.value", role=Role.MEMBER)
def value(ctx: Context) -> Reply:
    """One number, or none."""
    of = _mine(ctx)
    if of is None:
        return cards.GONE
    given = ctx.value.partition(":")[2]
    if given in ("1", "2", "3", "4", "5"):
        ctx.store.talks.change(of.id, ctx.me.id, value=int(given))
    return cards.onward(ctx, PART, of.id, t("Kept. Thank you."))


@router.press("talks.not_yet", role=Role.MEMBER)
def not_yet(ctx: Context) -> Reply:
    """Once more, a week later; then it is left alone."""
    of = _mine(ctx)
    if of is None or of.said is not None:
        return cards.GONE
    if of.times + 1 >= MOST_TIMES:
        ctx.store.talks.change(of.id, ctx.me.id, said="not yet", said_at=ctx.now)
        return cards.onward(ctx, PART, of.id, t("All right. I do not ask about it again."))
    ask_from = ctx.now + AGAIN
    ctx.store.talks.change(of.id, ctx.me.id, ask_from=ask_from, times=of.times + 1)
    ctx.store.schedules.set_timer(PART, ctx.me.id, next_card(ask_from, ctx.me.time_zone))
    return cards.onward(ctx, PART, of.id, t("All right. I ask once more, not before {day}.", day=When(ask_from)))


@router.press("talks.no", role=Role.MEMBER)
def no(ctx: Context) -> Reply:
    """Why? Nothing is passed on."""
    of = _mine(ctx)
    if of is None or of.said is not None:
        return cards.GONE
    value = str(of.id)
    buttons = [Button(t("No answer from them"), "talks.silent", value)]
    if of.times == 0:
        buttons.append(Button(t("No time: five more days"), "talks.time", value))
    buttons.append(Button(t("I changed my mind"), "talks.mind", value))
    return Card(t("What was in the way? Only the five more days would be passed on."), buttons=tuple(buttons))


def _no(ctx: Context, why: str) -> Talk | None:
    of = _mine(ctx)
    if of is None or of.said is not None:
        return None
    ctx.store.talks.change(of.id, ctx.me.id, said="no", why=why, said_at=ctx.now)
    return of


@router.press("talks.silent", role=Role.MEMBER)
def silent(ctx: Context) -> Reply:
    """A new partner: two other names at once."""
    of = _no(ctx, "silence")
    if of is None:
        return cards.GONE
    introduction = ctx.store.introductions.get(of.introduction_id)
    topic = dict(introduction.card or {}).get("topic") if introduction is not None else None
    others = two_others(ctx, topic, of.other_id or 0)
    said = t("That happens, and says nothing about you.")
    if others:
        ctx.after(lambda: Card(t("Perhaps one of these instead:"), buttons=others))
    return cards.onward(ctx, PART, of.id, said)


@router.press("talks.time", role=Role.MEMBER)
def time(ctx: Context) -> Reply:
    """Five more days, once, for both; the other is told, so that nobody waits for nothing."""
    of = _mine(ctx)
    if of is None or of.said is not None or of.times:
        return cards.GONE
    until = ctx.now + AFTER
    ctx.store.talks.put_off(of.introduction_id, until)
    for number in (ctx.me.id, of.other_id):
        where = ctx.store.members.where(number) if number is not None else None
        if where is not None:
            ctx.store.schedules.set_timer(PART, where.member_id, next_card(until, where.time_zone))
    if of.other_id is not None and ctx.people.profile(of.other_id) is not None:
        seen = ctx.people.as_member_sees_me(of.other_id)
        mine: Say = wording.name(seen) if seen else t("A fellow")
        told = t("{name} had no time to talk so far, and would like five more days.", name=mine)
        ctx.send(of.other_id, told, about=(ctx.me.id,), on_behalf=ctx.me.id, once=True)
    said = t("Five more days, until {day}. They know. You can write to each other at any time.", day=When(until))
    return cards.onward(ctx, PART, of.id, said)


@router.press("talks.mind", role=Role.MEMBER)
def mind(ctx: Context) -> Reply:
    """Out, without a word to the other, and with the way back."""
    of = _no(ctx, "mind")
    if of is None:
        return cards.GONE
    said = t("All right. Nobody is told, and I do not ask again. They stay among your allies, in case you want to.")
    return cards.onward(ctx, PART, of.id, said)

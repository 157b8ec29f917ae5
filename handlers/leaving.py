"""Leaving the bot: a day to undo, then erasure with a receipt; `undo` also ends a time away."""

from datetime import UTC, datetime, timedelta

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, lines, t
from bot.core.events import Address
from bot.core.forms import question
from handlers import away, privacy, requests
from handlers.safety import close_requests

router = Router()

TO_UNDO = timedelta(days=1)
STAY = Button(t("No, stay"), "leaving.stay")
OPEN_END = datetime(9999, 1, 1, tzinfo=UTC)
KEPT_TIMERS = ("privacy.erase", "away.end")


@router.word("leave", anytime=True, role=Role.MEMBER)
def leave(ctx: Context) -> Reply:
    """Ask whether they mean it."""
    return confirm(ctx)


@router.press("leaving.open", anytime=True, role=Role.MEMBER)
def open_leaving(ctx: Context) -> Reply:
    """The same, from a button."""
    return confirm(ctx)


def confirm(ctx: Context, before: Say | None = None) -> Card:
    """What leaving does, and when; nothing has happened yet."""
    if ctx.me.state in ("arriving", "joining"):
        ctx.later.clear()  # a question that waits comes back after the no: a yes must not be taken for its answer
        erase = Button(t("Yes, leave"), "joining.no", style="danger")
        return Card(t("You are still joining. If you leave now, everything is erased at once."), buttons=(erase, STAY))
    if ctx.me.state == "leaving":
        return _waiting(ctx)
    if _is_last_facilitator(ctx):
        return Card(
            lines(
                t("You are the only facilitator here: without one, nobody could help the fellows."),
                t("Invite another one first; then you can leave."),
            ),
            buttons=(Button(t("People"), "people.open"),),
        )
    when = When(ctx.now + TO_UNDO, "moment")
    ctx.later.clear()
    text = lines(
        before,
        t("Leave the bot? At once nobody finds you, your open requests close, and I ask you nothing."),
        t("If you press yes now, I erase your data on {when}. Until then undo brings you back.", when=when),
        gap=True,
    )
    buttons = (
        Button(t("Yes, leave"), "leaving.yes", style="danger"),
        Button(t("My data first"), "mydata.open"),
        Button(t("Only a break"), "away.open"),
        STAY,
    )
    return Card(text, buttons=buttons)


@router.press("leaving.stay", role=Role.MEMBER)
def stay(ctx: Context) -> Reply:
    """Nothing happens; the question that was interrupted comes back."""
    waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
    if waiting is not None and not ctx.form(waiting.form).gentle:
        return question(ctx, waiting, t("Now back to the earlier question."))
    return Card(t("You stay. Nothing was erased."), buttons=(Button(t("Me"), "me.open"),))


def _is_last_facilitator(ctx: Context) -> bool:
    return ctx.me.is_facilitator and ctx.store.members.facilitators(ctx.me.cohort_id) in ([], [ctx.me.id])


@router.press("leaving.yes", anytime=True, role=Role.MEMBER)
def yes(ctx: Context) -> Reply:
    """The second yes: at once out of search, matching and prompts; erased after a day."""
    if ctx.me.state not in ("active", "paused") or _is_last_facilitator(ctx):
        return confirm(ctx)
    at, me, store = ctx.now + TO_UNDO, ctx.me.id, ctx.store
    store.outbox.cancel_to(me, ctx.now)
    store.outbox.cancel_about(me, ctx.now)
    close_requests(ctx, me)
    store.dialogs.end_all(me)
    store.schedules.cancel(me, tuple(name for name in ctx.engine.router.dues if name not in KEPT_TIMERS))
    # Somebody who was away without an end comes back away: the end of time stands for it while they are leaving.
    until = ctx.me.paused_until or (OPEN_END if ctx.me.state == "paused" else None)
    store.members.change(me, state="leaving", leaving_at=at, paused_until=until)
    store.profiles.renew(me)
    store.schedules.set_timer("privacy.erase", me, at)
    ctx.refresh()
    return _waiting(ctx)


@router.leaving
def waiting(ctx: Context) -> Reply:
    """Whatever somebody writes who is leaving."""
    return _waiting(ctx)


def _waiting(ctx: Context) -> Card:
    assert ctx.me.leaving_at is not None
    word = ctx.programme.content.word_label("undo", ctx.me.language)
    tomorrow = ctx.now + TO_UNDO == ctx.me.leaving_at
    when = When(ctx.me.leaving_at, "time" if tomorrow else "moment")
    said = (
        t("I will erase your data tomorrow at {when}. Type {word} before then.", when=when, word=word)
        if tomorrow
        else t("I will erase your data on {when}. Type {word} before then.", when=when, word=word)
    )
    return Card(lines(said, t("To stay, press Undo.")), buttons=(Button(t("Undo"), "leaving.undo"),))


@router.word("undo", anytime=True, role=Role.MEMBER)
def undo(ctx: Context) -> Reply:
    """Take back leaving, or a time away."""
    return _undo(ctx)


@router.press("leaving.undo", anytime=True, role=Role.MEMBER)
def press_undo(ctx: Context) -> Reply:
    """The same, from a button."""
    return _undo(ctx)


def _undo(ctx: Context) -> Reply:
    if ctx.me.state == "paused":
        return away.back(ctx)
    if ctx.me.state != "leaving":
        nothing = t("There is nothing to undo. What you changed in your profile, you change back there: type me.")
        return requests.to_undo(ctx) or nothing
    paused = ctx.me.paused_until is not None and ctx.me.paused_until > ctx.now
    ctx.store.members.change(
        ctx.me.id,
        state="paused" if paused else "active",
        leaving_at=None,
        paused_until=ctx.me.paused_until if paused and ctx.me.paused_until != OPEN_END else None,
    )
    ctx.store.schedules.cancel(ctx.me.id, ("privacy.erase",))
    ctx.store.profiles.renew(ctx.me.id)
    ctx.refresh()
    unseen = privacy.why_unseen(ctx)
    return Card(
        lines(
            t("You stay. Nothing was erased.")
            if unseen
            else t("You stay. Nothing was erased, and you are seen as before, from now on."),
            unseen,
            t("Requests to meet that were open are closed; you can ask again."),
        ),
        buttons=(Button(t("Who sees me"), "privacy.who"), *privacy.to_be_found(ctx)),
    )


@router.due("privacy.erase")
def erase(ctx: Context) -> Reply:
    """The day is over: erase, and say a last time what remains where."""
    if ctx.me.state not in ("leaving", "locked") or ctx.me.leaving_at is None or ctx.me.leaving_at > ctx.now:
        return None
    where = ctx.store.members.where(ctx.me.id)
    ctx.store.privacy.erase(ctx.me.id)
    if where is not None:
        ctx.here = Address(where.platform, where.installation, where.conversation)
        ctx.farewell(_receipt(ctx))
    return None


def _receipt(ctx: Context) -> Card:
    programme = ctx.programme
    done = When(ctx.now, "moment")
    return Card(
        lines(
            t("Your data is erased: profile, topics, requests, allies, settings, answers. Done {when}.", when=done),
            t("This chat stays in your app until you delete it there."),
            t("Milestones that you wrote for a team stay with the team, without your name."),
            t(
                "What else remains: counts, without your name; the log of who did what, with a number in place of your "
                "name; and backups that were made before today, until newer ones replace them."
            ),
            t(
                "Questions about this: {operator}, {contact}",
                operator=programme.operator,
                contact=programme.operator_contact,
            ),
            gap=True,
        )
    )

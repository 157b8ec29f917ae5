"""What a facilitator does with a message that was sent: look, stop, remind, send again, withdraw; earlier ones."""

from bot.core import Button, Card, Context, Reply, Role, Router, lines, t, tn
from handlers import message_card, message_sending, message_words, messages
from storage.broadcasts import TAKEN_BACK, Broadcast

router = Router()

A_PAGE = 8
AGAIN_AT_ONCE = 500  # people
NOT_HERE = t("This message is no longer here. Nothing changed.")


def sent(ctx: Context) -> Broadcast | None:
    """The message of my cohort that a button names, once it is more than a draft."""
    one = ctx.store.broadcasts.get(int(ctx.value), ctx.me.cohort_id) if ctx.value.isdigit() else None
    return one if one is not None and one.state != "draft" else None


def is_mine(ctx: Context, one: Broadcast) -> bool:
    """Am I its sender?"""
    return one.sender_id == ctx.me.id


def show_card(ctx: Context, one: Broadcast) -> Reply:
    """How it stands; on the live card itself, or in the message that was pressed."""
    if one.card is not None and one.card == ctx.message:
        message_sending.renew(ctx, one, always=True)
        return None
    return message_card.live(ctx, one, message_sending.tally_of(ctx, one))


@router.press("messages.show", role=Role.FACILITATOR)
def show(ctx: Context) -> Reply:
    """The numbers of now."""
    one = sent(ctx)
    if one is not None and one.state in message_sending.ON_ITS_WAY and not message_sending.may_send(ctx, one):
        message_sending.stop(ctx, one)  # its steps do not come while its sender is locked
        one = sent(ctx)
    return NOT_HERE if one is None else show_card(ctx, one)


@router.press("messages.list", role=Role.FACILITATOR)
def earlier(ctx: Context) -> Reply:
    """The cohort's messages, newest first, a page at a time."""
    before = int(ctx.value) if ctx.value.isdigit() else 0
    found = ctx.store.broadcasts.page(ctx.me.cohort_id, before or None, A_PAGE + 1)
    page = found[:A_PAGE]
    back = Button(t("Back"), "messages.open")
    if not page:
        return Card(t("No message was sent yet."), buttons=(Button(t("Write a message"), "messages.new"), back))
    said = [message_card.listed(one, message_words.sender(ctx, one)) for one in page]
    buttons = [Button(message_words.excerpt(one), "messages.show", str(one.id)) for one in page]
    if len(found) > A_PAGE:
        buttons.append(Button(t("More"), "messages.list", str(page[-1].id)))
    return Card(lines(*said), buttons=(*buttons, back))


@router.press("messages.stop", role=Role.FACILITATOR, again=True)
def stop(ctx: Context) -> Reply:
    """Nothing of it leaves any more: before it left, nobody gets it."""
    one = sent(ctx)
    if one is None:
        return NOT_HERE
    if one.state in (*message_sending.ON_ITS_WAY, "out"):
        message_sending.stop(ctx, one)
        one = sent(ctx)
        assert one is not None
    return show_card(ctx, one)


@router.press("messages.remind", role=Role.FACILITATOR)
def remind(ctx: Context) -> Reply:
    """A reminder for those who have it and have not answered; shown first, as every message is."""
    one = sent(ctx)
    if one is None or one.state != "out":
        return NOT_HERE
    ctx.message = None
    if not is_mine(ctx, one):
        return t("Only {name} can remind of it. Nothing changed.", name=message_words.sender(ctx, one))
    return messages.preview(ctx, message_sending.draft_reminder(ctx, one, "silent"))


@router.press("messages.again", role=Role.FACILITATOR)
def again(ctx: Context) -> Reply:
    """Once more to those with whom it failed, or perhaps did not arrive: they may get it twice."""
    one = sent(ctx)
    if one is None or one.state != "out":
        return NOT_HERE
    if why := _not_again(ctx, one):
        ctx.message = None
        return why
    contents = ctx.store.broadcasts.parts(one.id).values()
    count = ctx.store.broadcasts.send_again(contents, AGAIN_AT_ONCE, ctx.now, not_after=one.session_at)
    message_sending.watch(ctx, one)
    ctx.after(lambda: _sent_again(count))
    return show_card(ctx, one)


def _not_again(ctx: Context, one: Broadcast) -> Reply:
    """Why it cannot be sent once more, or None."""
    if one.session_at is not None and one.session_at <= ctx.now:
        return t("The session has begun already. Nothing was sent.")
    if not message_sending.may_send(ctx, one):
        return t("{name} is no facilitator here any more, so it cannot be sent again. Nothing changed.",
                 name=message_words.sender(ctx, one))  # fmt: skip
    return None


def _sent_again(count: int) -> Reply:
    if not count:
        return t("Nobody is left to send it to again. Nothing changed.")
    return tn(
        "It goes once more to {n} person. If the first did arrive after all, they have it twice.",
        "It goes once more to {n} people. Whoever got the first after all has it twice.",
        count,
    )


@router.press("messages.withdraw", role=Role.FACILITATOR)
def ask_withdraw(ctx: Context) -> Reply:
    """It cannot be undone: asked first."""
    one = sent(ctx)
    if one is None:
        return NOT_HERE
    of = message_sending.tally_of(ctx, one)
    ctx.message = None
    text = lines(
        t("Withdraw “{text}”?", text=message_words.excerpt(one)),
        tn("{n} person has it. I delete it there, where the app lets me; they may have read it.",
           "{n} people have it. I delete it there, where the app lets me; they may have read it.",
           of.sent + of.unconfirmed),
        t("Its reminders are withdrawn, too.") if ctx.store.broadcasts.reminders(one.id, 1) else None,
        t("What has not left yet does not leave. Answers are kept. This cannot be undone."),
    )  # fmt: skip
    keep = Button(t("No, keep it"), "messages.kept", str(one.id))
    return Card(text, buttons=(Button(t("Yes, withdraw"), "messages.withdrawn", str(one.id), "danger"), keep))


@router.press("messages.kept", role=Role.FACILITATOR)
def keep(ctx: Context) -> Reply:
    """Not withdrawn."""
    return t("Nothing changed. The message stays.")


@router.press("messages.withdrawn", role=Role.FACILITATOR, again=True)
def withdraw(ctx: Context) -> Reply:
    """Cancel what waits, delete what was sent."""
    one = sent(ctx)
    if one is None:
        return NOT_HERE
    if one.state in TAKEN_BACK:
        return t("Already withdrawn. Nothing changed.")
    of, leaving = message_sending.tally_of(ctx, one), message_sending.on_their_way(ctx, one)
    waiting = of.waiting - leaving
    message_sending.withdraw(ctx, one)
    return lines(
        tn("Withdrawn. {n} person had it already.", "Withdrawn. {n} people had it already.", of.sent + of.unconfirmed),
        tn("{n} was still waiting and does not get it.", "{n} were still waiting and do not get it.", waiting)
        if waiting
        else None,
        *message_card.on_their_way(leaving),
    )

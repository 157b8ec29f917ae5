"""Being asked: help, answer in words, or not this time; nobody is told of a no."""

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, lines, t
from handlers import wording
from handlers.introductions import OPENED, met_card
from handlers.me import short
from storage.access import Viewer
from storage.asks import ANSWERED, DECLINED, HELPING, OPEN, Ask
from storage.members import LIVE

router = Router()

CLOSED = t("This question is closed. Nothing changed.")


def _asker_name(ctx: Context) -> Say:
    found = ctx.store.asks.get(int(ctx.about["ask"]))
    seen = ctx.people.profile(found.member_id) if found else None
    return wording.name(seen) if seen else t("this person")


ANSWER = Form(
    name="asked.answer",
    title=t("Answer"),
    fields=(
        Field(
            key="answer",
            question=lambda ctx: t(
                "What do you answer {name}? I pass on exactly your words, with your name.", name=_asker_name(ctx)
            ),
            check=short(2000),
        ),
    ),
)


def _asked_of_me(ctx: Context, number: int) -> Ask | None:
    """An open question that was asked of me, whose asker is here and not kept apart from me; or None."""
    found = ctx.store.asks.get(number)
    if found is None or found.state != OPEN or ctx.store.asks.receiver(number, ctx.me.id) is None:
        return None
    asker = ctx.store.members.recall(found.member_id)
    if asker is None or asker.state not in LIVE or not ctx.people.may_bring_together(asker.id):
        return None
    return found


@router.press("asked.help", role=Role.MEMBER)
def help_(ctx: Context) -> Reply:
    """The second yes, the first was the question: both are put in touch."""
    number = int(ctx.value)
    found = _asked_of_me(ctx, number)
    if found is None or not ctx.store.asks.settle(number, ctx.me.id, HELPING):
        return CLOSED
    asker = found.member_id
    ctx.store.introductions.befriend(ctx.me.cohort_id, asker, ctx.me.id, ctx.now, None)
    together = ctx.send_group((asker, ctx.me.id), OPENED)
    theirs = ctx.store.people(Viewer(asker, ctx.me.cohort_id)).profile(ctx.me.id)
    if theirs is not None:
        before = t("{name} can help with “{text}”.", name=wording.name(theirs), text=found.text)
        card = met_card(ctx, theirs, writes_first=True, together=together, before=before)
        ctx.send(asker, card, about=(ctx.me.id,), once=True)
    mine = ctx.people.profile(asker)
    return met_card(ctx, mine, writes_first=False, together=together) if mine else t("You are in touch now.")


@router.press("asked.answer", role=Role.MEMBER)
def answer(ctx: Context) -> Reply:
    """Answer in words, without being put in touch."""
    return CLOSED if _asked_of_me(ctx, int(ctx.value)) is None else ANSWER.begin(about={"ask": int(ctx.value)})


@router.form(ANSWER, role=Role.MEMBER)
def answered(ctx: Context) -> Reply:
    """Pass the words on, once; helping is still possible."""
    number = int(ctx.about["ask"])
    found = _asked_of_me(ctx, number)
    if found is None or not ctx.store.asks.settle(number, ctx.me.id, ANSWERED, ctx.answers["answer"]):
        return CLOSED
    asker = found.member_id
    seen = ctx.store.people(Viewer(asker, ctx.me.cohort_id)).profile(ctx.me.id)
    name = wording.name(seen) if seen else wording.own_name(ctx)
    said = lines(
        t("You asked: “{text}”", text=found.text),
        t("{name} answers: “{answer}”", name=name, answer=ctx.answers["answer"]),
    )
    solved = Button(t("Solved"), "asks.solved", str(number))
    ctx.send(asker, Card(said, buttons=(solved,)), about=(ctx.me.id,), on_behalf=ctx.me.id, once=True)
    offer = Button(t("I can help, put us in touch"), "asked.help", str(number))
    return Card(t("Passed on to {name}.", name=_asker_name(ctx)), buttons=(offer,))


@router.press("asked.no", role=Role.MEMBER)
def no(ctx: Context) -> Reply:
    """Nobody is told."""
    ctx.store.asks.settle(int(ctx.value), ctx.me.id, DECLINED)
    return t("That is fine. Nobody is told.")

"""What I need and what I offer: each a sentence of mine, and the topic that was read in it, shown for a yes."""

import json

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, lines, t
from handlers import wording
from handlers.me import short

router = Router()

MOST = 5


@router.press("wishes.open", role=Role.MEMBER)
def open_wishes(ctx: Context) -> Reply:
    """The list."""
    return card(ctx)


def card(ctx: Context, before: Say | None = None) -> Card:
    """My needs and offers, with what can be added and removed."""
    needs, offers = ctx.profile.needs, ctx.profile.offers
    fields: list[tuple[Say, Say]] = [
        (t("Needs"), wording.helps(ctx, needs) or t("none")),
        (t("Offers"), wording.helps(ctx, offers) or t("none")),
    ]
    buttons = []
    for kind, label, mine in (("need", t("Add a need"), needs), ("offer", t("Add an offer"), offers)):
        if len(mine) < MOST:
            buttons.append(Button(label, "wishes.add", kind))
    for one in (*needs, *offers):
        what: Say = wording.topic(ctx, one.topic) if one.topic else (one.text or "")[:30]
        buttons.append(Button(t("Remove: {what}", what=what), "wishes.remove", str(one.id)))
    buttons.append(Button(t("Back"), "me.change"))
    text = t("Others are shown your offers when they look for them, as far as you let them see you.")
    return Card(lines(before, text, gap=True), fields=tuple(fields), buttons=tuple(buttons))


WISH = Form(
    name="wishes.words",
    title=t("What I need and offer"),
    fields=(
        Field(
            key="text",
            question=lambda ctx: (
                t("What help would move you most? One sentence.")
                if ctx.about.get("kind") == "need"
                else t("What can you help others with? One sentence.")
            ),
            check=short(300),
        ),
    ),
)


@router.press("wishes.add", role=Role.MEMBER)
def add(ctx: Context) -> Reply:
    """Ask for the sentence."""
    return WISH.begin(about={"kind": ctx.value})


@router.form(WISH, role=Role.MEMBER)
def written(ctx: Context) -> Reply:
    """Show what was read in the sentence."""
    kind, text = ctx.about["kind"], ctx.answers["text"]
    topics = ctx.programme.understanding.understand(text, ctx.me.language).topics
    if not topics:
        return _choose(ctx, kind, text, t("I found no topic in this. What is it about?"))
    return Card(
        t("I read: {topic}.", topic=wording.topic(ctx, topics[0])),
        buttons=(
            Button(t("Right"), "wishes.keep", _packed(kind, text, topics[0]), "primary"),
            Button(t("Change"), "wishes.other", _packed(kind, text, topics[0])),
        ),
    )


def _packed(kind: str, text: str, topic: str | None) -> str:
    return json.dumps([kind, text, topic], ensure_ascii=False)


def _choose(ctx: Context, kind: str, text: str, question: Say, but: str | None = None) -> Card:
    understanding = ctx.programme.understanding
    near = [*understanding.understand(text, ctx.me.language).topics, *understanding.nearest(text, limit=6)]
    buttons = [
        Button(wording.topic(ctx, slug), "wishes.keep", _packed(kind, text, slug))
        for slug in dict.fromkeys(near)
        if slug != but
    ]
    none = Button(t("None of these"), "wishes.keep", _packed(kind, text, None))
    return Card(question, buttons=(*buttons[:6], none, Button(t("Write it in other words"), "wishes.add", kind)))


@router.press("wishes.other", role=Role.MEMBER)
def other(ctx: Context) -> Reply:
    """It was read wrongly: other topics to choose from."""
    kind, text, topic = json.loads(ctx.value)
    return _choose(ctx, kind, text, t("What is it about?"), but=topic)


@router.press("wishes.keep", role=Role.MEMBER)
def keep(ctx: Context) -> Reply:
    """Store it, once."""
    kind, text, topic = json.loads(ctx.value)
    mine = [wish for wish in ctx.store.profiles.wishes(ctx.me.id) if wish.kind == kind]
    if any((wish.text, wish.topic) == (text, topic) for wish in mine):
        return card(ctx, t("Already saved. Nothing changed."))
    if len(mine) >= MOST:
        return card(ctx, t("{n} are enough. Remove one first.", n=MOST))
    ctx.store.profiles.add_wish(ctx.me.cohort_id, ctx.me.id, kind, topic, text)
    ctx.refresh()
    if topic is None:
        return card(ctx, t("Kept in your words. Others find it by the words in it."))
    return card(ctx, t("Kept, and found from now on under {topic}.", topic=wording.topic(ctx, topic)))


@router.press("wishes.remove", role=Role.MEMBER)
def remove(ctx: Context) -> Reply:
    """Take one away, with a way back."""
    gone = next((wish for wish in ctx.store.profiles.wishes(ctx.me.id) if str(wish.id) == ctx.value), None)
    if gone is None:
        return card(ctx, t("Already removed. Nothing changed."))
    ctx.store.profiles.drop_wish(ctx.me.id, gone.id)
    ctx.refresh()
    what: Say = gone.text or wording.topic(ctx, gone.topic)
    undo = Button(t("Undo"), "wishes.keep", _packed(gone.kind, gone.text or "", gone.topic))
    return Card(
        t("Removed: {what}. From now on nobody finds it.", what=what),
        buttons=(undo, Button(t("What I need and offer"), "wishes.open")),
    )

"""Asking the others: the preview, whom it goes to, and what I asked."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, When, lines, listed, t, tn
from bot.core.programme import local_morning
from bot.core.replies import Country, Urgency
from bot.domain.hours import next_card
from bot.domain.profiles import Audience, Profile
from bot.domain.words import word_keys
from handlers import wording
from handlers.finding import watchable
from handlers.me import short
from storage.asks import ANSWERED, HELPING, OPEN, Ask, Asked
from storage.search import Clause

router = Router()

AT_A_TIME = 5
OPEN_AT_MOST = 3
TIMES_AT_MOST = 3
A_WEEK = timedelta(days=7)
LOOKED_AT = 30  # people on one page while looking for five
PAGES = 3
LONGEST = 500

ASK = Form(
    name="asks.ask",
    title=t("Ask the others"),
    fields=(
        Field(
            key="text",
            question=t("What do you need? One or two sentences, as the others will read them."),
            check=short(LONGEST),
        ),
    ),
)


@router.word("ask", help=t("Ask up to five fellows who can help"), takes_text=True, role=Role.MEMBER)
def ask(ctx: Context) -> Reply:
    """With a sentence: the preview; without: what I asked, or the question what I need."""
    if ctx.text:
        return preview(ctx, {"text": ctx.text[:LONGEST]})
    return my_asks(ctx) or ASK.begin()


@router.press("asks.new", role=Role.MEMBER)
def new(ctx: Context) -> Reply:
    """Write another question."""
    return ASK.begin(answers={})


@router.form(ASK, role=Role.MEMBER)
def written(ctx: Context) -> Reply:
    """Show it before anybody gets it."""
    return preview(ctx, {"text": ctx.answers["text"], **ctx.about})


@router.press("asks.preview", role=Role.MEMBER)
def again(ctx: Context) -> Reply:
    """The preview of a text that is known: from a search, or with one kind of people left out."""
    return preview(ctx, json.loads(ctx.value))


def preview(ctx: Context, draft: dict[str, Any]) -> Card:
    """Exactly what the others will see, and what kinds of people they are.

    `draft`: text, left_out (kinds of people), ask (its number, when others are asked), and stuck or milestone: what of
    the asker's it shall free.
    """
    if not draft.get("ask") and len(ctx.store.asks.open_of(ctx.me.id)) >= OPEN_AT_MOST:
        full = t("You have three open questions, which is the most at one time. Close one first.")
        return Card(full, buttons=(Button(t("My questions"), "asks.mine"),))
    people = fitting(ctx, draft)
    value = json.dumps(draft, ensure_ascii=False)
    change = Button(t("Change"), "asks.change", value)
    cancel = Button(t("Cancel"), "asks.cancel")
    if not people:
        return _nobody(ctx, draft, (change, cancel))
    kinds = Counter(_kind(one) for one in people)
    goes_to = tn(
        "It goes to {n} fellow: {kinds}.", "It goes to {n} fellows: {kinds}.", len(people), kinds=_named(ctx, kinds)
    )
    said = lines(
        t("This is what they will see, and nothing more:"),
        shown(ctx, draft["text"], _topic(ctx, draft["text"])),
        goes_to,
        t("Nobody is asked more than once a week. Answers come here, to you alone."),
        gap=True,
    )
    without = [
        Button(t("Leave out: {kind}", kind=_kind_name(ctx, kind)), "asks.preview", _without(draft, kind))
        for kind in kinds
        if len(kinds) > 1
    ]
    return Card(said, buttons=(Button(t("Send"), "asks.send", value, "primary"), *without, change, cancel))


def _nobody(ctx: Context, draft: dict[str, Any], after: tuple[Button, ...]) -> Card:
    said = lines(
        t("Nobody whom I may ask now fits this."),
        t("I can keep it open, and tell you when somebody joins who fits."),
    )
    keep = Button(t("Keep it open"), "asks.keep", json.dumps(draft, ensure_ascii=False), "primary")
    return Card(said, buttons=(keep, Button(t("Whom I can meet"), "allies.again", draft["text"]), *after))


def shown(ctx: Context, text: str, topic: str | None) -> Say:
    """A question as everybody sees it who gets it; the country only if the whole cohort may see it."""
    name = wording.own_name(ctx)
    seen = ctx.people.as_seen_by(Audience.COHORT)
    who = t("{name} ({country})", name=name, country=Country(seen.country)) if seen and seen.country else name
    about = t("It is about: {topic}.", topic=wording.topic(ctx, topic)) if topic else None
    return lines(t("{who} asks: “{text}”", who=who, text=text), about)


def fitting(ctx: Context, draft: dict[str, Any]) -> list[Profile]:
    """Up to five whom I may see, whose offers or topics fit, who agreed to be asked and were not asked this week."""
    left_out, found = draft.get("left_out", []), dict[int, Profile]()
    before = {one.member_id for one in ctx.store.asks.receivers(draft["ask"])} if draft.get("ask") else set()
    for clauses in _searches(ctx, draft["text"]):
        after = None
        for _ in range(PAGES):
            page = ctx.people.find(clauses, after=after, limit=LOOKED_AT)
            fits = [one for one in page.profiles if one.id not in before and _kind(one) not in left_out]
            numbers = [one.id for one in fits if one.id != ctx.me.id]
            may = ctx.store.asks.askable(ctx.me.cohort_id, numbers, ctx.now - A_WEEK) if numbers else set()
            found |= {one.id: one for one in fits if one.id in may}
            after = page.after
            if after is None or len(found) >= AT_A_TIME:
                break
        if len(found) >= AT_A_TIME:
            break
    return list(found.values())[:AT_A_TIME]


def _searches(ctx: Context, text: str) -> list[list[Clause]]:
    wanted = ctx.programme.understanding.understand(text, ctx.me.language)
    countries = [Clause("country", wanted.countries)] if wanted.countries else []
    if wanted.topics:
        return [[Clause(kind, wanted.topics), *countries] for kind in ("offer", "topic")]
    keys = [key for word in wanted.words for key in word_keys(word)][:8]
    return [[*(Clause("word", (key,)) for key in keys), *countries]] if keys else []


def _topic(ctx: Context, text: str) -> str | None:
    return next(iter(ctx.programme.understanding.understand(text, ctx.me.language).topics), None)


def _kind(of: Profile) -> str:
    """What kind of people somebody is one of, as far as I may see it."""
    return of.sector or ""


def _kind_name(ctx: Context, kind: str) -> Say:
    return wording.sector(ctx, kind) if kind else t("others")


def _named(ctx: Context, kinds: Counter[str]) -> Say:
    return listed([t("{n} from {kind}", n=n, kind=_kind_name(ctx, kind)) if kind else
                   tn("{n} other", "{n} others", n) for kind, n in kinds.most_common()])  # fmt: skip


def _without(draft: dict[str, Any], kind: str) -> str:
    return json.dumps({**draft, "left_out": [*draft.get("left_out", []), kind]}, ensure_ascii=False)


@router.press("asks.change", role=Role.MEMBER)
def change(ctx: Context) -> Reply:
    """Write it anew."""
    draft = json.loads(ctx.value)
    return ASK.begin(about={key: draft[key] for key in ("ask", "stuck", "milestone") if draft.get(key)})


@router.press("asks.cancel", role=Role.MEMBER)
def cancel(ctx: Context) -> Reply:
    """The asker thought better of it."""
    return t("Nothing was sent.")


@dataclass(frozen=True, slots=True)
class Sending:
    """A question that was written down, and whom it goes to."""

    number: int
    people: list[Profile]


@router.press("asks.send", role=Role.MEMBER)
def send(ctx: Context) -> Reply:
    """The asker's yes: five fellows are asked, each once."""
    draft = json.loads(ctx.value)
    people = fitting(ctx, draft)
    if not people:
        return _nobody(ctx, draft, (Button(t("Cancel"), "asks.cancel"),))
    asking = _written_down(ctx, draft, people)
    if asking is None:
        return t("This question is closed. Nothing changed.")
    return goes_out(ctx, asking)


def _written_down(ctx: Context, draft: dict[str, Any], people: list[Profile]) -> Sending | None:
    """A new question, or one that goes to others too; the message that was pressed twice asks nobody twice."""
    number = draft.get("ask")
    if number:
        found = ctx.store.asks.get(number)
        if found is None or found.member_id != ctx.me.id or found.state != OPEN or found.times >= TIMES_AT_MOST:
            return None
        ctx.store.asks.change(number, times=found.times + 1)
    elif any(one.text == draft["text"] for one in ctx.store.asks.open_of(ctx.me.id)):
        return None
    else:
        number = ctx.store.asks.add(
            ctx.me.cohort_id, ctx.me.id, draft["text"], _topic(ctx, draft["text"]), ctx.now,
            stuck_id=draft.get("stuck"), milestone_id=draft.get("milestone"),
        )  # fmt: skip
    return Sending(number, people)


def goes_out(ctx: Context, asking: Sending) -> Card:
    """Ask these people, and say when I come back to it."""
    found = ctx.store.asks.get(asking.number)
    assert found is not None
    for one in asking.people:
        if ctx.store.asks.ask_of(ctx.me.cohort_id, found.id, one.id, ctx.now):
            message = ctx.send(
                one.id, asked_card(ctx, found), about=(ctx.me.id,), on_behalf=ctx.me.id, urgency=Urgency.QUESTION,
                once=True,
            )  # fmt: skip
            ctx.store.asks.sent(found.id, one.id, message)
    again = look_again(ctx, found.id)
    said = tn(
        "Sent to {n} fellow. Answers come here. On {day} I ask you whether it moved.",
        "Sent to {n} fellows. Answers come here. On {day} I ask you whether it moved.",
        len(asking.people),
        day=When(again),
    )
    return Card(said, buttons=(Button(t("Close the question"), "asks.close", str(found.id)),))


def look_again(ctx: Context, number: int) -> datetime:
    """After a week the asker is asked whether it moved, on the card of that Monday; returns when."""
    at = next_card(local_morning(ctx.now, ctx.me.time_zone, 6), ctx.me.time_zone)
    ctx.store.schedules.cancel(ctx.me.id, ("asks.moved",), number)
    ctx.store.schedules.set_timer("asks.moved", ctx.me.id, at, number)
    return at


def asked_card(ctx: Context, found: Ask) -> Card:
    """What somebody sees who is asked; the context is the asker's."""
    said = lines(
        shown(ctx, found.text, found.topic),
        t("If you cannot help, do nothing: nobody is told. You get one such question a week at most."),
        gap=True,
    )
    number = str(found.id)
    return Card(
        said,
        buttons=(
            Button(t("I can help"), "asked.help", number, "primary"),
            Button(t("Answer"), "asked.answer", number),
            Button(t("Not this time"), "asked.no", number),
        ),
    )


@router.press("asks.keep", role=Role.MEMBER)
def keep(ctx: Context) -> Reply:
    """Nobody fits yet: it stays open, and whoever joins and fits is offered."""
    draft = json.loads(ctx.value)
    asking = _written_down(ctx, draft, [])
    if asking is None:
        return t("This question is closed. Nothing changed.")
    wanted = ctx.programme.understanding.understand(draft["text"], ctx.me.language)
    ctx.store.search.watch(ctx.me.cohort_id, ctx.me.id, watchable(wanted), ctx.now)
    said = t("Kept open. I tell you when somebody joins who fits, and on {day} I ask you whether it moved.",
             day=When(look_again(ctx, asking.number)))  # fmt: skip
    return Card(said, buttons=(Button(t("Close the question"), "asks.close", str(asking.number)),))


@router.press("asks.mine", role=Role.MEMBER)
def mine(ctx: Context) -> Reply:
    """What I asked."""
    return my_asks(ctx) or t("You have no open question. To ask one, type ask.")


def my_asks(ctx: Context) -> Card | None:
    """My open questions, each with what came of it; None when there is none."""
    open_now = ctx.store.asks.open_of(ctx.me.id)
    if not open_now:
        return None
    said: list[Say] = []
    buttons: list[Button] = []
    for found in open_now:
        said.append(lines(t("You asked: “{text}”", text=found.text), so_far(ctx.store.asks.receivers(found.id))))
        label = wording.topic(ctx, found.topic) if found.topic else found.text[:20]
        buttons.append(Button(t("Solved: {what}", what=label), "asks.solved", str(found.id)))
        buttons.append(Button(t("Close: {what}", what=label), "asks.close", str(found.id)))
    return Card(lines(*said, gap=True), buttons=(*buttons, Button(t("Ask something else"), "asks.new")))


def so_far(receivers: list[Asked]) -> Say:
    """Counts of what came back; a no is never told apart from silence."""
    if not receivers:
        return t("Nobody fits yet; it stays open.")
    back = sum(one.state in (HELPING, ANSWERED) for one in receivers)
    return t("{all} were asked, {n} answered or offered help.", all=len(receivers), n=back)


def open_of_mine(ctx: Context, number: int) -> Ask | None:
    """An open question of mine, or None."""
    found = ctx.store.asks.get(number)
    return found if found is not None and found.member_id == ctx.me.id and found.state == OPEN else None


def to_offer(ctx: Context, topics: list[str], other: int) -> Button | None:
    """A button to pass an open question of mine on to somebody who just joined."""
    fits = next((one for one in ctx.store.asks.open_of(ctx.me.id) if one.topic in topics), None)
    if fits is None:
        return None
    return Button(t("Ask them: “{text}”", text=fits.text[:40]), "asks.offer", json.dumps([fits.id, other]))

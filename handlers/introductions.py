"""Meet somebody: a preview, two private yeses, and a no that nobody can tell from silence."""

import json
from datetime import datetime, timedelta
from typing import Any

from bot.core.context import Context
from bot.core.forms import Field, Form
from bot.core.programme import local_morning
from bot.core.replies import Button, Card, Country, Reply, Say, Urgency, When, lines, t
from bot.core.router import Router
from bot.domain.allies import Reason, rank
from bot.domain.profiles import Profile
from handlers import wording
from storage.access import Viewer
from storage.introductions import Introduction
from storage.search import Clause

router = Router()

OPEN_AT_MOST = 3
NEW_A_WEEK = 2
REMIND_DAYS, CLOSE_DAYS = 3, 7
NOT_AGAIN = timedelta(days=90)

NOT_NOW = t("This person cannot be asked at the moment. I will let you know if there is a match.")


@router.press("introductions.preview")
def preview(ctx: Context) -> Reply:
    """Exactly the card that the other will see; pressing Send is the asker's yes."""
    about = json.loads(ctx.value)
    other = ctx.people.profile(about["to"])
    if other is None or other.facilitator or not ctx.people.agreed_to(about["to"], "introductions"):
        return NOT_NOW
    refusal = _why_not(ctx, other)
    if refusal is not None:
        return refusal
    card = _request(ctx, other, about)
    said = lines(
        t("This is what {name} will see, and nothing more:", name=wording.name(other)),
        shown(ctx, card),
        t(
            "Pressing Send is your yes. {name} decides in private. You hear from me within a week.",
            name=wording.name(other),
        ),
        gap=True,
    )
    again = ctx.say(wording.topic(ctx, about["topic"])) if about.get("topic") else ""
    buttons = [Button(t("Send"), "introductions.send", json.dumps(card), "primary")]
    if again:
        buttons.append(Button(t("Back to the list"), "allies.again", again))
    return Card(said, buttons=(*buttons, Button(t("Cancel"), "introductions.cancel")))


def _why_not(ctx: Context, other: Profile) -> Reply:
    """What speaks against asking now; a no of the other is never told apart from silence."""
    if other.id == ctx.me.id:
        return t("You cannot be introduced to yourself.")
    latest = ctx.store.introductions.latest_between(ctx.me.id, other.id)
    if ctx.store.introductions.are_allies(ctx.me.id, [other.id]):
        since: Say = When(latest.decided_at, "date") if latest and latest.decided_at else t("earlier")
        return _in_touch(t("You were introduced to {name}: {when}.", name=wording.name(other), when=since), other.id)
    if latest is not None and latest.closed_at is None:
        if latest.asker_id == other.id:
            return request_card(ctx, latest) if latest.state == "proposed" else None
        return t("You asked to meet {name} already. You hear from me by {day}.", name=wording.name(other),
                 day=When(latest.closes_at))  # fmt: skip
    if _asked_not_long_ago(ctx, latest):
        return t(
            "You asked to meet {name} not long ago. I will let you know if there is a match.", name=wording.name(other)
        )
    if len(ctx.store.introductions.open_of(ctx.me.id)) >= OPEN_AT_MOST:
        return Card(
            t("You have three open requests, which is the most at one time. Withdraw one, or wait for an answer."),
            buttons=(Button(t("Requests"), "introductions.requests"),),
        )
    return None


def _asked_not_long_ago(ctx: Context, latest: Introduction | None) -> bool:
    if latest is None or latest.asker_id != ctx.me.id or latest.state == "withdrawn":
        return False
    return ctx.now - latest.asked_at < NOT_AGAIN


def _request(ctx: Context, other: Profile, about: dict[str, Any]) -> dict[str, Any]:
    """What the other will see of the asker: a name, what it is about, and reasons that both know already."""
    seen = ctx.people.as_member_sees_me(other.id)
    mine = ctx.profile
    return {
        "to": other.id,
        "name": (seen.name if seen else None) or ctx.people.own_whole().other_name or mine.name,
        "country": seen.country if seen else None,
        "sector": seen.sector if seen else None,
        "topic": about.get("topic"),
        "why": about.get("why", []),
    }


def shown(ctx: Context, card: dict[str, Any]) -> Say:
    """A request in words, the same in the asker's preview and for the other."""
    name = card["name"] or t("A fellow")
    who = t("{name} ({country})", name=name, country=Country(card["country"])) if card["country"] else name
    about = t("It is about: {topic}.", topic=wording.topic(ctx, card["topic"])) if card["topic"] else None
    why = [wording.reason_to_other(ctx, Reason(kind, data)) for kind, data in card["why"]]
    sees = t("They see it from {sector}.", sector=wording.sector(ctx, card["sector"])) if card["sector"] else None
    return lines(t("{who} would like to meet you.", who=who), about, sees, *why)


@router.press("introductions.cancel")
def cancel(ctx: Context) -> Reply:
    """The asker thought better of it."""
    return t("Nothing was sent.")


@router.press("introductions.send")
def send(ctx: Context) -> Reply:
    """The asker's yes: the other is asked, now or when their week has room."""
    card = json.loads(ctx.value)
    other = ctx.people.profile(card["to"])
    if other is None or other.facilitator or not ctx.people.agreed_to(card["to"], "introductions"):
        return NOT_NOW
    refusal = _why_not(ctx, other)
    if refusal is not None:
        return refusal
    where = ctx.store.members.where(other.id)
    if where is None or where.state != "active":
        return NOT_NOW
    asked_at = _next_room(ctx, other.id, where.time_zone)
    closes_at = local_morning(asked_at, ctx.me.time_zone, CLOSE_DAYS)
    number = ctx.store.introductions.propose(ctx.me.cohort_id, ctx.me.id, other.id, card, asked_at, closes_at)
    found = ctx.store.introductions.get(number)
    assert found is not None
    message = ctx.send(
        other.id,
        request_card(ctx, found),
        about=(ctx.me.id,),
        on_behalf=ctx.me.id,
        at=asked_at if asked_at > ctx.now else None,
        once=True,
    )
    ctx.store.introductions.change(number, request_message=message, asker_message=ctx.message)
    ctx.store.schedules.set_timer(
        "introductions.remind", other.id, local_morning(asked_at, where.time_zone, REMIND_DAYS), number
    )
    ctx.store.schedules.set_timer("introductions.close", ctx.me.id, closes_at, number)
    return sent_card(other, found)


def _next_room(ctx: Context, other: int, time_zone: str) -> datetime:
    """Two new requests a week: a third waits for the morning when there is room again."""
    received = ctx.store.introductions.received_since(other, ctx.now - timedelta(days=7))
    if len(received) < NEW_A_WEEK:
        return ctx.now
    return local_morning(received[-NEW_A_WEEK], time_zone, 7)


def sent_card(other: Profile, found: Introduction) -> Card:
    """What the asker sees while the other decides."""
    said = t("Sent to {name}. You hear from me by {day}. Until then you can take it back.",
             name=wording.name(other), day=When(found.closes_at))  # fmt: skip
    return Card(said, buttons=(Button(t("Withdraw"), "introductions.withdraw", str(found.id)),))


def request_card(ctx: Context, found: Introduction, before: Say | None = None) -> Card:
    """What the other sees: the card that the asker confirmed, and a private choice."""
    said = lines(
        before,
        shown(ctx, dict(found.card or {})),
        t(
            "Only you see this. A no is never passed on. If you do nothing, this closes on {day}.",
            day=When(found.closes_at),
        ),
        gap=True,
    )
    return Card(
        said,
        buttons=(
            Button(t("Yes, put us in touch"), "introductions.yes", str(found.id), "primary"),
            Button(t("No, thank you"), "introductions.no", str(found.id)),
        ),
    )


def _asked_of_me(ctx: Context) -> Introduction | None:
    found = ctx.store.introductions.get(int(ctx.value))
    return found if found is not None and found.other_id == ctx.me.id else None


@router.press("introductions.yes")
def yes(ctx: Context) -> Reply:
    """The second yes: both are told, and see each other as people who met."""
    found = _asked_of_me(ctx)
    if found is None or found.asker_id is None:
        return t("This request is closed. Nothing changed.")
    if found.state == "accepted":
        return _in_touch(t("You are in touch already."), found.asker_id)
    asker = ctx.store.members.recall(found.asker_id)
    if asker is None or asker.state != "active" or not ctx.people.may_bring_together(found.asker_id):
        return t("This request is closed. Nothing changed.")
    if found.closed_at is not None or not ctx.store.introductions.decide(found.id, "accepted", ctx.now):
        return t("This request is closed. Nothing changed.")
    ctx.store.introductions.befriend(ctx.me.cohort_id, found.asker_id, ctx.me.id, ctx.now, found.id)
    ctx.store.schedules.cancel(ctx.me.id, ("introductions.remind",), found.id)
    ctx.store.schedules.cancel(found.asker_id, ("introductions.close",), found.id)
    theirs = ctx.store.people(Viewer(asker.id, asker.cohort_id)).profile(ctx.me.id)
    if theirs is not None:
        if found.asker_message is not None:
            ctx.edit(found.asker_message, t("{name} said yes.", name=wording.name(theirs)))
        ctx.send(asker.id, _met_card(ctx, theirs, writes_first=True), about=(ctx.me.id,), once=True)
    mine = ctx.people.profile(asker.id)
    return _met_card(ctx, mine, writes_first=False) if mine else t("You are in touch now.")


def _met_card(ctx: Context, other: Profile, *, writes_first: bool) -> Card:
    turn = (
        t("It is your turn to begin: share how {name} can reach you.", name=wording.name(other))
        if writes_first
        else t("{name} begins. You can also share how you can be reached.", name=wording.name(other))
    )
    first = t("A first question that helps: what would you do next week if nobody stood in the way?")
    return Card(
        lines(t("You and {name} are in touch now.", name=wording.called(other)), turn, first, gap=True),
        fields=wording.fields(ctx, other),
        buttons=(Button(t("Share my contact"), "introductions.share", str(other.id), "primary"),),
    )


def _in_touch(said: Say, other: int) -> Card:
    return Card(said, buttons=(Button(t("Share my contact"), "introductions.share", str(other)),))


@router.press("introductions.no")
def no(ctx: Context) -> Reply:
    """A quiet no: nobody is told, nothing changes for the asker until day 7."""
    found = _asked_of_me(ctx)
    if found is None or found.closed_at is not None or found.state not in ("proposed", "declined"):
        return t("This request is closed. Nothing changed.")
    ctx.store.introductions.decide(found.id, "declined", ctx.now)
    ctx.store.schedules.cancel(ctx.me.id, ("introductions.remind",), found.id)
    return t("All right. Nobody is told, and nothing more happens.")


@router.press("introductions.withdraw")
def withdraw(ctx: Context) -> Reply:
    """The asker takes it back; says the same whatever the other has decided in private."""
    found = ctx.store.introductions.get(int(ctx.value))
    if found is None or found.asker_id != ctx.me.id or found.closed_at is not None:
        return t("This request is closed. Nothing changed.")
    if found.state == "proposed" and found.request_message is not None and found.other_id is not None:
        if not ctx.store.outbox.cancel([found.request_message], ctx.now):
            ctx.edit(found.request_message, t("This request is closed. There is nothing for you to do."))
        ctx.store.schedules.cancel(found.other_id, ("introductions.remind",), found.id)
    ctx.store.introductions.change(found.id, state="withdrawn", decided_at=ctx.now, closed_at=ctx.now)
    ctx.store.schedules.cancel(ctx.me.id, ("introductions.close",), found.id)
    return t("Taken back. You can ask again at any time.")


@router.press("introductions.requests")
def requests(ctx: Context) -> Reply:
    """What I asked and what waits for me."""
    buttons: list[Button] = []
    said: list[Say] = []
    for found in ctx.store.introductions.open_of(ctx.me.id):
        other = ctx.people.profile(found.other_id or 0)
        name: Say = wording.name(other) if other else t("A fellow")
        said.append(t("You asked to meet {name}. You hear from me by {day}.", name=name, day=When(found.closes_at)))
        buttons.append(Button(t("Withdraw: {name}", name=name), "introductions.withdraw", str(found.id)))
    for found in ctx.store.introductions.waiting_for(ctx.me.id):
        asker = (found.card or {}).get("name") or t("A fellow")
        said.append(t("{name} would like to meet you. This closes on {day}.", name=asker, day=When(found.closes_at)))
        buttons.append(Button(t("Look: {name}", name=asker), "introductions.look", str(found.id)))
    if not said:
        return t("No requests are open.")
    return Card(lines(*said), buttons=tuple(buttons))


@router.press("introductions.look")
def look(ctx: Context) -> Reply:
    """A request that waits for me, again."""
    found = _asked_of_me(ctx)
    if found is None or found.state != "proposed" or found.closed_at is not None:
        return t("This request is closed. Nothing changed.")
    return request_card(ctx, found)


@router.due("introductions.remind")
def remind(ctx: Context) -> Reply:
    """Day 3: the one reminder."""
    found = ctx.store.introductions.get(ctx.object or 0)
    if found is None or found.state != "proposed" or ctx.me.state != "active" or found.asker_id is None:
        return None
    if found.request_message is not None:
        ctx.edit(found.request_message, t("I ask again below."))
    card = request_card(ctx, found, t("A reminder, the only one:"))
    message = ctx.send(
        ctx.me.id, card, about=(found.asker_id,), on_behalf=found.asker_id, urgency=Urgency.QUESTION, once=True
    )
    ctx.store.introductions.change(found.id, request_message=message)
    return None


@router.due("introductions.close")
def close(ctx: Context) -> Reply:
    """Day 7: a no and silence close in the same words, with two other names."""
    found = ctx.store.introductions.get(ctx.object or 0)
    if found is None or found.closed_at is not None or found.other_id is None:
        return None
    if found.state == "proposed" and found.request_message is not None:
        ctx.edit(found.request_message, t("This request is closed. There is nothing for you to do."))
    ctx.store.introductions.change(found.id, state="closed", closed_at=ctx.now)
    if ctx.me.state != "active":
        return None
    card = found.card or {}
    others = two_others(ctx, card.get("topic"), found.other_id)
    name = ctx.people.profile(found.other_id)
    said = t(
        "It did not come together with {name} this time. That mostly has to do with time, and says nothing about you.",
        name=wording.name(name) if name else t("this person"),
    )
    hint = t("Perhaps one of these instead:") if others else None
    ctx.send(ctx.me.id, Card(lines(said, hint), buttons=others), urgency=Urgency.QUESTION)
    return None


def two_others(ctx: Context, topic: str | None, but: int) -> tuple[Button, ...]:
    """Two other people for the same topic, or of a shared coalition."""
    plans = [[Clause(kind, (topic,))] for kind in ("offer", "need", "topic")] if topic else []
    plans.append([Clause("coalition", ctx.profile.coalitions)] if ctx.profile.coalitions else [])
    met = set(ctx.store.introductions.allies_of(ctx.me.id)) | {but}
    found: dict[int, Profile] = {}
    for clauses in plans:
        if clauses and len(found) < 2:
            for ally in rank(ctx.people.find(clauses, limit=30).profiles, ctx.profile, topics=[topic] if topic else []):
                if ally.profile.id not in met:
                    found.setdefault(ally.profile.id, ally.profile)
    return tuple(
        Button(
            t("Meet {name}", name=wording.name(one)),
            "introductions.preview",
            json.dumps({"to": one.id, "topic": topic, "why": []}),
        )
        for one in list(found.values())[:2]
    )


SHARE = Form(
    name="introductions.share",
    title=t("Share my contact"),
    fields=(
        Field(
            key="contact",
            question=lambda ctx: t(
                "How can {name} reach you? For example an e-mail address or a user name. I pass on exactly your words, "
                "once. A phone number is never needed.",
                name=_ally_name(ctx, ctx.about["to"]),
            ),
        ),
    ),
)


def _ally_name(ctx: Context, number: int) -> Say:
    found = ctx.people.profile(number)
    return wording.name(found) if found else t("this person")


@router.press("introductions.share")
def share(ctx: Context) -> Reply:
    """Only to somebody with whom I am in touch, and only by my own tap."""
    number = int(ctx.value)
    if ctx.people.profile(number) is None or not ctx.store.introductions.are_allies(ctx.me.id, [number]):
        return NOT_NOW
    return SHARE.begin(about={"to": number})


@router.form(SHARE)
def shared(ctx: Context) -> Reply:
    """Pass the words on, once."""
    number = int(ctx.about["to"])
    other = ctx.people.profile(number)
    if other is None or not ctx.store.introductions.are_allies(ctx.me.id, [number]):
        return NOT_NOW
    seen = ctx.people.as_member_sees_me(number)
    said = t("{name} shares with you: {contact}", name=wording.name(seen) if seen else t("A fellow"),
             contact=ctx.answers["contact"])  # fmt: skip
    card = Card(said, buttons=(Button(t("Share my contact"), "introductions.share", str(ctx.me.id)),))
    ctx.send(number, card, about=(ctx.me.id,), on_behalf=ctx.me.id, once=True)
    return t("Passed on to {name}.", name=wording.name(other))

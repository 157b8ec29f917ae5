"""Asking to meet: the preview, the asker's yes, what is open, and taking it back."""

import json
from datetime import datetime, timedelta
from typing import Any

from bot.core.context import Context, take_back
from bot.core.programme import local_morning
from bot.core.replies import Button, Card, Country, Reply, Say, Urgency, When, lines, t
from bot.core.router import Role, Router
from bot.domain.allies import Reason
from bot.domain.profiles import Profile
from handlers import wording
from handlers.contacts import NOT_NOW, in_touch
from storage.introductions import Introduction

router = Router()


OPEN_AT_MOST = 3
NEW_A_WEEK = 2
REMIND_DAYS, CLOSE_DAYS = 3, 7
NOT_AGAIN = timedelta(days=90)


@router.press("requests.preview", role=Role.MEMBER)
def preview(ctx: Context) -> Reply:
    """Exactly the card that the other will see; pressing Send is the asker's yes."""
    about = json.loads(ctx.value)
    other = _askable(ctx, about["to"])
    if other is None:
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
    buttons = [Button(t("Send"), "requests.send", json.dumps(card), "primary")]
    if again:
        buttons.append(Button(t("Back to the list"), "allies.again", again))
    buttons.append(Button(t("Cancel"), "requests.cancel"))
    return Card(said, buttons=tuple(buttons), about=(other.id,))


def _askable(ctx: Context, number: int) -> Profile | None:
    """A fellow whom I may see, who is here and agreed to be asked; away, hidden and absent look the same."""
    found = ctx.store.members.recall(number)
    if found is None or found.state != "active" or not ctx.people.agreed_to(number, "introductions"):
        return None
    other = ctx.people.profile(number)
    return None if other is None or other.facilitator else other


def _why_not(ctx: Context, other: Profile) -> Reply:
    """What speaks against asking now; a no of the other is never told apart from silence."""
    if other.id == ctx.me.id:
        return t("You cannot be introduced to yourself.")
    latest = ctx.store.introductions.latest_between(ctx.me.id, other.id)
    if ctx.store.introductions.are_allies(ctx.me.id, [other.id]):
        since: Say = When(latest.decided_at, "date") if latest and latest.decided_at else t("earlier")
        return in_touch(t("You were introduced to {name}: {when}.", name=wording.name(other), when=since), other.id)
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
            buttons=(Button(t("Requests"), "requests.open"),),
        )
    return None


def _asked_not_long_ago(ctx: Context, latest: Introduction | None) -> bool:
    if latest is None or latest.asker_id != ctx.me.id:
        return False
    if latest.request_message is None or (latest.closed_at is not None and latest.closed_at < latest.asked_at):
        return False  # taken back before it was ever shown
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
        "why": [why for why in about.get("why", []) if seen is not None and _both_know(seen, why)],
    }


def _both_know(seen: Profile, why: list[Any]) -> bool:
    """May the other know this reason? What it says of the asker must be in what they see of the asker."""
    kind, data = why
    return {
        "language": lambda: data["language"] in seen.languages,
        "coalition": lambda: data["coalition"] in seen.coalitions,
        "you_offer": lambda: any(wish.topic == data["topic"] for wish in seen.offers),
        "needs_same": lambda: any(wish.topic == data["topic"] for wish in seen.needs),
    }.get(kind, lambda: True)()


def shown(ctx: Context, card: dict[str, Any]) -> Say:
    """A request in words, the same in the asker's preview and for the other."""
    name = card["name"] or t("A fellow")
    who = t("{name} ({country})", name=name, country=Country(card["country"])) if card["country"] else name
    about = t("It is about: {topic}.", topic=wording.topic(ctx, card["topic"])) if card["topic"] else None
    why = [wording.reason_to_other(ctx, Reason(kind, data)) for kind, data in card["why"]]
    sees = t("Their sector: {sector}.", sector=wording.sector(ctx, card["sector"])) if card["sector"] else None
    return lines(t("{who} would like to meet you.", who=who), about, sees, *why)


@router.press("requests.cancel", role=Role.MEMBER)
def cancel(ctx: Context) -> Reply:
    """The asker thought better of it."""
    return t("Nothing was sent.")


@router.press("requests.send", role=Role.MEMBER)
def send(ctx: Context) -> Reply:
    """The asker's yes: the other is asked, now or when their week has room."""
    card = json.loads(ctx.value)
    other = _askable(ctx, card["to"])
    if other is None:
        return NOT_NOW
    refusal = _why_not(ctx, other)
    if refusal is not None:
        return refusal
    where = ctx.store.members.where(other.id)
    if where is None:
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
        urgency=Urgency.QUESTION,
        counted=False,  # it has a limit of its own
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
    return Card(said, buttons=(Button(t("Withdraw"), "requests.withdraw", str(found.id)),))


def _still_shown(ctx: Context, found: Introduction) -> dict[str, Any]:
    """The card that the asker confirmed, for whoever was asked: without what the asker shows them no more."""
    card = dict(found.card or {})
    if ctx.me.id != found.other_id or not card:
        return card
    seen = ctx.people.profile(found.asker_id or 0)
    for field in ("country", "sector"):
        card[field] = card[field] if seen is not None and getattr(seen, field) == card[field] else None
    card["name"] = (seen.name if seen else None) or card["name"]
    card["why"] = [why for why in card["why"] if seen is not None and _both_know(seen, why)]
    return card


def request_card(ctx: Context, found: Introduction, before: Say | None = None) -> Card:
    """What the other sees: the card that the asker confirmed, and a private choice."""
    said = lines(
        before,
        shown(ctx, _still_shown(ctx, found)),
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


@router.press("requests.withdraw", role=Role.MEMBER)
def withdraw(ctx: Context) -> Reply:
    """The asker takes it back; says the same whatever the other has decided in private."""
    found = ctx.store.introductions.get(int(ctx.value))
    if found is None or found.asker_id != ctx.me.id or found.closed_at is not None:
        return t("This request is closed. Nothing changed.")
    _end(ctx, found)
    return t("Taken back. Nothing more happens.")


def _end(ctx: Context, found: Introduction) -> None:
    """Close what I asked, on both sides; what the other has not been shown yet, I can ask again."""
    ended: dict[str, Any] = {"state": "withdrawn", "decided_at": ctx.now, "closed_at": ctx.now}
    if _is_unsent(ctx, found):
        ended["request_message"] = None
    if found.state == "proposed" and found.request_message is not None and found.other_id is not None:
        if not take_back(ctx.store, found.request_message, ctx.now):
            ctx.edit(found.request_message, t("This request is closed. There is nothing for you to do."), anew=True)
        ctx.store.schedules.cancel(found.other_id, ("introductions.remind",), found.id)
    ctx.store.introductions.change(found.id, **ended)
    ctx.store.schedules.cancel(ctx.me.id, ("introductions.close",), found.id)


def _is_unsent(ctx: Context, found: Introduction) -> bool:
    """Does it still wait for the other's day? On the third day its message is the reminder."""
    first = ctx.store.outbox.get(found.request_message) if found.request_message is not None else None
    waits = first is not None and first.state in ("queued", "held")
    return waits and ctx.now < found.asked_at + timedelta(days=REMIND_DAYS - 1)


def stop_unsent(ctx: Context) -> list[Say]:
    """Take back what I asked and what has not left yet; each in words."""
    said: list[Say] = []
    for found in ctx.store.introductions.open_of(ctx.me.id):
        if _is_unsent(ctx, found):
            _end(ctx, found)
            other = ctx.people.profile(found.other_id or 0)
            name: Say = wording.name(other) if other else t("A fellow")
            said.append(
                t("Your request to meet {name} had not left yet. It is taken back; you can ask again.", name=name)
            )
    return said


def _asked_by_me(ctx: Context) -> list[tuple[Say, Button]]:
    """My open requests in words, each with its way back."""
    asked: list[tuple[Say, Button]] = []
    for found in ctx.store.introductions.open_of(ctx.me.id):
        other = ctx.people.profile(found.other_id or 0)
        name: Say = wording.name(other) if other else t("A fellow")
        said = t("You asked to meet {name}. You hear from me by {day}.", name=name, day=When(found.closes_at))
        asked.append((said, Button(t("Withdraw: {name}", name=name), "requests.withdraw", str(found.id))))
    return asked


def to_undo(ctx: Context) -> Card | None:
    """What I asked and can still take back; None when there is nothing."""
    asked = _asked_by_me(ctx)
    if not asked:
        return None
    said = lines(*(sentence for sentence, _ in asked), t("To take it back, press Withdraw."))
    return Card(said, buttons=tuple(button for _, button in asked))


@router.word("requests", role=Role.MEMBER)
@router.press("requests.open", role=Role.MEMBER)
def requests(ctx: Context) -> Reply:
    """What I asked and what waits for me."""
    mine = _asked_by_me(ctx)
    said = [sentence for sentence, _ in mine]
    buttons = [button for _, button in mine]
    for found in ctx.store.introductions.waiting_for(ctx.me.id):
        asker = (found.card or {}).get("name") or t("A fellow")
        said.append(t("{name} would like to meet you. This closes on {day}.", name=asker, day=When(found.closes_at)))
        buttons.append(Button(t("Look: {name}", name=asker), "introductions.look", str(found.id)))
    if not said:
        return t("No requests are open.")
    return Card(lines(*said), buttons=tuple(buttons))

"""For facilitators: people picked from the Slack workspace, to whom the bot writes first with their invitation."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, When, Wrong, lines, listed, t
from bot.core.events import Address
from bot.core.ids import account_hash
from bot.domain.names import read_name
from handlers import invitations
from handlers.language import first_choice

router = Router()

PLATFORM = "slack"
AT_ONCE = 10
MENTION = re.compile(r"@?([UW][A-Z0-9]{5,63})")


def is_offered(ctx: Context) -> bool:
    """Only where the app can show a list of people: in a window, on Slack."""
    return ctx.here is not None and ctx.here.platform == PLATFORM and PLATFORM in ctx.engine.pages


def _picked(ctx: Context, text: str) -> list[dict[str, Any]]:
    """Who was picked in the list, or mentioned in a message; no bots."""
    try:
        found = json.loads(text)
    except ValueError:
        found = [{"id": one} for one in dict.fromkeys(MENTION.findall(text))]
    people = [one for one in found if isinstance(one, dict) and MENTION.fullmatch(str(one.get("id", "")))]
    if any(one.get("bot") for one in people):
        raise Wrong(t("Bots and closed accounts cannot be invited. Please pick people only."))
    if not people:
        raise Wrong(t("Please pick at least one person."))
    if len(people) > AT_ONCE:
        raise Wrong(t("Please pick {n} people at most; then the next ones.", n=AT_ONCE))
    return people


PICK = Form(
    name="picking.pick",
    title=t("Pick from Slack"),
    fields=(
        Field(
            key="people",
            question=t("Whom do you invite? I write to each of them at once, with their own invitation."),
            kind="people",
            check=_picked,
        ),
        Field(
            key="language",
            question=t("In which language shall I greet them?"),
            kind="choice",
            choices=invitations.languages,
        ),
    ),
)


@router.press("picking.open", role=Role.FACILITATOR)
def pick(ctx: Context) -> Reply:
    """Choose whom."""
    if not is_offered(ctx):
        return t("Picking people works in Slack only. Here you can make an invitation to forward.")
    return PICK.begin()


@router.form(PICK, role=Role.FACILITATOR)
def picked(ctx: Context) -> Reply:
    """An invitation for each, bound to their account; the bot writes first."""
    assert ctx.here is not None
    installation, until = ctx.here.installation, ctx.now + invitations.LASTS
    people = {str(one["id"]): one for one in ctx.answers["people"]}
    members = ctx.store.members.known_among(PLATFORM, installation, list(people))
    hashes = {account_hash(PLATFORM, installation, who): who for who in people if who not in members}
    waiting = {hashes[one] for one in ctx.store.invites.begin_again(list(hashes), ctx.now)}
    fresh = [who for who in hashes.values() if who not in waiting]
    for who in fresh:
        _invite(ctx, Address(PLATFORM, installation, f"dm:{who}"), who, people[who], until)
    said = lines(
        t("I write now to: {names}.", names=_names(people, fresh)) if fresh else None,
        t("Their invitations work once, until {day}.", day=When(until)) if fresh else None,
        t("Here already: {names}.", names=_names(people, sorted(members))) if members else None,
        t("Invited already: {names}.", names=_names(people, sorted(waiting))) if waiting else None,
    )
    more = (Button(t("Pick from Slack"), "picking.open"), Button(t("Open invitations"), "invitations.list"))
    return Card(said, buttons=more)


def _names(people: Mapping[str, Mapping[str, Any]], some: Sequence[str]) -> Say:
    return listed([str(people[who].get("name") or who) for who in some])


def _invite(ctx: Context, address: Address, who: str, known: Mapping[str, Any], until: datetime) -> None:
    """Keep the invitation until it is used or over, and greet."""
    read = read_name(str(known.get("name") or ""))
    name = read.shown if read.fault is None else None
    zone = known.get("time_zone")
    prefilled = {
        "account": [address.platform, address.installation, who],
        "language": ctx.answers["language"],
        **({"name": name} if name else {}),
        **({"time_zone": zone} if zone in available_timezones() else {}),
    }
    ctx.store.invites.add(
        ctx.me.cohort_id,
        account_hash(address.platform, address.installation, who),
        "fellow",
        ctx.now,
        until,
        prefilled=prefilled,
        invited_by=ctx.me.id,
    )
    ctx.note("invitations.new")
    mine = ctx.profile.name or ctx.programme.operator
    said = lines(
        t("Hello {name}.", name=name) if name else t("Hello."),
        t("{inviter} invites you to {programme}.", inviter=mine, programme=ctx.programme.name),
        t("It is for you alone, works once, and until {day}.", day=When(until, "date")),
        t("Language?"),
    )
    ctx.greet(address, Card(said, buttons=first_choice(ctx)), ctx.answers["language"])

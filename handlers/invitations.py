"""Invitations: made by facilitators, ready to forward in the invited person's language."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.core import (
    Button,
    Card,
    Choice,
    Context,
    Country,
    Field,
    Form,
    Reply,
    Role,
    Router,
    Say,
    Tongue,
    When,
    Wrong,
    lines,
    listed,
    t,
)
from bot.core.ids import code_hash
from bot.core.language import Reader
from handlers import wording
from handlers.help import staff
from handlers.me import check_name
from storage.invites import Invite

router = Router()

LASTS = timedelta(days=14)
MOST = 50
ROLES = (Choice("fellow", t("Fellow")), Choice("facilitator", t("Facilitator")))
PLATFORMS = {"slack": "Slack", "telegram": "Telegram"}


def languages(ctx: Context) -> Sequence[Choice]:
    return [Choice(code, Tongue(code, own=True)) for code in ctx.engine.language.offered]


def _country(ctx: Context, text: str) -> str:
    found = ctx.programme.understanding.understand(text, ctx.me.language).countries
    if len(found) != 1:
        raise Wrong(t("I did not find that country. Please type its name, or press Skip."))
    return found[0]


def _is_facilitator(ctx: Context) -> bool:
    return ctx.answers.get("role") == "facilitator"


INVITE = Form(
    name="invitations.invite",
    title=t("Invite"),
    fields=(
        Field(
            key="name",
            question=t("Whom do you invite? The name is only for greeting them."),
            optional=True,
            check=check_name,
        ),
        Field(key="language", question=t("In which language shall I greet them?"), kind="choice", choices=languages),
        Field(key="country", question=t("In which country are they?"), optional=True, check=_country),
        Field(key="role", question=t("What will they be?"), kind="choice", choices=ROLES),
        Field(
            key="sure",
            question=t("A facilitator sees everybody, invites, and can lock accounts. Are you sure?"),
            kind="choice",
            choices=(Choice("yes", t("Yes, a facilitator")), Choice("no", t("No, a fellow"))),
            when=_is_facilitator,
        ),
    ),
)


@router.word("invite", role=Role.MEMBER)
def typed(ctx: Context) -> Reply:
    """For facilitators the way to do it; for fellows, whom to tell."""
    if ctx.me.is_facilitator:
        return ask(ctx)
    names = [wording.name(one) for one in staff(ctx)]
    if not names:
        return t("Facilitators invite people here, and none can be reached now. Please try again another day.")
    said = t(
        "Facilitators invite people here: {names}. Tell them whom you would like to see here.", names=listed(names)
    )
    return Card(said, buttons=(Button(t("Talk to a human"), "help.human", style="primary"),))


@router.press("invitations.new", role=Role.FACILITATOR)
def ask(ctx: Context) -> Reply:
    """Begin an invitation."""
    return INVITE.begin()


@router.form(INVITE, role=Role.FACILITATOR)
def invite(ctx: Context) -> Reply:
    """Make it: a card for me, and a message to forward."""
    said = ctx.answers
    role = "facilitator" if _is_facilitator(ctx) and said.get("sure") == "yes" else "fellow"
    prefilled = {key: said[key] for key in ("name", "language", "country") if said.get(key)}
    code = ctx.ids.code()
    number, until = add(ctx, code, role=role, prefilled=prefilled)
    text = words(ctx, code, said["language"], said.get("name"), until)
    ctx.after(lambda: text)
    who: Say = said.get("name") or t("one person")
    made = (
        t(
            "An invitation for {who}, as facilitator. Forward the next message to them; I cannot show the link again.",
            who=who,
        )
        if role == "facilitator"
        else t("An invitation for {who}. Forward the next message to them; I cannot show the link again.", who=who)
    )
    return card(ctx, number, made, until)


def add(
    ctx: Context, code: str, *, role: str, for_member: int | None = None, prefilled: dict[str, Any] | None = None
) -> tuple[int, datetime]:
    """Store an invitation for one use, with the hash of its code; its number, and until when it holds."""
    until = ctx.now + LASTS
    number = ctx.store.invites.add(
        ctx.me.cohort_id,
        code_hash(code),
        role,
        ctx.now,
        until,
        prefilled=prefilled,
        invited_by=ctx.me.id,
        for_member=for_member,
    )
    ctx.note("invitations.new", for_member)
    return number, until


def words(ctx: Context, code: str, language: str, name: str | None, until: datetime, *, again: bool = False) -> str:
    """The message to forward, in the invited person's language, with a way in for each app."""
    mine = ctx.profile.name or ctx.programme.operator
    hello = t("Hello {name}.", name=name) if name else t("Hello.")
    why = (
        t("Here is your new way into {programme}.", programme=ctx.programme.name)
        if again
        else t("{inviter} invites you to {programme}.", inviter=mine, programme=ctx.programme.name)
    )
    ways = [_way(PLATFORMS.get(app, app), link.replace("{code}", code)) for app, link in ctx.programme.links.items()]
    ways = ways or [t("Write this to the bot: {text}", text=f"/start {code}")]
    until_day = t("It is for you alone, works once, and until {day}.", day=When(until, "date"))
    message = lines(lines(hello, why), lines(*ways), until_day, gap=True)
    return ctx.engine.language.say(message, Reader(language, ctx.me.time_zone))


def _way(app: str, link: str) -> Say:
    """A link to open; or, where there is none, what to write to the bot."""
    if link.startswith("https://"):
        return t("{app}: {link}", app=app, link=link)
    return t("{app}: write this to the bot in a direct message: {text}", app=app, text=link)


def card(ctx: Context, number: int, said: Say, until: datetime) -> Card:
    """An invitation as its maker sees it."""
    text = lines(said, t("It works once, until {day}.", day=When(until)))
    return Card(
        text,
        buttons=(
            Button(t("Extend"), "invitations.extend", str(number)),
            Button(t("Revoke"), "invitations.revoke", str(number), "danger"),
            Button(t("Invite another"), "invitations.new"),
        ),
    )


def _open(ctx: Context) -> list[Invite]:
    return ctx.store.invites.open_in(ctx.me.cohort_id, ctx.now, MOST)


def _found(ctx: Context) -> Invite | None:
    return next((one for one in _open(ctx) if str(one.id) == ctx.value), None)


def _who(ctx: Context, of: Invite) -> Say:
    if of.for_member is not None:
        return t("{name}, again", name=ctx.people.profile_name(of.for_member) or t("A fellow"))
    name: Say = of.prefilled.get("name") or t("no name, number {n}", n=of.id)
    country = of.prefilled.get("country")
    who: Say = t("{name} ({country})", name=name, country=Country(country)) if country else name
    return t("{name}, facilitator", name=who) if of.role == "facilitator" else who


@router.press("invitations.list", role=Role.FACILITATOR)
def list_open(ctx: Context) -> Reply:
    """Invitations that nobody has used yet."""
    found = _open(ctx)
    back = Button(t("Back"), "people.open")
    if not found:
        return Card(t("No invitation is open."), buttons=(Button(t("Invite"), "invitations.new"), back))
    said = [t("{who}: until {day}", who=_who(ctx, one), day=When(one.expires_at)) for one in found]
    buttons = [Button(_who(ctx, one), "invitations.open", str(one.id)) for one in found[:10]]
    return Card(lines(t("Not used yet:"), *said), buttons=(*buttons, back))


CLOSED = t("This invitation was used, revoked, or is over. Nothing changed.")


@router.press("invitations.open", role=Role.FACILITATOR)
def open_one(ctx: Context) -> Reply:
    """One of them."""
    found = _found(ctx)
    if found is None:
        return Card(CLOSED, buttons=(Button(t("Open invitations"), "invitations.list"),))
    account = found.prefilled.get("account")
    missed = account and ctx.store.invites.could_not_be_told(f"{account[0]}:{account[1]}", f"dm:{account[2]}")
    trouble = t("I could not write to them. Make them an invitation to forward instead.") if missed else None
    said = lines(t("The invitation for {who}.", who=_who(ctx, found)), trouble)
    return card(ctx, found.id, said, found.expires_at)


def _day(ctx: Context, at: datetime) -> date:
    return at.astimezone(ZoneInfo(ctx.me.time_zone)).date()


@router.press("invitations.extend", role=Role.FACILITATOR)
def extend(ctx: Context) -> Reply:
    """Fourteen days from now; the link stays the same."""
    found = _found(ctx)
    until = ctx.now + LASTS
    if found is not None and _day(ctx, found.expires_at) == _day(ctx, until):
        said = t("It already lasts until {day}.", day=When(found.expires_at))
        return replace(card(ctx, found.id, said, found.expires_at), text=said)
    if found is None or not ctx.store.invites.change(found.id, ctx.me.cohort_id, expires_at=until):
        return CLOSED
    who = _who(ctx, found)
    said = (
        t("Extended, for {who}. They can still answer what I wrote to them.", who=who)
        if found.prefilled.get("account")
        else t("Extended, for {who}. The link stays the same.", who=who)
    )
    return card(ctx, found.id, said, until)


@router.press("invitations.revoke", role=Role.FACILITATOR)
def revoke(ctx: Context) -> Reply:
    """The link no longer works."""
    found = _found(ctx)
    if found is None or not ctx.store.invites.change(found.id, ctx.me.cohort_id, uses=0):
        return CLOSED
    who = _who(ctx, found)
    text = lines(
        t("Revoked, for {who}. Answering what I wrote does not let them in any more.", who=who)
        if found.prefilled.get("account")
        else t("Revoked, for {who}. From now on the link does not work.", who=who),
        t("To let them in after all, make a new one."),
    )
    return Card(text, buttons=(Button(t("Invite"), "invitations.new"),))

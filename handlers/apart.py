"""Keep us apart: people and sectors with whom somebody is never brought together; never explained to the other."""

import re
from collections.abc import Sequence

from bot.core import Button, Card, Choice, Context, Country, Field, Form, Reply, Role, Router, Say, Wrong, lines, t
from bot.domain.profiles import Apart, Profile
from handlers import wording
from handlers.glossary import search_instead
from handlers.named import check_named, named
from handlers.reports import asks_for_topic
from handlers.safety import CLOSED

router = Router()

EVERYWHERE = "everywhere"
FROM = re.compile(r"^(from|and|dari|dengan|kay|sa|kina|จาก)\s+", re.I)


@router.word("apart", takes_text=True, role=Role.MEMBER)
def apart(ctx: Context) -> Reply:
    """The word, also with a name behind it: "keep me apart from Bat"."""
    text = FROM.sub("", ctx.text)
    if not text:
        return _card(ctx)
    if asks_for_topic(ctx, text):
        return search_instead(ctx)
    found = named(ctx, text)
    return _confirm(ctx, found) if found else _card(ctx, t("No one found. Nothing changed."))


@router.press("apart.open", role=Role.MEMBER)
def open_apart(ctx: Context) -> Reply:
    """The list."""
    return _card(ctx)


def _card(ctx: Context, before: Say | None = None) -> Card:
    rules = ctx.store.profiles.aparts(ctx.me.id)
    said: list[Say] = [_rule(ctx, rule) for _, rule in rules]
    if ctx.programme.buyers_and_bidders_apart and ctx.profile.side in ("buyer", "bidder"):
        side = t("bidders") if ctx.profile.side == "buyer" else t("buyers")
        said.append(t("{side} of your country, by the rule of the programme", side=side))
    text = lines(
        before,
        t("Whom I keep apart from you: neither finds the other, and I never bring you together. They are not told."),
        lines(*said) if said else t("Nobody so far."),
        gap=True,
    )
    buttons = [Button(t("Add a person"), "apart.person"), Button(t("Add a sector"), "apart.sector")]
    buttons += [Button(t("Remove: {who}", who=_rule(ctx, rule)), "apart.remove", str(number)) for number, rule in rules]
    return Card(text, buttons=(*buttons, Button(t("Back"), "me.open")))


def _rule(ctx: Context, rule: Apart) -> Say:
    if rule.other is not None:
        return ctx.people.name_of_kept_apart(rule.other) or t("somebody who is not here now")
    sector = wording.sector(ctx, rule.sector or "")
    return t("{sector} in {country}", sector=sector, country=Country(rule.country)) if rule.country else sector


PERSON = Form(
    name="apart.who",
    title=t("Keep us apart"),
    fields=(Field(key="who", question=t("Whose name? Type at least three letters."), check=check_named),),
)


@router.press("apart.person", role=Role.MEMBER)
def ask_person(ctx: Context) -> Reply:
    """Type whom."""
    return PERSON.begin()


@router.form(PERSON, role=Role.MEMBER)
def named_person(ctx: Context) -> Reply:
    """Shown once more before it counts: several people may bear a name."""
    return _confirm(ctx, ctx.people.profiles(ctx.answers["who"]))


def _confirm(ctx: Context, found: Sequence[Profile]) -> Card:
    if all(one.facilitator for one in found):
        return _card(
            ctx, t("Facilitators run the programme, and see everybody. About one of them, use help, then Report.")
        )
    found = [one for one in found if not one.facilitator]
    buttons = [Button(t("Apart from {who}", who=wording.called(one)), "apart.keep", str(one.id)) for one in found]
    text = lines(
        t("Keep you apart from this person? An open request between you closes, and if you are in touch, that ends."),
        t("They are not told. Remove it here at any time; being in touch does not come back by itself."),
    )
    return Card(text, buttons=(*buttons, Button(t("No"), "apart.open")))


@router.press("apart.keep", role=Role.MEMBER)
def keep_apart(ctx: Context) -> Reply:
    """From now on apart from one person."""
    other = int(ctx.value)
    found = ctx.people.profile(other)
    if found is None or found.facilitator or other == ctx.me.id:
        return _card(ctx, t("No one found. Nothing changed."))
    ctx.store.profiles.keep_apart(ctx.me.cohort_id, ctx.me.id, other=other)
    separate(ctx, [other])
    ctx.refresh()
    return _card(ctx, t("You and {who} are kept apart from now on.", who=wording.called(found)))


def _countries(ctx: Context) -> Sequence[Choice]:
    mine = ctx.profile.country
    everywhere = Choice(EVERYWHERE, t("Everywhere"))
    return (Choice(mine, Country(mine)), everywhere) if mine else (everywhere,)


def _country(ctx: Context, text: str) -> str:
    if text == EVERYWHERE or text in {one.code for one in ctx.programme.content.countries}:
        return text
    found = ctx.programme.understanding.understand(text, ctx.me.language).countries
    if len(found) != 1:
        raise Wrong(t("I did not find that country. Please type its name, or press Everywhere."))
    return found[0]


SECTOR = Form(
    name="apart.which",
    title=t("Keep us apart"),
    fields=(
        Field(key="sector", question=t("Which sector?"), kind="choice", choices=wording.sectors),
        Field(
            key="country",
            question=t("In which country? Press one, or type another."),
            kind="choice",
            open=True,
            choices=_countries,
            check=_country,
        ),
    ),
)


@router.press("apart.sector", role=Role.MEMBER)
def ask_sector(ctx: Context) -> Reply:
    """Which sector, where."""
    return SECTOR.begin()


@router.form(SECTOR, role=Role.MEMBER)
def named_sector(ctx: Context) -> Reply:
    """From now on apart from a sector; whoever I am in touch with in it, is no longer."""
    country = None if ctx.answers["country"] == EVERYWHERE else ctx.answers["country"]
    rule = Apart(ctx.me.id, sector=ctx.answers["sector"], country=country)
    if rule not in [known for _, known in ctx.store.profiles.aparts(ctx.me.id)]:
        ctx.store.profiles.keep_apart(ctx.me.cohort_id, ctx.me.id, sector=rule.sector, country=rule.country)
    ctx.refresh()
    store = ctx.store.introductions
    near = {*store.allies_of(ctx.me.id), *(one.other_id for one in store.open_of(ctx.me.id))}
    near |= {one.asker_id for one in store.waiting_for(ctx.me.id)}
    separate(ctx, [other for other in near if other is not None and not ctx.people.may_bring_together(other)])
    return _card(ctx, t("{who}: kept apart from you from now on.", who=_rule(ctx, rule)))


def separate(ctx: Context, others: Sequence[int]) -> None:
    """Close what is open between me and others, stop what waits to name us to each other, and part allies."""
    for other in others:
        ctx.store.outbox.cancel_about(ctx.me.id, ctx.now, only_to=other)
        ctx.store.outbox.cancel_about(other, ctx.now, only_to=ctx.me.id)
        ctx.store.introductions.part(ctx.me.id, other)
        _close_between(ctx, other)


def _close_between(ctx: Context, other: int) -> None:
    """What I asked is withdrawn; what I was asked looks to the asker like silence, until its day."""
    for found in ctx.store.introductions.open_of(ctx.me.id):
        if found.other_id == other:
            ctx.store.introductions.change(found.id, state="withdrawn", decided_at=ctx.now, closed_at=ctx.now)
            ctx.store.schedules.cancel(other, ("introductions.remind",), found.id)
            ctx.store.schedules.cancel(ctx.me.id, ("introductions.close",), found.id)
            if found.request_message is not None and found.state == "proposed":
                ctx.edit(found.request_message, CLOSED, anew=True)
    for found in ctx.store.introductions.waiting_for(ctx.me.id):
        if found.asker_id == other:
            ctx.store.introductions.decide(found.id, "declined", ctx.now)
            ctx.store.schedules.cancel(ctx.me.id, ("introductions.remind",), found.id)


@router.press("apart.remove", role=Role.MEMBER)
def remove(ctx: Context) -> Reply:
    """Take a wish back."""
    rule = next((rule for number, rule in ctx.store.profiles.aparts(ctx.me.id) if str(number) == ctx.value), None)
    if rule is None:
        return _card(ctx, t("Already removed. Nothing changed."))
    who = _rule(ctx, rule)
    ctx.store.profiles.drop_apart(ctx.me.id, int(ctx.value))
    ctx.refresh()
    return _card(ctx, t("{who}: no longer kept apart by you, from now on.", who=who))

"""Changing one field of my own profile: one question each, confirmed, with the way back."""

import json
from collections.abc import Callable, Sequence
from typing import Any

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
    lines,
    listed,
    t,
)
from bot.domain.places import city_of, zones_of
from handlers import wording
from handlers.me import check_name, doubt, short
from handlers.readings import FIVE, check_languages, check_place, check_topics

router = Router()

EMPTY = "-"
SIDES = (Choice("buyer", t("Buyer")), Choice("bidder", t("Bidder")), Choice("neither", t("Neither")))
LABELS: dict[str, Say] = {
    "name": t("Your name"),
    "other_name": t("Your other name"),
    "native_name": t("Your name in own script"),
    "place": t("Your place"),
    "sector": t("Your sector"),
    "side": t("Your side in tenders"),
    "organisation": t("Your organisation"),
    "role_title": t("Your role"),
    "coalitions": t("Your coalitions"),
    "topics": t("Your topics"),
    "languages": t("Your languages"),
}


def present(ctx: Context, field: str) -> Any:
    """What a field holds now, as JSON."""
    if field == "other_name":
        return ctx.people.own_whole().other_name
    if field == "place":
        return {"country": ctx.profile.country, "time_zone": ctx.me.time_zone}
    value = getattr(ctx.profile, field)
    return list(value) if isinstance(value, tuple) else value


def write(ctx: Context, field: str, value: Any) -> None:
    """Store a field."""
    cohort, me = ctx.me.cohort_id, ctx.me.id
    if field == "place":
        ctx.store.members.change(me, time_zone=value["time_zone"])
        ctx.store.profiles.write(cohort, me, country=value["country"])
    elif isinstance(value, list):
        ctx.store.profiles.write_list(cohort, me, field, value)
    else:
        ctx.store.profiles.write(cohort, me, **{field: value or None})
    ctx.refresh()


def said(ctx: Context, field: str, value: Any) -> Say:
    """A field's value in words."""
    if not value:
        return t("empty")
    match field:
        case "place":
            zone = t("{city} time", city=city_of(value["time_zone"]))
            return t("{country}, {zone}", country=Country(value["country"]), zone=zone) if value["country"] else zone
        case "sector":
            return wording.sector(ctx, value)
        case "side":
            return next(choice.label for choice in SIDES if choice.value == value)
        case "coalitions":
            return listed([wording.coalition(ctx, slug) for slug in value])
        case "topics":
            return listed([wording.topic(ctx, slug) for slug in value])
        case "languages":
            return listed([Tongue(code) for code in value])
    return str(value)


def changed(ctx: Context, field: str, value: Any) -> Card:
    """Store a field and confirm it, with an undo that knows what it was."""
    before = present(ctx, field)
    if before == value or not (before or value):
        same = t("{field}: {value}. Nothing changed.", field=LABELS[field], value=said(ctx, field, value))
        return Card(same, buttons=(Button(t("Change"), "me.change"),))
    write(ctx, field, value)
    text = lines(
        t("{field} from now on: {value}.", field=LABELS[field], value=said(ctx, field, value)),
        t("Before: {value}. Undo brings it back.", value=said(ctx, field, before)),
    )
    undo = Button(t("Undo"), "fields.undo", json.dumps([field, before]))
    return Card(text, buttons=(undo, Button(t("Change more"), "me.change"), Button(t("Who sees this"), "privacy.who")))


@router.press("fields.undo", role=Role.MEMBER)
def undo(ctx: Context) -> Reply:
    """Back to what it was."""
    field, before = json.loads(ctx.value)
    write(ctx, field, before)
    text = t("{field} again: {value}.", field=LABELS[field], value=said(ctx, field, before))
    return Card(text, buttons=(Button(t("Change"), "me.change"),))


@router.press("fields.keep", role=Role.MEMBER)
def keep(ctx: Context) -> Reply:
    """Yes, that is right."""
    field, value = json.loads(ctx.value)
    return changed(ctx, field, value)


@router.press("fields.open", role=Role.MEMBER)
def open_field(ctx: Context) -> Reply:
    """Ask for a field anew; lists start from what is there."""
    form = FORMS.get(ctx.value)
    if form is None:
        return None
    if ctx.value in ("coalitions", "languages"):
        return form.begin(answers={ctx.value: present(ctx, ctx.value)})
    return form.begin()


def _sure(ctx: Context, field: str, value: Any, question: Say) -> Card:
    yes = Button(t("Right"), "fields.keep", json.dumps([field, value]), "primary")
    return Card(question, buttons=(yes, Button(t("Change"), "fields.open", field)))


def _zones(ctx: Context) -> Sequence[Choice]:
    return [Choice(zone, city_of(zone)) for zone in zones_of(ctx.answers["place"]["country"])[:12]]


def _unsure(ctx: Context) -> bool:
    return "place" in ctx.answers and not ctx.answers["place"]["sure"]


def _none(ctx: Context) -> Sequence[Choice]:
    return (Choice(EMPTY, t("Leave it empty")),)


def _or_empty(check: Callable[[Context, str], str]) -> Callable[[Context, str], str | None]:
    return lambda ctx, text: None if text == EMPTY else check(ctx, text)


def _one(field: str, question: Say, **more: Any) -> Form:
    return Form(name=f"fields.{field}", title=LABELS[field], fields=(Field(key=field, question=question, **more),))


def _text(field: str, question: Say, check: Callable[[Context, str], str]) -> Form:
    return _one(field, question, kind="choice", open=True, choices=_none, check=_or_empty(check))


PLACE = Form(
    name="fields.place",
    title=LABELS["place"],
    fields=(
        Field(key="place", question=t("Where do you work? Type a city or a country."), check=check_place),
        Field(key="zone", question=t("Which of these has your time?"), kind="choice", choices=_zones, when=_unsure),
    ),
)
FORMS: dict[str, Form] = {
    "name": _one("name", t("What shall others call you?"), check=check_name),
    "other_name": _text("other_name", t("Which other name shall stand where your name is not shown?"), check_name),
    "native_name": _text("native_name", t("How is your name written in your own script?"), check_name),
    "place": PLACE,
    "sector": _one(
        "sector",
        t("Where do you work?"),
        kind="choice",
        choices=wording.sectors,
    ),
    "side": _one("side", t("In tenders you are:"), kind="choice", choices=SIDES),
    "organisation": _text("organisation", t("Which organisation do you work for?"), short(120)),
    "role_title": _text("role_title", t("What is your role there?"), short(120)),
    "coalitions": _one(
        "coalitions",
        t("Whose support does your reform need?"),
        kind="many",
        choices=wording.coalitions,
    ),
    "topics": _one(
        "topics", t("What do you work on? Write it in your words; it replaces the topics you have."), check=check_topics
    ),
    "languages": _one(
        "languages",
        t("Which languages do you speak? Choose, or type others."),
        kind="many",
        open=True,
        choices=tuple(Choice(code, Tongue(code, own=True)) for code in FIVE),
        check=check_languages,
    ),
}


def _finished(field: str) -> Callable[[Context], Reply]:
    def finished(ctx: Context) -> Reply:
        value = ctx.answers[field]
        if field in ("name", "other_name", "native_name") and value and (question := doubt(ctx, value)):
            return _sure(ctx, field, value, question)
        if field == "topics":
            return _sure(ctx, field, value, t("I read: {topics}. Is that right?", topics=said(ctx, field, value)))
        if field == "place":
            zone = ctx.answers.get("zone") or value["time_zone"]
            value = {"country": value["country"], "time_zone": zone}
        return changed(ctx, field, value)

    return finished


for _field, _form in FORMS.items():
    router.form(_form, role=Role.MEMBER)(_finished(_field))

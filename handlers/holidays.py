"""Public holidays, for facilitators: what is coming in each country, one more, one less; nobody is asked on them."""

import json
from datetime import date

from bot.core import Button, Card, Context, Country, Field, Form, Reply, Role, Router, Say, When, Words, lines, t
from bot.domain.holidays import Calendar, Holiday
from handlers import cards
from handlers.away import read_day
from handlers.me import short
from handlers.projects import check_country

router = Router()

A_PAGE = 8
BACK = Button(t("Holidays"), "holidays.open")


def _calendar(ctx: Context) -> Calendar:
    return ctx.programme.content.calendar.changed(ctx.store.holidays.changes(ctx.me.cohort_id))


def _day(ctx: Context, day: date) -> Say:
    """A day with its year, where it is not this one's."""
    shown = When(cards.noon(ctx, day))
    return shown if day.year == cards.today(ctx).year else t("{day} {year}", day=shown, year=str(day.year))


@router.press("holidays.open", role=Role.FACILITATOR)
def listed(ctx: Context) -> Reply:
    """The coming ones of every country, soonest first, a page at a time."""
    calendar, start = _calendar(ctx), int(ctx.value or 0)
    coming = sorted(
        (day, country) for country, days in calendar.days.items() for day in days if day >= cards.today(ctx)
    )
    page = coming[start : start + A_PAGE]
    said = [
        t("{day}, {country}: {holiday}", day=_day(ctx, day), country=Country(country),
          holiday=_name(calendar.on(country, day)))
        for day, country in page
    ]  # fmt: skip
    buttons = [
        Button(t("{day}, {country}", day=_day(ctx, day), country=Country(country)), "holidays.card", f"{country}:{day}")
        for day, country in page
    ]
    if start + A_PAGE < len(coming):
        buttons.append(Button(t("More"), "holidays.open", str(start + A_PAGE)))
    text = lines(
        t("On these days nobody of the country is asked, and the next card says why. Press one that is none."),
        lines(*said) if said else t("None is known."),
        gap=True,
    )
    add = Button(t("Add a holiday"), "holidays.new", style="primary")
    return Card(text, title=t("Holidays"), buttons=(*buttons, add, Button(t("Check-ins"), "checkins.open")))


def _name(of: Holiday | None) -> Say:
    return Words(of.names) if of is not None else t("no holiday")


def _meant(ctx: Context) -> tuple[str, date]:
    country, _, day = ctx.value.partition(":")
    return country, date.fromisoformat(day)


@router.press("holidays.card", role=Role.FACILITATOR)
def card(ctx: Context) -> Reply:
    """One of them, and the way to say that it is none."""
    country, day = _meant(ctx)
    found = _calendar(ctx).on(country, day)
    said = t("{day}, {country}: {holiday}", day=_day(ctx, day), country=Country(country), holiday=_name(found))
    none = (Button(t("This is no holiday"), "holidays.none", ctx.value),) if found else ()
    return Card(said, buttons=(*none, BACK))


@router.press("holidays.none", role=Role.FACILITATOR)
def none(ctx: Context) -> Reply:
    """Questions come on this day as on any other."""
    country, day = _meant(ctx)
    return _change(ctx, country, day, None)


HOLIDAY = Form(
    name="holidays.holiday",
    title=t("Add a holiday"),
    fields=(
        Field(key="country", question=t("In which country? Type its name."), check=check_country),
        Field(
            key="day",
            question=t("On which day? For example: 15 March"),
            check=lambda ctx, text: read_day(ctx, text).isoformat(),
        ),
        Field(key="name", question=t("What is it called? Fellows read it as you write it."), check=short(60)),
    ),
)


@router.press("holidays.new", role=Role.FACILITATOR)
def new(ctx: Context) -> Reply:
    """One that was announced, or that the list lacks."""
    return HOLIDAY.begin()


@router.form(HOLIDAY, role=Role.FACILITATOR)
def added(ctx: Context) -> Reply:
    """From now on it is one."""
    said = ctx.answers
    return _change(ctx, said["country"], date.fromisoformat(said["day"]), said["name"])


def _change(ctx: Context, country: str, day: date, name: str | None) -> Card:
    changes = ctx.store.holidays.changes(ctx.me.cohort_id).get(country, {})
    before = [changes[day]] if day in changes else []
    if before == [name] or (name is None and _calendar(ctx).on(country, day) is None):
        return Card(t("Already saved. Nothing changed."), buttons=(BACK,))
    ctx.store.holidays.change(ctx.me.cohort_id, country, day, name, ctx.me.id, ctx.now)
    undo = Button(t("Undo"), "holidays.undo", json.dumps([country, day.isoformat(), before], ensure_ascii=False))
    when, where = _day(ctx, day), Country(country)
    said = (
        t("From now on {day} is a holiday in {country}: {holiday}. Nobody there is asked on that day.",
          day=when, country=where, holiday=name)
        if name is not None
        else t("From now on {day} is no holiday in {country}: questions come as on any day.", day=when, country=where)
    )  # fmt: skip
    return Card(said, buttons=(undo, BACK))


@router.press("holidays.undo", role=Role.FACILITATOR)
def undo(ctx: Context) -> Reply:
    """As it was before this change."""
    country, day, before = json.loads(ctx.value)
    on = date.fromisoformat(day)
    if before:
        ctx.store.holidays.change(ctx.me.cohort_id, country, on, before[0], ctx.me.id, ctx.now)
    else:
        ctx.store.holidays.forget_change(ctx.me.cohort_id, country, on)
    said = t("{day}, {country}: {holiday}", day=_day(ctx, on), country=Country(country),
             holiday=_name(_calendar(ctx).on(country, on)))  # fmt: skip
    return Card(lines(t("As it was before."), said), buttons=(BACK,))

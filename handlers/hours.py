"""When I may be written to: my own hours and days, in my own time; what is outside them waits."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time

from bot.core import Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, Wrong, lines, listed, t
from bot.domain.hours import Hours, read_hours
from bot.domain.places import city_of
from handlers.readings import read_time
from handlers.rhythm import weekday

router = Router()

WAITS = t("Questions, requests and messages to all wait for these hours; what somebody writes to you alone does not.")
FROM = ("07:00", "08:00", "09:00", "10:00")
UNTIL = ("17:00", "18:00", "20:00", "22:00")


def _usual(ctx: Context) -> Hours:
    return Hours(ctx.programme.quiet_until, ctx.programme.quiet_from)


def mine(ctx: Context) -> Hours:
    """My hours, or the programme's."""
    return read_hours(ctx.me.hours, _usual(ctx))


def said(ctx: Context, of: Hours) -> Say:
    """Hours in words."""
    days = listed([weekday(day - 1) for day in sorted(of.days)])
    return t("from {start} to {end}, {days}; {city} time", start=of.start.strftime("%H:%M"),
             end=of.end.strftime("%H:%M"), days=days, city=city_of(ctx.me.time_zone))  # fmt: skip


@router.press("hours.open", role=Role.MEMBER)
def open_hours(ctx: Context) -> Reply:
    """When I write now, and what can be changed."""
    return _card(ctx, None)


def _card(ctx: Context, before: Say | None, *more: Button) -> Card:
    here = t("I write to you {hours}.", hours=said(ctx, mine(ctx)))
    text = lines(before or here, WAITS)
    usual = (Button(t("The usual hours"), "hours.usual"),) if ctx.me.hours else ()
    away = Button(t("I am back"), "away.back") if ctx.me.state == "paused" else Button(t("Away"), "away.open")
    other = (Button(t("Other hours"), "hours.change", style="primary"), Button(t("Other days"), "hours.days"))
    return Card(text, buttons=(*more, *other, *usual, away, Button(t("Back"), "me.open")))


def _later(ctx: Context, text: str) -> str:
    until = read_time(ctx, text)
    if time.fromisoformat(until) <= time.fromisoformat(ctx.answers["start"]):
        raise Wrong(t("Please choose a time that is later than {time}.", time=ctx.answers["start"]))
    return until


def _time(key: str, question: Say, some: Sequence[str], check: Callable[[Context, str], str]) -> Field:
    choices = tuple(Choice(one, one) for one in some)
    return Field(key=key, question=question, kind="choice", open=True, choices=choices, check=check)


HOURS = Form(
    name="hours.hours",
    title=t("Hours"),
    fields=(
        _time("start", t("From when on may I write to you? Press one, or write it: 09:30"), FROM, read_time),
        _time("end", t("Until when? Press one, or write it: 18:30"), UNTIL, _later),
    ),
)
DAYS = Form(
    name="hours.days",
    title=t("Days"),
    fields=(
        Field(
            key="days",
            question=t("On which days may I write to you?"),
            kind="many",
            choices=tuple(Choice(str(number + 1), weekday(number)) for number in range(7)),
        ),
    ),
)


@router.press("hours.change", role=Role.MEMBER)
def change(ctx: Context) -> Reply:
    """From when until when?"""
    return HOURS.begin()


@router.form(HOURS, role=Role.MEMBER)
def chosen(ctx: Context) -> Reply:
    """From now on."""
    start, end = (time.fromisoformat(ctx.answers[key]) for key in ("start", "end"))
    return _keep(ctx, replace(mine(ctx), start=start, end=end).written())


@router.press("hours.days", role=Role.MEMBER)
def change_days(ctx: Context) -> Reply:
    """On which days? They begin from what they are."""
    return DAYS.begin(answers={"days": [str(day) for day in sorted(mine(ctx).days)]})


@router.form(DAYS, role=Role.MEMBER)
def chosen_days(ctx: Context) -> Reply:
    """From now on."""
    return _keep(ctx, replace(mine(ctx), days=frozenset(map(int, ctx.answers["days"]))).written())


@router.press("hours.usual", role=Role.MEMBER)
def usual(ctx: Context) -> Reply:
    """Those of the programme again."""
    return _keep(ctx, None)


@router.press("hours.undo", role=Role.MEMBER)
def undo(ctx: Context) -> Reply:
    """As they were before."""
    return _keep(ctx, ctx.value or None)


def _keep(ctx: Context, written: str | None) -> Card:
    before = ctx.me.hours
    if before == written:
        return _card(ctx, t("Already saved. Nothing changed."))
    ctx.store.members.change(ctx.me.id, hours=written)
    ctx.refresh()
    told = t("From now on I write to you {hours}.", hours=said(ctx, mine(ctx)))
    return _card(ctx, told, Button(t("Undo"), "hours.undo", before or ""))

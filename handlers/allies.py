"""Find allies by topic, coalition, country or any words; my allies in each coalition, gaps first."""

import json
from dataclasses import astuple
from datetime import timedelta
from typing import Any

from bot.core.context import Context
from bot.core.replies import Button, Card, Country, Reply, Say, When, lines, listed, t
from bot.core.router import Role, Router
from bot.domain.allies import Ally, Reason, gaps
from bot.domain.topics import Wanted
from bot.domain.words import folded
from handlers import wording
from handlers.finding import Place, gather
from handlers.glossary import meaning
from handlers.watching import watchable

router = Router()


@router.word("find", help=t("Find allies by topic, coalition or country"), takes_text=True, role=Role.MEMBER)
def find(ctx: Context) -> Reply:
    """The word; without more, it says what can be written."""
    if not ctx.text:
        return t("Just write what you are looking for, for example: beneficial ownership Mongolia.")
    return search(ctx)


@router.word("ask", help=t("Say what you need, and see who can help"), takes_text=True, role=Role.MEMBER)
def ask(ctx: Context) -> Reply:
    """Passing questions on to peers comes later; until then it finds people to meet."""
    if not ctx.text:
        return t("What do you need? Write ask and one sentence. I show you who can help.")
    return search(ctx)


@router.search
def search(ctx: Context) -> Reply:
    """Whatever is not a word or an answer: a term's meaning first, then the people."""
    if _too_many(ctx):
        since = ctx.store.members.tries_since(f"member:{ctx.me.id}", "search") or ctx.now
        again = since + timedelta(hours=1)
        return t(
            "You have searched a lot in the last hour. Please try again after {time}, or ask a facilitator.",
            time=When(again, "time"),
        )
    return results(ctx, ctx.text, Place(), before=meaning(ctx, ctx.text))


def _too_many(ctx: Context) -> bool:
    most = ctx.programme.searches_an_hour
    return bool(most) and ctx.store.members.count_try(f"member:{ctx.me.id}", "search", ctx.now, 3600) > most


def results(ctx: Context, text: str, place: Place, before: Say | None = None) -> Card:
    """One page of hits for a text, or what else to do when there is none."""
    wanted = ctx.programme.understanding.understand(text, ctx.me.language)
    if wanted.ambiguous:
        return _which_country(ctx, text, wanted)
    found, following = gather(ctx, wanted, text, place)
    if not found and place == Place():
        found, following = gather(ctx, wanted, text, Place(loose=True))
    if not found:
        return nobody(ctx, text, wanted, before)
    heading = wording.understood(ctx, wanted)
    parts = [before, heading, *(hit(ctx, ally) for ally in found)]
    buttons = [meet_button(ctx, ally, wanted) for ally in found]
    if following is not None:
        buttons.append(Button(t("More"), "allies.more", _value(text, following)))
    if watchable(wanted):
        buttons.append(Button(t("Tell me when somebody joins"), "watching.watch", text))
    return Card(lines(*parts, gap=True), buttons=tuple(buttons))


def hit(ctx: Context, ally: Ally) -> Say:
    """One person and the reasons, the weightiest first."""
    said = [words for words in (wording.reason(ctx, why) for why in ally.reasons) if words is not None][:5]
    if ctx.store.introductions.are_allies(ctx.me.id, [ally.profile.id]):
        said.insert(0, t("you are in touch"))
    return lines(wording.called(ally.profile), lines(*(t("· {reason}", reason=one) for one in said)) if said else None)


def meet_button(ctx: Context, ally: Ally, wanted: Wanted) -> Button:
    """Meet, with what the list knew about why."""
    about = {"to": ally.profile.id, "topic": next(iter(wanted.topics), None), "why": packed(ally.reasons)}
    return Button(t("Meet {name}", name=wording.name(ally.profile)), "requests.preview", json.dumps(about))


def packed(reasons: tuple[Reason, ...]) -> list[list[Any]]:
    """Reasons for a button's value: those that name no text of the other."""
    return [[why.kind, {k: v for k, v in why.data.items() if k != "text"}] for why in reasons if why.kind != "words"]


def nobody(ctx: Context, text: str, wanted: Wanted, before: Say | None = None) -> Card:
    """Nobody found: the nearest topics, and to be told when somebody joins; the same whether hidden or absent."""
    near = ctx.programme.understanding.nearest(text, limit=3)
    said: list[Say | None] = [before, wording.understood(ctx, wanted), t("No one found.")]
    if near:
        said.append(t("Near to it:"))
    buttons = [Button(wording.topic(ctx, slug), "allies.topic", slug) for slug in near]
    if watchable(wanted):
        buttons.append(Button(t("Tell me when somebody joins"), "watching.watch", text))
    return Card(lines(*said, gap=True), buttons=tuple(buttons))


def _which_country(ctx: Context, text: str, wanted: Wanted) -> Card:
    asked = wanted.ambiguous[0]
    buttons = tuple(
        Button(Country(code), "allies.country", json.dumps([text, asked.typed, code])) for code in asked.countries
    )
    return Card(t("Which country do you mean by {typed}?", typed=asked.typed), buttons=buttons)


@router.press("allies.country", role=Role.MEMBER)
def country(ctx: Context) -> Reply:
    """The country that was meant."""
    text, typed, code = json.loads(ctx.value)
    flag = "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code)
    at = folded(text).find(folded(typed))
    meant = f"{text[:at]}{flag}{text[at + len(typed) :]}" if at >= 0 else f"{text} {flag}"
    return results(ctx, meant, Place())


@router.press("allies.topic", role=Role.MEMBER)
def by_topic(ctx: Context) -> Reply:
    """A topic chosen by a button."""
    found = ctx.programme.content.topic(ctx.value)
    return results(ctx, found.labels["en"] if found else ctx.value, Place())


@router.press("allies.more", role=Role.MEMBER)
def more(ctx: Context) -> Reply:
    """The next page, in the same message."""
    text, *place = json.loads(ctx.value)
    return results(ctx, text, Place(*place))


@router.press("allies.again", role=Role.MEMBER)
def again(ctx: Context) -> Reply:
    """Back to the list that a preview replaced."""
    return results(ctx, ctx.value, Place())


def _value(text: str, place: Place) -> str:
    return json.dumps([text, *astuple(place)])


@router.word("allies", help=t("Your allies in the five coalitions, gaps first"), role=Role.MEMBER)
def allies(ctx: Context) -> Reply:
    """My allies, coalition by coalition."""
    return allies_card(ctx)


def allies_card(ctx: Context) -> Card:
    """Coalitions with nobody first, each with a button to find somebody."""
    mine = ctx.people.profiles(ctx.store.introductions.allies_of(ctx.me.id))
    slugs = [one.slug for one in ctx.programme.content.coalitions]
    by_coalition = gaps(slugs, mine)
    said: list[tuple[Say, Say]] = []
    for slug, people in by_coalition.items():
        names: Say = listed([wording.called(one) for one in people[:10]]) if people else t("nobody yet")
        said.append((wording.coalition(ctx, slug), names))
    outside = [one for one in mine if not any(one in people for people in by_coalition.values())]
    if outside:
        said.append((t("In none of them"), listed([wording.called(one) for one in outside[:10]])))
    buttons = [
        Button(t("Find: {coalition}", coalition=wording.coalition(ctx, slug)), "allies.coalition", slug)
        for slug, people in by_coalition.items()
        if not people
    ]
    if ctx.store.introductions.open_of(ctx.me.id) or ctx.store.introductions.waiting_for(ctx.me.id, ctx.now):
        buttons.append(Button(t("Requests"), "requests.open"))
    if ctx.store.search.watched(ctx.me.id):
        buttons.append(Button(t("Stop telling me who joins"), "watching.unwatch"))
    return Card(t("Whom you have met, by coalition. The gaps come first."), fields=tuple(said), buttons=tuple(buttons))


@router.press("allies.coalition", role=Role.MEMBER)
def by_coalition(ctx: Context) -> Reply:
    """Find somebody for a gap."""
    found = ctx.programme.content.coalition(ctx.value)
    return results(ctx, found.wording if found else ctx.value, Place())

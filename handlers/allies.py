"""Find allies by topic, coalition, country or any words; my allies in each coalition, gaps first."""

import json
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import astuple
from datetime import timedelta
from itertools import islice
from typing import Any

from bot.core.context import Context
from bot.core.forms import STEPS
from bot.core.replies import Button, Card, Country, Reply, Say, When, lines, listed, t
from bot.core.router import Role, Router
from bot.domain.allies import Ally, Reason, gaps
from bot.domain.topics import Wanted
from bot.domain.words import folded
from handlers import people, teams, wording
from handlers.finding import Place, gather, has_looser_plan, leads_somewhere, watchable
from handlers.glossary import meaning
from storage.projects import Project

router = Router()

LONGEST_OFFER = 300
NEAR, LIKELY = 3, 6  # topics near to a search: so many are shown, of so many that are tried
# Only beginnings that cannot be a search; Mongolian says it at the end.
OFFERS = re.compile(
    r"(?:i|we) (?:can |could |would like to )?offer\b\W*\w"
    r"|(?:i|we) can help (?:\w+ )?with\b\W*\w"
    r"|(?:saya|aku|kami) (?:bisa |dapat |ingin )?menawarkan\b\W*\w"
    r"|(?:saya|aku|kami) (?:bisa|dapat) (?:bantu|membantu) (?:dengan|soal|dalam|tentang)\b\W*\w"
    r"|nag-?aalok (?:ako|kami) ng\b\W*\w|makakatulong (?:ako|kami) sa\b\W*\w"
    r"|(?:ฉัน|ผม|ดิฉัน|เรา)(?:ขอเสนอ|สามารถช่วยเรื่อง|ช่วยเรื่อง)\s*\w"
    r"|(?:би|бид) .+ (?:тусалж чадна|санал болгож байна)\W*$",
    re.IGNORECASE,
)
VARIANT = "\ufe0f"  # asks for a picture in place of a sign
DOORS = (
    Button(t("My allies"), "allies.open"),
    Button(t("Me"), "me.open"),
    Button(t("Help"), "help.open"),
)


@router.word("find", help=t("Find allies by topic, coalition or country"), takes_text=True, role=Role.MEMBER)
def find(ctx: Context) -> Reply:
    """The word; without more, it says what can be written."""
    if not ctx.text:
        return t("Just write what you are looking for, for example: beneficial ownership Mongolia.")
    return search(ctx)


@router.word("hello", role=Role.MEMBER)
def hello(ctx: Context) -> Reply:
    """A greeting is answered, not searched."""
    said = t(
        "Hello, {name}. Just write what you are looking for, for example: open data Mongolia.",
        name=wording.name(ctx.profile),
    )
    return Card(said, buttons=DOORS)


@router.word("thanks", role=Role.MEMBER)
def thanks(ctx: Context) -> Reply:
    """So are thanks."""
    said = t(
        "You are welcome, {name}. When you look for somebody, just write it, for example: open data Mongolia.",
        name=wording.name(ctx.profile),
    )
    return Card(said, buttons=DOORS)


@router.search
def search(ctx: Context) -> Reply:
    """Whatever is not a word or an answer: a term's meaning first, then the people."""
    told = ctx.word_of(_without_signs(ctx.text))  # "hello, kawan 👋"
    if told in ("hello", "thanks", "yes", "no"):
        return ctx.engine.router.words[told].handler(ctx)
    if told in STEPS or ctx.text.isdecimal():
        return t("No question is open now. Just write what you are looking for, or type help.")
    if is_offer(ctx.text) and not ctx.me.is_facilitator:
        return _offer(ctx)
    if _too_many(ctx):
        since = ctx.store.members.tries_since(f"member:{ctx.me.id}", "search") or ctx.now
        again = since + timedelta(hours=1)
        return t(
            "You have searched a lot in the last hour. Please try again after {time}, or ask a facilitator.",
            time=When(again, "time"),
        )
    staff_only = people.named_card(ctx, ctx.text) if ctx.me.is_facilitator else None
    return staff_only or results(ctx, ctx.text, Place(), before=meaning(ctx, ctx.text))


def _without_signs(text: str) -> str:
    """A text without punctuation and pictures; marks that belong to letters stay."""
    kept = (" " if unicodedata.category(one)[0] in "PS" and one not in "'’-" else one for one in text)
    return " ".join("".join(one for one in kept if one != VARIANT).split())


def is_offer(text: str) -> bool:
    """Does a sentence begin as only an offer does? A question never is one."""
    return len(text) <= LONGEST_OFFER and "?" not in text and OFFERS.match(text) is not None


def _offer(ctx: Context) -> Card:
    """What might be an offer is kept only after a yes."""
    text = " ".join(ctx.text.split())
    topic = next(iter(ctx.programme.understanding.understand(text, ctx.me.language).topics), None)
    value = json.dumps(["offer", text, topic], ensure_ascii=False)
    said = lines(
        t("Shall I keep this as an offer in your profile?"),
        t("“{text}”", text=text),
        t("I read: {topic}.", topic=wording.topic(ctx, topic)) if topic else None,
    )
    keep = Button(t("Yes"), "wishes.keep" if topic else "wishes.other", value, "primary")
    return Card(said, buttons=(keep, Button(t("No, search"), "allies.again", text)))


def _too_many(ctx: Context) -> bool:
    most = ctx.programme.searches_an_hour
    return bool(most) and ctx.store.members.count_try(f"member:{ctx.me.id}", "search", ctx.now, 3600) > most


def results(ctx: Context, text: str, place: Place, before: Say | None = None) -> Card:
    """One page of hits for a text, or what else to do when there is none."""
    wanted = ctx.programme.understanding.understand(text, ctx.me.language)
    if wanted.ambiguous:
        return _which_country(ctx, text, wanted)
    found, following = gather(ctx.people, wanted, text, place)
    if not found and place == Place() and has_looser_plan(wanted, text):
        found, following = gather(ctx.people, wanted, text, Place(loose=True))
    projects = teams.fitting(ctx, wanted) if place.step == 0 and place.after is None and not place.shown else []
    if not found:
        return nobody(ctx, text, wanted, before, projects)
    heading = wording.understood(ctx, wanted)
    met = ctx.people.met([ally.profile.id for ally in found])
    hits = [hit(ctx, ally, met) for ally in found]
    parts: list[Say | None] = [before, heading, *hits, teams.found_lines(projects)]
    buttons = [meet_button(ally, wanted, met) for ally in found] + teams.found_buttons(projects)
    if following is not None:
        buttons.append(Button(t("More"), "allies.more", _value(text, following)))
    buttons.append(ask_the_others(text))
    if watchable(wanted):
        buttons.append(Button(t("Tell me when somebody joins"), "watching.watch", text))
    return Card(lines(*parts, gap=True), buttons=tuple(buttons), about=tuple(ally.profile.id for ally in found))


def ask_the_others(text: str) -> Button:
    """Pass a search on as a question; its preview comes first."""
    return Button(t("Ask the others"), "asks.preview", json.dumps({"text": text}, ensure_ascii=False))


def hit(ctx: Context, ally: Ally, met: Collection[int] = ()) -> Say:
    """One person and the reasons, the weightiest first."""
    said = [words for words in (wording.reason(ctx, why) for why in ally.reasons) if words is not None][:5]
    if ally.profile.id in met:
        said.insert(0, t("you are in touch"))
    return lines(wording.called(ally.profile), lines(*(t("· {reason}", reason=one) for one in said)) if said else None)


def meet_button(ally: Ally, wanted: Wanted, met: Collection[int]) -> Button:
    """Meet, with what the list knew about why; whom I am in touch with already, I can tell how to be reached."""
    if ally.profile.id in met:
        label = t("Share my contact: {name}", name=wording.name(ally.profile))
        return Button(label, "contacts.share", str(ally.profile.id))
    about = {"to": ally.profile.id, "topic": next(iter(wanted.topics), None), "why": packed(ally.reasons)}
    return Button(t("Meet {name}", name=wording.name(ally.profile)), "requests.preview", json.dumps(about))


def packed(reasons: tuple[Reason, ...]) -> list[list[Any]]:
    """Reasons for a button's value: those that name no text of the other."""
    return [[why.kind, {k: v for k, v in why.data.items() if k != "text"}] for why in reasons if why.kind != "words"]


def nobody(
    ctx: Context, text: str, wanted: Wanted, before: Say | None = None, projects: Sequence[Project] = ()
) -> Card:
    """Nobody found: the nearest topics, and to be told when somebody joins; the same whether hidden or absent."""
    likely = ctx.programme.understanding.nearest(text, limit=LIKELY)
    near = [*islice((slug for slug in likely if leads_somewhere(ctx.people, slug)), NEAR)]
    hint = t("Write a topic, a country or a name, for example: open data Mongolia.")
    said: list[Say | None] = [
        before,
        wording.understood(ctx, wanted),
        t("No one found."),
        teams.found_lines(projects),
        hint,
    ]
    if near:
        said.append(t("Near to it:"))
    buttons = teams.found_buttons(projects)
    buttons += [Button(wording.topic(ctx, slug), "allies.topic", slug) for slug in near]
    if watchable(wanted):
        buttons.append(ask_the_others(text))
        buttons.append(Button(t("Tell me when somebody joins"), "watching.watch", text))
    return Card(lines(*said, gap=True), buttons=(*buttons, Button(t("Help"), "help.open")))


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
    text, step, after, shown, loose = json.loads(ctx.value)
    return results(ctx, text, Place(step, after, tuple(shown), loose))


@router.press("allies.again", role=Role.MEMBER)
def again(ctx: Context) -> Reply:
    """Back to the list that a preview replaced."""
    return results(ctx, ctx.value, Place())


def _value(text: str, place: Place) -> str:
    return json.dumps([text, *astuple(place)])


@router.word("allies", help=t("Your allies in the five coalitions, gaps first"), role=Role.MEMBER)
@router.press("allies.open", role=Role.MEMBER)
def allies(ctx: Context) -> Reply:
    """My allies, coalition by coalition."""
    return allies_card(ctx)


def allies_card(ctx: Context) -> Card:
    """Coalitions with nobody first, each with a button to find somebody."""
    mine = ctx.people.profiles(ctx.store.introductions.allies_of(ctx.me.id))
    slugs = [one.slug for one in ctx.programme.content.coalitions]
    by_coalition = gaps(slugs, mine)
    said: list[tuple[Say, Say]] = []
    for slug, met in by_coalition.items():
        names: Say = listed([wording.called(one) for one in met[:10]]) if met else t("nobody yet")
        said.append((wording.coalition(ctx, slug), names))
    outside = [one for one in mine if not any(one in met for met in by_coalition.values())]
    if outside:
        said.append((t("In none of them"), listed([wording.called(one) for one in outside[:10]])))
    buttons = [
        Button(t("Find: {coalition}", coalition=wording.coalition(ctx, slug)), "allies.coalition", slug)
        for slug, met in by_coalition.items()
        if not met
    ]
    if ctx.store.introductions.open_of(ctx.me.id) or ctx.store.introductions.waiting_for(ctx.me.id, ctx.now):
        buttons.append(Button(t("Requests"), "requests.open"))
    if ctx.store.search.watched(ctx.me.id):
        buttons.append(Button(t("Stop telling me who joins"), "watching.unwatch"))
    text = t("Whom you have met, by coalition. The gaps come first.")
    return Card(text, fields=tuple(said), buttons=tuple(buttons), about=tuple(one.id for one in mine))


@router.press("allies.coalition", role=Role.MEMBER)
def by_coalition(ctx: Context) -> Reply:
    """Find somebody for a gap."""
    found = ctx.programme.content.coalition(ctx.value)
    return results(ctx, found.wording if found else ctx.value, Place())

"""Find allies by topic, coalition, country or any words; my allies in each coalition, gaps first."""

import json
from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from typing import Any

from bot.core.context import Context
from bot.core.programme import local_morning
from bot.core.replies import Button, Card, Country, Reply, Say, Urgency, When, lines, listed, t
from bot.core.router import Router
from bot.domain.allies import Ally, Reason, gaps, rank
from bot.domain.profiles import Profile
from bot.domain.topics import Wanted
from bot.domain.words import folded, word_keys
from handlers import wording
from handlers.glossary import meaning
from storage.access import Viewer
from storage.search import Clause, is_searchable_name

router = Router()

SHOWN = 5
WINDOW = 30
TIERS = ("offer", "need", "topic")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list of hits goes on: the step, the last member of the window before, how many were shown of the next."""

    step: int = 0
    after: int | None = None
    shown: int = 0
    loose: bool = False


@router.word("find", help=t("Find allies by topic, coalition or country"), takes_text=True)
def find(ctx: Context) -> Reply:
    """The word; without more, it says what can be written."""
    if not ctx.text:
        return t("Just write what you are looking for, for example: beneficial ownership Mongolia.")
    return search(ctx)


@router.word("ask", help=t("Say what you need, and see who can help"), takes_text=True)
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
    heading = understood(ctx, wanted)
    parts = [before, heading, *(hit(ctx, ally) for ally in found)]
    buttons = [meet_button(ctx, ally, wanted) for ally in found]
    if following is not None:
        buttons.append(Button(t("More"), "allies.more", _value(text, following)))
    if watchable(wanted):
        buttons.append(Button(t("Tell me when somebody joins"), "allies.watch", text))
    return Card(lines(*parts, gap=True), buttons=tuple(buttons))


def understood(ctx: Context, wanted: Wanted) -> Say | None:
    """What was read in the text, so that a wrong reading is seen."""
    said: list[Say] = [wording.topic(ctx, slug) for slug in wanted.topics]
    said += [wording.coalition(ctx, slug) for slug in wanted.coalitions]
    said += [wording.sector(ctx, slug) for slug in wanted.sectors]
    said += [Country(code) for code in wanted.countries]
    return t("I read: {what}.", what=listed(said)) if said else None


def hit(ctx: Context, ally: Ally) -> Say:
    """One person and the reasons, the weightiest first."""
    said = [words for words in (wording.reason(ctx, why) for why in ally.reasons) if words is not None][:5]
    if ctx.store.introductions.are_allies(ctx.me.id, [ally.profile.id]):
        said.insert(0, t("you are in touch"))
    return lines(wording.called(ally.profile), lines(*(t("· {reason}", reason=one) for one in said)) if said else None)


def meet_button(ctx: Context, ally: Ally, wanted: Wanted) -> Button:
    """Meet, with what the list knew about why."""
    about = {"to": ally.profile.id, "topic": next(iter(wanted.topics), None), "why": packed(ally.reasons)}
    return Button(t("Meet {name}", name=wording.name(ally.profile)), "introductions.preview", json.dumps(about))


def packed(reasons: tuple[Reason, ...]) -> list[list[Any]]:
    """Reasons for a button's value: those that name no text of the other."""
    return [[why.kind, {k: v for k, v in why.data.items() if k != "text"}] for why in reasons if why.kind != "words"]


def gather(ctx: Context, wanted: Wanted, text: str, place: Place) -> tuple[list[Ally], Place | None]:
    """The next five hits from a place on, and the place after them; each person once, in their best step."""
    steps = plan(wanted, text, loose=place.loose)
    found: list[Ally] = []
    while place.step < len(steps) and len(found) < SHOWN:
        window, after = _window(ctx, steps, wanted, place)
        taken = window[: SHOWN - len(found)]
        found += taken
        if len(taken) < len(window):
            place = replace(place, shown=place.shown + len(taken))
        elif after is not None:
            place = replace(place, after=after, shown=0)
        else:
            place = Place(place.step + 1, loose=place.loose)
    return found, place if _is_more(ctx, steps, wanted, place) else None


def _window(ctx: Context, steps: list[list[Clause]], wanted: Wanted, place: Place) -> tuple[list[Ally], int | None]:
    """The ranked people of one window, without those shown already; and where the next window begins."""
    page = ctx.people.find(steps[place.step], after=place.after, limit=WINDOW)
    fresh = [one for one in page.profiles if not any(_fulfils(one, earlier) for earlier in steps[: place.step])]
    words = [folded(word) for word in wanted.words]
    ranked = rank(fresh, ctx.profile, topics=wanted.topics, words=words)
    return ranked[place.shown :], page.after


def _is_more(ctx: Context, steps: list[list[Clause]], wanted: Wanted, place: Place) -> bool:
    """Is there anybody from this place on? A More that shows nobody would be a lie."""
    while place.step < len(steps):
        window, after = _window(ctx, steps, wanted, place)
        if window or after is not None:
            return True
        place = Place(place.step + 1, loose=place.loose)
    return False


def _fulfils(seen: Profile, clauses: list[Clause]) -> bool:
    """Would this search have found the person, by what the viewer may see of them?"""
    return all(_has(seen, clause) for clause in clauses)


def _has(seen: Profile, clause: Clause) -> bool:
    match clause.kind:
        case "offer" | "need":
            helps = seen.offers if clause.kind == "offer" else seen.needs
            return any(wish.topic in clause.keys for wish in helps)
        case "topic":
            return any(topic in clause.keys for topic in seen.topics)
        case "coalition":
            return any(coalition in clause.keys for coalition in seen.coalitions)
        case "country":
            return seen.country in clause.keys
        case "sector":
            return seen.sector in clause.keys
        case "name":
            return any(key.startswith(clause.keys) for key in word_keys(seen.name or ""))
    texts = [wish.text or "" for wish in (*seen.needs, *seen.offers)]
    keys = word_keys(" ".join([*texts, seen.project or "", seen.project_goal or ""]))
    return any(key.startswith(clause.keys) for key in keys)


def plan(wanted: Wanted, text: str, *, loose: bool = False) -> list[list[Clause]]:
    """The searches to make, best first; each is a list of clauses that must all hold.

    One word can be a topic, a coalition and a sector at once ("donors"): `loose` joins what the strict plan, which
    found nobody, had demanded together. A country is always kept.
    """
    countries = [Clause("country", wanted.countries)] if wanted.countries else []
    sectors = [Clause("sector", wanted.sectors)] if wanted.sectors else []
    coalitions = [Clause("coalition", wanted.coalitions)] if wanted.coalitions else []
    kinds = [*sectors, *coalitions]
    if wanted.topics:
        narrow = [] if loose else kinds
        steps = [[Clause(kind, wanted.topics), *narrow, *countries] for kind in TIERS]
        return steps + [[kind, *countries] for kind in kinds] if loose else steps
    keys = [key for word in wanted.words for key in word_keys(word)][:8]
    if keys and not loose:
        steps = [[*(Clause("word", (key,)) for key in keys), *kinds, *countries]]
        if is_searchable_name(text):
            steps.insert(0, [*(Clause("name", (key,)) for key in keys), *kinds, *countries])
        return steps
    if len(kinds) > 1:
        return [[*kinds, *countries], *([kind, *countries] for kind in kinds)]
    return [[*kinds, *countries]] if kinds or countries else []


def nobody(ctx: Context, text: str, wanted: Wanted, before: Say | None = None) -> Card:
    """Nobody found: the nearest topics, and to be told when somebody joins; the same whether hidden or absent."""
    near = ctx.programme.understanding.nearest(text, limit=3)
    said: list[Say | None] = [before, understood(ctx, wanted), t("No one found.")]
    if near:
        said.append(t("Near to it:"))
    buttons = [Button(wording.topic(ctx, slug), "allies.topic", slug) for slug in near]
    if watchable(wanted):
        buttons.append(Button(t("Tell me when somebody joins"), "allies.watch", text))
    return Card(lines(*said, gap=True), buttons=tuple(buttons))


def _which_country(ctx: Context, text: str, wanted: Wanted) -> Card:
    asked = wanted.ambiguous[0]
    buttons = tuple(
        Button(Country(code), "allies.country", json.dumps([text, asked.typed, code])) for code in asked.countries
    )
    return Card(t("Which country do you mean by {typed}?", typed=asked.typed), buttons=buttons)


@router.press("allies.country")
def country(ctx: Context) -> Reply:
    """The country that was meant."""
    text, typed, code = json.loads(ctx.value)
    flag = "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code)
    at = folded(text).find(folded(typed))
    meant = f"{text[:at]}{flag}{text[at + len(typed) :]}" if at >= 0 else f"{text} {flag}"
    return results(ctx, meant, Place())


@router.press("allies.topic")
def by_topic(ctx: Context) -> Reply:
    """A topic chosen by a button."""
    found = ctx.programme.content.topic(ctx.value)
    return results(ctx, found.labels["en"] if found else ctx.value, Place())


@router.press("allies.more")
def more(ctx: Context) -> Reply:
    """The next page, in the same message."""
    text, *place = json.loads(ctx.value)
    return results(ctx, text, Place(*place))


@router.press("allies.again")
def again(ctx: Context) -> Reply:
    """Back to the list that a preview replaced."""
    return results(ctx, ctx.value, Place())


def _value(text: str, place: Place) -> str:
    return json.dumps([text, *astuple(place)])


def watchable(wanted: Wanted) -> list[tuple[str, str]]:
    """The keys for which one can be told when somebody joins."""
    found = [(kind, slug) for slug in wanted.topics for kind in ("offer", "topic")]
    if not found:
        found = [("country", code) for code in wanted.countries] + [("coalition", c) for c in wanted.coalitions]
    return found


@router.press("allies.watch")
def watch(ctx: Context) -> Reply:
    """Be told when somebody joins who fits."""
    wanted = ctx.programme.understanding.understand(ctx.value, ctx.me.language)
    ctx.store.search.watch(ctx.me.cohort_id, ctx.me.id, watchable(wanted), ctx.now)
    what = understood(ctx, wanted) or ctx.value
    said = lines(what, t("I tell you when somebody joins who fits."), gap=True)
    return Card(said, buttons=(Button(t("Stop telling me"), "allies.unwatch"),))


@router.press("allies.unwatch")
def unwatch(ctx: Context) -> Reply:
    """No longer be told."""
    ctx.store.search.unwatch(ctx.me.id)
    return t("I no longer tell you when somebody joins. To start again, search and press the button.")


def tell_watchers(ctx: Context) -> None:
    """Somebody has just become visible: tell those who wait for them and may see them, on their next morning."""
    told: set[int] = set()
    for watcher, kind, key in ctx.store.search.watchers(ctx.me.id):
        seen = ctx.store.people(Viewer(watcher, ctx.me.cohort_id)).profile(ctx.me.id)
        where = ctx.store.members.where(watcher)
        if watcher in told or seen is None or where is None or not _shows(seen, kind, key):
            continue
        told.add(watcher)
        about: dict[str, Any] = {"to": ctx.me.id, "topic": key if kind in ("offer", "topic") else None, "why": []}
        card = Card(
            t("Somebody joined who fits what you look for: {who}.", who=wording.called(seen)),
            buttons=(
                Button(t("Meet {name}", name=wording.name(seen)), "introductions.preview", json.dumps(about)),
                Button(t("Stop telling me"), "allies.unwatch"),
            ),
        )
        morning = local_morning(ctx.now, where.time_zone, days=1)
        ctx.send(watcher, card, about=(ctx.me.id,), at=morning, urgency=Urgency.QUESTION, once=True)


def _shows(seen: Profile, kind: str, key: str) -> bool:
    shown: dict[str, list[str | None]] = {
        "offer": [wish.topic for wish in seen.offers],
        "topic": list(seen.topics),
        "country": [seen.country],
        "coalition": list(seen.coalitions),
    }
    return key in shown.get(kind, ())


@router.word("allies", help=t("Your allies in the five coalitions, gaps first"))
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
    if ctx.store.introductions.open_of(ctx.me.id) or ctx.store.introductions.waiting_for(ctx.me.id):
        buttons.append(Button(t("Requests"), "introductions.requests"))
    if ctx.store.search.watched(ctx.me.id):
        buttons.append(Button(t("Stop telling me who joins"), "allies.unwatch"))
    return Card(t("Whom you have met, by coalition. The gaps come first."), fields=tuple(said), buttons=tuple(buttons))


@router.press("allies.coalition")
def by_coalition(ctx: Context) -> Reply:
    """Find somebody for a gap."""
    found = ctx.programme.content.coalition(ctx.value)
    return results(ctx, found.wording if found else ctx.value, Place())

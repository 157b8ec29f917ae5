"""From what was understood to people: the searches to make, and one window of ranked hits after another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.allies import Ally, rank
from bot.domain.profiles import Profile
from bot.domain.topics import Wanted
from bot.domain.words import folded, word_keys
from storage.access import Access
from storage.search import TIERS, Clause, is_searchable_name

SHOWN = 5
WINDOW = 15  # candidates ranked at a time: more than a page, few enough to be fast among 100,000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list of hits goes on: the step, the last member of the window before, who was shown of the next."""

    step: int = 0
    after: int | None = None
    shown: tuple[int, ...] = ()
    loose: bool = False


def gather(people: Access, wanted: Wanted, text: str, place: Place) -> tuple[list[Ally], Place | None]:
    """The next five hits from a place on, and the place after them; each person once, in their best step."""
    windows = _Windows(people, plan(wanted, text, loose=place.loose), wanted)
    found: list[Ally] = []
    while place.step < len(windows.steps) and len(found) < SHOWN:
        window = windows.at(place)
        taken = window[: SHOWN - len(found)]
        found += taken
        place = replace(place, shown=(*place.shown, *(one.profile.id for one in taken)))
        if len(taken) == len(window):
            place = windows.next(place)
    return found, place if windows.is_more(place) else None


def leads_somewhere(people: Access, topic: str) -> bool:
    """Would a search for this topic alone show anybody?"""
    wanted = Wanted(topics=(topic,))
    return _Windows(people, plan(wanted, ""), wanted).is_more(Place())


def has_looser_plan(wanted: Wanted, text: str) -> bool:
    """Is there another way to look, when the strict one found nobody?"""
    return plan(wanted, text, loose=True) != plan(wanted, text)


class _Windows:
    """The ranked windows of one search, each read once."""

    def __init__(self, people: Access, steps: list[list[Clause]], wanted: Wanted) -> None:
        self.steps = steps
        self._people = people
        self._wanted = wanted
        self._words = [folded(word) for word in wanted.words]
        self._read: dict[tuple[int, int | None], tuple[list[Ally], int | None]] = {}

    def at(self, place: Place) -> list[Ally]:
        """The people of one window, without those shown already."""
        key = (place.step, place.after)
        if key not in self._read:
            self._read[key] = self._window(place)
        ranked, _ = self._read[key]
        return [one for one in ranked if one.profile.id not in place.shown]

    def next(self, place: Place) -> Place:
        """Behind a window that was read; who has left it since they were shown, as others joined, is in the next."""
        ranked, after = self._read[place.step, place.after]
        if after is None:
            return Place(place.step + 1, loose=place.loose)
        here = {one.profile.id for one in ranked}
        return replace(place, after=after, shown=tuple(number for number in place.shown if number not in here))

    def _window(self, place: Place) -> tuple[list[Ally], int | None]:
        page = self._people.find(self.steps[place.step], after=place.after, limit=WINDOW)
        earlier = self.steps[: place.step]
        fresh = [one for one in page.profiles if not any(_fulfils(one, step) for step in earlier)]
        wanted = self._wanted
        to = self._people.own()
        return rank(fresh, to, topics=wanted.topics, words=self._words, coalitions=wanted.coalitions), page.after

    def is_more(self, place: Place) -> bool:
        """Is there anybody from this place on? A More that shows nobody would be a lie."""
        while place.step < len(self.steps):
            if self.at(place):
                return True
            place = self.next(place)
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
            return any(topic in clause.keys for topic in (*seen.topics, *seen.project_topics))
        case "coalition":
            return any(coalition in clause.keys for coalition in seen.coalitions)
        case "country":
            return seen.country in clause.keys
        case "sector":
            return seen.sector in clause.keys
        case "name":
            return any(key.startswith(clause.keys) for key in word_keys(f"{seen.name or ''} {seen.native_name or ''}"))
    texts = [wish.text or "" for wish in (*seen.needs, *seen.offers)]
    keys = word_keys(" ".join([*texts, seen.project or "", seen.project_goal or ""]))
    return any(key.startswith(clause.keys) for key in keys)


def plan(wanted: Wanted, text: str, *, loose: bool = False) -> list[list[Clause]]:
    """The searches to make, best first; each is a list of clauses that must all hold.

    One word can be a topic, a coalition and a sector at once ("donors"): then it is the topic, and the others are tried
    by the `loose` plan, when the strict one found nobody. A country is always kept.
    """
    countries = [Clause("country", wanted.countries)] if wanted.countries else []
    sectors = [Clause("sector", wanted.sectors)] if wanted.sectors else []
    coalitions = [Clause("coalition", wanted.coalitions)] if wanted.coalitions else []
    kinds = [*coalitions, *sectors]
    if wanted.topics:
        # "private sector" is a coalition and a sector: the coalition is what more people show to each other.
        same = _share_a_word(wanted.coalitions, wanted.sectors)
        narrow = [kind for kind in (coalitions if same else kinds) if not _share_a_word(kind.keys, wanted.topics)]
        narrow = [] if loose else narrow
        steps = [[Clause(kind, wanted.topics), *narrow, *countries] for kind in TIERS]
        return steps + [[kind, *countries] for kind in kinds] if loose else steps
    keys = [key for word in wanted.words for key in word_keys(word)][:8]
    if keys and not loose:
        steps = [[*(Clause("word", (key,)) for key in keys), *kinds, *countries]]
        if is_searchable_name(text):
            steps.insert(0, [*(Clause("name", (key,)) for key in keys), *kinds, *countries])
        return steps
    if len(kinds) > 1:
        either = [[kind, *countries] for kind in kinds]
        return either if _share_a_word(wanted.coalitions, wanted.sectors) else [[*kinds, *countries], *either]
    return [[*kinds, *countries]] if kinds or countries else []


def _share_a_word(some: Sequence[str], others: Sequence[str]) -> bool:
    """Do two lists of slugs come from the same word? donors-agencies and donor do, by their first five letters."""
    return not _stems(some).isdisjoint(_stems(others))


def _stems(slugs: Sequence[str]) -> set[str]:
    return {part[:5] for slug in slugs for part in slug.replace("_", "-").split("-")} - {"secto", "and"}


def watchable(wanted: Wanted) -> list[tuple[str, str]]:
    """The keys for which one can be told when somebody joins."""
    found = [(kind, slug) for slug in wanted.topics for kind in ("offer", "need", "topic")]
    if not found:
        found = [("country", code) for code in wanted.countries] + [("coalition", c) for c in wanted.coalitions]
    return found

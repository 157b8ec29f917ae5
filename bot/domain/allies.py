"""Who is an ally of whom, best first, with the reasons as data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.profiles import Profile
from bot.domain.words import folded

# Need meets offer, then the same need, then the topic; the rest breaks ties (issue: "ranked by").
WEIGHTS = {
    "named": 200,
    "offers": 100,
    "needs_same": 60,
    "works_on": 40,
    "words": 30,
    "you_offer": 25,
    "coalition": 12,
    "in_coalition": 12,
    "other_country": 6,
    "language": 5,
    "other_sector": 4,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is an ally: a kind of `WEIGHTS`, and what it is about (topic, coalition, language, text)."""

    kind: str
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ally:
    """A profile with the reasons that hold for the one who asks, weightiest first."""

    profile: Profile
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> int:
        return sum(WEIGHTS[reason.kind] for reason in self.reasons)


def rank(
    found: Sequence[Profile],
    to: Profile,
    *,
    topics: Collection[str] = (),
    words: Collection[str] = (),
    coalitions: Sequence[str] = (),
) -> list[Ally]:
    """The best first; equals keep the order in which they were found. `coalitions` are those that were asked for."""
    allies = [Ally(one, reasons(one, to, topics=topics, words=words, coalitions=coalitions)) for one in found]
    return sorted(allies, key=lambda ally: -ally.weight)


def reasons(
    of: Profile,
    to: Profile,
    *,
    topics: Collection[str] = (),
    words: Collection[str] = (),
    coalitions: Sequence[str] = (),
) -> tuple[Reason, ...]:
    """Only what the viewer may see of the other counts: `of` holds nothing else."""
    found: list[Reason] = []
    offered = [wish.topic for wish in of.offers if wish.topic in topics]
    if offered:
        text = next((wish.text for wish in of.offers if wish.topic == offered[0] and wish.text), None)
        found.append(_about("offers", offered[0], text))
    needed = [wish.topic for wish in of.needs if wish.topic in topics]
    if needed:
        found.append(_about("needs_same", needed[0], None))
    worked = [topic for topic in (*of.topics, *of.project_topics) if topic in topics]
    if worked and not offered:
        found.append(_about("works_on", worked[0], None))
    found += _words(of, words)
    yours = {wish.topic for wish in to.offers}
    wanted = next((wish.topic for wish in of.needs if wish.topic in yours and wish.topic not in topics), None)
    if wanted:
        found.append(_about("you_offer", wanted, None))
    found += _coalition(of, to, coalitions)
    if of.country and to.country and of.country != to.country:
        found.append(Reason("other_country", {"country": of.country}))
    tongue = next((language for language in of.languages if language in to.languages), None)
    if tongue:
        found.append(Reason("language", {"language": tongue}))
    if of.sector and to.sector and of.sector != to.sector:
        found.append(Reason("other_sector", {"sector": of.sector}))
    return tuple(found)


def _about(kind: str, topic: str | None, text: str | None) -> Reason:
    data = {"topic": topic or ""}
    if text:
        data["text"] = text
    return Reason(kind, data)


def _coalition(of: Profile, to: Profile, asked: Sequence[str]) -> list[Reason]:
    """A coalition that was asked for comes first; else one that both are in."""
    there = next((one for one in asked if one in of.coalitions), None)
    if there is not None and there not in to.coalitions:
        return [Reason("in_coalition", {"coalition": there})]
    shared = there or next((one for one in of.coalitions if one in to.coalitions), None)
    return [Reason("coalition", {"coalition": shared})] if shared else []


def _words(of: Profile, words: Collection[str]) -> list[Reason]:
    if not words:
        return []
    name = folded(of.name or "")
    if any(part.startswith(tuple(words)) for part in name.split()):
        return [Reason("named")]
    texts = [wish.text for wish in (*of.offers, *of.needs) if wish.text]
    texts += [text for text in (of.project, of.project_goal) if text]
    said = next((text for text in texts if any(word in folded(text) for word in words)), None)
    return [Reason("words", {"text": said})] if said else []


def gaps(coalitions: Sequence[str], allies: Sequence[Profile]) -> dict[str, list[Profile]]:
    """My allies in each coalition, those with the fewest first; one ally may stand in several."""
    found = {coalition: [ally for ally in allies if coalition in ally.coalitions] for coalition in coalitions}
    return dict(sorted(found.items(), key=lambda item: len(item[1])))

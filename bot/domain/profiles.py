"""Who sees what of whom: a profile, its audiences, the three presets, and who is kept apart."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Any


class Audience(IntEnum):
    """Who may see a field; each wider one includes those before it."""

    ME = 0
    FACILITATORS = 1
    MET = 2
    COALITIONS = 3
    COHORT = 4


class Preset(StrEnum):
    """The three ready answers to "who sees me"."""

    CAREFUL = "careful"
    HIDDEN = "hidden"
    OPEN = "open"


# In `careful` a shared coalition is what opens the rest, so it is seen with it.
FIELDS = ("name", "country", "topics", "coalitions", "sector", "side", "organisation", "role_title", "languages",
          "needs", "offers", "project", "native_name", "time_zone")  # fmt: skip
CAREFUL = frozenset({"name", "country", "topics", "coalitions"})


def audiences(preset: Preset, own: Mapping[str, Audience]) -> dict[str, Audience]:
    """The audience of each field: the preset's, unless the person set that field.

    Hidden is a ceiling: no single field is wider than the facilitators.
    """
    if preset is Preset.HIDDEN:
        return {name: min(own.get(name, Audience.FACILITATORS), Audience.FACILITATORS) for name in FIELDS}
    if preset is Preset.OPEN:
        return {name: own.get(name, Audience.COHORT) for name in FIELDS}
    return {name: own.get(name, Audience.COALITIONS if name in CAREFUL else Audience.MET) for name in FIELDS}


@dataclass(frozen=True, slots=True)
class Help:
    """A need or an offer: a topic, and the person's own words where the viewer may read them."""

    topic: str | None
    text: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one viewer may see of one member; what is None or empty is not there, or not for them."""

    id: int
    name: str | None = None
    native_name: str | None = None
    country: str | None = None
    sector: str | None = None
    side: str | None = None
    organisation: str | None = None
    role_title: str | None = None
    time_zone: str | None = None
    languages: tuple[str, ...] = ()
    coalitions: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    needs: tuple[Help, ...] = ()
    offers: tuple[Help, ...] = ()
    project: str | None = None
    project_goal: str | None = None
    project_topics: tuple[str, ...] = ()
    facilitator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Everything that is stored about one member, for the access layer and the person alone."""

    profile: Profile
    other_name: str | None = None
    preset: Preset = Preset.CAREFUL
    own: Mapping[str, Audience] = field(default_factory=dict)

    def audience(self, name: str) -> Audience:
        return audiences(self.preset, self.own)[name]


def seen_by(whole: Whole, reach: Audience) -> Profile:
    """The profile as somebody sees it who stands this near: ME everything, COHORT only what all may see."""
    allowed = _allowed(whole.preset, tuple(whole.own.items()), reach)
    full = whole.profile
    if reach is Audience.ME or len(allowed) == len(FIELDS):
        return full
    texts = {"needs": full.needs, "offers": full.offers}
    helps: dict[str, Any] = {
        name: values
        if name in allowed
        else tuple(Help(wish.topic) for wish in values if wish.topic and "topics" in allowed)
        for name, values in texts.items()
    }
    shown: dict[str, Any] = {name: getattr(full, name) for name in FIELDS if name in allowed and name not in texts}
    if "name" not in allowed and whole.other_name:
        shown["name"] = whole.other_name
    return Profile(
        id=full.id,
        facilitator=full.facilitator,
        project_goal=full.project_goal if "project" in allowed else None,
        project_topics=full.project_topics if "project" in allowed else (),
        **shown,
        **helps,
    )


@lru_cache(maxsize=4096)  # a search asks it for every hit, and few people set single fields
def _allowed(preset: Preset, own: tuple[tuple[str, Audience], ...], reach: Audience) -> frozenset[str]:
    return frozenset(name for name, audience in audiences(preset, dict(own)).items() if audience >= reach)


def reach_of(*, facilitator: bool, met: bool, shared_coalition: bool) -> Audience:
    """How near a viewer stands to a member; the lowest audience they belong to decides what they see."""
    if facilitator:
        return Audience.FACILITATORS
    if met:
        return Audience.MET
    return Audience.COALITIONS if shared_coalition else Audience.COHORT


@dataclass(frozen=True, slots=True)
class Standing:
    """What keeping apart looks at: true values, whoever may see them."""

    id: int
    country: str | None
    sector: str | None
    side: str | None


@dataclass(frozen=True, slots=True)
class Apart:
    """One wish to be kept apart: from one person, or from a sector (in a country, or anywhere)."""

    member: int
    other: int | None = None
    sector: str | None = None
    country: str | None = None


def kept_apart(one: Standing, other: Standing, rules: Collection[Apart], *, buyers_and_bidders: bool = True) -> bool:
    """May these two never be brought together? A buyer and a bidder of one country by default; never explained.

    `rules` are the wishes of either of the two. The default follows rules on contact between procurement officials and
    suppliers (for the Philippines: GPPB NPM 017-2011); a programme may switch it off.
    """
    sides = {one.side, other.side}
    if buyers_and_bidders and sides == {"buyer", "bidder"} and one.country and one.country == other.country:
        return True
    return any(_meant(rule, one, other) or _meant(rule, other, one) for rule in rules)


def _meant(rule: Apart, owner: Standing, other: Standing) -> bool:
    if rule.member != owner.id:
        return False
    if rule.other is not None:
        return rule.other == other.id
    return rule.sector == other.sector and (rule.country is None or rule.country == other.country)

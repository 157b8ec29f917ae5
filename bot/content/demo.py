"""The fictional demo cohort as plain data: fellows, facilitators, projects, milestones and collective projects."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.content import FOLDER, LANGUAGES, Content, load
from bot.content.checks import Entry, Source

STATUSES = ("not_started", "limited", "substantial", "complete")


@dataclass(frozen=True, slots=True)
class Milestone:
    """A dated step; status is self-reported, blocker is "" when nothing holds it back."""

    title: str
    due: date
    status: str
    blocker: str


@dataclass(frozen=True, slots=True)
class Project:
    """What one fellow works on."""

    title: str
    goal: str
    topic: str
    milestones: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """A need or an offer: a topic and a sentence."""

    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Fellow:
    """One invented fellow; recuse holds (sector, country) to be kept apart from, country "any" for all."""

    id: str
    name: str
    preferred_name: str
    native_name: str
    pseudonymous: bool
    sector: str
    organisation: str
    organisation_type: str
    role: str
    country: str
    timezone: str
    language: str
    languages: tuple[str, ...]
    platform: str
    handle: str
    coalitions: tuple[str, ...]
    topics: tuple[str, ...]
    status: str
    visibility: str
    recuse: tuple[tuple[str, str], ...]
    needs: tuple[Wish, ...]
    offers: tuple[Wish, ...]
    project: Project


@dataclass(frozen=True, slots=True)
class Facilitator:
    """One invented facilitator."""

    id: str
    name: str
    role: str
    timezone: str
    languages: tuple[str, ...]
    note: str
    handle: str


@dataclass(frozen=True, slots=True)
class CollectiveProject:
    """A project of several fellows, named by their ids; `looking` is who finds that it looks for members, or ""."""

    id: str
    title: str
    goal: str
    members: tuple[str, ...]
    topics: tuple[str, ...]
    coalitions: tuple[str, ...]
    milestones: tuple[Milestone, ...]
    looking: str


@dataclass(frozen=True, slots=True)
class DemoCohort:
    """The whole demo; every person, organisation and number in it is invented."""

    slug: str
    name: str
    fictional: bool
    starts: date
    ends: date
    as_of: date
    default_timezone: str
    default_language: str
    facilitators: tuple[Facilitator, ...]
    fellows: tuple[Fellow, ...]
    collective_projects: tuple[CollectiveProject, ...]


def load_demo(content: Content | None = None, folder: Path | None = None) -> DemoCohort:
    """Read and check the demo cohort against the content; raises ContentError with file, line and what to do."""
    known = content or load(folder)
    source = Source((folder or FOLDER) / "demo_cohort.toml")
    cohort = source.top.table("cohort")
    slugs = [coalition.slug for coalition in known.coalitions]
    for entry in source.top.tables("coalition"):
        entry.text("slug", slugs), entry.text("label"), entry.text("wording")
        entry.finish()
    fellows = tuple(_fellow(entry, known) for entry in source.top.tables("fellow", "id"))
    ids = [fellow.id for fellow in fellows]
    together = source.top.tables("collective_project", "id")
    demo = DemoCohort(
        slug=cohort.text("slug"),
        name=cohort.text("name"),
        fictional=cohort.value("fictional", bool),
        starts=cohort.day("starts"),
        ends=cohort.day("ends"),
        as_of=cohort.day("as_of"),
        default_timezone=cohort.text("default_timezone"),
        default_language=cohort.text("default_language", LANGUAGES),
        facilitators=tuple(_facilitator(entry) for entry in source.top.tables("facilitator", "id")),
        fellows=fellows,
        collective_projects=tuple(_together(entry, ids, known) for entry in together),
    )
    cohort.finish()
    source.top.finish()
    return demo


def _facilitator(entry: Entry) -> Facilitator:
    found = Facilitator(
        id=entry.text("id"),
        name=entry.text("name"),
        role=entry.text("role"),
        timezone=entry.text("timezone"),
        languages=entry.texts("languages", LANGUAGES),
        note=entry.text("note"),
        handle=entry.text("handle"),
    )
    entry.finish()
    return found


def _fellow(entry: Entry, known: Content) -> Fellow:
    topics = [topic.slug for topic in known.topics]
    found = Fellow(
        id=entry.text("id"),
        name=entry.text("name"),
        preferred_name=entry.text("preferred_name"),
        native_name=entry.text("native_name", default=""),
        pseudonymous=entry.has("pseudonymous") and entry.value("pseudonymous", bool),
        sector=entry.text("sector", [sector.slug for sector in known.sectors]),
        organisation=entry.text("organisation"),
        organisation_type=entry.text("organisation_type"),
        role=entry.text("role"),
        country=entry.text("country", [country.code for country in known.countries]),
        timezone=entry.text("timezone"),
        language=entry.text("language", LANGUAGES),
        languages=entry.texts("languages", LANGUAGES),
        platform=entry.text("platform", ("slack", "telegram")),
        handle=entry.text("handle"),
        coalitions=entry.texts("coalitions", [coalition.slug for coalition in known.coalitions]),
        topics=entry.texts("topics", topics),
        status=entry.text("status", ("active", "paused")),
        visibility=entry.text("visibility", ("cohort", "coalition", "facilitators")),
        recuse=_recuse(entry, known),
        needs=_wishes(entry, "need", topics),
        offers=_wishes(entry, "offer", topics),
        project=_project(entry.table("project"), topics),
    )
    entry.finish()
    return found


def _recuse(entry: Entry, known: Content) -> tuple[tuple[str, str], ...]:
    sectors = {sector.slug for sector in known.sectors}
    countries = {"any", *(country.code for country in known.countries)}
    found = []
    for rule in entry.texts("recuse"):
        sector, _, country = rule.partition(":")
        if sector not in sectors or country not in countries:
            message = f'"{rule}" names no sector and country. Write it as "government:ID" or "media:any".'
            raise entry.error(message, rule)
        found.append((sector, country))
    return tuple(found)


def _wishes(entry: Entry, key: str, topics: Iterable[str]) -> tuple[Wish, ...]:
    found = []
    for wish in entry.tables(key, ""):
        found.append(Wish(wish.text("topic", topics), wish.text("text")))
        wish.finish()
    return tuple(found)


def _project(entry: Entry, topics: Iterable[str]) -> Project:
    found = Project(entry.text("title"), entry.text("goal"), entry.text("topic", topics), _milestones(entry))
    entry.finish()
    return found


def _milestones(entry: Entry) -> tuple[Milestone, ...]:
    found = []
    for one in entry.tables("milestone", "title"):
        status = one.text("status", STATUSES)
        found.append(Milestone(one.text("title"), one.day("due"), status, one.text("blocker", default="")))
        one.finish()
    return tuple(found)


def _together(entry: Entry, fellows: list[str], known: Content) -> CollectiveProject:
    found = CollectiveProject(
        id=entry.text("id"),
        title=entry.text("title"),
        goal=entry.text("goal"),
        members=entry.texts("members", fellows),
        topics=entry.texts("topics", [topic.slug for topic in known.topics]),
        coalitions=entry.texts("coalitions", [coalition.slug for coalition in known.coalitions]),
        milestones=_milestones(entry),
        looking=entry.text("looking", ("", "coalitions", "cohort"), default=""),
    )
    entry.finish()
    return found

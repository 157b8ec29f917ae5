"""Data into true words: topics, coalitions, sectors, reasons and profiles, as every feature says them."""

from bot.core.context import Context
from bot.core.forms import Choice
from bot.core.replies import Country, Say, Tongue, Words, lines, listed, t
from bot.domain.allies import Reason
from bot.domain.profiles import Help, Profile
from bot.domain.topics import Wanted

NEUTRAL = t("Hello. This bot is for invited members. If you have an invitation, open the link you were given.")


def topic(ctx: Context, slug: str | None) -> Say:
    """A topic's name in the reader's language."""
    found = ctx.programme.content.topic(slug or "")
    return Words(found.labels) if found else (slug or "")


def coalition(ctx: Context, slug: str) -> Say:
    """A coalition's name in the reader's language."""
    found = ctx.programme.content.coalition(slug)
    return Words(found.labels) if found else slug


def coalitions(ctx: Context) -> list[Choice]:
    """Every coalition, to choose from."""
    return [Choice(one.slug, Words(one.labels)) for one in ctx.programme.content.coalitions]


def sectors(ctx: Context) -> list[Choice]:
    """Every sector, to choose from."""
    return [Choice(one.slug, Words(one.labels)) for one in ctx.programme.content.sectors]


def sector(ctx: Context, slug: str) -> Say:
    """A sector's name in the reader's language."""
    found = ctx.programme.content.sector(slug)
    return Words(found.labels) if found else slug


def stored_in(ctx: Context) -> Say:
    """Where the data lies: the country, as far as it is known."""
    if ctx.programme.host_country:
        return Country(ctx.programme.host_country)
    return t("this computer") if ctx.programme.fictional else t("a country still to be named")


def name(of: Profile) -> Say:
    """What somebody is called; who shows no name is a fellow."""
    return of.name or t("A fellow")


def own_name(ctx: Context) -> Say:
    """What I am called where others read what I say: by my other name, unless I am known as a facilitator."""
    mine = ctx.people.own_whole()
    another = None if mine.profile.facilitator else mine.other_name
    return another or name(mine.profile)


def called(of: Profile) -> Say:
    """Name and country, as far as both may be seen."""
    if of.facilitator:
        return t("{name} (facilitator)", name=name(of))
    return t("{name} ({country})", name=name(of), country=Country(of.country)) if of.country else name(of)


def reason(ctx: Context, why: Reason) -> Say | None:
    """One reason as the asker reads it."""
    data = why.data
    match why.kind:
        case "offers" if data.get("text"):
            return t("offers {topic}: “{text}”", topic=topic(ctx, data["topic"]), text=data["text"])
        case "offers":
            return t("offers help with {topic}", topic=topic(ctx, data["topic"]))
        case "needs_same":
            return t("is looking for the same: {topic}", topic=topic(ctx, data["topic"]))
        case "works_on":
            return t("works on {topic}", topic=topic(ctx, data["topic"]))
        case "words":
            return t("wrote: “{text}”", text=data["text"])
        case "you_offer":
            return t("needs what you offer: {topic}", topic=topic(ctx, data["topic"]))
        case "coalition":
            return t("is in your coalition {coalition}", coalition=coalition(ctx, data["coalition"]))
        case "in_coalition":
            return t("is in the coalition {coalition}", coalition=coalition(ctx, data["coalition"]))
        case "other_country":
            return t("is from another country")
        case "language":
            return t("you share {language}", language=Tongue(data["language"]))
        case "other_sector":
            return t("is from another sector: {sector}", sector=sector(ctx, data["sector"]))
    return None


def reason_to_other(ctx: Context, why: Reason) -> Say | None:
    """The same reason as the one who is asked reads it; only what both already know of each other."""
    data = why.data
    match why.kind:
        case "offers":
            return t("You offer what they look for: {topic}.", topic=topic(ctx, data["topic"]))
        case "needs_same":
            return t("You both look for {topic}.", topic=topic(ctx, data["topic"]))
        case "works_on":
            return t("You work on {topic}.", topic=topic(ctx, data["topic"]))
        case "you_offer":
            return t("They offer what you need: {topic}.", topic=topic(ctx, data["topic"]))
        case "coalition":
            return t("You share the coalition {coalition}.", coalition=coalition(ctx, data["coalition"]))
        case "language":
            return t("You share {language}.", language=Tongue(data["language"]))
    return None


def helps(ctx: Context, of: tuple[Help, ...]) -> Say | None:
    """Needs or offers: the person's words where they may be read, else the topics."""
    said: list[Say] = []
    for wish in of:
        if wish.text and wish.topic:
            said.append(t("{topic}: “{text}”", topic=topic(ctx, wish.topic), text=wish.text))
        elif wish.text or wish.topic:
            said.append(wish.text or topic(ctx, wish.topic))
    return lines(*said) if said else None


def fields(ctx: Context, of: Profile) -> tuple[tuple[Say, Say], ...]:
    """Everything of a profile that its viewer may see, as (name, value) pairs."""
    sides = {"buyer": t("buyer"), "bidder": t("bidder"), "neither": t("neither")}
    found: list[tuple[Say, Say | None]] = [
        (t("Own script"), of.native_name),
        (t("Country"), Country(of.country) if of.country else None),
        (t("Sector"), sector(ctx, of.sector) if of.sector else None),
        (t("In tenders"), sides.get(of.side or "")),
        (t("Organisation"), of.organisation),
        (t("Role"), of.role_title),
        (t("Languages"), listed([Tongue(code) for code in of.languages]) if of.languages else None),
        (t("Coalitions"), listed([coalition(ctx, slug) for slug in of.coalitions]) if of.coalitions else None),
        (t("Works on"), listed([topic(ctx, slug) for slug in of.topics]) if of.topics else None),
        (t("Needs"), helps(ctx, of.needs)),
        (t("Offers"), helps(ctx, of.offers)),
        (t("Project"), of.project),
        (t("Goal"), of.project_goal),
        (t("Time zone"), of.time_zone),
    ]
    return tuple((label, value) for label, value in found if value is not None)


def understood(ctx: Context, wanted: Wanted) -> Say | None:
    """What was read in the text, so that a wrong reading is seen."""
    said: list[Say] = [topic(ctx, slug) for slug in wanted.topics]
    if not wanted.topics:  # one word can be all three ("donors"); said once, it is understood
        said += [coalition(ctx, slug) for slug in wanted.coalitions] or [sector(ctx, slug) for slug in wanted.sectors]
    said += [Country(code) for code in wanted.countries]
    return t("I read: {what}.", what=listed(said)) if said else None

"""How typed places, topics and languages are read: the value to keep, or Wrong with what to do."""

import re
from datetime import time
from typing import Any

from babel import Locale

from bot.core import Context, Tongue, Wrong, lines, listed, t
from bot.domain.places import find_city, find_place, near_places, place_in, zones_of
from bot.domain.words import folded
from handlers import wording

FIVE = ("en", "id", "mn", "fil", "th")
MOST_TOPICS = 10
_TIME = re.compile(r"^(\d{1,2})(?:[:.](\d{2}))?$")


def check_place(ctx: Context, text: str) -> dict[str, Any]:
    """A city or a country, in any of the languages, or Wrong with names that are near."""
    city = find_city(text)
    found = city or find_place(text)
    named = ctx.programme.understanding.understand(text, ctx.me.language).countries
    if found is None and len(named) == 1:
        found = place_in(named[0])
    if found is None:
        near = near_places(text)
        hint = t("Near to it: {near}.", near=listed(near)) if near else None
        raise Wrong(lines(t("I did not find that time zone. Type a city, for example Manila or Hovd."), hint))
    # A city says the zone; a country with several zones needs one more question.
    sure = city is not None or len(zones_of(found.country)) == 1
    return {"country": found.country, "time_zone": found.time_zone, "sure": sure}


def check_topics(ctx: Context, text: str) -> list[str]:
    """The topics that are meant, best first."""
    found = ctx.programme.understanding.understand(text, ctx.me.language).topics
    if found:
        return list(found[:MOST_TOPICS])
    near = [wording.topic(ctx, slug) for slug in ctx.programme.understanding.nearest(text)]
    hint = t("Near to it: {near}.", near=listed(near)) if near else None
    raise Wrong(lines(t("I know no topic in these words. Please try others."), hint))


def check_languages(ctx: Context, text: str) -> list[str]:
    """Languages by name, in English, in the reader's language or in themselves, after those already chosen."""
    known: dict[str, str] = {}
    for reader in dict.fromkeys(("en", ctx.me.language)):  # in one order, where two names clash
        known |= {folded(name): code for code, name in Locale.parse(reader).languages.items() if len(code) <= 3}
    for code in FIVE:
        known[folded(ctx.say(Tongue(code, own=True)))] = code
    typed = [part.strip() for part in text.replace(" and ", ",").split(",") if part.strip()]
    unknown = [part for part in typed if folded(part) not in known]
    if unknown:
        raise Wrong(t("I do not know the language {typed}. Please write its name in English or in your language.",
                      typed=unknown[0][:40]))  # fmt: skip
    return list(dict.fromkeys([*ctx.answers.get("languages", ()), *(known[folded(part)] for part in typed)]))


def read_time(ctx: Context, text: str) -> str:
    """A local time of 24 hours as HH:MM, or Wrong."""
    found = _TIME.match(text.strip())
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59:
        raise Wrong(t("Please give the time as 09:00 (24 hours)."))
    return time(int(found[1]), int(found[2] or 0)).strftime("%H:%M")

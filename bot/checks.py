"""How the answers of `setup` are read: the value for the file, or Wrong with what to do; never with a token in it."""

import re
from collections.abc import Callable
from functools import cache

from babel import Locale
from pydantic import ValidationError

from bot.asking import Wrong
from bot.content import load as load_content
from bot.core.cleaning import one_line
from bot.core.language import own_language
from bot.domain.places import Place, find_place, near_places, place_in
from bot.domain.topics import Understanding
from bot.settings import TOKEN, BotSettings, ProgrammeSettings, TelegramSettings

PLATFORMS = {
    "1": ("telegram",),
    "telegram": ("telegram",),
    "2": ("slack",),
    "slack": ("slack",),
    "3": ("telegram", "slack"),
    "both": ("telegram", "slack"),
}


def no_token(text: str) -> None:
    """Raises Wrong for a token in the answer to a question that does not ask for one."""
    if TOKEN.search(text):
        raise Wrong(
            "This looks like a token. It was not kept. Please answer this question; each token has a question of its "
            "own, which does not show it."
        )


def platforms(text: str) -> tuple[str, ...]:
    """The platforms behind a number or a name."""
    found = PLATFORMS.get(text.casefold().strip("."))
    if found is None:
        raise Wrong("Please type 1, 2 or 3.")
    return found


def line(key: str) -> Callable[[str], str]:
    """A check for one line that fits a key of [programme], and is not empty."""

    def check(text: str) -> str:
        said = one_line(text, 400)
        if not said:
            raise Wrong("Please write something here: people are shown it.")
        try:
            ProgrammeSettings.model_validate({key: said})
        except ValidationError:
            raise Wrong("Please write it shorter.") from None
        return said

    return check


def country(text: str) -> str:
    """A country's two letters, from its name, its letters or one of its cities."""
    found = _place(text)
    if found is None:
        raise Wrong("I do not know that country. Please type its English name or its two letters.")
    return found.country


def country_name(code: str) -> str:
    """A country's English name."""
    return str(Locale("en").territories.get(code, code))


def zone(text: str) -> str:
    """A time zone's name, from a city, a country or the name itself."""
    if text.upper() == "UTC":
        return "UTC"
    found = _place(text)
    if found is None:
        near = near_places(text, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise Wrong(f"I do not know that place. Please type the nearest large city, or the country.{hint}")
    return found.time_zone


@cache
def _understanding() -> Understanding:
    return load_content().understanding()


def _place(text: str) -> Place | None:
    """A city or a country, by any name that fellows may use for it, too; None for what names none, or several."""
    named = _understanding().understand(one_line(text), "en").countries
    return find_place(one_line(text)) or (place_in(named[0]) if len(named) == 1 else None)


def main_zone(of_country: str) -> str:
    """The zone of a country in which most people live."""
    found = place_in(of_country)
    return found.time_zone if found else "UTC"


def offered() -> dict[str, str]:
    """The languages that the bot speaks, by their codes."""
    return {code: str(Locale(code).get_display_name("en")) for code in own_language().offered}


def language(text: str) -> str:
    """A language's code, from its code or name."""
    said = text.strip().casefold()
    names = {name.casefold(): code for code, name in offered().items()}
    found = said if said in offered() else names.get(said)
    if found is None:
        raise Wrong(f"Please type one of: {', '.join(offered())}.")
    return found


def contacts(text: str) -> tuple[str, ...]:
    """Contacts, cut at semicolons."""
    found = tuple(one_line(part, 400) for part in text.split(";") if part.strip())
    if any(len(one) > 300 for one in found):
        raise Wrong("Please keep each contact under 300 letters, with a semicolon between two of them.")
    return found


def yes_or_no(text: str) -> bool:
    """Yes or no."""
    said = text.casefold().strip(".")
    if said not in ("y", "yes", "n", "no"):
        raise Wrong("Please type yes or no.")
    return said in ("y", "yes")


def proxy(text: str) -> str:
    """A proxy's address, nothing, `none` or `skip`."""
    if text.casefold() in ("none", "skip"):
        return text.casefold()
    try:
        return BotSettings.model_validate({"proxy": text}).proxy.get_secret_value()
    except ValidationError:
        raise Wrong("A proxy's address begins with http://, as in: http://proxy.example:3128") from None


def address(text: str, named: str) -> str:
    """The address of a platform's API, given under a name."""
    try:
        return TelegramSettings.model_validate({"api_url": text}).api_url
    except ValidationError:
        raise Wrong(f"{named}: write a web address, beginning with https://.") from None


def _bare(text: str) -> str:
    """A token without what came along when it was copied: quotes, brackets, spaces, ends of lines."""
    return "".join(text.split()).strip("\"'`<>“”‘’.,;")


def telegram_token(text: str) -> str:
    """A token of Telegram's shape."""
    text = _bare(text)
    if text.startswith(("xox", "xapp-")):
        raise Wrong("That is a token of Slack's. This one is Telegram's: @BotFather sends it after /newbot.")
    if not re.fullmatch(r"\d+:[\w-]+", text, re.ASCII):
        raise Wrong(
            "That is not a whole token: it is digits, a colon, then letters, in one line. In @BotFather send /mybots, "
            "press your bot, then *API Token*, and copy it again."
        )
    return text


def app_token(text: str) -> str:
    """An app-level token of Slack's shape."""
    text = _bare(text)
    if text.startswith(("xoxb-", "xoxp-")):
        raise Wrong("That is the token that begins with xoxb-; it is asked for later. This one begins with xapp-.")
    if not re.fullmatch(r"xapp-[\w-]+", text, re.ASCII):
        raise Wrong("That is not an app-level token: it begins with xapp-. Copy it from *Basic Information* again.")
    return text


def bot_token(text: str) -> str:
    """A bot token of Slack's shape."""
    text = _bare(text)
    if text.startswith("xapp-"):
        raise Wrong("That is the app-level token. This one begins with xoxb-; it stands in *OAuth & Permissions*.")
    if text.startswith("xoxp-"):
        raise Wrong("That is a person's token. Copy the *Bot User OAuth Token* instead; it begins with xoxb-.")
    if not re.fullmatch(r"xoxb-[\w-]+", text, re.ASCII):
        raise Wrong("That is not a bot token: it begins with xoxb-. Copy it from *OAuth & Permissions* again.")
    return text


def same_app(of_app: str, app: str) -> None:
    """Raises Wrong where a bot token belongs to another app than the app-level token; an unknown `app` passes."""
    if app and re.match(r"xapp-\d+-A", of_app) and f"-{app}-" not in of_app:
        raise Wrong(
            "This token is of another app than the one that begins with xapp-; both must come from the same app. Copy "
            "this one again, or type back for the other one."
        )

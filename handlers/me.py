"""My own profile: the card, the menu of what can be changed, and the rules for names."""

from collections.abc import Callable

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, Wrong, lines, t
from bot.core.cleaning import one_line
from bot.core.events import Message, Submit
from bot.domain.names import looks_like, read_name, wears_a_badge
from handlers import wording

router = Router()


@router.word("me", help=t("Your profile, who sees it, your language, time away"), role=Role.MEMBER)
def me(ctx: Context) -> Reply:
    """My profile as I see it."""
    return me_card(ctx)


@router.press("me.open", role=Role.MEMBER)
def open_me(ctx: Context) -> Reply:
    """Back to my profile."""
    return me_card(ctx)


def me_card(ctx: Context) -> Card:
    """Everything of my profile, and what I can do with it."""
    mine = ctx.profile
    other = ctx.people.own_whole().other_name
    fields = list(wording.fields(ctx, mine))
    if other:
        fields.insert(0, (t("Other name"), other))
    if ctx.me.state == "paused":
        until: Say = When(ctx.me.paused_until) if ctx.me.paused_until else t("until you come back")
        fields.append((t("Away"), until))
    missing = None if mine.offers or mine.facilitator else t("You offer nothing yet. One thing is enough to be found.")
    text = lines(t("You: {name}", name=wording.name(mine)), missing)
    offer = () if missing is None else (Button(t("Offer something"), "wishes.add", "offer"),)
    return Card(text, fields=tuple(fields), buttons=(*offer, *_doors(ctx)))


def _doors(ctx: Context) -> tuple[Button, ...]:
    return (
        Button(t("Change"), "me.change", style="primary"),
        Button(t("Who sees me"), "privacy.who"),
        Button(t("Language"), "language.open"),
        *((Button(t("I am back"), "away.back"),) if ctx.me.state == "paused" else ()),
        Button(t("Hours and away"), "hours.open"),
        Button(t("My other app"), "linking.open"),
        Button(t("Keep us apart"), "apart.open"),
        Button(t("My data"), "mydata.open"),
        Button(t("Leave the bot"), "leaving.open"),
    )


@router.press("me.change", role=Role.MEMBER)
def change(ctx: Context) -> Reply:
    """What can be changed, one button each."""
    named: list[tuple[Say, str]] = [
        (t("Name"), "name"),
        (t("Place"), "place"),
        (t("Topics"), "topics"),
        (t("Coalitions"), "coalitions"),
        (t("Languages"), "languages"),
        (t("Sector"), "sector"),
        (t("In tenders"), "side"),
        (t("Organisation"), "organisation"),
        (t("Role"), "role_title"),
        (t("Other name"), "other_name"),
        (t("Name in own script"), "native_name"),
    ]
    buttons = [
        Button(t("What I need and offer"), "wishes.open", style="primary"),
        Button(t("Project"), "project.open"),
        *(Button(label, "fields.open", field) for label, field in named),
        Button(t("Back"), "me.open"),
    ]
    return Card(t("What do you want to change?"), buttons=tuple(buttons))


def check_name(ctx: Context, text: str) -> str:
    """A name as it will be shown, or Wrong with what to do. Nobody takes a name that looks like a facilitator's."""
    read = read_name(text)
    if read.fault == "long":
        raise Wrong(t("Please keep the name under 80 characters."))
    if read.fault is not None:
        raise Wrong(t("Please write a name with at least one letter."))
    staff = [one.name for one in ctx.people.facilitators() if one.name and one.id != ctx.me.id]
    if looks_like(read.shown, staff) or (wears_a_badge(read.shown) and not ctx.me.is_facilitator):
        raise Wrong(t("That name looks too much like another name in use. Please add a surname or initial."))
    return read.shown


def doubt(ctx: Context, shown: str) -> Say | None:
    """Why a name is shown once more before it is kept: something was left out, or it looks like a link; else None."""
    match ctx.event:
        case Message(text=text):
            raw = [text]
        case Submit(answers=answers):
            raw = list(answers.values())
        case _:
            raw = []
    if any(read.shown == shown and read.changed for read in map(read_name, raw)):
        return t(
            "Some characters in that name cannot be shown safely. I would show it as: “{name}”. Use this?", name=shown
        )
    if read_name(shown).odd:
        return t("Your name will appear as: {name}. Is that right?", name=shown)
    return None


def short(longest: int) -> Callable[[Context, str], str]:
    """A check for one line of at most so many characters."""

    def check(ctx: Context, text: str) -> str:
        line = one_line(text, longest + 1)
        if len(line) > longest:
            raise Wrong(t("Please keep it under {n} characters.", n=longest))
        return line

    return check

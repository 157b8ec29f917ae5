"""Myself in others' eyes: what one person, my coalitions or the cohort see of me."""

from bot.core import Button, Card, Context, Field, Form, Reply, Role, Router, Say, t
from bot.domain.profiles import Audience, Profile
from handlers import privacy, wording
from handlers.named import check_named

router = Router()


@router.press("mirror.open", role=Role.MEMBER)
def open_mirror(ctx: Context) -> Reply:
    """Whose eyes to borrow."""
    allies = ctx.people.profiles(ctx.store.introductions.allies_of(ctx.me.id, 5))
    buttons = [
        Button(t("Somebody of my coalitions"), "mirror.reach", "coalitions"),
        Button(t("Somebody of the cohort"), "mirror.reach", "cohort"),
        *(Button(wording.name(one), "mirror.person", str(one.id)) for one in allies),
        Button(t("Type a name"), "mirror.ask"),
        Button(t("Back"), "privacy.who"),
    ]
    return Card(t("As whom do you want to see yourself?"), buttons=tuple(buttons))


def _seen(who: Say, seen: Profile | None, ctx: Context, *, at_most: bool = False) -> Card:
    again = (Button(t("As somebody else"), "mirror.open"), Button(t("Who sees me"), "privacy.who"))
    if seen is None:
        return Card(t("{who}: sees nothing of you.", who=who), buttons=again)
    name = (t("Name"), wording.name(seen))
    said = t("{who}: sees at most this of you.", who=who) if at_most else t("{who}: sees this of you.", who=who)
    return Card(said, fields=(name, *wording.fields(ctx, seen)), buttons=again)


@router.press("mirror.reach", role=Role.MEMBER)
def as_reach(ctx: Context) -> Reply:
    """As somebody who stands this near, and was never introduced."""
    if not privacy.is_findable(ctx):
        return _unseen(ctx)
    if ctx.value == "coalitions":
        return _seen(t("Somebody of your coalitions"), ctx.people.as_seen_by(Audience.COALITIONS), ctx)
    return _seen(t("Somebody of the cohort"), ctx.people.as_seen_by(Audience.COHORT), ctx)


@router.press("mirror.person", role=Role.MEMBER)
def as_person(ctx: Context) -> Reply:
    """As one person sees me."""
    other = ctx.people.profile(int(ctx.value))
    if other is None:
        return Card(t("No one found."), buttons=(Button(t("As somebody else"), "mirror.open"),))
    return _as(ctx, other)


def _as(ctx: Context, other: Profile) -> Card:
    met = other.facilitator or ctx.store.introductions.are_allies(ctx.me.id, [other.id])
    if not met and not privacy.is_findable(ctx):
        return _unseen(ctx)
    if not met and not other.coalitions:  # whether we share one is theirs to show: the same is said either way
        return _seen(wording.called(other), ctx.people.as_seen_by(Audience.COALITIONS), ctx, at_most=True)
    return _seen(wording.called(other), ctx.people.as_member_sees_me(other.id), ctx)


def _unseen(ctx: Context) -> Card:
    """Whoever did not agree to introductions is found by nobody, whatever the settings would show."""
    again = (Button(t("As somebody else"), "mirror.open"), Button(t("Who sees me"), "privacy.who"))
    return Card(privacy.NOT_AGREED, buttons=(*privacy.to_be_found(ctx), *again))


NAME = Form(
    name="mirror.name",
    title=t("See myself as"),
    fields=(Field(key="who", question=t("Whose name? Type at least three letters."), check=check_named),),
)


@router.press("mirror.ask", role=Role.MEMBER)
def ask(ctx: Context) -> Reply:
    """Type whom."""
    return NAME.begin()


@router.form(NAME, role=Role.MEMBER)
def chosen(ctx: Context) -> Reply:
    """One person, or which of several."""
    found = ctx.people.profiles(ctx.answers["who"])
    if len(found) == 1:
        return _as(ctx, found[0])
    buttons = tuple(Button(wording.called(one), "mirror.person", str(one.id)) for one in found)
    return Card(t("Whom do you mean?"), buttons=buttons)

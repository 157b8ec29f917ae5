"""A person's own page, where their app has one (Slack's App Home): allies and gaps, project, requests, dates, doors."""

from collections.abc import Mapping, Sequence

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, lines, listed, t
from bot.domain.allies import gaps
from bot.domain.profiles import Profile
from handlers import joining, wording
from storage.introductions import Introduction

router = Router()

A_LINE = 5  # names a coalition


Gaps = Mapping[str, Sequence[Profile]]


@router.opened
def opened(ctx: Context) -> Reply:
    """What stands there, by how far somebody has come."""
    if ctx.me.state in ("arriving", "joining"):
        said = t("You are on your way in. It goes on in our chat: press Messages above.")
        ctx.show(Card(said, buttons=(Button(t("Go on"), "home.join", style="primary"),)))
    elif ctx.me.state == "leaving":
        ctx.show(Card(t("You are leaving the bot."), buttons=(Button(t("Undo"), "leaving.undo", style="primary"),)))
    else:
        met = ctx.people.profiles(ctx.store.introductions.allies_of(ctx.me.id))
        by_coalition = gaps([one.slug for one in ctx.programme.content.coalitions], met)
        ctx.show(page(ctx, by_coalition), about=[one.id for one in met])
    return None


@router.press("home.join", anytime=True, role=Role.MEMBER)
def go_on(ctx: Context) -> Reply:
    """The next step of joining, in the chat."""
    return joining.resume(ctx)


def page(ctx: Context, met: Gaps) -> Card:
    """Everything at a glance; what is pressed is answered in the chat."""
    asked = ctx.store.introductions.open_of(ctx.me.id)
    waiting = ctx.store.introductions.waiting_for(ctx.me.id, ctx.now)
    fields: list[tuple[Say, Say]] = []
    if not ctx.me.is_facilitator:
        fields += [(wording.coalition(ctx, slug), _names(there)) for slug, there in met.items()]
    mine = ctx.store.projects.mine(ctx.me.id)
    if mine is not None and mine.title:
        fields.append((t("Project"), mine.title))
    if asked or waiting:
        fields.append((t("Requests to meet"), t("{n} from you, {m} for you", n=len(asked), m=len(waiting))))
    fields += _dates(ctx, asked, waiting)
    hello = t("Hello {name}.", name=wording.name(ctx.profile))
    said = lines(hello, t("Just write what you are looking for: press Messages above. Or press a button here."))
    requests = (Button(t("Requests"), "requests.open"),) if asked or waiting else ()
    return Card(
        said, title=ctx.programme.name, fields=tuple(fields), buttons=(*_first_doors(ctx, met), *requests, *DOORS)
    )


def _names(there: Sequence[Profile]) -> Say:
    return listed([wording.called(one) for one in there[:A_LINE]]) if there else t("nobody yet")


def _dates(ctx: Context, asked: Sequence[Introduction], waiting: Sequence[Introduction]) -> list[tuple[Say, Say]]:
    """What happens next, the soonest first."""
    told = [(one.closes_at, t("a request to meet closes")) for one in waiting]
    told += [(one.closes_at, t("you hear about your request")) for one in asked]
    if ctx.me.state == "paused" and ctx.me.paused_until is not None:
        told.append((ctx.me.paused_until, t("you are back")))
    soonest = sorted(told, key=lambda one: one[0])[:A_LINE]
    return [(t("Next"), listed([t("{day}: {what}", day=When(at), what=what) for at, what in soonest]))] if told else []


def _first_doors(ctx: Context, met: Gaps) -> tuple[Button, ...]:
    if ctx.me.is_facilitator:
        return (Button(t("People"), "people.open", style="primary"),)
    return (
        *(
            Button(t("Find: {coalition}", coalition=wording.coalition(ctx, slug)), "allies.coalition", slug)
            for slug, there in met.items()
            if not there
        ),
        Button(t("My allies"), "allies.open"),
    )


DOORS = (
    Button(t("Project"), "project.open"),
    Button(t("Me"), "me.open"),
    Button(t("Help"), "help.open"),
)

"""What is missing in a profile, asked later and one thing at a time: it rides on the weekly card, each thing once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.core import Button, Card, Context, Reply, Role, Router, Say, lines, t
from bot.domain.profiles import Profile
from handlers import cards

router = Router()

PART = "gaps.field"
LATER = timedelta(days=14)  # after joining: four questions were asked then, and the first card is for the programme
OWN_SCRIPT = ("mn", "th")  # who reads these writes their name otherwise than most others read it


@dataclass(frozen=True, slots=True)
class Gap:
    """Something of a profile: whether it is missing, what it is good for, and the press that asks for it."""

    is_missing: Callable[[Context, Profile], bool]
    why: Say
    action: str
    value: str


# By number, the most useful first; cards keep the numbers, so that none is ever used for something else.
GAPS: dict[int, Gap] = {
    1: Gap(
        lambda ctx, mine: mine.country is None,
        t("It does not say in which country you work. With it, others find you by your country."),
        "fields.open", "place",
    ),
    2: Gap(
        lambda ctx, mine: not mine.needs,
        t("It does not say what help you need. With one sentence, I can find who offers it."),
        "wishes.add", "need",
    ),
    3: Gap(
        lambda ctx, mine: not mine.topics,
        t("It names no topic. With one, people who work on the same find you."),
        "fields.open", "topics",
    ),
    4: Gap(
        lambda ctx, mine: not mine.offers,
        t("It does not say what you can help others with. One thing is enough to be found."),
        "wishes.add", "offer",
    ),
    5: Gap(
        lambda ctx, mine: mine.sector is None,
        t("It does not say for whom you work: government, companies, civil society. With it, I introduce you better."),
        "fields.open", "sector",
    ),
    6: Gap(
        lambda ctx, mine: not mine.languages,
        t("It names no language that you speak. With it, I introduce you to people whom you understand."),
        "fields.open", "languages",
    ),
    7: Gap(
        lambda ctx, mine: mine.organisation is None,
        t("It does not say which organisation you work for. People whom you have met may want to know."),
        "fields.open", "organisation",
    ),
    8: Gap(
        lambda ctx, mine: mine.native_name is None and ctx.me.language in OWN_SCRIPT,
        t("Your name does not stand there in your own script. With it, others can write it rightly."),
        "fields.open", "native_name",
    ),
}  # fmt: skip


def _waiting(ctx: Context) -> int | None:
    """The first thing that is missing and was never asked about."""
    if ctx.me.joined_at is None or ctx.now < ctx.me.joined_at + LATER:
        return None
    missing = [number for number, gap in GAPS.items() if gap.is_missing(ctx, ctx.profile)]
    asked = ctx.store.cards.shown(ctx.me.id, PART) if missing else set()
    return next((number for number in missing if number not in asked), None)


@router.rider(PART, find=_waiting)
def part(ctx: Context, number: int) -> Card | None:
    """What is missing, and what it is good for; left out when it is there meanwhile."""
    gap = GAPS.get(number)
    if gap is None or not gap.is_missing(ctx, ctx.profile):
        return None
    said = lines(
        t("One thing is missing in your profile. I ask about it only once."),
        gap.why,
        t("Others see it only as far as you let them."),
    )
    value = str(number)
    fill_in = Button(t("Fill it in"), "gaps.fill", value, "primary")
    return Card(said, buttons=(fill_in, Button(t("Not now"), "gaps.later", value)))


@router.press("gaps.fill", role=Role.MEMBER)
def fill(ctx: Context) -> Reply:
    """Ask for it in a message of its own; the card goes on where it is."""
    gap = GAPS[int(ctx.value)]
    return cards.below(ctx, PART, int(ctx.value), t("It goes on below."), gap.action, gap.value)


@router.press("gaps.later", role=Role.MEMBER)
def later(ctx: Context) -> Reply:
    """Not asked again; there is a place where it can be told."""
    word = ctx.programme.content.word_label("me", ctx.me.language)
    said = t("All right. Should you want to tell it one day: {word}, then Change.", word=word)
    return cards.onward(ctx, PART, int(ctx.value), said)

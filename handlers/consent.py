"""What somebody agreed to, purpose by purpose, and the way to take it back."""

from bot.core import Button, Card, Context, Reply, Role, Router, Say, lines, t
from handlers import leaving
from handlers.agreement import CONSENT_VERSION, NEEDED, purposes
from handlers.privacy import stop_queued
from handlers.safety import close_requests
from storage.profiles import PURPOSES

router = Router()

NAMES: dict[str, Say] = {
    "profile": t("Profile"),
    "storage": t("Storage"),
    "introductions": t("Introductions"),
    "questions": t("Questions"),
    "statistics": t("Statistics"),
}


@router.press("consent.open", role=Role.MEMBER)
def open_consent(ctx: Context) -> Reply:
    """Each purpose with my yes or no."""
    return _card(ctx)


def _card(ctx: Context, before: Say | None = None) -> Card:
    given = ctx.store.profiles.consents(ctx.me.id)
    said: list[Say] = []
    buttons = []
    for purpose in PURPOSES:
        yes = given.get(purpose, False)
        answer: Say = t("yes") if yes else t("no")
        said.append(t("{answer}: {purpose}", answer=answer, purpose=purposes()[purpose]))
        label: Say = (
            t("Take back: {purpose}", purpose=NAMES[purpose]) if yes else t("Agree: {purpose}", purpose=NAMES[purpose])
        )
        buttons.append(Button(label, "consent.no" if yes else "consent.yes", purpose))
    head = t("What you agreed to. What you do not agree to does not happen, and nobody asks again.")
    return Card(lines(before, head, lines(*said), gap=True), buttons=(*buttons, Button(t("Back"), "privacy.who")))


@router.press("consent.yes", role=Role.MEMBER)
def agree(ctx: Context) -> Reply:
    """A yes, from now on."""
    _give(ctx, ctx.value, True)
    return _card(ctx, t("{purpose}: yes, from now on. You can take it back here.", purpose=NAMES[ctx.value]))


@router.press("consent.no", role=Role.MEMBER)
def take_back(ctx: Context) -> Reply:
    """A no, at once. Without a profile and its storage there is nothing that the bot could do: that means leaving."""
    if ctx.value in NEEDED:
        return leaving.confirm(ctx, t("Nothing works without this: to take it back means to leave."))
    _give(ctx, ctx.value, False)
    effects: dict[str, Say] = {
        "introductions": t("Introductions: no, from now on. Nobody finds you, and your open requests are closed."),
        "questions": t("Questions: no, from now on. You are not asked any."),
        "statistics": t("Statistics: no, from now on. Totals leave you out."),
    }
    if ctx.value == "introductions":
        stop_queued(ctx)
        close_requests(ctx, ctx.me.id)
    return _card(ctx, lines(effects[ctx.value], t("To undo it, agree again here.")))


def _give(ctx: Context, purpose: str, yes: bool) -> None:
    ctx.store.profiles.give_consent(
        ctx.me.cohort_id, ctx.me.id, {purpose: yes}, CONSENT_VERSION, ctx.me.language, ctx.now
    )
    ctx.refresh()

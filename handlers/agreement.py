"""Before anything is kept: what the bot does, who could read it, and a yes or no for each purpose."""

import json

from bot.core.context import Context
from bot.core.replies import Button, Card, Reply, Say, lines, t
from bot.core.router import Role, Router
from handlers import wording
from handlers.questions import JOIN
from storage.profiles import PURPOSES

router = Router()


CONSENT_VERSION = 1


NEEDED = ("profile", "storage")


def consent_card(ctx: Context) -> Card:
    """What the bot does, who runs it, who can technically read it, and what is kept until the yes."""
    programme = ctx.programme
    said = lines(
        t(
            "I help reformers find allies and keep their projects moving. Run by {operator}, stored in {country}; "
            "they and {platform} could technically read this chat.",
            operator=programme.operator,
            country=wording.stored_in(ctx),
            platform=platform_name(ctx),
        ),
        t(
            "No tender secrets here. Until you agree I keep only this chat, your language and the invitation, "
            "for 24 hours."
        ),
        t("Everybody in this demo is fictional.") if programme.fictional else None,
    )
    return Card(
        said,
        buttons=(
            Button(t("What I keep, who sees it"), "agreement.what"),
            Button(t("Agree"), "agreement.agree", style="primary"),
            Button(t("Choose"), "agreement.choose", json.dumps(list(NEEDED))),
            Button(t("No, thank you"), "joining.no"),
        ),
    )


def platform_name(ctx: Context) -> Say:
    """Whose servers carry this chat."""
    names: dict[str, Say] = {"slack": t("Slack and its workspace owner"), "telegram": "Telegram"}
    return names.get(ctx.here.platform if ctx.here else "", t("whoever runs this computer"))


def purposes() -> dict[str, Say]:
    """What each consent is for, in one line."""
    return {
        "profile": t("Profile: keep what I tell you about me and my work (needed)"),
        "storage": t("Storage: keep it on the programme's server, perhaps abroad (needed)"),
        "introductions": t("Introductions: others can find me, as far as I let them, and ask to meet me"),
        "questions": t("Questions: check-ins and questions from facilitators and peers"),
        "statistics": t("Statistics: count me in totals, without my name"),
    }


@router.press("agreement.what", anytime=True, role=Role.MEMBER)
def what_is_kept(ctx: Context) -> Reply:
    """What is kept, for how long, and who sees it, before the yes."""
    said = lines(
        t("What I keep: what you tell me about you and your work, your requests, and for {n} days the messages I sent.",
          n=ctx.programme.messages_days),
        t("Who sees it: you choose. At first: name, country and topics to people of your coalitions, the rest to "
          "people you met. Facilitators see all of it, and you see when they looked."),
        t("You can read, change, take along or erase everything at any time: mydata, me, leave."),
        gap=True,
    )  # fmt: skip
    return Card(said, buttons=consent_card(ctx).buttons[1:]) if ctx.me.state == "arriving" else said


@router.press("agreement.choose", anytime=True, role=Role.MEMBER)
def choose(ctx: Context) -> Reply:
    """A yes or no for each purpose."""
    chosen = json.loads(ctx.value)
    buttons = []
    for purpose, label in purposes().items():
        ticked = purpose in chosen
        if purpose in NEEDED:
            continue
        other = [one for one in chosen if one != purpose] if ticked else [*chosen, purpose]
        shown: Say = t("✓ {choice}", choice=label) if ticked else label
        buttons.append(Button(shown, "agreement.choose", json.dumps(other), "primary" if ticked else "plain"))
    said = lines(
        t("Press what you agree to. What you do not agree to does not happen, and nobody asks again."),
        t("Needed for anything to work: profile and storage. Without them, press No, thank you."),
    )
    agree = Button(t("Agree to these"), "agreement.agree", json.dumps(chosen), "primary")
    return Card(said, buttons=(*buttons, agree, Button(t("No, thank you"), "joining.no")))


@router.press("agreement.agree", anytime=True, role=Role.MEMBER)
def agree(ctx: Context) -> Reply:
    """The yes, purpose by purpose, with the text's version and language; then the questions."""
    if ctx.me.state != "arriving":
        return t("You agreed already. Nothing changed.")
    chosen = json.loads(ctx.value) if ctx.value else list(PURPOSES)
    given = {purpose: purpose in chosen or purpose in NEEDED for purpose in PURPOSES}
    ctx.store.profiles.give_consent(ctx.me.cohort_id, ctx.me.id, given, CONSENT_VERSION, ctx.me.language, ctx.now)
    ctx.store.members.change(ctx.me.id, state="joining")
    ctx.store.schedules.cancel(ctx.me.id, ("joining.expire",))
    ctx.refresh()
    return JOIN.begin()

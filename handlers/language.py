"""The language in which the bot speaks to one person."""

import re

from bot.core import Button, Card, Context, Reply, Role, Router, Say, Tongue, lines, t

router = Router()

TO = re.compile(r"^(to|into|ke|menjadi|sa|sang|เป็น)\s+", re.I)


@router.word("language", takes_text=True, anytime=True, role=Role.MEMBER)
def language(ctx: Context) -> Reply:
    """Choose, or name the language after the word."""
    typed = TO.sub("", ctx.text.strip())
    for code in ctx.engine.language.offered:
        names = (code, ctx.say(Tongue(code)).casefold(), ctx.say(Tongue(code, own=True)).casefold())
        if typed.casefold() in names:
            return _speak(ctx, code)
    return _card(ctx, t("I do not speak “{typed}” yet.", typed=typed[:40]) if typed else None)


@router.press("language.open", anytime=True, role=Role.MEMBER)
def open_languages(ctx: Context) -> Reply:
    """The same, from a button."""
    return _card(ctx)


def first_choice(ctx: Context) -> tuple[Button, ...]:
    """What everybody who is invited chooses first, and the way out."""
    offered = [Button(Tongue(code, own=True), "joining.language", code) for code in ctx.engine.language.offered]
    return (*offered, Button(t("Not for me"), "joining.no"))


def _card(ctx: Context, before: Say | None = None) -> Card:
    buttons = tuple(
        Button(Tongue(code, own=True), "language.speak", code, "primary" if code == ctx.me.language else "plain")
        for code in ctx.engine.language.offered
    )
    return Card(lines(before, t("Which language shall I speak with you?")), buttons=buttons)


@router.press("language.speak", anytime=True, role=Role.MEMBER)
def speak(ctx: Context) -> Reply:
    """From now on in this language."""
    if ctx.value not in ctx.engine.language.offered:
        return _card(ctx)
    return _speak(ctx, ctx.value)


def _speak(ctx: Context, code: str) -> Card:
    ctx.store.members.change(ctx.me.id, language=code)
    ctx.refresh()
    word = ctx.programme.content.word_label("language", code)
    said = t("From now on I speak {language} with you. To change it, type {word}.", language=Tongue(code), word=word)
    return Card(said, buttons=(Button(t("Another language"), "language.open"),))

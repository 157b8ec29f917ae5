"""What words of the field mean: asked with `what`, or simply written."""

from typing import Any

from bot.core import Button, Card, Context, Reply, Role, Router, Say, Words, lines, t
from bot.core.cleaning import clean_text
from bot.core.events import Message
from bot.domain.topics import Term
from handlers import wording

router = Router()

A_PAGE = 15
SHORT = 3  # words; a longer question is one for people


def meaning(ctx: Context, text: str) -> Say | None:
    """The meaning of a text that is exactly a term, with or without "what is"; else None."""
    found = ctx.programme.content.glossary.find_term(text)
    return None if found is None else _said(found)


def _said(of: Term) -> Say:
    return t("{term}: {definition}", term=of.term, definition=Words(of.definition))


@router.word("what", takes_text=True, role=Role.MEMBER)
def what(ctx: Context) -> Reply:
    """What a term means; alone, the list of terms."""
    text = ctx.text.strip(" ?")
    if not text:
        return _list(ctx, 0)
    glossary = ctx.programme.content.glossary
    whole = as_written(ctx)  # "what is OCDS"
    found = glossary.find_term(text) or glossary.find_term(whole)
    if found is None and (len(text.split()) > SHORT or not _holds_term(ctx, text)):
        return search_instead(ctx)
    if found is None:
        said = t("I have no meaning for {typed}. Write it alone, and I look for people who know it.", typed=text[:60])
        return Card(said, buttons=(Button(t("All terms"), "glossary.list", "0"),))
    people = (
        t("To find people who work on it, write: {topic}", topic=wording.topic(ctx, found.topic))
        if found.topic
        else None
    )
    return Card(lines(_said(found), people, gap=True))


def as_written(ctx: Context) -> str:
    """The whole message of which a word took the beginning away; for a command, what stood behind it."""
    return clean_text(ctx.event.text) if isinstance(ctx.event, Message) else ctx.text


def search_instead(ctx: Context) -> Reply:
    """What began with a word was a sentence after all: search with the whole of it."""
    ctx.text = as_written(ctx)
    search: Any = ctx.engine.router.slots["search"]
    reply: Reply = search(ctx)
    return reply


def _holds_term(ctx: Context, text: str) -> bool:
    words = text.split()
    parts = (" ".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    return any(ctx.programme.content.glossary.find_term(part) for part in parts)


@router.press("glossary.list", role=Role.MEMBER)
def list_terms(ctx: Context) -> Reply:
    """One page of terms."""
    return _list(ctx, int(ctx.value))


def _list(ctx: Context, start: int) -> Card:
    terms = sorted(ctx.programme.content.terms, key=lambda one: one.term.casefold())
    buttons = []
    if start:
        buttons.append(Button(t("Back"), "glossary.list", str(max(0, start - A_PAGE))))
    if start + A_PAGE < len(terms):
        buttons.append(Button(t("More"), "glossary.list", str(start + A_PAGE)))
    word = ctx.programme.content.word_label("what", ctx.me.language)
    head = t("Write {word} and a term, for example: {word} {term}", word=word, term=terms[start].term)
    return Card(
        lines(head, lines(*(one.term for one in terms[start : start + A_PAGE])), gap=True), buttons=tuple(buttons)
    )

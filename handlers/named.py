"""Whom a typed name means, among the people that one may see."""

from bot.core import Context, Wrong, t
from bot.domain.profiles import Profile
from bot.domain.words import folded, word_keys
from storage.search import Clause, is_searchable_name

A_PAGE = 10


def named(ctx: Context, text: str) -> list[Profile]:
    """People of this name, at most ten: who can be found, my allies, facilitators. An exact name stands alone."""
    keys = word_keys(text)
    if not keys or not is_searchable_name(text):
        return []
    found = {one.id: one for one in ctx.people.find([Clause("name", (key,)) for key in keys], limit=30).profiles}
    near = [*ctx.people.profiles(ctx.store.introductions.allies_of(ctx.me.id)), *ctx.people.facilitators()]
    for one in near:
        if all(any(word.startswith(key) for word in word_keys(one.name or "")) for key in keys):
            found.setdefault(one.id, one)
    found.pop(ctx.me.id, None)
    exact = [one for one in found.values() if folded(one.name or "") == folded(" ".join(text.split()))]
    return (exact or list(found.values()))[:A_PAGE]


def check_named(ctx: Context, text: str) -> list[int]:
    """The members whom a typed name may mean. Hidden, absent, kept apart and other cohort look the same."""
    if not is_searchable_name(text):
        raise Wrong(t("Please type at least three letters of a name."))
    found = named(ctx, text)
    if not found:
        raise Wrong(t("No one found. Please type the name as you see it here, or press Cancel."))
    return [one.id for one in found]

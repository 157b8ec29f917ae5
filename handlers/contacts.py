"""Sharing how one can be reached: only with an ally, and only by one's own tap."""

from bot.core.context import Context
from bot.core.forms import Field, Form
from bot.core.replies import Button, Card, Reply, Say, t
from bot.core.router import Role, Router
from handlers import wording
from handlers.me import short

router = Router()


NOT_NOW = t("This person cannot be asked at the moment. Nothing was sent.")


SHARE = Form(
    name="contacts.share",
    title=t("Share my contact"),
    fields=(
        Field(
            key="contact",
            question=lambda ctx: t(
                "How can {name} reach you? For example an e-mail address or a user name. I pass on exactly your words, "
                "once. A phone number is never needed.",
                name=_ally_name(ctx, ctx.about["to"]),
            ),
            check=short(200),
        ),
    ),
)


def _ally_name(ctx: Context, number: int) -> Say:
    found = ctx.people.profile(number)
    return wording.name(found) if found else t("this person")


@router.press("contacts.share", role=Role.MEMBER)
def share(ctx: Context) -> Reply:
    """Only to somebody with whom I am in touch, and only by my own tap."""
    number = int(ctx.value)
    if ctx.people.profile(number) is None or not ctx.store.introductions.are_allies(ctx.me.id, [number]):
        return NOT_NOW
    return SHARE.begin(about={"to": number})


@router.form(SHARE, role=Role.MEMBER)
def shared(ctx: Context) -> Reply:
    """Pass the words on, once."""
    number = int(ctx.about["to"])
    other = ctx.people.profile(number)
    if other is None or not ctx.store.introductions.are_allies(ctx.me.id, [number]):
        return NOT_NOW
    seen = ctx.people.as_member_sees_me(number)
    said = t("{name} shares with you: {contact}", name=wording.name(seen) if seen else t("A fellow"),
             contact=ctx.answers["contact"])  # fmt: skip
    card = Card(said, buttons=(Button(t("Share my contact"), "contacts.share", str(ctx.me.id)),))
    ctx.send(number, card, about=(ctx.me.id,), on_behalf=ctx.me.id, once=True)
    return t("Passed on to {name}.", name=wording.name(other))


def in_touch(said: Say, other: int) -> Card:
    return Card(said, buttons=(Button(t("Share my contact"), "contacts.share", str(other)),))

"""The four questions of joining, and the person at their end."""

import json
from collections.abc import Sequence
from typing import Any

from bot.core.context import Context
from bot.core.forms import Choice, Field, Form
from bot.core.replies import Button, Card, Country, Reply, Say, lines, t
from bot.core.router import Role, Router
from bot.domain.allies import Ally, rank
from bot.domain.places import Place, city_of, find_place, home_of
from handlers import allies, watching, wording
from handlers.me import check_name, doubt, short
from handlers.readings import check_place
from storage.search import Clause

router = Router()


def _is_fellow(ctx: Context) -> bool:
    return not ctx.me.is_facilitator


def _guess(ctx: Context) -> Place | None:
    """Where somebody probably is: from the invitation, else from their language, else from the programme's zone."""
    prefilled = ctx.store.invites.prefilled_for(ctx.me.id)
    if prefilled.get("country"):
        named = find_place(str(prefilled["country"]))
        if named is not None:
            return named
    return home_of(ctx.me.language) or find_place(city_of(ctx.programme.default_time_zone))


def _place_question(ctx: Context) -> Say:
    guess = _guess(ctx)
    assert guess is not None
    country, city = Country(guess.country), city_of(guess.time_zone)
    if ctx.me.is_facilitator:
        return t("{country}, {city} time?", country=country, city=city)
    return t("{country}, {city} time? In tenders you are:", country=country, city=city)


def _sides(ctx: Context) -> Sequence[Choice]:
    if ctx.me.is_facilitator:
        return (Choice("neither", t("Yes")), Choice("other", t("Other place")))
    return (*SIDES, Choice("other", t("Other place")))


SIDES = (Choice("buyer", t("Buyer")), Choice("bidder", t("Bidder")), Choice("neither", t("Neither")))


def _elsewhere(ctx: Context) -> bool:
    return _guess(ctx) is None or ctx.answers.get("side") == "other"


# How people begin when they are asked for their name; what follows is shown once more before it is kept.
INTRODUCING = (
    *("my name is ", "i am ", "i'm ", "nama saya ", "saya ", "ako si ", "ang pangalan ko ay ", "миний нэр "),
    *("ผมชื่อ", "ดิฉันชื่อ", "ฉันชื่อ"),
)


def _name(ctx: Context, text: str) -> dict[str, Any]:
    """A name as it will be shown, and whether to ask once more before it is kept."""
    introduced = next((text[len(start) :] for start in INTRODUCING if text.casefold().startswith(start)), text)
    shown = check_name(ctx, introduced.strip())
    return {"shown": shown, "doubt": introduced != text or doubt(ctx, shown) is not None}


def _is_doubtful(ctx: Context) -> bool:
    return bool((ctx.answers.get("name") or {}).get("doubt"))


def _names(ctx: Context) -> Sequence[Choice]:
    known = ctx.store.invites.prefilled_for(ctx.me.id).get("name") or getattr(ctx.event, "sender", None)
    name = known if isinstance(known, str) else (known.name if known else "")
    return (Choice(name, name),) if name else ()


JOIN = Form(
    name="joining.questions",
    title=t("Joining"),
    firm=True,
    fields=(
        Field(
            key="name",
            question=t("What shall others call you?"),
            kind="choice",
            open=True,
            choices=_names,
            check=_name,
        ),
        Field(
            key="name_is_right",
            question=lambda ctx: t(
                "Your name will appear as: {name}. Is that right?", name=ctx.answers["name"]["shown"]
            ),
            kind="choice",
            choices=(Choice("yes", t("Yes")),),
            when=_is_doubtful,
        ),
        Field(
            key="side",
            question=_place_question,
            kind="choice",
            choices=_sides,
            when=lambda ctx: _guess(ctx) is not None,
        ),
        Field(
            key="place", question=t("Where do you work? Type a city or a country."), check=check_place, when=_elsewhere
        ),
        Field(
            key="side_there",
            question=t("In tenders you are:"),
            kind="choice",
            choices=SIDES,
            when=lambda ctx: _is_fellow(ctx) and _elsewhere(ctx),
        ),
        Field(
            key="coalitions",
            question=t("Whose support does your reform need? You can choose several."),
            kind="many",
            choices=wording.coalitions,
            when=_is_fellow,
        ),
        Field(
            key="need", question=t("What help would move you most? One sentence."), check=short(300), when=_is_fellow
        ),
    ),
)


@router.form(JOIN, anytime=True, role=Role.MEMBER)
def joined(ctx: Context) -> Reply:
    """The end of joining is a person, not "profile saved"."""
    said = ctx.answers
    guess = _guess(ctx)
    place = said.get("place") or {
        "country": guess.country if guess else None,
        "time_zone": guess.time_zone if guess else None,
    }
    side = said.get("side_there") or said.get("side")
    ctx.store.members.change(
        ctx.me.id,
        state="active",
        joined_at=ctx.now,
        time_zone=place["time_zone"] or ctx.me.time_zone,
    )
    prefilled = ctx.store.invites.prefilled_for(ctx.me.id)
    cohort, me = ctx.me.cohort_id, ctx.me.id
    ctx.store.profiles.write(
        cohort,
        me,
        name=said["name"]["shown"],
        country=place["country"],
        side=None if ctx.me.is_facilitator else side,
        sector=prefilled.get("sector"),
        organisation=prefilled.get("organisation"),
    )
    ctx.store.profiles.write_list(cohort, me, "languages", [ctx.me.language])
    if ctx.me.is_facilitator:
        ctx.refresh()
        return t(
            "Welcome, {name}. Type manage to invite people, or help for everything else.", name=said["name"]["shown"]
        )
    ctx.store.profiles.write_list(cohort, me, "coalitions", said["coalitions"])
    wanted = ctx.programme.understanding.understand(said["need"], ctx.me.language)
    topic = next(iter(wanted.topics), None)
    wish = ctx.store.profiles.add_wish(cohort, me, "need", topic, said["need"])
    ctx.refresh()
    watching.tell_watchers(ctx)
    return first_person(ctx, wish, topic, said["need"])


def first_person(ctx: Context, wish: int, topic: str | None, text: str) -> Card:
    """What was read in the need, and the first people to meet."""
    read: Say = (
        t("I read: {topic}.", topic=wording.topic(ctx, topic))
        if topic
        else t("I know no topic for that yet; your words are kept.")
    )
    found, how = _first(ctx, topic, text)
    people = [allies.hit(ctx, one) for one in found]
    buttons = [
        Button(
            t("Meet {name}", name=wording.name(one.profile)),
            "requests.preview",
            json.dumps({"to": one.profile.id, "topic": topic, "why": allies.packed(one.reasons)}),
        )
        for one in found
    ]
    if not found and topic:
        buttons.append(Button(t("Tell me when somebody joins"), "watching.watch", text))
    buttons.append(Button(t("I meant something else"), "questions.reading", json.dumps([wish, text])))
    buttons.append(Button(t("Who sees me"), "privacy.who"))
    preset = (
        t("Who sees you: people of your coalitions see your name, country and topics; the rest is for people you met.")
        if ctx.people.agreed_to(ctx.me.id, "introductions")
        else t("Nobody finds you: you did not agree to introductions. You can change that at any time.")
    )
    said = lines(read, how, *people, preset, t("From now on, just write."), gap=True)
    return Card(said, buttons=tuple(buttons), about=tuple(one.profile.id for one in found))


def _first(ctx: Context, topic: str | None, text: str) -> tuple[list[Ally], Say | None]:
    """Who offers it; else who is looking for the same or works on it; else somebody of the same coalition."""
    topics = [topic] if topic else []
    tries: list[tuple[list[Clause], Say | None]] = []
    if topic:
        tries = [
            ([Clause("offer", (topic,))], None),
            ([Clause("need", (topic,))], t("Nobody whom you may see offers this yet. Looking for the same:")),
            ([Clause("topic", (topic,))], t("Nobody whom you may see offers this yet. Working on it:")),
        ]
    if ctx.profile.coalitions:
        tries.append(([Clause("coalition", ctx.profile.coalitions)], t("Somebody who needs the same support as you:")))
    for clauses, how in tries:
        found = rank(ctx.people.find(clauses, limit=30).profiles, ctx.profile, topics=topics)
        if found:
            return found[:3], how
    return [], t("You are the first here with this. I can tell you when somebody joins.")


@router.press("questions.reading", role=Role.MEMBER)
def reading(ctx: Context) -> Reply:
    """A need was read wrongly: the nearest topics to choose from."""
    wish, text = json.loads(ctx.value)
    near = ctx.programme.understanding.nearest(text, limit=6)
    buttons = [Button(wording.topic(ctx, slug), "questions.topic", json.dumps([wish, slug, text])) for slug in near]
    none = Button(t("None of these"), "questions.topic", json.dumps([wish, None, text]))
    return Card(t("What is it about? You can also write it in other words at any time."), buttons=(*buttons, none))


@router.press("questions.topic", role=Role.MEMBER)
def set_topic(ctx: Context) -> Reply:
    """The topic that was meant."""
    wish, slug, text = json.loads(ctx.value)
    ctx.store.profiles.change_wish(ctx.me.id, wish, topic=slug)
    ctx.refresh()
    return first_person(ctx, wish, slug, text)

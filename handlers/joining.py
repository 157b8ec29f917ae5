"""Coming in: the invitation is the gate, then language, consent, four questions, and a person at the end."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.core.context import Context, Stranger
from bot.core.forms import Choice, Field, Form, question
from bot.core.ids import code_hash
from bot.core.replies import Button, Card, Country, Reply, Say, Tongue, lines, t
from bot.core.router import Router
from bot.domain.allies import Ally, rank
from bot.domain.places import Place, city_of, find_place, home_of
from handlers import allies, wording
from handlers.me import check_name, doubt
from handlers.readings import check_place
from storage.invites import Invite
from storage.profiles import PURPOSES
from storage.search import Clause

router = Router()

CONSENT_VERSION = 1
NEEDED = ("profile", "storage")
UNDECIDED = timedelta(hours=24)
AN_HOUR = 3600
WRONG_AN_HOUR, REPLIES_AN_HOUR = 5, 5

NEUTRAL = t("Hello. This bot is for invited members. If you have an invitation, open the link you were given.")
NO_SUCH_CODE = t("That invitation link does not work. Please ask the person who invited you for a new one.")


@router.arrival
def arrive(stranger: Stranger) -> "Reply | tuple[Context, Reply]":
    """A good code lets an account in; everybody else gets the same line, and after five an hour none."""
    account = f"{stranger.sender.platform}:{stranger.sender.installation}:{stranger.sender.id}"
    tries = stranger.store.members
    if stranger.code is None:
        return NEUTRAL if tries.count_try(account, "stranger", stranger.now, AN_HOUR) <= REPLIES_AN_HOUR else None
    invite = stranger.store.invites.find(code_hash(stranger.code), stranger.now)
    if invite is None or not _may_use(stranger, invite):
        wrong = tries.count_try(account, "code", stranger.now, AN_HOUR)
        return NO_SUCH_CODE if wrong <= WRONG_AN_HOUR else None
    return _let_in(stranger, invite)


def _may_use(stranger: Stranger, invite: Invite) -> bool:
    """An account that is locked or gone comes back only by a new link for the same person."""
    sender = stranger.sender
    known = stranger.store.members.recognise(sender.platform, sender.installation, sender.id)
    return known is None or known[0].id == invite.for_member


def _let_in(stranger: Stranger, invite: Invite) -> tuple[Context, Reply]:
    store, sender = stranger.store, stranger.sender
    if invite.for_member is not None:
        return _reopen(stranger, invite)
    _, _, time_zone = store.members.cohort_defaults(invite.cohort_id)
    number = store.members.add(
        invite.cohort_id,
        stranger.now,
        role=invite.role,
        state="arriving",
        language=_language(stranger, invite),
        time_zone=invite.prefilled.get("time_zone") or time_zone,
        invited_by=invite.invited_by,
        trusted_id=invite.invited_by,
    )
    me = store.members.lock(number)
    assert me is not None
    conversation = stranger.address.conversation if stranger.address.is_private else f"dm:{sender.id}"
    store.members.add_account(me, sender.platform, sender.installation, sender.id, conversation, stranger.now)
    store.invites.use(invite, number)
    store.profiles.renew(number)
    store.schedules.set_timer("joining.expire", number, stranger.now + UNDECIDED)
    ctx = stranger.become(me)
    return ctx, greeting(ctx)


def _language(stranger: Stranger, invite: Invite) -> str:
    wished = str(invite.prefilled.get("language") or "")
    return wished if wished in stranger.engine.language.offered else stranger.language


def _reopen(stranger: Stranger, invite: Invite) -> tuple[Context, Reply]:
    """A new link for the same person: the old account closes, a locked member opens again, hidden as they were."""
    store, sender = stranger.store, stranger.sender
    assert invite.for_member is not None
    me = store.members.lock(invite.for_member)
    assert me is not None
    store.members.close_accounts(me.id)
    conversation = stranger.address.conversation if stranger.address.is_private else f"dm:{sender.id}"
    store.members.add_account(me, sender.platform, sender.installation, sender.id, conversation, stranger.now)
    store.invites.use(invite, me.id)
    if me.state == "locked":
        store.members.change(me.id, state="active")
    store.profiles.renew(me.id)
    ctx = stranger.become(me)
    ctx.refresh()
    said = t("Welcome back. This account is yours again; the old one is closed.")
    hidden = t("You are hidden: only facilitators see you. You can change that.") if me.preset == "hidden" else None
    button = Button(t("Who sees me"), "privacy.who")
    return ctx, Card(lines(said, hidden), buttons=(button,))


def greeting(ctx: Context) -> Card:
    """Who invites, and in which language to go on."""
    inviter = ctx.people.profile(ctx.me.invited_by) if ctx.me.invited_by else None
    hello = (
        t("Hello. You have a personal invitation from {name}.", name=wording.name(inviter))
        if inviter and inviter.name
        else t("Hello. You have a personal invitation to {programme}.", programme=ctx.programme.name)
    )
    rows = [Button(Tongue(code, own=True), "joining.language", code) for code in ctx.engine.language.offered]
    return Card(lines(hello, t("Language?")), buttons=(*rows, Button(t("Not for me"), "joining.no")))


@router.press("joining.language", anytime=True)
def choose_language(ctx: Context) -> Reply:
    """The language to go on in."""
    if ctx.me.state == "arriving" and ctx.value in ctx.engine.language.offered:
        ctx.store.members.change(ctx.me.id, language=ctx.value)
        ctx.refresh()
    return resume(ctx)


@router.word("start", anytime=True)
def start(ctx: Context) -> Reply:
    """Pressing Start again goes on where one was."""
    return resume(ctx)


@router.word("join", anytime=True)
def join(ctx: Context) -> Reply:
    """The same, as a word."""
    return resume(ctx)


@router.unfinished
def resume(ctx: Context) -> Reply:
    """Where somebody is on their way in."""
    if ctx.me.state == "arriving":
        return consent_card(ctx) if ctx.message is not None else greeting(ctx)
    if ctx.me.state == "joining":
        waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
        if waiting is not None:
            return question(ctx, waiting)
        return JOIN.begin()
    return t("You are in. Just write what you are looking for, or type help.")


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
            Button(t("What I keep, who sees it"), "joining.what"),
            Button(t("Agree"), "joining.agree", style="primary"),
            Button(t("Choose"), "joining.choose", json.dumps(list(PURPOSES))),
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


@router.press("joining.what", anytime=True)
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


@router.press("joining.choose", anytime=True)
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
        buttons.append(Button(shown, "joining.choose", json.dumps(other), "primary" if ticked else "plain"))
    said = lines(
        t("Press what you agree to. What you do not agree to does not happen, and nobody asks again."),
        t("Needed for anything to work: profile and storage. Without them, press No, thank you."),
    )
    agree = Button(t("Agree to these"), "joining.agree", json.dumps(chosen), "primary")
    return Card(said, buttons=(*buttons, agree, Button(t("No, thank you"), "joining.no")))


@router.press("joining.agree", anytime=True)
def agree(ctx: Context) -> Reply:
    """The yes, purpose by purpose, with the text's version and language; then the questions."""
    if ctx.me.state != "arriving":
        return resume(ctx)
    chosen = json.loads(ctx.value) if ctx.value else list(PURPOSES)
    given = {purpose: purpose in chosen or purpose in NEEDED for purpose in PURPOSES}
    ctx.store.profiles.give_consent(ctx.me.cohort_id, ctx.me.id, given, CONSENT_VERSION, ctx.me.language, ctx.now)
    ctx.store.members.change(ctx.me.id, state="joining")
    ctx.store.schedules.cancel(ctx.me.id, ("joining.expire",))
    ctx.refresh()
    return JOIN.begin()


@router.press("joining.no", anytime=True)
def no(ctx: Context) -> Reply:
    """Nothing is kept; the invitation can be opened again until it expires."""
    if ctx.me.state not in ("arriving", "joining"):
        return resume(ctx)
    ctx.store.invites.give_back(ctx.me.id)
    ctx.store.privacy.erase(ctx.me.id)
    ctx.farewell(t("All right. Nothing is kept. If you change your mind, open the same link again."))
    return None


@router.due("joining.expire")
def expire(ctx: Context) -> Reply:
    """A day without a yes: what was kept is erased, the link works again."""
    if ctx.me.state == "arriving":
        ctx.store.invites.give_back(ctx.me.id)
        ctx.store.privacy.erase(ctx.me.id)
    return None


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


def _name(ctx: Context, text: str) -> dict[str, Any]:
    """A name as it will be shown, and whether to ask once more before it is kept."""
    shown = check_name(ctx, text)
    return {"shown": shown, "doubt": doubt(ctx, shown) is not None}


def _is_doubtful(ctx: Context) -> bool:
    return bool((ctx.answers.get("name") or {}).get("doubt"))


def _names(ctx: Context) -> Sequence[Choice]:
    known = ctx.store.invites.prefilled_for(ctx.me.id).get("name") or getattr(ctx.event, "sender", None)
    name = known if isinstance(known, str) else (known.name if known else "")
    return (Choice(name, name),) if name else ()


def _coalitions(ctx: Context) -> Sequence[Choice]:
    return [Choice(one.slug, wording.coalition(ctx, one.slug)) for one in ctx.programme.content.coalitions]


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
            question=t("Whose support does your reform need?"),
            kind="many",
            choices=_coalitions,
            when=_is_fellow,
        ),
        Field(key="need", question=t("What help would move you most? One sentence."), when=_is_fellow),
    ),
)


@router.form(JOIN, anytime=True)
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
    allies.tell_watchers(ctx)
    return first_person(ctx, wish, topic, said["need"])


def first_person(ctx: Context, wish: int, topic: str | None, text: str) -> Card:
    """What was read in the need, and the first people to meet."""
    read: Say = t("I read: {topic}.", topic=wording.topic(ctx, topic)) if topic else t("I kept your words as they are.")
    found, how = _first(ctx, topic, text)
    people = [allies.hit(ctx, one) for one in found]
    buttons = [
        Button(
            t("Meet {name}", name=wording.name(one.profile)),
            "introductions.preview",
            json.dumps({"to": one.profile.id, "topic": topic, "why": allies.packed(one.reasons)}),
        )
        for one in found
    ]
    if not found and topic:
        buttons.append(Button(t("Tell me when somebody joins"), "allies.watch", text))
    buttons.append(Button(t("I meant something else"), "joining.reading", json.dumps([wish, text])))
    buttons.append(Button(t("Who sees me"), "privacy.who"))
    preset = t(
        "Who sees you: people of your coalitions see your name, country and topics; the rest is for people you met."
    )
    return Card(lines(read, how, *people, preset, t("From now on, just write."), gap=True), buttons=tuple(buttons))


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


@router.press("joining.reading")
def reading(ctx: Context) -> Reply:
    """A need was read wrongly: the nearest topics to choose from."""
    wish, text = json.loads(ctx.value)
    near = ctx.programme.understanding.nearest(text, limit=6)
    buttons = [Button(wording.topic(ctx, slug), "joining.topic", json.dumps([wish, slug, text])) for slug in near]
    none = Button(t("None of these"), "joining.topic", json.dumps([wish, None, text]))
    return Card(t("What is it about? You can also write it in other words at any time."), buttons=(*buttons, none))


@router.press("joining.topic")
def set_topic(ctx: Context) -> Reply:
    """The topic that was meant."""
    wish, slug, text = json.loads(ctx.value)
    ctx.store.profiles.change_wish(ctx.me.id, wish, topic=slug)
    ctx.refresh()
    return first_person(ctx, wish, slug, text)

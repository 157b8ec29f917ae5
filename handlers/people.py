"""For facilitators: the people of the cohort, a person's card, a new link for somebody, and locking at once."""

from collections.abc import Sequence

from bot.core import Button, Card, Context, Reply, Role, Router, Say, lines, t
from bot.domain.profiles import Profile
from bot.domain.words import word_keys
from handlers import invitations, picking, safety, wording
from storage.search import is_searchable_name

router = Router()

A_PAGE = 10
LOCKED = "locked"
LONGEST_NAME = 4  # words
STATES: dict[str, Say] = {
    "arriving": t("arriving"),
    "joining": t("joining"),
    "active": t("here"),
    "paused": t("away"),
    "locked": t("locked"),
    "leaving": t("leaving"),
}


@router.word("manage", help=t("People and projects: invite, see, help"), role=Role.FACILITATOR)
@router.press("manage.open", role=Role.FACILITATOR)
def manage(ctx: Context) -> Reply:
    """What a facilitator can do; only what exists."""
    return Card(
        t("Manage {programme}", programme=ctx.programme.name),
        buttons=(
            Button(t("People"), "people.open", style="primary"),
            Button(t("Message"), "messages.open"),
            Button(t("Check-ins"), "checkins.open"),
            Button(t("Projects"), "projects.open"),
        ),
    )


@router.word("people", role=Role.FACILITATOR)
@router.press("people.open", role=Role.FACILITATOR)
def people(ctx: Context) -> Reply:
    """Invite, open invitations, the list."""
    waiting = len(ctx.store.invites.open_in(ctx.me.cohort_id, ctx.now))
    open_label: Say = t("Open invitations ({n})", n=waiting)
    pick = (Button(t("Pick from Slack"), "picking.open"),) if picking.is_offered(ctx) else ()
    buttons = (
        Button(t("Invite"), "invitations.new", style="primary"),
        *pick,
        Button(open_label, "invitations.list"),
        Button(t("List"), "people.list", "0"),
    )
    return Card(t("People of {programme}", programme=ctx.programme.name), buttons=buttons)


@router.press("people.list", role=Role.FACILITATOR)
def roster(ctx: Context) -> Reply:
    """Ten people and their state in words."""
    found = _from(ctx, ctx.value)
    page = found[:A_PAGE]
    if not page:
        return Card(t("Nobody else."), buttons=(Button(t("Back"), "people.open"),))
    buttons = [Button(wording.name(one), "people.card", str(one.id)) for one, _ in page]
    if len(found) > A_PAGE:
        last, state = page[-1]
        buttons.append(Button(t("More"), "people.list", f"{LOCKED}:{last.id}" if state == LOCKED else str(last.id)))
    return Card(_states(page), buttons=(*buttons, Button(t("Back"), "people.open")))


def _states(page: Sequence[tuple[Profile, str]]) -> Say:
    return lines(
        *(t("{name}: {state}", name=wording.called(one), state=STATES.get(state, state)) for one, state in page)
    )


def _from(ctx: Context, place: str) -> list[tuple[Profile, str]]:
    """A page and one more: locked people, who need somebody, then all others; from "0", "locked:7" or "7" on."""
    state, _, number = place.rpartition(":")
    after, most = int(number), A_PAGE + 1
    if state or after == 0:
        locked = ctx.people.roster(after=after, limit=most, locked=True)
        return locked + ctx.people.roster(limit=most, locked=False)[: most - len(locked)]
    return ctx.people.roster(after=after, limit=most, locked=False)


def named_card(ctx: Context, text: str) -> Card | None:
    """For a facilitator: who bears this name, whatever their state and settings; None when nobody does."""
    keys = word_keys(text)
    if not keys or len(text.split()) > LONGEST_NAME or not is_searchable_name(text):
        return None
    found = ctx.people.called(keys, limit=A_PAGE)
    if not found:
        return None
    buttons = [Button(wording.name(one), "people.card", str(one.id)) for one, _ in found]
    return Card(_states(found), buttons=(*buttons, Button(t("Search instead"), "allies.again", text)))


def _person(ctx: Context) -> tuple[Profile, str] | None:
    """The person whom a button names, of my cohort, in whatever state."""
    number = int(ctx.value)
    found = ctx.people.roster(after=number - 1, limit=1)
    return found[0] if found and found[0][0].id == number else None


GONE = t("This person is no longer here. Nothing changed.")


@router.press("people.card", role=Role.FACILITATOR)
def card(ctx: Context) -> Reply:
    """One person. That I looked is written down, and shown to them."""
    found = _person(ctx)
    if found is None:
        return Card(GONE, buttons=(Button(t("List"), "people.list", "0"),))
    seen, state = found
    buttons = []
    if seen.id != ctx.me.id:
        ctx.note("people.look", seen.id)
        buttons.append(Button(t("New link for them"), "people.link", ctx.value))
        if state != "locked":
            buttons.append(Button(t("Lock now"), "people.lock", ctx.value, "danger"))
    told = t("They can see that you looked.") if seen.id != ctx.me.id else None
    text = lines(wording.called(seen), t("State: {state}", state=STATES.get(state, state)), told)
    return Card(text, fields=wording.fields(ctx, seen), buttons=(*buttons, Button(t("List"), "people.list", "0")))


@router.press("people.link", role=Role.FACILITATOR)
def new_link(ctx: Context) -> Reply:
    """A link for the same person: a lost account, a new phone, a locked account. Older links stop working."""
    found = _person(ctx)
    if found is None or found[0].id == ctx.me.id:
        return GONE
    seen, state = found
    member = ctx.store.members.recall(seen.id)
    assert member is not None
    ctx.store.invites.revoke_for(seen.id)
    code = ctx.ids.code()
    number, until = invitations.add(ctx, code, role=member.role, for_member=seen.id)
    if state in ("active", "paused"):
        warning = t(
            "A facilitator made a new link for your account. If you did not ask for it, tell another facilitator: "
            "type {word}.",
            word=ctx.programme.content.word_label("help", member.language),
        )
        ctx.send(seen.id, warning)
    text = invitations.words(ctx, code, member.language, seen.name, until, again=True)
    ctx.after(lambda: text)
    return invitations.card(
        ctx,
        number,
        t(
            "A new link for {name}. Older ones no longer work; when it is opened, the old account closes.",
            name=wording.name(seen),
        ),
        until,
    )


@router.press("people.lock", role=Role.FACILITATOR)
def ask_lock(ctx: Context) -> Reply:
    """Ask for a yes: locking cannot be undone by a press."""
    found = _person(ctx)
    if found is None or found[0].id == ctx.me.id:
        return GONE
    text = lines(
        t("Lock {name} now? This is safe on their behalf.", name=wording.name(found[0])),
        t("They are hidden, their requests close, and they are a stranger to me."),
        t("What I wrote to them is wiped, on their own screen too where the app lets me."),
        t("The way back: a new link from their card. Their profile stays."),
    )
    buttons = (Button(t("Yes, lock"), "people.locked", ctx.value, "danger"), Button(t("No"), "people.card", ctx.value))
    return Card(text, buttons=buttons)


@router.press("people.locked", role=Role.FACILITATOR)
def lock(ctx: Context) -> Reply:
    """Locked, at once; the other facilitators are told when it was one of them."""
    found = _person(ctx)
    member = ctx.store.members.lock(int(ctx.value)) if found else None
    if found is None or member is None or member.id == ctx.me.id:
        return GONE
    seen, state = found
    if state == "locked":
        return t("Already locked. Nothing changed.")
    staff = ctx.store.members.facilitators(ctx.me.cohort_id) if member.is_facilitator else []
    safety.lock(ctx, member)
    mine = ctx.profile.name or t("A facilitator")
    for one in staff:
        if one not in (ctx.me.id, member.id):
            ctx.send(one, t("{name} locked the account of {other}.", name=mine, other=wording.name(seen)))
    back = (Button(t("New link for them"), "people.link", ctx.value), Button(t("List"), "people.list", "0"))
    return Card(t("{name} is hidden and locked from now on.", name=wording.name(seen)), buttons=back)

"""The access matrix, made from the route table: who may use each route, and which fields each viewer may ever see."""

import json
from collections.abc import Iterator

import pytest

from bot.core.events import Press
from bot.core.ids import button_handle, encode
from bot.core.language import Reader
from bot.core.replies import Card
from bot.core.router import Router
from bot.domain.profiles import Audience, Preset
from handlers import router
from storage import UnitOfWork
from storage.access import Viewer
from tests.chat import Chat, Person

# Who may use a route is said where it is declared (`role=`, without which the program does not start). What is more
# than "every member who has joined" is told here once more, so that it cannot be given away by a slip.
FACILITATORS = {
    *("word:manage", "word:people", "invitations.extend", "invitations.list", "invitations.new", "invitations.open"),
    *("invitations.revoke", "people.card", "people.link", "people.list", "people.lock", "people.locked", "people.open"),
    *("form:messages.write", "form:sessions.write"),
    *("messages.again", "messages.ask", "messages.change", "messages.discard", "messages.kept", "messages.list"),
    *("messages.new", "messages.open", "messages.remind", "messages.results", "messages.sample", "messages.send"),
    *("messages.show", "messages.step", "messages.stop", "messages.who", "messages.withdraw", "messages.withdrawn"),
    *("sessions.change", "sessions.new", "sessions.step"),
    *("holidays.card", "holidays.new", "holidays.none", "holidays.open", "holidays.undo", "form:holidays.holiday"),
    *("checkins.answers", "checkins.card", "checkins.change", "checkins.discard", "checkins.end", "checkins.ended"),
    *("checkins.new", "checkins.open", "checkins.part", "checkins.pause", "checkins.resume", "checkins.start"),
    *("checkins.test", "checkins.tested", "checkins.usual", "form:checkins.set_up", "monday.open", "monday.silent"),
    *("form:invitations.invite", "manage.open", "projects.open", "projects.narrow", "projects.country"),
    *("projects.card", "projects.status", "projects.propose", "projects.proposed", "projects.new"),
    *("form:projects.where", "form:projects.whom", "form:projects.sentence"),
    *("form:invitations.invite", "form:picking.pick", "picking.open"),
}
ANYTIME = {
    *("word:help", "word:join", "word:language", "word:leave", "word:privacy", "word:safe", "word:start", "word:undo"),
    *("word:behind", "word:stop", "word:visible"),
    *("help.behind", "help.open", "agreement.agree", "agreement.choose", "joining.language", "joining.no"),
    *(
        "agreement.what",
        "language.open",
        "language.speak",
        "home.join",
        "leaving.open",
        "leaving.undo",
        "leaving.yes",
        "safety.tell",
    ),
    *("form:joining.questions",),
}
CLOCK = {
    *("messages.card", "messages.step", "sessions.remind"),
    *("cards.open", "cards.remind", "checkins.ask", "monday.card", "talks.talked"),
    "asks.moved",
    "away.end",
    "introductions.close",
    "introductions.remind",
    "joining.expire",
    "privacy.erase",
    "watching.tell",
    *("away.end", "introductions.close", "introductions.remind", "joining.expire", "privacy.erase", "watching.tell"),
    *("milestones.overdue", "team_joining.close", "unreached.tell"),
}

# One canary in each class of field; whoever may not see the field must never see the canary.
FIELDS = {
    "name": "Namecanary",
    "organisation": "Orgcanary",
    "role_title": "Rolecanary",
    "native_name": "Nativecanary",
    "needs": "Needcanary",
    "offers": "Offercanary",
    "project": "Projectcanary",
}


def routes() -> dict[str, tuple[str, bool]]:
    """Every route with its role and whether it is there at any time."""
    found = {f"word:{name}": (route.role.value, route.anytime) for name, route in router.words.items()}
    found |= {name: (route.role.value, route.anytime) for name, route in router.presses.items()}
    found |= {f"form:{name}": (route.role.value, route.anytime) for name, (_, route) in router.forms.items()}
    return found


MEMBERS = {name for name, (role, anytime) in routes().items() if role == "member" and not anytime}


def test_power_over_others_and_ways_without_joining_are_the_ones_agreed() -> None:
    assert {name for name, (role, _) in routes().items() if role == "facilitator"} == FACILITATORS
    assert {name for name, (_, anytime) in routes().items() if anytime} == ANYTIME
    assert set(router.dues) == CLOCK


def test_a_route_that_does_not_say_who_may_use_it_does_not_start() -> None:
    for declare in (Router().word, Router().press, Router().form):
        with pytest.raises(TypeError, match="role"):
            declare("anything")  # type: ignore[call-arg, arg-type]


def press(chat: Chat, who: Person, action: str, value: str, *, settle: bool = True) -> str:
    """Press a button with this action and value, however the person came by it; returns the toast."""
    number = who.member
    assert number is not None
    key = chat.ids.key()

    def give(unit: UnitOfWork) -> None:
        body = chat.kawan.engine.language.content(Card("?"), Reader("en")).as_json()
        body["buttons"] = [["?", action, value, "plain"]]
        unit.outbox.add(
            idem=f"test:{encode(key)}", key=key, lane=who.address.lane, conversation=who.address.conversation,
            member_id=number, body=body, cause="test", now=chat.clock.now(),
        )  # fmt: skip
        row = unit.outbox.by_key(key)
        assert row is not None
        unit.claims.claim(who.address.lane, 0, chat.clock.now(), 1)
        unit.claims.settle(row.seq, 0, "sent", chat.clock.now(), ref=encode(key))

    chat.store.now(give)
    handle = button_handle(encode(key), 0)
    event = Press(id=f"m{chat.count()}", sender=who.sender, address=who.address, handle=handle)
    return chat.happens(event, settle=settle).toast or ""


def values_about(number: int) -> Iterator[str]:
    """Values that buttons of all features carry, pointing at one member."""
    yield str(number)
    yield json.dumps({"to": number, "topic": "beneficial-ownership", "why": []})
    yield json.dumps({"to": number, "name": "x", "country": None, "sector": None, "topic": None, "why": []})
    yield json.dumps([number, "x"])
    yield f"{number}:x"


def hidden_person(chat: Chat, **settings: object) -> Person:
    """Somebody with a canary in each field."""
    return chat.joins(
        FIELDS["name"],
        needs=[("data-quality", FIELDS["needs"])],
        offers=[("beneficial-ownership", FIELDS["offers"])],
        organisation=FIELDS["organisation"],
        role_title=FIELDS["role_title"],
        native_name=FIELDS["native_name"],
        **settings,  # type: ignore[arg-type]
    )


SEARCHES = ("beneficial ownership", "data quality", "Indonesia", "citizens", *FIELDS.values())


def everything_seen(chat: Chat, viewer: Person, about: Person) -> str:
    """All that a viewer gets to see by every word, every button pointed at somebody, and every search."""
    number = about.member
    assert number is not None
    toasts: list[str] = []
    for name in sorted(router.words):
        if name not in ("safe", "leave", "stop", "start"):
            viewer.says(f"/{name}")
            viewer.says("cancel")
    for action in sorted(router.presses):
        if action not in ("leaving.yes", "people.locked"):
            toasts += [press(chat, viewer, action, value) for value in values_about(number)]
            viewer.says("cancel")
    answers = []
    for text in SEARCHES:
        viewer.says(text)
        answers.append(viewer.last.replace(text, ""))  # what one typed oneself is no secret
    return "\n".join([*viewer.sees(), *answers, *toasts])


def test_a_hidden_fellow_is_seen_by_no_fellow_through_any_route(chat: Chat) -> None:
    hidden = hidden_person(chat, preset=Preset.HIDDEN)
    curious = chat.joins("Curious")
    seen = everything_seen(chat, curious, hidden)
    typed = set(FIELDS.values())
    assert [canary for canary in typed if f"{canary} (" in seen or f"“{canary}”" in seen] == []
    assert hidden.sees() == []


@pytest.mark.parametrize("reach", ["other cohort", "kept apart", "left", "locked"])
def test_whoever_is_out_of_reach_looks_absent(chat: Chat, reach: str) -> None:
    other = chat.store.now(lambda unit: unit.members.add_cohort("two", "Two", "en", "UTC"))
    person = hidden_person(chat, cohort=other if reach == "other cohort" else None)
    curious = chat.joins("Curious")
    number, me = person.member, curious.member
    assert number is not None
    assert me is not None
    if reach == "kept apart":
        chat.store.now(lambda unit: unit.profiles.keep_apart(chat.cohort, number, other=me))
    elif reach != "other cohort":
        chat.store.now(lambda unit: unit.members.change(number, state=reach))
        chat.store.now(lambda unit: unit.profiles.renew(number))
    for text in ("beneficial ownership", FIELDS["name"], FIELDS["offers"]):
        curious.says(text)
        assert "No one found." in curious.last
        assert f"{FIELDS['name']} (" not in curious.last
    press(chat, curious, "requests.preview", json.dumps({"to": number, "topic": None, "why": []}))
    assert FIELDS["name"] not in curious.last
    assert person.sees() == []


@pytest.mark.parametrize("action", sorted(name for name in FACILITATORS if ":" not in name))
def test_facilitators_buttons_are_refused_to_fellows_and_given_to_facilitators(chat: Chat, action: str) -> None:
    fellow, facilitator = chat.joins("Sari"), chat.joins("Mirela", role="facilitator")
    about = str(fellow.member)
    before = len(facilitator.sees())
    assert press(chat, fellow, action, about) == "Only facilitators can do this. To reach them, type help."
    assert len(facilitator.sees()) == before
    assert "Only facilitators" not in press(chat, facilitator, action, about)


@pytest.mark.parametrize("name", sorted(name for name in MEMBERS if not name.startswith("form:")))
def test_somebody_on_the_way_in_can_use_nothing_but_the_way_in(chat: Chat, name: str) -> None:
    newcomer = chat.newcomer("New")
    newcomer.says(f"/start {chat.invites()}")
    if name.startswith("word:"):
        newcomer.says(f"/{name.removeprefix('word:')}")
        assert "invitation" in newcomer.last or "Language?" in newcomer.last
    else:
        number = chat.store.now(lambda unit: unit.members.recognise(*_account(newcomer)))
        assert number is not None
        newcomer.member = number[0].id
        press(chat, newcomer, name, str(newcomer.member))
        assert "I help reformers" in newcomer.last or "invitation" in newcomer.last


def _account(who: Person) -> tuple[str, str, str]:
    return who.sender.platform, who.sender.installation, who.sender.id


CLASSES = [
    ("facilitator", Audience.FACILITATORS),
    ("met", Audience.MET),
    ("coalition", Audience.COALITIONS),
    ("cohort", Audience.COHORT),
]


@pytest.mark.parametrize("field", ["organisation", "role_title", "native_name", "needs", "offers"])
@pytest.mark.parametrize("audience", list(Audience))
def test_a_field_is_seen_by_its_audience_and_by_nobody_else(chat: Chat, field: str, audience: Audience) -> None:
    person = hidden_person(chat, own={field: audience}, coalitions=["citizens"])
    viewers = {
        "facilitator": chat.joins("Fac", role="facilitator"),
        "met": chat.joins("Met", coalitions=["private-sector"]),
        "coalition": chat.joins("Near", coalitions=["citizens"]),
        "cohort": chat.joins("Far", coalitions=["private-sector"]),
    }
    met, number = viewers["met"].member, person.member
    assert met is not None
    assert number is not None
    chat.store.now(lambda unit: unit.introductions.befriend(chat.cohort, met, number, chat.clock.now(), None))
    for name, reach in CLASSES:
        viewer = viewers[name]
        seen = _profile_text(chat, viewer, number)
        assert (FIELDS[field] in seen) is (audience >= reach), (name, field, audience.name)


def _profile_text(chat: Chat, viewer: Person, number: int) -> str:
    """Everything the access layer gives this viewer about one member."""

    def job(unit: UnitOfWork) -> str:
        found = unit.members.recognise(*_account(viewer))
        assert found is not None
        me = found[0]
        access = unit.people(Viewer(me.id, me.cohort_id, me.is_facilitator))
        return repr(access.profile(number))

    return chat.store.now(job)

"""Who sees me, what I agreed to, keeping apart, my data, leaving: each change is confirmed, and can be undone."""

import json

import pytest

from bot.core.adapter import NotSent
from bot.domain.profiles import Audience, Preset
from storage import UnitOfWork
from tests.chat import Chat, Person


@pytest.fixture
def sari(chat: Chat) -> Person:
    """Sari, seen by the whole cohort."""
    return chat.joins("Sari", topics=["beneficial-ownership"], organisation="Open Lab")


def finds(who: Person, name: str) -> bool:
    """Does a search for beneficial ownership show this name?"""
    who.says("beneficial ownership")
    return name in who.last


def befriend(chat: Chat, one: Person, other: Person) -> None:
    """Two people have met."""
    assert one.member is not None
    assert other.member is not None
    ids = (one.member, other.member)
    chat.store.now(lambda unit: unit.introductions.befriend(chat.cohort, *ids, chat.clock.now(), None))


def test_hidden_is_found_by_nobody_until_it_is_undone(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    assert finds(bat, "Sari")
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("Hidden")
    assert "Changed from Open to Hidden, from now on." in sari.last
    assert not finds(bat, "Sari")
    sari.presses("Back to Open")
    assert finds(bat, "Sari")


def test_narrowing_stops_what_waits_to_name_me(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", preset=Preset.HIDDEN)
    later = chat.clock.now().replace(hour=23)

    def wait(unit: UnitOfWork) -> int:
        return unit.outbox.add(
            idem="test",
            key=b"0" * 16,
            lane="console:test",
            conversation="dm:Bat",
            member_id=bat.member,
            body={"text": "Sari joined", "language": "en"},
            cause="test",
            now=chat.clock.now(),
            about=(sari.member or 0,),
            at=later,
        )

    waiting = chat.store.now(wait)
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("Careful")
    assert "1 message that waited to be sent with your name was stopped." in sari.last
    row = chat.store.now(lambda unit: unit.outbox.get(waiting))
    assert row is not None
    assert row.state == "cancelled"


def test_an_answer_that_has_not_left_yet_does_not_name_whoever_hides_meanwhile(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", needs=["beneficial-ownership"])
    ada = chat.joins("Ada", offers=["beneficial-ownership"])
    chat.screens.outcome = lambda envelope: NotSent("no connection")
    bat.says("beneficial ownership")
    chat.screens.outcome = lambda envelope: None
    ada.says("me")
    ada.presses("Who sees me")
    ada.presses("Hidden")
    chat.passes(minutes=10)
    assert "Ada" not in "".join(bat.sees())
    bat.says("beneficial ownership")
    assert "Ada" not in bat.last


def test_a_single_field_is_narrowed_and_undone(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("Each field")
    sari.presses("Topics")
    sari.presses("only me")
    assert "Topics: seen by only me, from now on." in sari.last
    assert not finds(bat, "Sari")
    sari.presses("Undo")
    assert finds(bat, "Sari")


def test_i_see_myself_as_others_do(chat: Chat) -> None:
    sari = chat.joins("Sari", preset=Preset.CAREFUL, organisation="Open Lab", coalitions=["citizens"])
    bat = chat.joins("Bat", coalitions=["citizens"])
    chat.joins("Bob", coalitions=["private-sector"])
    befriend(chat, sari, bat)
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("See myself as")
    sari.presses("Bat")
    assert "Open Lab" in sari.last
    sari.presses("As somebody else")
    sari.presses("Somebody of my coalitions")
    assert "Sari" in sari.last
    assert "Open Lab" not in sari.last
    sari.presses("As somebody else")
    sari.presses("Somebody of the cohort")
    assert "sees nothing of you" in sari.last
    sari.presses("As somebody else")
    sari.presses("Type a name")
    sari.says("Bob")
    assert "sees nothing of you" in sari.last


def test_a_name_that_is_nobody_and_one_that_is_hidden_look_the_same(chat: Chat, sari: Person) -> None:
    chat.joins("Hidden Horst", preset=Preset.HIDDEN)
    said = []
    for name in ("Hidden Horst", "Nobody Nowhere"):
        sari.says("me")
        sari.presses("Keep us apart")
        sari.presses("Add a person")
        sari.says(name)
        said.append(sari.last)
        sari.presses("Cancel")
    assert said[0] == said[1]
    assert "No one found." in said[0]


def test_the_owner_sees_which_facilitator_looked_and_when(chat: Chat, sari: Person) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("Who looked")
    assert "No facilitator has opened your profile" in sari.last
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("List")
    mirela.presses("Sari")
    sari.presses("Back")
    sari.presses("Who looked")
    assert "Mon 23 Nov, 10:00: Mirela" in sari.last


def test_consent_is_taken_back_and_given_again(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("privacy")
    sari.presses("What I agreed to")
    sari.presses("Take back: Introductions")
    assert "Introductions: no, from now on." in sari.last
    assert not finds(bat, "Sari")
    sari.presses("Agree: Introductions")
    assert finds(bat, "Sari")


def test_taking_back_what_all_rests_on_means_leaving(sari: Person) -> None:
    sari.says("privacy")
    sari.presses("What I agreed to")
    sari.presses("Take back: Storage")
    assert "to take it back means to leave" in sari.last
    assert "Yes, leave" in sari.buttons()


def test_two_are_kept_apart_and_the_other_is_not_told(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", topics=["beneficial-ownership"])
    befriend(chat, sari, bat)
    before = len(bat.sees())
    sari.says("me")
    sari.presses("Keep us apart")
    sari.presses("Add a person")
    sari.says("Bat")
    sari.presses("Apart from Bat")
    assert "You and Bat (Indonesia) are kept apart from now on." in sari.last
    assert len(bat.sees()) == before
    assert not finds(bat, "Sari")
    assert not finds(sari, "Bat")
    sari.says("me")
    sari.presses("Keep us apart")
    sari.presses("Remove: Bat")
    assert finds(bat, "Sari")
    assert not chat.store.now(lambda unit: unit.introductions.allies_of(sari.member or 0))


def test_an_open_request_closes_when_two_are_kept_apart(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", topics=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses(sari.buttons()[0])
    assert "Sari" in bat.last
    sari.says("me")
    sari.presses("Keep us apart")
    sari.presses("Add a person")
    sari.says("Bat")
    sari.presses("Apart from Bat")
    assert "Sari" not in bat.last
    assert "closed" in bat.last


def test_a_sector_of_a_country_is_kept_apart(chat: Chat, sari: Person) -> None:
    bob = chat.joins("Bob", topics=["beneficial-ownership"], sector="private_sector", country="ID")
    ana = chat.joins("Ana", topics=["beneficial-ownership"], sector="private_sector", country="PH")
    sari.says("me")
    sari.presses("Keep us apart")
    sari.presses("Add a sector")
    sari.presses("Private sector")
    sari.presses("Indonesia")
    assert "Private sector in Indonesia: kept apart from you from now on." in sari.last
    assert not finds(bob, "Sari")
    assert finds(ana, "Sari")


def test_my_data_is_a_readable_file_without_others(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat Erdene", topics=["beneficial-ownership"])
    befriend(chat, sari, bat)
    bat.says("me")
    bat.presses("Keep us apart")
    bat.presses("Add a person")
    bat.says("Sari")
    bat.presses("Apart from Sari")
    sari.says("beneficial ownership")
    sari.says("mydata")
    name, media_type, made = chat.screens.files[-1]
    assert (name, media_type) == ("kawan-my-data.json", "application/json")
    data = json.loads(made.decode("utf-8"))
    assert "Everything that Reform Asia keeps about you" in data["about this file"]
    assert data["profile"][0]["organisation"] == "Open Lab"
    assert "Bat Erdene" not in made.decode()
    assert "keep_us_apart" not in data
    assert "apart" not in data


def test_a_private_no_is_not_in_the_askers_file(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", topics=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses(sari.buttons()[0])
    sari.says("mydata")
    before = json.loads(chat.screens.files[-1][2])["introduction"]
    bat.presses("No, thank you")
    sari.says("mydata")
    assert json.loads(chat.screens.files[-1][2])["introduction"] == before


def test_leaving_can_be_undone_within_a_day(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("leave")
    assert finds(bat, "Sari")
    sari.presses("Yes, leave")
    assert "I will erase your data tomorrow at 10:00. Type undo before then." in sari.last
    assert not finds(bat, "Sari")
    sari.says("beneficial ownership")
    assert "I will erase your data" in sari.last
    chat.passes(hours=23)
    sari.says("undo")
    assert "You stay." in sari.last
    assert finds(bat, "Sari")
    chat.passes(days=2)
    sari.says("me")
    assert "You: Sari" in sari.last


def test_a_no_to_leaving_says_that_nothing_happened(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("leave")
    sari.says("no")
    assert sari.last == "You stay. Nothing was erased."
    assert finds(bat, "Sari")
    sari.presses("Me")
    assert "You: Sari" in sari.last


def test_after_the_day_everything_is_erased_with_a_receipt(chat: Chat, sari: Person) -> None:
    sari.says("leave")
    sari.presses("Yes, leave")
    chat.passes(days=1)
    assert "Your data is erased" in sari.last
    assert "backups" in sari.last
    sari.says("hello")
    assert "This bot is for invited members" in sari.last
    data = chat.store.now(lambda unit: unit.privacy.own_data(sari.member or 0))
    assert "Sari" not in json.dumps(data, default=str)


def test_leaving_closes_requests_and_stays_quiet(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", topics=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses(sari.buttons()[0])
    sari.says("leave")
    sari.presses("Yes, leave")
    assert "Sari" not in bat.last


def test_the_last_facilitator_cannot_leave_without_another(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    mirela.says("leave")
    assert "You are the only facilitator here" in mirela.last
    assert "Yes, leave" not in mirela.buttons()
    chat.joins("Haruto", role="facilitator")
    mirela.says("leave")
    mirela.presses("Yes, leave")
    assert "I will erase your data" in mirela.last


def test_privacy_says_what_is_kept_and_who_can_read_it(sari: Person) -> None:
    sari.says("privacy")
    assert "Reform Trust, who runs the server in Singapore" in sari.last
    assert "30 days" in sari.last


@pytest.mark.parametrize("audience", [Audience.ME, Audience.FACILITATORS])
def test_hidden_is_a_ceiling_for_single_fields(chat: Chat, audience: Audience) -> None:
    sari = chat.joins("Sari", preset=Preset.HIDDEN, own={"name": audience})
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("Each field")
    assert "nothing is wider than facilitators" in sari.last


def test_who_did_not_agree_to_introductions_sees_that_nobody_finds_them(chat: Chat) -> None:
    sari = chat.joins("Sari", purposes=("profile", "storage"), topics=["open-data"])
    said = "Nobody finds you: you did not agree to introductions."
    sari.says("who sees me")
    assert said in sari.last
    sari.presses("Each field")
    assert said in sari.last
    sari.says("who sees me")
    sari.presses("See myself as")
    sari.presses("Somebody of the cohort")
    assert said in sari.last
    sari.presses("Agree: Introductions")
    sari.says("who sees me")
    assert said not in sari.last
    sari.presses("See myself as")
    sari.presses("Somebody of the cohort")
    assert "sees this of you" in sari.last

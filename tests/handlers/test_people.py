"""What facilitators do with people; each refusal is tested with its permission."""

import pytest

from bot.domain.profiles import Preset
from tests.chat import Chat, Person


@pytest.fixture
def mirela(chat: Chat) -> Person:
    """A facilitator."""
    return chat.joins("Mirela", role="facilitator")


def invite(mirela: Person, name: str = "Dorji", role: str = "Fellow") -> str:
    """Invite somebody; the code."""
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("Invite")
    mirela.says(name)
    mirela.presses("English")
    mirela.presses("Skip")
    mirela.presses(role)
    if role == "Facilitator":
        mirela.presses("Yes, a facilitator")
    return mirela.last.partition("/start ")[2].split()[0]


def test_only_facilitators_manage(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    sari.says("manage")
    assert sari.last == "Only facilitators can do this. To reach them, type help."
    mirela.says("manage")
    assert mirela.buttons() == ["People", "Message", "Check-ins", "Projects"]


def test_a_facilitator_who_is_one_no_longer_presses_in_vain(chat: Chat, mirela: Person) -> None:
    chat.joins("Sari")
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("Invite")
    chat.store.now(lambda unit: unit.members.change(mirela.member or 0, role="fellow"))
    mirela.says("Dorji")
    mirela.presses("English")
    mirela.presses("Skip")
    mirela.presses("Fellow")
    assert "Only facilitators can do this" in mirela.last
    assert not chat.store.now(lambda unit: unit.invites.open_in(chat.cohort, chat.clock.now()))


def test_an_invitation_is_ready_to_forward_and_lets_one_person_in(chat: Chat, mirela: Person) -> None:
    code = invite(mirela)
    assert mirela.last.startswith("Hello Dorji.\nMirela invites you to Reform Asia.")
    assert "until 7 Dec" in mirela.last
    dorji, another = chat.newcomer("dorji"), chat.newcomer("another")
    dorji.says(f"/start {code}")
    assert "You have a personal invitation from Mirela." in dorji.last
    another.says(f"/start {code}")
    assert "That invitation link does not work." in another.last


def test_a_facilitator_is_invited_only_after_a_warning(chat: Chat, mirela: Person) -> None:
    invite(mirela, "Haruto", "Facilitator")
    assert "as facilitator" in mirela.sees()[-2]
    found = chat.store.now(lambda unit: unit.invites.open_in(chat.cohort, chat.clock.now()))
    assert [one.role for one in found] == ["facilitator"]


def test_an_invitation_is_extended_and_revoked(chat: Chat, mirela: Person) -> None:
    code = invite(mirela)
    chat.passes(days=10)
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("Open invitations (1)")
    mirela.presses("Dorji")
    mirela.presses("Extend")
    assert "until Thu 17 Dec" in mirela.last
    chat.passes(days=10)
    mirela.presses("Revoke")
    assert "Revoked, for Dorji." in mirela.last
    dorji = chat.newcomer("dorji")
    dorji.says(f"/start {code}")
    assert "That invitation link does not work." in dorji.last


def test_the_list_shows_ten_people_with_their_state(chat: Chat, mirela: Person) -> None:
    people = [chat.joins(f"Fellow {n}") for n in range(11)]
    people[0].says("away until 7 Dec")
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("List")
    assert "Fellow 0 (Indonesia): away" in mirela.last
    assert len(mirela.last.splitlines()) == 10
    mirela.presses("More")
    assert "Fellow 10 (Indonesia): here" in mirela.last


def test_a_new_link_closes_the_old_account_and_older_links(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    codes = []
    for _ in range(2):
        mirela.says("manage")
        mirela.presses("People")
        mirela.presses("List")
        mirela.presses("Sari")
        mirela.presses("New link for them")
        codes.append(mirela.last.partition("/start ")[2].split()[0])
    assert "A facilitator made a new link for your account." in sari.last
    phone = chat.newcomer("sari_new_phone")
    phone.says(f"/start {codes[0]}")
    assert "That invitation link does not work." in phone.last
    phone.says(f"/start {codes[1]}")
    assert "Welcome back" in phone.last
    sari.says("me")
    assert "This bot is for invited members" in sari.last


def test_locking_asks_for_a_yes_and_hides_at_once(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari", topics=["beneficial-ownership"])
    bat = chat.joins("Bat")
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("List")
    mirela.presses("Sari")
    mirela.presses("Lock now")
    sari.says("me")
    assert "You: Sari" in sari.last
    mirela.presses("Yes, lock")
    assert "Sari is hidden and locked from now on." in mirela.last
    bat.says("beneficial ownership")
    assert "Sari" not in bat.last
    sari.says("me")
    assert "This bot is for invited members" in sari.last


def test_locking_a_facilitator_is_told_to_the_others(chat: Chat, mirela: Person) -> None:
    chat.joins("Haruto", role="facilitator")
    third = chat.joins("Anong", role="facilitator")
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("List")
    mirela.presses("Haruto")
    mirela.presses("Lock now")
    mirela.presses("Yes, lock")
    assert "Mirela locked the account of Haruto." in third.sees()


def test_a_facilitator_sees_nobody_of_another_cohort(chat: Chat, mirela: Person) -> None:
    other = chat.store.now(lambda unit: unit.members.add_cohort("other", "Other", "en", "Asia/Bangkok"))
    chat.joins("Elsewhere", cohort=other)
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("List")
    assert "Elsewhere" not in mirela.last


def test_a_facilitator_finds_everybody_by_name_and_a_fellow_does_not(chat: Chat, mirela: Person) -> None:
    lotus = chat.joins("Lotus Hidden", preset=Preset.HIDDEN)
    sari = chat.joins("Sari")
    bat = chat.joins("Bat")
    sari.says("safe")
    for name, state in (("Lotus", "here"), ("Sari", "locked")):
        mirela.says(name)
        assert f"(Indonesia): {state}" in mirela.last
        bat.says(name)
        assert "No one found." in bat.last
    mirela.presses("Sari")
    assert "State: locked" in mirela.last
    assert lotus.sees() == []


def test_a_facilitator_finds_nobody_of_another_cohort_by_name(chat: Chat, mirela: Person) -> None:
    other = chat.store.now(lambda unit: unit.members.add_cohort("other", "Other", "en", "Asia/Bangkok"))
    chat.joins("Elsewhere", cohort=other)
    mirela.says("Elsewhere")
    assert "No one found." in mirela.last


def test_a_name_that_is_also_a_word_can_still_be_searched(chat: Chat, mirela: Person) -> None:
    chat.joins("Data Nugroho")
    chat.joins("Bat", country="MN", offers=["open-data"])
    mirela.says("data")
    assert "Data Nugroho (Indonesia): here" in mirela.last
    mirela.presses("Search instead")
    assert "Data Nugroho (Indonesia): here" not in mirela.last


def test_locked_people_come_first_in_the_list_and_everybody_comes_once(chat: Chat, mirela: Person) -> None:
    people = [chat.joins(f"Fellow {n}x") for n in range(24)]
    for person in people[9:21]:
        person.says("safe")
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("List")
    seen = mirela.last.splitlines()
    assert all(line.endswith(": locked") for line in seen)
    for _ in range(2):
        mirela.presses("More")
        seen += mirela.last.splitlines()
    assert "More" not in mirela.buttons()
    assert [line.endswith("locked") for line in seen] == [True] * 12 + [False] * 13
    assert len(set(seen)) == 25


def test_the_safety_notice_has_the_new_link(chat: Chat, mirela: Person) -> None:
    sari = chat.joins("Sari")
    sari.says("safe")
    mirela.presses("New link for Sari")
    code = mirela.last.partition("/start ")[2].split()[0]
    sari.says(f"/start {code}")
    assert "Welcome back" in sari.last


def test_extending_a_fresh_invitation_says_that_it_lasts_already(chat: Chat, mirela: Person) -> None:
    invite(mirela)
    mirela.presses("Extend")
    assert "It already lasts until Mon 7 Dec." in mirela.sees()

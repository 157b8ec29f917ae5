"""One person in two apps, on the platforms' own ways of writing and showing; each refusal with its permission."""

from datetime import timedelta

import pytest

from bot.core.adapter import Envelope, Outcome, Unreachable
from bot.core.ids import code_hash
from storage import Store
from tests.adapters.slack_platform import Slack
from tests.adapters.telegram_platform import OnTelegram
from tests.chat import Chat, Person
from tests.test_access import press


@pytest.fixture
def telegram() -> OnTelegram:
    return OnTelegram()


@pytest.fixture
def chat(store: Store, telegram: OnTelegram) -> Chat:
    """People are on Slack, and may be on Telegram too."""
    chat = Chat(store, Slack(), beside=[telegram])
    chat.programme.links.update(slack="start {code}", telegram="https://t.me/kawan_bot?start={code}")
    return chat


@pytest.fixture
def sari(chat: Chat) -> Person:
    return chat.joins("Sari", offers=["beneficial-ownership"])


@pytest.fixture
def phone(chat: Chat, telegram: OnTelegram, sari: Person) -> Person:
    """Sari on Telegram, not linked yet."""
    return chat.newcomer("sari on her phone", on=telegram)


def code_of(who: Person) -> str:
    """Ask for a code."""
    who.says("me")
    who.presses("My other app")
    return who.last.partition("app: start ")[2].split()[0]


def linked(sari: Person, phone: Person) -> None:
    phone.says(f"/start {code_of(sari)}")


def accounts(chat: Chat, who: Person) -> list[tuple[str, bool]]:
    number = who.member
    assert number is not None
    found = chat.store.now(lambda unit: unit.members.accounts(number))
    return [(one.platform, one.preferred) for one in found]


def writes_to(chat: Chat, who: Person) -> str:
    """The platform of what the bot writes first."""
    number = who.member
    assert number is not None
    found = chat.store.now(lambda unit: unit.members.where(number))
    assert found is not None
    return found.platform


def asks(chat: Chat, *, settle: bool = True) -> None:
    """Bat finds Sari and asks to meet."""
    bat = chat.joins("Bat", country="MN")
    bat.says("beneficial ownership")
    bat.presses("Meet Sari")
    chat.happens(bat.platform.presses(chat.count(), bat, bat.handle_of("Send")), settle=settle)


def test_a_code_makes_both_apps_one_person(chat: Chat, sari: Person, phone: Person) -> None:
    code = code_of(sari)
    assert f"Telegram: https://t.me/kawan_bot?start={code}" in sari.last
    assert "Slack:" not in sari.last
    phone.says(f"/start {code}")
    assert phone.last == "Done. Here you are Sari too.\nWhere shall I write to you first?"
    assert phone.buttons() == ["Slack", "Telegram"]
    assert "Your other app is linked now: Telegram. If that was not you" in sari.last
    assert accounts(chat, sari) == [("slack", True), ("telegram", False)]
    phone.says("me")
    assert "You: Sari" in phone.last
    sari.says("me")
    assert "You: Sari" in sari.last


def test_the_bot_writes_where_the_person_chose(chat: Chat, sari: Person, phone: Person) -> None:
    linked(sari, phone)
    assert writes_to(chat, sari) == "slack"
    phone.presses("Telegram")
    assert phone.last == "All right.\nI write to you first on Telegram."
    assert writes_to(chat, sari) == "telegram"
    sari.says("link")
    sari.presses("Write to me on Slack")
    assert writes_to(chat, sari) == "slack"


def test_unreachable_in_one_app_the_message_goes_to_the_other(chat: Chat, sari: Person, phone: Person) -> None:
    linked(sari, phone)

    def blocked(envelope: Envelope) -> Outcome | None:
        return Unreachable("blocked") if envelope.address == sari.address else None

    chat.screens.outcome = blocked
    on_screen = len(sari.sees())
    asks(chat)
    assert "Bat (Mongolia) would like to meet you." in phone.last
    assert len(sari.sees()) == on_screen


def test_a_code_works_once(chat: Chat, telegram: OnTelegram, sari: Person, phone: Person) -> None:
    code = code_of(sari)
    phone.says(f"/start {code}")
    thief = chat.newcomer("thief", on=telegram)
    thief.says(f"/start {code}")
    assert "That invitation link does not work." in thief.last
    assert len(accounts(chat, sari)) == 2


def test_a_code_works_for_an_hour(chat: Chat, telegram: OnTelegram, sari: Person, phone: Person) -> None:
    code = code_of(sari)
    chat.passes(minutes=61)
    phone.says(f"/start {code}")
    assert "That invitation link does not work." in phone.last
    phone.says(f"/start {code_of(sari)}")
    assert "Here you are Sari too." in phone.last


def test_a_new_code_ends_the_older_one_but_not_a_facilitators_link(chat: Chat, sari: Person, phone: Person) -> None:
    number, until = sari.member, chat.clock.now() + timedelta(days=14)
    given = chat.ids.code()
    boss = chat.joins("Mirela", role="facilitator").member
    chat.store.now(
        lambda unit: unit.invites.add(
            chat.cohort, code_hash(given), "fellow", chat.clock.now(), until, invited_by=boss, for_member=number
        )
    )
    old, new = code_of(sari), code_of(sari)
    phone.says(f"/start {old}")
    assert "That invitation link does not work." in phone.last
    now = chat.clock.now()
    works = chat.store.now(lambda unit: [bool(unit.invites.find(code_hash(one), now)) for one in (old, new, given)])
    assert works == [False, True, True]


@pytest.mark.parametrize("state", ["locked", "leaving", "left"])
def test_a_code_opens_nobody_who_is_not_there(chat: Chat, sari: Person, phone: Person, state: str) -> None:
    code, number = code_of(sari), sari.member
    assert number is not None
    chat.store.now(lambda unit: unit.members.change(number, state=state))
    phone.says(f"/start {code}")
    assert "That invitation link does not work." in phone.last
    chat.store.now(lambda unit: unit.members.change(number, state="active"))
    phone.says(f"/start {code}")
    assert "Here you are Sari too." in phone.last


def test_a_code_moves_no_account_that_is_locked(chat: Chat, sari: Person) -> None:
    locked = chat.joins("Bat")
    number = locked.member
    assert number is not None
    chat.store.now(lambda unit: unit.members.change(number, state="locked"))
    locked.says(f"/start {code_of(sari)}")
    assert "That invitation link does not work." in locked.last
    assert [name for name, _ in accounts(chat, sari)] == ["slack"]


def test_somebody_with_a_profile_of_their_own_is_told_what_to_do(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    bat.says(f"/start {code_of(sari)}")
    assert bat.last.startswith("You have a profile of your own here.")
    bat.says(f"/start {chat.ids.code()}")
    assert bat.last.startswith("You are in.")
    assert len(accounts(chat, sari)) == 1


def test_a_third_account_is_refused(chat: Chat, telegram: OnTelegram, sari: Person, phone: Person) -> None:
    first = code_of(sari)
    phone.says(f"/start {first}")
    number = sari.member
    code = chat.ids.code()
    now = chat.clock.now()
    chat.store.now(
        lambda unit: unit.invites.add(
            chat.cohort, code_hash(code), "fellow", now, now + timedelta(hours=1), prefilled={"link": True},
            invited_by=number, for_member=number,
        )
    )  # fmt: skip
    third = chat.newcomer("third", on=telegram)
    third.says(f"/start {code}")
    assert "That invitation link does not work." in third.last
    sari.says("link")
    assert "start " not in sari.last


def test_the_other_app_is_forgotten_after_a_yes_and_is_told(chat: Chat, sari: Person, phone: Person) -> None:
    linked(sari, phone)
    phone.presses("Telegram")
    sari.presses("Forget the other app")
    assert sari.last == "Forget Telegram? I will not know you there, until you link it again."
    assert len(accounts(chat, sari)) == 2
    sari.presses("Yes, forget it")
    assert sari.last == "Forgotten: Telegram. From now on I write to you here only."
    assert "This app is no longer linked." in phone.last
    assert accounts(chat, sari) == [("slack", True)]
    phone.says("me")
    assert phone.last.startswith("Hello. This bot is for invited members.")
    sari.says("link")
    assert "Write this to the bot in your other app: start " in sari.last


def test_what_waits_for_the_forgotten_app_comes_here(chat: Chat, sari: Person, phone: Person) -> None:
    linked(sari, phone)
    phone.presses("Telegram")
    sari.says("link")
    number = sari.member
    assert number is not None
    other = chat.store.now(lambda unit: unit.members.accounts(number))[1].id
    asks(chat, settle=False)
    seen = len(phone.sees())
    press(chat, sari, "linking.forgotten", str(other))
    assert any("Bat (Mongolia) would like to meet you." in text for text in sari.sees())
    assert not any("Bat" in text for text in phone.sees()[seen:])


@pytest.mark.parametrize("action", ["linking.prefer", "linking.forgotten"])
def test_nobody_touches_an_account_of_somebody_else(chat: Chat, sari: Person, phone: Person, action: str) -> None:
    linked(sari, phone)
    thief, number = chat.joins("Bat"), sari.member
    assert number is not None
    before = accounts(chat, sari)
    for one in chat.store.now(lambda unit: unit.members.accounts(number)):
        press(chat, thief, action, str(one.id))
    assert accounts(chat, sari) == before


def test_facilitators_do_not_see_codes_for_another_app(chat: Chat, sari: Person) -> None:
    code_of(sari)
    assert chat.store.now(lambda unit: unit.invites.open_in(chat.cohort, chat.clock.now())) == []


def test_two_accounts_on_one_platform_are_told_apart(chat: Chat, sari: Person) -> None:
    second = chat.newcomer("sari again")
    second.says(f"/start {code_of(sari)}")
    assert second.buttons() == ["Slack, the other account", "Slack, here"]


def test_a_forgotten_app_is_not_written_to_again_not_even_to_change_a_message(
    chat: Chat, sari: Person, phone: Person
) -> None:
    linked(sari, phone)
    phone.presses("Telegram")
    asks(chat)
    assert "Bat (Mongolia) would like to meet you." in phone.last
    sari.says("link")
    sari.presses("Forget the other app")
    sari.presses("Yes, forget it")
    on_phone = phone.sees()
    chat.passes(days=8)  # the request closes, and its message would say so
    assert phone.sees() == on_phone
    assert any("is closed" in text for text in sari.sees())


def test_a_typed_yes_is_no_answer_to_what_only_the_other_app_shows(chat: Chat, sari: Person, phone: Person) -> None:
    linked(sari, phone)
    asks(chat)
    sari.says("yes")
    assert sari.last.startswith("Do you mean this?")
    phone.says("yes")
    assert phone.last.startswith("Do you mean this?")
    phone.says("yes")
    assert phone.last.startswith("You and Bat")

"""What an attacker and a bad day found once, and may not find again."""

import pytest
import sqlalchemy as sa

from bot.app import build
from bot.domain.profiles import Audience, Preset
from storage import UnitOfWork
from storage.members import account
from storage.outbox import outbox
from storage.privacy import Privacy
from tests.chat import Chat, Person


def state(chat: Chat, who: Person) -> str:
    """What the database says of somebody."""
    number = who.member
    assert number is not None
    found = chat.store.now(lambda unit: unit.members.recall(number))
    assert found is not None
    return found.state


def ask(asker: Person, name: str = "Bat") -> None:
    """Search, preview, send."""
    asker.says("beneficial ownership")
    asker.presses(f"Meet {name}")
    asker.presses("Send")


def leave(who: Person) -> None:
    who.says("leave")
    who.presses("Yes, leave")


@pytest.fixture
def pair(chat: Chat) -> tuple[Person, Person]:
    return chat.joins("Sari"), chat.joins("Bat", country="MN", offers=["beneficial-ownership"])


def test_safe_is_never_turned_away_by_the_limit(chat: Chat) -> None:
    chat.kawan = build(chat.store, chat.programme, [chat.screens], clock=chat.clock, ids=chat.ids, a_minute=20)
    sari = chat.joins("Sari")
    for _ in range(25):
        sari.says("help")
    sari.says("safe")
    assert state(chat, sari) == "locked"


def test_a_promised_erasure_happens_also_after_safe(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, _ = pair
    leave(sari)
    sari.says("safe")
    chat.passes(days=3)
    assert state(chat, sari) == "left"


def test_an_erasure_that_fails_once_is_tried_again(
    chat: Chat, pair: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    sari, _ = pair
    leave(sari)
    erase = Privacy.erase
    tries: list[int] = []

    def fails_once(self: Privacy, number: int) -> None:
        tries.append(number)
        if len(tries) == 1:
            raise RuntimeError("the disk")
        erase(self, number)

    monkeypatch.setattr(Privacy, "erase", fails_once)
    chat.passes(days=1, hours=1)
    assert state(chat, sari) == "leaving"
    chat.passes(hours=2)
    assert state(chat, sari) == "left"


@pytest.mark.parametrize("name", ["Mirela (facilitator)", "Fasilitator Sari", "Kawan Admin", "ФaciIitatоr facilitator"])
def test_nobody_wears_the_badge_of_the_staff(chat: Chat, name: str) -> None:
    chat.joins("Mirela", role="facilitator")
    sari = chat.joins("Sari")
    sari.says("me")
    sari.presses("Change")
    sari.presses("Name")
    sari.says(name)
    assert "looks too much like another name" in sari.last


def test_the_asker_hears_on_day_seven_also_of_somebody_who_was_erased(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    ask(sari)
    leave(bat)
    chat.passes(days=9)
    assert "did not come together" in "".join(sari.sees())


def test_who_was_away_without_an_end_comes_back_away(chat: Chat, pair: tuple[Person, Person]) -> None:
    _, bat = pair
    bat.says("stop")
    bat.presses("Until I come back")
    leave(bat)
    bat.says("undo")
    assert state(chat, bat) == "paused"


def test_a_stopped_request_names_nobody_in_its_reminder(chat: Chat) -> None:
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    for name in ("Ana", "Ben"):
        ask(chat.joins(name))
    sari = chat.joins("Sari")
    ask(sari)
    sari.says("privacy")
    sari.presses("Who sees me")
    sari.presses("Hidden")
    for _ in range(14):
        chat.passes(days=1)
    assert "Sari" not in "".join(bat.sees())


def test_withdrawing_and_asking_again_does_not_reach_the_same_person_twice(
    chat: Chat, pair: tuple[Person, Person]
) -> None:
    sari, bat = pair
    ask(sari)
    bat.presses("No, thank you")
    sari.presses("Withdraw")
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    assert "not long ago" in sari.last
    assert "Send" not in sari.buttons()


def test_safe_while_joining_keeps_nothing(chat: Chat) -> None:
    new = chat.newcomer("New")
    new.says(f"/start {chat.invites()}")
    new.presses("English")
    new.says("safe")
    assert new.last == "OK."
    new.says("hello")
    assert "invited members" in new.last


def test_what_others_read_of_a_need_is_one_short_line(chat: Chat) -> None:
    new = chat.newcomer("New")
    new.says(f"/start {chat.invites()}")
    for label in ("English", "Agree"):
        new.presses(label)
    new.says("New")
    new.presses("Neither")
    new.presses("Citizens")
    new.presses("Done")
    new.says("beneficial ownership\n\nMirela (facilitator)\n· writes to all")
    sari = chat.joins("Sari")
    sari.says("beneficial ownership")
    assert "\nMirela (facilitator)" not in sari.last


def test_a_news_of_somebody_is_read_on_the_morning_it_is_told(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("beneficial ownership")
    sari.presses("Tell me when somebody joins")
    new = chat.newcomer("Nomin")
    new.says(f"/start {chat.invites()}")
    for label in ("English", "Agree"):
        new.presses(label)
    new.says("Nomin")
    new.presses("Neither")
    new.presses("Citizens")
    new.presses("Done")
    new.says("beneficial ownership")
    new.says("privacy")
    new.presses("Who sees me")
    new.presses("Hidden")
    chat.passes(days=2)
    assert "Nomin" not in "".join(sari.sees())


def test_a_label_that_was_not_seen_yet_is_no_button(chat: Chat) -> None:
    askers = [chat.joins(name) for name in ("Ana", "Ben", "Cai")]
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    for asker in askers:
        ask(asker)
    bat.presses("No, thank you")
    bat.says("allies")
    bat.says("Yes, put us in touch")
    assert "in touch now" not in "".join(askers[2].sees())


def test_a_yes_while_the_asker_is_away_counts(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    ask(sari)
    sari.says("stop")
    sari.presses("1 week")
    bat.presses("Yes")
    assert "are in touch now" in bat.last


def test_a_card_says_nothing_of_the_asker_that_the_other_may_not_see(chat: Chat) -> None:
    only_me = dict.fromkeys(("languages", "coalitions"), Audience.ME)
    sari = chat.joins("Sari", own=dict(only_me))
    chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    assert "You share" not in sari.last


@pytest.mark.parametrize(("name", "safe"), [("Aman", "safe"), ("LIGTAS", "Safe !!"), ("Sekar", "аюулгүй")])
def test_somebody_may_be_called_what_is_safe_in_another_language(chat: Chat, name: str, safe: str) -> None:
    new = chat.newcomer("New")
    new.says(f"/start {chat.invites()}")
    for label in ("English", "Agree"):
        new.presses(label)
    new.says(name)
    assert "2 of" in new.last
    new.says("back")
    new.says(safe)
    assert new.last == "OK."


def test_a_report_to_somebody_who_was_locked_is_not_said_to_be_given(chat: Chat, pair: tuple[Person, Person]) -> None:
    mirela, olga = chat.joins("Mirela", role="facilitator"), chat.joins("Olga", role="facilitator")
    sari, _ = pair
    sari.says("report")
    sari.presses("Mirela")
    sari.says("Bat")
    chat.store.now(lambda unit: unit.members.change(mirela.member or 0, state="locked"))
    sari.says("He shouted at me.")
    assert "I gave it to nobody" in "".join(sari.sees())
    assert "Given to Mirela" not in "".join(sari.sees())
    assert "shouted" not in "".join(mirela.sees())
    assert "Mirela" not in sari.buttons()
    sari.presses("Olga")
    assert "Given to Olga" in sari.last
    assert "shouted" in olga.last


def test_in_danger_nobody_is_named_as_told_who_cannot_be(chat: Chat) -> None:
    olga = chat.joins("Olga", role="facilitator")
    sari = chat.joins("Sari")
    sari.says("I am in danger")
    gone = sa.delete(account).where(account.c.member_id == olga.member)
    chat.store.now(lambda unit: unit.connection.execute(gone).close())
    sari.presses("Tell a facilitator")
    assert "no facilitator whom I could tell" in sari.last


def narrow(chat: Chat, who: Person, **fields: Audience) -> None:
    """Show less, as by single settings."""

    def job(unit: UnitOfWork) -> None:
        found = unit.members.recall(who.member or 0)
        assert found is not None
        unit.profiles.set_visibility(found.cohort_id, found.id, fields)

    chat.store.now(job)


def test_a_reminder_says_nothing_that_the_asker_shows_no_more(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    ask(sari)
    assert "Indonesia" in bat.last
    narrow(chat, sari, country=Audience.ME, languages=Audience.ME, coalitions=Audience.ME)
    chat.passes(days=4)
    assert "A reminder" in bat.last
    assert "Indonesia" not in bat.last
    assert "You share" not in bat.last


def bodies(chat: Chat, about: str) -> list[str]:
    """Every message that is kept and says this."""
    query = sa.select(outbox.c.body)
    kept = chat.store.now(lambda unit: [str(body) for body in unit.connection.scalars(query) if body])
    return [body for body in kept if about in body]


def test_what_a_search_said_of_somebody_goes_with_them(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.says("beneficial ownership")
    assert bodies(chat, "Bat")
    leave(bat)
    chat.passes(days=2)
    assert state(chat, bat) == "left"
    assert not bodies(chat, "Bat")


def test_seeing_oneself_as_somebody_tells_nothing_of_their_coalitions(chat: Chat) -> None:
    sari = chat.joins("Sari", coalitions=["citizens"], preset=Preset.CAREFUL)
    own = {"coalitions": Audience.ME, "name": Audience.COHORT, "topics": Audience.COHORT}
    answers = []
    for name, coalition in (("Batbold", "citizens"), ("Batsaikhan", "donors-agencies")):
        chat.joins(name, own=dict(own), coalitions=[coalition])
        sari.says("privacy")
        for label in ("Who sees me", "See myself as", "Type a name"):
            sari.presses(label)
        sari.says(name)
        answers.append(sari.last.replace(name, "…"))
    assert answers[0] == answers[1]

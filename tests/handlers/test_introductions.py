"""Meeting: a preview, two private yeses, and a no that nobody can tell from silence."""

import pytest
import sqlalchemy as sa

from bot.domain.profiles import Preset
from storage.outbox import outbox
from tests.chat import Chat, Person


def pair(chat: Chat) -> tuple[Person, Person]:
    """One who needs, one who offers."""
    sari = chat.joins("Sari", country="ID", needs=["beneficial-ownership"], topics=["open-data"])
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"], topics=["open-data"])
    return sari, bat


def ask(sari: Person, text: str = "beneficial ownership", name: str = "Bat") -> None:
    """Search, preview, send."""
    sari.says(text)
    sari.presses(f"Meet {name}")
    sari.presses("Send")


def test_a_fellow_asks_to_meet_an_ally(chat: Chat) -> None:
    sari, bat = pair(chat)
    sari.says("beneficial ownership")
    assert "offers" in sari.last
    sari.presses("Meet Bat")
    previewed = sari.last.split("\n\n")[1]
    assert bat.sees() == []
    sari.presses("Send")
    assert previewed in bat.last
    bat.presses("Yes")
    assert "You and Sari (Indonesia) are in touch now." in bat.last
    assert "You and Bat (Mongolia) are in touch now." in sari.last
    assert "Sari" in "".join(text for text in _allies(bat))


def _allies(person: Person) -> list[str]:
    person.says("allies")
    return person.sees()


def test_from_the_second_day_help_is_one_line_and_one_tap_away(chat: Chat) -> None:
    sari, _ = pair(chat)
    chat.passes(days=1)
    sari.says("who can help with beneficial ownership?")
    sari.presses("Meet Bat")
    assert "Bat" in sari.last


def screens_after(chat: Chat, reaction: str) -> list[str]:
    """Everything that the asker sees in ten days, if the other says no, or nothing."""
    sari, bat = pair(chat)
    chat.joins("Liza", country="PH", offers=["beneficial-ownership"])
    chat.joins("Tuul", country="MN", offers=["beneficial-ownership"])
    ask(sari)
    if reaction == "no":
        bat.presses("No, thank you")
    seen = []
    for _ in range(10):
        chat.passes(days=1)
        sari.says("allies")
        if "Requests" in sari.buttons():
            sari.presses("Requests")
        seen.append("\n".join(sari.sees()))
    return seen


def test_a_no_and_silence_look_the_same(chat: Chat, another_chat: Chat) -> None:
    said_no, said_nothing = screens_after(chat, "no"), screens_after(another_chat, "silence")
    assert said_no == said_nothing
    assert "It did not come together with Bat this time." in said_no[-1]
    assert "It did not come together" not in said_no[5]


def test_the_close_offers_two_other_names(chat: Chat) -> None:
    sari, _ = pair(chat)
    chat.joins("Liza", country="PH", offers=["beneficial-ownership"])
    chat.joins("Tuul", country="MN", offers=["beneficial-ownership"])
    ask(sari)
    chat.passes(days=8)
    assert {"Meet Liza", "Meet Tuul"} <= set(sari.buttons())


def test_one_reminder_on_day_three_and_no_other(chat: Chat) -> None:
    sari, bat = pair(chat)
    ask(sari)
    for day in range(1, 7):
        chat.passes(days=1)
        assert len(bat.sees()) == (1 if day < 3 else 2), day
    assert "A reminder, the only one" in bat.last


def test_withdrawing_closes_it_for_both(chat: Chat) -> None:
    sari, bat = pair(chat)
    ask(sari)
    sari.presses("Withdraw")
    assert "Taken back" in sari.last
    assert bat.last == "This request is closed. There is nothing for you to do."
    chat.passes(days=8)
    assert "come together" not in "".join(sari.sees())


def test_at_most_three_requests_are_open(chat: Chat) -> None:
    sari = chat.joins("Sari")
    for name in ("Bat", "Dor", "Gan", "Naran"):
        chat.joins(name, country="MN", offers=["beneficial-ownership"])
    for name in ("Bat", "Dor", "Gan"):
        ask(sari, name=name)
    sari.says("beneficial ownership")
    sari.presses("Meet Naran")
    assert "three open requests" in sari.last
    sari.presses("Requests")
    sari.presses("Withdraw: Bat")
    sari.says("beneficial ownership")
    sari.presses("Meet Naran")
    assert "Pressing Send is your yes" in sari.last


def test_a_third_new_request_in_a_week_waits(chat: Chat) -> None:
    askers = [chat.joins(name) for name in ("Ana", "Ben", "Cai")]
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    for asker in askers:
        ask(asker)
    assert len(bat.sees()) == 2
    chat.passes(days=7)
    assert any("Cai" in text for text in bat.sees())


def test_a_request_waits_for_the_day_and_takes_nothing_from_the_weeks_three(chat: Chat) -> None:
    sari, bat = pair(chat)
    chat.passes(hours=12)  # 22:00 in Jakarta, later in Ulaanbaatar
    ask(sari)
    assert bat.sees() == []
    chat.passes(hours=10)
    assert "would like to meet you" in bat.last
    chat.passes(days=9)  # the reminder, and the close for the one who asked
    assert "It did not come together with Bat" in sari.last
    counted = sa.select(sa.func.count()).where(outbox.c.member_id.in_([sari.member, bat.member]), outbox.c.counted)
    assert chat.store.now(lambda unit: unit.connection.scalar(counted)) == 0


def test_pressing_send_twice_asks_once(chat: Chat) -> None:
    sari, bat = pair(chat)
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    handle = sari.handle_of("Send")
    chat.happens(chat.platform.presses(chat.count(), sari, handle))
    chat.happens(chat.platform.presses(chat.count(), sari, handle))
    assert len(bat.sees()) == 1


def test_who_asks_one_that_has_asked_them_answers_instead(chat: Chat) -> None:
    sari, bat = pair(chat)
    chat.joins  # noqa: B018
    ask(sari)
    bat.says("open data")
    bat.presses("Meet Sari")
    bat.presses("Yes")
    assert "are in touch now" in bat.last
    assert "are in touch now" in sari.last


def test_buyers_and_bidders_of_one_country_do_not_find_each_other_but_those_of_two_do(chat: Chat) -> None:
    buyer = chat.joins("Dimas", country="ID", side="buyer", offers=["beneficial-ownership"])
    bidder = chat.joins("Wayan", country="ID", side="bidder")
    abroad = chat.joins("Tess", country="PH", side="bidder")
    bidder.says("beneficial ownership")
    assert "Dimas" not in bidder.last
    abroad.says("beneficial ownership")
    assert "Dimas" in abroad.last
    assert buyer.sees() == []


def test_a_hidden_fellow_can_ask_and_shows_only_what_the_card_shows(chat: Chat) -> None:
    lotus = chat.joins("Lotus", preset=Preset.HIDDEN, other_name="Seven", organisation="(withheld)")
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    ask(lotus)
    assert "Seven would like to meet you" in bat.last
    assert "Indonesia" not in bat.last
    bat.presses("No, thank you")
    bat.says("Seven")
    assert "No one found." in bat.last


def test_a_contact_is_shared_by_ones_own_tap_only(chat: Chat) -> None:
    sari, bat = pair(chat)
    ask(sari)
    bat.presses("Yes")
    sari.presses("Share my contact")
    sari.says("sari@example.org")
    assert "Sari shares with you: sari@example.org" in bat.last
    assert "Passed on to Bat." in sari.last


def test_who_hides_before_a_waiting_request_leaves_is_not_named_by_it(chat: Chat) -> None:
    askers = [chat.joins(name) for name in ("Ana", "Ben", "Cai")]
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    for asker in askers:
        ask(asker)
    askers[2].says("safe")
    chat.passes(days=8)
    assert "Cai" not in "".join(bat.sees())


@pytest.mark.parametrize(
    ("typed", "then"), [("yes", "You and Sari (Indonesia) are in touch now."), ("no", "All right. Nobody is told,")]
)
def test_a_typed_yes_or_no_shows_the_one_request_and_typed_again_decides_on_it(
    chat: Chat, typed: str, then: str
) -> None:
    sari, bat = pair(chat)
    ask(sari)
    bat.says(typed)
    assert bat.last.startswith("Do you mean this?\n\nSari (Indonesia) would like to meet you.")
    assert "in touch" not in sari.last
    bat.says(typed)
    assert bat.last.startswith(then)
    assert ("in touch" in sari.last) is (typed == "yes")
    bat.says(typed)
    assert "I have no open question for you." in bat.last


def test_a_yes_is_never_taken_for_a_request_that_came_after_what_it_answers(chat: Chat) -> None:
    sari, bat = pair(chat)
    ask(sari)
    bat.says("yes")
    bat.presses("No, thank you")
    ask(chat.joins("Liza", country="PH"))
    bat.says("yes")
    assert bat.last.startswith("Do you mean this?\n\nLiza")


def test_a_typed_yes_with_several_requests_shows_them_all(chat: Chat) -> None:
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    for name in ("Ana", "Ben"):
        ask(chat.joins(name))
    bat.says("yes")
    assert {"Look: Ana", "Look: Ben"} <= set(bat.buttons())


@pytest.mark.parametrize("typed", ["yes", "no", "ok", "ya", "tidak"])
def test_a_typed_yes_or_no_that_answers_nothing_is_no_search(chat: Chat, typed: str) -> None:
    sari, _ = pair(chat)
    sari.says(typed)
    assert "I have no open question for you." in sari.last
    assert "No one found." not in sari.last


def test_a_typed_yes_never_presses_what_erases(chat: Chat) -> None:
    sari, _ = pair(chat)
    sari.says("leave")
    sari.says("yes")
    assert sari.last == "To be sure: please press “Yes, leave”, or type it."
    sari.says("no")
    assert sari.last == "You stay. Nothing was erased."
    sari.says("leave")
    sari.says("yes")
    sari.says("Yes, leave")
    assert sari.last.startswith("I will erase your data tomorrow")


def test_undo_after_sending_names_the_request_and_offers_to_withdraw(chat: Chat) -> None:
    sari, bat = pair(chat)
    ask(sari)
    sari.says("undo")
    assert sari.last.startswith("You asked to meet Bat.")
    sari.presses("Withdraw")
    assert "Taken back" in sari.last
    assert bat.last == "This request is closed. There is nothing for you to do."
    sari.says("undo")
    assert "There is nothing to undo." in sari.last


@pytest.mark.parametrize("way", ["safe", "leave"])
def test_who_was_asked_is_told_once_that_it_is_over_when_the_asker_goes(chat: Chat, way: str) -> None:
    sari, bat = pair(chat)
    ask(sari)
    sari.says(way)
    if way == "leave":
        sari.presses("Yes, leave")
    chat.passes(days=8)
    assert bat.sees() == ["This request is closed. There is nothing for you to do."]
    bat.says("yes")
    assert "I have no open question for you." in bat.last


def test_an_asker_who_is_away_on_day_seven_hears_of_it_when_they_are_back(chat: Chat) -> None:
    sari, bat = pair(chat)
    ask(sari)
    sari.says("away until 10 Dec")
    chat.passes(days=9)
    assert bat.last == "This request is closed. There is nothing for you to do."
    assert "It did not come together" not in "".join(sari.sees())
    chat.passes(days=9)
    assert "It did not come together with Bat this time." in "".join(sari.sees())


def test_who_hides_before_a_request_has_left_reads_which_one_and_can_ask_again(chat: Chat) -> None:
    sari, bat = pair(chat)
    chat.passes(hours=12)  # 22:00 in Jakarta
    ask(sari)
    sari.says("who sees me")
    sari.presses("Hidden")
    assert "Your request to meet Bat had not left yet. It is taken back; you can ask again." in sari.last
    assert "waited to be sent" not in sari.last
    chat.passes(days=8, hours=14)
    assert bat.sees() == []
    assert "It did not come together" not in "".join(sari.sees())
    ask(sari)
    assert "would like to meet you" in bat.last

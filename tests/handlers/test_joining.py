"""Coming in, as people live it."""

import pytest

from bot.domain.profiles import Preset
from tests.chat import Chat, Person


def arrive(chat: Chat, name: str = "Sekar", **prefilled: str) -> Person:
    """Somebody opens their invitation."""
    mirela = chat.joins("Mirela", role="facilitator")
    sekar = chat.newcomer(name)
    sekar.says(f"/start {chat.invites(by=mirela, **prefilled)}")
    return sekar


def walk_in(chat: Chat, sekar: Person, need: str = "gubernur belum mau tanda tangan") -> int:
    """From the language row to the first person; returns the taps and lines after Start."""
    sekar.presses("Bahasa Indonesia")
    sekar.presses("Setuju")
    sekar.says("Sekar")
    sekar.presses("Pembeli")
    sekar.presses("Warga")
    sekar.presses("Selesai")
    sekar.says(need)
    return 7


def test_replies_and_safety_leave_before_the_welcomes_of_a_crowd(chat: Chat) -> None:
    bat, left = chat.joins("Bat"), []
    chat.screens.outcome = lambda envelope: left.append(envelope.address.conversation)
    crowd = [chat.newcomer(f"New{n}") for n in range(5)]
    for one in crowd:
        chat.happens(chat.platform.says(chat.count(), one, f"/start {chat.invites()}"), settle=False)
    chat.happens(chat.platform.says(chat.count(), bat, "help"), settle=False)
    chat.settles()
    assert left == ["dm:Bat", *(f"dm:New{n}" for n in range(5))]
    assert all("You have a personal invitation" in one.last for one in crowd)


def test_a_stranger_gets_one_neutral_line_and_after_five_silence(chat: Chat) -> None:
    stranger = chat.newcomer("Nobody")
    for text in ("hello", "/find Bat", "who are you", "/help", "x"):
        stranger.says(text)
    assert len(stranger.sees()) == 5
    assert set(stranger.sees()) == {
        "Hello. This bot is for invited members. If you have an invitation, open the link you were given."
    }
    stranger.says("still there?")
    assert len(stranger.sees()) == 5
    chat.passes(hours=2)
    stranger.says("and now?")
    assert len(stranger.sees()) == 6


def test_wrong_used_and_expired_codes_look_the_same_and_the_sixth_in_an_hour_gets_nothing(chat: Chat) -> None:
    used, expired = chat.invites(), chat.invites()
    chat.newcomer("First").says(f"/start {used}")
    chat.passes(days=15)
    stranger = chat.newcomer("Second")
    for code in (used, expired, "AAAAAAAAAAAAAAAAAAAAAA", "x", "' OR 1=1"):
        stranger.says(f"/start {code}")
    assert set(stranger.sees()) == {
        "That invitation link does not work. Please ask the person who invited you for a new one."
    }
    stranger.says("/start BBBBBBBBBBBBBBBBBBBBBB")
    assert len(stranger.sees()) == 5


def test_joining_ends_with_a_person_in_at_most_eight_taps_or_lines(chat: Chat) -> None:
    chat.joins("Pilo", country="PH", needs=["political-buy-in"], coalitions=["citizens"], languages=["en", "id"])
    sekar = arrive(chat)
    assert "personal invitation from Mirela" in sekar.last
    assert sekar.buttons() == ["English", "Bahasa Indonesia", "Not for me"]
    taps = 1 + walk_in(chat, sekar)
    assert taps <= 8
    assert "Pilo (Filipina)" in sekar.last
    assert any(label.startswith("Temui Pilo") for label in sekar.buttons())


def test_somebody_hidden_is_no_persons_first_person(chat: Chat) -> None:
    chat.joins("Pilo", needs=["political-buy-in"], preset=Preset.HIDDEN)
    chat.joins("Liza", country="PH", needs=["political-buy-in"], preset=Preset.OPEN)
    sekar = arrive(chat)
    walk_in(chat, sekar)
    assert "Liza" in sekar.last
    assert "Pilo" not in "".join(sekar.sees())


def test_pressing_start_twice_goes_on_where_one_was(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    code = chat.invites(by=mirela)
    sekar = chat.newcomer("Sekar")
    sekar.says(f"/start {code}")
    sekar.says(f"/start {code}")
    assert sekar.buttons()[0] == "English"
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("Sekar")
    sekar.says(f"/start {code}")
    assert "2 of" in sekar.last


def test_one_who_comes_back_a_day_later_goes_on_with_the_question(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("Sekar")
    chat.passes(days=1, hours=3)
    sekar.says("/help")
    sekar.says("Jakarta")
    assert "of" in sekar.last


def test_without_a_yes_everything_is_forgotten_after_a_day_and_the_link_still_works(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    code = chat.invites(by=mirela)
    sekar = chat.newcomer("Sekar")
    sekar.says(f"/start {code}")
    sekar.presses("English")
    chat.passes(hours=25)
    sekar.says("hello")
    assert sekar.last.startswith("Hello. This bot is for invited members.")
    sekar.says(f"/start {code}")
    assert "personal invitation" in sekar.last


def test_a_no_keeps_nothing_and_the_link_can_be_opened_again(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    code = chat.invites(by=mirela)
    sekar = chat.newcomer("Sekar")
    sekar.says(f"/start {code}")
    sekar.presses("English")
    sekar.presses("No, thank you")
    assert "Nothing is kept" in sekar.last
    sekar.says(f"/start {code}")
    assert "personal invitation" in sekar.last


def test_who_refuses_introductions_is_found_by_nobody(chat: Chat) -> None:
    bat = chat.joins("Bat", offers=["political-buy-in"])
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Choose")
    sekar.presses("Agree to these")
    sekar.says("Sekar")
    sekar.presses("Neither")
    sekar.presses("Citizens")
    sekar.presses("Done")
    sekar.says("political buy-in")
    assert "Bat" in sekar.last
    bat.says("political buy-in")
    assert "Sekar" not in bat.last


def test_a_place_elsewhere_is_asked_and_a_wrong_one_gets_near_names(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("Sekar")
    sekar.presses("Other place")
    sekar.says("Manilla Bay")
    assert "I did not find that time zone. Type a city, for example Manila or Hovd." in sekar.last
    assert " of " not in sekar.last.splitlines()[-1]  # the total stays what it was, and what follows has no number
    sekar.says("Manila")
    assert sekar.last == "In tenders you are:"
    sekar.presses("Buyer")
    assert sekar.last.startswith("3 of 4.")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("   \u200b ", "I got an empty message."),
        ("x" * 20_000, "That is longer than I can keep (4,000 characters). Nothing was saved yet."),
    ],
)
def test_bad_answers_to_a_question_get_a_sentence_that_says_what_to_do(chat: Chat, typed: str, answer: str) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says(typed)
    assert answer in sekar.last
    assert "What shall others call you?" in sekar.last


def test_back_changes_the_answer_before(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("Sekra")
    sekar.says("back")
    assert "1 of" in sekar.last
    sekar.says("Sekar")
    assert "2 of" in sekar.last


def test_a_facilitator_joins_with_name_and_place_only(chat: Chat) -> None:
    haruto = chat.newcomer("Haruto")
    haruto.says(f"/start {chat.invites(role='facilitator')}")
    haruto.presses("English")
    haruto.presses("Agree")
    haruto.says("Haruto")
    haruto.presses("Yes")
    assert "Welcome, Haruto." in haruto.last


def test_a_name_that_looks_like_markup_or_holds_tricks_is_shown_once_more_before_it_is_kept(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("<!channel> Sekar")
    assert "Your name will appear as: <!channel> Sekar. Is that right?" in sekar.last
    sekar.presses("Back")
    sekar.says("Se\u202ekar")
    assert "Your name will appear as: Sekar. Is that right?" in sekar.last
    sekar.presses("Yes")
    assert "In tenders you are" in sekar.last


def test_nobody_joins_under_a_name_that_looks_like_a_facilitators(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("Мirеla")
    assert "That name looks too much like another name in use." in sekar.last
    sekar.says("Mirela S. of Jakarta")
    assert "In tenders you are" in sekar.last


def test_each_purpose_is_agreed_to_by_a_press_of_its_own(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Choose")
    assert not any(label.startswith("✓") for label in sekar.buttons())
    sekar.presses("Introductions")
    assert any(label.startswith("✓ Introductions") for label in sekar.buttons())


def test_text_at_the_consent_card_stays_there(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    for typed in ("how does this work?", "help", "help"):
        sekar.says(typed)
        assert "Agree" in sekar.buttons()


def test_a_name_in_a_sentence_is_taken_out_and_asked_about(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("My name is Rosa Lim")
    assert "Your name will appear as: Rosa Lim. Is that right?" in sekar.last


def test_a_name_is_kept_as_it_is_typed_whatever_the_button_says(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    assert sekar.buttons()[0] == "Sekar"
    for typed in ("sekar", "Sek"):
        sekar.says(typed)
        sekar.presses("Back")
    sekar.says("Sek")
    sekar.presses("Neither")
    sekar.presses("Citizens")
    sekar.presses("Done")
    sekar.says("open data")
    sekar.says("me")
    assert sekar.last.startswith("You: Sek\n")


def test_back_keeps_what_was_ticked(chat: Chat) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    sekar.says("Sekar")
    sekar.presses("Neither")
    sekar.presses("Citizens")
    sekar.presses("Done")
    sekar.presses("Back")
    assert any(label.startswith("✓ Citizens") for label in sekar.buttons())
    sekar.presses("Done")
    assert not any("Citizens" in label for label in sekar.buttons())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("help", "Just write what you are looking for."),
        ("hide me", "What I keep:"),
        ("HIDE ME !!", "What I keep:"),
    ],
)
def test_a_cry_to_stop_is_heard_while_joining_and_the_question_comes_back(chat: Chat, typed: str, said: str) -> None:
    sekar = arrive(chat)
    sekar.says("English")  # typed as well as pressed
    sekar.presses("Agree")
    for answer in (None, "Sekar"):
        sekar.says(answer) if answer else None
        asked = sekar.last
        sekar.says(typed)
        assert sekar.sees()[-2].startswith(said)
        assert sekar.last == f"Now back to the earlier question.\n{asked}"


@pytest.mark.parametrize("typed", ["leave", "saya mau berhenti", "Stop !!"])
def test_who_wants_to_go_while_joining_is_asked_first_and_a_yes_is_not_their_name(chat: Chat, typed: str) -> None:
    sekar = arrive(chat)
    sekar.presses("English")
    sekar.presses("Agree")
    asked = sekar.last
    sekar.says(typed)
    assert sekar.last == "You are still joining. If you leave now, everything is erased at once."
    sekar.says("yes")
    assert sekar.last == "To be sure: please press “Yes, leave”, or type it."
    sekar.says("no")
    assert sekar.last == f"Now back to the earlier question.\n{asked}"
    sekar.says(typed)
    sekar.says("yes, leave")
    assert sekar.last == "All right. Nothing is kept. If you change your mind, open the same link again."

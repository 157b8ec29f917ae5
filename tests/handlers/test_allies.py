"""Finding people."""

import re
from collections.abc import Callable

import pytest

from bot.domain.profiles import Audience, Preset
from tests.chat import Chat, Person

NOBODY = "No one found.\n\nWrite a topic, a country or a name, for example: open data Mongolia."


def test_a_search_says_why_each_person_is_found(chat: Chat) -> None:
    sari = chat.joins("Sari", country="ID", offers=["open-data"], languages=["id", "en"])
    chat.joins(
        "Bat", country="MN", offers=[("beneficial-ownership", "Model clauses")], needs=["open-data"], languages=["en"]
    )
    sari.says("beneficial ownership mongolia")
    assert "Bat (Mongolia)" in sari.last
    assert "Model clauses" in sari.last
    assert "needs what you offer" in sari.last
    assert "you share English" in sari.last


def test_hidden_paused_other_cohort_and_absent_look_the_same(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Hidden Hana", preset=Preset.HIDDEN, offers=["beneficial-ownership"])
    other = chat.store.now(lambda unit: unit.members.add_cohort("two", "Two", "en", "UTC"))
    chat.joins("Otgon", cohort=other, offers=["beneficial-ownership"])
    answers = set()
    for text in ("Hana", "Otgon", "Zebediah"):
        sari.says(text)
        answers.add(sari.last)
    assert answers == {NOBODY}
    sari.says("beneficial ownership")
    assert "Hana" not in sari.last
    assert "Otgon" not in sari.last


def test_careful_people_are_found_by_topic_within_their_coalitions_only(chat: Chat) -> None:
    near = chat.joins("Near", coalitions=["citizens"])
    far = chat.joins("Far", coalitions=["private-sector"])
    chat.joins(
        "Cara", coalitions=["citizens"], preset=Preset.CAREFUL, offers=[("beneficial-ownership", "secret words")]
    )
    near.says("beneficial ownership")
    assert "Cara" in near.last
    assert "secret words" not in near.last
    far.says("beneficial ownership")
    assert "Cara" not in far.last
    near.says("secret words")
    assert "Cara" not in near.last


def test_a_country_that_is_not_shown_is_not_searched(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN", offers=["beneficial-ownership"], own={"country": Audience.FACILITATORS})
    sari.says("beneficial ownership Mongolia")
    assert "Bat" not in sari.last
    sari.says("beneficial ownership")
    assert "Bat" in sari.last
    assert "Mongolia" not in sari.last


def test_five_at_a_time_and_more_shows_everybody_once(chat: Chat) -> None:
    sari = chat.joins("Sari")
    names = {chat.joins(f"Offer{n}x", country="MN", offers=["beneficial-ownership"]).name for n in range(7)}
    names |= {chat.joins(f"Topic{n}x", country="MN", topics=["beneficial-ownership"]).name for n in range(6)}
    sari.says("beneficial ownership")
    seen: list[str] = []
    while True:
        here = [name for name in names if f"{name} " in sari.last]
        assert len(here) <= 5
        seen += here
        if "More" not in sari.buttons():
            break
        sari.presses("More")
    assert sorted(seen) == sorted(names)


def test_need_meets_offer_comes_before_same_need_and_topic(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Works", topics=["beneficial-ownership"])
    chat.joins("Needs", needs=["beneficial-ownership"])
    chat.joins("Offers", offers=["beneficial-ownership"])
    sari.says("beneficial ownership")
    assert sari.last.index("Offers (") < sari.last.index("Needs (") < sari.last.index("Works (")


def test_nonsense_finds_nobody_and_proposes_nothing_that_sends_or_erases(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", offers=["beneficial-ownership"])
    sari.says("quantum bananas")
    assert "No one found." in sari.last
    for typed in ("saef", "leeve", "sefe", "/saef", "/leav", "/lave"):
        sari.says(typed)
        assert "Did you mean safe" not in sari.last
        assert "Did you mean leave" not in sari.last


def test_wildcards_are_literal(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", offers=["beneficial-ownership"])
    for typed in ("%", "_", "%%%", "' OR 1=1", "*", "B%"):
        sari.says(typed)
        assert "Bat" not in sari.last


def test_korea_asks_which(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Min", country="KR", offers=["open-data"])
    sari.says("open data Korea")
    assert "Which country" in sari.last
    sari.presses("South Korea")
    assert "Min" in sari.last


def test_a_glossary_term_shows_its_meaning_first_then_the_people(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN", offers=["ocds-publication"])
    sari.says("OCDS")
    assert sari.last.index("data format") < sari.last.index("Bat (")


def test_one_is_told_when_somebody_joins_and_only_then(chat: Chat) -> None:
    sari = chat.joins("Sari", country="ID")
    sari.says("beneficial ownership")
    sari.presses("Tell me when somebody joins")
    before = len(sari.sees())
    bat = chat.newcomer("Bat")
    bat.says(f"/start {chat.invites()}")
    for step in ("English", "Agree"):
        bat.presses(step)
    bat.says("Bat")
    bat.presses("Neither")
    bat.presses("Citizens")
    bat.presses("Done")
    bat.says("political buy-in")
    chat.passes(days=2)
    assert len(sari.sees()) == before


def test_the_allies_card_puts_gaps_first(chat: Chat) -> None:
    sari = chat.joins("Sari", country="ID")
    bat = chat.joins("Bat", country="MN", coalitions=["citizens"], offers=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses("Send")
    bat.presses("Yes")
    sari.says("allies")
    assert sari.last.index("Political leadership: nobody yet") < sari.last.index("Citizens: Bat (Mongolia)")
    sari.presses("Find: Political leadership")
    assert "I read: Political leadership." in sari.last


def test_the_sixty_first_search_in_an_hour_is_put_off_kindly(chat: Chat) -> None:
    sari = chat.joins("Sari")
    for _ in range(60):
        sari.says("beneficial ownership")
    assert "You have searched a lot" not in sari.last
    sari.says("beneficial ownership")
    assert "You have searched a lot in the last hour." in sari.last
    chat.passes(hours=1, minutes=1)
    sari.says("beneficial ownership")
    assert "You have searched a lot" not in sari.last


def test_nobody_found_says_what_to_write_and_offers_help(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("Zebediah")
    assert sari.last == NOBODY
    assert sari.buttons() == ["Help"]
    sari.presses("Help")
    assert "Just write what you are looking for." in sari.last


def test_only_topics_that_show_somebody_are_proposed(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("procurement zebra")
    assert "Near to it:" not in sari.last
    chat.joins("Bat", topics=["data-quality"])
    chat.joins("Chai", offers=["open-contracting"], preset=Preset.HIDDEN)
    sari.says("procurement zebra")
    assert "Near to it:" in sari.last
    near, help_ = sari.buttons()
    assert help_ == "Help"
    sari.presses(near)
    assert "Bat (Indonesia)" in sari.last


@pytest.mark.parametrize("typed", ["hello", "Hi!", "halo", "hai", "сайн байна уу", "สวัสดี", "hello, Kawan 👋"])
def test_a_greeting_is_answered_and_not_searched(chat: Chat, typed: str) -> None:
    pilo = chat.joins("Pilo")
    pilo.says(typed)
    assert pilo.last == "Hello, Pilo. Just write what you are looking for, for example: open data Mongolia."
    assert pilo.buttons() == ["My allies", "Me", "Help"]
    pilo.presses("My allies")
    assert "Whom you have met" in pilo.last


@pytest.mark.parametrize("typed", ["thanks", "Thank you!", "salamat po", "terima kasih 🙏", "ขอบคุณค่ะ", "баярлалаа"])
def test_thanks_are_answered_and_not_searched(chat: Chat, typed: str) -> None:
    pilo = chat.joins("Pilo")
    pilo.says(typed)
    assert pilo.last.startswith("You are welcome, Pilo.")


def test_a_greeting_before_a_wish_is_a_search(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says("hello, open data Mongolia please")
    assert "Bat (Mongolia)" in sari.last


@pytest.mark.parametrize(
    "typed",
    [
        "I offer help with open data",
        "I can help with open data portals",
        "Saya menawarkan bantuan data terbuka",
        "Nag-aalok ako ng tulong sa open data",
        "ฉันช่วยเรื่องข้อมูลเปิดได้",
        "Би нээлттэй өгөгдлөөр тусалж чадна",
    ],
)
def test_a_sentence_that_offers_something_is_kept_after_a_yes(chat: Chat, typed: str) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat")
    sari.says(typed)
    assert "Shall I keep this as an offer in your profile?" in sari.last
    assert "I read: Open government data." in sari.last
    bat.says("open data")
    assert "Sari" not in bat.last
    sari.says("yes")
    assert "Kept, and found from now on under Open government data." in sari.last
    bat.says("open data")
    assert "Sari (Indonesia)" in bat.last


def test_an_offer_without_a_topic_asks_what_it_is_about(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("I offer bananas")
    sari.presses("Yes")
    assert "What is it about?" in sari.last


def test_what_was_no_offer_is_searched(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says("I can help with open data")
    sari.says("no")
    assert "Bat (Mongolia)" in sari.last
    for typed in ("who can help with open data", "can I offer open data?", "what I offer in open data"):
        sari.says(typed)
        assert "Shall I keep this" not in sari.last


def test_who_is_an_ally_already_is_not_to_be_met_again(chat: Chat) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat", country="MN", offers=["open-data"])
    chat.joins("Dor", country="MN", offers=["open-data"])
    sari.says("open data")
    sari.presses("Meet Bat")
    sari.presses("Send")
    bat.presses("Yes")
    sari.says("open data")
    assert "Meet Bat" not in sari.buttons()
    assert {"Share my contact: Bat", "Meet Dor"} <= set(sari.buttons())
    sari.presses("Share my contact")
    sari.says("sari@example.org")
    assert "Sari shares with you: sari@example.org" in bat.last


def everybody_by_more(sari: Person, between: Callable[[], None] = lambda: None) -> list[str]:
    """Who is shown from page to page, with what happens between the first two."""
    found = re.findall(r"^P\d+", sari.last, re.M)
    between()
    while "More" in sari.buttons():
        sari.presses("More")
        found += re.findall(r"^P\d+", sari.last, re.M)
    return found


@pytest.mark.parametrize("happens", ["nothing", "one hides", "one joins"])
def test_more_neither_skips_nor_repeats_anybody_whoever_hides_or_joins_meanwhile(chat: Chat, happens: str) -> None:
    last = 14  # of those who are ranked at a time; who joins pushes them into the next
    before = [
        chat.joins(
            f"P{n}",
            offers=["open-data"],
            needs=["open-data"],
            coalitions=("citizens",) if n == last else ("private-sector",),
        )
        for n in range(20)
    ]
    sari = chat.joins("Sari")
    sari.says("open data")
    shown = re.findall(r"^P\d+", sari.last, re.M)
    assert f"P{last}" in shown

    def change() -> None:
        if happens == "one hides":
            gone = next(one for one in before if one.name == shown[0])
            gone.says("hide me")
            gone.presses("Hidden")
        if happens == "one joins":
            chat.joins("P99", offers=["open-data"])

    found = everybody_by_more(sari, change)
    assert len(found) == len(set(found))
    assert {one.name for one in before} <= set(found)
    assert "No one found." not in sari.last

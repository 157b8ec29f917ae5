"""My own profile: seen, changed field by field, confirmed, undone."""

import pytest

from tests.chat import Chat, Person


@pytest.fixture
def sari(chat: Chat) -> Person:
    """Sari, who has joined."""
    return chat.joins("Sari", organisation="Open Lab", topics=["beneficial-ownership"])


def test_me_shows_my_profile_and_every_door(sari: Person) -> None:
    sari.says("me")
    assert "You: Sari" in sari.last
    assert "Open Lab" in sari.last
    assert [label for label in sari.buttons() if label != "Offer something"] == [
        "Change", "Who sees me", "Language", "Hours and away", "My other app", "Keep us apart", "My data",
        "Leave the bot",
    ]  # fmt: skip


def test_a_name_is_changed_confirmed_and_undone(chat: Chat, sari: Person) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Name")
    sari.says("Sari Dewi")
    assert "Your name from now on: Sari Dewi." in sari.last
    sari.presses("Undo")
    assert "Your name again: Sari." in sari.last
    bat = chat.joins("Bat")
    bat.says("Sari")
    assert "Sari Dewi" not in bat.last


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("😀" * 300, "Please keep the name under 80 characters."),
        ("😀", "Please write a name with at least one letter."),
        ("Мirelа Duquenоy", "looks too much like another name in use"),
        ("<!channel> click <https://evil|here>", "Your name will appear as: <!channel> click <https://evil|here>."),
        ("Sa\u202eri", "Some characters in that name cannot be shown safely. I would show it as: “Sari”."),
    ],
)
def test_a_name_is_checked(chat: Chat, sari: Person, typed: str, said: str) -> None:
    chat.joins("Mirela Duquenoy", role="facilitator")
    sari.says("me")
    sari.presses("Change")
    sari.presses("Name")
    sari.says(typed)
    assert said in sari.last


def test_a_doubtful_name_counts_only_after_a_yes(sari: Person) -> None:
    for answer, shown in (("Change", "You: Sari\n"), ("Right", "You: www.sari.org")):
        sari.says("me")
        sari.presses("Change")
        sari.presses("Name")
        sari.says("www.sari.org")
        sari.presses(answer)
        if answer == "Change":
            sari.presses("Cancel")
        sari.says("me")
        assert shown in sari.last + "\n"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Hovd", "Mongolia, Hovd time"),
        ("Монгол, Ховд", "Mongolia, Hovd time"),
        ("Philippines", "Philippines, Manila time"),
        ("ประเทศไทย", "Thailand, Bangkok time"),
    ],
)
def test_a_place_is_a_city_or_a_country(sari: Person, typed: str, said: str) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Place")
    sari.says(typed)
    if "Which of these" in sari.last:
        sari.presses("Ulaanbaatar")
    assert said in sari.last


def test_a_country_with_several_zones_asks_which(sari: Person) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Place")
    sari.says("Indonesia")
    sari.presses("Makassar")
    assert "Indonesia, Makassar time" in sari.last


@pytest.mark.parametrize("typed", ["Europe", "Kiev", "+25:99", "../../etc/passwd"])
def test_what_is_no_place_is_asked_again_with_near_names(sari: Person, typed: str) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Place")
    sari.says(typed)
    assert "I did not find that time zone. Type a city, for example Manila or Hovd." in sari.last
    assert ("Kyiv" in sari.last) == (typed == "Kiev")


def test_topics_are_written_in_words_and_shown_for_a_yes(sari: Person) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Topics")
    sari.says("legal drafting and open budgets")
    assert "I read: Procurement law reform" in sari.last
    sari.presses("Right")
    assert "Your topics from now on: Procurement law reform" in sari.last


def test_languages_are_chosen_and_typed(sari: Person) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Languages")
    sari.presses("Монгол")
    sari.says("Javanese, Spanish")
    assert "English, Mongolian, Javanese, and Spanish" in sari.last


def test_a_field_can_be_left_empty(sari: Person) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Organisation")
    sari.presses("Leave it empty")
    assert "Your organisation from now on: empty." in sari.last


def test_an_offer_is_added_found_removed_and_brought_back(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("me")
    sari.presses("Change")
    sari.presses("What I need and offer")
    sari.presses("Add an offer")
    sari.says("I can review legal drafting of procurement law")
    assert "I read: " in sari.last
    sari.presses("Change")
    sari.presses("None of these")
    assert "Kept in your words" in sari.last
    bat.says("procurement law review")
    sari.presses("Remove: I can review")
    assert "Removed" in sari.last
    sari.presses("Undo")
    assert "Kept" in sari.last


def test_project_is_begun_changed_and_undone(chat: Chat, sari: Person) -> None:
    sari.says("project")
    assert "You have no project here yet" in sari.last
    sari.presses("New project")
    sari.says("Open school budgets")
    assert "Open school budgets" in sari.last
    sari.presses("Not now")
    sari.presses("Change")
    sari.presses("Title and goal")
    sari.says("Open school budgets")
    sari.says("Parents see every rupiah")
    sari.presses("Change")
    sari.presses("Title and goal")
    sari.says("Open hospital budgets")
    sari.presses("Skip")
    assert "Open hospital budgets" in sari.last
    assert "Parents see every rupiah" in sari.last
    sari.presses("Undo")
    assert "Open school budgets" in sari.last

"""Collective projects: looking for members, joining by one's own yes, people kept apart, leaving, the last one out."""

import pytest

from bot.domain.profiles import Preset
from storage import UnitOfWork
from tests.chat import Chat, Person
from tests.test_access import press

TITLE = "Beneficial ownership for clinics"


@pytest.fixture
def sari(chat: Chat) -> Person:
    """Sari has a project of her own."""
    found = chat.joins("Sari", coalitions=["citizens"])
    found.says(f"/project {TITLE}")
    found.presses("Yes")
    return found


def looks(who: Person, whom: str = "The whole cohort") -> None:
    """Their project looks for members."""
    who.says("project")
    who.presses("Looking for members")
    who.presses(whom)


def project_of(chat: Chat, title: str = TITLE) -> int:
    def job(unit: UnitOfWork) -> int:
        from storage.projects import project

        return int(unit.connection.execute(project.select().where(project.c.title == title)).one().id)

    return chat.store.now(job)


def team_of(chat: Chat, title: str = TITLE) -> list[int]:
    number = project_of(chat, title)
    return chat.store.now(lambda unit: unit.teams.members(number))


def joins_team(chat: Chat, who: Person, host: Person) -> None:
    """They find it, ask, and are let in."""
    who.says("beneficial ownership")
    who.presses(f"Look: {TITLE}")
    who.presses("I would like to join")
    who.presses("Send")
    host.presses("Let them in")


def test_a_project_that_looks_for_members_is_found_and_only_then(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", country="MN")
    bat.says("beneficial ownership")
    assert "Looking for members" not in bat.last
    sari.says("project")
    sari.presses("Looking for members")
    assert f"This makes “{TITLE}” a project of a team" in sari.last
    sari.presses("The whole cohort")
    assert "From now on the whole cohort can find" in sari.last
    for text in ("beneficial ownership", "clinics"):
        bat.says(text)
        assert f"Looking for members:\n· {TITLE}" in bat.last
    bat.presses(f"Look: {TITLE}")
    assert "Team: Sari (Indonesia)" in bat.last
    assert "Talk" not in bat.last  # no milestone is shown outside the team
    sari.presses("Undo")
    assert "It is your own project again" in sari.last
    bat.says("clinics")
    assert "Looking for members" not in bat.last


def test_people_of_its_coalitions_find_it_and_others_do_not(chat: Chat, sari: Person) -> None:
    near, far = chat.joins("Near", coalitions=["citizens"]), chat.joins("Far", coalitions=["donors-agencies"])
    looks(sari, "People of its coalitions")
    near.says("clinics")
    far.says("clinics")
    assert TITLE in near.last
    assert TITLE not in far.last
    press(chat, far, "teams.view", str(project_of(chat)))
    assert TITLE not in far.last


def test_a_hidden_fellows_name_stays_hidden_while_the_project_looks(chat: Chat) -> None:
    quiet = chat.joins("Quietcanary", preset=Preset.HIDDEN)
    quiet.says(f"/project {TITLE}")
    quiet.presses("Not now")
    looks(quiet)
    bat = chat.joins("Bat")
    bat.says("clinics")
    bat.presses(f"Look: {TITLE}")
    assert "Team: 1 other" in bat.last
    assert "Quietcanary" not in "\n".join(bat.sees())
    quiet.says("safe")
    bat.says("clinics")
    assert TITLE not in bat.last
    press(chat, bat, "teams.view", str(project_of(chat)))
    assert TITLE not in bat.last


def test_one_asks_and_one_yes_of_the_team_lets_them_in(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", country="MN")
    looks(sari)
    bat.says("clinics")
    bat.presses(f"Look: {TITLE}")
    bat.presses("I would like to join")
    assert f"“Bat (Mongolia) would like to join {TITLE}.”" in bat.last
    assert "kept apart" not in bat.last
    assert "Bat" not in sari.last
    bat.presses("Send")
    assert "You hear from me by Mon 30 Nov." in bat.last
    assert f"Bat (Mongolia) would like to join {TITLE}." in sari.last
    sari.presses("Let them in")
    assert f"The team said yes: you are in “{TITLE}”." in bat.last
    assert team_of(chat) == [sari.member, bat.member]
    bat.says("project")
    assert "Talk" in bat.last or "→ begun" in " ".join(bat.buttons())
    bat.presses("Team")
    assert "Team: you and Sari (Indonesia)" in bat.last


def test_a_request_can_be_taken_back_and_silence_closes_it_in_kind_words(chat: Chat, sari: Person) -> None:
    bat, tuya = chat.joins("Bat"), chat.joins("Tuya")
    looks(sari)
    for who in (bat, tuya):
        who.says("clinics")
        who.presses(f"Look: {TITLE}")
        who.presses("I would like to join")
        who.presses("Send")
    bat.presses("Withdraw")
    assert "Taken back." in bat.last
    press(chat, sari, "team_joining.let_in", f"{project_of(chat)}:{bat.member}")
    assert "This request is closed. Nothing changed." in sari.last
    sari.presses("Not now")
    chat.passes(days=8)
    assert "It did not come together with the team" in tuya.last
    assert team_of(chat) == [sari.member]


def test_a_facilitator_proposes_and_nobody_is_added_without_their_yes(chat: Chat, sari: Person) -> None:
    mirela, bat = chat.joins("Mirela", role="facilitator"), chat.joins("Bat", country="MN", preset=Preset.HIDDEN)
    tuya = chat.joins("Tuya")
    looks(sari)
    mirela.says("manage")
    mirela.presses("Projects")
    mirela.presses(TITLE[:30])
    for who in (bat, tuya):
        mirela.presses("Propose a member")
        mirela.says(who.name)
        mirela.presses(who.name)
        assert f"{who.name} is asked." in mirela.last
        assert f"Mirela proposes that you join the team of “{TITLE}”." in who.last
    assert team_of(chat) == [sari.member]
    mirela.presses("Propose a member")
    mirela.says("Bat")
    mirela.presses("Bat")
    assert "Bat has been asked already. Nothing changed." in mirela.last
    tuya.presses("No, thank you")
    assert "Nobody is told" in tuya.last
    seen = len(mirela.sees())
    bat.says("project")
    bat.presses("Look: ")
    bat.presses("Yes, join")
    assert team_of(chat) == [sari.member, bat.member]
    assert "Bat said yes" in mirela.sees()[-1]
    assert "A fellow" in sari.last  # a hidden fellow is in the team without a name
    assert len(mirela.sees()) == seen + 1
    chat.passes(days=8)
    assert f"Tuya did not join the team of “{TITLE}” this time." in mirela.last


def test_a_yes_to_something_else_joins_no_team(chat: Chat, sari: Person) -> None:
    mirela, bat = chat.joins("Mirela", role="facilitator"), chat.joins("Bat")
    looks(sari)
    mirela.says("manage")
    for label in ("Projects", "Beneficial", "Propose a member"):
        mirela.presses(label)
    mirela.says("Bat")
    mirela.presses("Bat")
    bat.says("yes")
    assert bat.last == "To be sure: please press “Yes, join”, or type it."
    assert team_of(chat) == [sari.member]
    bat.says("yes")
    assert team_of(chat) == [sari.member, bat.member]


def test_kept_apart_people_are_told_before_and_never_by_name(chat: Chat, sari: Person) -> None:
    bat, bidder = chat.joins("Bat"), chat.joins("Bidder")
    mirela = chat.joins("Mirela", role="facilitator")
    looks(sari)
    joins_team(chat, bat, sari)
    chat.store.now(lambda unit: unit.profiles.keep_apart(chat.cohort, bidder.member or 0, other=sari.member))
    bidder.says("clinics")
    bidder.presses(f"Look: {TITLE}")
    assert "Sari" not in bidder.last
    bidder.presses("I would like to join")
    assert "You and somebody in this team are kept apart." in bidder.last
    assert "a facilitator reads along there" in bidder.last
    bidder.presses("Send")
    assert "Bidder" not in sari.last
    assert "Bidder" in bat.last
    bat.presses("Let them in")
    assert "from whom you are kept apart" in sari.last
    assert "people who are kept apart" in mirela.last
    sari.presses("Team")
    assert "Bidder" not in sari.last
    assert "1 other" in sari.last
    bidder.says("project")
    bidder.presses("Team")
    assert "Sari" not in bidder.last
    assert "Sari" not in "\n".join(bidder.sees())
    assert "Bidder" not in "\n".join(sari.sees())


def test_who_is_kept_apart_from_all_of_a_team_does_not_find_it(chat: Chat, sari: Person) -> None:
    other = chat.joins("Other")
    chat.store.now(lambda unit: unit.profiles.keep_apart(chat.cohort, sari.member or 0, other=other.member))
    looks(sari)
    other.says("clinics")
    assert TITLE not in other.last
    press(chat, other, "teams.view", str(project_of(chat)))
    assert TITLE not in other.last


def test_leaving_hands_the_milestones_over_and_the_team_is_told(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    looks(sari)
    joins_team(chat, bat, sari)
    sari.says("project")
    sari.presses("Leave this project")
    assert "Whom shall I ask about the milestones that you wrote?" in sari.last
    sari.presses("Leave; ask Bat")
    assert "You left the team" in sari.last
    assert f"Sari (Indonesia) left the team of “{TITLE}”." in bat.last
    assert "From now on I ask you about: " in bat.last
    assert team_of(chat) == [bat.member]
    sari.says("project")
    assert "You have no project here yet" in sari.last
    chat.passes(days=28)
    chat.passes(days=8)
    assert "Plans move" in bat.last
    assert "Plans move" not in "\n".join(sari.sees())


def test_the_last_one_out_is_asked_and_facilitators_can_find_new_people(chat: Chat, sari: Person) -> None:
    mirela, bat = chat.joins("Mirela", role="facilitator"), chat.joins("Bat")
    looks(sari)
    sari.presses("Leave this project")
    assert "What shall become of it?" in sari.last
    sari.presses("Leave it to the facilitators")
    assert "nobody is in it now" in mirela.last
    assert team_of(chat) == []
    mirela.presses("Look at the project")
    mirela.presses("Propose a member")
    mirela.says("Bat")
    mirela.presses("Bat")
    bat.presses("Yes, join")
    assert team_of(chat) == [bat.member]
    press(chat, sari, "project_end.take_back", str(project_of(chat)))
    assert team_of(chat) == [bat.member]


def test_erasing_a_member_leaves_the_team_its_milestones_and_none_of_their_words(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    looks(sari)
    joins_team(chat, bat, sari)
    sari.says("project")
    sari.presses("What changed")
    sari.says("Canarywords")
    sari.says("skip")
    sari.says("skip")
    bat.says("project")
    bat.presses("What changed so far") if "What changed so far" in bat.buttons() else press(
        chat, bat, "updates.list", str(project_of(chat))
    )
    assert "Canarywords" in bat.last
    assert "Sari" in bat.last
    chat.store.now(lambda unit: unit.privacy.erase(sari.member or 0))
    press(chat, bat, "updates.list", str(project_of(chat)))
    assert "Canarywords" not in bat.last
    assert "Sari" not in bat.last
    assert team_of(chat) == [bat.member]
    bat.says("project")
    assert "→ begun" in " ".join(bat.buttons())


def test_a_team_of_another_cohort_is_not_there(chat: Chat, sari: Person) -> None:
    looks(sari)
    other = chat.store.now(lambda unit: unit.members.add_cohort("two", "Two", "en", "UTC"))
    away, staff = chat.joins("Away", cohort=other), chat.joins("Staff", role="facilitator", cohort=other)
    away.says("clinics")
    assert TITLE not in away.last
    for who, action in ((away, "teams.view"), (away, "team_joining.want"), (staff, "projects.card")):
        press(chat, who, action, str(project_of(chat)))
        assert TITLE not in who.last
    staff.says("manage")
    staff.presses("Projects")
    assert TITLE not in staff.last


def test_one_question_a_team_and_whoever_answers_answers_for_all(chat: Chat, sari: Person) -> None:
    bat, tuul = (chat.joins(name, country="MN", time_zone="Asia/Jakarta") for name in ("Bat", "Tuul"))
    looks(sari)
    for who in (bat, tuul):
        joins_team(chat, who, sari)
    outside = chat.joins("Outside")
    mirela = chat.joins("Mirela", role="facilitator")
    mirela.says("manage")
    for label in ("Check-ins", "New", "My own words"):
        mirela.presses(label)
    mirela.says("What did the team do?")
    for label in ("A line of text", "One project's team", TITLE, "Every week", "Monday", "09:00", "The facilitators"):
        mirela.presses(label)
    assert f"the team of “{TITLE}”, one answer for all: 3 fellows" in mirela.last
    mirela.presses("Start it")
    chat.passes(days=6, hours=23)
    assert all(who.last.startswith("What did the team do?") for who in (sari, bat, tuul))
    assert "What did the team do?" not in outside.last
    bat.says("We met the registry, and they said yes to a first page.")
    assert "This is your whole team's answer: the others are not asked any more." in bat.last
    for who in (sari, tuul):
        assert who.last.startswith("Bat answered this week's question for your team.\n\nThank you.")
    tuul.says("beneficial ownership")
    assert "Kept" not in tuul.last  # a search, no answer
    seen = sari.sees()
    chat.passes(days=6)
    assert sari.sees() == seen  # nothing to be reminded of
    chat.passes(days=1)
    assert "1 of 1 answered." in "\n".join(mirela.sees())
    assert "Silent" not in "\n".join(mirela.sees())
    assert sari.last.startswith("What did the team do?")

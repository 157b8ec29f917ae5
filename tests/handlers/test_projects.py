"""My project: begun by one sentence, one press a milestone, dates, stuck, what changed, and what facilitators see."""

import json
from datetime import date

import pytest
from icalendar import Calendar

from bot.domain.profiles import Audience, Preset
from bot.domain.progress import Status
from handlers import progress
from storage import UnitOfWork
from storage.milestones import Milestone
from tests.chat import Chat, Person
from tests.test_access import press

SENTENCE = "Parents in Bandung see what their school buys"


@pytest.fixture
def sari(chat: Chat) -> Person:
    """Sari, in Jakarta; it is Monday, 23 November 2026, 10:00 there."""
    return chat.joins("Sari")


def begins(who: Person, sentence: str = SENTENCE) -> None:
    """One sentence, and yes to the first step."""
    who.says("project")
    who.presses("New project")
    who.says(sentence)
    who.presses("Yes")


def has(chat: Chat, who: Person, *titles: str, due: date | None = None, **values: object) -> int:
    """A project of somebody with these milestones; its number."""

    def job(unit: UnitOfWork) -> int:
        assert who.member is not None
        number = unit.projects.begin(chat.cohort, who.member, f"Project of {who.name}", coalitions=["citizens"])
        for title in titles:
            unit.milestones.add(chat.cohort, number, who.member, title, due=due, **values)
        return number

    return chat.store.now(job)


def milestones(chat: Chat, who: Person) -> list[Milestone]:
    def job(unit: UnitOfWork) -> list[Milestone]:
        assert who.member is not None
        mine = [*unit.projects.all_mine(who.member), *unit.teams.of(who.member)]
        return [one for of in mine for one in unit.milestones.of(of.id)]

    return chat.store.now(job)


def test_one_sentence_begins_a_project_and_a_first_step_is_proposed(chat: Chat, sari: Person) -> None:
    sari.says("project")
    assert "One sentence is enough" in sari.last
    sari.presses("New project")
    sari.says("Publish beneficial ownership data of school suppliers")
    assert "Kept: “Publish beneficial ownership data of school suppliers”." in sari.last
    assert "I read: Beneficial ownership" in sari.last
    assert "A first step could be: “" in sari.last
    assert "by Mon 21 Dec" in sari.last
    sari.presses("Yes")
    (step,) = milestones(chat, sari)
    assert (step.due, step.status) == (date(2026, 12, 21), Status.NOT_STARTED)
    assert f"Added: “{step.title}”, due on Mon 21 Dec." in sari.last
    bat = chat.joins("Bat")
    bat.says("school suppliers")
    assert "Sari" in bat.last


def test_a_slash_word_with_a_sentence_begins_one_too_and_plain_words_stay_a_search(chat: Chat, sari: Person) -> None:
    sari.says("/project Open the budget of every clinic")
    assert "Kept: “Open the budget of every clinic”" in sari.last
    sari.says("project finance Mongolia")
    assert "Kept" not in sari.last


def test_a_long_sentence_is_the_goal_and_its_beginning_the_title(chat: Chat, sari: Person) -> None:
    sentence = (
        "Every family in the province can read what was bought for the clinic near them, from whom, and at what price"
    )
    begins(sari, sentence)
    sari.says("project")
    assert sari.last.startswith("Every family in the province")
    assert "…" in sari.last.splitlines()[0]
    assert f"Goal: {sentence}" in sari.last


def test_the_first_step_can_be_another_and_the_project_can_be_undone(chat: Chat, sari: Person) -> None:
    sari.says("project")
    sari.presses("New project")
    sari.says(SENTENCE)
    sari.presses("Another step")
    sari.says("Talk with the head of the school")
    sari.says("by 15 December")
    assert "Added: “Talk with the head of the school”, due on Tue 15 Dec." in sari.last
    sari.presses("Undo")
    assert "Removed: Talk with the head of the school." in sari.last
    sari.presses("New project")
    sari.says("Another one")
    sari.presses("Undo")
    assert "Undone: “Another one” is erased." in sari.last


def test_one_press_moves_a_milestone_on_once_and_undo_brings_it_back(chat: Chat, sari: Person) -> None:
    has(chat, sari, "Checklist")
    sari.says("project")
    old = sari.handle_of("Checklist → begun")
    sari.presses("Checklist → begun")
    assert "“Checklist” from now on: begun. Before: not started." in sari.last
    assert "Status: begun (in OGP's words, self-reported: limited)" in sari.last
    ack = chat.happens(sari.platform.presses(chat.count(), sari, old))
    assert milestones(chat, sari)[0].status == "limited"
    assert ack.toast in (None, "Already saved. Nothing changed.")
    sari.presses("Undo")
    assert milestones(chat, sari)[0].status == "not_started"
    for label in ("begun", "more than half", "done"):
        sari.presses(f"Checklist → {label}")
    assert "Did anything change because of it?" in sari.last
    assert "Checklist: done" in sari.last
    assert sari.buttons().count("What changed") == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("30 February", "That date does not exist. Please use a date in the next two years, like 2026-12-07."),
        ("0000-01-01", "That date does not exist."),
        ("9999-01-01", "That date is too far away. Please use a date in the next two years, like 2026-12-07."),
        ("2026-11-22", "That day is over, or today."),
        ("soonish", "I did not understand that date."),
    ],
)
def test_a_date_that_cannot_be_says_what_to_do_and_keeps_the_question(
    chat: Chat, sari: Person, typed: str, said: str
) -> None:
    has(chat, sari, "Checklist")
    sari.says("project")
    sari.presses("Add a milestone")
    sari.says("Site visit")
    sari.says(typed)
    assert said in sari.last
    sari.says("15 March")
    assert "due on Mon 15 Mar" in sari.last


def test_a_date_can_be_changed_and_undone(chat: Chat, sari: Person) -> None:
    has(chat, sari, "Checklist", due=date(2026, 12, 7))
    sari.says("project")
    sari.presses("Milestones and dates")
    sari.presses("Checklist")
    sari.presses("Date")
    sari.says("in two weeks")
    assert "is due on Mon 7 Dec" in sari.last or "Already saved" in sari.last
    sari.presses("Milestones and dates")
    sari.presses("Checklist")
    sari.presses("Date")
    sari.says("before 1 February 2027")
    assert "due on Mon 1 Feb" in sari.last
    assert "Before: Mon 7 Dec" in sari.last
    sari.presses("Undo")
    assert milestones(chat, sari)[0].due == date(2026, 12, 7)


def test_dropped_counts_for_nothing_and_can_be_taken_up_again(chat: Chat, sari: Person) -> None:
    has(chat, sari, "Checklist", "Visit")
    sari.says("project")
    sari.presses("Milestones and dates")
    sari.presses("Visit")
    sari.presses("Drop it")
    assert "Dropped: “Visit”." in sari.last
    assert "Visit → begun" not in sari.buttons()
    sari.presses("Undo")
    assert "Visit → begun" in sari.buttons()


def test_overdue_is_asked_about_once_and_kindly(chat: Chat, sari: Person) -> None:
    sari.says("/project Open clinics")
    sari.presses("Another step")
    sari.says("Governor signs")
    sari.says("4 December")  # a Friday
    before = len(sari.sees())
    chat.passes(days=12)  # Saturday the 5th and Sunday: nothing
    assert len(sari.sees()) == before
    chat.passes(days=2)  # Monday the 7th, 09:00
    assert "“Governor signs” was due on Fri 4 Dec. Plans move" in sari.last
    chat.passes(days=20)
    assert len([text for text in sari.sees() if "Plans move" in text]) == 1
    sari.presses("It is done")
    assert milestones(chat, sari)[0].status == "complete"


def test_what_is_done_stuck_or_dropped_is_not_asked_about_nor_who_refused_questions(chat: Chat) -> None:
    quiet = chat.joins("Quiet", purposes=["profile", "storage"])
    for who, then in ((chat.joins("Done"), "Governor → done"), (chat.joins("Stuck"), "Stuck"), (quiet, "")):
        who.says("/project Open clinics")
        who.presses("Another step")
        who.says("Governor")
        who.says("4 December")
        if then.endswith("done"):
            for label in ("begun", "more than half", "done"):
                who.presses(f"Governor → {label}")
        elif then:
            who.presses("Stuck")
            who.says("No slot with the governor")
            who.says("skip")
            who.says("skip")
        seen = len(who.sees())
        chat.passes(days=20)
        assert len(who.sees()) == seen, who.name
        chat.clock.passes(days=-20)


def test_another_date_may_be_asked_about_again(chat: Chat, sari: Person) -> None:
    sari.says("/project Open clinics")
    sari.presses("Another step")
    sari.says("Governor signs")
    sari.says("4 December")
    chat.passes(days=14)
    sari.presses("It needs more time")
    sari.says("18 December")
    chat.passes(days=14)
    assert "“Governor signs” was due on Fri 18 Dec." in sari.last
    sari.presses("Leave it as it is")
    assert "I do not ask about this date again." in sari.last


def test_stuck_is_private_until_one_tells_a_facilitator(chat: Chat, sari: Person) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    has(chat, sari, "Checklist", "Governor signs")
    sari.says("project")
    sari.presses("Stuck")
    assert "Where are you stuck?" in sari.last
    sari.presses("Governor signs")
    sari.says("No slot with the governor's office")
    sari.says("Somebody who won a governor")
    sari.says("15 December")
    assert "“Governor signs” is marked as stuck." in sari.last
    assert milestones(chat, sari)[1].blocked
    assert mirela.sees() == []
    mirela.says("manage")
    mirela.presses("Projects")
    assert "blocked: Governor signs" in mirela.last
    mirela.presses("Project of Sari")
    assert "No slot" not in mirela.last
    sari.presses("Tell a facilitator")
    assert "Told: the facilitators read your words" in sari.last
    assert "Sari (Indonesia) is stuck and wants you to know: “Governor signs”" in mirela.last
    assert "Needed by Tue 15 Dec" in mirela.last
    mirela.presses("Look at the project")
    assert "No slot with the governor's office" in mirela.last
    sari.presses("Project")
    sari.presses("Milestones and dates")
    sari.presses("Governor signs")
    sari.presses("No longer stuck")
    assert not milestones(chat, sari)[1].blocked


def test_stuck_typed_alone_leads_to_what_is_stuck(chat: Chat, sari: Person) -> None:
    sari.says("stuck")
    assert sari.buttons() == ["Ask the others", "Talk to a human"]
    has(chat, sari, "Governor")
    sari.says("I am stuck")
    assert "What exactly is in the way?" in sari.last
    sari.says("cancel")
    has(chat, sari, "Decree")
    sari.says("stuck")
    assert sari.last == "Where are you stuck?"
    assert len(sari.buttons()) == 4


def test_a_milestone_is_free_again_when_what_was_asked_for_it_is_solved(chat: Chat, sari: Person) -> None:
    chat.joins("Bat", country="MN", offers=["open-data"])
    has(chat, sari, "Governor")
    sari.says("stuck")
    sari.says("open data is not understood there")
    sari.presses("Skip")
    sari.presses("Skip")
    sari.presses("Ask the others")
    sari.presses("Send")
    sari.says("ask")
    sari.presses("Solved")
    assert sari.sees()[-2] == "Good to hear. The question is closed."
    assert sari.last == "“Governor” is still marked as stuck in your project. Is the way free?"
    sari.presses("No longer stuck")
    assert "Good. “Governor” is no longer marked as stuck." in sari.last


def test_stuck_asks_the_others_in_the_same_words_once_they_were_shown(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    has(chat, sari, "Law")
    sari.says("project")
    sari.presses("Stuck")
    sari.says("beneficial ownership rules are unclear")
    sari.says("skip")
    sari.says("skip")
    sari.presses("Ask the others")
    assert "“beneficial ownership rules are unclear”" in sari.last
    assert bat.sees() == []
    sari.presses("Send")
    assert "“beneficial ownership rules are unclear”" in bat.last
    sari.presses("Keep it private")
    assert "nobody but you reads your words" in sari.last


def test_what_changed_keeps_who_changed_and_a_public_link(chat: Chat, sari: Person) -> None:
    has(chat, sari, "Checklist")
    sari.says("project")
    sari.presses("What changed")
    sari.says("The district answers within a week now")
    assert "Who outside your team changed because of it?" in sari.last
    sari.says("The procurement office of the district")
    sari.says("http://127.0.0.1/secret")
    assert "Please send one public link that begins with https://" in sari.last
    sari.says("example.org/answers")
    assert "Kept in the history" in sari.last
    sari.presses("What changed so far")
    assert "Mon 23 Nov: what changed" in sari.last
    assert "Who changed: The procurement office of the district" in sari.last
    assert "https://example.org/answers" in sari.last
    sari.presses("Project")
    sari.presses("What changed")
    sari.says("A mistake")
    sari.says("skip")
    sari.says("skip")
    sari.presses("Undo")
    sari.presses("What changed so far") if "What changed so far" in sari.buttons() else sari.says("project")
    assert "A mistake" not in sari.last


def test_history_keeps_every_status_a_page_at_a_time(chat: Chat, sari: Person) -> None:
    number = has(chat, sari, "One", "Two", "Three")
    sari.says("project")
    for title in ("One", "Two", "Three"):
        sari.presses(f"{title} → begun")
        sari.presses(f"{title} → more than half")
    press(chat, sari, "updates.list", str(number))
    assert sari.last.count("Mon 23 Nov: ") == 5
    assert "“Three”: more than half" in sari.last
    sari.presses("Earlier")
    assert sari.last.count("Mon 23 Nov: ") == 1
    assert "“One”: begun" in sari.last


def test_dates_come_as_a_calendar_file(chat: Chat, sari: Person) -> None:
    has(chat, sari, "Checklist", due=date(2026, 12, 7))
    has(chat, sari, "Visit, roads; wells", due=date(2027, 4, 30))
    sari.says("project")
    sari.presses("Project of Sari")
    sari.presses("Milestones and dates")
    sari.presses("Dates for my calendar")
    ((name, media_type, content),) = chat.screens.files
    assert (name, media_type) == ("kawan-dates.ics", "text/calendar")
    days = {str(event["summary"]): event.start for event in Calendar.from_ical(content).events}
    assert days == {"Checklist": date(2026, 12, 7), "Visit, roads; wells": date(2027, 4, 30)}


def test_several_projects_are_listed_and_five_are_enough(chat: Chat, sari: Person) -> None:
    for number in range(5):
        sari.says(f"/project Reform number {number}")
    sari.says("/project One too many")
    assert "5 projects at once are enough." in sari.last
    assert "Reform number 3" in sari.buttons()
    sari.says("/project Reform number 3")
    assert "Already saved. Nothing changed." in sari.last


def test_leaving_a_project_of_ones_own_closes_keeps_or_erases_it(chat: Chat, sari: Person) -> None:
    mirela, bat = chat.joins("Mirela", role="facilitator"), chat.joins("Bat")
    for title in ("Clinics opened", "Roads opened", "Wells opened"):
        begins(sari, title)
    for title, button in (("Clinics", "Close it"), ("Roads", "Leave it to the facilitators"), ("Wells", "Erase it")):
        sari.says("project")
        if f"{title} opened" in sari.buttons():
            sari.presses(f"{title} opened")
        sari.presses("Leave this project")
        sari.presses(button)
    sari.presses("Yes, erase")
    assert "Erased: “Wells opened”" in sari.last
    assert "was left to the facilitators" in mirela.last
    bat.says("clinics")
    assert "Sari" not in bat.last
    sari.presses("Project")
    assert "You have no project here yet" in sari.last


def test_a_closed_project_opens_again_and_a_given_one_comes_back(chat: Chat, sari: Person) -> None:
    begins(sari)
    sari.says("project")
    sari.presses("Leave this project")
    sari.presses("Close it")
    assert "is closed from now on" in sari.last
    sari.presses("Undo")
    assert "Open again, from now on." in sari.last
    sari.presses("Leave this project")
    sari.presses("Leave it to the facilitators")
    sari.presses("Undo")
    assert "As it was before." in sari.last
    assert len(milestones(chat, sari)) == 1
    assert milestones(chat, sari)[0].written_by == sari.member


def test_facilitators_see_overdue_first_then_blocked_in_pages_and_narrowed(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    for number in range(12):
        has(chat, chat.joins(f"Fellow{number}", country="MN" if number % 2 else "ID"), "Plan", due=date(2027, 1, 5))
    has(chat, chat.joins("Late", country="MN"), "Old plan", due=date(2026, 11, 2))
    has(chat, chat.joins("Held"), "Held plan", due=date(2027, 1, 5), blocked=True)
    mirela.says("manage")
    mirela.presses("Projects")
    shown = [label for label in mirela.buttons() if label.startswith("Project of")]
    assert shown[:2] == ["Project of Late", "Project of Held"]
    assert len(shown) == 8
    assert "overdue: Old plan" in mirela.last
    assert "blocked: Held plan" in mirela.last
    mirela.presses("More")
    rest = [label for label in mirela.buttons() if label.startswith("Project of")]
    assert len(rest) == 6
    assert not set(rest) & set(shown)
    assert "More" not in mirela.buttons()
    mirela.presses("Narrow down")
    mirela.presses("A country")
    mirela.says("Nowhereland")
    assert "I did not find that country." in mirela.last
    mirela.says("mongolia")
    assert "Only: Mongolia" in mirela.last
    assert "Project of Held" not in mirela.buttons()
    assert "Project of Late" in mirela.buttons()
    mirela.presses("Narrow down")
    mirela.presses("Overdue")
    assert [label for label in mirela.buttons() if label.startswith("Project of")] == ["Project of Late"]


@pytest.mark.parametrize("audience", [Audience.ME, Audience.FACILITATORS])
def test_what_is_not_shared_with_facilitators_is_in_no_list_card_or_status_page(chat: Chat, audience: Audience) -> None:
    sari = chat.joins("Sari", own={"project": audience})
    mirela = chat.joins("Mirela", role="facilitator")
    number = has(chat, sari, "Canarystep")
    mirela.says("manage")
    mirela.presses("Projects")
    listed = "Project of Sari" in mirela.last
    mirela.presses("Status page to copy")
    copied = "Canarystep" in mirela.last
    press(chat, mirela, "projects.card", str(number))
    opened = "Canarystep" in mirela.last
    assert {listed, copied, opened} == {audience is Audience.FACILITATORS}


def test_the_status_page_is_text_with_statuses_and_making_it_is_written_down(chat: Chat, sari: Person) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    has(chat, sari, "Checklist", due=date(2026, 11, 2), status="limited")
    mirela.says("manage")
    mirela.presses("Projects")
    mirela.presses("Status page to copy")
    assert "Reform Asia: projects on Mon 23 Nov. Progress is self-reported." in mirela.last
    assert "· Checklist: begun; it was due on Mon 2 Nov" in mirela.last
    assert "Status: begun (in OGP's words, self-reported: limited)" in mirela.last

    def audited(unit: UnitOfWork) -> int:
        from storage.audit import audit

        return len(unit.connection.execute(audit.select().where(audit.c.action == "projects.status")).all())

    assert chat.store.now(audited) == 1


def test_a_look_at_a_persons_project_is_shown_to_them(chat: Chat, sari: Person) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    has(chat, sari, "Checklist")
    mirela.says("manage")
    mirela.presses("Projects")
    mirela.presses("Project of Sari")
    press(chat, sari, "privacy.looked", "")
    assert "Mirela" in sari.last


def test_a_locked_persons_project_is_shown_to_nobody(chat: Chat, sari: Person) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    has(chat, sari, "Checklist")
    sari.says("safe")
    mirela.says("manage")
    mirela.presses("Projects")
    assert "Project of Sari" not in mirela.last


def test_a_check_in_answers_for_a_milestone_without_asking_twice(chat: Chat, sari: Person) -> None:
    has(chat, sari, "Far", due=date(2027, 3, 1))
    has(chat, sari, "Governor", due=date(2026, 11, 25))

    def job(unit: UnitOfWork) -> list[object]:
        me = unit.members.recall(sari.member or 0)
        assert me is not None
        now = chat.clock.now()
        due = progress.milestone_due(unit, me, now)
        assert due is not None
        said: list[object] = [due.title, progress.asked(unit, due, now), progress.asked(unit, due, now)]
        said.append(progress.milestone_due(unit, me, now))
        said.append(progress.take_answer(unit, me, due, "moving", now))
        moved = unit.milestones.get(due.id)
        assert moved is not None
        said.append(progress.take_answer(unit, me, moved, "stuck", now))
        stuck = unit.milestones.get(due.id)
        assert stuck is not None
        said.append(stuck.blocked)
        said.append(progress.take_answer(unit, me, stuck, "done", now))
        done = unit.milestones.get(due.id)
        assert done is not None
        return [*said, done.blocked, progress.take_answer(unit, me, done, "moving", now)]

    assert chat.store.now(job) == [
        "Governor", True, False, None, Status.LIMITED, None, True, Status.COMPLETE, False, None,
    ]  # fmt: skip


def test_my_data_holds_my_project_with_its_steps_and_history(chat: Chat, sari: Person) -> None:
    has(chat, sari, "Checklist")
    sari.says("project")
    sari.presses("What changed")
    sari.says("They answer now")
    sari.says("skip")
    sari.says("skip")
    sari.says("mydata")
    found = json.loads(chat.screens.files[-1][2])
    assert found["project"][0]["title"] == "Project of Sari"
    assert found["milestone"][0]["title"] == "Checklist"
    assert found["project_update"][0]["words"] == "They answer now"


def test_everything_can_be_said_in_indonesian(chat: Chat) -> None:
    sekar = chat.joins("Sekar", language="id", preset=Preset.OPEN)
    sekar.says("proyek")
    assert "satu kalimat" in sekar.last.casefold()
    press(chat, sekar, "project.new", "")
    sekar.says("Setiap warga melihat belanja sekolah")
    assert "Setiap warga melihat belanja sekolah" in sekar.last
    (step,) = [label for label in sekar.buttons() if label == "Ya"]
    sekar.presses(step)
    assert "21 Des" in sekar.last

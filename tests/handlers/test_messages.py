"""Writing to many: what the sender is asked and shown, what receivers get, and the numbers that add up."""

import asyncio
import re

import pytest

from bot.core.adapter import Absent, Envelope, Outcome, Rejected, Unknown, Unreachable
from bot.core.events import Due
from handlers import message_sending
from storage import Store, UnitOfWork
from tests.chat import Chat, Person

TEXT = "Please read the draft law."


def writes(who: Person, text: str = TEXT, *answers: str, to: str = "Everybody", how: str = "No answer") -> None:
    """A facilitator writes a message as far as the question whether to send it; `answers` come after how and to."""
    who.says("manage")
    who.presses("Message")
    who.presses("Write a message")
    who.says(text)
    who.presses(to)
    if to != "Everybody":
        answer, *answers = answers  # type: ignore[assignment]
        who.says(answer)
    who.presses(how)
    for answer in answers:
        who.says(answer)
    if who.buttons()[:1] == ["Now"]:
        who.presses("Now")


def sends(who: Person, text: str = TEXT, *answers: str, to: str = "Everybody", how: str = "No answer") -> None:
    """The same, and the yes; then the time for which it is held goes by."""
    writes(who, text, *answers, to=to, how=how)
    who.presses("Send to")
    who.chat.passes(minutes=11)
    who.chat.passes(minutes=1)


def newest(who: Person) -> str:
    """What somebody sees now: a card with a picture is several messages in an app."""
    return "\n".join(who.sees()[-3:])


def adds_up(text: str, recipients: int) -> None:
    """The numbers on a live card, together, are its recipients."""
    fields = re.findall(r"^(?!.*sent \d+ of)[^:\n]+: ([\d,]+)$", text, re.MULTILINE)
    assert sum(int(number.replace(",", "")) for number in fields) == recipients, text


def test_a_message_is_shown_as_receivers_see_it_held_and_then_sent(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    sari, bat = chat.joins("Sari"), chat.joins("Bat", language="id")
    writes(mirela)
    sample = mirela.sees()[-2]
    assert "It goes to 2 people: everybody." in mirela.last
    mirela.presses("Send to 2")
    assert "For 2 people. It leaves: Mon" in mirela.last
    assert sari.sees() == bat.sees() == []
    chat.passes(minutes=11)
    assert sari.last == sample
    assert "Dari Mirela, fasilitator" in bat.last
    assert "ketik bantuan" in bat.last
    chat.passes(minutes=1)
    assert "sent 2 of 2" in mirela.last
    adds_up(mirela.last, 2)


def test_stopped_in_time_nobody_gets_it(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    writes(mirela)
    mirela.presses("Send to 1")
    mirela.presses("Stop")
    assert "Stopped. 1 person would have got it; nobody did." in mirela.last
    adds_up(mirela.last, 1)
    chat.passes(minutes=20)
    assert sari.sees() == []


def test_a_second_yes_changes_nothing_and_says_how_far_it_is(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    writes(mirela)
    handle = mirela.handle_of("Send to 1")
    mirela.presses("Send to 1")
    chat.happens(mirela.platform.presses(chat.count(), mirela, handle))
    assert mirela.last == "Already being sent (started 10:00). 0 of 1 sent."
    chat.passes(minutes=12)
    assert len(sari.sees()) == 1
    chat.happens(mirela.platform.presses(chat.count(), mirela, handle))
    assert mirela.last == "Already being sent (started 10:00). 1 of 1 sent."


def test_without_anybody_to_send_to_it_says_so(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    writes(mirela)
    assert mirela.last == "No one would get this: the cohort has no active members."
    assert not any(label.startswith("Send") for label in mirela.buttons())


def test_only_facilitators_send_to_the_cohort(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("message")
    assert sari.last == "Only facilitators can send to the cohort. To reach them, type help."
    sari.says("broadcast")
    assert sari.last == "Only facilitators can send to the cohort. To reach them, type help."


def test_whoever_is_no_facilitator_any_more_sends_nothing_more(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    writes(mirela)
    mirela.presses("Send to 1")
    number = mirela.member
    assert number is not None
    chat.store.now(lambda unit: unit.members.change(number, role="fellow"))
    chat.passes(minutes=12)
    assert sari.sees() == []
    states = chat.store.now(lambda unit: unit.broadcasts.page(chat.cohort, None, 5)[0].state)
    assert states == "stopped"


def test_audiences_are_the_ones_that_were_chosen(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    sari = chat.joins("Sari", country="ID", sector="civil_society", topics=["beneficial-ownership"])
    bat = chat.joins("Bat", country="MN", sector="government", coalitions=["donors"])
    for to, answer, gets in (
        ("One country", "Mongolia", bat),
        ("One coalition", "Citizens", sari),
        ("One topic", "beneficial ownership", sari),
        ("One sector", "Government", bat),
    ):
        before = [len(who.sees()) for who in (sari, bat)]
        sends(mirela, f"For {to}", answer, to=to)
        chat.passes(days=7)
        got = [who for who, seen in zip((sari, bat), before, strict=True) if len(who.sees()) > seen]
        assert got == [gets], to


def test_who_is_away_or_agreed_to_no_questions_is_left_out_and_counted(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    sari, bat, pilo = chat.joins("Sari"), chat.joins("Bat", purposes=["profile", "storage"]), chat.joins("Pilo")
    pilo.says("stop")
    pilo.presses("1 week") if "1 week" in pilo.buttons() else pilo.says("until 7 Dec")
    asleep = len(pilo.sees())
    writes(mirela, "Who can help?", "Me, Not me", how="With buttons")
    assert "It goes to 1 person: everybody." in mirela.last
    assert "1 person agreed to no questions and is not asked." in mirela.last
    mirela.presses("Send to 1")
    chat.passes(minutes=12)
    assert "Who can help?" in sari.last
    assert bat.sees() == []
    assert len(pilo.sees()) == asleep


def test_links_and_calls_to_everybody_are_warned_of_and_long_texts_refused(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    chat.joins("Sari")
    mirela.says("manage")
    mirela.presses("Message")
    mirela.presses("Write a message")
    mirela.says("x" * 2005)
    assert "too long by 5 characters" in mirela.last
    mirela.says("@here " + "https://a.example " * 12)
    mirela.presses("Everybody")
    mirela.presses("No answer")
    mirela.presses("Now")
    assert "It has 12 links." in mirela.last
    assert "@here calls nobody" in mirela.last


def test_a_message_can_be_changed_before_it_is_sent(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    writes(mirela)
    mirela.presses("Change")
    mirela.presses("The text")
    mirela.says("Please read the second draft.")
    assert "second draft" in mirela.sees()[-2]
    mirela.presses("Send to 1")
    chat.passes(minutes=12)
    assert "second draft" in sari.last
    assert len(sari.sees()) == 1


def test_thrown_away_nothing_is_kept(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    writes(mirela)
    mirela.presses("Throw away")
    assert mirela.last == "Thrown away. Nothing was sent."
    chat.passes(minutes=12)
    assert sari.sees() == []


def test_at_a_time_and_in_each_persons_own_morning(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    sari, bat = chat.joins("Sari"), chat.joins("Bat", time_zone="Asia/Ulaanbaatar")
    writes_until_when(mirela)
    mirela.presses("At a time")
    mirela.says("tomorrow")
    assert "Please write the time, too" in mirela.last
    mirela.says("yesterday 09:00")
    assert "That time is over." in mirela.last
    mirela.says("tomorrow 14:30")
    assert "It leaves on Tue 24 Nov, 14:30, your time." in mirela.last
    mirela.presses("Send to 2")
    chat.passes(hours=28)
    assert sari.sees() == []
    chat.passes(minutes=40)
    assert TEXT in sari.last
    writes_until_when(mirela)
    mirela.presses("Each person's own morning")
    mirela.presses("Send to 2")
    chat.passes(hours=17, minutes=30)  # 08:10 in Jakarta, 09:10 in Ulaanbaatar
    assert (len(bat.sees()), len(sari.sees())) == (2, 1)
    chat.passes(hours=1)
    assert (len(bat.sees()), len(sari.sees())) == (2, 2)


def writes_until_when(who: Person) -> None:
    who.says("message")
    who.presses("Write a message")
    who.says(TEXT)
    who.presses("Everybody")
    who.presses("No answer")


def test_whatever_becomes_of_each_copy_the_card_adds_up(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    for name in ("Sari", "Bat", "Pilo", "Jek", "Otgon"):
        chat.joins(name)
    faults: dict[str, Outcome] = {"dm:Bat": Unreachable("blocked"), "dm:Pilo": Unknown("timeout")}

    def play(envelope: Envelope) -> Outcome | None:
        return faults.get(envelope.address.conversation)

    chat.screens.outcome = play
    sends(mirela)
    adds_up(mirela.last, 5)
    chat.passes(minutes=10)
    chat.passes(minutes=1)
    assert "sent 3 of 5" in mirela.last
    assert "Cannot be reached: 1" in mirela.last
    assert "Perhaps not arrived: 1" in mirela.last
    adds_up(mirela.last, 5)
    faults.clear()
    mirela.presses("Send again (1)")
    chat.passes(minutes=1)
    mirela.presses("How it stands")
    assert "sent 4 of 5" in mirela.sees()[-1] + mirela.sees()[-2]


def test_who_leaves_afterwards_is_still_in_the_sum(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    chat.joins("Bat")
    sends(mirela)
    number = sari.member
    assert number is not None
    chat.store.now(lambda unit: unit.privacy.erase(number))
    mirela.presses("How it stands")
    assert "Have left the bot since: 1" in mirela.last
    adds_up(mirela.last, 2)


def test_withdrawn_it_is_deleted_and_the_sender_told_who_had_it(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, "Who comes?", "Yes, No", how="With buttons")
    sari.presses("Yes")
    mirela.presses("Withdraw")
    assert "1 person has it." in mirela.last
    mirela.presses("Yes, withdraw")
    assert "Withdrawn. 1 person had it already." in "\n".join(mirela.sees())
    kinds = chat.store.now(_kinds_to(sari))
    assert "delete" in kinds


def _kinds_to(who: Person):  # type: ignore[no-untyped-def]
    def job(unit: UnitOfWork) -> list[str]:
        from storage.outbox_rows import outbox

        return list(
            unit.connection.scalars(
                outbox.select().with_only_columns(outbox.c.kind).where(outbox.c.member_id == who.member)
            )
        )

    return job


def test_earlier_messages_are_listed_a_page_at_a_time(chat: Chat) -> None:
    mirela, otto = chat.joins("Mirela", role="facilitator"), chat.joins("Otto", role="facilitator")
    for n in range(10):
        sends(mirela, f"Number {n}")
    otto.says("message")
    otto.presses("Earlier messages")
    assert "Mirela: “Number 9”, 1 person" in otto.last
    assert "Number 1”" not in otto.last
    otto.presses("More")
    assert "Number 1”" in otto.last
    otto.presses("Number 0")
    assert "sent" in otto.last


def test_who_had_enough_this_week_gets_it_on_monday_and_the_sender_knows_before(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    for n in range(3):
        sends(mirela, f"Number {n}")
    assert len(sari.sees()) == 3
    writes(mirela, "Number 3")
    assert "1 person already has 3 this week: they get it Monday." in mirela.last
    mirela.presses("Send to 1")
    chat.passes(minutes=12)
    chat.passes(days=2)
    assert len(sari.sees()) == 3
    mirela.presses("How it stands")
    assert "Waiting: 1" in mirela.last
    chat.passes(days=5)
    assert "Number 3" in sari.last


def test_the_team_of_a_project_is_an_audience(chat: Chat) -> None:
    mirela, sari, bat = chat.joins("Mirela", role="facilitator"), chat.joins("Sari"), chat.joins("Bat")
    number = sari.member
    assert number is not None

    def make(unit: UnitOfWork) -> None:
        project = unit.projects.begin(chat.cohort, None, "Clinics")
        unit.teams.put(chat.cohort, project, number, "in", chat.clock.now())

    chat.store.now(make)
    sends(mirela, TEXT, "Clinics", to="One project's team")
    assert "the team of Clinics" in mirela.last
    assert TEXT in sari.last
    assert bat.sees() == []


def test_a_senders_words_are_erased_with_them(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, "Canarywords")
    assert "Canarywords" in sari.last
    number = mirela.member
    assert number is not None
    chat.store.now(lambda unit: unit.privacy.erase(number))

    def kept(unit: UnitOfWork) -> str:
        from storage.base import metadata

        tables = (metadata.tables[name] for name in ("broadcast", "content", "outbox"))
        return "".join(str(row) for table in tables for row in unit.connection.execute(table.select()))

    assert "Canarywords" not in chat.store.now(kept)


def test_nothing_leaves_before_the_last_row_is_written_and_a_stop_in_between_loses_nothing(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_sending, "AT_ONCE", 2)
    chat.kawan.engine.chunks.size = 2
    mirela = chat.joins("Mirela", role="facilitator")
    fellows = [chat.joins(f"Fellow {n}") for n in range(7)]
    writes(mirela)
    chat.happens(mirela.platform.presses(chat.count(), mirela, mirela.handle_of("Send to 7")), settle=False)
    for timer in chat.store.now(lambda unit: unit.schedules.due(chat.clock.now(), 10)):
        event = Due(id=f"timer:{timer.id}", name=timer.name, members=(timer.member_id,), at=timer.due_at,
                    object=timer.object)  # fmt: skip
        chat.happens(event, settle=False)  # then the bot is killed: the timer is not ticked off
    written = chat.store.now(lambda unit: unit.broadcasts.page(chat.cohort, None, 1)[0])
    assert (written.state, written.recipients) == ("writing", 2)
    chat.clock.passes(minutes=30)
    asyncio.run(_deliver(chat))
    assert [who.sees() for who in fellows] == [[]] * 7
    chat.settles()
    chat.passes(minutes=1)
    assert [len(who.sees()) for who in fellows] == [1] * 7
    assert "sent 7 of 7" in mirela.last


async def _deliver(chat: Chat) -> None:
    for relay in chat.kawan.relays:
        await relay.drain()


@pytest.mark.parametrize("ends", ["Stop", "Withdraw"])
def test_what_was_on_its_way_and_comes_back_does_not_leave_once_it_is_over(store: Store, ends: str) -> None:
    chat = Chat(store, tells=True)
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    chat.joins("Bat")
    left: list[str] = []

    def play(envelope: Envelope) -> Outcome | None:
        if envelope.address.conversation != sari.address.conversation:
            return None
        left.append(envelope.key)
        return Unreachable("blocked") if len(left) > 1 else Unknown("timeout")

    chat.screens.outcome = play
    chat.screens.known = lambda envelope: Absent()
    sends(mirela)
    assert len(left) == 1
    mirela.presses(ends)
    if ends == "Withdraw":
        mirela.presses("Yes, withdraw")
        assert "waiting" not in mirela.last
    assert "1 copy was on its way" in mirela.sees()[-1] + mirela.sees()[-2]
    chat.passes(minutes=5)
    chat.passes(minutes=16)
    assert len(left) == 1
    mirela.presses("How it stands")
    assert "Cancelled before it left: 1" in mirela.last
    assert "on its way" not in mirela.last
    adds_up(mirela.last, 2)


@pytest.mark.parametrize("held", [True, False])
def test_with_a_message_its_reminders_are_withdrawn(chat: Chat, held: bool) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, TEXT, "Yes, No", how="With buttons")
    mirela.presses("Withdraw")
    withdraw = mirela.handle_of("Yes, withdraw")
    mirela.presses("Remind")
    mirela.presses("Send to 1")
    if not held:
        chat.passes(minutes=11)
        chat.passes(minutes=1)
        assert "A reminder:" in sari.last
    chat.happens(mirela.platform.presses(chat.count(), mirela, withdraw))
    chat.passes(minutes=11)
    chat.passes(minutes=1)
    assert sari.sees() == []


def test_a_draft_of_a_reminder_ends_with_its_message(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, TEXT, "Yes, No", how="With buttons")
    mirela.presses("Remind")
    mirela.presses("Withdraw")
    assert "reminders are withdrawn, too" in mirela.last
    mirela.presses("Yes, withdraw")
    mirela.presses("Send to 1")
    assert mirela.last == "This message is no longer here. Nothing was sent."
    chat.passes(minutes=12)
    assert sari.sees() == []


def test_the_card_of_a_reminder_does_not_say_that_those_are_silent_who_answered(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    sends(mirela, TEXT, "Yes, No", how="With buttons")
    mirela.presses("Remind")
    mirela.presses("Send to 1")
    chat.passes(minutes=11)
    chat.passes(minutes=1)
    sari.presses("Yes")
    chat.passes(minutes=16)
    reminder = next(text for text in mirela.sees() if text.startswith("Reminder"))
    assert reminder.endswith("Delivered: 1")


def test_only_the_sender_reminds_and_others_are_told_so(chat: Chat) -> None:
    mirela, olga = chat.joins("Mirela", role="facilitator"), chat.joins("Olga", role="facilitator")
    sends(mirela, TEXT, "Yes, No", how="With buttons")
    olga.says("message")
    olga.presses("Earlier")
    olga.presses(TEXT)
    olga.presses("Remind")
    assert olga.last == "Only Mirela can remind of it. Nothing changed."


def test_of_a_sender_who_locked_their_account_others_see_that_nothing_leaves(chat: Chat) -> None:
    mirela, olga = chat.joins("Mirela", role="facilitator"), chat.joins("Olga", role="facilitator")
    sari = chat.joins("Sari")
    writes(mirela)
    mirela.presses("Send to 2")
    mirela.says("safe")
    chat.passes(minutes=12)
    olga.says("message")
    olga.presses("Earlier")
    olga.presses(TEXT)
    assert "Stopped. 2 people would have got it; nobody did." in olga.last
    adds_up(olga.last, 2)
    assert sari.sees() == []


def test_what_nobody_may_send_any_more_is_not_said_to_go_once_more(chat: Chat) -> None:
    mirela, olga = chat.joins("Mirela", role="facilitator"), chat.joins("Olga", role="facilitator")
    sari = chat.joins("Sari")
    chat.screens.outcome = lambda envelope: Rejected("no") if envelope.address == sari.address else None
    sends(mirela)
    chat.screens.outcome = lambda envelope: None
    number = mirela.member
    assert number is not None
    chat.store.now(lambda unit: unit.members.change(number, role="fellow"))
    olga.says("message")
    olga.presses("Earlier")
    olga.presses(TEXT)
    olga.presses("Send again (1)")
    assert "cannot be sent again. Nothing changed." in olga.last
    olga.presses("How it stands")
    assert "Failed: 1" in olga.last

"""What became of a message: doubts that are asked about and end, other accounts, parts, and rows that are held back."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.app import build
from bot.core.adapter import Absent, Envelope, NotSent, Outcome, Sent, Unknown, Unreachable
from bot.core.clock import SystemClock
from bot.core.context import Context
from bot.core.events import Address, Due, Message, Submit
from bot.core.replies import Button, Card, Content, t
from storage import Store, UnitOfWork
from storage.outbox import outbox
from tests.adapters.slack_platform import Slack
from tests.adapters.telegram_platform import OnTelegram
from tests.chat import Chat, Person, Plain, Screens
from tests.handlers.test_answering import asks, to_monday

AGAIN = "In case this did not reach you:"


class Elsewhere(Plain):
    """A second terminal."""

    installation = "elsewhere"


def rebuilt(chat: Chat, *screens: Screens, tell: bool = False, pages: bool = False) -> None:
    """The same chat, whose platform can be asked what arrived, or opens pages; perhaps with more platforms."""
    chat.kawan = build(
        chat.store, chat.programme, [chat.screens, *screens], clock=chat.clock, ids=chat.ids, a_minute=None,
        tell=["console"] if tell else [], pages=["console"] if pages else [],
    )  # fmt: skip


def says(chat: Chat, who: Person, card: Card, *, once: bool = False) -> int:
    """The bot says something by itself."""

    def job(unit: UnitOfWork) -> int:
        assert who.member is not None
        member = unit.members.lock(who.member)
        assert member is not None
        event = Due(id=f"test:{chat.count()}", name="test", members=(), at=chat.clock.now())
        ctx = Context(chat.kawan.engine, unit, event, member, chat.clock.now())
        number = ctx.send(who.member, card, once=once)
        assert number is not None
        return number

    return chat.store.now(job)


def states(chat: Chat) -> list[str]:
    return chat.store.now(lambda unit: list(unit.connection.scalars(sa.select(outbox.c.state).order_by(outbox.c.seq))))


def first_is(chat: Chat, outcome: Outcome) -> None:
    """The first call meets this, all others succeed."""
    outcomes: list[Outcome] = [outcome]
    chat.screens.outcome = lambda envelope: outcomes.pop() if outcomes else None


def test_what_must_arrive_is_said_once_more_and_says_so(chat: Chat) -> None:
    sari = chat.joins("Sari", language="id")
    chat.screens.outcome = lambda envelope: Unknown("timeout")
    says(chat, sari, Card("hello", buttons=(Button(t("Menu"), "help.open"),)))
    chat.settles()
    assert states(chat) == ["in_doubt"]
    chat.passes(seconds=170)
    assert states(chat) == ["in_doubt"]
    chat.screens.outcome = lambda envelope: None
    chat.passes(seconds=20)
    assert states(chat) == ["sent"]
    assert sari.last.endswith("hello")
    assert sari.last != "hello"


def test_a_second_doubt_is_not_said_again(chat: Chat) -> None:
    sari = chat.joins("Sari")
    seen: list[str] = []

    def lost(envelope: Envelope) -> Outcome:
        seen.append(envelope.content.text)
        return Unknown("timeout")

    chat.screens.outcome = lost
    says(chat, sari, Card("hello"))
    for _ in range(10):
        chat.passes(seconds=100)
    assert states(chat) == ["unconfirmed"]
    assert seen == ["hello", f"{AGAIN}\n\nhello"]


def test_what_names_somebody_is_never_said_twice(chat: Chat) -> None:
    sari = chat.joins("Sari")
    first_is(chat, Unknown("timeout"))
    says(chat, sari, Card("meet Bat"), once=True)
    chat.settles()
    chat.passes(seconds=200)
    assert states(chat) == ["unconfirmed"]
    assert sari.sees() == []


def test_a_platform_that_has_it_settles_the_doubt_at_once(chat: Chat) -> None:
    rebuilt(chat, tell=True)
    sari = chat.joins("Sari")
    asked: list[Envelope] = []

    def known(envelope: Envelope) -> Sent:
        asked.append(envelope)
        return Sent("r7")

    chat.screens.known = known
    first_is(chat, Unknown("timeout"))
    number = says(chat, sari, Card("hello"))
    chat.settles()
    row = chat.store.now(lambda unit: unit.outbox.get(number))
    assert row is not None
    assert (row.state, row.platform_ref) == ("sent", "r7")
    assert [one.attempted_at for one in asked] == [chat.clock.now().timestamp()]


def test_what_is_surely_not_there_is_sent_again_after_the_settle_time_and_twice_at_most(chat: Chat) -> None:
    rebuilt(chat, tell=True)
    sari = chat.joins("Sari")
    seen: list[str] = []

    def lost(envelope: Envelope) -> Outcome:
        seen.append(envelope.content.text)
        return Unknown("timeout")

    chat.screens.outcome, chat.screens.known = lost, lambda envelope: Absent()
    says(chat, sari, Card("hello"), once=True)
    chat.settles()
    chat.passes(seconds=100)
    assert seen == ["hello"]
    chat.passes(seconds=81)
    assert seen == ["hello", "hello"]
    for _ in range(8):
        chat.passes(seconds=100)
    assert seen == ["hello"] * 3
    assert states(chat) == ["unconfirmed"]


def test_what_was_not_there_before_the_program_stood_still_may_have_arrived_since(chat: Chat) -> None:
    rebuilt(chat, tell=True)
    sari = chat.joins("Sari")
    answers: list[Sent | Absent] = [Absent(), Sent("r7")]

    def known(envelope: Envelope) -> Sent | Absent:
        if len(answers) == 2:
            chat.clock.passes(seconds=300)  # the machine sleeps on this answer
        return answers.pop(0)

    chat.screens.known = known
    first_is(chat, Unknown("timeout"))
    says(chat, sari, Card("hello"))
    chat.settles()
    chat.passes(seconds=40)
    assert states(chat) == ["sent"]
    assert sari.sees() == []
    assert answers == []


def test_a_platform_that_cannot_say_now_is_asked_again_and_nothing_is_doubled(chat: Chat) -> None:
    rebuilt(chat, tell=True)
    sari = chat.joins("Sari")
    first_is(chat, Unknown("timeout"))
    says(chat, sari, Card("hello"))
    chat.settles()
    for _ in range(5):
        chat.passes(seconds=100)
    assert states(chat) == ["in_doubt"]
    assert sari.sees() == []
    chat.passes(hours=1)
    assert states(chat) == ["unconfirmed"]


def with_two_accounts(chat: Chat, name: str, other: Screens) -> Person:
    """Somebody with an account on each of two platforms, who prefers the first."""
    person = chat.joins(name)
    at, there = person.address, other.platform

    def job(unit: UnitOfWork) -> None:
        assert person.member is not None
        me = unit.members.lock(person.member)
        assert me is not None
        unit.members.close_accounts(me.id)
        unit.members.add_account(me, there.name, there.installation, name, f"dm:{name}", chat.clock.now())
        unit.members.add_account(me, at.platform, at.installation, name, at.conversation, chat.clock.now())

    chat.store.now(job)
    return person


def test_whoever_is_not_reached_in_one_app_gets_the_same_message_in_the_other(chat: Chat) -> None:
    other = Screens(Elsewhere())
    rebuilt(chat, other)
    sari = with_two_accounts(chat, "Sari", other)
    chat.screens.outcome = lambda envelope: Unreachable("blocked")
    says(chat, sari, Card("hello"), once=True)
    chat.settles()
    chat.settles()
    assert [shown.text for shown in other.seen["dm:Sari"]] == ["hello"]
    assert states(chat) == ["sent"]
    says(chat, sari, Card("more"))
    chat.settles()
    assert [shown.text for shown in other.seen["dm:Sari"]] == ["hello", "more"]
    chat.screens.outcome = lambda envelope: None
    sari.says("help")  # whoever writes from an account is there again
    says(chat, sari, Card("welcome back"))
    chat.settles()
    assert sari.last == "welcome back"


def test_whoever_is_reached_nowhere_is_unreachable_once(chat: Chat) -> None:
    other = Screens(Elsewhere())
    rebuilt(chat, other)
    sari = with_two_accounts(chat, "Sari", other)
    chat.screens.outcome = other.outcome = lambda envelope: Unreachable("blocked")
    says(chat, sari, Card("hello"))
    for _ in range(3):
        chat.settles()
    assert states(chat) == ["unreachable"]


def test_a_doubt_never_moves_to_the_other_app(chat: Chat) -> None:
    other = Screens(Elsewhere())
    rebuilt(chat, other)
    sari = with_two_accounts(chat, "Sari", other)
    chat.screens.outcome = lambda envelope: Unknown("timeout")
    says(chat, sari, Card("hello"), once=True)
    for _ in range(5):
        chat.passes(seconds=100)
    assert other.seen == {}


@pytest.mark.parametrize("on", [Slack, OnTelegram], ids=["slack", "telegram"])
def test_a_long_message_leaves_in_parts_and_the_last_has_the_buttons(
    store: Store, on: type[Slack | OnTelegram]
) -> None:
    chat = Chat(store, on())
    sari = chat.joins("Sari")
    text = " ".join(f"Sentence number {n} of a long story." for n in range(600))
    number = says(chat, sari, Card(text, buttons=(Button(t("Menu"), "help.open"),)))
    chat.settles()
    assert len(sari.screen) > 1
    assert [len(shown.buttons) for shown in sari.screen] == [0] * (len(sari.screen) - 1) + [1]
    assert " ".join(sari.sees()).split() == text.split()
    row = chat.store.now(lambda unit: unit.outbox.get(number))
    assert row is not None
    assert row.body is not None
    assert row.body["buttons"]


@pytest.mark.parametrize("on", [Slack, OnTelegram], ids=["slack", "telegram"])
def test_a_change_that_is_too_long_becomes_new_messages(
    store: Store, on: type[Slack | OnTelegram], monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Chat(store, on())
    sari = chat.joins("Sari")
    text = " ".join(f"Sentence number {n} of a long story." for n in range(600))
    presses = chat.kawan.engine.router.presses
    monkeypatch.setitem(presses, "help.behind", replace(presses["help.behind"], handler=lambda ctx: Card(text)))
    sari.says("help")
    sari.presses("Who is behind this")
    shown = [one.text for one in sari.screen if not one.changed]
    assert [one.text for one in sari.screen if one.changed] == ["It is below."]
    assert " ".join(shown).split() == text.split()


def test_a_form_that_can_be_a_page_is_held_back_for_five_seconds(chat: Chat) -> None:
    rebuilt(chat, pages=True)
    sari, _ = chat.joins("Sari"), chat.joins("Mirela", role="facilitator")
    sari.says("help")
    ack = sari.presses("Talk to a human")
    assert ack.open is not None
    assert ack.open.held is not None
    assert "pass on" not in sari.last
    chat.passes(seconds=6)
    assert "pass on" in sari.last  # the page did not open


def test_the_page_of_a_form_that_follows_on_a_card_is_opened_by_the_same_press(chat: Chat) -> None:
    rebuilt(chat, pages=True)
    sari = chat.joins("Sari", needs=["open-data"], offers=["open-data"])
    asks(chat.joins("Mirela", role="facilitator"), "How is your energy?", "1 to 5")
    to_monday(chat, 3)
    sari.presses("4")
    sari.presses("That is all")
    ack = sari.presses("Fill it in")
    assert ack.open is not None
    assert "It goes on below." in sari.last


def test_an_opened_page_takes_the_held_question_back_and_answers_with_a_message(chat: Chat) -> None:
    rebuilt(chat, pages=True)
    sari, mirela = chat.joins("Sari"), chat.joins("Mirela", role="facilitator")
    sari.says("help")
    page = sari.presses("Talk to a human").open
    assert page is not None
    held = page.held
    assert held is not None
    chat.store.now(lambda unit: unit.outbox.cancel([held], chat.clock.now()))
    chat.passes(seconds=10)
    assert len(sari.screen) == 1

    def submit(**answers: str) -> Submit:
        return Submit(
            id=f"s{chat.count()}", sender=sari.sender, address=sari.address, dialog=page.dialog,
            version=page.version, answers=answers,
        )  # fmt: skip

    assert list(chat.happens(submit(text="")).problems) == ["text"]
    assert chat.happens(submit(text="I need somebody")).problems == {}
    assert "I need somebody" in mirela.last
    assert len(sari.screen) == 2
    assert chat.happens(submit(text="I need somebody")).toast == "That question is closed. Nothing changed."
    assert len(mirela.screen) == 1


def test_whoever_closes_a_page_and_writes_something_else_is_understood(chat: Chat) -> None:
    rebuilt(chat, pages=True)
    sari, _ = chat.joins("Sari"), chat.joins("Mirela", role="facilitator")
    sari.says("help")
    page = sari.presses("Talk to a human").open
    assert page is not None
    held = page.held
    assert held is not None
    chat.store.now(lambda unit: unit.outbox.cancel([held], chat.clock.now()))
    sari.says("what OCDS")
    assert "data format" in sari.last


def test_what_is_held_or_refused_leaves_in_time_and_not_at_the_next_tick(threaded_store: Store) -> None:
    chat = Chat(threaded_store)
    sari = chat.joins("Sari")
    kawan = build(threaded_store, chat.programme, [chat.screens], clock=SystemClock(), ids=chat.ids)
    chat.clock.at = SystemClock().now()
    first_is(chat, NotSent("no connection"))

    async def go() -> float:
        delivering = asyncio.create_task(kawan.relays[0].run())
        began = asyncio.get_running_loop().time()
        at = chat.clock.now() + timedelta(seconds=0.5)
        await threaded_store.run(
            lambda unit: unit.outbox.add(
                idem="held", key=b"k" * 16, lane=chat.screens.lane, conversation=sari.address.conversation,
                member_id=sari.member, body=Content("later").as_json(), cause="test", now=chat.clock.now(), at=at,
            )
        )  # fmt: skip
        async with asyncio.timeout(15):
            while not sari.screen:
                await asyncio.sleep(0.01)
        took = asyncio.get_running_loop().time() - began
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        return took

    assert 0.4 < asyncio.run(go()) < 10


def test_a_group_gets_one_message_where_all_share_a_place(store: Store) -> None:
    chat = Chat(store, Slack())
    sari, bat = chat.joins("Sari"), chat.joins("Bat")
    stranger = Message(id="x", sender=sari.sender, address=Address("slack", "T0", "dm:U1"), text="x")

    def group(unit: UnitOfWork, *members: Person) -> bool:
        me = unit.members.lock(members[0].member or 0)
        assert me is not None
        ctx = Context(chat.kawan.engine, unit, stranger, me, chat.clock.now())
        return ctx.send_group([member.member or 0 for member in members], Card("You both said yes."))

    assert chat.store.now(lambda unit: group(unit, sari, bat))
    chat.settles()
    assert [shown.text for shown in chat.screens.seen["group:Sari,Bat"]] == ["You both said yes."]
    assert sari.sees() == bat.sees() == []
    chat.store.now(lambda unit: unit.members.set_reachable("slack", bat.address.installation, "Bat", False))
    assert not chat.store.now(lambda unit: group(unit, sari, bat))


def test_two_yeses_in_one_workspace_open_a_chat_for_both(store: Store) -> None:
    chat = Chat(store, Slack())
    sari, bat = chat.joins("Sari"), chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses("Send")
    bat.presses("Yes")
    (opened,) = chat.screens.seen["group:Sari,Bat"]
    assert "You both said yes" in opened.text
    assert not {"Sari", "Bat"} & set(opened.text.replace(",", " ").split())
    for person in (sari, bat):
        assert "I opened a chat for the two of you." in "".join(person.sees())
        assert "Share my contact" in person.buttons()

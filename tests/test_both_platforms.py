"""The real program on both platforms at once: fellows join, find each other and meet; kills lose and double nothing."""

import asyncio
import contextlib
import itertools
import signal
import time
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.invite import COHORT
from storage import UnitOfWork, open_store
from tests.adapters.slack_people import SlackPerson, written
from tests.adapters.slack_server import TEAM, Delivery
from tests.adapters.telegram_people import Person
from tests.dying_bot import AFTER_COMMIT, AFTER_SEND, BEFORE_COMMIT
from tests.program import TOKEN, Both, both, sees, until

NEED = "beneficial ownership"


class Acknowledged:
    """Every request to the bot is acknowledged once, within three seconds, and every press on Telegram answered."""

    def __init__(self, at: Both) -> None:
        self.at = at
        self.slowest = 0.0

    def slack(self, delivery: Delivery) -> Delivery:
        assert [status for _, status, _ in delivery.answers] == [200], delivery
        self.slowest = max(self.slowest, delivery.answers[0][0])
        assert self.slowest < 3
        return delivery

    async def telegram(self, query: str) -> str | None:
        began = time.monotonic()
        await until(lambda: query in self.at.telegram.toasts, 3)
        self.slowest = max(self.slowest, time.monotonic() - began)
        return self.at.telegram.toasts[query]


async def joins_by_link(sari: Person, code: str, ok: Acknowledged) -> None:
    """Question by question, on Telegram."""
    sari.says(f"/start {code}")
    await sees(sari, "invitation")
    await ok.telegram(sari.presses("English"))
    await sees(sari, "Until you agree")
    await ok.telegram(sari.presses("Agree"))
    await sees(sari, "1 of 4")
    sari.says("Sari")
    await sees(sari, "2 of 4")
    await ok.telegram(sari.presses("Neither"))
    await sees(sari, "3 of 4")
    await ok.telegram(sari.presses("Citizens"))
    await until(lambda: any("✓ Citizens" in message.labels for message in sari.screen))
    await ok.telegram(sari.presses("Done"))
    await sees(sari, "4 of 4")
    sari.says(NEED)
    await sees(sari, "Who sees you")


async def joins_by_page(bat: SlackPerson, code: str, ok: Acknowledged) -> None:
    """In a window, on Slack."""
    ok.slack(await bat.says(f"start {code}"))
    await sees(bat, "invitation")
    ok.slack(await bat.presses("English"))
    await sees(bat, "Until you agree")
    ok.slack(await bat.presses("Agree"))
    await until(lambda: bat.user in bat.server.views)
    wrong = ok.slack(await bat.submits(name="Bat", side="neither", coalitions="citizens", need=""))
    assert wrong.answer["response_action"] == "errors"
    assert list(wrong.answer["errors"]) == ["need"]
    ok.slack(await bat.submits(name="Bat", side="neither", coalitions="citizens", need=NEED))
    await sees(bat, "Who sees you")


@pytest.mark.parametrize("called", [False, True], ids=["socket and polling", "http and webhook"])
def test_fellows_on_both_platforms_find_each_other_and_meet(tmp_path: Path, called: bool) -> None:
    async def go() -> None:
        async with both(tmp_path, called=called) as at:
            codes = at.program.invites(2)
            await at.starts()
            ok = Acknowledged(at)
            sari, bat = at.at_telegram(42, "Sari"), at.at_slack("U0BAT")
            await joins_by_link(sari, codes[0], ok)
            await joins_by_page(bat, codes[1], ok)
            await sees(bat, "Sari")  # the end of joining is a person
            at.program.may_be_written_to_at_any_hour()
            known = len(bat.screen)
            ok.slack(await bat.says("find citizens"))
            await until(lambda: len(bat.screen) > known)
            ok.slack(await bat.presses("Meet Sari"))
            await sees(bat, "This is what Sari will see")
            ok.slack(await bat.presses("Send"))
            await sees(bat, "Sent to Sari")
            await sees(sari, "would like to meet you")
            stale = next(data for message in sari.screen for label, data in message.buttons if label.startswith("Yes"))
            await ok.telegram(sari.presses("Yes"))
            await sees(sari, "are in touch now")
            await sees(bat, "are in touch now")
            await ok.telegram(sari.presses("Share my contact"))
            await sees(sari, "How can Bat reach you?")
            sari.says("sari@reform.example")
            await sees(bat, "sari@reform.example")
            await refuses_what_is_old_or_forged(at, ok, sari, bat, stale)
            assert await at.program.stop() == 0
            assert at.program.counts() in ({}, {"cancelled": 1})  # the question of Bat's page
            assert "handler_failed" not in at.program.log

    asyncio.run(go())


async def refuses_what_is_old_or_forged(at: Both, ok: Acknowledged, sari: Person, bat: SlackPerson, stale: str) -> None:
    """Acknowledged, answered, and nothing new on any screen; a repeat of a delivery is acted on once."""
    await asyncio.sleep(0.3)
    before = (len(sari.screen), len(bat.screen), sum(one.edits for one in sari.screen))
    assert await ok.telegram(sari.presses_data(stale)) == "Already saved. Nothing changed."
    for forged in (stale[:-1] + "9", "AAAAAAAAAAAAAAAAAAAAAA.0", "x"):
        await ok.telegram(sari.presses_data(forged))
        ok.slack(await bat.presses_handle(forged))
    ok.slack(await bat.presses_handle(stale))  # somebody else's
    await asyncio.sleep(0.3)
    assert (len(sari.screen), len(bat.screen), sum(one.edits for one in sari.screen)) == before
    body = written(at.slack.number(), bat.user, bat.channel, "help")
    for _ in range(3):
        ok.slack(await bat.sends(body))
    await until(lambda: len(bat.screen) == before[1] + 1)
    await asyncio.sleep(0.3)
    assert len(bat.screen) == before[1] + 1


@pytest.mark.long
def test_a_page_that_does_not_open_leaves_the_question_as_a_message(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            (code,) = at.program.invites()
            await at.starts()
            ok, bat = Acknowledged(at), at.at_slack("U0BAT")
            ok.slack(await bat.says(f"start {code}"))
            await sees(bat, "invitation")
            ok.slack(await bat.presses("English"))
            await sees(bat, "Until you agree")
            body = {"trigger_id": "a.trigger.that.is.gone"}
            at.slack.trigger = lambda user: str(body["trigger_id"])  # type: ignore[method-assign]
            began = time.monotonic()
            ok.slack(await bat.presses("Agree"))
            await sees(bat, "1 of 4")
            assert 4.5 < time.monotonic() - began < 9

    asyncio.run(go())


def test_a_stop_finishes_what_is_in_hand_and_a_start_goes_on(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            await at.starts()
            people = [at.at_telegram(100 + n, f"P{n}") for n in range(40)]
            for person in people:
                person.says("hello")
            await until(lambda: any(person.screen for person in people))
            began = time.monotonic()
            assert await at.program.stop() == 0
            assert time.monotonic() - began < 15
            assert at.program.counts().keys() <= {"queued"}
            await at.starts()
            await until(lambda: all(person.screen for person in people))
            await asyncio.sleep(0.3)
            assert [len(person.screen) for person in people] == [1] * 40
            at.program.tell(signal.SIGTERM)
            assert await at.program.ends(16) == 0

    asyncio.run(go())


def facilitates(at: Both, slack: str, telegram: int) -> None:
    """A facilitator with an account on both platforms, whom the bot writes to on Slack."""
    at.program.invites()
    with contextlib.closing(open_store(at.program.url, inline=True)) as store:

        def job(unit: UnitOfWork) -> None:
            now = SystemClock().now()
            cohort = unit.members.cohort_named(COHORT)
            assert cohort is not None
            known = {"role": "facilitator", "state": "active", "language": "en", "time_zone": "Asia/Jakarta"}
            me = unit.members.recall(unit.members.add(cohort, now, **known))
            assert me is not None
            bot, here = TOKEN.partition(":")[0], str(telegram)
            unit.members.add_account(me, "telegram", bot, here, f"dm:{here}", now)
            unit.members.add_account(me, "slack", TEAM, slack, f"dm:{slack}", now)

        store.now(job)


@pytest.mark.long
def test_a_token_that_is_withdrawn_is_told_on_the_other_platform_and_the_next_token_ends_it(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            facilitates(at, "U0MIRELA", 42)
            mirela, bat = at.at_telegram(42, "Mirela"), at.at_slack("U0BAT")
            await at.starts()
            at.slack.refusing = "token_revoked"
            calls = len(at.slack.calls)
            await bat.says("hello")  # the answer cannot be sent
            await sees(mirela, "Slack no longer lets me in", 30)
            await sees(mirela, "token_revoked")
            await asyncio.sleep(3)
            assert len(at.slack.calls) - calls <= 3
            assert await at.program.stop() == 0
            await at.program.start()  # still the old token: nothing new is said
            await until(lambda: at.program.log.count("token is refused") == 2, 60)
            await asyncio.sleep(2)
            assert await at.program.stop() == 0
            assert len(mirela.screen) == 1
            at.slack.refusing = ""
            await at.starts()
            await sees(mirela, "Slack works again", 60)
            await sees(bat, "invited members", 60)  # what waited
            assert await at.program.stop() == 0
            assert len(mirela.screen) == 2

    asyncio.run(go())


async def killed(at: Both, n: int, point: str) -> None:
    """Kill the program at a point of one event on one platform, start it again, and see what a person sees."""
    await at.starts()
    at.program.order.write_text(point)
    if n % 2:
        person: Person | SlackPerson = at.at_telegram(1000 + n, f"P{n}")
        assert isinstance(person, Person)
        person.says("hello")
        await at.died()
        await at.starts()
    else:
        person = at.at_slack(f"U0P{n}")
        body = written(at.slack.number(), person.user, person.channel, "hello")
        saying = asyncio.create_task(person.sends(body))
        await at.died()
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
        await at.starts()
        assert (await person.sends(body)).acknowledged  # Slack delivers again
    await until(lambda: person.screen, 20)
    if point == AFTER_SEND and isinstance(person, Person):
        await until(lambda: len(person.screen) == 2, 20)
        assert person.screen[1].text.startswith("In case this did not reach you:")
        assert person.screen[0].text in person.screen[1].text
    else:
        await until(lambda: not at.program.counts(), 20)  # Slack was asked, and has it
        await asyncio.sleep(0.3)
        assert len(person.screen) == 1
    assert await at.program.stop() == 0
    assert at.program.counts() == {}


def kills(folder: Path, count: int) -> None:
    async def go() -> None:
        async with both(folder, doubt=1.0) as at:
            points = itertools.cycle((AFTER_COMMIT, AFTER_COMMIT, BEFORE_COMMIT, BEFORE_COMMIT, AFTER_SEND, AFTER_SEND))
            for n, point in zip(range(count), points, strict=False):
                await killed(at, n, point)

    asyncio.run(go())


@pytest.mark.timeout(600)
@pytest.mark.long
def test_kills_between_commit_and_acknowledgement_lose_and_double_nothing(tmp_path: Path) -> None:
    kills(tmp_path, 20)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    kills(tmp_path, 200)

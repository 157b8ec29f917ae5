"""The real program: a facilitator picks people from the Slack workspace, the bot writes first, and they come in."""

import asyncio
from pathlib import Path

from tests.adapters.slack_people import SlackPerson
from tests.adapters.slack_server import Delivery
from tests.program import Both, both, sees, until


def ok(delivery: Delivery) -> Delivery:
    assert [status for _, status, _ in delivery.answers] == [200], delivery
    assert delivery.answers[0][0] < 3
    return delivery


async def joins_as_facilitator(at: Both, code: str) -> SlackPerson:
    mirela = at.at_slack("U0MIRELA")
    ok(await mirela.says(f"start {code}"))
    await sees(mirela, "invitation")
    ok(await mirela.presses("English"))
    await sees(mirela, "Until you agree")
    ok(await mirela.presses("Agree"))
    await until(lambda: mirela.user in at.slack.views)
    ok(await mirela.submits(name="Mirela Duquenoy", side="neither"))
    await sees(mirela, "Type manage")
    return mirela


async def picks(mirela: SlackPerson, people: str) -> Delivery:
    ok(await mirela.says("manage"))
    await sees(mirela, "Manage Reform Asia")
    ok(await mirela.presses("People"))
    await sees(mirela, "People of Reform Asia")
    ok(await mirela.presses("Pick from Slack"))
    await until(lambda: mirela.user in mirela.server.views)
    return ok(await mirela.submits(people=people, language="en"))


def test_people_are_picked_written_to_first_and_come_in_by_a_press_or_a_word(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path) as at:
            at.slack.people = {
                "U0BAT00": {"real_name": "Bat Erdene", "tz": "Asia/Ulaanbaatar", "is_bot": False},
                "U0GUEST": {"real_name": "", "is_ultra_restricted": True},
                "U0ROBOT": {"real_name": "Robot", "is_bot": True},
            }
            (code,) = at.program.invites(1, "facilitator")
            await at.starts()
            mirela = await joins_as_facilitator(at, code)
            refused = await picks(mirela, "U0BAT00,U0ROBOT")
            assert "Bots" in refused.answer["errors"]["people"]
            ok(await mirela.submits(people="U0BAT00,U0GUEST,U0MIRELA", language="en"))
            await sees(mirela, "Bat Erdene")
            told = mirela.screen[-1].text
            assert "I write now to: Bat Erdene and U0GUEST." in told
            assert "Here already: U0MIRELA." in told
            await the_picked_come_in(at)
            await picks(mirela, "U0BAT00")
            await until(lambda: mirela.screen[-1].text == "Here already: Bat Erdene.")
            assert await at.program.stop() == 0
            assert "handler_failed" not in at.program.log

    asyncio.run(go())


async def the_picked_come_in(at: Both) -> None:
    bat, guest, nobody = at.at_slack("U0BAT00"), at.at_slack("U0GUEST"), at.at_slack("U0NOBODY")
    await sees(bat, "Hello Bat Erdene.\nMirela Duquenoy invites you to Reform Asia.")
    await sees(guest, "Hello.\nMirela Duquenoy invites you to Reform Asia.")
    english = next(one["value"] for one in bat.screen[0].buttons if one["text"]["text"] == "English")
    ok(await nobody.presses_handle(english))  # forwarded, or forged
    await sees(nobody, "This bot is for invited members.")
    ok(await bat.opens_home())
    await until(lambda: bat.user in at.slack.homes)
    assert "You have a personal invitation." in at.slack.homes[bat.user]["blocks"][0]["text"]["text"]
    ok(await bat.presses_handle(english))
    await sees(bat, "Until you agree")
    assert len(bat.screen) == 1  # the message that was pressed has changed
    ok(await bat.presses("Agree"))
    await until(lambda: bat.user in at.slack.views)
    shown = {block["block_id"]: block["element"] for block in at.slack.views[bat.user]["blocks"]}
    assert shown["name"]["initial_value"] == "Bat Erdene"
    ok(await bat.submits(name="Bat Erdene", side="neither", coalitions="citizens", need="beneficial ownership"))
    await sees(bat, "Who sees you")
    ok(await guest.says("who is this?"))
    await until(lambda: len(guest.screen) == 2)
    assert "You have a personal invitation from Mirela Duquenoy" in guest.screen[-1].text

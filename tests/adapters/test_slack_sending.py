"""Messages, changes, files, groups and looking afterwards, through slack-sdk's own client over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp
import pytest

from bot.adapters.slack import SlackAdapter, outgoing
from bot.core.adapter import Absent, LaneClosed, NotSent, RateLimited, Rejected, Sent, Unknown, Unreachable
from bot.core.clock import monotonic
from bot.core.ids import button_handle
from tests.adapters.slack_bot import KEY, KEYS, Receiver, at_slack, listening, to
from tests.adapters.slack_people import SlackPerson
from tests.adapters.slack_server import TEAM, Fault, SlackServer

Scene = Callable[[SlackServer, SlackAdapter], Awaitable[None]]


def played(scene: Scene, **settings: float) -> None:
    """Run a scene; in the end no rule of Slack's may have been broken."""

    async def go() -> None:
        async with SlackServer(**settings) as server, at_slack(server) as adapter:  # type: ignore[arg-type]
            await scene(server, adapter)
            assert server.problems == []

    asyncio.run(go())


def test_the_sending_client_has_no_retries_and_the_shared_session() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        assert adapter.client.retry_handlers == []
        assert adapter.client.session is not None
        assert adapter.inbound.app.client.retry_handlers == []
        assert adapter.inbound.app.client.session is adapter.client.session

    played(scene)


def test_only_the_setting_names_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def go() -> None:
        async with SlackServer() as server, at_slack(server) as adapter:
            assert isinstance(await adapter.send(to("dm:U0SARI")), Sent)

    asyncio.run(go())


def test_a_message_stands_in_the_direct_chat_with_its_key_and_buttons() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        sent = await adapter.send(to("dm:U0SARI", "Bat & <@U0BAT> *works*", buttons=("Meet Bat", "More")))
        (shown,) = server.screen("U0SARI")
        assert sent == Sent(f"{server.channel_of('U0SARI')}/{shown.ts}")
        assert shown.text == "Bat & <@U0BAT> *works*"
        assert [button["value"] for button in shown.buttons] == [button_handle(KEY, 0), button_handle(KEY, 1)]
        assert shown.call["metadata"] == {"event_type": "kawan", "event_payload": {"key": KEY}}
        assert shown.call["text"] == "Bat &amp; &lt;@U0BAT\u2060&gt; \u2060*works\u2060*"
        assert (shown.call["unfurl_links"], shown.call["unfurl_media"]) == (False, False)
        assert not shown.call.keys() & {"link_names", "parse", "username", "icon_url"}

    played(scene)


def test_a_chat_is_opened_once() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        for key in KEYS[:3]:
            assert isinstance(await adapter.send(to("dm:U0SARI", key=key)), Sent)
        assert len(server.calls_of("conversations.open")) == 1

    played(scene, pause=0)


def test_of_many_new_chats_no_more_are_opened_in_a_minute_than_may_be() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        people = [f"U{number:05}" for number in range(outgoing.OPENED_A_MINUTE + 20)]
        for person in people:
            sent = await adapter.send(to(f"dm:{person}", "Hello."))
            assert sent == Sent(f"{server.channel_of(person)}/{server.screen(person)[0].ts}")
        assert len(server.calls_of("conversations.open")) == outgoing.OPENED_A_MINUTE
        assert isinstance(await adapter.send(to("group:U00001,U00002")), NotSent)

    played(scene)


def test_a_program_that_just_began_does_not_know_what_was_opened_before_and_posts_to_people() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        adapter.outgoing.began = monotonic()
        for wait in (0, 1.05):  # a channel takes one message a second
            await asyncio.sleep(wait)
            sent = await adapter.send(to("dm:U0SARI", "Hello."))
            assert sent == Sent(f"{server.channel_of('U0SARI')}/{server.screen('U0SARI')[-1].ts}")
        assert not server.calls_of("conversations.open")
        posted = [call["channel"] for call in server.calls_of("chat.postMessage")]
        assert posted == ["U0SARI", server.channel_of("U0SARI")]
        assert isinstance(await adapter.send(to("group:U0SARI,U0BAT")), Sent)

    played(scene)


def test_a_change_replaces_text_and_buttons() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        sent = await adapter.send(to("dm:U0SARI", "Meet Bat?", buttons=("Yes",)))
        assert isinstance(sent, Sent)
        changed = await adapter.send(replace(to("dm:U0SARI", "Asked.", key=KEYS[0]), edits=sent.ref))
        assert changed == sent
        (shown,) = server.screen("U0SARI")
        assert (shown.text, shown.buttons, shown.changed) == ("Asked.", [], 1)

    played(scene)


def test_a_change_of_what_is_gone_is_rejected_and_deleting_it_again_is_done() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        sent = await adapter.send(to("dm:U0SARI"))
        assert isinstance(sent, Sent)
        delete = replace(to("dm:U0SARI"), deletes=sent.ref)
        assert await adapter.send(delete) == sent
        assert await adapter.send(delete) == sent
        assert server.screen("U0SARI") == []
        assert await adapter.send(replace(to("dm:U0SARI"), edits=sent.ref)) == Rejected("message_not_found")

    played(scene)


def test_two_people_who_agreed_meet_in_one_group() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        assert isinstance(await adapter.send(to("group:U0SARI,U0BAT", "Sari, Bat: you both said yes.")), Sent)
        (shown,) = server.channels[server.channel_of("U0SARI", "U0BAT")]
        assert shown.text == "Sari, Bat: you both said yes."
        assert await adapter.look_up(replace(to("group:U0SARI,U0BAT"), attempted_at=0.0)) is None
        assert server.calls_of("conversations.history") == []

    played(scene)


def test_somebody_deactivated_is_unreachable_at_once_and_later() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        server.gone.add("U0BAT")
        assert await adapter.send(to("dm:U0BAT")) == Unreachable("user_disabled")
        assert isinstance(await adapter.send(to("dm:U0SARI")), Sent)
        server.gone.add("U0SARI")
        assert await adapter.send(to("dm:U0SARI")) == Unreachable("channel_not_found")
        assert await adapter.send(to("dm:U0SARI")) == Unreachable("user_disabled")

    played(scene)


def test_the_second_message_within_a_second_is_rate_limited() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        assert isinstance(await adapter.send(to("dm:U0SARI")), Sent)
        assert await adapter.send(to("dm:U0SARI", key=KEYS[0])) == RateLimited(1.0)
        assert len(server.screen("U0SARI")) == 1

    played(scene)


def test_what_arrived_is_found_by_its_key_and_what_did_not_is_absent() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        server.faults["chat.postMessage"] += [Fault("cut", after=True), Fault("cut")]
        lost, never = to("dm:U0SARI"), to("dm:U0SARI", key=KEYS[0])
        assert isinstance(await adapter.send(lost), Unknown)
        assert isinstance(await adapter.send(never), Unknown)
        (shown,) = server.screen("U0SARI")
        at = float(shown.ts)
        found = Sent(f"{server.channel_of('U0SARI')}/{shown.ts}")
        assert await adapter.look_up(replace(lost, attempted_at=at)) == found
        assert await adapter.look_up(replace(never, attempted_at=at)) == Absent()
        server.faults["conversations.history"].append(Fault("error", body="internal_error"))
        assert await adapter.look_up(replace(never, attempted_at=at)) is None

    played(scene)


def test_looking_reads_every_page() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        assert isinstance(await adapter.send(to("dm:U0SARI")), Sent)
        first = server.screen("U0SARI")[0]
        server.screen("U0SARI").extend(replace(first, call={"text": "newer"}) for _ in range(450))
        found = await adapter.look_up(replace(to("dm:U0SARI"), attempted_at=float(first.ts)))
        assert isinstance(found, Sent)
        assert len(server.calls_of("conversations.history")) == 3

    played(scene)


def test_a_file_comes_with_its_text_in_one_call() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        files = (("mine.json", "application/json", b'{"name": "Sari"}'),)
        sent = await adapter.send(replace(to("dm:U0SARI", "Everything <of> yours."), files=files))
        (shown,) = server.screen("U0SARI")
        assert sent == Sent(f"file/{shown.file}")
        assert server.uploads[shown.file]["data"] == b'{"name": "Sari"}'
        assert shown.call["text"] == "Everything &lt;of\u2060&gt; yours."
        assert server.calls_of("chat.postMessage") == []
        assert await adapter.send(replace(to("dm:U0SARI"), deletes=f"file/{shown.file}")) == sent

    played(scene)


def test_a_failed_upload_is_invisible_and_repeatable_and_only_the_share_is_in_doubt() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        envelope = replace(to("dm:U0SARI"), files=(("a.csv", "text/csv", b"a,b"),))
        server.faults["files.getUploadURLExternal"].append(Fault("cut", after=True))
        assert isinstance(await adapter.send(envelope), NotSent)
        server.faults["upload"].append(Fault("status", status=500))
        assert await adapter.send(envelope) == NotSent("upload 500")
        assert server.screen("U0SARI") == []
        server.faults["files.completeUploadExternal"].append(Fault("cut", after=True))
        assert isinstance(await adapter.send(envelope), Unknown)
        assert len(server.screen("U0SARI")) == 1

    played(scene)


def test_a_file_with_buttons_is_not_shared_again_when_its_message_must_be_repeated() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        envelope = replace(to("dm:U0SARI", buttons=("Thanks",)), files=(("a.csv", "text/csv", b"a,b"),))
        server.faults["chat.postMessage"].append(Fault("error", body="ratelimited", status=429))
        assert isinstance(await adapter.send(envelope), RateLimited)
        assert isinstance(await adapter.send(envelope), Sent)
        assert [bool(shown.file) for shown in server.screen("U0SARI")] == [True, False]

    played(scene)


def test_a_home_is_published_with_buttons_and_can_be_repeated() -> None:
    async def scene(server: SlackServer, adapter: SlackAdapter) -> None:
        page = to("home:U0SARI", "Your allies", buttons=("Find",))
        sent = await adapter.send(page)
        assert isinstance(sent, Sent)
        assert server.homes["U0SARI"]["blocks"][1]["elements"][0]["value"] == button_handle(KEY, 0)
        server.faults["views.publish"].append(Fault("cut", after=True))
        again = replace(page, edits=sent.ref)
        assert isinstance(await adapter.send(again), NotSent)  # it is shown once, however often it is published
        assert isinstance(await adapter.send(again), Sent)
        assert server.screen("U0SARI") == []

    played(scene)


def test_a_refused_token_ends_sending_after_one_call_and_ends_run() -> None:
    async def go() -> None:
        receiver = Receiver()
        async with SlackServer() as server, at_slack(server) as adapter:
            running = asyncio.create_task(adapter.run(receiver))
            await server.connected(2)
            assert adapter.lane == f"slack:{TEAM}"
            server.refusing = "token_revoked"
            before = len(server.calls)
            for key in KEYS[:5]:
                assert await adapter.send(to("dm:U0SARI", key=key)) == NotSent("token_revoked")
            with pytest.raises(LaneClosed, match="token_revoked"):
                await running
            assert len(server.calls) - before <= 3

    asyncio.run(go())


def test_a_wrong_token_is_said_at_once() -> None:
    async def go() -> None:
        async with SlackServer() as server, at_slack(server, bot_token="xoxb-wrong") as adapter:
            with pytest.raises(LaneClosed, match="invalid_auth"):
                await adapter.run(Receiver())

    asyncio.run(go())


def test_a_wrong_app_token_is_said_at_once() -> None:
    async def go() -> None:
        async with SlackServer() as server:
            server.faults["apps.connections.open"] += [Fault("error", body="invalid_auth")] * 2
            async with at_slack(server) as adapter:
                with pytest.raises(LaneClosed, match="invalid_auth"):
                    await adapter.run(Receiver())

    asyncio.run(go())


def test_signing_in_waits_for_a_slack_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with SlackServer() as server, at_slack(server) as adapter:
            server.faults["auth.test"] += [Fault("cut"), Fault("status", body="<html>")]
            await asyncio.wait_for(adapter.sign_in(), 8)
            assert adapter.lane == f"slack:{TEAM}"

    asyncio.run(go())


def test_after_the_app_was_removed_nothing_is_sent_and_events_are_still_acknowledged() -> None:
    async def go() -> None:
        receiver = Receiver()
        async with SlackServer() as server, listening(server, receiver) as adapter:
            sari = SlackPerson(server, "U0SARI")
            from tests.adapters.slack_people import payload

            assert (await sari.sends(payload("tokens_revoked"))).acknowledged
            assert (await sari.sends(payload("app_uninstalled"))).acknowledged
            assert await adapter.send(to("dm:U0SARI")) == NotSent("app_uninstalled")
            assert adapter.trouble == "app_uninstalled"
            assert server.calls_of("chat.postMessage") == []
            assert [type(event).__name__ for event in receiver.events] == ["Disconnected"] * 2

    asyncio.run(go())


def test_the_default_session_would_not_bound_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """slack-sdk ignores its own timeout when it is given a session: the adapter bounds every call itself."""
    monkeypatch.setattr(outgoing, "CALL", 0.2)

    async def go() -> None:
        async with SlackServer() as server, aiohttp.ClientSession() as session:
            from bot.core.clock import SystemClock

            adapter = SlackAdapter("xoxb-test-token", session=session, clock=SystemClock(), api_url=server.api_url)
            server.faults["chat.postMessage"].append(Fault("slow", seconds=5.0))
            assert isinstance(await adapter.send(to("dm:U0SARI")), Unknown)

    asyncio.run(go())

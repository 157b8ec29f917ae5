"""Everything that goes to Slack: messages, changes, files, the App Home, and looking for what has arrived."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack import pages, render
from bot.adapters.slack.outcomes import CLOSING, error_name, outcome_of
from bot.adapters.slack.parse import HOME, Workspace
from bot.adapters.slack.texts import beginning, cut, is_visible
from bot.core.adapter import Absent, Envelope, NotSent, Outcome, Rejected, Sent, Unknown
from bot.core.clock import monotonic
from bot.core.pacing import A_MINUTE

CALL = 10.0  # seconds for one call
UPLOAD = 60.0
KNOWN = 10_000
LOOK_BACK = 60.0
PAGES = 10
A_PAGE = 200
OPENED_A_MINUTE = 50  # tier 3: https://docs.slack.dev/apis/web-api/rate-limits
# slack-sdk puts the arguments of these into the address: into the logs of every proxy, and longer than one may be.
IN_THE_BODY = {
    "chat_delete": "chat.delete",
    "conversations_open": "conversations.open",
    "files_completeUploadExternal": "files.completeUploadExternal",
    "files_delete": "files.delete",
    "files_getUploadURLExternal": "files.getUploadURLExternal",
}
FILE = "file"  # the reference of files shared without a message of ours: `file/<id>`

Found = dict[str, Any]


class Failed(Exception):
    """A call that did not succeed."""

    def __init__(self, outcome: Outcome, name: str = "") -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.name = name


class Outgoing:
    """One client without retries: only the relay repeats, and only what surely did not arrive."""

    def __init__(self, client: AsyncWebClient, workspace: Workspace, close: Callable[[str], None]) -> None:
        self._client = client
        self._workspace = workspace
        self._close = close
        self._channels: dict[str, str] = {}
        self.began = monotonic()
        self._opened: deque[float] = deque()  # until when each conversation that was opened counts
        self._shared: dict[str, str] = {}

    async def send(self, envelope: Envelope) -> Outcome:
        """One visible call, or the proof that there was none."""
        try:
            if envelope.address.is_home:
                return await self._publish(envelope)
            if envelope.deletes is not None:
                return await self._delete(envelope.deletes)
            if envelope.edits is not None:
                return await self._change(envelope.edits, envelope)
            return await self._post(envelope)
        except Failed as failed:
            return failed.outcome

    async def _publish(self, envelope: Envelope) -> Outcome:
        """Show a content on a person's App Home. Showing it twice is showing it once."""
        user = envelope.address.conversation.removeprefix(HOME)
        await self._hidden("views_publish", user_id=user, view=pages.home(envelope.content, envelope.key))
        return Sent(f"home/{user}")

    async def look_up(self, envelope: Envelope) -> Sent | Absent | None:
        """Find the message by its key; Absent only after everything since the attempt has been read."""
        if not envelope.address.is_private or envelope.attempted_at is None:
            return None
        channel = await self._channel(envelope.address.conversation)
        oldest, cursor = f"{envelope.attempted_at - LOOK_BACK:.6f}", ""
        for _ in range(PAGES):
            more = {"cursor": cursor} if cursor else {}
            found = await self._call(
                "conversations_history", channel=channel, oldest=oldest, limit=A_PAGE, include_all_metadata=True, **more
            )
            for message in found.get("messages", ()):
                metadata = message.get("metadata") or {}
                if (metadata.get("event_payload") or {}).get("key") == envelope.key:
                    return Sent(f"{channel}/{message['ts']}")
            cursor = (found.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return Absent()
        return None

    async def _post(self, envelope: Envelope) -> Outcome:
        conversation, content = envelope.address.conversation, envelope.content
        channel = await self._channel(conversation, only_to_post=not envelope.files)
        if envelope.files and envelope.key not in self._shared:
            comment = "" if content.buttons else render.fallback(content)
            shared = await self._share(envelope, channel, comment if is_visible(content.text) else "")
            if not content.buttons:
                return shared
            self._remember(self._shared, envelope.key, channel)  # a message that must be repeated does not share again
        extra = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}
        message = render.message(content, envelope.key)
        try:
            found = await self._visible("chat_postMessage", conversation, channel=channel, **message, **extra)
        except Failed as failed:
            if failed.name == "channel_not_found" and conversation.endswith(f":{channel}"):
                raise Failed(NotSent("no conversation yet")) from None
            raise
        if conversation.endswith(f":{channel}"):
            self._remember(self._workspace.chats, channel, str(found.get("channel") or channel))
        return self._sent(found, channel, envelope.key)

    async def _change(self, reference: str, envelope: Envelope) -> Outcome:
        channel, _, ts = reference.partition("/")
        if channel == FILE:
            return Rejected("a shared file cannot be changed")
        conversation = envelope.address.conversation
        message = render.message(envelope.content, envelope.key)
        found = await self._visible("chat_update", conversation, channel=channel, ts=ts, **message)
        return self._sent(found, channel, envelope.key)

    async def _delete(self, reference: str) -> Outcome:
        """What is gone already counts as deleted."""
        channel, _, ts = reference.partition("/")
        try:
            if channel == FILE:
                await self._call("files_delete", file=ts)
            else:
                await self._call("chat_delete", channel=channel, ts=ts)
        except Failed as failed:
            if failed.name not in ("message_not_found", "file_not_found", "file_deleted"):
                raise
        return Sent(reference)

    async def _share(self, envelope: Envelope, channel: str, comment: str) -> Outcome:
        """Upload out of sight, which can be repeated; only the last call is seen."""
        uploaded: list[Found] = []
        for name, _, data in envelope.files:
            filename = beginning(name.replace("/", "_"), 200) or FILE
            ticket = await self._hidden("files_getUploadURLExternal", filename=filename, length=len(data))
            await self._upload(ticket["upload_url"], data)
            uploaded.append({"id": ticket["file_id"], "title": cut(name, 200) or FILE})
        said = {"initial_comment": comment} if comment else {}
        conversation = envelope.address.conversation
        await self._visible("files_completeUploadExternal", conversation, files=uploaded, channel_id=channel, **said)
        return Sent(f"{FILE}/{uploaded[0]['id']}")

    async def _upload(self, address: str, data: bytes) -> None:
        session = self._client.session
        assert session is not None
        try:
            async with asyncio.timeout(UPLOAD), session.post(address, data=data, proxy=self._client.proxy) as answer:
                if answer.status != 200:
                    raise Failed(NotSent(f"upload {answer.status}"))
        except Failed:
            raise
        except Exception as error:  # nobody has seen anything yet
            raise Failed(NotSent(type(error).__name__)) from None

    async def _channel(self, conversation: str, *, only_to_post: bool = False) -> str:
        """Slack's id of a conversation; opening one shows nothing to anybody.

        Where as many were opened within a minute as may be, a person's own id does to post to them.
        """
        kind, _, rest = conversation.partition(":")
        if kind == "channel":
            return rest
        known = self._workspace.chats.get(rest) or self._channels.get(conversation)
        may_wait = kind == "dm" and only_to_post
        if known is None and not self._may_open(may_wait=may_wait):
            if may_wait:
                return rest
            raise Failed(NotSent("many conversations were just opened"))
        if known is None:
            found = await self._hidden("conversations_open", users=rest)
            try:
                known = str(found["channel"]["id"])
            except (KeyError, TypeError):
                raise Failed(NotSent("no conversation")) from None
            self._remember(self._channels, conversation, known)
            if kind == "dm":
                self._remember(self._workspace.chats, rest, known)
        return known

    def _may_open(self, *, may_wait: bool) -> bool:
        """Within the tier; what can do without leaves room for what was opened before this program began."""
        now = monotonic()
        share = min(1.0, (now - self.began) / A_MINUTE) if may_wait else 1.0
        while self._opened and self._opened[0] <= now:
            self._opened.popleft()
        if len(self._opened) + 1 > OPENED_A_MINUTE * share:
            return False
        self._opened.append(now + A_MINUTE + CALL)  # it may arrive as late as it may last
        return True

    async def _visible(self, method: str, conversation: str, **arguments: Any) -> Found:
        """A call that somebody sees; a conversation that is gone is opened anew next time."""
        try:
            return await self._call(method, **arguments)
        except Failed as failed:
            if failed.name == "channel_not_found":
                self._channels.pop(conversation, None)
                self._workspace.chats.pop(conversation.partition(":")[2], None)
            raise

    async def _hidden(self, method: str, **arguments: Any) -> Found:
        """A call that nobody sees: in doubt, it can simply be repeated."""
        try:
            return await self._call(method, **arguments)
        except Failed as failed:
            if isinstance(failed.outcome, Unknown):
                raise Failed(NotSent(failed.outcome.why)) from None
            raise

    async def _call(self, method: str, **arguments: Any) -> Found:
        try:
            async with asyncio.timeout(CALL):
                if method in IN_THE_BODY:
                    answer: Any = await self._client.api_call(IN_THE_BODY[method], data=_form(arguments))
                else:
                    answer = await getattr(self._client, method)(**arguments)
            found: Found = answer.data
            return found
        except Exception as error:
            name = error_name(error)
            if name in CLOSING:
                self._close(name)
            raise Failed(outcome_of(error), name) from None

    def _sent(self, found: Found, channel: str, key: str) -> Outcome:
        ts = found.get("ts")
        if not isinstance(ts, str):
            return Unknown("no reference")
        reference = f"{found.get('channel') or channel}/{ts}"
        self._remember(self._workspace.keys, reference, key)
        return Sent(reference)

    @staticmethod
    def _remember(known: dict[str, str], name: str, value: str) -> None:
        known[name] = value
        while len(known) > KNOWN:
            del known[next(iter(known))]


def _form(arguments: dict[str, Any]) -> dict[str, str]:
    """Arguments as fields of a form; what is no text goes as JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in arguments.items()}

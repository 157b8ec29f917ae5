"""From a payload that Slack signed to one of our events; what is none of ours becomes None."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.slack.pages import answers_of, form_of
from bot.adapters.slack.texts import unmarked
from bot.core.cleaning import one_line
from bot.core.events import (
    Address,
    Command,
    Deleted,
    Disconnected,
    Edited,
    Event,
    Message,
    Opened,
    PersonEvent,
    Press,
    Sender,
    Submit,
    Unreadable,
)

PLATFORM = "slack"
SLACKBOT = "USLACKBOT"
HOME = "home:"
PERSON = re.compile(r"[UW][A-Z0-9]{1,63}")
WRITTEN = (None, "file_share", "thread_broadcast", "me_message")
LONGEST_ID = 200
LONGEST_HANDLE = 60

Payload = Mapping[str, Any]


@dataclass(slots=True)
class Workspace:
    """What is known of the installation: its ids, our direct chats by person, our latest messages by `channel/ts`."""

    team: str
    bot_user: str = ""
    bot: str = ""
    chats: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


def parse(body: Payload, workspace: Workspace) -> Event | None:
    """The event of a payload, or None for what is none of ours: other workspaces, bots, kinds nobody asked for."""
    try:
        if not _is_ours(body, workspace):
            return None
        if "command" in body:
            return _command(body, workspace)
        match body.get("type"):
            case "event_callback":
                return _event(body, body["event"], workspace)
            case "block_actions":
                return _press(body, workspace)
            case "view_submission":
                return _submit(body, workspace)
    except (KeyError, TypeError, AttributeError, IndexError):
        return None
    return None


def kind_of(body: Payload) -> str:
    """A name for counting what is not acted on; nothing of its content."""
    event = body.get("event")
    kind = event.get("type") if isinstance(event, Mapping) else body.get("type")
    return kind if isinstance(kind, str) and re.fullmatch(r"[a-z_]{1,40}", kind) else "unknown"


def id_of(body: Payload) -> str:
    """The same for every delivery of one event: `event_id`, `trigger_id`, the view with its hash, or the whole body."""
    view = body.get("view")
    state = f"{view.get('id')}.{view.get('hash')}" if isinstance(view, Mapping) and view.get("id") else None
    for found in (body.get("event_id"), body.get("trigger_id"), state):
        if isinstance(found, str) and 0 < len(found) <= LONGEST_ID:
            return found
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _is_ours(body: Payload, workspace: Workspace) -> bool:
    named = set(_teams(body))
    return not named or workspace.team in named


def _teams(body: Payload) -> Iterator[str]:
    """Every workspace that a payload names; in Slack Connect the first may be the other one."""
    view, team = body.get("view"), body.get("team")
    found = [body.get("team_id"), body.get("context_team_id"), team.get("id") if isinstance(team, Mapping) else None]
    if isinstance(view, Mapping):
        found += [view.get("team_id"), view.get("app_installed_team_id")]
    found += [given.get("team_id") for given in body.get("authorizations") or ()]
    return (team for team in found if isinstance(team, str))


def _person(workspace: Workspace, identity: Any, name: Any = "") -> Sender | None:
    if not isinstance(identity, str) or not PERSON.fullmatch(identity) or identity in (workspace.bot_user, SLACKBOT):
        return None
    return Sender(PLATFORM, workspace.team, identity, one_line(name) if isinstance(name, str) else "")


def _direct(workspace: Workspace, sender: Sender) -> Address:
    return Address(PLATFORM, workspace.team, f"dm:{sender.id}")


def _elsewhere(workspace: Workspace, channel: Any) -> Address:
    return Address(PLATFORM, workspace.team, f"channel:{channel if isinstance(channel, str) else ''}")


def _command(body: Payload, workspace: Workspace) -> PersonEvent | None:
    """`/kawan anything`: no name, since it may be a word or a search; the dispatcher tells.

    Two people's own direct chat looks like ours, so only a known one counts as it.
    """
    sender = _person(workspace, body["user_id"], body.get("user_name"))
    if sender is None:
        return None
    channel = body.get("channel_id")
    private = channel is not None and workspace.chats.get(sender.id) == channel
    text = " ".join(unmarked(body.get("text") or "").split()).lstrip("/")
    return Command(
        id=id_of(body),
        sender=sender,
        address=_direct(workspace, sender) if private else _elsewhere(workspace, channel),
        name="" if text else "help",
        text=text,
    )


def _press(body: Payload, workspace: Workspace) -> PersonEvent | None:
    user, action = body["user"], body["actions"][0]
    sender = _person(workspace, user["id"], user.get("name") or user.get("username"))
    handle = action.get("value")
    if sender is None or action.get("type") != "button" or not isinstance(handle, str) or len(handle) > LONGEST_HANDLE:
        return None
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    private = channel is None or channel.startswith("D")  # only we could have put our button into a direct chat
    address = _direct(workspace, sender) if private else _elsewhere(workspace, channel)
    return Press(id=id_of(body), sender=sender, address=address, handle=handle)


def _submit(body: Payload, workspace: Workspace) -> PersonEvent | None:
    user, view = body["user"], body["view"]
    sender, form = _person(workspace, user["id"], user.get("name")), form_of(view)
    if sender is None or form is None:
        return None
    return Submit(
        id=id_of(body),
        sender=sender,
        address=_direct(workspace, sender),
        dialog=form[0],
        version=form[1],
        answers=answers_of(view),
    )


def _event(body: Payload, event: Payload, workspace: Workspace) -> Event | None:
    match event["type"]:
        case "message":
            return _message(body, event, workspace)
        case "app_home_opened" if event.get("tab") == "home":
            sender = _person(workspace, event["user"])
            if sender is None:
                return None
            home = Address(PLATFORM, workspace.team, f"{HOME}{sender.id}")
            return Opened(id=id_of(body), sender=sender, address=home)
        case "app_uninstalled":
            return Disconnected(id=id_of(body), platform=PLATFORM, installation=workspace.team)
        case "tokens_revoked" if (event.get("tokens") or {}).get("bot"):
            return Disconnected(id=id_of(body), platform=PLATFORM, installation=workspace.team)
    return None


def _message(body: Payload, event: Payload, workspace: Workspace) -> PersonEvent | None:
    if event.get("channel_type", "im") != "im" or not event["channel"].startswith("D"):
        return None
    match event.get("subtype"):
        case "message_changed":
            return _changed(body, event["message"], event.get("previous_message") or {}, workspace)
        case "message_deleted":
            return _deleted(body, event["previous_message"], workspace)
        case subtype if subtype not in WRITTEN:
            return None
    sender = _writer(event, workspace)
    if sender is None:
        return None
    address, text = _direct(workspace, sender), unmarked(event.get("text") or "")
    if event.get("files") or (event.get("attachments") and not text.strip()):
        return Unreadable(id=id_of(body), sender=sender, address=address, kind=_file_kind(event))
    reply_to = workspace.keys.get(f"{event['channel']}/{event.get('thread_ts')}")
    return Message(id=id_of(body), sender=sender, address=address, text=text, reply_to=reply_to)


def _writer(message: Payload, workspace: Workspace) -> Sender | None:
    """Who wrote it; None for bots and ourselves."""
    if message.get("bot_id") or message.get("bot_profile") or message.get("subtype") == "bot_message":
        return None
    profile = message.get("user_profile") or {}
    return _person(workspace, message.get("user"), profile.get("display_name") or profile.get("real_name"))


def _file_kind(event: Payload) -> str:
    files = event.get("files") or [{}]
    kinds = {"image": "photo", "audio": "voice", "video": "video"}
    return kinds.get(str(files[0].get("mimetype", "")).partition("/")[0], "file")


def _changed(body: Payload, now: Payload, before: Payload, workspace: Workspace) -> PersonEvent | None:
    """Only a new text counts: Slack also sends this when it unfolds a link."""
    if now.get("subtype") == "tombstone":
        return _deleted(body, before, workspace)
    sender = _writer(now, workspace)
    if sender is None or now.get("text") == before.get("text"):
        return None
    text = unmarked(now.get("text") or "")
    return Edited(id=id_of(body), sender=sender, address=_direct(workspace, sender), text=text)


def _deleted(body: Payload, before: Payload, workspace: Workspace) -> PersonEvent | None:
    sender = _writer(before, workspace)
    return None if sender is None else Deleted(id=id_of(body), sender=sender, address=_direct(workspace, sender))

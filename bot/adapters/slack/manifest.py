"""The app manifest to paste at api.slack.com, and what a Slack admin wants to read before saying yes."""

from collections.abc import Sequence
from typing import Any

COMMAND = "/kawan"
PATH = "/slack/events"  # where `run` listens in mode http

# Every permission, and why.
SCOPES = {
    "chat:write": "to answer people and to send them what they agreed to, in chats that it opens with them",
    "commands": f"to take {COMMAND}, which can be typed anywhere and is answered privately",
    "files:write": "to send a person a picture, a calendar entry or their own data",
    "im:history": "to read what people write to the bot in its direct chat, and to see whether a message has arrived",
    "im:write": "to open the direct chat with somebody who has been invited",
    "mpim:write": "to open a group chat for two people who both agreed to be put in touch",
    "users:read": "to greet the people whom a facilitator picks by their name, and to leave bots out",
}
EVENTS = {
    "app_home_opened": "a person opens the bot's page",
    "app_uninstalled": "the app is removed: the bot stops",
    "message.im": "a person writes in the direct chat with the bot",
    "tokens_revoked": "the permission is withdrawn: the bot stops",
}

# https://docs.slack.dev/reference/app-manifest
LONGEST_DESCRIPTION = 140
LONGEST_COMMAND_DESCRIPTION = 2_000
LONGEST_HINT = 1_000

DESCRIPTIONS = {
    "en": "Find allies for your reform, and keep your projects moving.",
    "id": "Temukan kawan untuk reformasi Anda, dan jaga proyek Anda tetap berjalan.",
    "mn": "Шинэчлэлдээ хамтрагч олж, төслөө урагшлуулаарай.",
    "fil": "Humanap ng mga kakampi sa iyong reporma, at ituloy ang iyong mga proyekto.",
    "th": "หาเพื่อนร่วมงานปฏิรูป และทำให้โครงการของคุณเดินหน้าต่อไป",
}
LONG_DESCRIPTION = (
    "Kawan helps the members of a leadership programme find allies by topic, coalition and country, keep their "
    "promises to themselves, and move their projects on. It writes only to people who have been invited, in direct "
    "chats and in the group chats that it opens for two people who both agreed. It reads no channel. Each programme "
    "runs its own bot on its own server."
)


def manifest(words: Sequence[str], language: str = "en", *, request_url: str | None = None) -> dict[str, Any]:
    """The app manifest; `words` are shown behind the command. Socket Mode, unless Slack is to call `request_url`."""
    description = DESCRIPTIONS.get(language, DESCRIPTIONS["en"])
    command: dict[str, Any] = {
        "command": COMMAND,
        "description": description,
        "usage_hint": " | ".join(words)[:LONGEST_HINT] or "help",
        "should_escape": False,
    }
    events: dict[str, Any] = {"bot_events": sorted(EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if request_url is not None:
        for called, key in ((command, "url"), (events, "request_url"), (interactivity, "request_url")):
            called[key] = request_url
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": "Kawan",
            "description": description[:LONGEST_DESCRIPTION],
            "long_description": LONG_DESCRIPTION,
            "background_color": "#1f4e5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Kawan", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": request_url is None,
            "token_rotation_enabled": False,
        },
    }


def admin_text(operator: str, host_country: str) -> str:
    """What to send to a Slack admin who has to approve the app."""
    scopes = "\n".join(f"- {scope}: {reason}." for scope, reason in SCOPES.items())
    events = "\n".join(f"- {event}: {reason}." for event, reason in EVENTS.items())
    return (
        f"We ask to install Kawan, a bot for the members of our programme. {operator} runs it on a server in "
        f"{host_country}; nobody else receives its data.\n\n"
        "It reads only what people write to it themselves, in its direct chat or after "
        f"{COMMAND}. It cannot read channels, private groups or anybody's other chats, and it writes only to people "
        "who were invited. It calls nothing inside your network, and needs no open port.\n\n"
        f"Permissions, and why:\n{scopes}\n\nWhat Slack tells it:\n{events}"
    )

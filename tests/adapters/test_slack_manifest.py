"""The app manifest: within Slack's documented numbers, asking for what is used and nothing else."""

import re

import pytest

from bot.adapters.slack.manifest import DESCRIPTIONS, EVENTS, SCOPES, admin_text, manifest

WORDS = ("find", "ask", "allies", "project", "me", "safe", "help")


@pytest.mark.parametrize("language", [*DESCRIPTIONS, "xx"])
def test_every_text_is_within_its_documented_length(language: str) -> None:
    """https://docs.slack.dev/reference/app-manifest"""
    made = manifest(WORDS, language)
    shown = made["display_information"]
    assert 1 <= len(shown["name"]) <= 35
    assert 1 <= len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4_000
    assert re.fullmatch(r"#([0-9a-f]{3}){1,2}", shown["background_color"])
    assert len(made["features"]["bot_user"]["display_name"]) <= 80
    (command,) = made["features"]["slash_commands"]
    assert re.fullmatch(r"/[a-z]{1,31}", command["command"])
    assert len(command["description"]) <= 2_000
    assert len(command["usage_hint"]) <= 1_000
    assert made["display_information"]["description"] == DESCRIPTIONS.get(language, DESCRIPTIONS["en"])


def test_all_words_stand_behind_the_command() -> None:
    (command,) = manifest(WORDS)["features"]["slash_commands"]
    assert command["usage_hint"] == "find | ask | allies | project | me | safe | help"


def test_the_home_and_the_messages_tab_are_open() -> None:
    home = manifest(WORDS)["features"]["app_home"]
    assert home == {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False}


def test_socket_mode_needs_no_address_and_http_names_one_everywhere() -> None:
    settings = manifest(WORDS)["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["org_deploy_enabled"] is False
    assert "request_url" not in settings["event_subscriptions"]
    called = manifest(WORDS, request_url="https://kawan.example/slack/events")
    assert called["settings"]["socket_mode_enabled"] is False
    for place in (called["settings"]["event_subscriptions"], called["settings"]["interactivity"]):
        assert place["request_url"] == "https://kawan.example/slack/events"
    assert called["features"]["slash_commands"][0]["url"] == "https://kawan.example/slack/events"


def test_every_permission_and_event_has_its_reason_in_the_text_for_the_admin() -> None:
    text = admin_text("Reform Trust", "Singapore")
    made = manifest(WORDS)
    for scope in made["oauth_config"]["scopes"]["bot"]:
        assert f"- {scope}: {SCOPES[scope]}." in text
    for event in made["settings"]["event_subscriptions"]["bot_events"]:
        assert f"- {event}: {EVENTS[event]}." in text
    assert "Reform Trust" in text


def test_no_channel_and_no_group_is_read() -> None:
    scopes = set(manifest(WORDS)["oauth_config"]["scopes"]["bot"])
    assert not scopes & {"channels:history", "groups:history", "mpim:history", "channels:read", "users:read.email"}

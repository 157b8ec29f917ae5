"""Slack: Socket Mode and HTTP through slack-bolt, and one sending client that never retries by itself."""

from bot.adapters.slack.adapter import TIMEOUT, SlackAdapter
from bot.adapters.slack.manifest import admin_text, manifest

__all__ = ["TIMEOUT", "SlackAdapter", "admin_text", "manifest"]

"""Telegram: listens by polling or webhook, speaks through python-telegram-bot's client."""

from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.menu import Menu

__all__ = ["Menu", "TelegramAdapter"]

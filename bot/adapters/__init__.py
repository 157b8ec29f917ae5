"""The platforms: each a folder or a file that listens, sends, and says what became of a message."""

from importlib import import_module
from typing import Any

ADAPTERS = {
    "slack": ("bot.adapters.slack", "SlackAdapter"),
    "telegram": ("bot.adapters.telegram", "TelegramAdapter"),
}
PAGES = frozenset({"slack"})  # open forms as pages
TELL = frozenset({"slack"})  # can be asked what has arrived


def adapter_class(name: str) -> Any:
    """The class of a platform's adapter; its libraries are imported only now."""
    module, attribute = ADAPTERS[name]
    return getattr(import_module(module), attribute)

"""The vocabulary of a handler author: routes, contexts, texts, cards and forms."""

from bot.core.context import Context, Stranger
from bot.core.forms import Choice, Field, Form, Wrong
from bot.core.replies import (
    Ask,
    Button,
    Card,
    Chart,
    Country,
    File,
    Reply,
    Say,
    Tongue,
    Urgency,
    When,
    Words,
    lines,
    listed,
    t,
    tn,
)
from bot.core.router import Role, Router

__all__ = [
    "Ask",
    "Button",
    "Card",
    "Chart",
    "Choice",
    "Context",
    "Country",
    "Field",
    "File",
    "Form",
    "Reply",
    "Role",
    "Router",
    "Say",
    "Stranger",
    "Tongue",
    "Urgency",
    "When",
    "Words",
    "Wrong",
    "lines",
    "listed",
    "t",
    "tn",
]

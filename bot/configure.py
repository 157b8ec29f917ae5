"""From the settings to what handlers need of them: the programme, with its content."""

from typing import Any

from bot.content import load
from bot.core.programme import Programme
from bot.settings import Settings


def programme(settings: Settings) -> Programme:
    """The programme of these settings, with the content of the content folder; raises ContentError."""
    of = settings.programme
    content = load()
    known: dict[str, Any] = {
        "name": of.name,
        "operator": of.operator,
        "operator_contact": of.operator_contact,
        "host_country": of.host_country,
        "emergency_contacts": "\n".join(of.emergency_contacts),
    }
    return Programme(
        content=content,
        understanding=content.understanding(),
        default_language=of.default_language,
        default_time_zone=of.default_time_zone,
        messages_days=of.messages_days,
        quiet_hours=(of.quiet_hours.start, of.quiet_hours.end),
        **{name: value for name, value in known.items() if value},  # what is not set keeps the programme's own words
    )

"""What a programme decides and edits: its name and rules, its words, topics and glossary."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.content import Content
from bot.domain.topics import Understanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Settings of `[programme]` and the content folder, as handlers need them."""

    content: Content
    understanding: Understanding
    name: str = "the programme"
    operator: str = "the programme team"
    operator_contact: str = ""
    host_country: str = ""
    default_language: str = "en"
    default_time_zone: str = "Asia/Bangkok"
    emergency_contacts: str = ""
    messages_days: int = 30
    quiet_hours: tuple[time, time] = (time(20), time(8))  # local, from and until
    searches_an_hour: int = 60
    buyers_and_bidders_apart: bool = True
    fictional: bool = False
    links: dict[str, str] = field(default_factory=dict)  # platform -> invitation address with {code}


def local_morning(day: datetime, time_zone: str, days: int = 0) -> datetime:
    """09:00 in a person's own zone, `days` after a moment, as an aware moment: nobody is reminded at night."""
    zone = ZoneInfo(time_zone)
    local = (day.astimezone(zone) + timedelta(days=days)).date()
    return datetime.combine(local, time(9), tzinfo=zone)

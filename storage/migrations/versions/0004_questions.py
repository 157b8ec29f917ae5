"""Schedules, check-ins and answers."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing yet: the room of a feature that is being built."""

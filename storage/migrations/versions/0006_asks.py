"""Asks: a question, those who got it, and what came of it."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet: the room of a feature that is being built."""

"""Lanes with leases, and what a row needs to be sent at the right hour."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Nothing yet: the room of a feature that is being built."""

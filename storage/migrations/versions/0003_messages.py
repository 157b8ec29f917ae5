"""Messages to all, their contents and their answers."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing yet: the room of a feature that is being built."""

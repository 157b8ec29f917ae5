"""Projects with members, milestones and updates."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing yet: the room of a feature that is being built."""

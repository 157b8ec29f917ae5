"""What trying a token shows: who the bot is there and what to press, or why it does not work; for the operator."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tried:
    """A token that works: whose it is, the bot's public name, what the operator should press, of which app it is."""

    who: str
    username: str = ""
    advice: tuple[str, ...] = ()
    app: str = ""


class Trouble(Exception):
    """A token does not work; the message says what to do. `reached`: the platform itself has said so."""

    def __init__(self, said: str, *, reached: bool) -> None:
        super().__init__(said)
        self.reached = reached

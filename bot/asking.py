"""Questions on the command line, one at a time: in a terminal, or answered from a pipe; `back` and `stop` anywhere."""

import getpass
import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SHORT = 4  # lines; of a longer question only the last is repeated


class Back(Exception):
    """The person wants the question before this one."""


class Stop(Exception):
    """The person wants to go on another time, or the pipe has ended."""


class Wrong(Exception):
    """An answer that cannot be taken; the message says what to do."""


class Asker:
    """Asks until the answer can be taken. Nothing secret is shown, neither typed nor known before.

    `refuses` sees every answer that is not secret, and raises Wrong for one that should be.
    """

    def __init__(self, refuses: Callable[[str], None]) -> None:
        self._refuses = refuses
        self._is_terminal = sys.stdin.isatty() and sys.stdout.isatty()

    def ask(self, question: str, check: Callable[[str], T], *, known: str = "", secret: bool = False) -> T:
        """One question; Enter takes what is `known`, `-` empties it. Raises Back or Stop."""
        keeps = "Enter keeps the one you gave before." if secret else f"Enter keeps: {known}"
        told = question
        while True:
            print(f"\n{told}" + (f"\n({keeps})" if known else ""))
            text = self._read(secret).strip()
            if text.casefold() == "back":
                raise Back
            if text.casefold() == "stop":
                raise Stop
            try:
                if not secret:
                    self._refuses(text)
                return check("" if text == "-" else text or known)
            except Wrong as wrong:
                print(f"\n{wrong}")
                told = question if question.count("\n") < SHORT else question.rpartition("\n")[2]

    def _read(self, secret: bool) -> str:
        try:
            if self._is_terminal:
                from prompt_toolkit import prompt

                return prompt("> ", is_password=secret)
            if secret and sys.stdin.isatty():
                return getpass.getpass("> ")
            print("> ", end="", flush=True)
            line = sys.stdin.readline()
        except (EOFError, KeyboardInterrupt):
            raise Stop from None
        if not line:
            raise Stop
        return line

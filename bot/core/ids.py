"""Randomness as a port: keys of messages, invitation codes, error ids."""

import base64
import hashlib
import random
import secrets
from typing import Protocol


class Ids(Protocol):
    """Where random values come from; a simulation gives a seeded one."""

    def key(self) -> bytes:
        """16 random bytes: the name of one outgoing message."""
        ...

    def code(self) -> str:
        """An invitation code of 128 random bits, 22 characters of A-Z a-z 0-9 _ -."""
        ...

    def error(self) -> str:
        """A short id that a person can read out to the operator."""
        ...


class RandomIds:
    """The operating system's randomness."""

    def key(self) -> bytes:
        return secrets.token_bytes(16)

    def code(self) -> str:
        return secrets.token_urlsafe(16)

    def error(self) -> str:
        return secrets.token_hex(4)


class SeededIds:
    """The same values for the same seed: tests and simulations."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def key(self) -> bytes:
        return self._random.randbytes(16)

    def code(self) -> str:
        return encode(self._random.randbytes(16))

    def error(self) -> str:
        return self._random.randbytes(4).hex()


def encode(key: bytes) -> str:
    """base64url without padding: 16 bytes become 22 characters."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def decode(text: str) -> bytes | None:
    """The 16 bytes of `encode`, or None for anything else."""
    try:
        key = base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except (ValueError, TypeError):
        return None
    return key if len(key) == 16 and encode(key) == text else None


def button_handle(key: str, n: int) -> str:
    """What button `n` of a message carries on the wire: at most 25 bytes."""
    return f"{key}.{n}"


def read_button_handle(handle: str) -> tuple[bytes, int] | None:
    """The message key and button number of a handle, or None if it was forged or broken."""
    text, _, number = handle.partition(".")
    key = decode(text)
    if key is None or not (number.isascii() and number.isdigit() and len(number) <= 2):
        return None
    return key, int(number)


def account_hash(platform: str, installation: str, identity: str) -> bytes:
    """How an invitation for one account is stored: it needs no code, and no code that can be typed has this hash."""
    return code_hash("\0".join(("", platform, installation, identity)))


def code_hash(code: str) -> bytes:
    """How an invitation code is stored."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()

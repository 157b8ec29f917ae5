"""The bot as a process that can be told where to die, and for how long a doubt lasts: `dying_bot.py SECONDS run …`.

It kills itself, as `kill -9` would, at the point that the file named by KAWAN_TEST_DIE holds; the file goes first.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

BEFORE_COMMIT, AFTER_COMMIT, AFTER_SEND = "before the commit", "after the commit", "after the send"


def _die_if(point: str) -> None:
    order = Path(os.environ["KAWAN_TEST_DIE"])
    if order.exists() and order.read_text() == point:
        order.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _dying(work: Callable[..., Any], before: str | None, after: str) -> Callable[..., Any]:
    async def wrapped(*given: Any) -> Any:
        if before:
            _die_if(before)
        result = await work(*given)
        _die_if(after)
        return result

    return wrapped


def main() -> int:
    """Change what is to be changed, then be the program."""
    from bot import app
    from bot.__main__ import main as bot_main
    from bot.core.dispatcher import Dispatcher
    from bot.core.relay import Relay

    defaults: Any = app.build.__kwdefaults__
    defaults["doubt_lasts"] = timedelta(seconds=float(sys.argv[1]))
    Dispatcher.receive = _dying(Dispatcher.receive, BEFORE_COMMIT, AFTER_COMMIT)  # type: ignore[method-assign]
    Relay._deliver = _dying(Relay._deliver, None, AFTER_SEND)  # type: ignore[method-assign]
    return bot_main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())

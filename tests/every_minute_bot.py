"""The bot as a process for the trial with replicas: it ticks each second, and is slow for each member."""

import sys
import time


def main() -> int:
    """Change what is to be changed, then be the program."""
    from bot.__main__ import main as bot_main
    from bot.core.context import Context
    from bot.core.replies import Reply
    from bot.core.scheduler import Scheduler
    from handlers import router

    defaults = Scheduler.start.__defaults__
    assert defaults is not None
    Scheduler.start.__defaults__ = (1.0,)

    @router.due("trial.ask")
    def ask(ctx: Context) -> Reply:
        assert ctx.occurrence is not None
        time.sleep(0.005)  # so that a kill finds pages half done
        return f"{ctx.occurrence.schedule} {ctx.occurrence.key}"

    return bot_main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

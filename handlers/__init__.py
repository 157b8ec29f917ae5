"""What the bot does, one file a feature: the table of contents."""

from bot.core.router import Router
from handlers import allies, glossary, introductions, joining, language, me, project

router = Router.of(
    joining.router, me.router, project.router, language.router, glossary.router, allies.router, introductions.router
)

"""What the bot does, one file a feature: this is the table of contents, in the order of the help card."""

from bot.core.router import Router
from handlers import (
    allies,
    apart,
    away,
    consent,
    fields,
    glossary,
    introductions,
    invitations,
    joining,
    language,
    leaving,
    me,
    mirror,
    mydata,
    people,
    privacy,
    project,
    reports,
    safety,
    wishes,
)
from handlers import help as help_

router = Router.of(
    joining.router,  # from the invitation to the first person
    allies.router,  # find, ask, allies
    introductions.router,  # meet
    project.router,
    me.router,  # my profile: the card,
    fields.router,  # single fields,
    wishes.router,  # needs and offers
    privacy.router,  # who sees me,
    mirror.router,  # myself in others' eyes,
    consent.router,  # what I agreed to,
    apart.router,  # keep us apart,
    mydata.router,  # my data as a file,
    leaving.router,  # leave and undo
    away.router,
    language.router,
    glossary.router,
    people.router,  # for facilitators
    invitations.router,
    safety.router,  # safe, and emergency words
    help_.router,  # help, a human, who is behind this
    reports.router,
)

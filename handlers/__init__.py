"""What the bot does, one file a feature: this is the table of contents, in the order of the help card."""

from bot.core.router import Router
from handlers import (
    agreement,
    allies,
    answering,
    apart,
    asking,
    away,
    cards,
    checkins,
    consent,
    contacts,
    fields,
    glossary,
    introductions,
    invitations,
    joining,
    language,
    leaving,
    linking,
    me,
    mirror,
    monday,
    mydata,
    people,
    privacy,
    project,
    promises,
    questions,
    reports,
    requests,
    safety,
    talks,
    watching,
    wishes,
)
from handlers import help as help_

router = Router.of(
    joining.router,  # the invitation,
    agreement.router,  # the yes,
    questions.router,  # four questions and a person
    allies.router,  # find, ask, allies
    watching.router,  # tell me when somebody joins
    requests.router,  # asking to meet,
    introductions.router,  # being asked,
    contacts.router,  # and how to be reached
    talks.router,  # did you talk: the first part of the weekly card,
    promises.router,  # then the promise,
    answering.router,  # then the question
    cards.router,  # the card itself,
    asking.router,  # and when it comes
    project.router,
    me.router,  # my profile: the card,
    fields.router,  # single fields,
    wishes.router,  # needs and offers
    privacy.router,  # who sees me,
    mirror.router,  # myself in others' eyes,
    consent.router,  # what I agreed to,
    apart.router,  # keep us apart,
    mydata.router,  # my data as a file,
    linking.router,  # my other app
    leaving.router,  # leave and undo
    away.router,
    language.router,
    glossary.router,
    people.router,  # for facilitators
    invitations.router,
    checkins.router,  # setting up what is asked,
    monday.router,  # and how it was answered
    safety.router,  # safe, and emergency words
    help_.router,  # help, a human, who is behind this
    reports.router,
)

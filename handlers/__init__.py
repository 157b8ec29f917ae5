"""What the bot does, one file a feature: this is the table of contents, in the order of the help card."""

from bot.core.router import Router
from handlers import (
    agreement,
    allies,
    answering,
    apart,
    asked,
    asking,
    asks,
    away,
    cards,
    checkins,
    consent,
    contacts,
    fields,
    gaps,
    glossary,
    holidays,
    home,
    hours,
    introductions,
    invitations,
    joining,
    language,
    leaving,
    linking,
    me,
    message_acts,
    message_answers,
    message_results,
    message_sending,
    messages,
    milestones,
    mirror,
    monday,
    moved,
    mydata,
    overdue,
    people,
    picking,
    privacy,
    project,
    project_end,
    projects,
    promises,
    questions,
    reports,
    requests,
    safety,
    sessions,
    silence,
    steps,
    stuck,
    talks,
    team_joining,
    teams,
    unreached,
    updates,
    watching,
    wishes,
)
from handlers import help as help_

router = Router.of(
    joining.router,  # the invitation,
    agreement.router,  # the yes,
    questions.router,  # four questions and a person
    allies.router,  # find, allies
    watching.router,  # tell me when somebody joins
    asks.router,  # asking the others,
    asked.router,  # being asked,
    moved.router,  # and what came of it
    requests.router,  # asking to meet,
    introductions.router,  # being asked,
    contacts.router,  # and how to be reached
    talks.router,  # did you talk: the first part of the weekly card,
    promises.router,  # then the promise,
    answering.router,  # then the question,
    steps.router,  # a due milestone:
    cards.router,  # the card itself,
    silence.router,  # rarer when nobody answers,
    asking.router,  # and when it comes
    project.router,  # my projects,
    milestones.router,  # their steps,
    overdue.router,  # the one question after a day has passed,
    gaps.router,  # what is missing in a profile,
    stuck.router,  # what is in the way,
    updates.router,  # what changed,
    teams.router,  # with others:
    team_joining.router,  # coming in,
    project_end.router,  # going out
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
    hours.router,  # when I may be written to,
    away.router,
    language.router,
    glossary.router,
    home.router,  # the page beside the chat, on Slack
    people.router,  # for facilitators
    invitations.router,
    messages.router,  # writing to many: the draft and the yes,
    message_sending.router,  # on its way,
    message_acts.router,  # stop, remind, withdraw,
    message_results.router,  # what was answered,
    sessions.router,  # sessions,
    message_answers.router,  # and answering, for everybody
    checkins.router,  # setting up what is asked,
    holidays.router,  # when nobody is,
    monday.router,  # how it was answered,
    unreached.router,  # and who could not be reached
    projects.router,
    picking.router,
    safety.router,  # safe, and emergency words
    help_.router,  # help, a human, who is behind this
    reports.router,
)

"""One transaction, and everything that can be remembered or recalled inside it."""

from collections.abc import Callable
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.access import Access, Viewer
from storage.asks import Asks
from storage.audit import Audit
from storage.backlog import Backlog
from storage.broadcasts import Broadcasts
from storage.cards import Cards
from storage.checkins import Checkins
from storage.claims import Claims
from storage.contents import Contents
from storage.dialogs import Dialogs
from storage.holidays import Holidays
from storage.homes import Homes
from storage.inbox import Inbox
from storage.introductions import Introductions
from storage.invites import Invites
from storage.lanes import Lanes, Now
from storage.members import Members
from storage.milestones import Milestones
from storage.outages import Outages
from storage.outbox import Outbox
from storage.privacy import Privacy
from storage.profiles import Profiles
from storage.projects import Projects
from storage.recurring import Recurring
from storage.schedules import Schedules
from storage.search import Search
from storage.talks import Talks
from storage.teams import Teams
from storage.troubles import Troubles
from storage.unreached import Unreached
from storage.waves import Waves


class UnitOfWork:
    """Made by the store for each job; the store commits or rolls back, never the job."""

    def __init__(self, connection: Connection, time: Now | None = None) -> None:
        self.connection = connection
        self._time = time
        self.woken: set[str] = set()  # lanes that have new rows, told to their relays after the commit
        self.wiped = False  # words were erased: no copy may stay in a log of the database

    def wipes(self) -> None:
        """Words are erased in this transaction."""
        self.wiped = True

    def attempt(self, part: Callable[[], object]) -> Exception | None:
        """Do a part of the job that may fail alone: returns why, after undoing it.

        What the database itself refuses (no space, a lock, a deadlock) is no fault of the part and fails the whole job.
        """
        self.connection.exec_driver_sql("SAVEPOINT part")
        failed: Exception | None = None
        try:
            part()
        except sa.exc.OperationalError:
            raise
        except Exception as error:
            failed = error
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        self.connection.exec_driver_sql("RELEASE SAVEPOINT part")
        return failed

    def people(self, viewer: Viewer, *, buyers_and_bidders_apart: bool = True) -> Access:
        """Other members, as far as this viewer may see them."""
        return Access(self.connection, viewer, buyers_and_bidders_apart=buyers_and_bidders_apart)

    @cached_property
    def members(self) -> Members:
        return Members(self.connection, self.search.renew, self.recurring)

    @cached_property
    def profiles(self) -> Profiles:
        return Profiles(self.connection, self.search.renew)

    @cached_property
    def projects(self) -> Projects:
        return Projects(self.connection, self.search.renew)

    @cached_property
    def milestones(self) -> Milestones:
        return Milestones(self.connection)

    @cached_property
    def teams(self) -> Teams:
        return Teams(self.connection)

    @cached_property
    def search(self) -> Search:
        return Search(self.connection)

    @cached_property
    def introductions(self) -> Introductions:
        return Introductions(self.connection)

    @cached_property
    def talks(self) -> Talks:
        return Talks(self.connection)

    @cached_property
    def checkins(self) -> Checkins:
        return Checkins(self.connection)

    @cached_property
    def waves(self) -> Waves:
        return Waves(self.connection)

    @cached_property
    def cards(self) -> Cards:
        return Cards(self.connection)

    @cached_property
    def invites(self) -> Invites:
        return Invites(self.connection, self.wipes)

    @cached_property
    def broadcasts(self) -> Broadcasts:
        return Broadcasts(self.connection, self.woken)

    @cached_property
    def dialogs(self) -> Dialogs:
        return Dialogs(self.connection)

    @cached_property
    def schedules(self) -> Schedules:
        return Schedules(self.connection)

    @cached_property
    def recurring(self) -> Recurring:
        return Recurring(self.connection)

    @cached_property
    def holidays(self) -> Holidays:
        return Holidays(self.connection)

    @cached_property
    def outages(self) -> Outages:
        return Outages(self.connection)

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self.connection)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.connection, self.woken, self.wipes)

    @cached_property
    def contents(self) -> Contents:
        return Contents(self.connection, self.outbox, self.woken, self.wipes)

    @cached_property
    def claims(self) -> Claims:
        return Claims(self.connection, self.woken)

    @cached_property
    def backlog(self) -> Backlog:
        return Backlog(self.connection)

    @cached_property
    def troubles(self) -> Troubles:
        return Troubles(self.connection)

    @cached_property
    def unreached(self) -> Unreached:
        return Unreached(self.connection)

    @cached_property
    def lanes(self) -> Lanes:
        return Lanes(self.connection, self.woken, self._time)

    @cached_property
    def asks(self) -> Asks:
        return Asks(self.connection)

    @cached_property
    def homes(self) -> Homes:
        return Homes(self.connection)

    @cached_property
    def audit(self) -> Audit:
        return Audit(self.connection)

    @cached_property
    def privacy(self) -> Privacy:
        return Privacy(self.connection, self.wipes)

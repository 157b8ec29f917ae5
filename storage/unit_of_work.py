"""One transaction, and everything that can be remembered or recalled inside it."""

from functools import cached_property

from sqlalchemy.engine import Connection

from storage.access import Access, Viewer
from storage.asks import Asks
from storage.audit import Audit
from storage.dialogs import Dialogs
from storage.homes import Homes
from storage.inbox import Inbox
from storage.introductions import Introductions
from storage.invites import Invites
from storage.members import Members
from storage.milestones import Milestones
from storage.outbox import Outbox
from storage.privacy import Privacy
from storage.profiles import Profiles
from storage.projects import Projects
from storage.schedules import Schedules
from storage.search import Search
from storage.teams import Teams


class UnitOfWork:
    """Made by the store for each job; the store commits or rolls back, never the job."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.woken: set[str] = set()  # lanes that have new rows, told to their relays after the commit
        self.wiped = False  # words were erased: no copy may stay in a log of the database

    def wipes(self) -> None:
        """Words are erased in this transaction."""
        self.wiped = True

    def people(self, viewer: Viewer, *, buyers_and_bidders_apart: bool = True) -> Access:
        """Other members, as far as this viewer may see them."""
        return Access(self.connection, viewer, buyers_and_bidders_apart=buyers_and_bidders_apart)

    @cached_property
    def members(self) -> Members:
        return Members(self.connection, self.search.renew)

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
    def invites(self) -> Invites:
        return Invites(self.connection, self.wipes)

    @cached_property
    def dialogs(self) -> Dialogs:
        return Dialogs(self.connection)

    @cached_property
    def schedules(self) -> Schedules:
        return Schedules(self.connection)

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self.connection)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.connection, self.woken, self.wipes)

    @cached_property
    def asks(self) -> Asks:
        return Asks(self.connection)

    @cached_property
    def homes(self) -> Homes:
        return Homes(self.connection, self.outbox)

    @cached_property
    def audit(self) -> Audit:
        return Audit(self.connection)

    @cached_property
    def privacy(self) -> Privacy:
        return Privacy(self.connection, self.wipes)

"""What the bot remembers: one file an aggregate, each with its tables and the only code that reads them."""

from storage.engine import Busy, Store, Turn, open_store
from storage.unit_of_work import UnitOfWork

__all__ = ["Busy", "Store", "Turn", "UnitOfWork", "open_store"]

"""From a row to a call: its envelope, its files, the platform's answer, and the question whether it has arrived."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.adapter import Absent, Adapter, Envelope, NotSent, Outcome, Rejected, Sent, Unknown
from bot.core.clock import Clock
from bot.core.events import Address
from bot.core.ids import encode
from bot.core.log import get_logger
from bot.core.replies import Content, File
from storage import Busy, Store, UnitOfWork
from storage.claims import Claimed
from storage.outbox import Row

log = get_logger("kawan.relay")

FileSource = Callable[[UnitOfWork, File, datetime], bytes]
Files = tuple[tuple[str, str, bytes], ...]


class Post:
    """One lane's calls; nothing here waits for the pace, and nothing is written."""

    def __init__(self, adapter: Adapter, store: Store, clock: Clock, files: Mapping[str, FileSource]) -> None:
        self._adapter = adapter
        self._store = store
        self._clock = clock
        self._files = files

    async def envelope(self, claimed: Claimed) -> Envelope | NotSent | Rejected:
        """What is to be sent, with its files made; or why it cannot be made: nothing has left."""
        row = claimed.row
        try:
            content = Content.from_json(row.body or {"text": ""})
            files = tuple([await self._file(file) for file in content.files])
            return _envelope(row, claimed.root_ref, content, files)
        except Busy as busy:
            return NotSent(str(busy))
        except Exception as error:  # a mistake of ours must not stop the lane
            log.error("envelope_failed", lane=row.lane, row=row.seq, kind=type(error).__name__)
            return Rejected(type(error).__name__)

    async def send(self, row: Row, envelope: Envelope | Outcome) -> Outcome:
        """The platform's answer."""
        if not isinstance(envelope, Envelope):
            return envelope
        try:
            return await self._adapter.send(envelope)
        except Exception as error:  # an adapter's mistake must not stop the lane
            log.error("send_failed", lane=row.lane, row=row.seq, kind=type(error).__name__)
            return Unknown(type(error).__name__)

    async def look_up(self, row: Row) -> Sent | Absent | None:
        """What the platform knows of a row in doubt."""
        try:
            content = Content.from_json(row.body or {"text": ""})
            return await self._adapter.look_up(_envelope(row, None, content, ()))
        except Exception as error:  # an adapter's mistake must not stop the lane
            log.error("look_up_failed", lane=row.lane, row=row.seq, kind=type(error).__name__)
            return None

    async def _file(self, file: File) -> tuple[str, str, bytes]:
        now = self._clock.now()
        made = await self._store.read(lambda unit: self._files[file.source](unit, file, now))
        return file.name, file.media_type, made


def address_of(row: Row) -> Address:
    """Where a row goes."""
    platform, _, installation = row.lane.partition(":")
    return Address(platform, installation, row.conversation)


def _envelope(row: Row, root_ref: str | None, content: Content, files: Files) -> Envelope:
    """A first attempt is the one to look for; of a later one only the row's own age is certain."""
    attempted = row.created_at if row.resend_count else row.sending_at
    return Envelope(
        key=encode(row.key),
        address=address_of(row),
        content=content,
        edits=root_ref if row.kind == "edit" else None,
        deletes=root_ref if row.kind == "delete" else None,
        files=files,
        attempted_at=attempted.timestamp() if attempted else None,
    )

"""What the tables say when everything has settled, as lines of a history: of a simulated database or of a real one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.simulation.history import INFO, Line

Read = Callable[[str], Iterable[Any]]

_ANSWERED = """EXISTS (SELECT 1 FROM broadcast b JOIN broadcast_answer a ON a.broadcast_id = coalesce(b.root_id, b.id)
    WHERE outbox.idem LIKE 'bc:' || b.id || ':%' AND a.member_id = outbox.member_id)"""
_ROWS = f"""SELECT seq, state, lane, class = 'once', edits IS NOT NULL, resend_count, member_id, deaths, {_ANSWERED},
    due_at FROM outbox ORDER BY seq"""
_ROW = ("message", "state", "lane", "once", "edit", "resends", "member", "deaths", "answered", "due")
_PRIVILEGED = """SELECT a.action, m.role, a.actor_id = a.about_id FROM audit a LEFT JOIN member m ON m.id = a.actor_id
    ORDER BY a.id"""
_ANSWERS = "SELECT id, choice, words, day FROM answer WHERE member_id IS NOT NULL ORDER BY id"
_OF = "FROM outbox o WHERE o.idem LIKE 'bc:' || b.id || ':%'"
_BROADCASTS = f"""SELECT b.id, b.state, b.recipients, m.role, b.card, (SELECT count(*) {_OF}),
    (SELECT count(*) {_OF} AND o.state = 'sent') FROM broadcast b LEFT JOIN member m ON m.id = b.sender_id
    WHERE b.state != 'draft' ORDER BY b.id"""
_BROADCAST = ("broadcast", "state", "recipients", "role", "card", "rows", "sent")


def at_the_end(read: Read, at: float, now: int = 0) -> Iterator[Line]:
    """Who was erased, what became of every message, who did what with power over others.

    `read` runs one SELECT; `now` is in microseconds, as the tables have it.
    """
    for (member,) in read("SELECT id FROM member WHERE state = 'left' ORDER BY id"):
        yield {"type": INFO, "f": "erased", "at": at, "member": member}
    for row in read(_ROWS):
        values = dict(zip(_ROW, row, strict=True))
        due = values.pop("due")
        values["waits"] = values["state"] == "held" and due > now
        values |= {name: bool(values[name]) for name in ("once", "edit", "answered")}
        yield {"type": INFO, "f": "row", "at": at, **values}
    for number, *said in read(_ANSWERS):
        yield {"type": INFO, "f": "answered", "at": at, "answer": number, "said": said}
    for row in read(_BROADCASTS):
        yield {"type": INFO, "f": "broadcast", "at": at, **dict(zip(_BROADCAST, row, strict=True))}
    for action, role, own in read(_PRIVILEGED):
        yield {"type": INFO, "f": "privileged", "at": at, "action": action, "role": role, "own": bool(own)}

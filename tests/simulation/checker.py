"""Judges a history, whoever wrote it: the simulation, or tests with real processes (reliability 4.3)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulation.history import FAIL, INFO, INVOKE, OK, Line
from tests.simulation.marks import marks_in

TERMINAL = {"sent", "unreachable", "failed", "cancelled", "expired", "unconfirmed"}
BLIND_COPIES = 2  # of a message that must arrive, where no platform can say what arrived
IN_ORDER = ("took over", "claims")
ANSWERED = ("choice", "words", "day")
TOLERATED = 1.1
A_MINUTE, TWO_MINUTES = 20, 120.0  # events of one account; seconds, since they may wait for a replica
A_WEEK = 1  # messages begun by the bot or a facilitator
DEATHS = 3  # of programs that were sending one message, after which nobody tries it again
MOST_A_SECOND = {"telegram": 30}
STAFF_ACTS_OF_ANYBODY = {"safety.lock"}

REMINDERS = ("A reminder, the only one:", "Sekadar mengingatkan")
COUNTRY = re.compile(r" \([^)]*\)")


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept; `about` is a message, an event or a timer."""

    invariant: str
    about: Any
    why: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.about}: {self.why}"


def check(lines: Iterable[Line], *, tell: Iterable[str] = ("slack",)) -> list[Broken]:
    """Every broken promise of a history. `tell`: the platforms that can be asked what has arrived."""
    by_f: dict[str, list[Line]] = defaultdict(list)
    for n, line in enumerate(lines):
        by_f[line["f"]].append(line | {"n": n} if line["f"] in IN_ORDER else line)
    checks = (_every_message_ends, _copies_are_few, _one_owner_writes, _each_event_has_one_effect,
              _each_timer_happens_once, _each_date_is_asked_once, _answers_stay, _lanes_keep_the_pace, _sums_are_right,
              _nobody_sees_too_much, _the_asked_see_what_was_confirmed, _nothing_goes_to_the_gone,
              _a_week_brings_few_messages, _power_is_for_staff, _nothing_is_logged, _privileged_acts_are_noted,
              _nothing_breaks)  # fmt: skip
    platforms = tuple(tell)
    return [broken for one in checks for broken in one(by_f, platforms)]


Sorted = dict[str, list[Line]]


def _every_message_ends(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I1 and I12: a committed row ends in a named state that is true; none is lost on the way."""
    seen = {line["message"] for line in of["seen"]}
    ends = {line["message"]: line for line in of["row"]}
    for number, row in ends.items():
        if row["state"] not in TERMINAL and not row["waits"]:  # for a day that its sender or its reader chose
            yield Broken("I1", number, f"is {row['state']} at the end")
        # Who answered the question, perhaps under its reminder, has it.
        if row["state"] == "sent" and number not in seen and not row["answered"]:
            yield Broken("I1", number, "is sent, but stands on no screen")
    if not of["row"]:
        return
    erased = {line["member"] for line in of["erased"]}
    for line in of["rows"]:
        for number, member in line["rows"]:
            if number not in ends and member is not None and member not in erased:
                yield Broken("I12", number, "was committed and is gone")


def _copies_are_few(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I2: one copy where the platform can be asked; else one more of what must arrive, none of what goes once."""
    copies = Counter(line["message"] for line in of["seen"] if line["message"] is not None and not line["edit"])
    # A facilitator wanted what was unconfirmed, or what ended the program too often, to be sent once more.
    by_hand = len(of["sent again"])
    unsure = [line["message"] for line in of["settle"] if line["to"] == "unconfirmed"]
    again = Counter(
        dict.fromkeys([*unsure, *(row["message"] for row in of["row"] if row["deaths"] >= DEATHS)], by_hand)
    )
    kinds = {line["message"]: line for line in of["send"] if line["type"] == INVOKE and line["message"] is not None}
    for number, n in copies.items():
        line = kinds[number]
        asks = line["lane"].partition(":")[0] in tell and line["to"].startswith("dm:")
        most = again[number] + 1 if asks or line["once"] else again[number] + BLIND_COPIES
        if n > most:
            yield Broken("I2", number, f"{n} copies on {line['lane']}, of at most {most}")


def _one_owner_writes(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I2, its guard: whoever has lost a lane claims nothing more."""
    newest: dict[str, int] = {}
    for line in sorted((*of["took over"], *of["claims"]), key=lambda line: line["n"]):
        lane, gen = line["lane"], line["gen"]
        if line["f"] == "took over":
            newest[lane] = max(gen, newest.get(lane, 0))
        elif gen < newest.get(lane, 0):
            yield Broken("I2", lane, f"claimed at {line['at']} by generation {gen}, after {newest[lane]} took over")


def _each_event_has_one_effect(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I3: acknowledged is exactly once; never more than once; and what was done is answered."""
    effects = Counter(line["event"] for line in of["effect"])
    for event, n in effects.items():
        if n > 1:
            yield Broken("I3", event, f"{n} effects")
    acknowledged = {line["event"]: line for line in of["deliver"] if line["type"] == OK}
    for event in acknowledged:
        if not effects[event]:
            yield Broken("I3", event, "acknowledged without an effect")


def _each_timer_happens_once(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I4, as far as there are one-shot timers: forgotten only when it happened; none is left behind."""
    effects = Counter(line["event"] for line in of["effect"])
    for line in of["done"]:
        n = effects[f"timer:{line['timer']}"]
        if n != 1:
            yield Broken("I4", line["timer"], f"forgotten after {n} effects")
    for line in of["waits"]:
        if line["overdue"]:
            yield Broken("I4", line["timer"], "is overdue at the end")


def _each_date_is_asked_once(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I4: every date of a check-in is asked of everybody to whom nothing happened, on the right day and no other."""
    asked = {(line["member"], line["day"]): line for line in of["asked on"]}
    for (member, day), line in asked.items():
        if not line["right"]:
            yield Broken("I4", member, f"was asked on {day}, which is no date of the check-in")
    first: set[int] = set()
    for line in of["due"]:
        member, day = line["member"], line["day"]
        if (member, day) not in asked:
            yield Broken("I4", member, f"was not asked on {day}")
        elif member not in first and asked[member, day]["questions"] != 1:
            yield Broken("I4", member, f"got {asked[member, day]['questions']} questions on {day}, the first date")
        first.add(member)


def _answers_stay(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I4: an answer that was kept is there at the end, as it was last given; what the bot said it keeps, it keeps."""
    given: dict[int, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(ANSWERED))
    said: set[str] = set()
    for line in of["answer"]:
        values = {name: line[name] for name in ANSWERED if name in line}
        given[line["answer"]] |= values
        said.add(str(values.get("words")))
    for line in of["answered"]:
        if line["answer"] in given and line["said"] != list(given[line["answer"]].values()):
            yield Broken("I4", line["answer"], f"was {given[line['answer']]}, is {line['said']}")
    for line in of["kept"]:
        if line["words"] not in said:
            yield Broken("I4", line["words"], "was said to be kept, and is not")


def _lanes_keep_the_pace(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I9: of Telegram's 30 calls a second, and of one a second in each conversation, never more than a tenth more."""
    starts: dict[str, list[float]] = defaultdict(list)
    chats: dict[tuple[str, str], float] = {}
    for line in of["send"]:
        if line["type"] != INVOKE:
            continue
        lane, at = line["lane"], line["at"]
        starts[lane].append(at)
        before = chats.get((lane, line["to"]), float("-inf"))
        if at - before < 1 / TOLERATED - 0.002:
            yield Broken("I9", line["message"], f"{at - before:.3f} s after another to {line['to']} on {lane}")
        chats[lane, line["to"]] = at
    for lane, times in starts.items():
        most = MOST_A_SECOND.get(lane.partition(":")[0], 1000) * TOLERATED
        for n, at in enumerate(times):
            if n >= most and at - times[n - int(most)] < 1:
                yield Broken("I9", lane, f"more than {most:.0f} calls in the second before {at}")


def _sums_are_right(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I12: every recipient of a message to many is a row that ended, and the sender reads the same numbers."""
    erased = len(of["erased"])
    doubted = sum(line["to"] == "unconfirmed" for line in of["settle"])
    tables = {line["broadcast"]: line for line in of["broadcast"]}
    for number, line in tables.items():
        if line["role"] not in ("facilitator", None):
            yield Broken("I8", number, f"was sent by a {line['role']}")
        if not 0 <= line["recipients"] - line["rows"] <= erased:
            yield Broken("I12", number, f"{line['recipients']} recipients, {line['rows']} rows, {erased} erased")
    for card in of["card"]:
        line = tables[card["broadcast"]]
        whole = max(line["recipients"], line["rows"])
        # A press may prove after a week, when the card is not renewed any more, that what was unconfirmed has arrived.
        missed = line["sent"] - card["sent"]
        is_right = card["waits"] or 0 <= missed <= doubted
        if not card["of"] == card["parts"] == whole or not is_right:
            yield Broken("I12", card["broadcast"], f"the card says {card}, the tables {line}")


def _nobody_sees_too_much(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I5: what the oracle hides at the moment of the send is in no text."""
    for line in of["send"]:
        if line.get("hidden"):
            yield Broken("I5", line["message"], f"to {line['to']} at {line['at']}: {line['hidden']}")


def _shows_no_more(text: str, confirmed: str) -> bool:
    """The whole card, or in the reminder what is left of it: what two people do not share any more is not said."""
    if confirmed in text:
        return True
    known = set(COUNTRY.sub("", confirmed).splitlines())
    cards = [COUNTRY.sub("", part).splitlines() for part in text.split("\n\n")]
    is_reminder = any(word in text for word in REMINDERS)
    first = COUNTRY.sub("", confirmed).splitlines()[:1]
    return is_reminder and any(card[:1] == first and known.issuperset(card) for card in cards)


def _the_asked_see_what_was_confirmed(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I6: the card that was confirmed and nothing else; no chat for two before both said yes."""
    for line in of["asked"]:
        # Whoever gave themselves a name without a mark is one of those whose cards have none.
        by = line["by"]
        confirmed = [one for one in of["confirmed"] if (one["by"] in by if by else not marks_in(one["text"]))]
        same = [one for one in confirmed if one["language"] == line["language"]]
        if (same or not confirmed) and not any(_shows_no_more(line["text"], one["text"]) for one in same):
            yield Broken("I6", line["to"], f"at {line['at']} sees a card that nobody confirmed")
    for line in of["send"]:
        if line.get("met") is False:
            yield Broken("I6", line["message"], "a chat for people who have not both said yes")
    quiet = {line["event"] for line in of["deliver"] if line.get("what") == "introductions.no"}
    for line in of["send"]:
        if line["type"] == INVOKE and line.get("cause") in quiet and not line["own"]:
            yield Broken("I6", line["message"], "a no was passed on")


def _nothing_goes_to_the_gone(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I7: who left or is locked gets nothing; who is leaving gets answers only; questions keep the hours."""
    for line in of["send"]:
        state = line.get("state")
        if state == "left" or (state == "locked" and not line["says"].endswith("OK.")):
            yield Broken("I7", line["message"], f"to {line['to']}, who is {state}")
        if line.get("rests"):
            yield Broken("I7", line["message"], f"to {line['to']} at {line['at']}, outside their hours")
        if state == "leaving" and not line["own"]:
            yield Broken("I7", line["message"], f"to {line['to']}, who is leaving, and did not ask")
    for number, n in Counter(line["message"] for line in of["send"] if line.get("outcome") == "Unreachable").items():
        if n > 2:  # once on each account
            yield Broken("I7", number, f"{n} attempts at somebody who blocked the bot")


def _a_week_brings_few_messages(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I7: what the bot or a facilitator begins; a message counts in the week of the call after which it was seen."""
    seen = {line["message"] for line in of["seen"]}
    left = {line["call"] for line in of["send"] if line["type"] in (OK, INFO)}
    last = {line["message"]: line for line in of["send"] if "week" in line and line["call"] in left}
    weeks: dict[tuple[int, str], set[str]] = defaultdict(set)
    for number, line in last.items():
        if number in seen:
            weeks[line["member"], line["week"]].add(line["cause"])
    for (member, week), causes in weeks.items():
        if len(causes) > A_WEEK:
            yield Broken("I7", member, f"got {len(causes)} messages in week {week}")


def _power_is_for_staff(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I8: whoever did something privileged is a facilitator, or did it to themselves."""
    for line in of["privileged"]:
        if line["role"] != "facilitator" and not (line["own"] and line["action"] in STAFF_ACTS_OF_ANYBODY):
            yield Broken("I8", line["action"], f"done by a {line['role']}")


def _nothing_is_logged(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I10: no word of anybody's in a log."""
    for line in of["logged"]:
        yield Broken("I10", line["event"], "a mark stands in the log")


def _was_told_to_wait(of: Sorted, effect: Line) -> bool:
    """Had the sender sent so much that the bot only asked for a minute's patience?"""
    who = {line["who"] for line in of["deliver"] if line["event"] == effect["event"] and "who" in line}
    since = effect["at"] - TWO_MINUTES
    sent = sum(line.get("who") in who and since <= line["at"] <= effect["at"] for line in of["deliver"])
    return bool(sent >= A_MINUTE)


def _privileged_acts_are_noted(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """I11: what only facilitators may do leaves a row in the audit."""
    staff = {line["event"] for line in of["deliver"] if line.get("staff") and line.get("facilitator")}
    for line in of["effect"]:
        did = line["said"] and not line["failed"] and not line["leaves"]
        if line["event"] in staff and did and not line["audited"] and not _was_told_to_wait(of, line):
            yield Broken("I11", line["event"], "a privileged act that nobody noted")


def _nothing_breaks(of: Sorted, tell: tuple[str, ...]) -> Iterator[Broken]:
    """No handler fails, and no part of the bot ends by itself."""
    for line in of["defect"]:
        yield Broken("no defects", "", line["what"])


SOMETIMES = ("in doubt, found", "in doubt, resent", "catch-up", "stale press", "unconfirmed shown", "repeat stopped",
             "died", "ended", "froze", "fenced", "taken over", "asked", "both said yes", "erased", "locked",
             "answer kept", "sent to many", "cap reached")  # fmt: skip


def sometimes(lines: Iterable[Line]) -> Counter[str]:
    """What happened in a history of the things that must happen now and then, or the test proves too little."""
    found: Counter[str] = Counter()
    due: dict[int, float] = {}
    delivered: Counter[str] = Counter()
    for line in lines:
        match line:
            case {"f": "settle", "to": "sent"}:
                found["in doubt, found"] += 1
            case {"f": "settle", "to": "queued"}:
                found["in doubt, resent"] += 1
            case {"f": "row", "state": "unconfirmed"}:
                found["unconfirmed shown"] += 1
            case {"f": "toast", "stale": True}:
                found["stale press"] += 1
            case {"f": "timer", "timer": number, "due": at}:
                due[number] = at
            case {"f": "done", "timer": number, "at": at} if at - due.get(number, at) > 3600:
                found["catch-up"] += 1
            case {"f": "deliver", "type": "ok", "event": event}:
                delivered[event] += 1
            case {"f": "fenced" | "froze" | "died" | "ended" | "asked" | "erased" as f}:
                found[f] += 1
            case {"f": "at the cap"}:
                found["cap reached"] += 1
            case {"f": "took over", "gen": gen} if gen > 1:
                found["taken over"] += 1
            case {"f": "kept"}:
                found["answer kept"] += 1
            case {"f": "card"}:
                found["sent to many"] += 1
            case {"f": "decided", "to": "accepted"}:
                found["both said yes"] += 1
            case {"f": "privileged", "action": "safety.lock"}:
                found["locked"] += 1
    found["repeat stopped"] = sum(n - 1 for n in delivered.values() if n > 1)
    return found


__all__ = ["FAIL", "INFO", "SOMETIMES", "Broken", "check", "sometimes"]

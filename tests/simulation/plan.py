"""What one seed draws: who takes part, for how long, and which faults happen; dropping parts of it keeps the rest."""

import random
from dataclasses import dataclass, field

SIZES = (3, 5, 8, 12, 18, 27, 38, 50)
FAULTS = ("lost answers", "late arrivals", "refusals", "limits", "server errors", "repeats", "busy", "blocks", "deaths",
          "outages", "clock jumps", "freezes")  # fmt: skip
A_DAY = 86_400.0
A_MORNING = 3600.0
A_FEW = 5
A_MONTH = 33  # days, of a seed with a check-in
MORNINGS, FEWER = (4, 4, 5), (2, 3)  # when people come; a check-in or a message to many is enough to do
MOST_ASKED = 12  # members of a cohort with a check-in: more would only make seeds longer


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody comes to the keyboard: when (seconds since the start), who, and for how many acts."""

    at: float
    who: str
    acts: int
    begins: str | None = None  # what they write first


@dataclass(frozen=True, slots=True)
class Checkin:
    """A check-in that runs when the seed begins: on a weekday (0 is Monday), every so many weeks, at an hour."""

    weekday: int
    every: int
    hour: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed, drawn before anything happens. `fault_rate` is a call's, `death_rate` a named point's."""

    seed: int
    size: int
    slack_share: float
    days: int
    fault_rate: float
    death_rate: float
    history_lag: float
    visits: tuple[Visit, ...]
    replicas: int = 1
    checkin: Checkin | None = None
    faults: frozenset[str] = field(default_factory=lambda: frozenset(FAULTS))
    mutant: str | None = None

    def random(self, name: str) -> random.Random:
        """A stream of its own for each part, the same whatever the others draw."""
        return random.Random(f"{self.seed}:{name}")

    def has(self, fault: str) -> bool:
        return fault in self.faults


def drawn(seed: int, mutant: str | None = None) -> Plan:
    """The plan of a seed."""
    luck = random.Random(f"{seed}:plan")
    size = luck.choices(SIZES, weights=(2, 3, 4, 4, 3, 2, 1, 1))[0]
    days = luck.randint(21, 90)
    replicas = 2 if luck.random() < 0.2 else 1
    checkin = None
    if size <= MOST_ASKED and luck.random() < 0.5:
        checkin = Checkin(luck.choice((0, 0, 2, 4)), max(luck.choice((1, 2, 3)), size // 4), luck.choice((8, 9, 9, 19)))
        days = min(days, A_MONTH)
    return Plan(
        seed=seed,
        size=size,
        slack_share=luck.choice((0.0, 0.3, 0.5, 0.7, 1.0)),
        days=days,
        fault_rate=luck.choice((0.0, 0.02, 0.1, 0.3)),
        death_rate=luck.choice((0.0, 0.01, 0.05)),
        history_lag=luck.uniform(0, 10),
        visits=_visits(luck, size, days, asked=checkin is not None),
        replicas=replicas,
        checkin=checkin,
        mutant=mutant,
    )


def _visits(luck: random.Random, size: int, days: int, *, asked: bool) -> tuple[Visit, ...]:
    """Some mornings, several people at a time; the first of them are the same few, so that they meet."""
    found: list[Visit] = []
    regulars = [f"U{n}" for n in luck.sample(range(1, size), min(size - 1, luck.randint(2, 6)))]
    writes = luck.random() < 0.3  # a facilitator, to many
    for _ in range(luck.choice(FEWER if asked or writes else MORNINGS)):
        at = luck.randrange(days) * A_DAY + luck.uniform(0, 0.6 * A_DAY)
        for _ in range(luck.randint(1, 3)):
            who = luck.choice(regulars) if luck.random() < 0.75 else _guest(luck, size)
            found.append(Visit(at + luck.uniform(0, 60), who, luck.randint(2, 5)))
    if writes:  # and looks in again
        at = luck.randrange(days) * A_DAY + luck.uniform(0, 0.4 * A_DAY)
        found += [Visit(at, "U0", 12, "message"), Visit(at + luck.choice((300.0, 900.0, A_DAY)), "U0", 4)]
        if size <= A_FEW and luck.random() < 0.4:  # and again and again, more than a week may bring
            found += [Visit(at + n * A_MORNING, "U0", 12, "message") for n in (1, 2, 3, 4)]
    return tuple(sorted(found, key=lambda visit: (visit.at, visit.who)))


def _guest(luck: random.Random, size: int) -> str:
    """A facilitator, a newcomer, an outsider, the malicious fellow, or just anybody."""
    return luck.choice(
        ("U0", "U0", f"N{luck.randrange(3)}", f"N{luck.randrange(3)}", "X0", "M", f"U{luck.randrange(size)}")
    )

"""Rules in local time, compared with an expansion that is not dateutil's: day by day and minute by minute."""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.recurrence import WEEKDAYS, Fire, Recurrence, RefusedRule, Rule, check, moment, read_rule

FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
ZONES = sorted(available_timezones() - {"Factory", "localtime", "posixrules"})
SAMPLE = (
    "Asia/Jakarta",
    "Asia/Manila",
    "Asia/Ulaanbaatar",
    "Asia/Bangkok",
    "Europe/Kyiv",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",  # back in winter time for Ramadan
    "America/Nuuk",
    "Pacific/Chatham",
    "Antarctica/Troll",  # two hours
    "Africa/Cairo",  # at midnight
)


# An expansion of its own: does a day belong to a rule?


def belongs(day: date, parts: dict[str, str], starts: date) -> bool:
    """RFC 5545, day by day: is this a date of the rule?"""
    every, freq = int(parts.get("INTERVAL", 1)), parts["FREQ"]
    if day < starts or not in_period(day, freq, every, starts):
        return False
    if "BYMONTH" in parts and str(day.month) not in parts["BYMONTH"].split(","):
        return False
    if "BYMONTHDAY" in parts and not {str(day.day), str(day.day - length(day) - 1)} & set(
        parts["BYMONTHDAY"].split(",")
    ):
        return False
    if "BYSETPOS" in parts:
        candidates = [one for one in days_of(day) if on_weekday(one, parts["BYDAY"])]
        position = int(parts["BYSETPOS"])
        return day == candidates[position - 1 if position > 0 else position]
    if "BYDAY" in parts:
        return on_weekday(day, parts["BYDAY"])
    if "BYMONTHDAY" in parts:
        return True
    return {
        "DAILY": True,
        "WEEKLY": day.weekday() == starts.weekday(),
        "MONTHLY": day.day == starts.day,
        "YEARLY": (day.month, day.day) == (starts.month, starts.day),
    }[freq]


def in_period(day: date, freq: str, every: int, starts: date) -> bool:
    if freq == "DAILY":
        return (day - starts).days % every == 0
    if freq == "WEEKLY":
        mondays = (day - timedelta(days=day.weekday())) - (starts - timedelta(days=starts.weekday()))
        return mondays.days // 7 % every == 0
    if freq == "MONTHLY":
        return (12 * (day.year - starts.year) + day.month - starts.month) % every == 0
    return (day.year - starts.year) % every == 0


def length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def days_of(day: date) -> list[date]:
    return [day.replace(day=n) for n in range(1, length(day) + 1)]


def on_weekday(day: date, names: str) -> bool:
    return any(
        WEEKDAYS[day.weekday()] == name[-2:]
        and name[:-2] in ("", str((day.day - 1) // 7 + 1), str(-((length(day) - day.day) // 7 + 1)))
        for name in names.split(",")
    )


def expanded(rule: str, starts: date) -> list[date]:
    parts = dict(part.split("=") for part in rule.split(";"))
    days = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    found = [day for day in days if belongs(day, parts, starts)]
    return found[: int(parts["COUNT"])] if "COUNT" in parts else found


# And one of local times: which UTC minute first shows this on the wall, or more?


def shown_first(local: datetime, zone: str) -> datetime:
    """The first UTC minute at which the zone's wall clock shows this time or, if never, has passed it."""
    where = ZoneInfo(zone)
    about = local.replace(tzinfo=UTC)
    start = about - (about.astimezone(where).utcoffset() or timedelta()) - timedelta(hours=4)
    shows = [start + timedelta(minutes=n) for n in range(8 * 60)]
    walls = [one.astimezone(where).replace(tzinfo=None) for one in shows]
    exact = next((one for one, wall in zip(shows, walls, strict=True) if wall == local), None)
    return exact or next(
        one for one, before, wall in zip(shows[1:], walls, walls[1:], strict=False) if before < local < wall
    )


def fires(recurrence: Recurrence, zone: str) -> Iterator[Fire]:
    fire = recurrence.first(zone, datetime(FIRST.year, 1, 1, tzinfo=UTC) - timedelta(days=3))
    while fire is not None and fire.date <= LAST:
        yield fire
        fire = recurrence.following(zone, fire.key)


INTERVALS = {"DAILY": 40, "WEEKLY": 8, "MONTHLY": 12, "YEARLY": 2}
days_of_week = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules of all the shapes that are taken."""
    freq = draw(st.sampled_from(sorted(INTERVALS)))
    parts = [f"FREQ={freq}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, INTERVALS[freq]))}")
    if freq == "WEEKLY" and draw(st.booleans()):
        parts.append("BYDAY=" + ",".join(draw(days_of_week)))
    if freq == "MONTHLY":
        shape = draw(st.sampled_from(["plain", "nth", "day", "setpos", "both"]))
        if shape == "nth":
            nth = st.builds(lambda n, day: f"{n}{day}", st.sampled_from([1, 2, 3, 4, 5, -1, -2]),
                            st.sampled_from(WEEKDAYS))  # fmt: skip
            parts.append("BYDAY=" + ",".join(draw(st.lists(nth, min_size=1, max_size=3, unique=True))))
        if shape in ("day", "both"):
            number = st.sampled_from([*range(1, 32), *range(-31, 0)])
            numbers = draw(st.lists(number, min_size=1, max_size=4, unique=True))
            parts.append("BYMONTHDAY=" + ",".join(map(str, numbers)))
        if shape in ("setpos", "both"):
            parts.append("BYDAY=" + ",".join(draw(days_of_week)))
        if shape == "setpos":
            parts.append(f"BYSETPOS={draw(st.sampled_from([1, 2, 3, 4, -1, -2]))}")
        if draw(st.integers(0, 3)) == 0:
            parts.append("BYMONTH=" + ",".join(map(str, sorted(draw(st.sets(st.integers(1, 12), min_size=1))))))
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"COUNT={draw(st.integers(1, 30))}")
    return ";".join(parts)


def agree(rule: str, starts: date, at: time, zone: str) -> None:
    """The rule's fires of two years are those of the other expansion: one a date, none missing, each at its moment."""
    wanted = expanded(rule, starts)
    if not taken(rule, starts):
        assert wanted == []
        return
    found = list(fires(Recurrence(rule, at, starts), zone))
    assert [fire.date for fire in found] == wanted
    near_changes = {fire.key: fire for fire in found if changes_near(fire.date, zone)}
    for fire in [*near_changes.values(), *found[:2], *found[-1:]]:
        assert fire.at == shown_first(datetime.combine(fire.date, at), zone), (fire, zone)


def taken(rule: str, starts: date) -> bool:
    """Is it a rule that fires some day? Every other reason to refuse it is an error here."""
    try:
        check(rule, starts)
    except RefusedRule as refused:
        if refused.why != "never":
            raise
        return False
    return True


def changes_near(day: date, zone: str) -> bool:
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    offsets = {(noon + timedelta(days=n)).astimezone(ZoneInfo(zone)).utcoffset() for n in (-1, 0, 1)}
    return len(offsets) > 1


moments = st.times(min_value=time(0), max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0))
begins = st.dates(FIRST, date(2026, 12, 31))


@given(rules(), begins, moments, st.sampled_from(SAMPLE))
@example("FREQ=DAILY", FIRST, time(3, 30), "Europe/Kyiv")
@example("FREQ=DAILY", FIRST, time(2, 15), "Australia/Lord_Howe")
@example("FREQ=DAILY", FIRST, time(0, 0), "Africa/Cairo")
@example("FREQ=MONTHLY;INTERVAL=8;BYMONTHDAY=29;BYMONTH=2", date(2027, 2, 1), time(9), "UTC")
@settings(max_examples=60, deadline=None)
def test_rules_drawn_at_random_fire_as_another_expansion_says(rule: str, starts: date, at: time, zone: str) -> None:
    agree(rule, starts, at, zone)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("chunk", range(12))
def test_every_zone_of_two_years_fires_as_another_expansion_says(chunk: int) -> None:
    """Every zone: every day in the hours of its clock changes, and rules drawn at random."""

    @given(st.data())
    @settings(max_examples=4, deadline=None, database=None)
    def drawn(data: st.DataObject) -> None:
        for zone in ZONES[chunk::12]:
            agree(data.draw(rules()), data.draw(begins), data.draw(moments), zone)

    drawn()
    for zone in ZONES[chunk::12]:
        for hour in (0, 1, 2, 3):
            agree("FREQ=DAILY", FIRST, time(hour, 30), zone)


def wall(text: str) -> datetime:
    """What a clock on a wall shows."""
    return datetime.fromisoformat(text)


def test_a_missing_time_is_the_change_and_a_doubled_one_its_first() -> None:
    kyiv = "Europe/Kyiv"
    assert moment(wall("2027-03-28 03:30"), kyiv) == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    assert moment(wall("2027-03-28 02:59"), kyiv) == datetime(2027, 3, 28, 0, 59, tzinfo=UTC)
    assert moment(wall("2027-03-28 04:00"), kyiv) == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    assert moment(wall("2027-10-31 03:30"), kyiv) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_a_day_that_a_zone_left_out_is_over_when_the_next_begins() -> None:
    assert moment(wall("2011-12-30 09:00"), "Pacific/Apia") == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule("day"), "FREQ=DAILY"),
        (Rule("week", 1, (0,)), "FREQ=WEEKLY;BYDAY=MO"),
        (Rule("week", 2, (0,)), "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        (Rule("week", 6, (1, 3)), "FREQ=WEEKLY;INTERVAL=6;BYDAY=TU,TH"),
        (Rule("month", 1, (0,), nth=1), "FREQ=MONTHLY;BYDAY=1MO"),
        (Rule("month", 3, (4,), nth=-1), "FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR"),
        (Rule("month", day=15), "FREQ=MONTHLY;BYMONTHDAY=15"),
        (Rule("month", day=-1), "FREQ=MONTHLY;BYMONTHDAY=-1"),
    ],
)
def test_what_buttons_choose_is_read_back(rule: Rule, text: str) -> None:
    assert rule.as_rrule() == text
    assert read_rule(text) == rule
    check(text, FIRST)


@pytest.mark.parametrize(
    "rule",
    [Rule("week"), Rule("month"), Rule("month", day=31), Rule("month", 1, (0,), nth=5), Rule("week", 0, (0,)),
     Rule("week", 99, (0,)), Rule("day", 1, (0,)), Rule("month", 1, (0,), nth=1, day=3)],
)  # fmt: skip
def test_what_no_button_chooses_is_refused(rule: Rule) -> None:
    with pytest.raises(RefusedRule):
        rule.as_rrule()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("FREQ=HOURLY", "too often"),
        ("FREQ=MINUTELY", "too often"),
        ("FREQ=SECONDLY;COUNT=2", "too often"),
        ("FREQ=DAILY;BYHOUR=9,15", "too often"),
        ("FREQ=DAILY;BYMINUTE=0,30", "too often"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "never"),
        ("FREQ=MONTHLY;BYMONTH=2,4;BYMONTHDAY=31", "never"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never"),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=3", "never"),  # it begins in January
        ("FREQ=MONTHLY;INTERVAL=8;BYMONTH=9;BYMONTHDAY=31", "never"),
        ("FREQ=DAILY;UNTIL=20200101", "never"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "not understood"),  # two centuries of days for dateutil
        ("FREQ=DAILY;BYSETPOS=400", "not understood"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300", "not understood"),
        ("FREQ=MONTHLY;BYDAY=53MO", "not understood"),
        ("FREQ=MONTHLY;BYEASTER=1", "not understood"),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", "not understood"),
        ("FREQ=DAILY;INTERVAL=0", "too long"),
        ("FREQ=DAILY;INTERVAL=999", "too long"),
        ("FREQ=DAILY;COUNT=9999", "too long"),
        ("FREQ=DAILY;FREQ=WEEKLY", "not understood"),
        ("DTSTART:20200101", "not understood"),
        ("FREQ=DAILY\nEXRULE:FREQ=DAILY", "not understood"),
        ("", "not understood"),
        ("FREQ=MONTHLY;BYMONTHDAY=" + ",".join(["1"] * 200), "not understood"),
    ],
)
def test_a_rule_that_fires_too_often_or_never_or_takes_for_ever_is_refused(text: str, why: str) -> None:
    with pytest.raises(RefusedRule) as refused:
        check(text, FIRST)
    assert refused.value.why == why


def test_a_rule_that_is_over_before_it_begins_is_refused() -> None:
    with pytest.raises(RefusedRule):
        check("FREQ=WEEKLY;BYDAY=MO", date(2026, 11, 24), until=date(2026, 11, 29))
    check("FREQ=WEEKLY;BYDAY=MO", date(2026, 11, 24), until=date(2026, 11, 30))


def test_after_an_outage_the_newest_date_is_caught_and_the_others_are_told() -> None:
    daily = Recurrence("FREQ=DAILY", time(9), FIRST)
    caught = daily.caught("Asia/Jakarta", "2026-11-24", datetime(2026, 11, 27, 3, tzinfo=UTC))
    assert caught.fire.date == date(2026, 11, 27)
    assert caught.missed == (date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 26))
    assert caught.following is not None
    assert caught.following.date == date(2026, 11, 28)


def test_dates_before_one_are_told_newest_first() -> None:
    fortnightly = Recurrence("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", time(9), date(2026, 11, 2))
    assert fortnightly.before("2026-12-14", 2) == (date(2026, 11, 30), date(2026, 11, 16))
    assert fortnightly.before("2026-11-02", 2) == ()

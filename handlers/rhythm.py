"""How often something repeats, in words: every second Monday at 09:00, their time."""

from datetime import UTC, date, datetime, time, timedelta

from bot.core import Context, Country, Say, When, lines, listed, t
from bot.domain.recurrence import Rule, read_rule
from storage.recurring import Schedule

MONDAY = date(2024, 7, 1)  # any Monday in July, when no clock is far ahead: names of weekdays come from dates


def weekday(number: int) -> When:
    """The name of a weekday in the reader's language; 0 is Monday."""
    return When(datetime.combine(MONDAY + timedelta(days=number), time(11), tzinfo=UTC), "weekday")


def how_often(rule: Rule, at: time) -> Say:
    """A rule and its local time as a sentence, for somebody who reads about others."""
    hour = at.strftime("%H:%M")
    if rule.unit == "day":
        if rule.every == 1:
            return t("Every day at {time}, their time.", time=hour)
        return t("Every {n} days at {time}, their time.", n=rule.every, time=hour)
    if rule.unit == "week":
        return _weekly(rule, hour)
    return _monthly(rule, hour)


def _weekly(rule: Rule, hour: str) -> Say:
    days = listed([weekday(number) for number in rule.weekdays])
    if rule.every == 1:
        return t("Every {weekday} at {time}, their time.", weekday=days, time=hour)
    if rule.every == 2:
        return t("Every second {weekday} at {time}, their time.", weekday=days, time=hour)
    return t("Every {n} weeks on {weekday} at {time}, their time.", n=rule.every, weekday=days, time=hour)


def _monthly(rule: Rule, hour: str) -> Say:
    if rule.nth is not None:
        day = _nth(rule.nth, rule.weekdays[0])
    else:
        day = t("the last day") if rule.day == -1 else t("day {n}", n=rule.day or 1)
    if rule.every == 1:
        return t("Every month on {day} at {time}, their time.", day=day, time=hour)
    return t("Every {n} months on {day} at {time}, their time.", n=rule.every, day=day, time=hour)


def _nth(nth: int, number: int) -> Say:
    name = weekday(number)
    match nth:
        case 1:
            return t("the first {weekday}", weekday=name)
        case 2:
            return t("the second {weekday}", weekday=name)
        case 3:
            return t("the third {weekday}", weekday=name)
        case 4:
            return t("the fourth {weekday}", weekday=name)
    return t("the last {weekday}", weekday=name)


def rhythm(ctx: Context, of: Schedule) -> Say:
    """A schedule with its next date; where that is a holiday, that nobody is asked there."""
    rule = read_rule(of.rrule)
    said = how_often(rule, of.local_time) if rule else t("At {time}, their time.", time=of.local_time.strftime("%H:%M"))
    if of.paused:
        return lines(said, t("Paused: nobody is asked."))
    fire = of.recurrence.first(ctx.me.time_zone, ctx.now)
    if fire is None:
        return lines(said, t("It is over: there is no next date."))
    return lines(said, t("Next: {day}.", day=When(fire.at)), holidays(ctx, of, fire.date))


def holidays(ctx: Context, of: Schedule, day: date) -> Say | None:
    """Where a date is a holiday, so that nobody is asked there."""
    if of.on_holidays:
        return None
    calendar = ctx.programme.content.calendar.changed(ctx.store.holidays.changes(of.cohort_id))
    closed = [Country(code) for code in calendar.closed(day)]
    return t("That is a holiday in {countries}: nobody is asked there.", countries=listed(closed)) if closed else None

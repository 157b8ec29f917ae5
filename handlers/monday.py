"""The facilitator's Monday card: who answered, who is stuck and wants it known, who is silent, and how the bot is."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, lines, listed, t, tn
from bot.domain.checkins import week_of
from bot.domain.recurrence import Rule
from handlers import cards, dates, wording
from storage.outages import Outage
from storage.waves import Wave

router = Router()

SCHEDULE = "monday.card"
HOUR = time(9)
A_WEEK = timedelta(days=7)
A_PAGE = 10
MOST_OUTAGES = 3
JUST_NOW = timedelta(hours=1)
NO_BACKUP = t("No backup has been made by me yet.")


def begin(ctx: Context) -> None:
    """Every facilitator of the cohort gets the card from the next Monday on; made once."""
    if not ctx.store.recurring.of(ctx.me.cohort_id, SCHEDULE):
        rule = Rule("week", 1, (0,)).as_rrule()
        starts = week_of(cards.today(ctx)) + A_WEEK
        ctx.store.recurring.add(
            ctx.me.cohort_id, SCHEDULE, rule, HOUR, starts, ctx.now, role="facilitator", on_holidays=True
        )


@router.due(SCHEDULE)
def monday(ctx: Context) -> Reply:
    """Monday morning, in the facilitator's own time."""
    return card(ctx, ctx.occurrence.local_date) if ctx.occurrence is not None else None


@router.press("monday.open", role=Role.FACILITATOR)
def again(ctx: Context) -> Reply:
    """The card of this week again, as things stand now."""
    return card(ctx, week_of(cards.today(ctx)))


def _week(ctx: Context, day: date) -> tuple[datetime, datetime]:
    """The seven days before nine o'clock on a Monday, where the facilitator is."""
    zone = ZoneInfo(ctx.me.time_zone)
    return datetime.combine(day - A_WEEK, HOUR, tzinfo=zone), datetime.combine(day, HOUR, tzinfo=zone)


def card(ctx: Context, day: date) -> Card:
    """The week that ended, in sentences whose numbers come from one query."""
    since, until = _week(ctx, day)
    wave = ctx.store.waves.of_week(ctx.me.cohort_id, since, until)
    stuck = _names(ctx, ctx.store.waves.stuck(ctx.me.cohort_id, ctx.me.id))
    buttons = [Button(t("Check-ins"), "checkins.open")]
    if wave.silent:
        buttons.insert(0, Button(t("Who is silent"), "monday.silent", f"{day.isoformat()}:0"))
    text = lines(
        _answered(wave),
        t("Stuck and want you to know: {names}.", names=listed(stuck)) if stuck else None,
        _silent(wave),
        tn("{n} late answer came in.", "{n} late answers came in.", wave.late) if wave.late else None,
        *_bot(ctx, since),
        NO_BACKUP,
    )
    return Card(text, title=t("The week before {day}", day=When(cards.noon(ctx, day))), buttons=tuple(buttons))


def _answered(wave: Wave) -> Say:
    if wave.asked == 0:
        return t("No question closed in this week.")
    said = tn("{answered} of {n} answered.", "{answered} of {n} answered.", wave.asked, answered=wave.answered)
    return lines(said, tn("{n} skipped.", "{n} skipped.", wave.skipped)) if wave.skipped else said


def _silent(wave: Wave) -> Say | None:
    if wave.silent == 0:
        return None
    if wave.silent_twice == 0:
        return t("Silent: {n}.", n=wave.silent)
    return t("Silent: {n}, {twice} of them twice.", n=wave.silent, twice=wave.silent_twice)


def _names(ctx: Context, numbers: Sequence[int]) -> list[Say]:
    return [wording.name(one) for one in ctx.people.profiles(numbers)]


def _bot(ctx: Context, since: datetime) -> list[Say]:
    """How the bot is: well, or in trouble with an app; when it was away, and what came of that."""
    troubles: list[Say] = [
        t("Bot: in trouble with {platform} since {moment}. What waits there is not lost.",
          platform=platform.capitalize(), moment=When(of.since, "moment"))
        for platform, of in ctx.store.troubles.now().items()
    ]  # fmt: skip
    outages = _joined(ctx.store.outages.since(since))
    return [*(troubles or ([] if outages else [t("Bot: well.")])), *(_was_away(ctx, outages, since) if outages else ())]


def _was_away(ctx: Context, outages: Sequence[Outage], since: datetime) -> list[Say]:
    late = ctx.store.waves.asked_late(ctx.me.cohort_id, dates.ASK, since.date())
    said = [_away(one) for one in outages[-MOST_OUTAGES:]]
    if len(outages) > MOST_OUTAGES:
        said.insert(0, t("Bot: I was away {n} times.", n=len(outages)))
    if ctx.now - outages[-1].ended_at < JUST_NOW:
        follows = tn("Nothing is lost, {n} late question follows.", "Nothing is lost, {n} late questions follow.", late)
        said.append(follows if late else t("Nothing is lost; what is late follows."))
    elif late:
        said.append(tn("Nothing is lost, {n} question came late.", "Nothing is lost, {n} questions came late.", late))
    else:
        said.append(t("Nothing is lost."))
    missed = {day for _, day in ctx.store.recurring.missed_since(ctx.me.cohort_id, since)}
    if missed:
        days = listed([When(cards.noon(ctx, day)) for day in sorted(missed)])
        said.append(t("Not asked any more, since a newer date came: {days}.", days=days))
    return said


def _joined(outages: Sequence[Outage]) -> list[Outage]:
    """Outages without a pause between them are one."""
    found: list[Outage] = []
    for one in outages:
        if found and one.began_at <= found[-1].ended_at:
            found[-1] = Outage(found[-1].began_at, one.ended_at)
        else:
            found.append(one)
    return found


def _away(of: Outage) -> Say:
    return t(
        "Bot: I was away from {began} to {ended}.", began=When(of.began_at, "moment"), ended=When(of.ended_at, "moment")
    )


@router.press("monday.silent", role=Role.FACILITATOR)
def silent(ctx: Context) -> Reply:
    """Who said nothing, for the facilitator alone: to be asked kindly, in person."""
    day, _, after = ctx.value.partition(":")
    since, until = _week(ctx, date.fromisoformat(day))
    found = ctx.store.waves.silent(ctx.me.cohort_id, since, until, after=int(after), limit=A_PAGE + 1)
    page = found[:A_PAGE]
    names = {one.id: wording.called(one) for one in ctx.people.profiles([number for number, _ in page])}
    said = [
        t("{name}, also the time before", name=names[number]) if twice else names[number]
        for number, twice in page
        if number in names
    ]
    buttons = [Button(t("Back"), "monday.open")]
    if len(found) > A_PAGE:
        buttons.insert(0, Button(t("More"), "monday.silent", f"{day}:{page[-1][0]}"))
    text = lines(*said) if said else t("Nobody was silent.")
    for_you = t("Facilitators alone see this list. A fellow gets one reminder from me, and no more.")
    return Card(lines(for_you, text, gap=True), buttons=tuple(buttons))

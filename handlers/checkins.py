"""Check-ins, for facilitators: set up, try, start, change from the next date on, pause, end, and read the answers."""

from datetime import datetime, timedelta

from bot.core import Button, Card, Context, Country, Reply, Role, Router, Say, When, lines, t, tn
from bot.core.replies import Text
from bot.domain.checkins import number_of, shape_of, turn
from bot.domain.recurrence import Recurrence
from handlers import answering, asking, cards, dates, monday, planning, wording
from handlers.rhythm import how_often, rhythm
from storage.checkins import Checkin

router = Router()

A_PAGE = 5
LEAST = 5  # answers, before counts are shown
COUNTED = timedelta(days=90)
STATES: dict[str, Say] = {
    "draft": t("not started"),
    "running": t("running"),
    "paused": t("paused"),
    "ended": t("ended"),
}
GONE = t("This check-in is no longer here. Nothing changed.")
BACK = Button(t("Check-ins"), "checkins.open")


@router.press("checkins.open", role=Role.FACILITATOR)
def listed(ctx: Context) -> Reply:
    """The check-ins, the newest first."""
    before = int(ctx.value) if ctx.value.isdecimal() else None
    found = ctx.store.checkins.listed(ctx.me.cohort_id, before=before, limit=A_PAGE + 1)
    page = found[:A_PAGE]
    new = (
        Button(t("New"), "checkins.new", style="primary"),
        Button(t("The usual: every second Monday"), "checkins.usual"),
        Button(t("Holidays"), "holidays.open"),
    )
    if not page:
        return Card(
            t("There is no check-in yet. The usual one asks a question of the library every second Monday."),
            buttons=new,
        )
    said = [
        t("{number}: {what} ({state})", number=str(one.id), what=_what(one), state=STATES[one.state]) for one in page
    ]
    buttons = [Button(t("Open {number}", number=str(one.id)), "checkins.card", str(one.id)) for one in page]
    if len(found) > A_PAGE:
        buttons.append(Button(t("More"), "checkins.open", str(page[-1].id)))
    return Card(lines(*said), title=t("Check-ins"), buttons=(*buttons, *new))


def _what(of: Checkin) -> Say:
    if of.words is None:
        return t("questions of the library, in turn")
    return f"“{of.words if len(of.words) <= 80 else of.words[:79] + '…'}”"


@router.press("checkins.new", role=Role.FACILITATOR)
def new(ctx: Context) -> Reply:
    """From the beginning, one question at a time."""
    return planning.SET_UP.begin()


@router.press("checkins.usual", role=Role.FACILITATOR)
def usual(ctx: Context) -> Reply:
    """Everything as the programme suggests; nothing starts yet."""
    return _preview(ctx, ctx.store.checkins.add(ctx.me.cohort_id, ctx.me.id, ctx.now, **planning.usual()))


@router.form(planning.SET_UP, role=Role.FACILITATOR)
def set_up(ctx: Context) -> Reply:
    """A draft, or a change of one that is here."""
    if "checkin" in ctx.about:
        return _changed(ctx, int(ctx.about["checkin"]))
    number = ctx.store.checkins.add(ctx.me.cohort_id, ctx.me.id, ctx.now, **planning.as_columns(ctx))
    return _preview(ctx, number)


def _mine(ctx: Context, number: str | int | None = None) -> Checkin | None:
    """A check-in of my cohort."""
    found = ctx.store.checkins.get(int(number if number is not None else ctx.value.partition(":")[0]))
    return found if found is not None and found.cohort_id == ctx.me.cohort_id else None


def _facts(ctx: Context, of: Checkin) -> tuple[tuple[Say, Say], ...]:
    people = tn("{n} fellow", "{n} fellows", ctx.store.checkins.reached(of.cohort_id, of.audience))
    return (
        (t("Question"), _what(of)),
        (
            t("For"),
            t("{audience}: {people}", audience=_audience(ctx, of), people=people),
        ),
        (t("How often"), _often(ctx, of)),
        (t("Who reads the answers"), _readers(ctx, of)),
        (t("State"), STATES[of.state]),
    )


def _audience(ctx: Context, of: Checkin) -> Say:
    kind, key = of.audience.get("kind"), of.audience.get("key")
    if kind == "coalition":
        return wording.coalition(ctx, str(key))
    if kind == "team":
        of_team = ctx.people.projects.for_facilitators(int(key or 0))
        return t("the team of “{title}”, one answer for all", title=(of_team.title if of_team else None) or "")
    return Country(str(key)) if kind == "country" else t("everybody")


def _often(ctx: Context, of: Checkin) -> Say:
    """The rhythm in words, and the next date."""
    schedule = ctx.store.recurring.get(of.schedule_id) if of.schedule_id is not None else None
    if schedule is not None and of.state != "ended":
        return rhythm(ctx, schedule)
    said = how_often(planning.rule_of(of), planning.time_of(of))
    following = _following(ctx, of)
    return lines(said, t("First: {day}.", day=When(following))) if following is not None else said


def _following(ctx: Context, of: Checkin) -> datetime | None:
    schedule = ctx.store.recurring.get(of.schedule_id) if of.schedule_id is not None else None
    if schedule is not None and not schedule.paused:
        fire = schedule.recurrence.first(ctx.me.time_zone, ctx.now)
        return fire.at if fire else None
    if of.state != "draft":
        return None
    rule = Recurrence(str(of.rhythm["rrule"]), planning.time_of(of), planning.starts(ctx, of))
    fire = rule.first(ctx.me.time_zone, ctx.now)
    return fire.at if fire else None


def _readers(ctx: Context, of: Checkin) -> Say:
    if of.readers == asking.LIBRARY:
        return t("as each question says; most are for the fellow alone")
    return answering.reads(ctx, of.readers, of.maker_id)


def _preview(ctx: Context, number: int) -> Card:
    """What will happen, before anything does."""
    of = _mine(ctx, number)
    assert of is not None
    value = str(number)
    buttons = (
        Button(t("Start it"), "checkins.start", value, "primary"),
        Button(t("Send me a test"), "checkins.test", value),
        Button(t("Change"), "checkins.change", value),
        Button(t("Discard"), "checkins.discard", value),
    )
    text = lines(
        t("This is how it would be. Nothing is sent before you press Start it."),
        t("A fellow gets one card a week at most: a second question waits on the card that is there, or for the next."),
    )
    return Card(text, title=t("New check-in"), fields=_facts(ctx, of), buttons=buttons)


@router.press("checkins.discard", role=Role.FACILITATOR)
def discard(ctx: Context) -> Reply:
    """Forget a draft."""
    of = _mine(ctx)
    if of is None or of.state != "draft":
        return GONE
    ctx.store.checkins.drop(of.id)
    return Card(t("Discarded. Nothing was sent."), buttons=(BACK,))


@router.press("checkins.start", role=Role.FACILITATOR)
def start(ctx: Context) -> Reply:
    """From its first date on it asks."""
    of = _mine(ctx)
    if of is None:
        return GONE
    if of.state != "draft":
        return _card(ctx, of, t("It was started already. Nothing changed."))
    begins = planning.starts(ctx, of)
    schedule = ctx.store.recurring.add(
        of.cohort_id, dates.ASK, str(of.rhythm["rrule"]), planning.time_of(of), begins, ctx.now,
        object=of.id, role="fellow", purpose="questions",
    )  # fmt: skip
    ctx.store.checkins.settle(of.id, state="running", schedule_id=schedule, first_on=begins.isoformat())
    monday.begin(ctx)
    return _again(ctx, of.id, t("Started. To stop it again, press Pause it or End it."))


def _again(ctx: Context, number: int, before: Say) -> Reply:
    of = _mine(ctx, number)
    return GONE if of is None else _card(ctx, of, before)


@router.press("checkins.card", role=Role.FACILITATOR)
def card(ctx: Context) -> Reply:
    """One check-in."""
    of = _mine(ctx)
    return Card(GONE, buttons=(BACK,)) if of is None else _card(ctx, of)


def _card(ctx: Context, of: Checkin, before: Say | None = None) -> Card:
    value = str(of.id)
    if of.state == "draft":
        return _preview(ctx, of.id)
    end_it = Button(t("End it"), "checkins.end", value)
    actions = {
        "running": (Button(t("Pause it"), "checkins.pause", value), end_it),
        "paused": (Button(t("Resume it"), "checkins.resume", value, "primary"), end_it),
    }.get(of.state, ())
    change = (Button(t("Change"), "checkins.change", value),) if of.state != "ended" else ()
    buttons = (
        Button(t("Answers"), "checkins.answers", value),
        *change,
        Button(t("Send me a test"), "checkins.test", value),
        *actions,
        BACK,
    )
    return Card(before or t("Check-in {number}", number=value), fields=_facts(ctx, of), buttons=buttons)


@router.press("checkins.change", role=Role.FACILITATOR)
def change(ctx: Context) -> Reply:
    """Which part? What is changed holds from the next date on."""
    of = _mine(ctx)
    if of is None or of.state == "ended":
        return GONE
    parts: dict[str, Say] = {
        "question": t("The question"),
        "audience": t("Who is asked"),
        "rhythm": t("How often"),
        "readers": t("Who reads the answers"),
    }
    buttons = [Button(label, "checkins.part", f"{of.id}:{part}") for part, label in parts.items()]
    text = t("What shall change? It holds from the next date on; what was asked stays as it was asked.")
    return Card(text, buttons=(*buttons, Button(t("Back"), "checkins.card", str(of.id))))


@router.press("checkins.part", role=Role.FACILITATOR)
def change_part(ctx: Context) -> Reply:
    """Ask for this part alone."""
    of = _mine(ctx)
    if of is None or of.state == "ended":
        return GONE
    part = ctx.value.partition(":")[2]
    return planning.SET_UP.begin({"checkin": of.id, "only": part, "own": of.words is not None})


def _changed(ctx: Context, number: int) -> Reply:
    """Keep it; the schedule follows when the rhythm changed."""
    of = _mine(ctx, number)
    if of is None or of.state == "ended":
        return GONE
    values = planning.as_columns(ctx)
    ctx.store.checkins.change(number, **values)
    of = _mine(ctx, number)
    assert of is not None
    if of.state == "draft":
        return _preview(ctx, number)
    if "rhythm" in values and of.schedule_id is not None:
        begins = planning.starts(ctx, of)
        ctx.store.recurring.change(
            of.schedule_id, rrule=str(of.rhythm["rrule"]), local_time=planning.time_of(of), starts=begins
        )
        ctx.store.checkins.settle(number, first_on=begins.isoformat())
    following = _following(ctx, of)
    day: Say = When(following) if following is not None else t("the next date")
    said = t("Changed, from {day} on. What was asked before stays as it was asked. To change it back: Change.", day=day)
    return _again(ctx, number, said)


@router.press("checkins.pause", role=Role.FACILITATOR)
def pause(ctx: Context) -> Reply:
    """It asks nobody until it is resumed."""
    return _to(ctx, "running", "paused", t("Paused: from now on it asks nobody. To bring it back: Resume it."))


@router.press("checkins.resume", role=Role.FACILITATOR)
def resume(ctx: Context) -> Reply:
    """It goes on with its next date."""
    return _to(ctx, "paused", "running", t("It goes on with its next date."))


@router.press("checkins.end", role=Role.FACILITATOR)
def ask_end(ctx: Context) -> Reply:
    """An end is an end: ask first."""
    of = _mine(ctx)
    if of is None or of.state not in ("running", "paused"):
        return GONE
    value = str(of.id)
    text = lines(
        t("End this check-in? It asks nobody any more, and cannot be resumed. The answers stay."),
        t("For a while only, press Pause it instead."),
    )
    buttons = [Button(t("Yes, end it"), "checkins.ended", value, "danger")]
    if of.state == "running":
        buttons.append(Button(t("Pause it"), "checkins.pause", value))
    return Card(text, buttons=(*buttons, Button(t("No"), "checkins.card", value)))


@router.press("checkins.ended", role=Role.FACILITATOR)
def end(ctx: Context) -> Reply:
    """Over; the answers stay."""
    of = _mine(ctx)
    if of is None:
        return GONE
    return _to(ctx, of.state, "ended", t("Ended. The answers stay readable as they were said to be."))


def _to(ctx: Context, of_state: str, state: str, said: Text) -> Reply:
    of = _mine(ctx)
    if of is None:
        return GONE
    if of.state != of_state or of.state not in ("running", "paused"):
        return _card(ctx, of, t("Nothing changed."))
    ctx.store.checkins.settle(of.id, state=state)
    if of.schedule_id is not None:
        if state == "running":
            ctx.store.recurring.resume(of.schedule_id)
        else:
            ctx.store.recurring.pause(of.schedule_id)
    return _again(ctx, of.id, said)


@router.press("checkins.test", role=Role.FACILITATOR)
def test(ctx: Context) -> Reply:
    """What a fellow would get on the next date, to me alone; nothing is kept."""
    of = _mine(ctx)
    if of is None:
        return GONE
    ctx.message = None
    slug, answer, readers = "", of.answer, of.readers
    if of.words is None:
        today = cards.today(ctx)
        slug = turn(asking.rotation(ctx), number_of(dates.first_on(of, today), today, days=asking.days_of(of)))
        answer, readers = asking.shape_and_readers(ctx, of, slug)
    found = answering.choices_of(ctx, shape_of(answer), of.options)
    labels = [one.label for one in found] or [t("Answer")]
    buttons = [Button(label, "checkins.tested") for label in (*labels, t("Skip"), t("Later"))]
    text = lines(
        t("A test, for you alone:"),
        answering.text_of(ctx, slug, of.words),
        answering.reads(ctx, readers, of.maker_id),
        gap=True,
    )
    return Card(text, buttons=tuple(buttons))


@router.press("checkins.tested", role=Role.FACILITATOR)
def tested(ctx: Context) -> Reply:
    """A button of the test."""
    return t("That was the test. Nothing was kept.")


@router.press("checkins.answers", role=Role.FACILITATOR)
def answers(ctx: Context) -> Reply:
    """The answers that I may read, a page at a time, and counts where only counts are given."""
    of = _mine(ctx)
    if of is None:
        return GONE
    before = ctx.value.partition(":")[2]
    page = answering.answers_page(
        ctx, of.id, int(before) if before else None, "checkins.answers",
        Button(t("Back"), "checkins.card", str(of.id)),
    )  # fmt: skip
    private = t("Answers that are for the fellow alone are shown to nobody.")
    return Card(lines(None if before else _counts(ctx, of), page.text, private, gap=True), buttons=page.buttons)


def _counts(ctx: Context, of: Checkin) -> Say | None:
    """How often each choice was given in the last 90 days, from five answers on."""
    found = ctx.store.checkins.counted(of.cohort_id, of.id, ctx.now - COUNTED, least=LEAST)
    if not found:
        return None
    by_slug: dict[str, list[Say]] = {}
    for slug, choice, n in found:
        by_slug.setdefault(slug, []).append(t("{choice}: {n}", choice=answering.LABELS.get(choice, choice), n=n))
    said = [
        lines(answering.text_of(ctx, slug, of.words if not slug else None), *counts) for slug, counts in by_slug.items()
    ]
    return lines(*said, gap=True)

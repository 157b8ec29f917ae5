"""Stuck: what holds a milestone up, who could help, by when; private until one tells a facilitator or asks others."""

from collections.abc import Sequence
from datetime import date

from bot.core import Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, lines, t
from handlers import asks, progress, project, wording
from handlers.help import offered, press
from handlers.me import short
from handlers.milestones import check_day, note
from handlers.project_card import back_to, day, gone, mine, my_milestone, number, short_title, show
from storage.milestones import STUCK, UNSTUCK, Update

router = Router()


def _open(ctx: Context) -> Sequence[Choice]:
    some = progress.open_ones(ctx.store.milestones.of(number(str(ctx.about["project"]))))
    return [Choice(str(one.id), short_title(one.title)) for one in some]


def _has_several(ctx: Context) -> bool:
    return len(_open(ctx)) > 1 and "milestone" not in ctx.about


STUCK_FORM = Form(
    name="stuck.words",
    title=t("Stuck"),
    fields=(
        Field(key="milestone", question=t("Where are you stuck?"), kind="choice", choices=_open, when=_has_several),
        Field(
            key="words",
            question=t("What exactly is in the way? Only what somebody else could move. No tender secrets, please."),
            check=short(400),
        ),
        Field(key="who", question=t("Who could help?"), optional=True, check=short(200)),
        Field(key="day", question=t("By when do you need it? For example: 15 March"), optional=True, check=check_day),
    ),
)


@router.word("stuck", role=Role.MEMBER)
def typed(ctx: Context) -> Reply:
    """The button of that name, where one was just shown; else with what: a project, the promise, or anything."""
    meant = offered(ctx, "stuck")
    if len(meant) == 1:
        return press(ctx, meant[0])
    found = [Button(short_title(of.title, 60), "stuck.open", str(of.id)) for of in project.all_of(ctx) if of.is_open]
    promise = ctx.store.cards.promise(ctx.me.id)
    if promise is not None:
        found.append(Button(t("With my promise"), "promises.stuck", str(promise.id)))
    if len(found) == 1:
        ctx.value = found[0].value
        return ctx.engine.router.presses[found[0].action].handler(ctx)
    others = (Button(t("Ask the others"), "asks.new"), Button(t("Talk to a human"), "help.human"))
    if found:
        return Card(t("Where are you stuck?"), buttons=(*found, *others))
    return Card(t("You are not alone with it. Who shall hear what is in the way?"), buttons=others)


@router.press("stuck.open", role=Role.MEMBER)
def stuck(ctx: Context) -> Reply:
    """Ask what is in the way."""
    of = mine(ctx, ctx.value)
    if of is None or not of.is_open:
        return gone()
    some = progress.open_ones(ctx.store.milestones.of(of.id))
    if not some:
        add = Button(t("Add a milestone"), "milestones.add", str(of.id), "primary")
        return show(ctx, of.id, t("Nothing is open here. Add the step at which you are stuck first."), add)
    return STUCK_FORM.begin(about={"project": of.id, **({"milestone": some[0].id} if len(some) == 1 else {})})


@router.press("stuck.milestone", role=Role.MEMBER)
def stuck_milestone(ctx: Context) -> Reply:
    """The same, from a milestone."""
    found = my_milestone(ctx, ctx.value)
    return STUCK_FORM.begin(about={"project": found[0].id, "milestone": found[1].id}) if found else gone()


@router.form(STUCK_FORM, role=Role.MEMBER)
def written(ctx: Context) -> Reply:
    """Flagged at once; the words stay with the team until one decides."""
    named = ctx.about.get("milestone") or ctx.answers.get("milestone") or next((c.value for c in _open(ctx)), "0")
    found = my_milestone(ctx, str(named))
    if found is None:
        return gone()
    of, one = found
    due = ctx.answers.get("day")
    line = note(
        ctx,
        one,
        STUCK,
        words=ctx.answers["words"],
        who=ctx.answers.get("who"),
        day=date.fromisoformat(due) if due else None,
        told=False,
    )
    ctx.store.milestones.change(one.id, blocked=True)
    seen = t("That it is stuck, your team sees.") if of.is_shared else None
    said = lines(
        t("“{milestone}” is marked as stuck.", milestone=one.title),
        seen,
        t("Facilitators see only the mark, if they may see your project; your words they read when you tell them."),
        t("What shall I do with it?"),
    )
    buttons = (
        Button(t("Tell a facilitator"), "stuck.tell", str(line), "primary"),
        Button(t("Ask the others"), "stuck.ask", str(line)),
        Button(t("Keep it private"), "stuck.keep", str(line)),
        Button(t("No longer stuck"), "stuck.solved", str(one.id)),
    )
    return Card(said, buttons=buttons)


def _mine(ctx: Context) -> Update | None:
    found = ctx.store.milestones.update(number(ctx.value))
    return found if found is not None and found.member_id == ctx.me.id and found.kind == STUCK else None


@router.press("stuck.tell", role=Role.MEMBER)
def tell(ctx: Context) -> Reply:
    """Facilitators read the words from now on, and are told."""
    found = _mine(ctx)
    if found is None or mine(ctx, str(found.project_id)) is None:
        return gone()
    if found.told:
        return Card(t("Facilitators know already. Nothing changed."), buttons=(back_to(found.project_id),))
    ctx.store.milestones.share(found.id, ctx.me.id)
    told = 0
    for one in ctx.store.members.facilitators(ctx.me.cohort_id):
        if one != ctx.me.id and ctx.send(one, _notice(ctx, found), about=(ctx.me.id,), on_behalf=ctx.me.id):
            told += 1
    said = t("Told: the facilitators read your words from now on.") if told else t(
        "No facilitator can be reached now; your words wait in their list of projects."
    )  # fmt: skip
    return Card(said, buttons=(back_to(found.project_id),))


def _notice(ctx: Context, found: Update) -> Card:
    one = ctx.store.milestones.get(found.milestone_id or 0)
    who = wording.called(ctx.profile)
    said: list[Say | None] = [
        t("{who} is stuck and wants you to know: “{milestone}”", who=who, milestone=one.title if one else ""),
        t("In the way: {words}", words=found.words or ""),
        t("Who could help: {who}", who=found.who) if found.who else None,
        t("Needed by {day}", day=day(ctx, found.day)) if found.day else None,
    ]
    return Card(lines(*said), buttons=(Button(t("Look at the project"), "projects.card", str(found.project_id)),))


@router.press("stuck.ask", role=Role.MEMBER)
def ask(ctx: Context) -> Reply:
    """The others, in my own words: the preview comes below, and nothing is sent before its yes."""
    found = _mine(ctx)
    if found is None or not found.words or mine(ctx, str(found.project_id)) is None:
        return gone()
    ctx.message = None
    return asks.preview(ctx, {"text": found.words, "milestone": found.milestone_id})


@router.press("stuck.keep", role=Role.MEMBER)
def keep(ctx: Context) -> Reply:
    """Nothing leaves the team."""
    found = _mine(ctx)
    if found is None or found.told:
        return gone()
    said = t("Kept: nobody but you reads your words. You can tell a facilitator later.")
    of = mine(ctx, str(found.project_id))
    if of is not None and of.is_shared:
        said = t("Kept: nobody but your team reads your words. You can tell a facilitator later.")
    tell_ = Button(t("Tell a facilitator"), "stuck.tell", str(found.id))
    return Card(said, buttons=(tell_, back_to(found.project_id)))


@router.press("stuck.solved", role=Role.MEMBER)
def solved(ctx: Context) -> Reply:
    """The way is free again."""
    found = my_milestone(ctx, ctx.value)
    if found is None:
        return gone()
    of, one = found
    if not one.blocked:
        return show(ctx, of.id, t("Already saved. Nothing changed."))
    ctx.store.milestones.change(one.id, blocked=False)
    note(ctx, one, UNSTUCK)
    again = Button(t("Stuck again"), "stuck.milestone", str(one.id))
    return show(ctx, of.id, t("Good. “{milestone}” is no longer marked as stuck.", milestone=one.title), again)

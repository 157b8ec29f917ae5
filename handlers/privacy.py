"""Who sees me: three presets, single fields, myself in others' eyes, and which facilitators looked."""

from bot.core import Button, Card, Context, Reply, Role, Router, Say, When, lines, listed, t, tn
from bot.domain.profiles import FIELDS, Audience, Preset
from handlers import requests, wording
from storage.members import LIVE

router = Router()

NOT_AGREED = t("Nobody finds you: you did not agree to introductions.")
ON, OFF, NOW = "on", "off", "now"  # discreet on lock screens
ORDER = (Preset.HIDDEN, Preset.CAREFUL, Preset.OPEN)
PRESETS: dict[Preset, tuple[Say, Say]] = {
    Preset.CAREFUL: (
        t("Careful"),
        t("Careful: people of my coalitions see my name, country and topics; the rest is for people I met."),
    ),
    Preset.HIDDEN: (t("Hidden"), t("Hidden: only facilitators see me. I can still search, ask, and say yes or no.")),
    Preset.OPEN: (t("Open"), t("Open: everybody in the cohort sees my profile.")),
}
AUDIENCES: dict[Audience, Say] = {
    Audience.ME: t("only me"),
    Audience.FACILITATORS: t("facilitators"),
    Audience.MET: t("people I met"),
    Audience.COALITIONS: t("people of my coalitions"),
    Audience.COHORT: t("the whole cohort"),
}
LABELS: dict[str, Say] = {
    "name": t("Name"),
    "country": t("Country"),
    "topics": t("Topics"),
    "coalitions": t("Coalitions"),
    "sector": t("Sector"),
    "side": t("Side in tenders"),
    "organisation": t("Organisation"),
    "role_title": t("Role"),
    "languages": t("Languages"),
    "needs": t("Words of my needs"),
    "offers": t("Words of my offers"),
    "project": t("Project"),
    "native_name": t("Name in own script"),
    "time_zone": t("Time zone"),
}


@router.word("privacy", anytime=True, role=Role.MEMBER)
def privacy(ctx: Context) -> Reply:
    """What I keep, who sees it, for how long."""
    buttons = (
        Button(t("Who sees me"), "privacy.who"),
        Button(t("What I agreed to"), "consent.open"),
        Button(t("Keep us apart"), "apart.open"),
        Button(t("My data"), "mydata.open"),
        Button(t("Leave the bot"), "leaving.open"),
    )
    return Card(kept(ctx), buttons=buttons if ctx.me.state in LIVE else ())


def kept(ctx: Context) -> Say:
    """What is kept of somebody, who can read it, and for how long."""
    programme = ctx.programme
    return lines(
        t("What I keep: what you tell me about you and your work, your requests to meet, whom you met, your choices."),
        tn(
            "How long: texts that I sent, {n} day. The rest until you change it, or leave.",
            "How long: texts that I sent, {n} days. The rest until you change it, or leave.",
            programme.messages_days,
        ),
        t(
            "Who sees it: whom you allow. Facilitators see all but what you keep to yourself, and you see when they "
            "looked."
        ),
        t(
            "Who could read it technically: {operator}, who runs the server in {country}; the company of the app that "
            "you write in; in Slack also the owner of the workspace.",
            operator=programme.operator,
            country=wording.stored_in(ctx),
        ),
        gap=True,
    )


@router.word("visible", anytime=True, role=Role.MEMBER)
@router.press("privacy.who", role=Role.MEMBER)
def who_sees_me(ctx: Context) -> Reply:
    """The preset now, and the way to everything else; on the way in, what will be kept."""
    return _who(ctx) if ctx.me.state in LIVE else privacy(ctx)


def is_findable(ctx: Context) -> bool:
    """Did I agree to introductions? Without that no search finds me, whatever the settings say."""
    return ctx.me.is_facilitator or ctx.store.profiles.consents(ctx.me.id).get("introductions", False)


def why_unseen(ctx: Context) -> Say | None:
    """What I chose that keeps me out of every search; None when I am found as far as my settings say."""
    if not is_findable(ctx):
        return NOT_AGREED
    return t("You stay hidden, as you chose.") if ctx.me.preset == Preset.HIDDEN else None


def to_be_found(ctx: Context) -> tuple[Button, ...]:
    """The button that changes it, for somebody who did not agree to introductions."""
    if is_findable(ctx):
        return ()
    return (Button(t("Agree: {purpose}", purpose=t("Introductions")), "consent.yes", "introductions"),)


def _who(ctx: Context, before: Say | None = None, *more: Button) -> Card:
    now = Preset(ctx.me.preset)
    own = ctx.people.own_whole().own
    single = t("Your own setting holds for: {fields}.", fields=listed([LABELS[name] for name in own])) if own else None
    others = [preset for preset in (Preset.CAREFUL, Preset.HIDDEN, Preset.OPEN) if preset is not now]
    text = lines(
        before,
        None if is_findable(ctx) else NOT_AGREED,
        lines(t("Now:"), PRESETS[now][1], single),
        lines(t("You can choose:"), *(PRESETS[preset][1] for preset in others)),
        gap=True,
    )
    buttons = (
        *more,
        *to_be_found(ctx),
        *(Button(PRESETS[preset][0], "privacy.preset", preset.value) for preset in others),
        Button(t("See myself as"), "mirror.open"),
        Button(t("Each field"), "privacy.fields"),
        Button(t("Who looked"), "privacy.looked"),
        Button(t("Lock screen"), "privacy.discreet", NOW),
        Button(t("What I agreed to"), "consent.open"),
        Button(t("Back"), "me.open"),
    )
    return Card(text, buttons=buttons)


@router.press("privacy.preset", role=Role.MEMBER)
def choose_preset(ctx: Context) -> Reply:
    """Another preset, at once; what waits to name somebody who is seen less now is stopped."""
    before, after = Preset(ctx.me.preset), Preset(ctx.value)
    if before is after:
        return _who(ctx, t("Already so. Nothing changed."))
    ctx.store.members.change(ctx.me.id, preset=after.value)
    ctx.store.profiles.renew(ctx.me.id)
    narrower = ORDER.index(after) < ORDER.index(before)
    stopped = stop_queued(ctx) if narrower else None
    ctx.refresh()
    said = t("Changed from {before} to {after}, from now on.", before=PRESETS[before][0], after=PRESETS[after][0])
    seen = t("What others read of you before, they have read.") if narrower else None
    undo = Button(t("Back to {preset}", preset=PRESETS[before][0]), "privacy.preset", before.value)
    more = (undo, Button(t("See myself as"), "mirror.open"), Button(t("Who sees me"), "privacy.who"))
    unseen = None if is_findable(ctx) else NOT_AGREED
    return Card(lines(said, stopped, seen, unseen), buttons=(*more, *to_be_found(ctx)))


def stop_queued(ctx: Context) -> Say | None:
    """Nothing that has not left yet may name me; says what was stopped, if anything."""
    said = requests.stop_unsent(ctx)
    n = ctx.store.outbox.cancel_about(ctx.me.id, ctx.now)
    if n:
        said.append(
            tn(
                "{n} message that waited to be sent with your name was stopped.",
                "{n} messages that waited to be sent with your name were stopped.",
                n,
            )
        )
    return lines(*said) if said else None


@router.word("fields", role=Role.MEMBER)
@router.press("privacy.fields", role=Role.MEMBER)
def fields(ctx: Context) -> Reply:
    """Who sees each field now."""
    whole = ctx.people.own_whole()
    shown = tuple((LABELS[name], AUDIENCES[whole.audience(name)]) for name in FIELDS)
    buttons = tuple(Button(LABELS[name], "privacy.field", name) for name in FIELDS)
    ceiling = t("While you are hidden, nothing is wider than facilitators.") if ctx.me.preset == Preset.HIDDEN else None
    unseen = None if is_findable(ctx) else NOT_AGREED
    text = lines(t("Who sees each field now. Press one to change it."), ceiling, unseen)
    return Card(text, fields=shown, buttons=(*buttons, *to_be_found(ctx), Button(t("Back"), "privacy.who")))


@router.press("privacy.field", role=Role.MEMBER)
def field(ctx: Context) -> Reply:
    """The audiences that one field can have."""
    name = ctx.value
    whole = ctx.people.own_whole()
    buttons = [
        Button(AUDIENCES[audience], "privacy.set", f"{name}:{int(audience)}")
        for audience in Audience
        if audience is not whole.own.get(name)
    ]
    if name in whole.own:
        buttons.append(Button(t("As the preset says"), "privacy.set", f"{name}:"))
    text = t("{field}: seen by {who}.", field=LABELS[name], who=AUDIENCES[whole.audience(name)])
    return Card(text, buttons=(*buttons, Button(t("Back"), "privacy.fields")))


@router.press("privacy.set", role=Role.MEMBER)
def set_field(ctx: Context) -> Reply:
    """Another audience for one field, at once."""
    name, _, level = ctx.value.partition(":")
    whole = ctx.people.own_whole()
    before = whole.audience(name)
    own_before = whole.own.get(name)
    ctx.store.profiles.set_visibility(ctx.me.cohort_id, ctx.me.id, {name: Audience(int(level)) if level else None})
    ctx.refresh()
    after = ctx.people.own_whole().audience(name)
    stopped = stop_queued(ctx) if after < before else None
    text = lines(
        t("{field}: seen by {who}, from now on.", field=LABELS[name], who=AUDIENCES[after]),
        t("Before: {who}.", who=AUDIENCES[before]),
        stopped,
    )
    undo = Button(t("Undo"), "privacy.set", f"{name}:{'' if own_before is None else int(own_before)}")
    return Card(
        text, buttons=(undo, Button(t("Each field"), "privacy.fields"), Button(t("Who sees me"), "privacy.who"))
    )


@router.press("privacy.discreet", role=Role.MEMBER)
def discreet(ctx: Context) -> Reply:
    """What my telephone shows of a message before it is unlocked: the words, or only that there is one."""
    if ctx.value != NOW:
        ctx.store.members.change(ctx.me.id, discreet=ctx.value == ON)
        ctx.refresh()
    since = t("From now on.") if ctx.value != NOW else None
    if ctx.me.discreet:
        said = lines(
            t("Notifications say only “You have a message”: no name and no topic stands on your lock screen."),
            t("On Telegram the words of a message are hidden until you tap them."),
            since,
        )
        other = Button(t("Show the words"), "privacy.discreet", OFF)
    else:
        said = lines(t("Notifications show the beginning of a message, names and topics too."), since)
        other = Button(t("Be discreet"), "privacy.discreet", ON)
    return Card(said, buttons=(other, Button(t("Who sees me"), "privacy.who")))


@router.press("privacy.looked", role=Role.MEMBER)
def who_looked(ctx: Context) -> Reply:
    """Facilitators who opened my profile, newest first."""
    looks = [look for look in ctx.store.audit.looks_at(ctx.me.id) if look.actor_id != ctx.me.id]
    back = (Button(t("Back"), "privacy.who"),)
    if not looks:
        return Card(t("No facilitator has opened your profile. Looks of fellows are not kept at all."), buttons=back)
    said: list[Say] = []
    for look in looks:
        actor = ctx.people.profile(look.actor_id) if look.actor_id else None
        name: Say = wording.name(actor) if actor else t("A facilitator")
        said.append(t("{when}: {name}", when=When(look.at, "moment"), name=name))
    head = t("Facilitators who opened your profile, the newest first. Looks of fellows are not kept at all.")
    return Card(lines(head, lines(*said), gap=True), buttons=back)

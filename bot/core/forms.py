"""Forms: declared once, asked one question at a time or as a page, resumable after a restart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from bot.core.adapter import Page, PageField
from bot.core.cleaning import LONGEST_TEXT, clean_text
from bot.core.replies import Ask, Button, Card, Lines, Reply, Say, Text, lines, listed, t
from storage.dialogs import Dialog

if TYPE_CHECKING:
    from bot.core.context import Context

KEEPS = timedelta(days=14)
MOST_HINTS = 8
STEPS = ("back", "skip", "cancel", "done")  # words that only a question understands


class Wrong(Exception):
    """An answer that cannot be taken; `sentence` says what to do."""

    def __init__(self, sentence: Say) -> None:
        super().__init__("an answer was not understood")
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to a question."""

    value: str
    label: Say


Check = Callable[["Context", str], Any]
Choices = Callable[["Context"], Sequence[Choice]]
Question = Callable[["Context"], Say]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question. `check` returns the value to keep or raises Wrong; `when` says whether it is asked at all.

    With kind `choice` the text of a choice is accepted too; with `open` any other text goes to `check`.
    `people` are picked from a list that the platform has, where it opens pages; `check` gets their ids.
    """

    key: str
    question: Say | Question
    kind: Literal["text", "choice", "many", "people"] = "text"
    choices: Choices | tuple[Choice, ...] = ()
    open: bool = False
    optional: bool = False
    check: Check | None = None
    when: Callable[["Context"], bool] | None = None

    def offered(self, ctx: "Context") -> Sequence[Choice]:
        """The choices for this person."""
        return self.choices(ctx) if callable(self.choices) else self.choices

    def asked(self, ctx: "Context") -> Say:
        """The question for this person."""
        return self.question(ctx) if callable(self.question) else self.question


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Questions in order. `page` forms open as a modal where there are modals; `firm` ones cannot be cancelled.

    A word of the bot, typed alone, is obeyed while one waits that is not firm, and the question is asked again after
    it; a `gentle` one, which the bot began and not the person, waits in silence and takes its buttons' labels, too.
    `cancelled` says how things stand after a cancel, where "nothing was changed" would not tell it.
    """

    name: str
    title: Say
    fields: tuple[Field, ...]
    firm: bool = False
    page: bool = True
    gentle: bool = False
    keeps: timedelta = field(default=KEEPS)
    cancelled: "Callable[[Context], Reply] | None" = None

    def begin(self, about: dict[str, Any] | None = None, answers: dict[str, Any] | None = None) -> Ask:
        """What a handler returns to ask these questions."""
        return Ask(self.name, about or {}, answers or {})

    def applying(self, ctx: "Context") -> list[Field]:
        """The questions that this person is asked, given the answers so far."""
        return [one for one in self.fields if one.when is None or one.when(ctx)]


def begin(ctx: "Context", ask: Ask) -> tuple[Dialog, Card]:
    """Open a dialog at its first unanswered question; the card asks it."""
    form = ctx.form(ask.form)
    expires = ctx.now + form.keeps
    ctx.about, ctx.answers = dict(ask.about), dict(ask.answers)
    first = next((one for one in form.applying(ctx) if one.key not in ctx.answers), form.applying(ctx)[-1])
    number = ctx.store.dialogs.begin(ctx.me.id, form.name, ctx.about, ctx.answers, first.key, expires)
    dialog = Dialog(number, ctx.me.id, form.name, ctx.about, ctx.answers, first.key, 1, None, expires)
    return dialog, question(ctx, dialog)


def question(ctx: "Context", dialog: Dialog, before: Say | None = None) -> Card:
    """The card that asks the dialog's present question; `before` is a line above it."""
    form = ctx.form(dialog.form)
    ctx.about, ctx.answers = dict(dialog.about), {}
    counted = form.applying(ctx)  # what only an answer leads to has no number: the total stays what it was
    ctx.answers = dict(dialog.answers)
    asked = form.applying(ctx)
    present = _present(asked, dialog)
    text: Say = present.asked(ctx)
    if len(counted) > 1 and present in counted:
        text = t("{n} of {all}. {question}", n=counted.index(present) + 1, all=len(counted), question=text)
    buttons = _buttons(ctx, form, dialog, present, asked.index(present) + 1)
    return Card(lines(before, text) if before else text, buttons=tuple(buttons))


def _present(asked: Sequence[Field], dialog: Dialog) -> Field:
    return next((one for one in asked if one.key == dialog.field), asked[-1])


def _buttons(ctx: "Context", form: Form, dialog: Dialog, present: Field, place: int) -> list[Button]:
    stamp = f"{dialog.id}:{dialog.version}"
    chosen = dialog.answers.get(present.key, ()) if present.kind == "many" else ()
    found: list[Button] = []
    for choice in present.offered(ctx):
        ticked = choice.value in chosen
        label: Say = t("✓ {choice}", choice=choice.label) if ticked else choice.label
        found.append(Button(label, "form.choose", f"{stamp}:{choice.value}", "primary" if ticked else "plain"))
    if present.kind == "many":
        found.append(Button(t("Done"), "form.done", stamp, "primary"))
    if place > 1:
        found.append(Button(t("Back"), "form.back", stamp))
    if present.optional and present.kind != "many":
        found.append(Button(t("Skip"), "form.skip", stamp))
    if not form.firm:
        found.append(Button(t("Cancel"), "form.cancel", stamp))
    return found


def take_text(ctx: "Context", dialog: Dialog, text: str) -> Reply:
    """Plain text while a question waits: its answer, or a sentence that says what to do."""
    form = ctx.form(dialog.form)
    ctx.about, ctx.answers = dict(dialog.about), dict(dialog.answers)
    present = _present(form.applying(ctx), dialog)
    word = ctx.word_of(text)
    if word in STEPS:
        return take_step(ctx, dialog, word)
    try:
        value = read(ctx, present, text)
    except Wrong as wrong:
        return question(ctx, dialog, wrong.sentence)
    return _keep(ctx, dialog, present, value)


def read(ctx: "Context", asked: Field, text: str) -> Any:
    """The value of an answer, or Wrong with a sentence that says what to do."""
    if not text.strip():
        if asked.optional:
            raise Wrong(t("I got an empty message. Please type your answer, or press Skip."))
        raise Wrong(t("I got an empty message. Please type your answer."))
    if len(text) > LONGEST_TEXT:
        raise Wrong(
            t(
                "That is longer than I can keep ({n} characters). Nothing was saved yet. "
                "Please send a shorter version, or split it.",
                n=f"{LONGEST_TEXT:,}",
            )
        )
    if asked.kind in ("choice", "many"):
        named = [_match(ctx, asked, part) for part in (text.split(",") if asked.kind == "many" else [text])]
        values = [choice.value for choice in named if choice]
        if len(values) == len(named):
            return values if asked.kind == "many" else _checked(ctx, asked, values[0])
        if not asked.open:
            labels = listed([choice.label for choice in asked.offered(ctx)])
            raise Wrong(t("Please press one of the buttons, or type one of these: {choices}.", choices=labels))
    return _checked(ctx, asked, text.strip())


def _checked(ctx: "Context", asked: Field, text: str) -> Any:
    return asked.check(ctx, text) if asked.check else text


def _match(ctx: "Context", asked: Field, text: str) -> Choice | None:
    typed = text.strip().casefold()
    offered = asked.offered(ctx)
    if asked.open:  # where words of one's own are the answer, they stay as typed: "Bat" beside the button "Batbayar"
        offered = [choice for choice in offered if ctx.say(choice.label) != choice.value]
    for choice in offered:
        if typed in (choice.value.casefold(), ctx.say(choice.label).casefold()):
            return choice
    starts = [choice for choice in offered if len(typed) >= 3 and ctx.say(choice.label).casefold().startswith(typed)]
    return starts[0] if len(starts) == 1 else None


def take_choice(ctx: "Context", dialog: Dialog, value: str) -> Reply:
    """A press on one of the choices."""
    form = ctx.form(dialog.form)
    ctx.about, ctx.answers = dict(dialog.about), dict(dialog.answers)
    present = _present(form.applying(ctx), dialog)
    if value not in {choice.value for choice in present.offered(ctx)}:
        return question(ctx, dialog)
    if present.kind == "many":
        chosen = list(dialog.answers.get(present.key, ()))
        chosen = [one for one in chosen if one != value] if value in chosen else [*chosen, value]
        return _ask_again(ctx, dialog, {**dialog.answers, present.key: chosen}, present.key)
    try:
        return _keep(ctx, dialog, present, _checked(ctx, present, value))
    except Wrong as wrong:
        return question(ctx, dialog, wrong.sentence)


def take_step(ctx: "Context", dialog: Dialog, step: str) -> Reply:
    """Back, skip, done or cancel: a press, or the word typed."""
    form = ctx.form(dialog.form)
    ctx.about, ctx.answers = dict(dialog.about), dict(dialog.answers)
    asked = form.applying(ctx)
    present = _present(asked, dialog)
    place = asked.index(present)
    if step == "cancel":
        if form.firm:
            return question(ctx, dialog, t("This one question is needed. You can also type leave."))
        parked = ctx.store.dialogs.end(dialog)
        said = form.cancelled(ctx) if form.cancelled else t("Cancelled. Nothing was changed.")
        return _and_parked(ctx, said, parked)
    if step == "back":
        previous = asked[max(0, place - 1)]
        kept = previous.kind == "many"  # what was ticked stays ticked
        answers = {key: value for key, value in dialog.answers.items() if kept or key != previous.key}
        return _ask_again(ctx, dialog, answers, previous.key)
    if step == "done" and present.kind == "many":
        chosen = list(dialog.answers.get(present.key, ()))
        if not chosen and not present.optional:
            return question(ctx, dialog, t("Please choose at least one, then press Done."))
        return _keep(ctx, dialog, present, chosen)
    if step == "skip" and present.optional:
        return _keep(ctx, dialog, present, [] if present.kind == "many" else None)
    return question(ctx, dialog, t("This question cannot be skipped."))


def _keep(ctx: "Context", dialog: Dialog, present: Field, value: Any) -> Reply:
    answers = {**dialog.answers, present.key: value}
    ctx.answers = answers
    asked = ctx.form(dialog.form).applying(ctx)
    place = next((at for at, one in enumerate(asked) if one.key == present.key), -1)
    following = next((one for one in asked[place + 1 :] if one.key not in answers), None)
    if following is not None:
        return _ask_again(ctx, dialog, answers, following.key)
    parked = ctx.store.dialogs.end(dialog)
    ctx.about = dict(dialog.about)
    return _and_parked(ctx, ctx.finish(dialog.form), parked)


def _and_parked(ctx: "Context", reply: Reply, parked: Dialog | None) -> Reply:
    if parked is not None and not isinstance(reply, Ask):
        ctx.after(lambda: question(ctx, parked, t("Now back to the earlier question.")))
    return reply


def _ask_again(ctx: "Context", dialog: Dialog, answers: dict[str, Any], key: str) -> Card:
    expires = ctx.now + ctx.form(dialog.form).keeps
    if not ctx.store.dialogs.move(dialog, answers, key, question=None, expires_at=expires):
        return Card(t("That was an earlier question."))
    moved = replace(dialog, answers=answers, field=key, version=dialog.version + 1, expires_at=expires)
    return question(ctx, moved)


def page(ctx: "Context", dialog: Dialog) -> Page:
    """The whole form as one page, for platforms with modals."""
    form = ctx.form(dialog.form)
    ctx.about, ctx.answers = dict(dialog.about), dict(dialog.answers)
    fields = tuple(_page_field(ctx, dialog, one) for one in form.applying(ctx))
    return Page(
        dialog.id,
        dialog.version,
        ctx.say(form.title),
        fields,
        ctx.say(t("Send")),
        ctx.say(t("Cancel")),
        dialog.question,
    )


def _page_field(ctx: "Context", dialog: Dialog, one: Field) -> PageField:
    """A question on a page. One that takes other words than its choices is typed; the choices are a hint."""
    choices = one.offered(ctx)
    value = _typed(dialog.answers.get(one.key))
    if one.open:
        hint = ctx.say(listed([choice.label for choice in choices])) if 1 < len(choices) <= MOST_HINTS else None
        value = value or (ctx.say(choices[0].label) if len(choices) == 1 and not one.optional else "")
        return PageField(one.key, ctx.say(one.asked(ctx)), "text", (), one.optional, value, hint)
    shown = tuple((choice.value, ctx.say(choice.label)) for choice in choices)
    return PageField(one.key, ctx.say(one.asked(ctx)), one.kind, shown, one.optional, value)


def _typed(answer: Any) -> str:
    """An answer as it would be typed; several choices are joined by commas, what a check made is not shown again."""
    if isinstance(answer, list):
        return ",".join(map(str, answer))
    return answer if isinstance(answer, str) else ""


def take_page(ctx: "Context", dialog: Dialog, submitted: dict[str, str]) -> tuple[Reply, dict[str, str]]:
    """A submitted page: the form's reply, or the problems by field, in the reader's language.

    Questions that apply only now, because of an answer on the page, are asked one by one.
    """
    form = ctx.form(dialog.form)
    ctx.about, ctx.answers = dict(dialog.about), dict(dialog.answers)
    problems: dict[str, str] = {}
    answers: dict[str, Any] = dict(dialog.answers)
    for one in form.applying(ctx):
        if one.key not in submitted:
            continue
        text = clean_text(submitted[one.key])
        if one.optional and not text:
            answers[one.key] = [] if one.kind == "many" else None
            continue
        try:
            answers[one.key] = read(ctx, one, text)
        except Wrong as wrong:
            problems[one.key] = ctx.say(wrong.sentence)
    if problems:
        return None, problems
    ctx.answers = answers
    following = next((one for one in form.applying(ctx) if one.key not in answers), None)
    if following is not None:
        return _ask_again(ctx, dialog, answers, following.key), {}
    parked = ctx.store.dialogs.end(dialog)
    return _and_parked(ctx, ctx.finish(dialog.form), parked), {}


__all__ = ["Choice", "Field", "Form", "Lines", "Text", "Wrong"]

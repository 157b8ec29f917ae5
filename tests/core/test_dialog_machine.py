"""A question that waits survives whatever is pressed, typed and forgotten: one at a time, and no old answer counts."""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.core.ids import decode
from bot.core.replies import Content
from storage.dialogs import Dialog
from tests.chat import Chat
from tests.simulation.seeds import cohorts

DOORS = ("me", "help", "apart", "away", "human", "invite")
TEXTS = ("Ministry of Roads", "", "Manila", "English", "x" * 5000, "2 weeks", "back", "skip", "cancel", "done", "help")


class DialogMachine(RuleBasedStateMachine):
    """One newcomer with many forms, who keeps every button that ever stood on the screen."""

    def __init__(self) -> None:
        super().__init__()
        cohorts().lay(3, 0.0)
        cohorts().store.forget_wakes()
        self.chat = Chat(cohorts().store)
        self.chat.joins("Mirela", role="facilitator")
        self.sari = self.chat.newcomer("Sari")
        self.sari.says(f"/start {self.chat.invites()}")
        self.sari.presses("English")
        self.sari.presses("Agree")
        self.handles: list[str] = []

    @property
    def me(self) -> int:
        """Sari's number."""
        found = self.chat.store.now(lambda unit: unit.members.recognise("console", "test", "Sari"))
        return found[0].id if found else 0

    def waiting(self) -> Dialog | None:
        now, me = self.chat.clock.now(), self.me
        return self.chat.store.now(lambda unit: unit.dialogs.open_of(me, now))

    @rule(door=st.sampled_from(DOORS))
    def opens_something(self, door: str) -> None:
        self.sari.says(door)

    @rule(text=st.sampled_from(TEXTS))
    def types(self, text: str) -> None:
        self.sari.says(text)

    @rule(button=st.integers(0, 12))
    def presses_the_newest(self, button: int) -> None:
        shown = [handle for message in self.sari.screen[-1:] for _, handle in message.buttons]
        if shown:
            self.press(shown[button % len(shown)])

    @rule(back=st.integers(0, 60))
    def presses_an_older_one(self, back: int) -> None:
        """Any button that ever stood on the screen; an old question's changes nothing."""
        if not self.handles:
            return
        handle = self.handles[-1 - back % len(self.handles)]
        before, stamp = self.waiting(), self.stamp_of(handle)
        self.press(handle)
        if stamp is not None and before is not None and stamp != f"{before.id}:{before.version}":
            after = self.waiting()
            assert after is not None
            assert (after.id, after.version, after.answers) == (before.id, before.version, before.answers)

    def press(self, handle: str) -> None:
        self.chat.happens(self.sari.platform.presses(self.chat.count(), self.sari, handle))

    @invariant()
    def remembers_every_button(self) -> None:
        shown = [handle for message in self.sari.screen for _, handle in message.buttons]
        self.handles += [handle for handle in shown if handle not in self.handles]

    def stamp_of(self, handle: str) -> str | None:
        """The dialog and version that a button of a form carries."""
        key, _, n = handle.partition(".")
        row = self.chat.store.now(lambda unit: unit.outbox.by_key(decode(key) or b""))
        if row is None or not row.body:
            return None
        button = Content.from_json(row.body).buttons[int(n)]
        return ":".join(button.value.split(":")[:2]) if button.action.startswith("form.") else None

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        self.chat.clock.at += timedelta(days=days)
        self.chat.settles()

    @invariant()
    def one_question_waits_at_most(self) -> None:
        waits = "SELECT count(*) FROM dialog WHERE parked = 0 AND member_id = ?"
        assert cohorts().database.execute(waits, (self.me,)).fetchone()[0] <= 1

    @invariant()
    def nothing_goes_wrong(self) -> None:
        assert not any("Something went wrong" in text for text in self.sari.sees())


TestDialog = DialogMachine.TestCase
# Without shrinking: a conversation of twenty steps can be read, and making it shorter takes minutes.
TestDialog.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)

"""A question that waits survives whatever is pressed, typed and forgotten: one at a time, and no old answer counts."""

from datetime import timedelta

from hypothesis import HealthCheck, settings
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
    """One fellow with many forms, all of whose old buttons stay on the screen."""

    def __init__(self) -> None:
        super().__init__()
        cohorts().lay(3, 0.0)
        cohorts().store.forget_wakes()
        self.chat = Chat(cohorts().store)
        self.chat.joins("Mirela", role="facilitator")
        self.sari = self.chat.joins("Sari")
        self.heard = ""

    def waiting(self) -> Dialog | None:
        now = self.chat.clock.now()
        return self.chat.store.now(lambda unit: unit.dialogs.open_of(self.sari.member or 0, now))

    @rule(door=st.sampled_from(DOORS))
    def opens_something(self, door: str) -> None:
        self.sari.says(door)

    @rule(text=st.sampled_from(TEXTS))
    def types(self, text: str) -> None:
        self.heard = self.sari.says(text).toast or ""

    @rule(which=st.integers(0, 40), button=st.integers(0, 12))
    def presses_anything(self, which: int, button: int) -> None:
        """Any button of any message on the screen; an old question's changes nothing."""
        screens = [shown for shown in self.sari.screen if shown.buttons]
        if not screens:
            return
        shown = screens[-1 - which % len(screens)]
        _, handle = shown.buttons[button % len(shown.buttons)]
        before = self.waiting()
        stamp = self.stamp_of(handle)
        self.heard = self.chat.happens(self.sari.platform.presses(self.chat.count(), self.sari, handle)).toast or ""
        if stamp is not None and before is not None and stamp != f"{before.id}:{before.version}":
            after = self.waiting()
            assert after is not None
            assert (after.id, after.version, after.answers) == (before.id, before.version, before.answers)

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
        assert cohorts().database.execute(waits, (self.sari.member,)).fetchone()[0] <= 1

    @invariant()
    def nothing_goes_wrong(self) -> None:
        assert not any("Something went wrong" in text for text in self.sari.sees())


TestDialog = DialogMachine.TestCase
TestDialog.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

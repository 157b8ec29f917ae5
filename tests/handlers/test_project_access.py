"""No button, pointed at a project of somebody else, shows or changes anything of it."""

import json
from datetime import date

import pytest

from bot.domain.profiles import Audience
from tests.chat import Chat
from tests.handlers.test_projects import has, milestones
from tests.test_access import press

OTHERS = (
    "project.card", "project.words", "project.whom", "project.change", "milestones.list", "milestones.add",
    "milestones.open", "milestones.advance", "milestones.set", "milestones.date", "milestones.drop",
    "milestones.take_up", "milestones.remove", "milestones.undo", "updates.write", "updates.milestone", "updates.list",
    "updates.undo", "stuck.open", "stuck.milestone", "stuck.tell", "stuck.keep", "stuck.solved", "teams.card",
    "teams.look", "teams.looking", "teams.stop", "teams.own", "teams.leave", "teams.view", "project_end.go",
    "project_end.close", "project_end.keep", "project_end.take_back", "project_end.ask_erase", "project_end.erase",
    "project.reopen", "project.first", "project.undo", "project.unbegin", "overdue.leave", "team_joining.want",
    "team_joining.send", "team_joining.let_in", "team_joining.yes", "team_joining.look",
)  # fmt: skip


@pytest.mark.parametrize("chosen", range(0, len(OTHERS), 12))
def test_no_button_pointed_at_anothers_project_shows_or_changes_it(chat: Chat, chosen: int) -> None:
    sari = chat.joins("Sari")
    project = has(chat, sari, "Canarystep", due=date(2026, 12, 7))
    chat.store.now(lambda unit: unit.projects.change(project, title="Canaryproject", goal="Canarygoal"))
    step = milestones(chat, sari)[0].id
    assert sari.member is not None
    told = chat.store.now(
        lambda unit: unit.milestones.tell(
            chat.cohort, project, sari.member or 0, "stuck", chat.clock.now(), words="Canarywords", milestone_id=step,
            told=False,
        )
    )  # fmt: skip
    hidden = chat.store.now(
        lambda unit: unit.profiles.set_visibility(chat.cohort, sari.member or 0, {"project": Audience.ME})
    )
    assert hidden is None
    before = chat.store.now(
        lambda unit: (unit.projects.get(project), unit.milestones.get(step), unit.milestones.update(told))
    )
    curious = chat.joins("Curious")
    values = [str(project), str(step), str(told), f"{step}:not_started", f"{step}:complete", f"{project}:cohort",
              f"{project}:{curious.member}", f"{project}:0", json.dumps([project, "x", "2026-12-12"]),
              json.dumps([step, {"status": "complete"}]), json.dumps([project, "x", None])]  # fmt: skip
    for action in OTHERS[chosen : chosen + 12]:
        for value in values:
            press(chat, curious, action, value)
            curious.says("cancel")
    assert "Canary" not in "\n".join(curious.sees())
    after = chat.store.now(
        lambda unit: (unit.projects.get(project), unit.milestones.get(step), unit.milestones.update(told))
    )
    assert after == before
    sari.says("project")
    assert "Canaryproject" in sari.last

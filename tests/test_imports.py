"""Who may import whom: the contracts of pyproject.toml hold, and each of them is able to fail."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
PACKAGES = ("bot", "handlers", "storage")
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}

# A module that strays, and what it imports there, for each contract.
VIOLATIONS = {
    "layers": [
        ("bot/core/astray.py", "bot.adapters"),
        ("bot/core/astray.py", "handlers"),
        ("bot/domain/astray.py", "storage"),
        ("bot/adapters/astray.py", "handlers"),
        ("handlers/astray.py", "bot.adapters"),
        ("handlers/astray.py", "bot.app"),
        ("storage/astray.py", "bot.core"),
        ("bot/bootstrap.py", "bot.domain"),
    ],
    "storage": [("storage/astray.py", "bot.settings")],
    "content": [("bot/content/astray.py", "bot.settings")],
    "settings": [("handlers/astray.py", "bot.settings"), ("bot/core/astray.py", "bot.settings")],
    "domain": [("bot/domain/astray.py", "babel")],
    "sql": [("handlers/astray.py", "sqlalchemy"), ("bot/core/astray.py", "sqlite3")],
    "slack": [("bot/adapters/telegram/astray.py", "slack_sdk"), ("handlers/astray.py", "slack_bolt")],
    "telegram": [("bot/adapters/slack/astray.py", "telegram"), ("bot/core/astray.py", "telegram")],
    "charts": [("handlers/astray.py", "matplotlib.figure")],
    "calendar": [("handlers/astray.py", "icalendar")],
    "scheduler": [("bot/core/astray.py", "apscheduler.triggers.cron")],
    "figures": [("bot/core/astray.py", "prometheus_client")],
}
ALLOWED = [
    ("bot/adapters/slack/astray.py", "slack_sdk"),
    ("bot/adapters/telegram/astray.py", "telegram"),
    ("bot/core/scheduler.py", "apscheduler"),
    ("storage/astray.py", "sqlalchemy"),
    ("handlers/astray.py", "bot.core"),
]


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run(
        [*command, "--no-cache", "--no-logo", *options], cwd=folder, capture_output=True, text=True, timeout=60
    )


def copy_with(folder: Path, additions: list[tuple[str, str]]) -> None:
    shutil.copy(PROJECT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, folder / package, ignore=lambda _, names: {"__pycache__"} & set(names))
    for place, imported in additions:
        module = folder / place
        module.parent.mkdir(exist_ok=True)
        (module.parent / "__init__.py").touch()
        with module.open("a") as file:
            file.write(f"\nimport {imported}\n")


def test_every_contract_holds() -> None:
    done = lint(PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_has_a_violation_here() -> None:
    assert VIOLATIONS.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_contract_fails_for_a_module_that_strays(contract: str, tmp_path: Path) -> None:
    copy_with(tmp_path, VIOLATIONS[contract])
    done = lint(tmp_path, "--contract", contract)
    assert done.returncode == 1, done.stdout + done.stderr
    for place, imported in VIOLATIONS[contract]:
        strayed = place.removesuffix(".py").replace("/", ".")
        assert any(f"{strayed} -> {imported.partition('.')[0]}" in line for line in done.stdout.splitlines()), strayed


def test_the_contracts_let_each_module_have_what_is_its_own(tmp_path: Path) -> None:
    copy_with(tmp_path, ALLOWED)
    done = lint(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_of_bot_has_its_layer() -> None:
    layers = " ".join(CONTRACTS["layers"]["layers"])
    placed = {word.strip("()") for word in layers.split() if word.strip("()|:")}
    modules = {f"bot.{path.stem}" for path in (PROJECT / "bot").iterdir() if path.suffix == ".py" or has_code(path)}
    assert modules - {"bot.__init__"} <= placed


def test_domain_refuses_every_library_but_its_own() -> None:
    own = {"confusable-homoglyphs", "python-dateutil", "rapidfuzz", "rustworkx", "tzdata"}
    imported_as = {"python-telegram-bot": "telegram"}
    named = {line.split(">")[0].split("[")[0] for line in PYPROJECT["project"]["dependencies"]} - own
    expected = {imported_as.get(name, name).replace("-", "_") for name in named}
    assert expected <= set(CONTRACTS["domain"]["forbidden_modules"])


def has_code(folder: Path) -> bool:
    return any(folder.glob("*.py"))

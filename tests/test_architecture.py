"""ARCHITECTURE.md tells the truth: its tree is the tree, and each module says in one sentence what lives there."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ("bot", "handlers", "storage", "benchmarks")
TOP = {
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "benchmarks",
    "bot",
    "config.example.toml",
    "deploy",
    "handlers",
    "pyproject.toml",
    "requirements-test.lock",
    "requirements.lock",
    "storage",
    "tests",
}


def committed() -> list[Path]:
    """Every file of the project, as git knows it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not listed:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in listed.split("\0") if name]


def modules() -> list[Path]:
    """Every module of the program."""
    return sorted(
        path
        for folder in CODE
        for path in (ROOT / folder).rglob("*.py")
        if "versions" not in path.parts and "__pycache__" not in path.parts
    )


def drawn() -> set[str]:
    """Every path in the tree of ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = text.split("```tree\n", 1)[1].split("```", 1)[0]
    found: set[str] = set()
    folders: list[str] = []
    for line in block.splitlines():
        match = re.match(r"( *)(\S+)", line)
        if match is None:
            continue
        depth, name = len(match[1]) // 2, match[2]
        folders = folders[:depth]
        found.add("".join(folders) + name)
        if name.endswith("/"):
            folders.append(name)
    return found


def test_the_tree_in_architecture_md_is_the_tree() -> None:
    real = {str(path.relative_to(ROOT)) for path in modules()}
    told = {path for path in drawn() if path.endswith(".py")}
    assert told == real, {"not drawn": sorted(real - told), "not there": sorted(told - real)}


def test_the_top_level_is_the_one_agreed() -> None:
    here = {path.relative_to(ROOT).parts[0] for path in committed()}
    assert here <= TOP, here - TOP


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_lives_there(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "no docstring"


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > 50
    ]
    assert long == []


def test_nothing_names_a_registry_or_the_workplace() -> None:
    forbidden = re.compile(r"pypi\.org|pythonhosted|/work/(main|shared)|\.\./shared", re.IGNORECASE)
    here = Path(__file__).name
    told = [
        str(path.relative_to(ROOT))
        for path in committed()
        if path.is_file() and path.name != here and forbidden.search(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert told == []

"""The first run: one command makes the environment, mends it, and says what to do when it cannot."""

import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from bot import __main__ as command_line
from bot import bootstrap

PROJECT = Path(__file__).parent.parent
FIRST_FILES = ("bot/__init__.py", "bot/__main__.py", "bot/bootstrap.py")
VERB = """
import sys, sample, time
def main(args):
    print(sample.VERSION, sys.prefix, args.speak_as)
    if args.speak_as == "interrupt": raise KeyboardInterrupt
    if args.speak_as == "many": print("line\\n" * 100_000)
    return 3
"""
HAS_UV = shutil.which("uv") or (Path(sys.executable).parent / "uv").exists()


class Clone:
    """A fresh clone whose lock names one tiny package, from a folder instead of the network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder.with_name("wheels")  # a lock cannot name a folder with a space
        folder.mkdir(parents=True)
        self.wheels.mkdir()
        for file in FIRST_FILES:
            (folder / file).parent.mkdir(exist_ok=True)
            shutil.copy(PROJECT / file, folder / file)
        (folder / "bot" / "terminal.py").write_text(VERB)
        self.lock("1")

    def lock(self, version: str, hashed: str | None = None) -> None:
        wheel = self.wheels / f"sample-{version}-py3-none-any.whl"
        record = f"sample-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("sample.py", f"VERSION = 'sample {version}'\n")
            archive.writestr(f"{record}/METADATA", f"Metadata-Version: 2.1\nName: sample\nVersion: {version}\n")
            archive.writestr(f"{record}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(
                f"{record}/RECORD", f"sample.py,,\n{record}/METADATA,,\n{record}/WHEEL,,\n{record}/RECORD,,\n"
            )
        hashed = hashed or hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines = f"--no-index\n--find-links {self.wheels}\nsample=={version} --hash=sha256:{hashed}\n"
        (self.folder / "requirements.lock").write_text(lines)

    def surroundings(self, with_uv: bool = False) -> dict[str, str]:
        here = [str(Path(sys.executable).parent)] if with_uv and not shutil.which("uv") else []
        others = [part for part in os.environ["PATH"].split(":") if with_uv or not (Path(part) / "uv").exists()]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAWAN_", "PIP_", "UV_"))}
        return kept | {"PATH": ":".join(here + others)}

    def begin(self, *words: str, with_uv: bool = False) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "bot", *words],
            cwd=self.folder, env=self.surroundings(with_uv), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def start(self, *words: str, with_uv: bool = False) -> "subprocess.CompletedProcess[str]":
        with self.begin(*words, with_uv=with_uv) as process:
            out, said = process.communicate(timeout=100)
        assert "Traceback" not in said
        return subprocess.CompletedProcess(process.args, process.returncode, out, said)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "a clone")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = Clone(tmp_path_factory.mktemp("installed") / "clone")
    clone.start(with_uv=bool(HAS_UV))
    return clone


@pytest.mark.parametrize("with_uv", [False, True], ids=["pip", "uv"])
def test_the_first_start_sets_up_and_the_second_does_not(clone: Clone, with_uv: bool) -> None:
    if with_uv and not HAS_UV:
        pytest.skip("uv is not installed here")
    first = clone.start("chat", "--as", "Sekar Ayu", with_uv=with_uv)
    assert first.stderr == "Setting up, about half a minute, once...\n"
    assert first.stdout == f"sample 1 {clone.folder / '.venv'} Sekar Ayu\n"
    assert first.returncode == 3
    begun = time.monotonic()
    second = clone.start()
    assert (second.stderr, second.returncode) == ("", 3)
    assert time.monotonic() - begun < 2


def test_a_changed_lock_is_installed(installed: Clone) -> None:
    installed.lock("2")
    changed = installed.start(with_uv=bool(HAS_UV))
    assert changed.stdout.startswith("sample 2 ")
    assert installed.start().stderr == ""


@pytest.mark.long
def test_two_at_once_wait_for_each_other(clone: Clone) -> None:
    processes = [clone.begin() for _ in range(3)]
    results = [(*process.communicate(timeout=100), process.returncode) for process in processes]
    assert [code for _, _, code in results] == [3, 3, 3]
    said = "".join(error for _, error, _ in results)
    assert said.count("Setting up") == 1
    assert said.count("waiting for it") == 2


def test_a_set_up_that_was_killed_is_mended(clone: Clone) -> None:
    process = clone.begin()
    unfinished = clone.folder / ".venv" / "kawan-unfinished"
    while not unfinished.exists():
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (clone.folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    (clone.folder / ".venv" / "bin" / "rubble").touch()
    mended = clone.start(with_uv=bool(HAS_UV))
    assert "Setting up" in mended.stderr
    assert mended.returncode == 3
    assert not (clone.folder / ".venv" / "bin" / "rubble").exists()
    assert not unfinished.exists()


def test_an_environment_whose_python_went_away_is_made_again(installed: Clone) -> None:
    (installed.folder / ".venv" / "bin" / "python").unlink()
    assert installed.start(with_uv=bool(HAS_UV)).returncode == 3


def test_an_environment_for_another_python_is_made_again(installed: Clone) -> None:
    stamp = installed.folder / ".venv" / "kawan-requirements.lock.stamp"
    stamp.write_text(stamp.read_text().split()[0] + " 3.99\n")
    again = installed.start(with_uv=bool(HAS_UV))
    assert "Setting up" in again.stderr
    assert again.returncode == 3


@pytest.mark.long
def test_without_the_packages_there_is_a_sentence(clone: Clone) -> None:
    shutil.rmtree(clone.wheels)
    clone.wheels.mkdir()
    failed = clone.start()
    assert failed.returncode == 75
    assert "could not fetch the packages" in failed.stderr
    clone.lock("1")
    assert clone.start(with_uv=bool(HAS_UV)).returncode == 3


@pytest.mark.long
def test_a_package_that_is_not_the_one_locked_is_refused(clone: Clone) -> None:
    clone.lock("1", hashed="0" * 64)
    failed = clone.start()
    assert failed.returncode == 75
    assert "not the one the lock file names" in failed.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_nothing_may_be_written_there_is_a_sentence(clone: Clone) -> None:
    clone.folder.chmod(0o555)
    failed = clone.start()
    clone.folder.chmod(0o755)
    assert failed.returncode == 75
    assert "may not write" in failed.stderr


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("error: Failed to fetch\n Caused by: dns error: failed to lookup address", "could not fetch"),
        ("/usr/bin/python3: No module named ensurepip", "python3-venv"),
        ("one\ntwo", "last words of the installer:\n  one\n  two\n"),
    ],
)
def test_what_an_installer_says_becomes_advice(said: str, advice: str) -> None:
    assert advice in bootstrap.explain(said)


def test_an_old_python_is_told_how_to_get_a_newer_one(clone: Clone) -> None:
    code = "from bot import bootstrap, __main__; bootstrap.OLDEST = (3, 99); sys.exit(__main__.main(['chat']))"
    command = [sys.executable, "-c", "import sys; " + code]
    done = subprocess.run(command, cwd=clone.folder, env=clone.surroundings(), capture_output=True, text=True)
    assert done.returncode == 78
    assert done.stderr.startswith("Kawan needs Python 3.99 or newer, and this is 3.")
    assert "https://www.python.org/downloads/" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("file", FIRST_FILES)
def test_the_first_files_are_read_by_old_pythons(file: str) -> None:
    ast.parse((PROJECT / file).read_text(encoding="ascii"), feature_version=(3, 6))


def test_the_first_files_need_only_the_standard_library() -> None:
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import bot.__main__"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""


def test_a_reader_who_leaves_is_no_error(installed: Clone) -> None:
    with installed.begin("chat", "--as", "many", with_uv=bool(HAS_UV)) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in (said := process.stderr.read())
        assert "Exception" not in said


def test_an_interrupt_is_quiet(installed: Clone) -> None:
    done = installed.start("chat", "--as", "interrupt", with_uv=bool(HAS_UV))
    assert (done.returncode, done.stderr.replace("Setting up, about half a minute, once...\n", "")) == (130, "")


@pytest.mark.parametrize("verb", [verb.name for verb in command_line.VERBS])
def test_every_verb_has_help_before_anything_is_installed(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command_line.main([verb, "--help"])
    assert "--config FILE" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["rnu"], ["run", "fast"], ["--nonsense"], ["invite", "--role", "queen"]])
def test_words_that_are_not_understood_install_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command_line.main(words)
    assert "error" in capsys.readouterr().err


def test_config_may_stand_before_or_after_the_verb() -> None:
    for words in (["--config", "a.toml", "run"], ["run", "--config", "a.toml"]):
        args, verb = command_line.read_words(words)
        assert (str(args.config), verb.name) == ("a.toml", "run")
    assert command_line.read_words([])[1].name == "chat"
    assert command_line.read_words(["test", "tests/x.py", "-k", "y"])[0].rest == ["tests/x.py", "-k", "y"]


def test_the_locks_hold_what_pyproject_names_and_agree() -> None:
    pinned = re.compile(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)
    runtime, tests = (
        dict(pinned.findall((PROJECT / lock).read_text())) for lock in (bootstrap.RUNTIME, bootstrap.TESTS)
    )
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    name = re.compile(r"[\w-]+")
    wanted = {match[0].replace("_", "-") for text in project["dependencies"] if (match := name.match(text))}
    wanted_by_tests = {match[0] for text in project["optional-dependencies"]["test"] if (match := name.match(text))}
    assert wanted <= runtime.keys()
    assert wanted | wanted_by_tests <= tests.keys()
    assert runtime.items() <= tests.items()


@pytest.mark.parametrize("lock", [bootstrap.RUNTIME, bootstrap.TESTS])
def test_a_lock_names_no_place_and_hashes_everything(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links", text)
    for entry in re.split(r"\n(?=\w)", text):
        assert "--hash=sha256:" in entry, entry

"""The first run: makes `.venv` from the lock file and starts again inside it.

Only the standard library here, in words that Python 3.6 can read.
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from typing import Dict, Iterator, List, NoReturn, Tuple

EXIT_TRY_AGAIN = 75
EXIT_SETTINGS = 78
EXIT_INTERRUPTED = 130
EXIT_READER_GONE = 141

OLDEST = (3, 11)
PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVIRONMENT = os.path.join(PROJECT, ".venv")
PYTHON = os.path.join(ENVIRONMENT, "Scripts" if os.name == "nt" else "bin", "python")
UNFINISHED = os.path.join(ENVIRONMENT, "kawan-unfinished")
RUNTIME = "requirements.lock"
TESTS = "requirements-test.lock"  # holds everything of the other too, in the same versions

# What an installer says, in lower case, and what a person can do about it.
CAUSES: Tuple[Tuple[Tuple[str, ...], str], ...] = (
    (
        ("no space left", "errno 28", "os error 28", "disk quota", "not enough space"),
        "The disk is full. Free about 500 MB, then start again.",
    ),
    (
        ("do not match the hashes", "hash mismatch"),
        "A package came that is not the one the lock file names, so nothing of it was used. "
        "Start again from another network; if it stays, tell whoever gave you this copy.",
    ),
    (
        ("permission denied", "errno 13", "read-only file system"),
        "I may not write to " + ENVIRONMENT + ". Start as the owner of that folder.",
    ),
    (
        (
            *("connect", "timed out", "temporary failure", "name or service", "dns error", "unreachable"),
            *("proxyerror", "error sending request", "no matching distribution", "certificate"),
        ),
        "I could not fetch the packages. See that this computer reaches the internet "
        "(behind a proxy, set HTTPS_PROXY), then start again.",
    ),
    (
        ("no module named ensurepip", "no module named venv", "no module named pip"),
        "This Python cannot make environments. Install that part (Debian, Ubuntu: `apt install python3-venv`), "
        "then start again.",
    ),
)


class SetupError(Exception):
    """The environment cannot be made; the message says what to do, `code` is the exit code."""

    def __init__(self, sentence: str, code: int = EXIT_TRY_AGAIN) -> None:
        super().__init__(sentence)
        self.code = code


def ensure(words: List[str], for_tests: bool = False) -> None:
    """Return when the libraries are there; otherwise install them and start again, with the same words, inside `.venv`.

    A start that finds everything in place costs one read of the lock file. Raises SetupError.
    """
    if os.environ.get("KAWAN_NO_BOOTSTRAP") == "1":
        return
    lock = TESTS if for_tests else RUNTIME
    inside = os.path.realpath(sys.prefix) == os.path.realpath(ENVIRONMENT)
    if not is_ready(lock, inside):
        with only_one():
            if not is_ready(lock, inside):
                set_up(lock)
    elif inside:
        return
    if "kawan" in sys._xoptions and not inside:
        raise SetupError(f"{PYTHON} does not start inside its own folder. Delete {ENVIRONMENT}, then start again.")
    become([PYTHON, "-X", "kawan", "-m", "bot", *words])


def run_tests(args: argparse.Namespace) -> int:
    """Become pytest, with one worker more than cores: many tests wait. `args.rest` goes to it and has the last word."""
    command = [sys.executable, "-m", "pytest", "-n", str(cores() + 1)]
    if not args.all_tests:
        command += ["-m", "not long"]
    os.chdir(PROJECT)
    become(command + list(args.rest))


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def become(command: List[str]) -> NoReturn:
    """Go on as another program; where that does not exist (Windows), wait for it and end with its exit code."""
    environment = surroundings()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)


def surroundings() -> Dict[str, str]:
    """The environment variables, without those that would send Python or pip elsewhere."""
    astray = ("PYTHONHOME", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
    return {name: value for name, value in os.environ.items() if name not in astray}


def is_ready(lock: str, inside: bool) -> bool:
    """Whether the environment was finished from exactly this lock; asked inside, also whether for this Python."""
    try:
        with open(stamp_of(lock)) as file:
            stamped, python = file.read().split()
    except (OSError, ValueError):
        return False
    if os.path.exists(UNFINISHED) or not os.path.exists(PYTHON) or stamped != fingerprint(lock):
        return False
    return not inside or python == "{}.{}".format(*sys.version_info[:2])


def stamp_of(lock: str) -> str:
    """The file in the environment that says from which lock it was made, and for which Python."""
    return os.path.join(ENVIRONMENT, "kawan-" + lock + ".stamp")


def fingerprint(lock: str) -> str:
    """SHA-256 of a lock file."""
    with open(os.path.join(PROJECT, lock), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of setting up; a second start waits here for the first.

    Installers inherit the lock: if a start is killed, nobody else begins before its installer has ended too.
    """
    try:
        file = open(os.path.join(PROJECT, ".venv.lock"), "a")  # noqa: SIM115
    except OSError as error:
        raise SetupError(explain(f"{PROJECT}: {error}")) from None
    with file:
        if os.name == "nt":
            wait_on_windows(file.fileno())
        else:
            import fcntl

            os.set_inheritable(file.fileno(), True)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("Another start is setting up; waiting for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wait_on_windows(descriptor: int) -> None:
    """Lock a file there, where one attempt gives up after ten seconds."""
    import msvcrt

    while True:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
            return
        except OSError:
            continue


def say(sentence: str) -> None:
    """One line of progress, beside the standard output that a pipe may read."""
    print(sentence, file=sys.stderr)
    sys.stderr.flush()


def set_up(lock: str) -> None:
    """Make the environment, or mend it. Raises SetupError."""
    base = new_enough_python()
    say("Setting up, about half a minute, once...")
    try:
        # After an interrupted set-up nobody knows which files are whole.
        if os.path.exists(UNFINISHED) or version_of(PYTHON) < OLDEST or is_for_another_python():
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        os.makedirs(ENVIRONMENT, exist_ok=True)
        open(UNFINISHED, "w").close()
        if not os.path.exists(PYTHON):
            run([base, "-m", "venv", "--without-pip", ENVIRONMENT])
        install(base, os.path.join(PROJECT, lock))
        for done in (RUNTIME, TESTS) if lock == TESTS else (RUNTIME,):
            with open(stamp_of(done), "w") as file:
                file.write("{} {}.{}\n".format(fingerprint(done), *version_of(PYTHON)))
        os.remove(UNFINISHED)
    except OSError as error:
        raise SetupError(explain(str(error))) from None


def install(base: str, lock: str) -> None:
    """Everything a lock names, into the environment: with uv where there is one, else (or if it cannot) with pip."""
    exactly = ["--quiet", "--require-hashes", "--no-deps", "-r", lock]
    uv = shutil.which("uv")
    if uv:
        try:
            run([uv, "pip", "install", "--python", PYTHON, *exactly])
            return
        except SetupError:
            pass  # it does not read pip's own settings, where a company names its proxy or its index
    pip = [PYTHON, "-m", "pip"]
    if not answers(pip):
        try:
            run([PYTHON, "-m", "ensurepip", "--default-pip"])
        except SetupError:
            # Debian leaves ensurepip out, but the pip of the system can install elsewhere.
            if not answers([base, "-m", "pip"]):
                raise
            pip = [base, "-m", "pip", "--python", PYTHON]
    run([*pip, "install", "--disable-pip-version-check", "--no-compile", "--no-input", "--retries", "2", *exactly])


def run(command: List[str]) -> None:
    """Wait for an installer, in silence. Raises SetupError, with its last words if they say nothing we know."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=surroundings(),
        close_fds=os.name == "nt",  # the lock of `only_one` goes with it
    )
    if done.returncode:
        raise SetupError(explain(done.stdout.decode("utf-8", "replace")))


def answers(command: List[str]) -> bool:
    """Whether a program is there and starts."""
    try:
        return subprocess.call([*command, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def explain(trouble: str) -> str:
    """What happened and what to do, in a sentence or two."""
    lowered = trouble.lower()
    for signs, sentence in CAUSES:
        if any(sign in lowered for sign in signs):
            return sentence
    last = "\n".join("  " + line for line in trouble.strip().splitlines()[-6:])
    return f"Setting up did not work. The last words of the installer:\n{last}\nStart again to try once more."


def is_for_another_python() -> bool:
    """Whether the Python below was replaced since, so that the libraries are in a folder it does not read."""
    for lock in (RUNTIME, TESTS):
        try:
            with open(stamp_of(lock)) as file:
                if file.read().split()[1:] != ["{}.{}".format(*version_of(PYTHON))]:
                    return True
        except OSError:
            continue
    return False


def version_of(python: str) -> Tuple[int, int]:
    """Which Python a program is, as (3, 11); (0, 0) if it does not start."""
    try:
        said = subprocess.run(
            [python, "-I", "-c", "import sys; print('%d %d' % sys.version_info[:2])"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        major, minor = said.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError):
        return (0, 0)


def new_enough_python() -> str:
    """This Python, or a newer one on the search path. Raises SetupError if there is none."""
    if sys.version_info[:2] >= OLDEST:
        base = getattr(sys, "_base_executable", None)  # not the one inside `.venv`, which may be about to go
        return str(base or sys.executable)
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and version_of(found) >= OLDEST:
            return found
    here = "{}.{}".format(*sys.version_info[:2])
    needed = "{}.{}".format(*OLDEST)
    raise SetupError(
        f"Kawan needs Python {needed} or newer, and this is {here}. Get one at https://www.python.org/downloads/ "
        f"(Debian, Ubuntu: `apt install python{needed}-venv`), then start again with `python{needed} -m bot`.",
        EXIT_SETTINGS,
    )

"""The settings: the example holds every key, variables win, and every mistake has a sentence without the value."""

import os
import re
import subprocess
import sys
import tomllib
from datetime import time
from itertools import pairwise
from pathlib import Path

import pytest

from bot.settings import QuietHours, SettingsError, known_keys, load

PROJECT = Path(__file__).parent.parent
EXAMPLE = PROJECT / "config.example.toml"
CANARY = "canary7391"

# What a file holds, and what its sentence must say. No sentence may repeat CANARY.
BROKEN = {
    "a text without quotes": (f"[slack]\nbot_token = xoxb-{CANARY}\n", "line 2: I cannot read this"),
    "an open quote": (f'[slack]\nbot_token = "{CANARY}\n', "line 2: I cannot read this"),
    "no equals sign": (f"[slack]\n\nbot_token {CANARY}\n", "line 3: I cannot read this"),
    "no value": ("[bot]\nlog_level =\n", "line 2: I cannot read this"),
    "an open section": ("[bot\n", "line 1: I cannot read this"),
    "an open list": (f'[programme]\nemergency_contacts = ["{CANARY}",\n', "line 2: I cannot read this"),
    "a key twice": (f'[slack]\nbot_token = "{CANARY}"\nbot_token = "{CANARY}"\n', "line 3: this key or section stands"),
    "a section twice": ("[bot]\n[web]\n[bot]\n", "line 3: this key or section stands twice"),
    "a bad escape": (f'[bot]\ndata_dir = "C:\\{CANARY}"\n', "line 2: I cannot read this"),
    "deep brackets": ("[bot]\nx = " + "[" * 2000, "I cannot read this"),
    "not TOML but YAML": (f"slack:\n  bot_token: {CANARY}\n", "line 1: I cannot read this"),
    "not TOML but JSON": (f'{{"slack": {{"bot_token": "{CANARY}"}}}}\n', "line 1: I cannot read this"),
    "an unknown section": (
        f'[slak]\nbot_token = "{CANARY}"\n',
        "line 1, [slak]: there is no such section. Did you mean s",
    ),
    "an unknown key": (
        f'[slack]\nbot_tokn = "{CANARY}"\n',
        "line 2, [slack] bot_tokn: there is no such key. Did you mean",
    ),
    "a key like nothing": (
        f'[web]\nzzz = "{CANARY}"\n',
        "line 2, [web] zzz: there is no such key. config.example.toml",
    ),
    "a token as a key": (f'[slack]\nxoxb-{CANARY} = "x"\n', "line 2, [slack] a key: there is no such key"),
    "a key above the sections": (f'bot_token = "{CANARY}"\n', "line 1, [bot_token]: this stands above every section"),
    "a section as a key": (f'slack = "{CANARY}"\n', "line 1, [slack]: this is a section"),
    "a section as a list": (f'[[slack]]\nbot_token = "{CANARY}"\n', "[slack]: this is a section"),
    "a number for a text": ("[programme]\nname = 7391\n", "line 2, [programme] name: write a text"),
    "a list for a text": (f'[slack]\nbot_token = ["{CANARY}"]\n', "line 2, [slack] bot_token: write a text"),
    "a text for yes or no": (f'[slack]\nenabled = "{CANARY}"\n', "line 2, [slack] enabled: write true or false"),
    "yes for true": (f'[slack]\nenabled = "yes"\nbot_token = "{CANARY}"\n', "line 2, [slack] enabled: write true or f"),
    "one for true": ("[telegram]\nenabled = 1\n", "line 2, [telegram] enabled: write true or false"),
    "a token as a name": (
        f'[programme]\nname = "Us xoxb-{CANARY}"\n',
        "line 2, [programme] name: this looks like a token",
    ),
    "a token among contacts": (
        f'[programme]\nemergency_contacts = ["Legal aid", "4839574812:{CANARY * 3}"]\n',
        "line 2, [programme] emergency_contacts: this looks like a token",
    ),
    "a text for a number": (f'[web]\nport = "{CANARY}"\n', "line 2, [web] port: write a whole number"),
    "half a number": ("[programme]\nweekly_cap = 2.5\n", "line 2, [programme] weekly_cap: write a whole number"),
    "a port too high": ("[web]\nport = 99999\n", "line 2, [web] port: write 65535 or less"),
    "a port below": ("[web]\nport = -1\n", "line 2, [web] port: write 0 or more"),
    "texts kept too long": ("[programme]\nmessages_days = 31\n", "messages_days: write 30 or less"),
    "a zone that is a continent": (
        '[programme]\ndefault_time_zone = "Europe"\n',
        "there is no such time zone. Did you m",
    ),
    "a zone with a typo": ('[programme]\ndefault_time_zone = "Asia/Jakrta"\n', "Did you mean Asia/Jakarta?"),
    "a zone nobody lives in": ('[programme]\ndefault_time_zone = "Factory"\n', "there is no such time zone"),
    "a zone that is a path": (f'[programme]\ndefault_time_zone = "../{CANARY}"\n', "there is no such time zone"),
    "quiet hours as words": (
        f'[programme]\nquiet_hours = "{CANARY}"\n',
        'quiet_hours: write from when until when: "20:00',
    ),
    "quiet hours after midnight": ('[programme]\nquiet_hours = "20:00-25:00"\n', "quiet_hours: write from when"),
    "quiet hours of no length": ('[programme]\nquiet_hours = "20:00-20:00"\n', "quiet_hours: these two are the same"),
    "an unknown language": (f'[programme]\ndefault_language = "{CANARY}"\n', 'default_language: write "en", "id"'),
    "a country that is none": (
        '[programme]\nhost_country = "XX"\n',
        "line 2, [programme] host_country: no country has",
    ),
    "a country in full": (f'[programme]\nhost_country = "{CANARY}"\n', "host_country: write the two letters"),
    "another database": (f'[bot]\ndatabase_url = "mysql://me:{CANARY}@host/db"\n', "line 2, [bot] database_url: write"),
    "a database without a name": (f'[bot]\ndatabase_url = "postgresql://me:{CANARY}@host"\n', "database_url: write"),
    "a database with a bad port": (f'[bot]\ndatabase_url = "postgresql://me:{CANARY}@host:x/db"\n', "the port of this"),
    "a log level of its own": (f'[bot]\nlog_level = "{CANARY}"\n', 'log_level: write "DEBUG", "INFO"'),
    "a proxy without a scheme": (
        f'[bot]\nproxy = "{CANARY}:3128"\n',
        'line 2, [bot] proxy: write the address of a web proxy, as in "http://proxy.example:3128"',
    ),
    "an address with a space": (f'[slack]\napi_url = "https://{CANARY} .com"\n', "api_url: write a web address"),
    "an address with a bad port": (
        f'[bot]\nheartbeat_url = "https://x:{CANARY}/"\n',
        "heartbeat_url: write a web addr",
    ),
    "tokens changed over": (f'[slack]\nbot_token = "xapp-{CANARY}"\n', "bot_token: a bot token begins with xoxb-"),
    "a token of Telegram's cut": (f'[telegram]\ntoken = "{CANARY}"\n', "line 2, [telegram] token: a token is digits"),
    "Slack without a token": ("[slack]\n\nenabled = true\n", "line 1, [slack] bot_token: Slack is enabled without it"),
    "a socket without a token": (f'[slack]\nenabled = true\nbot_token = "xoxb-{CANARY}"\n', 'app_token: mode "socket"'),
    "a webhook without an address": (
        f'[telegram]\nenabled = true\nmode = "webhook"\ntoken = "12:{CANARY}"\n',
        'webhook_url: mode "webhook" needs it',
    ),
}
RAW = {
    "not UTF-8": (b'[bot]\nname = "\xff\xfe"\n', "line 2: this is not UTF-8 text"),
    "UTF-16": ("[bot]\n".encode("utf-16"), "line 1: this is not UTF-8 text"),
    "a binary file": (b"SQLite format 3\0" + bytes(100), "is not a text file"),
    "a huge file": (b"#" * 2_000_000, "is not a settings file"),
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("KAWAN_") and "__" in name]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(path: Path | None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_without_a_file_everything_is_at_its_default() -> None:
    settings = load()
    assert settings.bot.database_url.get_secret_value() == "sqlite:///kawan.db"
    assert settings.programme.quiet_hours == QuietHours(time(20), time(8))


def test_the_example_works_unchanged_and_is_the_defaults() -> None:
    assert load(EXAMPLE) == load()


def test_the_example_holds_every_key_and_no_other() -> None:
    example = tomllib.loads(EXAMPLE.read_text())
    assert {section: tuple(keys) for section, keys in example.items()} == known_keys()


def test_every_key_of_the_example_has_a_comment_above_it_or_above_its_neighbour() -> None:
    lines = EXAMPLE.read_text().splitlines()
    bare = [line for above, line in pairwise(lines) if "=" in line and not above.strip()]
    assert bare == []


def test_config_toml_is_found_without_being_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[web]\nport = 81\n")
    assert load().web.port == 81


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n\n", b"\xef\xbb\xbf[web]\r\nport = 81\r\n", b"[web]\rport = 81\r", b"# nothing\n"],
    ids=["empty", "blank", "BOM and CRLF", "old Mac", "only a comment"],
)
def test_files_as_editors_leave_them_are_read(raw: bytes, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(raw)
    assert load(file).web.port == (81 if b"81" in raw else 8080)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_gets_a_sentence(case: str, tmp_path: Path) -> None:
    text, expected = BROKEN[case]
    file = tmp_path / "config.toml"
    file.write_text(text)
    said = refused(file)
    assert expected in said
    assert said.startswith("config.toml")


@pytest.mark.parametrize("case", RAW)
def test_a_file_that_is_no_text_gets_a_sentence(case: str, tmp_path: Path) -> None:
    raw, expected = RAW[case]
    file = tmp_path / "config.toml"
    file.write_bytes(raw)
    assert expected in refused(file)


def test_a_file_that_is_not_there_or_no_file_gets_a_sentence(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "other.toml")
    assert "is a folder" in refused(tmp_path)
    assert "is not a settings file" in refused(Path("/dev/zero"))
    (tmp_path / "config.toml").symlink_to("nowhere")
    assert "does not exist" in refused(None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_gets_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.touch(0o000)
    assert "cannot be read" in refused(file)


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[web]\nport = -1\n[bot]\nlog_levle = 1\n")
    assert len(refused(file).splitlines()) == 2


def test_a_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[slack]\nbot_token = "xoxb-file"\nsigning_secret = "kept"\n')
    monkeypatch.setenv("KAWAN_SLACK__BOT_TOKEN", "xoxb-variable")
    monkeypatch.setenv("KAWAN_PROGRAMME__QUIET_HOURS", "21:00-06:30")
    monkeypatch.setenv("KAWAN_PROGRAMME__EMERGENCY_CONTACTS", "Legal aid: 119; A friend")
    settings = load(file)
    assert settings.slack.bot_token.get_secret_value() == "xoxb-variable"
    assert settings.slack.signing_secret.get_secret_value() == "kept"
    assert settings.programme.quiet_hours == QuietHours(time(21), time(6, 30))
    assert settings.programme.emergency_contacts == ("Legal aid: 119", "A friend")


def test_every_key_of_the_example_can_be_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load()
    for section, values in tomllib.loads(EXAMPLE.read_text()).items():
        for key, value in values.items():
            monkeypatch.setenv(f"KAWAN_{section}__{key}".upper(), "" if value == [] else str(value))
    assert load() == defaults


def test_a_mistake_in_a_variable_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[web]\nport = 81\n")
    monkeypatch.setenv("KAWAN_WEB__PORT", CANARY)
    assert refused(file) == "KAWAN_WEB__PORT: write a whole number."


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("KAWAN_SLAK__BOT_TOKEN", "Did you mean slack?"),
        ("KAWAN_SLACK__BOT_TOKN", "Did you mean bot_token?"),
        ("KAWAN_SLACK", "this names a section"),
    ],
)
def test_a_variable_that_names_no_key_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, expected: str) -> None:
    monkeypatch.setenv(variable, CANARY)
    said = refused(None)
    assert said.startswith(variable)
    assert expected in said


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[bot]\ndatabase_url = "postgresql://me:{CANARY}@host/db"\nproxy = "http://me:{CANARY}@proxy"\n'
        f'heartbeat_url = "https://hc.example/{CANARY}"\n'
        f'[slack]\nbot_token = "xoxb-{CANARY}"\napp_token = "xapp-{CANARY}"\nsigning_secret = "{CANARY}"\n'
        f'[telegram]\ntoken = "12:{CANARY}"\nwebhook_secret = "{CANARY}"\n'
    )
    settings = load(file)
    assert CANARY in settings.slack.bot_token.get_secret_value()
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert CANARY not in shown


def test_a_zone_is_found_in_any_case(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[programme]\ndefault_time_zone = "asia/ulaanbaatar"\n')
    assert load(file).programme.default_time_zone == "Asia/Ulaanbaatar"


def test_a_broken_file_ends_a_verb_with_78_and_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[slack]\nbot_tokn = "{CANARY}"\n')
    verb = (
        "import sys; from bot import __main__ as m; v = m.Verb('v', '', 'tests.test_settings:verb'); m.VERBS = (v,); "
    )
    done = subprocess.run(
        [sys.executable, "-c", verb + "sys.exit(m.main(['v', '--config', sys.argv[1]]))", file],
        cwd=PROJECT, capture_output=True, text=True, env=os.environ | {"KAWAN_NO_BOOTSTRAP": "1"},
    )  # fmt: skip
    assert done.returncode == 78
    assert done.stderr == "config.toml line 2, [slack] bot_tokn: there is no such key. Did you mean bot_token?\n"
    assert not re.search(CANARY, done.stdout + done.stderr)


def verb(args: object) -> int:
    load(getattr(args, "config", None) and Path(getattr(args, "config")))  # noqa: B009
    return 0

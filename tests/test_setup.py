"""`setup` from an empty folder to a bot that can start: through a pipe, against the platforms' local servers."""

import asyncio
import json
import os
import signal
import stat
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import checks
from bot.asking import Wrong
from bot.config_writing import EXAMPLE, filled
from bot.core.clock import SystemClock
from bot.core.ids import code_hash
from bot.domain.places import zones_of
from bot.settings import load
from storage import open_store
from tests.adapters.slack_server import APP_TOKEN, BOT_TOKEN, Fault, SlackServer
from tests.adapters.telegram_faults import Fault as TelegramFault
from tests.adapters.telegram_server import TelegramServer
from tests.program import until

PROJECT = Path(__file__).resolve().parent.parent
TOKEN = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcW"
PROGRAMME = ["Reform Asia", "Reform Trust", "help@reform.example", "Indonesia", "", "", "Legal aid: +62 21 555; Mirela"]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run printed, and how it ended."""

    said: str
    wrong: str
    code: int

    def invitation(self, before: str) -> str:
        """The code after these words."""
        return self.said.partition(before)[2].split()[0]


class Place:
    """An empty folder, and the servers that stand for Telegram and Slack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.telegram = TelegramServer(TOKEN)
        self.slack = SlackServer()
        self.gone = ""  # an address where nobody answers
        self.process: asyncio.subprocess.Process | None = None

    async def bot(self, *words: str, typed: list[str] | None = None) -> Ran:
        """Run `python3 -m bot …` here, its lines typed into a pipe."""
        known = {name: value for name, value in os.environ.items() if not name.startswith(("KAWAN_", "PYTHON"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, cwd=self.folder, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=known | {
                "KAWAN_NO_BOOTSTRAP": "1", "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8",
                "KAWAN_TELEGRAM__API_URL": self.gone or self.telegram.url,
            },
        )  # fmt: skip
        self.process = process
        text = "".join(f"{line}\n" for line in typed or [])
        said, wrong = await asyncio.wait_for(process.communicate(text.encode()), 60)
        return Ran(said.decode(), wrong.decode(), process.returncode or 0)

    async def setup(self, *typed: str) -> Ran:
        """Answer the questions."""
        slack = ["--slack-api-url", self.slack.api_url] if self.slack.url else []
        ran = await self.bot("setup", *slack, typed=list(typed))
        for secret in (TOKEN, BOT_TOKEN, APP_TOKEN, TOKEN.partition(":")[2]):
            assert secret not in ran.said + ran.wrong
        assert ran.wrong == ""
        return ran

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def written(self) -> dict[str, dict[str, object]]:
        return tomllib.loads(self.config.read_text(encoding="utf-8"))

    def is_invited(self, code: str) -> bool:
        """Does this code make its bearer a facilitator?"""
        store = open_store(f"sqlite:///{self.folder / 'kawan.db'}", inline=True)
        try:
            found = store.now(lambda unit: unit.invites.find(code_hash(code), SystemClock().now()))
        finally:
            store.close()
        return found is not None and found.role == "facilitator"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_from_an_empty_folder_to_a_working_bot_on_both_platforms_with_every_mistake_on_the_way(place: Place) -> None:
    async def scene() -> None:
        async with place.telegram.running(), place.slack:
            ran = await place.setup(
                "4", "3", f" {TOKEN}", "Reform Asia", "", f"Us: {BOT_TOKEN}", "Reform Trust", APP_TOKEN,
                "help@reform.example", "Atlantis", "Indonesia", "", "Klingon", "Indonesian", f"Legal aid; {TOKEN}",
                "Legal aid: +62 21 555; Mirela", "my token", "12345:wrong", TOKEN, BOT_TOKEN, "", BOT_TOKEN,
                "xapp-wrong", APP_TOKEN, "yes", "xoxp-mine", "xoxb-wrong", BOT_TOKEN,
            )  # fmt: skip
            assert ran.code == 0
            for said in (
                "I read: Indonesia (ID).", "I read: Asia/Jakarta.",
                "Please type 1, 2 or 3.", "Please write something here", "I do not know that country",
                "Please type one of: en, id.", "That is not a whole token", "Telegram does not know this token.",
                "It works: Kawan (@kawan_test_bot).", "That is the token that begins with xoxb-",
                "Slack does not take this token (invalid_auth). At api.slack.com/apps", "Permissions, and why:",
                "That is a person's token.", "It works: kawan in the workspace Reform.",
                "No domain".lower(), "python3 -m bot run",
            ):  # fmt: skip
                assert said in ran.said, said
            checked = await place.bot("doctor")
            assert checked.code == 0, checked.said
            assert "wrong:" not in checked.said
            assert not place.slack.problems
            on_telegram, on_slack = ran.invitation("kawan_test_bot?start="), ran.invitation("    start ")
            assert on_telegram == on_slack
            assert place.is_invited(on_telegram)
            assert "█" in ran.said
            assert ran.said.count("This looks like a token.") == 5

    asyncio.run(scene())
    settings = load(place.config)
    for written in (place.config, place.folder / "kawan.db"):
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert settings.programme.default_language == "id"
    assert settings.programme.default_time_zone == "Asia/Jakarta"
    assert settings.programme.emergency_contacts == ("Legal aid: +62 21 555", "Mirela")
    assert settings.telegram.token.get_secret_value() == TOKEN
    assert settings.slack.app_token.get_secret_value() == APP_TOKEN
    comments = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert [line for line in place.config.read_text(encoding="utf-8").splitlines() if line.startswith("#")] == comments
    assert sorted(path.name for path in place.folder.iterdir() if path.suffix == ".toml") == ["config.toml"]


@pytest.mark.long
def test_the_manifest_to_paste_is_the_one_of_the_verb(place: Place) -> None:
    async def scene() -> None:
        async with place.slack:
            ran = await place.setup("2", *PROGRAMME, "", APP_TOKEN, "no", BOT_TOKEN)
            printed = await place.bot("manifest", "slack")
            admin = await place.bot("manifest", "slack", "--admin")
            http = await place.bot("manifest", "slack", "--request-url", "https://bot.example/slack/events")
        shown = ran.said[ran.said.index("{") : ran.said.rindex("\n}\n") + 2]
        assert json.loads(shown) == json.loads(printed.said)
        assert json.loads(printed.said)["settings"]["socket_mode_enabled"] is True
        assert "find" in json.loads(printed.said)["features"]["slash_commands"][0]["usage_hint"]
        assert json.loads(http.said)["features"]["slash_commands"][0]["url"] == "https://bot.example/slack/events"
        assert "Reform Trust runs it on a server in Indonesia" in admin.said
        assert "- im:history: to read what people write to the bot" in admin.said
        assert "Telegram" not in ran.said.split("python3 -m bot run")[0].rpartition("The database is ready.")[2]

    asyncio.run(scene())


def test_back_returns_to_the_question_before(place: Place) -> None:
    async def scene() -> None:
        async with place.telegram.running():
            ran = await place.setup(
                "back", "1", "Refrom", "back", "Reform Asia", *PROGRAMME[1:3], "Nepal", "back", "back",
                "help@new.example",                "Thailand", "", "", "", "back", "", TOKEN,
            )  # fmt: skip
        assert ran.code == 0

    asyncio.run(scene())
    programme = place.written()["programme"]
    assert (programme["name"], programme["operator_contact"]) == ("Reform Asia", "help@new.example")
    assert (programme["host_country"], programme["default_time_zone"]) == ("TH", "Asia/Bangkok")


@pytest.mark.long
def test_stopping_half_way_keeps_the_answers_and_writes_no_settings(place: Place) -> None:
    async def scene() -> None:
        async with place.telegram.running(), place.slack:
            stopped = await place.setup("3", *PROGRAMME, TOKEN, "stop")
            assert stopped.code == 130
            assert "config.toml.part" in stopped.said
            assert "You stopped half-way before" not in stopped.said
            assert not place.config.exists()
            assert stat.S_IMODE((place.folder / "config.toml.part").stat().st_mode) == 0o600
            # Enter through what is known; the end of the pipe stops too.
            ended = await place.setup("", "", "", "")
            assert ended.code == 130
            assert "You stopped half-way before. Your answers are proposed again" in ended.said
            nothing = await place.setup()
            assert "Nothing was changed. Your answers from before are still kept in config.toml.part." in nothing.said
            done = await place.setup("", "", "", "", "", "", "", "", "", "", APP_TOKEN, "", BOT_TOKEN)
            assert done.code == 0

    asyncio.run(scene())
    assert place.written()["programme"]["operator"] == "Reform Trust"
    assert place.written()["telegram"]["token"] == TOKEN
    assert not (place.folder / "config.toml.part").exists()


@pytest.mark.long
def test_ctrl_c_while_a_token_is_tried_keeps_the_answers(place: Place) -> None:
    async def scene() -> None:
        async with place.telegram.running():
            place.telegram.fails("getMe", TelegramFault("slow", seconds=30))
            setup = asyncio.create_task(place.setup("1", *PROGRAMME, TOKEN))
            await until(lambda: bool(place.telegram.called("getMe")))
            assert place.process is not None
            place.process.send_signal(signal.SIGINT)
            ran = await setup
        assert ran.code == 130
        assert "Your answers are kept" in ran.said
        assert "Traceback" not in ran.wrong

    asyncio.run(scene())


@pytest.mark.long
def test_a_bot_token_of_another_app_is_not_taken(place: Place) -> None:
    async def scene() -> None:
        async with place.slack:
            place.slack.app = "A0ANOTHER"
            ran = await place.setup("2", *PROGRAMME, "", APP_TOKEN, "no", BOT_TOKEN)
        assert ran.code == 130
        assert "This token is of another app" in ran.said

    asyncio.run(scene())


@pytest.mark.long
def test_a_second_setup_offers_what_stands_in_the_settings_and_keeps_the_rest(place: Place) -> None:
    async def scene() -> None:
        async with place.telegram.running():
            await place.setup("1", *PROGRAMME, TOKEN)
            text = place.config.read_text(encoding="utf-8").replace("weekly_cap = 3", "weekly_cap = 5  # ours")
            place.config.write_text(text + "\n# our own remark\n", encoding="utf-8")
            again = await place.setup("", "", "Reform Foundation", "", "", "", "", "-", "")
            assert again.code == 0
            assert "(Enter keeps: Reform Trust)" in again.said
            assert "(Enter keeps the one you gave before.)" in again.said

    asyncio.run(scene())
    programme = place.written()["programme"]
    assert (programme["operator"], programme["weekly_cap"], programme["emergency_contacts"]) == (
        "Reform Foundation", 5, [],
    )  # fmt: skip
    text = place.config.read_text(encoding="utf-8")
    assert "weekly_cap = 5  # ours" in text
    assert "# our own remark" in text


def test_without_a_network_it_says_so_asks_for_a_proxy_and_goes_on_when_told(place: Place) -> None:
    place.gone = "http://127.0.0.1:9"  # nobody listens on the discard port

    async def scene() -> None:
        ran = await place.setup(
            "1", *PROGRAMME, f"'{TOKEN}'", "", "nonsense", "http://127.0.0.1:8", "back", TOKEN, "none",
            "http://127.0.0.1:9", "skip",
        )  # fmt: skip
        assert ran.code == 0
        assert ran.said.count("Telegram did not answer at http://127.0.0.1:9") == 7  # the proxy question repeats it
        assert ran.said.count("The token was not tried.") == 1
        assert ran.said.count("The token is kept, and was not tried.") == 1
        assert ran.said.count("(ClientProxyConnectionError)") == 3  # a proxy that was typed is tried, until `none`
        assert "A proxy's address begins with http://" in ran.said
        assert "Traceback" not in ran.said
        assert "/start " in ran.said

    asyncio.run(scene())
    assert place.written()["bot"]["proxy"] == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "fault",
    [Fault("cut"), Fault("status", status=502, body="<html>bad gateway"), Fault("status", status=200, body="<html>hi")],
    ids=["cut", "502", "html"],
)
def test_a_fault_on_the_way_is_no_verdict_on_the_token(place: Place, fault: Fault) -> None:
    async def scene() -> None:
        async with place.slack:
            place.slack.faults["auth.test"].append(fault)
            ran = await place.setup("2", *PROGRAMME, "", APP_TOKEN, "no", BOT_TOKEN, "")
            assert ran.code == 0
            assert "Slack did not answer at" in ran.said
            assert "It works: kawan in the workspace Reform." in ran.said

    asyncio.run(scene())


@pytest.mark.long
def test_a_bot_that_can_be_taken_into_groups_is_told_what_to_press(place: Place) -> None:
    place.telegram.about_groups = {"can_join_groups": True, "can_read_all_group_messages": True}

    async def scene() -> None:
        async with place.telegram.running():
            ran = await place.setup("1", *PROGRAMME, TOKEN)
            checked = await place.bot("doctor")
            for said in (ran.said, checked.said):
                assert "send /setjoingroups, choose @kawan_test_bot, press Disable" in said
                assert "send /setprivacy, choose @kawan_test_bot, press Enable" in said
            assert checked.code == 0
            place.telegram.about_groups = {}
            assert "/setjoingroups" not in (await place.bot("doctor")).said

    asyncio.run(scene())


def test_an_address_that_is_none_is_refused_before_the_first_question(place: Place) -> None:
    ran = asyncio.run(place.bot("setup", "--slack-api-url", "localhost"))
    assert ran.code == 2
    assert ran.wrong == "--slack-api-url: write a web address, beginning with https://.\n"
    assert not place.config.exists()


def test_a_folder_that_cannot_be_written_is_named(place: Place) -> None:
    ran = asyncio.run(place.bot("setup", "--config", str(place.folder / "none" / "config.toml")))
    assert ran.code == 2
    assert (
        ran.wrong
        == f"The folder {place.folder / 'none'} does not exist. Name a file in a folder of yours with --config FILE.\n"
    )


def test_a_database_that_cannot_be_made_says_where_it_belongs_and_what_to_run(place: Place) -> None:
    (place.folder / "kawan.db").mkdir()
    settings = place.folder / "my.toml"

    async def scene() -> None:
        async with place.telegram.running():
            ran = await place.bot("setup", "--config", str(settings), typed=["1", *PROGRAMME, TOKEN])
        assert ran.code == 1
        assert f"It belongs at {place.folder / 'kawan.db'}: let this user write there, or set another" in ran.wrong
        assert ran.wrong.endswith(f"Then run: python3 -m bot setup --config {settings}\n")

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        *(("USA", "US"), ("UK", "GB"), ("South Korea", "KR"), ("Viet Nam", "VN"), ("the Philippines", "PH")),
        *(("Côte d'Ivoire", "CI"), ("Монгол Улс", "MN"), ("Thailand.", "TH"), ("Jakarta", "ID"), ("de", "DE")),
    ],
)
def test_a_country_is_known_by_the_names_that_people_use(typed: str, code: str) -> None:
    assert checks.country(typed) == code
    assert checks.zone(typed) in zones_of(code)


@pytest.mark.parametrize("around", ["{}", " {} ", '"{}"', "'{}'", "`{}`", "<{}>", "“{}”", "{}\r\n", "\t{}.", "{},"])
def test_a_token_is_taken_without_what_was_copied_along(around: str) -> None:
    for token, check in (
        (TOKEN, checks.telegram_token),
        (APP_TOKEN, checks.app_token),
        (BOT_TOKEN, checks.bot_token),
    ):
        assert check(around.format(token)) == token
        assert check(around.format(f"{token[:8]}\n {token[8:]}")) == token  # cut by a narrow window


@pytest.mark.parametrize(
    ("check", "given", "said"),
    [
        (checks.telegram_token, BOT_TOKEN, "That is a token of Slack's."),
        (checks.telegram_token, f'"{APP_TOKEN}"', "That is a token of Slack's."),
        (checks.telegram_token, f"Use this token: {TOKEN}", "That is not a whole token"),
        (checks.app_token, f" {BOT_TOKEN}", "That is the token that begins with xoxb-"),
        (checks.app_token, TOKEN, "it begins with xapp-"),
        (checks.bot_token, f"'{APP_TOKEN}'", "That is the app-level token."),
        (checks.bot_token, TOKEN, "it begins with xoxb-"),
        (checks.no_token, f"Legal aid ({BOT_TOKEN})", "This looks like a token."),
        (checks.no_token, f"Legal aid:{TOKEN}", "This looks like a token."),
    ],
)
def test_a_token_in_the_wrong_place_is_told_apart_and_not_repeated(
    check: Callable[[str], object], given: str, said: str
) -> None:
    with pytest.raises(Wrong) as wrong:
        check(given)
    assert said in str(wrong.value)
    for token in (TOKEN, APP_TOKEN, BOT_TOKEN):
        assert token not in str(wrong.value)


@pytest.mark.parametrize(
    "text", ["Legal aid Jakarta: +62 21 555 12 34", "https://help.example:8443/a", "100000:1", "xo"]
)
def test_what_is_no_token_is_not_taken_for_one(text: str) -> None:
    checks.no_token(text)


def test_values_that_stand_on_several_lines_or_nowhere_are_written_whole() -> None:
    free = '[programme]\nemergency_contacts = [\n  "one",\n  "two",\n]\nweekly_cap = 4\n[telegram]\n'
    text = filled(free, {("programme", "emergency_contacts"): ("three",), ("slack", "enabled"): True})
    found = tomllib.loads(text)
    assert found["programme"]["emergency_contacts"] == ["three"]
    assert found["programme"]["weekly_cap"] == 4
    assert found["slack"]["enabled"] is True
    odd = 'quo"te \\ back\nline \u00e9 \u0e20 #[x]'
    assert tomllib.loads(filled("", {("programme", "name"): odd}))["programme"]["name"] == odd

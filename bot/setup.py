"""`python3 -m bot setup`: asks for what a bot needs, tries each token at once, and writes config.toml."""

import argparse
import logging
import os
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot import checks, guide, opening, trying
from bot.adapters.trial import Tried, Trouble
from bot.asking import Asker, Back, Stop, Wrong
from bot.config_writing import EXAMPLE, filled, write
from bot.core.ids import Ids
from bot.manifest import as_json, for_admin
from bot.settings import DEFAULT_FILE, ProgrammeSettings, Settings, load

NOT_FINISHED = 130
UNTRIED = Tried("not tried")


def main(args: argparse.Namespace, *, ids: Ids | None = None) -> int:
    """Ask, write, prepare; 0 when the bot can be started, 130 when somebody stopped half-way."""
    logging.disable(logging.CRITICAL)  # a library's line about a failed call would come between the questions
    try:
        return _set_up(args, ids)
    finally:
        logging.disable(logging.NOTSET)


def _set_up(args: argparse.Namespace, ids: Ids | None) -> int:
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    path = Path(args.config) if args.config else DEFAULT_FILE
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK):
        why = "cannot be written" if folder.is_dir() else "does not exist"
        print(f"The folder {folder} {why}. Name a file in a folder of yours with --config FILE.", file=sys.stderr)
        return 2
    settings = load(path if path.exists() else None)
    setup = Setup(Asker(checks.no_token), path, settings)
    try:
        setup.remember(args)
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 2
    print(guide.WELCOME)
    if setup.is_begun:
        print("\n" + guide.GOING_ON)
    try:
        setup.walk()
    except (Stop, KeyboardInterrupt):  # the second: Ctrl+C while a token is tried
        return setup.keep()
    old = path if path.exists() else EXAMPLE
    text = filled(old.read_text(encoding="utf-8-sig"), setup.answers)
    write(setup.draft, text)
    load(setup.draft)  # what cannot be read takes nothing's place
    write(path, text)
    setup.draft.unlink(missing_ok=True)
    return opening.prepare(path, load(path), username=setup.username, ids=ids)


@dataclass
class Setup:
    """The questions and what was answered; `answers` by section and key, as they will stand in the file."""

    asker: Asker
    path: Path
    settings: Settings
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    username: str = ""
    asked: bool = False

    @property
    def draft(self) -> Path:
        """Where answers wait when somebody stops half-way."""
        return self.path.with_name(f"{self.path.name}.part")

    def remember(self, args: argparse.Namespace) -> None:
        """Take what was answered in an earlier, unfinished run, and the command line's addresses. Raises Wrong."""
        try:
            kept = tomllib.loads(self.draft.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            kept = {}
        sections = {section: of for section, of in kept.items() if isinstance(of, dict)}
        self.answers = {(section, key): value for section, of in sections.items() for key, value in of.items()}
        for section in ("telegram", "slack"):
            if address := getattr(args, f"{section}_api_url"):
                self.answers[section, "api_url"] = checks.address(address, f"--{section}-api-url")

    @property
    def is_begun(self) -> bool:
        """Has somebody stopped half-way before?"""
        return self.draft.exists()

    def keep(self) -> int:
        """Keep the answers for another time; they may hold tokens, so only this user can read them."""
        if self.asked:
            write(self.draft, filled("", self.answers))
            print("\n" + guide.KEPT.format(file=self.draft))
        else:
            print("\n" + (guide.STILL_KEPT.format(file=self.draft) if self.is_begun else guide.LEFT))
        return NOT_FINISHED

    def walk(self) -> None:
        """Every question in its turn; `back` returns to the one asked before. Raises Stop."""
        asked: list[int] = []
        number = 0
        while number < len(STEPS):
            applies, ask = STEPS[number]
            if applies(self):
                try:
                    ask(self)
                except Back:
                    number = asked.pop() if asked else number
                    continue
                asked.append(number)
            number += 1

    def known(self, section: str, key: str) -> Any:
        """What was answered before, or stands in the settings."""
        value = self.answers.get((section, key))
        if value is None:
            value = getattr(getattr(self.settings, section), key)
        return value.get_secret_value() if hasattr(value, "get_secret_value") else value

    def ask(self, section: str, key: str, question: str, check: Callable[[str], Any], *, known: str = "") -> None:
        """A plain question, whose answer goes into the file."""
        self.answers[section, key] = self.asker.ask(question, check, known=known or str(self.known(section, key)))
        self.asked = True

    def token(self, section: str, key: str, question: str, check: Callable[[str], str], trial: trying.Token) -> Tried:
        """A secret, tried at the platform before it is taken."""
        found = UNTRIED

        def tried(text: str) -> str:
            nonlocal found
            token = check(text)
            found = self.try_out(token, section, trial)
            return token

        self.answers[section, key] = self.asker.ask(question, tried, known=self.known(section, key), secret=True)
        self.asked = True
        works = "\n".join([f"It works: {found.who}.", *found.advice])
        print(guide.KEPT_UNTRIED if found is UNTRIED else works)
        return found

    def try_out(self, token: str, section: str, trial: trying.Token) -> Tried:
        """Ask the platform; where it cannot be reached, ask about a proxy. Raises Wrong for a token that is refused."""
        while True:
            print("I try it…")
            try:
                return trial(token, self.address(section), self.known("bot", "proxy"))
            except Trouble as trouble:
                if trouble.reached:
                    raise Wrong(str(trouble)) from None
                said = str(trouble)
            try:
                proxy = self.asker.ask(guide.PROXY.format(trouble=said), checks.proxy)
            except Back:
                raise Wrong(guide.NOT_TRIED) from None
            if proxy == "skip":
                return UNTRIED
            if proxy:
                self.answers["bot", "proxy"] = "" if proxy == "none" else proxy

    def address(self, section: str) -> str:
        """A platform's address; a variable wins, as it will when the bot runs."""
        variable = os.environ.get(f"KAWAN_{section.upper()}__API_URL")
        return str(variable or self.known(section, "api_url"))


def _platforms(setup: Setup) -> None:
    on = [name for name in ("telegram", "slack") if setup.known(name, "enabled")]
    known = {"telegram": "1", "slack": "2", "telegram slack": "3"}.get(" ".join(on), "")
    chosen = setup.asker.ask(guide.PLATFORMS, checks.platforms, known=known)
    for name in ("telegram", "slack"):
        setup.answers[name, "enabled"] = name in chosen
    setup.asked = True


def _country(setup: Setup) -> None:
    setup.ask("programme", "host_country", guide.COUNTRY, checks.country)
    code = setup.answers["programme", "host_country"]
    print(f"I read: {checks.country_name(code)} ({code}).")


def _zone(setup: Setup) -> None:
    known = str(setup.known("programme", "default_time_zone"))
    if known == "UTC":
        known = checks.main_zone(setup.answers["programme", "host_country"])
    setup.ask("programme", "default_time_zone", guide.ZONE, checks.zone, known=known)
    print(f"I read: {setup.answers['programme', 'default_time_zone']}.")


def _language(setup: Setup) -> None:
    question = guide.LANGUAGE.format(offered=", ".join(f"{code} ({name})" for code, name in checks.offered().items()))
    setup.ask("programme", "default_language", question, checks.language)


def _emergency(setup: Setup) -> None:
    known = "; ".join(setup.known("programme", "emergency_contacts"))
    setup.answers["programme", "emergency_contacts"] = setup.asker.ask(
        guide.EMERGENCY.format(file=setup.path), checks.contacts, known=known
    )


def _telegram(setup: Setup) -> None:
    name = setup.known("programme", "name")
    username = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:28] or "our_programme"
    question = guide.TELEGRAM_TOKEN.format(name=name, username=f"{username}_bot")
    setup.username = setup.token("telegram", "token", question, checks.telegram_token, trying.telegram).username


def _slack_app(setup: Setup) -> None:
    manifest = as_json(setup.known("programme", "default_language"))
    setup.asker.ask(guide.SLACK_APP.format(manifest=manifest), lambda text: text)


def _app_token(setup: Setup) -> None:
    setup.token("slack", "app_token", guide.APP_TOKEN, checks.app_token, trying.slack_app)


def _admin(setup: Setup) -> None:
    if setup.asker.ask(guide.ADMIN, checks.yes_or_no, known="no"):
        of = ProgrammeSettings.model_validate(
            {key: setup.known("programme", key) for key in ("operator", "host_country")}
        )
        print("\n" + guide.ADMIN_TEXT.format(text=for_admin(of)))


def _bot_token(setup: Setup) -> None:
    def trial(token: str, api_url: str, proxy: str) -> Tried:
        found = trying.slack_bot(token, api_url, proxy)
        checks.same_app(str(setup.known("slack", "app_token")), found.app)
        return found

    setup.token("slack", "bot_token", guide.BOT_TOKEN, checks.bot_token, trial)


def _programme(key: str, question: str, check: Callable[[str], Any]) -> Callable[[Setup], None]:
    return lambda setup: setup.ask("programme", key, question, check)


def _always(setup: Setup) -> bool:
    return True


def _on(name: str) -> Callable[[Setup], bool]:
    return lambda setup: bool(setup.answers[name, "enabled"])


def _by_socket(setup: Setup) -> bool:
    return bool(setup.answers["slack", "enabled"]) and setup.known("slack", "mode") == "socket"


# In the order in which they are asked: when, and what.
STEPS: tuple[tuple[Callable[[Setup], bool], Callable[[Setup], None]], ...] = (
    (_always, _platforms),
    (_always, _programme("name", guide.NAME, checks.line("name"))),
    (_always, _programme("operator", guide.OPERATOR, checks.line("operator"))),
    (_always, _programme("operator_contact", guide.CONTACT, checks.line("operator_contact"))),
    (_always, _country),
    (_always, _zone),
    (_always, _language),
    (_always, _emergency),
    (_on("telegram"), _telegram),
    (_on("slack"), _slack_app),
    (_by_socket, _app_token),
    (_on("slack"), _admin),
    (_on("slack"), _bot_token),
)

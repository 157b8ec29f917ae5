"""`python3 -m bot manifest slack`: the app manifest to paste at Slack, made from the routes; the text for its admin."""

import argparse
import json
import re
import sys
from pathlib import Path

from bot.adapters.slack.manifest import PATH, admin_text, manifest
from bot.checks import country_name
from bot.content import load as load_content
from bot.core.router import Role
from bot.settings import ProgrammeSettings, load
from handlers import router

WRONG_URL = f"--request-url: write https://, the name of your server, and {PATH}, as in: https://bot.example.org{PATH}"
URL_NEEDED = (
    'Your settings say mode = "http", and this manifest is for Socket Mode. For http give the address at which Slack '
    f"reaches the bot, as in: --request-url https://bot.example.org{PATH}"
)


def main(args: argparse.Namespace) -> int:
    """Print the manifest, or with `--admin` what a Slack admin wants to read."""
    settings = load(Path(args.config) if args.config else None)
    if args.admin:
        print(for_admin(settings.programme))
        return 0
    if args.request_url is not None and not _is_served(args.request_url):
        print(WRONG_URL, file=sys.stderr)
        return 2
    if args.request_url is None and settings.slack.mode == "http":
        print(URL_NEEDED, file=sys.stderr)
    print(as_json(settings.programme.default_language, args.request_url))
    return 0


def _is_served(url: str) -> bool:
    """Is this an address at which Slack may call, and `run` listens?"""
    return bool(re.fullmatch(rf"https://[\w-]+(\.[\w-]+)*(:\d{{1,5}})?{PATH}", url))


def as_json(language: str, request_url: str | None = None) -> str:
    """The manifest; its hint holds the words of the help card, in a language."""
    content = load_content()
    words = [
        content.word_label(name, language)
        for name, route in router.words.items()
        if route.help is not None and route.role is Role.MEMBER
    ]
    return json.dumps(manifest(words, language, request_url=request_url), indent=2, ensure_ascii=False)


def for_admin(of: ProgrammeSettings) -> str:
    """What to send to whoever approves apps in the workspace."""
    country = country_name(of.host_country)
    return admin_text(of.operator or "Our programme team", country or "a country that we will name")

"""`python3 -m bot manifest slack`: the app manifest to paste at Slack, made from the routes; the text for its admin."""

import argparse
import json
from pathlib import Path

from bot.adapters.slack.manifest import admin_text, manifest
from bot.content import load as load_content
from bot.core.router import Role
from bot.settings import ProgrammeSettings, load
from handlers import router


def main(args: argparse.Namespace) -> int:
    """Print the manifest, or with `--admin` what a Slack admin wants to read."""
    settings = load(Path(args.config) if args.config else None)
    if args.admin:
        print(for_admin(settings.programme))
    else:
        print(as_json(settings.programme.default_language, args.request_url))
    return 0


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
    from babel import Locale

    country = Locale("en").territories.get(of.host_country) or of.host_country
    return admin_text(of.operator or "Our programme team", country or "a country that we will name")

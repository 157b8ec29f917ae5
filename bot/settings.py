"""The settings, typed: every key of config.toml, each also as a variable (KAWAN_SLACK__BOT_TOKEN), which wins.

`config.example.toml` says in words what each is for.
"""

import os
import re
from datetime import time
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic import model_validator as check_section
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.config_file import ConfigFile, SettingsError, explain, near, not_true_or_false, read_config
from bot.domain.places import zones_of

__all__ = ["QuietHours", "Settings", "SettingsError", "load", "load_made"]

DEFAULT_FILE = Path("config.toml")
PREFIX = "KAWAN_"
TOKEN = re.compile(r"\bx(?:ox[a-z]|app)-[\w-]{6,}|(?<!\d)\d{5,}:[\w-]{20,}")  # Slack's, Telegram's
NOTHING_SET = (
    "There are no settings here: config.toml is missing or empty. Make it with `python3 -m bot setup`, or name the "
    "file with --config FILE."
)
NOT_A_PLACE = frozenset({"Factory", "localtime", "posixrules", "leapseconds"})


class QuietHours(NamedTuple):
    """From when until when nobody is written to, in each person's own local time; may pass midnight."""

    start: time
    end: time


@cache
def _zones() -> dict[str, str]:
    """Every time zone by its name in lower case, without those in which nobody lives."""
    return {name.lower(): name for name in available_timezones() - NOT_A_PLACE}


def _zone(text: str) -> str:
    if text.lower() in _zones():
        return _zones()[text.lower()]
    city = text.rpartition("/")[2].lower().replace(" ", "_")
    cities = {name.rpartition("/")[2]: zone for name, zone in _zones().items() if "/" in name}
    nearby = near(city, cities).rpartition(" ")[2].rstrip("?")
    raise ValueError(f"there is no such time zone. Did you mean {cities.get(nearby, 'Asia/Manila')}?")


def _quiet_hours(given: object) -> object:
    match = re.fullmatch(r"(\d\d):(\d\d) *[-–] *(\d\d):(\d\d)", given) if isinstance(given, str) else None
    advice = 'write from when until when: "20:00-08:00"'
    if not match:
        raise ValueError(advice)
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    try:
        quiet = QuietHours(time(start_hour, start_minute), time(end_hour, end_minute))
    except ValueError:
        raise ValueError(advice) from None
    if quiet.start == quiet.end:
        raise ValueError(f"these two are the same time; {advice}")
    return quiet


def _web_address(text: str, advice: str = "write a web address, beginning with https://") -> str:
    """A URL with https or http and a host, or nothing."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(advice) from None
    if not usable or re.search(r"\s", text):
        raise ValueError(advice)
    return text


def _secret_web_address(secret: SecretStr) -> SecretStr:
    return SecretStr(_web_address(secret.get_secret_value()))


def _proxy(secret: SecretStr) -> SecretStr:
    advice = 'write the address of a web proxy, as in "http://proxy.example:3128"'
    return SecretStr(_web_address(secret.get_secret_value(), advice))


def _database(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    if not re.fullmatch(r"sqlite://(/.+)?|postgresql://[^/\s]*/[^/?\s]+(\?\S+)?", url):
        raise ValueError('write "sqlite:///kawan.db" or "postgresql://user@host/database"')
    try:
        usable = urlsplit(url).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("the port of this address is not a number from 1 to 65535")
    return secret


def _shaped(pattern: str, advice: str) -> AfterValidator:
    """A secret that is empty or looks like `pattern`."""

    def check(secret: SecretStr) -> SecretStr:
        if secret.get_secret_value() and not re.fullmatch(pattern, secret.get_secret_value()):
            raise ValueError(advice)
        return secret

    return AfterValidator(check)


def _country(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z]{2}", text):
        raise ValueError('write the two letters of the country, as in "ID"')
    if text and not zones_of(text.upper()) and text.upper() != "XK":  # Kosovo: in use, and in no list of zones
        raise ValueError('no country has these two letters. Write its code, as in "ID" for Indonesia')
    return text.upper()


def _public(text: str) -> str:
    """What people are shown."""
    if TOKEN.search(text):
        raise ValueError("this looks like a token, and people are shown this text. Write something else here")
    return text


def _list(given: object) -> object:
    """A list, or one text with semicolons, which also fits into a variable."""
    return [part.strip() for part in given.split(";") if part.strip()] if isinstance(given, str) else given


def _upper(given: object) -> object:
    return given.upper() if isinstance(given, str) else given


def _missing(key: str, advice: str) -> PydanticCustomError:
    return PydanticCustomError("missing_key", "{advice}", {"key": key, "advice": advice})


Days = Annotated[int, Field(ge=1, le=3650)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
SecretWebAddress = Annotated[SecretStr, AfterValidator(_secret_web_address)]

Public = AfterValidator(_public)
Contact = Annotated[str, Field(min_length=1, max_length=300), Public]
Contacts = Annotated[tuple[Contact, ...], NoDecode, BeforeValidator(_list)]


class Section(BaseModel):
    """Keys that are checked, never changed, and refused when unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class BotSettings(Section):
    """[bot]: this process and what it writes."""

    database_url: Annotated[SecretStr, AfterValidator(_database)] = SecretStr("sqlite:///kawan.db")
    data_dir: Path = Path("data")
    backup_dir: Path = Path("backups")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    proxy: Annotated[SecretStr, AfterValidator(_proxy)] = SecretStr("")
    heartbeat_url: SecretWebAddress = SecretStr("")


class ProgrammeSettings(Section):
    """[programme]: who runs it, and how it treats people."""

    name: Annotated[str, Field(min_length=1, max_length=80), Public] = "Kawan"
    operator: Annotated[str, Field(max_length=120), Public] = ""
    operator_contact: Annotated[str, Field(max_length=200), Public] = ""
    host_country: Annotated[str, AfterValidator(_country)] = ""
    default_time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    default_language: Literal["en", "id", "mn", "fil", "th"] = "en"
    quiet_hours: Annotated[QuietHours, NoDecode, BeforeValidator(_quiet_hours)] = QuietHours(time(20), time(8))
    weekly_cap: Annotated[int, Field(ge=1, le=20)] = 3
    hold_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    emergency_contacts: Contacts = ()
    messages_days: Annotated[int, Field(ge=1, le=30)] = 30
    inbox_days: Annotated[int, Field(ge=7, le=3650)] = 30
    answers_days: Days = 365
    introductions_days: Days = 730
    audit_days: Days = 365


class SlackSettings(Section):
    """[slack]: one installation."""

    enabled: bool = False
    mode: Literal["socket", "http"] = "socket"
    bot_token: Annotated[SecretStr, _shaped(r"xoxb-[\w-]+", "a bot token begins with xoxb-")] = SecretStr("")
    app_token: Annotated[SecretStr, _shaped(r"xapp-[\w-]+", "an app token begins with xapp-")] = SecretStr("")
    signing_secret: Annotated[SecretStr, _shaped(r"\S+", "a signing secret has no spaces")] = SecretStr("")
    api_url: Annotated[WebAddress, Field(min_length=1)] = "https://slack.com/api/"

    @check_section(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not self.bot_token.get_secret_value():
            raise _missing("bot_token", "Slack is enabled without it. Copy it from *OAuth & Permissions*")
        if self.enabled and self.mode == "socket" and not self.app_token.get_secret_value():
            raise _missing(
                "app_token", 'mode "socket" needs it. Make one in *Basic Information* with connections:write'
            )
        if self.enabled and self.mode == "http" and not self.signing_secret.get_secret_value():
            raise _missing("signing_secret", 'mode "http" needs it. Copy it from *Basic Information*')
        return self


class TelegramSettings(Section):
    """[telegram]: one bot."""

    enabled: bool = False
    mode: Literal["polling", "webhook"] = "polling"
    token: Annotated[
        SecretStr, _shaped(r"\d+:[\w-]+", "a token is digits, a colon and letters, as BotFather sent it")
    ] = SecretStr("")
    api_url: Annotated[WebAddress, Field(min_length=1)] = "https://api.telegram.org"
    webhook_url: WebAddress = ""
    webhook_secret: Annotated[
        SecretStr, _shaped(r"[\w-]{1,256}", "use letters, digits, _ and -, at most 256 of them")
    ] = SecretStr("")

    @check_section(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not self.token.get_secret_value():
            raise _missing("token", "Telegram is enabled without it. BotFather sends it after /newbot")
        if self.enabled and self.mode == "webhook" and not self.webhook_url:
            raise _missing("webhook_url", 'mode "webhook" needs it: the https:// address that reaches this server')
        if self.enabled and self.mode == "webhook" and not self.webhook_secret.get_secret_value():
            raise _missing("webhook_secret", 'mode "webhook" needs it. Invent a long one')
        return self


class WebSettings(Section):
    """[web]: where webhooks, /healthz, /readyz and /metrics are served."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080


class Settings(BaseSettings):
    """Everything that can be set; without a file, every key at its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    bot: BotSettings = BotSettings()
    programme: ProgrammeSettings = ProgrammeSettings()
    slack: SlackSettings = SlackSettings()
    telegram: TelegramSettings = TelegramSettings()
    web: WebSettings = WebSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables before what is given, which is the file."""
        return env_settings, init_settings


def known_keys() -> dict[str, tuple[str, ...]]:
    """Every key, by section."""
    sections = {name: type(field.default) for name, field in Settings.model_fields.items()}
    return {name: tuple(kind.model_fields) for name, kind in sections.items()}


def load(path: Path | None = None) -> Settings:
    """Read the settings from a file (without one: config.toml, if it is there) and the environment.

    Raises SettingsError, whose text has a line for each mistake.
    """
    if path is None and not os.path.lexists(DEFAULT_FILE):
        file = ConfigFile(str(DEFAULT_FILE), {}, {})
    else:
        file = read_config(path or DEFAULT_FILE)
    _check_variables()
    values: dict[str, Any] = dict(file.values)
    mistakes = not_true_or_false(file, ((section, "enabled") for section in ("slack", "telegram")))
    try:
        settings = Settings(**values)
    except ValidationError as error:
        mistakes += error.errors(include_url=False, include_input=False)
        raise explain(mistakes, file, known_keys(), PREFIX) from None
    if mistakes:
        raise explain(mistakes, file, known_keys(), PREFIX)
    return settings


def load_made(path: Path | None = None) -> Settings:
    """The same, for what needs an installation: refuses where nothing at all is set."""
    settings = load(path)
    if not settings.model_fields_set:
        raise SettingsError(NOTHING_SET)
    return settings


def _check_variables() -> None:
    """Variables that name no key, which would otherwise be overlooked. Raises SettingsError."""
    for name in (name for name in os.environ if name.upper().startswith(PREFIX)):
        section, separator, _ = name.upper().removeprefix(PREFIX).lower().partition("__")
        if separator and section not in known_keys():
            raise SettingsError(f"{name}: there is no such section.{near(section, known_keys())}")
        if not separator and section in known_keys():
            raise SettingsError(f"{name}: this names a section. Write {name}__ and the key after it.")

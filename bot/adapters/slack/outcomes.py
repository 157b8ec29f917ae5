"""What became of a call to Slack: every fault and every error name, in one table."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.core.adapter import NotSent, Outcome, RateLimited, Rejected, Unknown, Unreachable

# Refused for a reason that will pass; nothing was done.
LATER = frozenset({"team_added_to_org"})
# The token is no longer taken: the whole lane stops, rows stay queued.
CLOSING = frozenset(
    {
        "app_uninstalled", "invalid_auth", "not_allowed_token_type", "not_authed", "org_login_required",
        "team_access_not_granted", "token_expired", "token_revoked", "two_factor_setup_required",
    }
)  # fmt: skip
# The person or the conversation is gone.
GONE = frozenset(
    {
        "account_inactive", "cannot_dm_bot", "channel_not_found", "invalid_user_combination", "is_archived", "is_bot",
        "is_inactive", "not_in_channel", "user_disabled", "user_is_blocked", "user_not_found", "user_not_visible",
        "users_not_found",
    }
)  # fmt: skip
# Part of the call may have succeeded (https://api.slack.com/methods/chat.postMessage#errors).
DOUBTFUL = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
LIMITED = frozenset({"ratelimited", "rate_limited"})
PAUSE = 30.0
LONGEST_PAUSE = 3_600.0


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of a call that raised; what is not surely refused or surely unsent is Unknown."""
    if isinstance(error, SlackApiError):
        return _answer(error.response)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientHttpProxyError):
        return NotSent(type(error).__name__)  # no name, no connection, no TLS, no way through the proxy
    return Unknown(type(error).__name__)


def error_name(error: BaseException) -> str:
    """Slack's own name of an error, or nothing."""
    if not isinstance(error, SlackApiError):
        return ""
    data = getattr(error.response, "data", None)
    name = data.get("error") if isinstance(data, Mapping) else None
    return name if isinstance(name, str) else ""


def of_error(name: str) -> Outcome:
    """The outcome of an `ok: false` with this error name."""
    if name in CLOSING or name in LATER:
        return NotSent(name)
    if name in GONE:
        return Unreachable(name)
    if name in DOUBTFUL:
        return Unknown(name)
    return RateLimited(PAUSE) if name in LIMITED else Rejected(name)


def _answer(response: Any) -> Outcome:
    """Of an answer that was not `ok: true`; without Slack's JSON it came from something in between."""
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    name = data.get("error") if isinstance(data, Mapping) else None
    if status == 429:
        return RateLimited(_pause(response.headers))
    if status >= 500 or not isinstance(name, str):
        return Unknown(f"answer {status}")
    return RateLimited(_pause(response.headers)) if name in LIMITED else of_error(name)


def _pause(headers: Mapping[str, str]) -> float:
    """Seconds of Retry-After."""
    try:
        return min(max(float(headers.get("Retry-After", PAUSE)), 0.0), LONGEST_PAUSE)
    except ValueError:
        return PAUSE

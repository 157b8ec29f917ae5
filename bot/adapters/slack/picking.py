"""People whom a facilitator picked in a form: their names, zones and languages, asked of Slack before the commit."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.core.cleaning import one_line
from bot.core.events import Submit

IN_TIME = 1.0  # seconds; after that they are invited without a name
AT_ONCE = 10


async def introduced(client: AsyncWebClient, view: Mapping[str, Any], event: Submit) -> Submit:
    """The submission, with what is known of each person picked: a JSON list of {id, name, time_zone, language, bot}."""
    values = (view.get("state") or {}).get("values") or {}
    answers = dict(event.answers)
    for key, elements in values.items():
        for element in elements.values():
            if "selected_users" in element:
                picked = [str(one) for one in element["selected_users"] or ()][:AT_ONCE]
                found = await asyncio.gather(*(_person(client, one) for one in picked))
                answers[key] = json.dumps(found, ensure_ascii=False) if found else ""
    return replace(event, answers=answers)


async def _person(client: AsyncWebClient, user: str) -> dict[str, Any]:
    try:
        async with asyncio.timeout(IN_TIME):
            found = (await client.users_info(user=user, include_locale=True))["user"]
        profile = found.get("profile") or {}
        name = profile.get("real_name") or found.get("real_name") or profile.get("display_name") or ""
        return {
            "id": user,
            "name": one_line(str(name)),
            "time_zone": str(found.get("tz") or ""),
            "language": str(found.get("locale") or "").partition("-")[0],
            "bot": bool(found.get("is_bot") or found.get("deleted")),
        }
    except Exception:  # a name is a courtesy: who is picked is invited all the same
        return {"id": user}

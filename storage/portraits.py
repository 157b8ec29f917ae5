"""A member in one row: everything that access needs to show them, read at once and already put together."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.profiles import Audience, Help, Preset, Profile, Whole
from storage.base import Id, Json, same_cohort, table
from storage.prepared import Prepared
from storage.profiles import member_coalition, member_language, member_topic, profile, visibility, wish
from storage.projects import project

portrait = table(
    "portrait",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("member_id", Id, primary_key=True),
    sa.Column("whole", Json, nullable=False),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
    own={},  # made from the member's other rows
)

_OF: sa.BindParameter[Any] = sa.bindparam("number")
_PROFILE = Prepared(sa.select(profile).where(profile.c.member_id == _OF))
_PLAN = Prepared(
    sa.select(project.c.title, project.c.goal, project.c.topics)
    .where(project.c.member_id == _OF, project.c.state == "open")
    .order_by(project.c.id)
    .limit(1)
)
_WISHES = Prepared(
    sa.select(wish.c.id, wish.c.kind, wish.c.topic, wish.c.text).where(wish.c.member_id == _OF).order_by(wish.c.id)
)
_OWN = Prepared(sa.select(visibility.c.field, visibility.c.audience).where(visibility.c.member_id == _OF))
_LISTED = {
    of: Prepared(sa.select(of.columns[of.columns.keys()[2]]).where(of.c.member_id == _OF).order_by(of.c.place))
    for of in (member_language, member_coalition, member_topic)
}
_LISTS = ("languages", "coalitions", "topics", "project_topics")
_HELPS = ("needs", "offers")
_AUDIENCES = tuple(Audience)
_PRESETS = {preset.value: preset for preset in Preset}


def read_whole(connection: Connection, number: int, who: Any) -> Whole:
    """A member as the single tables have them; `who` is a row with role, preset and time_zone."""
    row = _PROFILE.one(connection, number=number)
    plan = _PLAN.one(connection, number=number)
    wishes = _WISHES.all(connection, number=number)
    own = _OWN.all(connection, number=number)
    return Whole(
        profile=Profile(
            id=number,
            name=row.name if row else None,
            native_name=row.native_name if row else None,
            country=row.country if row else None,
            sector=row.sector if row else None,
            side=row.side if row else None,
            organisation=row.organisation if row else None,
            role_title=row.role_title if row else None,
            time_zone=who.time_zone,
            languages=_list(connection, member_language, number),
            coalitions=_list(connection, member_coalition, number),
            topics=_list(connection, member_topic, number),
            needs=tuple(Help(w.topic, w.text, w.id) for w in wishes if w.kind == "need"),
            offers=tuple(Help(w.topic, w.text, w.id) for w in wishes if w.kind == "offer"),
            project=plan.title if plan else None,
            project_goal=plan.goal if plan else None,
            project_topics=tuple(plan.topics) if plan else (),
            facilitator=who.role == "facilitator",
        ),
        other_name=row.other_name if row else None,
        preset=Preset(who.preset),
        own={name: Audience(audience) for name, audience in own},
    )


def _list(connection: Connection, of: sa.Table, number: int) -> tuple[str, ...]:
    return tuple(value for (value,) in _LISTED[of].all(connection, number=number))


def pack(whole: Whole) -> dict[str, Any]:
    """A portrait as JSON; what is empty is left out."""
    of = whole.profile
    body: dict[str, Any] = {
        name: value
        for name in Profile.__dataclass_fields__
        if name not in _HELPS and (value := getattr(of, name)) not in (None, (), False)
    }
    for name in _HELPS:
        body[name] = [[one.topic, one.text, one.id] for one in getattr(of, name)]
    return {
        "profile": body,
        "other_name": whole.other_name,
        "own": {name: int(audience) for name, audience in whole.own.items()},
    }


def unpack(body: Mapping[str, Any], preset: str) -> Whole:
    """The portrait of `pack`, which it uses up; the preset is the member's present one."""
    of = body["profile"]
    for name in _LISTS:
        if name in of:
            of[name] = tuple(of[name])
    for name in _HELPS:
        of[name] = tuple([Help(*one) for one in of[name]])
    own = body["own"]
    return Whole(
        profile=Profile(**of),
        other_name=body["other_name"],
        preset=_PRESETS[preset],
        own={name: _AUDIENCES[audience] for name, audience in own.items()} if own else {},
    )

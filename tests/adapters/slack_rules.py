"""Slack's documented arguments and limits, as numbers: what the local server refuses and the property tests hold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Arguments by method: required, then optional (https://docs.slack.dev/reference/methods).
METHODS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(required.split()), frozenset(optional.split()))
    for name, required, optional in (
        ("auth.test", "", ""),
        ("bots.info", "", "bot team_id"),
        ("apps.connections.open", "", ""),
        ("chat.postMessage", "channel text", "blocks metadata mrkdwn thread_ts unfurl_links unfurl_media"),
        ("chat.update", "channel ts", "text blocks metadata"),
        ("chat.delete", "channel ts", ""),
        ("conversations.open", "users", "return_im"),
        ("conversations.history", "channel", "cursor include_all_metadata inclusive latest limit oldest"),
        ("users.info", "user", "include_locale"),
        ("views.open", "trigger_id view", ""),
        ("views.publish", "user_id view", "hash"),
        ("files.getUploadURLExternal", "filename length", "alt_txt snippet_type"),
        ("files.completeUploadExternal", "files", "channel_id initial_comment thread_ts"),
        ("files.delete", "file", ""),
    )
}
# https://docs.slack.dev/reference/block-kit/blocks and …/block-elements
SECTION_TEXT = 3_000
HEADER_TEXT = 150
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
OPTION_TEXT = 75
OPTION_VALUE = 150
OPTIONS = 100
FEW_OPTIONS = 10
ACTIONS = 25
IDENTIFIER = 255
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
LABEL = 2_000
TYPED = 3_000
# Not documented: seen near 13,200 (slackapi/bolt-js#2509).
ALL_BLOCKS = 12_000
# https://docs.slack.dev/reference/methods/chat.postMessage
MESSAGE_TEXT = 40_000
RECOMMENDED_TEXT = 4_000
# https://docs.slack.dev/reference/views
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000

TEXTS = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
BUTTON = {"type", "action_id", "text", "value", "style", "url", "confirm", "accessibility_label"}
BLOCKS = {
    "header": {"type", "block_id", "text"},
    "section": {"type", "block_id", "text", "fields", "accessory"},
    "actions": {"type", "block_id", "elements"},
    "input": {"type", "block_id", "label", "element", "hint", "optional", "dispatch_action"},
}
ESCAPED = re.compile(r"&(?!amp;|lt;|gt;)|[<>]")


def problems_of_message(call: Mapping[str, Any]) -> list[str]:
    """What Slack would refuse, or should not have been sent, of a message."""
    found = list(_blocks(call.get("blocks") or (), MESSAGE_BLOCKS, {"header", "section", "actions"}))
    text = call.get("text", "")
    if not isinstance(text, str) or not text.strip() or len(text) > MESSAGE_TEXT:
        found.append("text")
    found += [f"text: {problem}" for problem in _mrkdwn(text)]
    return found


def problems_of_view(view: Mapping[str, Any]) -> list[str]:
    """What Slack would refuse of a modal or a Home."""
    if view.get("type") == "home":
        found = list(_blocks(view.get("blocks") or (), VIEW_BLOCKS, set(BLOCKS)))
        return found + [f"home has {key}" for key in view.keys() - {"type", "blocks", "callback_id"}]
    known = {"type", "blocks", "callback_id", "private_metadata", "title", "submit", "close"}
    found = [f"view has {key}" for key in view.keys() - known]
    found += _blocks(view.get("blocks") or (), VIEW_BLOCKS, set(BLOCKS))
    for name in ("title", "submit", "close"):
        if name in view or name == "title":
            found += _text(view.get(name), VIEW_TITLE, name, plain=True)
    if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
        found.append("an input without submit")
    if len(view.get("private_metadata", "")) > PRIVATE_METADATA or len(view.get("callback_id", "")) > IDENTIFIER:
        found.append("view ids")
    return found


def strings(thing: Any) -> Iterator[str]:
    """Every text inside blocks."""
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, Mapping):
        for inner in thing.values():
            yield from strings(inner)
    elif isinstance(thing, Sequence):
        for inner in thing:
            yield from strings(inner)


def mrkdwn_of(thing: Any) -> Iterator[str]:
    """Every text in blocks that Slack would read as markup."""
    if isinstance(thing, Mapping):
        if thing.get("type") == "mrkdwn":
            yield thing["text"]
        for inner in thing.values():
            yield from mrkdwn_of(inner)
    elif isinstance(thing, list | tuple):
        for inner in thing:
            yield from mrkdwn_of(inner)


def _mrkdwn(text: str) -> Iterator[str]:
    if ESCAPED.search(text):
        yield "not escaped"


def _blocks(blocks: Sequence[Mapping[str, Any]], most: int, kinds: set[str]) -> Iterator[str]:
    if not 1 <= len(blocks) <= most:
        yield f"{len(blocks)} blocks"
    if sum(map(len, strings(blocks))) >= ALL_BLOCKS:
        yield "msg_blocks_too_long"
    actions = [element["action_id"] for block in blocks for element in block.get("elements", ())]
    identifiers = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(actions)) < len(actions) or len(set(identifiers)) < len(identifiers):
        yield "ids are not unique"
    for block in blocks:
        if block.get("type") not in kinds or block.keys() - BLOCKS[block["type"]]:
            yield f"block {block}"
            continue
        yield from BLOCK_CHECKS[block["type"]](block)
        yield from (problem for text in mrkdwn_of(block) for problem in _mrkdwn(text))


def _header(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _text(block.get("text"), HEADER_TEXT, "header", plain=True)


def _section(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _text(block.get("text"), SECTION_TEXT, "section")


def _actions(block: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= len(block["elements"]) <= ACTIONS:
        yield "actions"
    for button in block["elements"]:
        if button.get("type") != "button" or button.keys() - BUTTON or button.get("style", "primary") not in STYLES:
            yield f"button {button}"
        yield from _text(button.get("text"), BUTTON_TEXT, "button", plain=True)
        if not 1 <= len(button["action_id"]) <= IDENTIFIER or len(button.get("value", "")) > BUTTON_VALUE:
            yield "button ids"


def _input(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _text(block.get("label"), LABEL, "label", plain=True)
    if "hint" in block:
        yield from _text(block["hint"], LABEL, "hint", plain=True)
    if not 1 <= len(block.get("block_id", "")) <= IDENTIFIER:
        yield "block_id"
    element = block["element"]
    if element["type"] == "multi_users_select":
        if element.keys() - {"type", "action_id", "max_selected_items", "initial_users", "placeholder"}:
            yield f"people {element}"
        return
    if element["type"] == "plain_text_input":
        if not 1 <= element.get("max_length", TYPED) <= TYPED or len(element.get("initial_value", "")) > TYPED:
            yield "typed"
        return
    most = FEW_OPTIONS if element["type"] in ("checkboxes", "radio_buttons") else OPTIONS
    groups = element.get("option_groups")
    for options in [group["options"] for group in groups] if groups else [element["options"]]:
        if not 1 <= len(options) <= most:
            yield f"{len(options)} options"
        for option in options:
            yield from _text(option["text"], OPTION_TEXT, "option")
            if not 1 <= len(option["value"]) <= OPTION_VALUE:
                yield "option value"
    if groups and len(groups) > OPTIONS:
        yield "groups"
    for group in groups or ():
        yield from _text(group["label"], OPTION_TEXT, "group", plain=True)
    initial = element.get("initial_options") or [element.get("initial_option")]
    offered = [
        option for options in ([g["options"] for g in groups] if groups else [element["options"]]) for option in options
    ]
    if any(option is not None and option not in offered for option in initial):
        yield "initial option"


def _text(found: Any, most: int, where: str, *, plain: bool = False) -> Iterator[str]:
    if not isinstance(found, Mapping) or found.keys() - TEXTS.get(found.get("type", ""), set()):
        yield f"{where}: {found}"
        return
    if plain and found["type"] != "plain_text":
        yield f"{where} must be plain_text"
    if not found["text"].strip() or len(found["text"].encode("utf-16-le")) // 2 > most:
        yield f"{where}: {len(found['text'])} characters"


STYLES = ("primary", "danger")
BLOCK_CHECKS = {"header": _header, "section": _section, "actions": _actions, "input": _input}

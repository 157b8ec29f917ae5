"""In how many ways a call to Telegram can fail, for the local server."""

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Fault:
    """What happens instead of an ordinary answer, or after the work was done (`accepted`).

    `how`: answer (status, body), cut (closed without an answer), reset (TCP RST), slow (seconds), half (of a body).
    """

    how: str
    accepted: bool = False
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


async def fail(request: web.Request, fault: Fault, result: Any = None) -> web.StreamResponse:
    """Answer as the fault says; `result` is what a good answer would carry."""
    transport = request.transport
    assert transport is not None
    match fault.how:
        case "cut":
            transport.close()
        case "reset":
            raw: socket.socket = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        case "slow":
            await asyncio.sleep(fault.seconds)
            return web.json_response({"ok": True, "result": result})
        case "half":
            response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(b'{"ok": true, "res')
            transport.close()
            return response
        case _:
            return web.Response(
                status=fault.status, text=fault.body, headers={"Content-Type": "application/json", **fault.headers}
            )
    return web.Response()

"""Is it our own child that answers on this port? One bare HTTP exchange, repeated until it is.

Takes a Service and the pid it was given; says healthy, or why not yet. No HTTP client is used:
importing one costs more than starting a whole stack from a warm fork server.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from checkout_sim.stack.topology import HOST, Service

POLL_S = 0.005
_EXCHANGE_LIMIT_S = 2.0
_LONGEST_ANSWER_BYTES = 64 * 1024
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One answer of /health, or the lack of one; `why` says what is missing to `ready`."""

    ready: bool
    why: str


async def ask(service: Service, *, pid: int) -> Health:
    """Ask /health once, past every proxy; 2 s at most."""
    try:
        async with asyncio.timeout(_EXCHANGE_LIMIT_S):
            status, body = await _get(service.port, "/health")
    except TimeoutError:
        return Health(ready=False, why=f"/health gave no answer in {_EXCHANGE_LIMIT_S:.0f} s")
    except (OSError, ValueError, IndexError) as error:
        return Health(ready=False, why=f"/health could not be read ({error})")
    if body.get("instance") != service.token or body.get("pid") != pid:
        stranger = f"pid {body.get('pid')}, instance {body.get('instance')}"
        return Health(ready=False, why=f"the port is answered by another process ({stranger})")
    if status != _OK:
        return Health(ready=False, why=f"/health answers {status} ({body.get('status')})")
    return Health(ready=True, why="healthy")


async def _get(port: int, path: str) -> tuple[int, dict[str, Any]]:
    """Return status and JSON object of one GET; ValueError when it is neither."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        answer = await _read_all(reader)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError(f"expected a JSON object, found {document!r:.80}")  # noqa: TRY004
    return int(head.split()[1]), document


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < _LONGEST_ANSWER_BYTES and (chunk := await reader.read(65536)):
        answer += chunk
    return answer

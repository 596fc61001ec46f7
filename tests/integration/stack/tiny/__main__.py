"""Obeys services/README.md in what a supervisor needs: listening event, /health, SIGTERM.

`TINY_START` chooses how it fails: `die` before listening, `mute` (never listens), `sick` (/health
says 503), `stranger` (another's token), `stubborn` (deaf to SIGTERM), `twin` (two threads).
GET /emit?N writes N events, /die?N writes last words and exits N, /torn dies in mid-line,
/say?TEXT writes TEXT on standard output, /environ answers its environment.
"""

import asyncio
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from urllib.parse import unquote

_said = 0


def emit(kind: str, **data: object) -> None:
    global _said  # noqa: PLW0603  # one counter per process is the contract
    _said += 1
    line = {"n": _said, "ms": time.monotonic() * 1000, "kind": kind, "data": data}
    os.write(1, json.dumps(line).encode() + b"\n")


def main(environ: Mapping[str, str] | None = None) -> int:
    told = dict(os.environ if environ is None else environ)
    sys.stderr.write(f"tiny {told['TINY_NAME']} begins\n")
    if told.get("TINY_START") == "die":
        sys.stderr.write("tiny cannot go on: the moon is full\n")
        return 5
    return asyncio.run(serve(told))


async def serve(told: Mapping[str, str]) -> int:
    prefix = told["TINY_NAME"].upper()
    start = told.get("TINY_START", "")
    if start == "mute":
        await asyncio.Event().wait()
    if start == "twin":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    ended = asyncio.Event()
    if start == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    token = "another" if start == "stranger" else told[f"{prefix}_INSTANCE"]
    status = "503 Busy" if start == "sick" else "200 OK"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        path, _, argument = target.partition("?")
        body = _do(path, unquote(argument), told)
        body = body or {"status": "ok", "instance": token, "pid": os.getpid()}
        writer.write(f"HTTP/1.1 {status}\r\n\r\n{json.dumps(body)}".encode())
        await writer.drain()
        writer.close()

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(told[f"{prefix}_PORT"])))
    async with await asyncio.start_server(answer, sock=listener):
        emit("process.listening", port=listener.getsockname()[1], pid=os.getpid())
        await ended.wait()
    return 0


def _do(path: str, argument: str, told: Mapping[str, str]) -> dict[str, object] | None:
    match path:
        case "/emit":
            for number in range(int(argument)):
                emit("order.created", number=number)
        case "/say":
            os.write(1, argument.encode() + b"\n")
        case "/die":
            sys.stderr.write("tiny fell over: no more orders\n")
            sys.stderr.flush()
            os._exit(int(argument))
        case "/torn":
            os.write(1, b'{"n": 2, "ms": 1.0, "ki')
            os.kill(os.getpid(), signal.SIGKILL)
        case "/environ":
            return {"environ": dict(told), "pgid": os.getpgid(0), "chance": random.random()}
        case _:
            return None
    return {"done": path}


if __name__ == "__main__":
    sys.exit(main())

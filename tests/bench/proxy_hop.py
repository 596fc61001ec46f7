"""What one hop through each proxy server adds to a call: `python -m tests.bench.proxy_hop`.

A client and an echo upstream, each a process of its own, exchange 300 bytes over a kept
connection: directly, through the embedded server and through the real one, in interleaved rounds
so that a busy machine is busy for all. First as the scheduler places them, which on two cores
swings by 100 us from run to run; then all on one core, which leaves what a hop costs in work.
Prints medians beside their targets; asserts nothing.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from http.client import HTTPConnection
from multiprocessing import Process
from pathlib import Path
from time import monotonic, perf_counter_ns

from checkout_sim.stack.proxy_install import find_toxiproxy
from tests.bench.table import Figure, show

ROUNDS = 15
CALLS = 600
SIZE = 300
TARGET_US = 40.0
READY_LIMIT_S = 5.0


def free_port() -> int:
    """Give a port that is free now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def echo(listener: socket.socket) -> None:
    """Serve connections, each by a thread, until killed."""

    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(65536):
            connection.sendall(data)

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def api(port: int, method: str, path: str, body: object = None) -> dict[str, str]:
    """Make one API call."""
    connection = HTTPConnection("127.0.0.1", port, timeout=READY_LIMIT_S)
    try:
        connection.request(method, path, body=json.dumps(body) if body else None)
        answer: dict[str, str] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def start(command: list[str], upstream: int, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a proxy server with one link; give it and the link's port."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "-host", "127.0.0.1", "-port", str(port)], stdout=output, stderr=output
        )
    until, poll = monotonic() + READY_LIMIT_S, threading.Event()
    while True:
        try:
            wanted = {"name": "a", "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream}"}
            shown = api(port, "POST", "/proxies", wanted)
            return process, int(shown["listen"].rpartition(":")[2])
        except OSError:
            if monotonic() > until:
                process.kill()
                raise
            poll.wait(0.01)


def exchange(connection: socket.socket) -> list[float]:
    """Make calls one after the other; give the microseconds of each."""
    payload, took = b"x" * SIZE, []
    for _ in range(CALLS):
        started = perf_counter_ns()
        connection.sendall(payload)
        left = SIZE
        while left:
            left -= len(connection.recv(left))
        took.append((perf_counter_ns() - started) / 1000)
    return took


def figures(*, rounds: int = ROUNDS) -> list[Figure]:
    """Measure as placed by the scheduler, then on one core, where the platform can pin."""
    measured = compare("", rounds)
    if hasattr(os, "sched_setaffinity"):
        everywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(everywhere)})
        try:
            measured += compare(", on one core", rounds)
        finally:
            os.sched_setaffinity(0, everywhere)
    return measured


def compare(how: str, rounds: int) -> list[Figure]:
    """Start all parts, which inherit where they may run, and measure."""
    listener = socket.create_server(("127.0.0.1", 0))
    upstream = Process(target=echo, args=(listener,), daemon=True)
    upstream.start()
    commands = {"embedded": [sys.executable, "-m", "checkout_sim.proxy"]}
    real = os.environ.get("TOXIPROXY_SERVER") or find_toxiproxy().program
    if real:
        commands["real"] = [str(real)]
    ports = {"direct": listener.getsockname()[1]}
    started: list[subprocess.Popen[bytes]] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, command in commands.items():
                process, ports[name] = start(command, ports["direct"], Path(folder) / name)
                started.append(process)
            return added(measure(ports, rounds), how)
    finally:
        for process in started:
            process.kill()
            process.wait()
        upstream.kill()
        listener.close()


def measure(ports: dict[str, int], rounds: int) -> dict[str, list[float]]:
    """Give each way's median per round."""
    ways = {name: socket.create_connection(("127.0.0.1", port)) for name, port in ports.items()}
    for connection in ways.values():
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        exchange(connection)
    medians: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, connection in ways.items():
            medians[name].append(statistics.median(exchange(connection)))
    for connection in ways.values():
        connection.close()
    return medians


def added(medians: dict[str, list[float]], how: str) -> list[Figure]:
    """Return what each hop adds, round by round against the direct way of the same round."""
    direct = medians.pop("direct")
    cost = {
        name: statistics.median(a - b for a, b in zip(each, direct, strict=True))
        for name, each in medians.items()
    }
    embedded_us, real_us = cost["embedded"], cost.get("real")
    hop = Figure(
        name=f"embedded proxy adds, p50 per hop{how}",
        value=embedded_us,
        unit="us",
        target=TARGET_US,
    )
    if real_us is None:
        return [hop]
    return [
        hop,
        Figure(name=f"real Toxiproxy adds{how}", value=real_us, unit="us"),
        Figure(name=f"embedded over real{how}", value=embedded_us / real_us, unit="x", target=1.0),
    ]


if __name__ == "__main__":
    show(figures())

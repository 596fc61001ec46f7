"""A history: what was seen, one observation after another, and nothing else.

The file `history.ndjson` holds one observation per line; its `data` fields by kind are the
contract between the runner and the judge:

    run.opened        scenario, path, digest, strategy, seed, checkouts, proof_checkouts,
                      faults [DeclaredFault as object], database: sqlite | postgres,
                      links [names carrying this strategy],
                      invariants [names], expect {Expectation as object} | null, time_scale,
                      settings {service: {name: value}},
                      engine {name, version}, tool, python, history_version (1)
    phase.entered     phase: start | storm | calm | settle | read | judged
    evidence.gap      message: where a process's log counter was broken, or what could not be
                      mended after the storm
    machine.hiccup    cpu | null, ms: how long a processor of the machine stood still until now
    client.sent       attempt, body_digest, card, patience_ms, proof (bool: a proof checkout)
    client.ended      attempt, claim: confirmed | failed | refused | unknown, http_status | null,
                      error | null (refused, connect_timeout, timeout, reset, disconnected,
                      unreadable, walked_away), duration_ms,
                      document {order_id, status, total_minor, currency} | null, proof
    client.cancel_sent / client.cancel_ended   http_status | null, error | null
    client.found      http_status | null, status | null
    process.started   process, instance, pid, port;   .killed .paused .resumed the same
    process.exited    process, instance, pid, exit_status, asked (bool), last_lines [..]
    fault.injected    window, target (link or process or control), type, toxics [read back], bounce
    fault.lifted      window, how;   fault.failed: window, message
    fault.foreign     link, toxic {as PlacedToxic}: somebody else put it on a link of ours
    operator.asked    command {as object of model/command.py, `is` names it}, by
    operator.noted    text, mark: none | begin | end, by
    operator.shopper  cart [Line], card, patience_ms, behaviour: who is sent in next (checkout)
    operator.healed   foreign (bool): nothing is left of what was done to links and processes
    quiet.reached     waited_ms;   quiet.given_up: reason (stalled | spent), undecided {name: [id]},
                      moving [names]
    ledger.read       name: orders | payments | journal | carts, row {…}
    ledger.ended      name, rows, digest;   ledger.failed: name, message

What a replica beyond the first logs carries its `instance`. Kinds logged by services (`order.*`,
`payment.*`, `gateway.*`, `call.*`) and ledger rows are described in services/README.md. `fault` on
an observation names the scenario's fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HISTORY_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing seen. `id` counts 1, 2, 3 … without gaps; violations quote it.

    `t_ms` is the recorder's monotonic clock since the run began; `source_ms` the emitter's
    monotonic clock (same host). `order` and `key` are what the emitter named.
    """

    id: int
    t_ms: float
    source: str  # client, order, payment, gateway, supervisor, runner, ledger, machine
    kind: str
    source_ms: float | None = None
    checkout: int | None = None
    order: str | None = None
    key: str | None = None
    fault: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

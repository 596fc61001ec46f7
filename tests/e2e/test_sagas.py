"""Sagas as a person meets them: one that is stuck is told of with its log, never passed over."""

from pathlib import Path

from checkout_sim.ndjson import read_history
from tests.e2e.command import checkout_sim, histories

STUCK = """
version: 1
name: stuck
why: The orchestrator dies with a charge under way, and nobody waits for its lease to run out.
load: {checkouts: 1}
settle: {stalled_for: 1s}
faults:
  - name: hold
    link: payment_to_gateway
    toxic: latency
    stream: downstream
    attributes: {latency: 400ms}
    from: {before_checkout: 1}
  - name: crash
    process: orchestrator
    do: kill
    at: {event: payment.charge_requested, checkout: 1}
    ahead_of: order.confirmed
    restart: calm
stack:
  settings: {orchestrator: {lease: 600s}}
expect:
  orchestrated: {verdict: invalid, trips: [every_order_ends]}
"""


def test_a_saga_that_is_stuck_at_the_end_is_unsettled_and_told_of_with_its_log(
    tmp_path: Path,
) -> None:
    (tmp_path / "stuck.yaml").write_text(STUCK)
    ended = checkout_sim("run", "stuck.yaml", "-v", "--engine", "embedded", cwd=tmp_path)

    assert ended.code == 0, ended.out + ended.err
    told = " ".join(ended.out.split())
    assert "its saga is running, forward: create STARTED, create DONE, charge STARTED" in told
    (path,) = histories(tmp_path)
    seen = list(read_history(path))
    (given_up,) = [one.data for one in seen if one.kind == "quiet.given_up"]
    (saga,) = [
        one.data["row"] for one in seen if one.kind == "ledger.read" and one.data["name"] == "sagas"
    ]
    assert given_up["undecided"]["orchestrator"] == [saga["order_id"]]
    log = [
        one.data["row"]
        for one in seen
        if one.kind == "ledger.read" and one.data["name"] == "saga_steps"
    ]
    assert [(row["step"], row["phase"]) for row in log] == [
        ("create", "STARTED"),
        ("create", "DONE"),
        ("charge", "STARTED"),
    ]

"""The kinds of toxics, by the name the API gives them; one small file each."""

from checkout_sim.proxy.chain import Stage
from checkout_sim.proxy.toxics.bandwidth import Bandwidth
from checkout_sim.proxy.toxics.latency import Latency
from checkout_sim.proxy.toxics.limit_data import LimitData
from checkout_sim.proxy.toxics.noop import Noop
from checkout_sim.proxy.toxics.reset_peer import ResetPeer
from checkout_sim.proxy.toxics.slicer import Slicer
from checkout_sim.proxy.toxics.slow_close import SlowClose
from checkout_sim.proxy.toxics.timeout import Timeout

KINDS: dict[str, type[Stage]] = {
    kind.kind: kind
    for kind in (Bandwidth, Latency, LimitData, Noop, ResetPeer, Slicer, SlowClose, Timeout)
}

"""The tool's own hand on toxics (`faults/toxics.py`), against both servers and a hung one."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from checkout_sim.faults.toxics import Toxiproxy
from checkout_sim.model.errors import FaultNotApplied
from checkout_sim.model.fault import PlacedToxic, Stream, ToxicType
from tests.proxy.world import ProxyUnderTest, Upstream, World, eventually

LONG_MS = 30_000


def toxic(kind: ToxicType, stream: Stream = "upstream", **attributes: int) -> PlacedToxic:
    return PlacedToxic(name=f"t_{kind}_{stream}", type=kind, stream=stream, attributes=attributes)


@pytest.fixture
async def toxics(world: World) -> AsyncIterator[Toxiproxy]:
    made = Toxiproxy(f"http://127.0.0.1:{world.server.port}")
    yield made
    await made.close()


@pytest.fixture
def proxy(world: World, upstream: Upstream) -> ProxyUnderTest:
    return world.proxy(upstream.address)


async def test_the_version_is_read_from_either_server(toxics: Toxiproxy) -> None:
    assert await toxics.version() in {"2.12.0", "git"}


async def test_what_is_added_is_read_back(toxics: Toxiproxy, proxy: ProxyUnderTest) -> None:
    wanted = (toxic("latency", latency=5), toxic("bandwidth", "downstream", rate=7))
    applied = await toxics.add(proxy.name, wanted, bounce=False)
    assert [each.name for each in applied.state.toxics] == [each.name for each in wanted]
    assert applied.state == await toxics.read(proxy.name)
    assert (applied.state.enabled, applied.bounced) == (True, False)
    await toxics.remove(proxy.name, wanted, how="release")
    assert (await toxics.read(proxy.name)).toxics == ()


async def test_adding_live_leaves_connections_open_and_a_bounce_closes_them(
    toxics: Toxiproxy, proxy: ProxyUnderTest, world: World
) -> None:
    client = await world.connect(proxy)
    await toxics.add(proxy.name, [toxic("latency", latency=1)], bounce=False)
    await client.send(b"a")
    assert await client.get(1) == b"a"
    applied = await toxics.add(proxy.name, [toxic("reset_peer", timeout=0)], bounce=True)
    assert await client.end() == (b"", "eof")
    assert (applied.bounced, applied.state.enabled) == (True, True)
    again = await world.connect(proxy)
    await again.send(b"b")
    assert await again.end() == (b"", "ConnectionResetError")


@pytest.mark.parametrize(("how", "arrives"), [("release", True), ("cut", False)])
async def test_lifting_releases_what_is_held_or_cuts_it(
    toxics: Toxiproxy,
    proxy: ProxyUnderTest,
    world: World,
    upstream: Upstream,
    how: str,
    arrives: bool,  # noqa: FBT001 a parameter of the story
) -> None:
    hold = (toxic("latency", latency=LONG_MS), toxic("bandwidth", rate=0))
    await toxics.add(proxy.name, hold, bounce=False)
    client = await world.connect(proxy)
    await client.send(b"held")
    witness = await world.connect(world.proxy(upstream.address))
    await witness.send(b"w")
    assert await witness.get(1) == b"w"
    await toxics.remove(proxy.name, hold, how="release" if how == "release" else "cut")
    other = await world.connect(proxy)
    await other.send(b"after")
    assert await other.get(5) == b"after"
    if arrives:
        assert await client.get(4) == b"held"
    else:
        assert (await client.end())[0] == b""
    assert (b"held" in upstream.text) == arrives


async def test_thawing_two_hundred_connections_at_once_passes_on_what_each_held(
    toxics: Toxiproxy, proxy: ProxyUnderTest, world: World, upstream: Upstream
) -> None:
    """Raising the rate of a frozen link instead ends Toxiproxy 2.12.0, the surer the more hold.

    Each looks every 100 ms, counted from its own chunk, so the chunks come one after another.
    """
    hold = (toxic("bandwidth", rate=0),)
    clients = [await world.connect(proxy) for _ in range(200)]
    await toxics.add(proxy.name, hold, bounce=False)
    witness = await world.connect(world.proxy(upstream.address))
    for client in clients:
        await client.send(b"held")
        await witness.send(b"w")
        assert await witness.get(1) == b"w"
    await toxics.remove(proxy.name, hold, how="release")

    assert {await client.get(4) for client in clients} == {b"held"}


async def test_lifting_a_cutting_toxic_bounces_the_link_so_no_survivor_is_struck(
    toxics: Toxiproxy, proxy: ProxyUnderTest, world: World
) -> None:
    armed = (toxic("reset_peer", timeout=0),)
    await toxics.add(proxy.name, armed, bounce=True)
    opened_under_it = await world.connect(proxy)
    await toxics.remove(proxy.name, armed, how="release")
    await opened_under_it.end()
    after = await world.connect(proxy)
    await after.send(b"a")
    assert await after.get(1) == b"a"


async def test_down_refuses_until_up(
    toxics: Toxiproxy, proxy: ProxyUnderTest, world: World
) -> None:
    applied = await toxics.down(proxy.name)
    assert applied.state.enabled is False
    with pytest.raises(ConnectionRefusedError):
        await world.connect(proxy)
    await toxics.up(proxy.name)
    await world.connect(proxy)


async def test_toxics_come_and_go_on_a_link_that_stays_down(
    toxics: Toxiproxy, proxy: ProxyUnderTest
) -> None:
    await toxics.down(proxy.name)
    wanted = (toxic("timeout", timeout=0),)
    await toxics.add(proxy.name, wanted, bounce=True)
    await toxics.remove(proxy.name, wanted, how="cut")
    assert (await toxics.read(proxy.name)).enabled is False


async def test_heal_undoes_all_of_ours_leaves_what_is_not_and_may_be_repeated(
    toxics: Toxiproxy, proxy: ProxyUnderTest, world: World, upstream: Upstream
) -> None:
    other = world.proxy(upstream.address)
    foreign = proxy.add("latency", "downstream", latency=1)
    await toxics.add(
        proxy.name,
        [toxic("bandwidth", rate=0), toxic("limit_data", "downstream", bytes=1)],
        bounce=True,
    )
    await toxics.down(other.name)
    await toxics.heal()
    await toxics.heal()
    assert [each.name for each in (await toxics.read(proxy.name)).toxics] == [foreign]
    assert (await toxics.read(other.name)).enabled is True


async def test_heal_names_what_it_could_not_undo_and_undoes_the_rest(
    toxics: Toxiproxy, proxy: ProxyUnderTest, world: World, upstream: Upstream
) -> None:
    lost = world.proxy(upstream.address)
    for each in (lost, proxy):
        await toxics.add(each.name, [toxic("latency", latency=1)], bounce=False)
    lost.call("DELETE")
    with pytest.raises(FaultNotApplied, match=f"not healed: {lost.name} .*proxy not found"):
        await toxics.heal()
    assert (await toxics.read(proxy.name)).toxics == ()


async def test_a_refusal_says_what_was_refused_and_is_not_ours_to_undo(
    toxics: Toxiproxy, proxy: ProxyUnderTest
) -> None:
    taken = proxy.call("POST", "/toxics", {"name": "t_latency_upstream", "type": "noop"})
    assert taken.status == 200
    with pytest.raises(FaultNotApplied, match="409 toxic already exists"):
        await toxics.add(proxy.name, [toxic("latency", latency=1)], bounce=True)
    state = await toxics.read(proxy.name)
    assert (state.enabled, [each.type for each in state.toxics]) == (True, ["noop"])
    await toxics.heal()
    assert len((await toxics.read(proxy.name)).toxics) == 1


async def test_a_window_refused_for_the_one_before_it_leaves_that_one_to_be_healed(
    toxics: Toxiproxy, proxy: ProxyUnderTest
) -> None:
    swallow = toxic("timeout", "downstream", timeout=0)
    await toxics.add(proxy.name, [swallow], bounce=False)
    with pytest.raises(FaultNotApplied, match="already exists"):
        await toxics.add(proxy.name, [swallow], bounce=False)

    await toxics.heal()

    assert (await toxics.read(proxy.name)).toxics == ()


async def test_a_read_back_that_differs_is_not_applied(
    toxics: Toxiproxy, proxy: ProxyUnderTest
) -> None:
    with pytest.raises(FaultNotApplied, match=r"read back .*t_latency_upstream reads"):
        await toxics.add(proxy.name, [toxic("latency", latency=5, wrong=1)], bounce=False)


async def test_an_unknown_link_is_named(toxics: Toxiproxy) -> None:
    with pytest.raises(FaultNotApplied, match=r"nowhere: reading it: .*404 proxy not found"):
        await toxics.read("nowhere")


async def test_a_server_closing_idle_connections_is_not_noticed(
    proxy: ProxyUnderTest, world: World
) -> None:
    """The kept connection passes a proxy here, so that it can be cut."""
    way = world.proxy(f"127.0.0.1:{world.server.port}")
    kept = Toxiproxy(f"http://{way.address}")
    await kept.read(proxy.name)
    way.enable(enabled=False)
    way.enable()
    applied = await kept.add(proxy.name, [toxic("latency", latency=1)], bounce=False)
    assert [each.name for each in applied.state.toxics] == ["t_latency_upstream"]
    await kept.close()


async def test_a_server_that_does_not_answer_is_given_up_after_two_seconds(
    world: World,
) -> None:
    silent = await world.upstream(echo=False)
    stuck = Toxiproxy(f"http://{silent.address}")
    asked = monotonic()
    with pytest.raises(FaultNotApplied, match="no answer"):
        await stuck.add("any", [toxic("latency", latency=1)], bounce=False)
    assert 2.0 <= monotonic() - asked < 10
    await stuck.close()


async def test_a_strike_lands_between_a_callee_having_worked_and_its_reply(
    toxics: Toxiproxy, proxy: ProxyUnderTest, world: World, upstream: Upstream
) -> None:
    """Hold downstream, see the request at the callee, strike: the reply is lost."""
    hold = (toxic("bandwidth", "downstream", rate=0),)
    await toxics.add(proxy.name, hold, bounce=False)
    client = await world.connect(proxy)
    await client.send(b"request")
    await eventually(lambda: upstream.text == b"request")
    ending = asyncio.create_task(client.end())
    await toxics.down(proxy.name)
    assert await ending == (b"", "eof")
    await toxics.heal()

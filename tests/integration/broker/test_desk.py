"""The tool's hand on a run's messages: every deed confirmed, nothing lost, nothing taken away."""

import asyncio
import json

import aio_pika
import pytest

from checkout_sim.faults.broker import BrokerDesk
from checkout_sim.model.errors import FaultNotApplied, LedgerUnreadable, StackDidNotStart
from checkout_sim.model.fault import BrokerFault
from checkout_sim.model.plan import Inject
from checkout_sim.model.seen import ServiceLine
from checkout_sim.stack.ports import LOOPBACK
from checkout_sim.stack.rabbitmq import RabbitMQ

from .world import Reader, placed


def step(kind: BrokerFault) -> Inject:
    return Inject(fault="meddling", window=1, kind=kind)


async def waiting_in_queue(url: str, scope: str, *names: str) -> None:
    """Publish messages to payment's queue, which nobody reads."""
    async with Reader(url, scope, "order.events").running() as order:
        for name in names:
            await order.bus.publish(placed(name))


async def read(url: str, scope: str, count: int) -> list[str | None]:
    """Read so many messages as payment would; return their ids in order."""
    async with Reader(url, scope, "payment.events").running() as payment:
        await payment.until_handled(count)
        return [delivery.message_id for delivery in payment.handled]


async def test_reversed_messages_arrive_last_first(url: str, scope: str, desk: BrokerDesk) -> None:
    await waiting_in_queue(url, scope, "msg_1", "msg_2", "msg_3")
    kind = BrokerFault(do="reverse", queue="payment.events", count=3)
    done = await desk.meddle(step(kind), kind)
    assert done.seen == "broker.reversed"
    assert done.data["message_ids"] == ["msg_3", "msg_2", "msg_1"]
    assert await read(url, scope, 3) == ["msg_3", "msg_2", "msg_1"]


async def test_a_duplicate_has_the_id_of_its_original(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    await waiting_in_queue(url, scope, "msg_1", "msg_2")
    kind = BrokerFault(do="duplicate", queue="payment.events")
    assert (await desk.meddle(step(kind), kind)).seen == "broker.duplicated"
    assert await read(url, scope, 3) == ["msg_1", "msg_2", "msg_1"]


async def test_what_is_published_can_name_the_order_of_a_checkout(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    heard: list[ServiceLine] = []
    created = ServiceLine(
        "order", 1, 1, 0.0, "order.created", "ord_7", None, {"user_id": "shopper-3"}
    )
    desk.before(heard.append)(created)
    assert heard == [created]
    kind = BrokerFault(
        do="publish",
        queue="payment.events",
        topic="order.placed",
        body='{"orderId": "$order"}',
        checkout=3,
    )
    async with Reader(url, scope, "payment.events").running() as payment:
        await payment.until_connected()
        assert (await desk.meddle(step(kind), kind)).seen == "broker.published"
        await payment.until_handled()
    (delivery,) = payment.handled
    assert (json.loads(delivery.body), delivery.topic) == ({"orderId": "ord_7"}, "order.placed")


async def test_a_message_about_an_order_that_is_not_there_yet_is_refused(desk: BrokerDesk) -> None:
    kind = BrokerFault(do="publish", queue="payment.events", body="$order", checkout=3)
    with pytest.raises(FaultNotApplied, match="checkout 3 has no order yet"):
        await desk.meddle(step(kind), kind)


async def test_a_message_for_a_queue_that_is_not_there_is_not_said_to_be_published(
    desk: BrokerDesk,
) -> None:
    kind = BrokerFault(do="publish", queue="payment.events", body="{}")
    with pytest.raises(FaultNotApplied, match="did not confirm"):
        await desk.meddle(step(kind), kind)


async def test_too_few_messages_cannot_be_turned_round_and_none_is_lost(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    await waiting_in_queue(url, scope, "msg_1")
    kind = BrokerFault(do="reverse", queue="payment.events", count=2)
    with pytest.raises(FaultNotApplied, match="1 messages waited"):
        await desk.meddle(step(kind), kind)
    assert await read(url, scope, 1) == ["msg_1"]


async def test_dead_letters_stay_where_they_are_however_often_they_are_read(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    await waiting_in_queue(url, scope)
    async with Reader(url, scope, "order.events").running() as order:
        await order.until_connected()
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            for name in ("a", "b"):
                message = aio_pika.Message(b"x", message_id=name, headers={"reason": "why"})
                await channel.default_exchange.publish(
                    message, routing_key=f"{scope}.order.events.dead"
                )
    first = await desk.dead_letters()
    assert [(row["message_id"], row["reason"]) for row in first] == [("a", "why"), ("b", "why")]
    assert await desk.dead_letters() == first
    assert (await desk.waiting()).count == 0


async def test_two_questions_at_once_are_both_answered(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    await waiting_in_queue(url, scope, "msg_1")
    counts = await asyncio.gather(desk.waiting(), desk.waiting(), desk.waiting())
    assert [open_.count for open_ in counts] == [1, 1, 1]


async def test_a_stack_is_ready_once_both_queues_have_a_reader(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    async with Reader(url, scope, "payment.events").running() as payment:
        await payment.until_connected()
        with pytest.raises(StackDidNotStart, match=r"order\.events had no reader"):
            await desk.ready(0.2)
        async with Reader(url, scope, "order.events").running():
            await desk.ready(30.0)


async def test_a_deadline_is_kept_whatever_the_connection_was_doing_just_then(
    url: str, scope: str
) -> None:
    """Those of `asyncio.timeout` were lost, one in twenty-six, and the asking went on for ever."""
    for turn in range(40):
        desk = BrokerDesk(url, scope)
        async with asyncio.timeout(30):
            with pytest.raises(StackDidNotStart):
                await desk.ready(0.01 + turn / 1000)
        await desk.close()


async def test_without_time_to_ask_no_queue_is_known_to_have_a_reader(desk: BrokerDesk) -> None:
    with pytest.raises(StackDidNotStart, match=r"payment\.events, order\.events had no reader"):
        await desk.ready(0)


async def test_a_broker_that_is_not_there_is_unreadable_and_not_empty(rabbitmq: RabbitMQ) -> None:
    desk = BrokerDesk(rabbitmq.url_at(LOOPBACK, 1, scope="s"), "s")
    with pytest.raises(LedgerUnreadable):
        await desk.waiting()
    with pytest.raises(LedgerUnreadable):
        await desk.dead_letters()

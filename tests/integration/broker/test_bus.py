"""A bus on a real RabbitMQ: confirmed, handled, tried again, set aside, and back after a cut."""

import asyncio

import aio_pika
import pytest

from checkout_sim.faults.broker import BrokerDesk
from checkout_sim.stack.proxy_server import ProxiedLink, RunningProxyServer, start_proxy_server
from checkout_sim.stack.rabbitmq import RabbitMQ
from services.chassis.bus import Message
from services.chassis.delivery import Unhandled
from services.chassis.errors import DatabaseUnavailable
from services.chassis.messaging import NotPublished

from .world import LIMIT_S, TRIES, Reader, placed


async def test_a_message_is_published_once_the_broker_has_it_and_handled_once(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    async with Reader(url, scope, "payment.events").running() as payment:
        await payment.bus.publish(placed())
        await payment.until_handled()
    (delivery,) = payment.handled
    assert (delivery.message_id, delivery.topic, delivery.order) == (
        "msg_1",
        "order.placed",
        "ord_1",
    )
    assert delivery.deliveries == 1
    assert len(payment.emitted("message.published")) == 1
    assert (await desk.waiting()).count == 0


async def test_what_one_service_declares_is_enough_for_the_other_to_publish_to(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    async with Reader(url, scope, "order.events").running() as order:
        await order.bus.publish(placed())
        assert (await desk.waiting()).ids == ("payment.events: 1 waiting",)
    async with Reader(url, scope, "payment.events").running() as payment:
        await payment.until_handled()


async def test_what_no_queue_takes_is_not_published(url: str, scope: str) -> None:
    async with Reader(url, scope, "order.events").running() as order:
        await order.until_connected()
        with pytest.raises(NotPublished):
            await order.bus.publish(
                Message(id="m", topic="weather.sunny", order="ord_1", body="{}")
            )
    assert order.emitted("message.published") == []
    assert [event["data"]["error"] for event in order.emitted("call.ended")] == ["unreadable"]


async def test_a_message_that_cannot_be_handled_yet_comes_again_later(url: str, scope: str) -> None:
    payment = Reader(url, scope, "payment.events")
    payment.failures.append(Unhandled("not yet"))
    async with payment.running():
        await payment.bus.publish(placed())
        await payment.until_handled()
    assert [delivery.deliveries for delivery in payment.handled] == [2]
    assert payment.handled[0].topic == "order.placed"


async def test_a_message_nobody_can_handle_is_set_aside_after_its_tries_and_others_pass(
    url: str, scope: str, desk: BrokerDesk
) -> None:
    payment = Reader(url, scope, "payment.events")
    payment.failures.extend(Unhandled("never") for _ in range(TRIES))
    async with payment.running():
        await payment.bus.publish(placed(body="poison"))
        (dead,) = await payment.until_emitted("message.dead_lettered")
        await payment.bus.publish(placed("msg_2"))
        await payment.until_handled()
    assert (dead["data"]["deliveries"], dead["data"]["reason"]) == (TRIES, "never")
    received = [event["data"]["deliveries"] for event in payment.emitted("message.received")]
    assert received == [1, 2, 3, 1]
    (letter,) = await desk.dead_letters()
    assert (letter["queue"], letter["message_id"], letter["reason"], letter["body"]) == (
        "payment.events.dead",
        "msg_1",
        "never",
        "poison",
    )


async def test_a_bug_in_a_handler_is_contained_like_poison(url: str, scope: str) -> None:
    payment = Reader(url, scope, "payment.events")
    payment.failures.extend(ZeroDivisionError() for _ in range(TRIES))
    async with payment.running():
        await payment.bus.publish(placed())
        (dead,) = await payment.until_emitted("message.dead_lettered")
    assert dead["data"]["reason"] == "it broke its consumer"


async def test_a_database_that_is_down_is_no_fault_of_the_message(url: str, scope: str) -> None:
    payment = Reader(url, scope, "payment.events")
    payment.failures.extend(DatabaseUnavailable("down", definite=True) for _ in range(TRIES + 2))
    async with payment.running():
        await payment.bus.publish(placed())
        await payment.until_handled()
    assert [delivery.deliveries for delivery in payment.handled] == [1]


async def test_a_message_whose_consumer_died_unhandled_comes_to_the_next(
    url: str, scope: str
) -> None:
    dying = Reader(url, scope, "payment.events")
    dying.always = DatabaseUnavailable("down", definite=True)
    async with dying.running():
        await dying.bus.publish(placed())
        await dying.until_emitted("message.received")
    async with Reader(url, scope, "payment.events").running() as heir:
        await heir.until_handled()
    assert heir.handled[0].deliveries == 1


async def test_a_consumer_the_broker_has_forgotten_subscribes_again(url: str, scope: str) -> None:
    """As when a queue is lost with its replica (ag2ai/faststream#2758): nobody closes anything."""
    async with Reader(url, scope, "payment.events").running() as payment:
        await payment.until_connected()
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            await channel.queue_delete(f"{scope}.payment.events")
        await payment.until_connected(2)
        await payment.bus.publish(placed())
        await payment.until_handled()


@pytest.fixture
async def link(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> RunningProxyServer:
    return await start_proxy_server(
        engine="embedded",
        folder=tmp_path_factory.mktemp("proxy"),
        links=[ProxiedLink(name="order_to_broker", upstream=f"127.0.0.1:{rabbitmq.port}")],
    )


async def test_a_cut_connection_is_replaced_by_one_that_consumes(
    rabbitmq: RabbitMQ, scope: str, url: str, link: RunningProxyServer
) -> None:
    host, port = link.listening["order_to_broker"]
    proxied = rabbitmq.url_at(host, port, scope=scope)
    try:
        async with Reader(proxied, scope, "payment.events").running() as payment:
            await payment.bus.publish(placed())
            await payment.until_handled()
            await link.stop()  # every connection ends, and nobody listens
            with pytest.raises(NotPublished):
                await payment.bus.publish(placed("msg_2"))
            assert payment.emitted("call.ended")[-1]["data"]["error"] in {
                "refused",
                "reset",
                "disconnected",
            }
    finally:
        await link.stop()
    async with Reader(url, scope, "payment.events").running() as heir:
        await heir.bus.publish(placed("msg_2"))
        async with asyncio.timeout(LIMIT_S):
            await heir.until_handled()
    assert [delivery.message_id for delivery in heir.handled][-1] == "msg_2"

import os
import socket
import struct
import sys

import pytest

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.stack.ports import LOOPBACK, PortReservation

# linux/in.h; since Linux 6.3 a socket may narrow the range its automatic port is drawn from.
IP_LOCAL_PORT_RANGE = 51


def a_child_listens(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    listener.listen()
    return listener


def only_from(port: int) -> socket.socket:
    """Return a socket whose automatic port can be this one alone."""
    stranger = socket.socket()
    try:
        stranger.setsockopt(
            socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("I", port << 16 | port)
        )
    except OSError:
        stranger.close()
        pytest.skip("needs Linux 6.3, whose sockets can narrow their port range")
    return stranger


def test_a_child_listens_on_the_reserved_port_and_is_reached() -> None:
    with (
        PortReservation() as reserved,
        a_child_listens(reserved.port) as listener,
        socket.create_connection((LOOPBACK, reserved.port)) as caller,
    ):
        accepted, address = listener.accept()
        accepted.close()
        assert caller.getsockname() == address


def test_a_dead_childs_port_refuses() -> None:
    with PortReservation() as reserved:
        a_child_listens(reserved.port).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, reserved.port))


def test_the_next_child_listens_on_the_same_port_though_connections_of_the_last_linger() -> None:
    with PortReservation() as reserved:
        with a_child_listens(reserved.port) as first:
            caller = socket.create_connection((LOOPBACK, reserved.port))
            accepted, _ = first.accept()
            accepted.close()  # the server closes first, so its end lingers in TIME_WAIT
            assert caller.recv(1) == b""
            caller.close()
        with a_child_listens(reserved.port):
            socket.create_connection((LOOPBACK, reserved.port)).close()


def test_a_stranger_that_asks_for_the_port_itself_is_refused() -> None:
    with (
        PortReservation() as reserved,
        socket.socket() as stranger,
        pytest.raises(OSError, match="in use"),
    ):
        stranger.bind((LOOPBACK, reserved.port))


@pytest.mark.skipif(sys.platform != "linux", reason="IP_LOCAL_PORT_RANGE is Linux's")
def test_a_stranger_that_asks_for_any_port_is_never_given_the_reserved_one() -> None:
    with (
        PortReservation() as reserved,
        only_from(reserved.port) as stranger,
        pytest.raises(OSError, match="in use"),
    ):
        stranger.bind((LOOPBACK, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="IP_LOCAL_PORT_RANGE is Linux's")
def test_a_stranger_that_asks_for_any_port_to_share_is_never_given_the_reserved_one() -> None:
    with PortReservation() as reserved, only_from(reserved.port) as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            stranger.bind((LOOPBACK, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="IP_LOCAL_PORT_RANGE is Linux's")
def test_a_caller_is_never_given_the_reserved_port_as_its_own() -> None:
    with (
        PortReservation() as reserved,
        socket.create_server((LOOPBACK, 0)) as elsewhere,
        only_from(reserved.port) as caller,
        pytest.raises(OSError, match="assign requested address"),
    ):
        caller.connect(elsewhere.getsockname())


@pytest.mark.skipif(sys.platform != "linux", reason="IP_LOCAL_PORT_RANGE is Linux's")
def test_the_narrowed_range_would_give_the_port_if_it_were_free() -> None:
    with PortReservation() as reserved:
        port = reserved.port
    with only_from(port) as stranger:
        stranger.bind((LOOPBACK, 0))
        assert stranger.getsockname()[1] == port


def test_a_port_given_back_may_be_reserved_again() -> None:
    with PortReservation() as reserved:
        port = reserved.port
    with PortReservation(port) as again:
        assert again.port == port


def test_a_fixed_port_that_is_taken_stops_the_start_and_names_the_holder() -> None:
    with socket.create_server((LOOPBACK, 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(StackDidNotStart) as stopped:
            PortReservation(port, wanted_by="order")
    said = str(stopped.value)
    assert f"127.0.0.1:{port}: the port order needs is taken by pid {os.getpid()} (" in said
    assert "stop that process" in said

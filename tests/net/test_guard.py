"""No address form but a public one passes the guard (R40, security.md M4)."""

import pytest

from rapport import net
from rapport.net import guard
from rapport.net.errors import Forbidden, NameNotFound, NetError, NoAnswer, PortClosed
from tests.servers.scripted import Scripted, replies

CLOSED = """
127.0.0.1 127.0.0.2 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200
100.127.255.255 169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255 168.63.129.16
:: ::1 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1
::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::7f00:1 64:ff9b:1::8.8.8.8
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1
3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%1 fec0::1 ff02::1 ff0e::1
2a00:1450::5efe:7f00:1 2a00:1450::200:5efe:10.0.0.1 localhost 0x7f000001 2130706433 0177.0.0.1 127.1 １２７.0.0.1 x
""".split()
OPEN = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2a00:1450:4001:800::200e", "2606:4700::1111"]
OPEN += ["::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", CLOSED)
def test_a_private_address_is_closed_in_every_form(address: str) -> None:
    assert not guard.allowed(address)


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_open(address: str) -> None:
    assert guard.allowed(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "::ffff:127.0.0.1"])
def test_no_form_of_loopback_reaches_a_listener(host: str) -> None:
    with Scripted(replies(b"* OK\r\n")) as server:
        open_ports = net.Policy(ports=frozenset({server.port}))

        with pytest.raises(Forbidden):
            net.connect(host, server.port, policy=open_ports, timeout=2)

        assert server.connections == 0


def test_a_port_that_is_not_for_mail_is_refused_before_anything_is_resolved() -> None:
    with pytest.raises(Forbidden):
        net.connect("nowhere.invalid", 22, policy=net.Policy())


def test_an_administrator_allows_one_host_on_one_port() -> None:
    with Scripted(replies(b"* OK\r\n")) as server:
        policy = net.Policy.allowing(("LocalHost.", server.port))

        net.connect("localhost", server.port, policy=policy).close()
        with pytest.raises(Forbidden):
            net.connect("127.0.0.1", server.port, policy=policy)


def test_each_failure_has_its_name() -> None:
    with Scripted(replies(b"")) as server:
        port = server.port

    with pytest.raises(PortClosed):
        net.connect("127.0.0.1", port, policy=net.Policy.allowing(("127.0.0.1", port)))
    with pytest.raises(NameNotFound):
        net.connect("nowhere.invalid", 993, policy=net.Policy())
    assert {error.cause for error in (NetError, NoAnswer, PortClosed, Forbidden)} == {
        "lost", "timeout", "refused", "forbidden",
    }  # fmt: skip

"""Who gets a connection, who goes for it, and when time is over: the numbers without a socket."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from reactor_runtime.runtimes.door.connections import HEAD_S, STALLED_S, SWEEP_S, Connections, Slot
from reactor_runtime.testing import VirtualClock


class Client(asyncio.Transport):
    """The transport and the holder of one connection, which write down what is done to them."""

    def __init__(self, connections: Connections, address: str, unread: int = 0) -> None:
        super().__init__()
        self.done: list[str] = []
        self.closing = False
        self.unread = unread
        """Bytes that this client was sent and has not read."""
        self.slot = Slot(connections, self, self, address)
        self.admitted = connections.admit(self.slot)

    def ask(self) -> None:
        """A request of this client is being answered from now on."""
        self.slot.idle_since = None

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.done.append("aborted")

    def close(self) -> None:
        self.done.append("closed")

    def expire(self) -> None:
        self.done.append("expired")
        self.closing = True


def idle(count: int, connections: Connections, clock: VirtualClock) -> list[Client]:
    """Clients of an address each, one after the other, the first of which is idle longest."""
    made = []
    for number in range(count):
        made.append(Client(connections, f"192.0.2.{number}"))
        clock.advance(0.01)
    return made


async def passes(clock: VirtualClock, seconds: float) -> None:
    """Time goes on, and what is due has happened."""
    clock.advance(seconds)
    await asyncio.sleep(0)


@pytest.mark.parametrize(("limit", "of_one"), [(512, 256), (9, 4), (2, 1), (1, 1)])
async def test_an_address_has_half_of_all_and_at_least_one(limit: int, of_one: int) -> None:
    connections = Connections(limit)
    assert connections.limit_of_address == of_one
    clients = [Client(connections, "192.0.2.1") for _ in range(of_one)]
    for client in clients:
        client.ask()
    assert all(client.admitted for client in clients)
    assert not Client(connections, "192.0.2.1").admitted
    assert connections.closed == {"refused": 1}
    assert len(connections) == of_one


async def test_at_the_limit_who_is_idle_longest_goes_and_nobody_before() -> None:
    clock = VirtualClock()
    connections = Connections(4, clock)
    clients = idle(4, connections, clock)
    assert [client.done for client in clients] == [[]] * 4
    clients[0].slot.note_idle()  # it has just asked, and was answered
    assert Client(connections, "192.0.2.99").admitted
    assert [client.done for client in clients] == [[], ["closed"], [], []]
    assert connections.closed == {"evicted": 1}
    assert len(connections) == 4


async def test_an_address_at_its_share_gives_up_its_own_connection_and_no_others() -> None:
    clock = VirtualClock()
    connections = Connections(4, clock)
    stranger = Client(connections, "198.51.100.1")
    own = []
    for _ in range(2):
        clock.advance(0.01)
        own.append(Client(connections, "192.0.2.1"))
    assert Client(connections, "192.0.2.1").admitted
    assert (stranger.done, own[0].done, own[1].done) == ([], ["closed"], [])
    assert len(connections) == 3


async def test_busy_ones_stay_and_the_new_one_is_refused() -> None:
    clock = VirtualClock()
    connections = Connections(2, clock)
    clients = idle(2, connections, clock)
    for client in clients:
        client.ask()
    assert not connections.make_room()
    assert not Client(connections, "192.0.2.99").admitted
    assert [client.done for client in clients] == [[], []]
    assert connections.closed == {"refused": 1}
    clients[1].slot.note_idle()
    assert Client(connections, "192.0.2.99").admitted


async def test_who_has_not_read_its_answer_is_not_waited_for_when_it_goes() -> None:
    connections = Connections(8, VirtualClock())
    client = Client(connections, "192.0.2.1", unread=1)
    assert connections.make_room()
    assert client.done == ["aborted"]
    assert len(connections) == 0


async def test_who_has_gone_is_counted_once_however_often_it_leaves() -> None:
    connections = Connections(8, VirtualClock())
    first, second = Client(connections, "192.0.2.1"), Client(connections, "192.0.2.1")
    for _ in range(3):
        first.slot.leave()
    assert len(connections) == 1
    second.slot.leave()
    assert len(connections) == 0
    assert connections._slots == {}, "an address that has none takes no memory"


async def test_a_proxys_connection_is_counted_under_its_client_while_that_one_has_room() -> None:
    connections = Connections(4, VirtualClock())
    proxy = Client(connections, "10.0.0.1")
    proxy.ask()
    assert proxy.slot.belongs_to("10.0.0.1")
    assert proxy.slot.belongs_to("2001:db8::7")
    assert proxy.slot.address == "2001:db8::/64"
    assert list(connections._slots) == ["2001:db8::/64"]
    for _ in range(2):
        Client(connections, "198.51.100.9").ask()
    assert not proxy.slot.belongs_to("198.51.100.9"), "it has its share"
    assert proxy.slot.address == "2001:db8::/64"
    assert len(connections) == 3


async def test_who_has_its_share_keeps_what_it_has() -> None:
    connections = Connections(2, VirtualClock())
    client = Client(connections, "192.0.2.1")
    client.ask()
    assert client.slot.belongs_to("192.0.2.1")
    assert (client.done, len(connections), connections.lingering) == ([], 1, 0)


async def test_a_head_has_ten_seconds_and_then_its_client_is_told_and_aborted_if_it_does_not_read() -> None:
    clock = VirtualClock(100.0)
    connections = Connections(8, clock)
    client = Client(connections, "192.0.2.1")
    await passes(clock, HEAD_S)
    assert client.done == []
    await passes(clock, SWEEP_S)
    assert client.done == ["expired"]
    assert connections.closed == {"late": 1}
    await passes(clock, SWEEP_S)
    assert client.done == ["expired", "aborted"]
    assert connections.closed == {"late": 1}


async def test_a_connection_whose_holder_allows_more_has_more() -> None:
    clock = VirtualClock(100.0)
    client = Client(Connections(8, clock), "192.0.2.1")
    client.slot.idle_s = 3 * HEAD_S
    await passes(clock, 3 * HEAD_S)
    assert client.done == []
    await passes(clock, SWEEP_S)
    assert client.done == ["expired"]


async def test_idle_time_begins_again_after_each_answer_and_not_while_one_is_made() -> None:
    clock = VirtualClock(100.0)
    client = Client(Connections(8, clock), "192.0.2.1")
    client.ask()
    await passes(clock, 5 * HEAD_S)
    assert client.done == []
    client.slot.note_idle()
    await passes(clock, HEAD_S)
    assert client.done == []
    await passes(clock, SWEEP_S)
    assert client.done == ["expired"]


async def test_who_reads_nothing_for_thirty_seconds_is_aborted_while_it_is_answered() -> None:
    clock = VirtualClock(100.0)
    connections = Connections(8, clock)
    slow, reads = Client(connections, "192.0.2.1"), Client(connections, "192.0.2.2")
    for client in (slow, reads):
        client.ask()
        client.slot.note_stalled(True)
    reads.slot.note_stalled(False)
    await passes(clock, STALLED_S)
    assert slow.done == []
    await passes(clock, SWEEP_S)
    assert (slow.done, reads.done) == (["aborted"], [])
    assert connections.closed == {"stalled": 1}


async def test_deadlines_are_looked_at_while_there_is_a_connection() -> None:
    clock = VirtualClock(100.0)
    connections = Connections(8, clock)
    Client(connections, "192.0.2.1").slot.leave()
    await passes(clock, SWEEP_S)
    assert connections._sweeping is None
    late = Client(connections, "192.0.2.1")
    for _ in range(3):
        await passes(clock, HEAD_S / 2)
    assert late.done == ["expired"]
    later = Client(connections, "192.0.2.1")
    await passes(clock, HEAD_S + SWEEP_S)
    assert later.done == ["expired"]


async def test_what_is_shown_is_how_many_there_are_and_why_others_went() -> None:
    connections = Connections(8, VirtualClock(100.0))
    Client(connections, "192.0.2.1").slot.count("malformed")
    registry = CollectorRegistry()
    registry.register(connections)  # type: ignore[arg-type]  # a collector by its one method
    assert registry.get_sample_value("reactor_connections") == 1
    assert registry.get_sample_value("reactor_connections_closed_total", {"reason": "malformed"}) == 1

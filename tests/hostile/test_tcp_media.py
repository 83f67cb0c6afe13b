"""Bytes on the HTTP port that are neither HTTP nor anybody's media: they cost little, and HTTP goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.transports.test_stun import request

from reactor_runtime.runtimes.door import connections, splice
from reactor_runtime.runtimes.door.splice import MediaPort
from reactor_runtime.transports.tcp_media import TcpPeers

from .door import Door, door

CORPUS = sorted((Path(__file__).parent / "tcp_media").glob("*.bin"))
CONTENTS = {path.stem: path.read_bytes() for path in CORPUS}
OURS = request(b"ours:theirs")


class Engine:
    """Stands where the engine listens: keeps what comes, and says what it is told to."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.writers: list[asyncio.StreamWriter] = []
        self.reads = True
        self.peers = TcpPeers()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while self.reads and (data := await reader.read(65536)):
            self.received += data
        if self.reads:
            writer.close()


@asynccontextmanager
async def media_door(limit: int = 64) -> AsyncIterator[tuple[Door, MediaPort, Engine]]:
    """A peer with the ufrag "ours" is behind the port."""
    engine = Engine()
    media = MediaPort(engine.peers)
    listening = await asyncio.start_server(engine.accept, "127.0.0.1", 0)
    engine.peers.expect(frozenset({"ours"}))
    place = engine.peers.find("ours")
    assert place is not None
    place.found(listening.sockets[0].getsockname())
    try:
        async with door(limit, media=media) as server:
            yield server, media, engine
    finally:
        listening.close()
        for writer in engine.writers:
            writer.close()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
async def test_bytes_of_nobody_end_and_disturb_no_request(path: Path) -> None:
    async with media_door() as (server, media, engine):
        wire = await server.wire()
        wire.send(CONTENTS[path.stem])
        assert (await server.get()).status == 200
        await server.hurried(wire.rest())
        await server.until(lambda: len(server.connections) <= 1)
        assert not engine.writers
        ended = media.closed.total() + server.connections.closed.total()
        assert ended >= 1, "counted"
        assert (await server.get()).status == 200


async def test_a_check_that_drips_is_joined_and_nothing_of_it_is_lost() -> None:
    async with media_door() as (server, media, engine):
        wire = await server.wire()
        for byte in OURS:
            wire.send(bytes([byte]))
            await wire.writer.drain()
        wire.send(b"more")
        await server.until(lambda: bytes(engine.received) == OURS + b"more")
        engine.writers[0].write(b"an answer")
        assert await wire.reader.readexactly(9) == b"an answer"
        assert (media.joined, media.opened) == (1, 1)
        assert media.bytes == {"in": len(OURS) + 4, "out": 9}

        wire.writer.close()
        await server.until(lambda: media.joined == 0 and not len(server.connections))


async def test_a_first_frame_has_its_time_and_no_more() -> None:
    """It drips: each byte of it must not give the connection more time."""
    async with media_door() as (server, _, engine):
        wire = await server.wire()
        wire.send(OURS[:4])
        await server.until(lambda: [slot.idle_s for slot in server.slots()] == [splice.FIRST_FRAME_S])
        slot = server.slots()[0]
        server.clock.advance(splice.FIRST_FRAME_S - 2 * connections.SWEEP_S)
        wire.send(OURS[4:5])
        assert (await server.get()).status == 200
        assert slot in server.slots()
        server.clock.advance(3 * connections.SWEEP_S)
        assert await wire.closed()
        assert server.connections.closed["late"] >= 1
        assert not engine.writers


async def test_a_check_that_comes_before_the_engine_listens_waits_for_it() -> None:
    async with media_door() as (server, _, engine):
        address = await engine.peers.find("ours").address()  # type: ignore[union-attr] # it is there
        engine.peers.expect(frozenset({"late"}))
        wire = await server.wire()
        wire.send(request(b"late:theirs"))
        assert (await server.get()).status == 200
        assert not engine.writers
        engine.peers.find("late").found(address)  # type: ignore[union-attr] # it is there
        await server.until(lambda: len(engine.writers) == 1)


async def test_an_engine_that_never_listens_costs_its_time() -> None:
    async with media_door() as (server, media, engine):
        engine.peers.expect(frozenset({"never"}))
        wire = await server.wire()
        wire.send(request(b"never:theirs") + bytes(100_000))
        assert (await server.get()).status == 200
        server.clock.advance(splice.OPEN_S - 1)
        assert (await server.get()).status == 200
        assert not media.closed
        server.clock.advance(1)
        await wire.rest()
        await server.until(lambda: not len(server.connections))
        assert media.closed == {"no_engine": 1}


async def test_when_the_engine_lets_go_the_client_is_let_go() -> None:
    async with media_door() as (server, media, engine):
        wire = await server.wire()
        wire.send(OURS)
        await server.until(lambda: bool(engine.writers))
        engine.writers[0].close()
        assert await wire.closed()
        await server.until(lambda: media.joined == 0)


async def test_a_client_that_reads_nothing_is_dropped_at_the_backlog() -> None:
    async with media_door() as (server, media, engine):
        wire = await server.wire()
        wire.send(OURS)
        await server.until(lambda: bool(engine.writers))
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined] # streams have read transports
        piece = bytes(2**18)
        for _ in range(400):
            if media.closed["backlog"]:
                break
            engine.writers[0].write(piece)
            await asyncio.sleep(0)
        await server.until(lambda: media.closed["backlog"] == 1)
        assert (await server.get()).status == 200


async def test_an_engine_that_reads_nothing_is_not_fed_for_ever() -> None:
    async with media_door() as (server, media, engine):
        engine.reads = False
        wire = await server.wire()
        wire.send(OURS)
        await server.until(lambda: media.joined == 1)
        for _ in range(400):
            if media.closed["backlog"]:
                break
            wire.send(bytes(2**18))
            await asyncio.sleep(0)
        await server.until(lambda: media.closed["backlog"] == 1)
        assert (await server.get()).status == 200


async def test_five_hundred_silent_ones_leave_room_for_requests() -> None:
    async with media_door(limit=64) as (server, media, _):
        for number in range(500):
            wire = await server.wire(f"127.0.1.{number % 200 + 1}")
            wire.send(OURS[: number % 12])
            if number % 100 == 99:
                assert (await server.get()).status == 200
        assert len(server.connections) <= 64
        assert media.joined == 0


async def test_those_that_carry_media_count_and_are_not_ended_for_others() -> None:
    async with media_door(limit=4) as (server, media, engine):
        playing = [await server.wire(f"127.0.0.{2 + index // 2}") for index in range(4)]
        for index, wire in enumerate(playing):
            wire.send(OURS)
            await server.until(lambda index=index: media.joined == index + 1)
        refused = await server.get(source="127.0.0.9")
        assert (refused.status, refused.code) == (503, "too_many_connections")
        assert len(engine.writers) == 4
        playing[0].writer.close()
        await server.until(lambda: media.joined == 3)
        assert (await server.get(source="127.0.0.9")).status == 200


async def test_a_peer_that_there_is_not_is_one_line_for_who_looks(caplog: pytest.LogCaptureFixture) -> None:
    async with media_door() as (server, _, _):
        with caplog.at_level("DEBUG", splice.__name__):
            wire = await server.wire()
            wire.send(request(b"nobody:theirs"))
            await server.hurried(wire.rest())
    assert [
        (each.levelname, each.getMessage()) for each in caplog.records if each.name == splice.__name__
    ] == [("DEBUG", "A connection for media over TCP ends: No peer has the ufrag 'nobody'.")]


async def test_what_passes_is_counted_for_operators() -> None:
    async with media_door() as (server, media, _):
        server.memory.worker.metrics.registry.register(media)
        wire = await server.wire()
        wire.send(request(b"nobody:theirs"))
        await wire.rest()
        other = await server.wire()
        other.send(OURS)
        await server.until(lambda: media.joined == 1 and media.bytes)  # which the relay's thread counts
        text = (await server.get("/metrics")).body.decode()
    assert 'reactor_tcp_media_closed_total{reason="unknown_peer"} 1.0' in text
    assert "reactor_tcp_media_connections 1.0" in text
    assert f'reactor_tcp_media_bytes_total{{direction="in"}} {float(len(OURS))}' in text

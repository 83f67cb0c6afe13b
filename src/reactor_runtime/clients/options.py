"""What an operator sets about clients and their connections."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from reactor_runtime.project import environment
from reactor_runtime.settings import setting, settings

LOWEST_PORT, HIGHEST_PORT = 1024, 65535
"""Of the ports that media may use; those below need rights of their own."""


def _port_range(text: str) -> tuple[int, int]:
    low, colon, high = text.partition(":")
    if not colon or not (low or "0").isdecimal() or not (high or "0").isdecimal():
        raise ValueError("write it as MIN:MAX, for example 40000:40100.")
    first, last = int(low or LOWEST_PORT), int(high or HIGHEST_PORT)
    if not LOWEST_PORT <= first <= last <= HIGHEST_PORT:
        raise ValueError(f"ports go from {LOWEST_PORT} to {HIGHEST_PORT}, the lower one first.")
    return first, last


def _ipv4(text: str) -> str:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no IPv4 address.") from None
    return text


def _stun_servers(text: str) -> list[str]:
    from .ice import stun_entries

    return stun_entries(text)


def _turn_servers(text: str) -> list[str]:
    from .ice import turn_entries

    return turn_entries(text)


@dataclass(frozen=True)
class ClientOptions:
    """Who may come, how often, and by which network."""

    viewers: int = setting(8, "How many clients may watch beside the controller.", most=63)
    shared_control: bool = setting(False, "Let every client send commands.")
    offers_per_minute: int = setting(
        20, "Connections one address may ask for; 0 for no limit.", unit="per minute"
    )
    stun_servers: tuple[str, ...] = settings(
        (),
        "As in stun:host:3478; repeatable, or several with commas. None is contacted unless named.",
        flag="--stun-server",
        variable=environment.STUN_SERVERS,
        form="URL",
        spaces=True,
        read=_stun_servers,
    )
    turn_servers: tuple[str, ...] = settings(
        (),
        "turn:host:3478 with --turn-secret, or username;credential;turn:host:3478; repeatable, or several "
        "with commas.",
        flag="--turn-server",
        variable=environment.TURN_SERVERS,
        form="URL",
        spaces=True,
        read=_turn_servers,
    )
    turn_secret: str = setting(
        "",
        "Shared with the TURN server; short-lived credentials are made from it.",
        variable=environment.TURN_SECRET,
        form="SECRET",
        secret=True,
    )
    ice_transport_policy: str = setting(
        "all",
        "relay sends all media through a TURN server.",
        variable=environment.ICE_TRANSPORT_POLICY,
        choices=("all", "relay"),
    )
    port_range: tuple[int, int] | None = setting(
        None,
        "The UDP ports media may use, for firewalls and Docker.",
        flag="--webrtc-port-range",
        variable=environment.WEBRTC_PORT_RANGE,
        form="MIN:MAX",
        read=_port_range,
    )
    """Both ends included."""
    advertise_ip: str = setting(
        "",
        "The address clients reach this machine by, where it is not one of its own.",
        form="IP",
        read=_ipv4,
    )
    advertise_port: int = setting(
        0,
        "The TCP port clients reach this server by, where it is another one (Docker, clouds).",
        form="PORT",
        most=65535,
    )
    tcp_media: bool = setting(
        True, "Take no media on the HTTP port: only over UDP or TURN.", flag="--no-tcp-media"
    )
    wire: str = setting(
        "",
        "Send media this way and no other, to find out what a network carries.",
        choices=("udp", "tcp"),
    )

    @property
    def relay_only(self) -> bool:
        """Whether media goes through a TURN server alone."""
        return self.ice_transport_policy == "relay"

"""What an operator sets about clients and their connections."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_VIEWERS = 8
DEFAULT_OFFERS_PER_MINUTE = 20


@dataclass(frozen=True)
class ClientOptions:
    """Who may come, how often, and by which network."""

    viewers: int = DEFAULT_VIEWERS
    shared_control: bool = False
    offers_per_minute: int = DEFAULT_OFFERS_PER_MINUTE
    """Per address; 0 means no limit."""
    stun_servers: tuple[str, ...] = ()
    turn_servers: tuple[str, ...] = ()
    turn_secret: str = field(default="", repr=False)
    relay_only: bool = False
    port_range: tuple[int, int] | None = None
    """UDP ports for media, both ends included."""
    advertise_ip: str = ""
    """The address that clients reach this machine by, where it is not one of its own (Docker, NAT)."""
    advertise_port: int = 0
    """The TCP port that clients reach this one by, where it is another (Docker, NAT); 0 where it is not."""
    tcp_media: bool = True
    """Whether media may come over the HTTP port, for clients that UDP does not reach."""
    wire: str = ""
    """"udp" or "tcp": media goes that way and no other."""

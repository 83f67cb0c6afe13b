"""Everything `reactor run` can set about the HTTP runtime."""

from __future__ import annotations

from dataclasses import dataclass, field

from .credentials import secrets_in

DEFAULT_PORT = 8080
DEFAULT_ORPHAN_TIMEOUT_S = 30.0
DEFAULT_STUCK_WARNING_S = 5.0
DEFAULT_KILL_TIMEOUT_S = 60.0
DEFAULT_VIEWERS = 8
DEFAULT_OFFERS_PER_MINUTE = 20
DEFAULT_MAX_UPLOAD_MIB = 100
DEFAULT_MAX_CONNECTIONS = 512
DEFAULT_TRUSTED_PROXIES = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class HttpOptions:
    """Options of one server process. Times are in seconds; 0 turns a limit off."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    orphan_timeout: float = DEFAULT_ORPHAN_TIMEOUT_S
    max_session_duration: float = 0.0
    stuck_warning: float = DEFAULT_STUCK_WARNING_S
    kill_timeout: float = DEFAULT_KILL_TIMEOUT_S
    allow_origins: tuple[str, ...] = field(default=())
    allow_hosts: tuple[str, ...] = field(default=())
    token: str = field(default="", repr=False)
    """The secret that clients hold or that signs their tokens, and in a second line the one before it. Empty
    means that nobody is asked. Off loopback the server makes one."""
    no_token: bool = False
    """Off loopback, ask nobody for a token all the same."""
    viewers: int = DEFAULT_VIEWERS
    shared_control: bool = False
    offers_per_minute: int = DEFAULT_OFFERS_PER_MINUTE
    """Per address; 0 means no limit."""
    max_upload: int = DEFAULT_MAX_UPLOAD_MIB
    """MiB of one file; 0 means that no file is taken."""
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    """To the TCP port; one address gets half of them."""
    trusted_proxies: tuple[str, ...] = DEFAULT_TRUSTED_PROXIES
    """Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    stun_servers: tuple[str, ...] = ()
    turn_servers: tuple[str, ...] = ()
    turn_secret: str = field(default="", repr=False)
    relay_only: bool = False
    port_range: tuple[int, int] | None = None
    """UDP ports for media, both ends included."""
    advertise_ip: str = ""
    """The address that clients reach this machine by, where it is not one of its own (Docker, NAT)."""
    impair: str = ""
    """A bad network for our own media; see `transports.impair`."""
    audit: str = "warn"
    """What follows when a session leaves something to the next; see `session.audit.observer.AuditMode`."""
    on_reset_error: str = "rebuild"
    """After a `reset` that raised: "rebuild" the model before the next user, or "exit" with status 1."""
    encoder: str = "auto"
    """Which H.264 encoder serves; see `media.encoders.EncoderChoice`."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The first signs; each of them opens. Raises `SecretError`."""
        return secrets_in(self.token)

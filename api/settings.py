"""Settings of the HTTP part, with their defaults. What must not go in: reading the environment (``bihuan/configuration.py``)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Bounds and durations of the API. Durations in seconds, sizes in bytes."""

    secure_cookie: bool | None = None  # None: Secure exactly when the request came by https
    session_lifetime: float = 12 * 3600.0  # one shift
    principal_freshness: float = 2.0  # a revoked token or ended session is refused after at most this
    principal_outage: float = 3600.0  # while SQL is away, a token seen at most this long ago still posts alarms
    login_failures: int = 8  # for one name from one address, within login_window
    login_failures_of_address: int = 60
    login_window: float = 300.0
    hash_threads: int = 2
    hash_waiting: int = 16  # sign-ins that may wait for a hash thread; more are refused, not queued
    body_timeout: float = 30.0  # a body that has not arrived whole by then is given up
    parse_in_thread_from: int = 64_000
    feed_heartbeat: float = 10.0
    feed_listeners: int = 500
    feed_kept: int = 5000  # events kept in memory for all listeners together
    feed_poll: float = 0.5  # fallback when nobody rings the doorbell
    feed_send_timeout: float = 20.0  # a listener that takes nothing for so long is dropped
    behind_after: float = 5.0  # the feed says "behind" when an accepted alarm waits longer than this to be applied

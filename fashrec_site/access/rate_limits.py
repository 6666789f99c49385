"""How often somebody may ask: counted in Redis for all processes, in memory while Redis is down."""

import logging
import math
import time
from collections.abc import Callable
from threading import Lock

from django.conf import settings
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.25  # a request waits for Redis no longer than this
RETRY_SECONDS = 10.0  # how long Redis is left alone after it failed


class RateLimiter:
    """Counts hits of a moving window, so that no boundary between minutes lets twice as many in.

    While Redis fails, each process counts for itself: a limit is then at most as many times larger
    as there are processes, and nobody is shut out.
    """

    def __init__(
        self, open_storage: Callable[[], Storage], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_storage = open_storage
        self._clock = clock
        self._in_memory = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        self._retry_at = 0.0
        self._lock = Lock()

    def hit(self, limit: RateLimitItem, *names: str) -> float | None:
        """Count one; None, or the seconds to wait where the limit is reached already."""
        limiter = self._shared_limiter()
        if limiter is not None:
            try:
                return _hit(limiter, limit, names)
            except (RedisError, OSError) as error:
                self._leave_alone(error)
        return _hit(self._in_memory, limit, names)

    def _shared_limiter(self) -> MovingWindowRateLimiter | None:
        if self._shared is None and self._clock() >= self._retry_at:
            with self._lock:
                if self._shared is None and self._clock() >= self._retry_at:
                    self._open()
        return self._shared

    def _open(self) -> None:
        try:
            self._shared = MovingWindowRateLimiter(self._open_storage())
        except (RedisError, OSError, RuntimeError) as error:  # EmbeddedServerError is the last
            self._leave_alone(error)

    def _leave_alone(self, error: Exception) -> None:
        self._shared = None
        self._retry_at = self._clock() + RETRY_SECONDS
        logger.warning("Rate limits are counted per process while Redis fails: %s", error)


def _hit(
    limiter: MovingWindowRateLimiter, limit: RateLimitItem, names: tuple[str, ...]
) -> float | None:
    if limiter.hit(limit, *names):
        return None
    reset_at = limiter.get_window_stats(limit, *names).reset_time
    return max(1, math.ceil(reset_at - time.time()))


def open_redis_storage() -> RedisStorage:
    """Redis, as REDIS_URL names it, else the embedded one, which is started if need be."""
    return RedisStorage(
        _redis_url(),
        key_prefix="limits",
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _redis_url() -> str:
    """As limits writes it: for sockets it has another scheme than Celery, whose REDIS_URL is."""
    from fashrec_site.embedded import redis

    url = settings.REDIS_URL or redis.ensure_running(settings.FASHREC_HOME, timeout_seconds=1)
    return url.replace("redis+socket://", "redis+unix://").replace("virtual_host=", "db=")


limiter = RateLimiter(open_redis_storage)

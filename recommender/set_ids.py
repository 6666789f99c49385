"""Keys of stored sets that begin with their time, so that a range of keys is a range of time."""

import secrets
import time
from datetime import datetime
from uuid import UUID

RANDOM_BITS = 74
VERSION, VARIANT = 0x7 << 76, 0b10 << 62


def new_set_id() -> UUID:
    """A key of this millisecond: a UUID of version 7 (RFC 9562, section 5.7)."""
    random = secrets.randbits(RANDOM_BITS)
    high, low = random >> 62, random & ((1 << 62) - 1)
    milliseconds = time.time_ns() // 1_000_000
    return UUID(int=milliseconds << 80 | VERSION | high << 64 | VARIANT | low)


def first_set_id(moment: datetime) -> UUID:
    """What no key of an earlier time reaches and every one from then on does."""
    return UUID(int=round(moment.timestamp() * 1000) << 80)

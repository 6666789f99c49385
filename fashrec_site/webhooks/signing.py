"""Signatures by which a receiver knows that a webhook is ours and new.

Source: the Standard Webhooks specification 1.0 (standardwebhooks.com), for which there are
verifying libraries in most languages.
"""

import hmac
from base64 import b64decode, b64encode
from datetime import datetime
from uuid import UUID


def signed_headers(*, secret: str, delivery_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that go with `body`: id, time in seconds since 1970, HMAC-SHA256 of all three."""
    timestamp = str(int(now.timestamp()))
    content = b".".join((str(delivery_id).encode(), timestamp.encode(), body))
    digest = hmac.digest(b64decode(secret.removeprefix("whsec_")), content, "sha256")
    return {
        "webhook-id": str(delivery_id),
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{b64encode(digest).decode('ascii')}",
    }

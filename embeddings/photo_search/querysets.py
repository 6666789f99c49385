"""Questions about searches by photo."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models

# After so long nobody works at a photo any more: its message has expired or its worker was lost.
GIVE_UP_AFTER = timedelta(seconds=45)


class PhotoSearchQuerySet(models.QuerySet):
    """Questions about searches by photo."""

    def alive(self, now: datetime) -> Self:
        """Those that may still be read."""
        return self.filter(expires_at__gt=now)

    def expired(self, now: datetime) -> Self:
        """Those whose time is over, photos included."""
        return self.filter(expires_at__lte=now)

    def unsettled(self) -> Self:
        """Those without a vector or a reason."""
        return self.filter(state__in=["waiting", "running"])

    def in_work(self, now: datetime) -> Self:
        """Those that somebody works at, or is about to."""
        return self.unsettled().filter(created_at__gt=now - GIVE_UP_AFTER)

"""What all commands that train a network share: how they begin, and how they end too early."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from embeddings.nets.errors import WeightsUnavailable
from embeddings.photo_sets import PhotoSetError


class TrainingCommand(BaseCommand):
    """Trains, and tells in one line what it could not do."""

    def train(self, options: dict[str, Any]) -> None:
        """Train, and say where the result is."""
        raise NotImplementedError

    def handle(self, **options: Any) -> None:
        """Train.

        Raises:
            CommandError: photos, weights, a checkpoint or an option that will not do; or Ctrl-C.
        """
        # Read when torch is first imported: its threads otherwise spin while they wait.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from embeddings.training.checkpoint import CheckpointMismatch

        mistakes = (PhotoSetError, WeightsUnavailable, CheckpointMismatch)
        try:
            self.train(options)
        except (*mistakes, ValueError, FloatingPointError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            stopped = "Stopped. The same command goes on from there."
            raise CommandError(stopped, returncode=130) from None

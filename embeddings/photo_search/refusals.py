"""Why a search by photo is refused, in words and by code, for whoever sent it."""

from typing import Literal

Code = Literal[
    "INVALID_IMAGE",
    "IMAGE_TOO_LARGE",
    "BAD_USER_INPUT",
    "NOT_FOUND",
    "RATE_LIMITED",
    "UNAVAILABLE",
]


class PhotoRefused(Exception):  # noqa: N818 - what happened
    """A search that cannot be done: `code` is one of the API's, the message says what to do."""

    def __init__(self, code: Code, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.code: Code = code
        self.retry_after_seconds = retry_after_seconds

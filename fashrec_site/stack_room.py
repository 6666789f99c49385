"""Room for Python's call stack, so that deep code does not pay for the depth that it starts at.

CPython (3.11 and later) keeps frames in chunks of 16 KB, maps a new one when a call does not fit
and unmaps it when that call returns. Executing a query that recurses over a chunk's end for each of
its fields took 5 to 13 ms depending on how deep middleware and decorators had got before; in one
large chunk it takes 5 (`python -m benchmarks graphql`).
"""

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

# A frame of so many words needs a chunk of its own, of the next power of two (256 KB), whose rest
# holds some 400 ordinary frames.
STACK_WORDS = 20_000


def call_with_room(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """What `function` returns, called with its frames and those below in one chunk."""
    return function(*args, **kwargs)


call_with_room.__code__ = call_with_room.__code__.replace(co_stacksize=STACK_WORDS)

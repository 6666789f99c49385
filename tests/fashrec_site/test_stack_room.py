"""The roomy call passes everything through, from any depth."""

import pytest

from fashrec_site.stack_room import call_with_room


def at_depth(depth, function):
    return function() if depth == 0 else at_depth(depth - 1, function)


@pytest.mark.parametrize("depth", [0, 100, 700])
def test_arguments_results_and_exceptions_pass_through(depth):
    def divided(number, *, by):
        return at_depth(100, lambda: number / by)

    assert at_depth(depth, lambda: call_with_room(divided, 6, by=2)) == 3
    with pytest.raises(ZeroDivisionError):
        at_depth(depth, lambda: call_with_room(divided, 6, by=0))

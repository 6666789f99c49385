"""Processes that give way to others."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SAY = """
import os
from catalog.niceness import AUTOGROUP, give_way

def session():
    # No file where the kernel shares no cores by session; an empty one in a session that it does
    # not count, as that of a container's first process.
    said = AUTOGROUP.read_text().split() if AUTOGROUP.exists() else []
    return said[-1] if said else "none"

before = os.nice(0), session()
give_way(3)
print(os.nice(0) - before[0], before[1], session())
"""


@pytest.mark.parametrize("leads_a_session", [True, False])
def test_a_process_gives_way_and_so_does_the_session_that_it_leads(leads_a_session):
    said = subprocess.run(
        [sys.executable, "-c", SAY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=leads_a_session,
    ).stdout.split()
    process, session_before, session_after = said
    assert process == "3"
    expected = "3" if leads_a_session and session_before != "none" else session_before
    assert session_after == expected

"""SIGKILL at random steps, twenty times; ``python test/trainer/kill_resume.py --times 20`` does it as often as wanted."""

from __future__ import annotations

import sys

import pytest
from kill_resume import prove


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_killed_run_ends_at_the_same_bits(parts, tmp_path):
    equal, times, killed = prove(tmp_path, parts, 20, 7)
    assert (equal, times) == (20, 20) and killed >= 20

"""Real files that nobody here wrote: they load as other libraries say, or are refused in words."""

from __future__ import annotations

import pytest

from shared_files.agreement import agreement
from shared_files.folder import data_folder, expected, expected_files, invalid_files
from shared_files.guarded import SECONDS, outcome

DATA = data_folder()
pytestmark = pytest.mark.skipif(DATA is None, reason="no shared test data (set KINARRAY_SHARED)")


@pytest.mark.parametrize("file", expected_files(DATA) if DATA else [], ids=str)
def test_a_file_is_read_as_others_read_it(file):
    found = agreement(DATA / file, expected(DATA, file))
    if found is None:
        # Formats that the Rust tests compare, or that are not read.
        assert outcome(DATA / file).result in ("loaded", "refused")
        return
    assert not found.problems
    assert found.compared > 0
    assert found.worst <= found.tolerance


@pytest.mark.parametrize("file", invalid_files(DATA) if DATA else [], ids=str)
def test_a_broken_file_does_no_harm(file):
    found = outcome(DATA / file)
    assert found.result in ("loaded", "refused"), found
    # Ten times what is allowed: the machine may be busy, a hang is a hang.
    assert found.seconds < 10 * SECONDS
    if found.result == "refused":
        assert "expected" in found.message and "got" in found.message

"""The table of names: nothing of PyMomentum's is missing without a reason, nothing differs by accident."""

import pytest
import table


@pytest.fixture(scope="module")
def rows(peer):
    return table.rows()


def test_every_name_of_theirs_is_here_or_has_a_reason(rows):
    assert [row.name for row in rows if row.remark == "MISSING"] == []


def test_the_same_program_gives_the_same_results_under_both_imports(rows):
    assert [row for row in rows if table.is_apart(row)] == []
    assert sum(row.float64 is not None for row in rows) > 100
    assert [row.remark for row in rows if "raises" in row.remark] == []

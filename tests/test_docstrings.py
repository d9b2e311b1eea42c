"""Every example in a docstring runs, also those of compiled functions, which pytest passes over."""

from __future__ import annotations

import doctest
import inspect

import pytest

pytest.importorskip("numpy")

import kinarray as ka

MODULES = [
    ka,
    ka.geometry,
    ka.interop,
    ka.io,
    ka.quaternion,
    ka.skel_state,
    ka.testing,
    ka.trs,
]
VERBS = {"kinarray.geometry", "kinarray.quaternion", "kinarray.skel_state", "kinarray.trs"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def documented():
    """Every public module, function, class and method, once."""
    seen = {}
    for module in MODULES:
        seen[module] = module.__name__
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.ismodule(item) or not callable(item):
                continue
            seen.setdefault(item, f"{module.__name__}.{name}")
            if inspect.isclass(item) and not issubclass(item, BaseException):
                for attribute, member in vars(item).items():
                    if not attribute.startswith("_") and getattr(member, "__doc__", None):
                        seen.setdefault(
                            getattr(item, attribute), f"{module.__name__}.{name}.{attribute}"
                        )
    return {name: item for item, name in seen.items()}


DOCUMENTED = documented()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_it_has_a_docstring_whose_examples_run(name):
    item = DOCUMENTED[name]
    assert item.__doc__, "no docstring"
    test = doctest.DocTestParser().get_doctest(inspect.cleandoc(item.__doc__), {}, name, None, 0)
    report = []
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


def test_the_main_verbs_have_examples():
    for name, item in DOCUMENTED.items():
        # Functions of the module itself, not constructors of its classes.
        if name.rpartition(".")[0] in VERBS and inspect.isroutine(item):
            assert ">>>" in item.__doc__, name

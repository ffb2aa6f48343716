"""The public names, and what importing them costs."""

import sys
from importlib.util import find_spec

import pytest
from fresh import in_a_fresh_python

import seminar_lib


@pytest.mark.parametrize("name", seminar_lib.__all__)
def test_every_public_name_resolves(name):
    assert getattr(seminar_lib, name) is not None
    assert name in dir(seminar_lib)


@pytest.mark.parametrize("name", seminar_lib.__all__)
def test_no_public_name_is_also_a_module(name):
    """Importing the module ``seminar_lib.x`` would put the module in the place of the function x."""
    assert find_spec(f"seminar_lib.{name}") is None


def test_a_wrong_name_is_answered_with_the_right_ones():
    with pytest.raises(AttributeError, match=r"no public name 'PDG'; it has .*\bPGD\b"):
        seminar_lib.PDG  # noqa: B018


def test_importing_is_instant_and_brings_nothing_heavy():
    """The best of three, so that a busy machine does not fail the test."""
    code = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import seminar_lib; "
        "print(time.perf_counter() - start, *{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    runs = [in_a_fresh_python(code).split() for _ in range(3)]
    assert min(float(seconds) for seconds, *_ in runs) < 0.3
    third_party = {name for name in runs[0][1:] if name not in sys.stdlib_module_names}
    assert third_party == {"seminar_lib"}


def test_the_attacks_come_without_what_takes_long_to_import():
    loaded = in_a_fresh_python("import sys; from seminar_lib import PGD, evaluate, fit; print(*sys.modules)").split()
    assert "torch" in loaded
    assert not {"matplotlib", "ipywidgets", "IPython", "sklearn", "torchvision", "torch._dynamo"} & set(loaded)

"""What the tests of every exercise share: its check praises right answers, and says what is wrong with others."""

import re

import pytest
import torch

from seminar_lib.exercises.marking import Mistake


def stub(*_):
    raise NotImplementedError("Exercise")


def praises(check, *answers):
    """A test: the check praises each answer, and leaves the student's random numbers alone."""

    @pytest.mark.parametrize("answer", answers)
    def test(answer, capsys):
        torch.rand(1)  # so that no seed that a check sets leads back to this state
        before = torch.get_rng_state()
        check(answer)
        assert "is right" in capsys.readouterr().out
        assert torch.equal(torch.get_rng_state(), before)

    return test


def refuses(check, *answers):
    """A test: of each (answer, words) the check says what is wrong in these words.

    It tells them from an answer that is not written yet: only after that does Run All go on in JupyterLab.
    """

    @pytest.mark.parametrize(("answer", "words"), [(stub, "is not written yet"), *answers])
    def test(answer, words):
        with pytest.raises(Mistake, match=re.escape(words)) as caught:
            check(answer)
        assert caught.value.unwritten == (answer is stub)

    return test

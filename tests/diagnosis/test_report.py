"""A diagnosis in words: every check is told, and no alarm is passed over."""

from dataclasses import replace

import pytest
import torch

from seminar_lib.diagnosis import ALARM, diagnose
from seminar_lib.evaluation import Accuracy

from .conftest import QUICK


def test_the_table_shows_every_check(tiny, x, y):
    diagnosis = diagnose(tiny, x, y, **QUICK)
    table = diagnosis._repr_markdown_()
    for check in diagnosis.checks:
        assert f"| {check.name} | {check.value} | " in table
        assert check.meaning in table
        assert check.meaning in str(diagnosis)
        assert check.source
    assert diagnosis["slope"] in diagnosis.checks
    with pytest.raises(KeyError, match="There is no check 'slopes'; the checks are gradient, randomness"):
        diagnosis["slopes"]


def test_alarms_without_a_known_trick_are_not_called_honest(tiny, x, y):
    diagnosis = diagnose(tiny, x, y, **QUICK)
    blamed = replace(diagnosis["black box"], verdict=ALARM)
    suspicious = replace(diagnosis, checks=(*diagnosis.checks[:-1], blamed))
    assert suspicious.alarms == (blamed,)
    assert "no known trick was recognised" in suspicious.summary
    assert "ALARM" in str(suspicious)


def test_an_alarm_takes_more_images_than_luck_would():
    """The count of 64 images that the constants' comment names, from the interval itself."""
    counts = [k for k in range(65) if Accuracy.of(torch.arange(64) < k).low > 0.05]
    assert counts[0] == 7

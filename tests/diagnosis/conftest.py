"""What the tests of a diagnosis share: a short one, real images, and its verdicts at a glance."""

import pytest

from seminar_lib import load_data
from seminar_lib.diagnosis import Diagnosis
from seminar_lib.threat import Linf

QUICK = {"threat": Linf(4 / 255), "steps": 5, "queries": 20}


@pytest.fixture(scope="package")
def signs():
    return load_data("signs").test.sample(32)


def verdicts(diagnosis: Diagnosis) -> dict[str, str]:
    return {check.name: check.verdict for check in diagnosis.checks}

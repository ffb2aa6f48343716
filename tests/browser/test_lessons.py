"""Every lesson in a real JupyterLab: Run All reaches the end without a traceback, and its demos follow the keys.

It is the students' copy that a class opens; the solution is executed where the notebooks are tested.
"""

import nbformat
import pytest

from seminar_lib.lessons import found

from . import (
    test_detection_demo,
    test_diffusion_demo,
    test_embedding_demo,
    test_fgsm_demo,
    test_live_curve,
    test_masking_demo,
    test_smoothing_demo,
    test_threats_demo,
    test_trajectory_demo,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEMOS = {  # the demos of each lesson, in the order of its cells
    "01_fgsm": [test_fgsm_demo.check_keys],
    "02_pgd": [test_threats_demo.check_keys, test_trajectory_demo.check_keys],
    "04_adversarial_training": [test_live_curve.check_end],
    "05_clead": [test_live_curve.check_end],
    "06_anchor": [test_live_curve.check_end],
    "07_lisard": [test_live_curve.check_end],
    "08_embedding_space": [test_embedding_demo.check_keys],
    "09_smoothing": [test_smoothing_demo.check_keys],
    "10_purification": [test_diffusion_demo.check_keys],
    "11_detection": [test_detection_demo.check_keys],
    "12_masking": [test_masking_demo.check_keys],
}


@pytest.mark.parametrize("lesson", found(), ids=lambda lesson: lesson.name)
def test_run_all_raises_nothing_and_the_demos_work(open_notebook, lesson):
    page = open_notebook(lesson.student_path)
    page.run_all_and_wait(900)  # on the busiest machine; how long a cell may take is tested with the notebooks
    page.assert_no_traceback()
    answers = page.answers()
    cells = nbformat.read(lesson.student_path, as_version=4).cells
    assert answers.keys() == {cell.metadata["check"] for cell in cells if "check" in cell.metadata}
    for exercise, answer in answers.items():
        assert answer.startswith(f"Not yet: exercise {exercise} is not written yet"), answer
    for page.number, check_keys in enumerate(DEMOS.get(lesson.name, [])):
        check_keys(page)

"""Every lesson in a real JupyterLab: Run All reaches the end without a traceback, and its demos follow the keys."""

import pytest

from seminar_lib.lessons import found

from . import test_fgsm_demo, test_masking_demo, test_threats_demo, test_trajectory_demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEMOS = {  # the demos of each lesson, in the order of its cells
    "01_fgsm": [test_fgsm_demo.check_keys],
    "02_pgd": [test_threats_demo.check_keys, test_trajectory_demo.check_keys],
    "12_masking": [test_masking_demo.check_keys],
}


@pytest.mark.parametrize("copy", ["student", "solution"])
@pytest.mark.parametrize("lesson", found(), ids=lambda lesson: lesson.name)
def test_run_all_raises_nothing_and_the_demos_work(open_notebook, lesson, copy):
    page = open_notebook({"student": lesson.student_path, "solution": lesson.solution_path}[copy])
    page.run_all_and_wait(900)  # on the busiest machine; how long a cell may take is tested with the notebooks
    page.assert_no_traceback()
    for page.number, check_keys in enumerate(DEMOS.get(lesson.name, [])):
        check_keys(page)

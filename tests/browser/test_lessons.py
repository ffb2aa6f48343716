"""Every lesson in a real JupyterLab: Run All reaches the end without a traceback, and its demo follows the keys."""

import pytest

from seminar_lib.lessons import found

from .test_fgsm_demo import check_keys

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEMOS = {"01_fgsm": check_keys}


@pytest.mark.parametrize("copy", ["student", "solution"])
@pytest.mark.parametrize("lesson", found(), ids=lambda lesson: lesson.name)
def test_run_all_raises_nothing_and_the_demo_works(open_notebook, lesson, copy):
    page = open_notebook({"student": lesson.student_path, "solution": lesson.solution_path}[copy])
    page.run_all_and_wait(900)  # on the busiest machine; how long a cell may take is tested with the notebooks
    page.assert_no_traceback()
    if lesson.name in DEMOS:
        DEMOS[lesson.name](page)

"""One perturbation for all: against the closed form of a linear model, and on images it has not seen."""

import re

import pytest
import torch

from seminar_lib import load, load_data
from seminar_lib.attacks.universal import Universal
from seminar_lib.losses import margin
from seminar_lib.threat import L2, Linf

THREATS = [Linf(8 / 255), L2(0.5)]


@pytest.mark.parametrize("threat", THREATS, ids=repr)
def test_for_images_of_one_class_it_is_the_best_of_the_ball(threat, oracle):
    """On a linear model the steepest direction is the same for all of them."""
    rows = oracle.y == 0
    x, y = oracle.x[rows], oracle.y[rows]
    delta = Universal(threat, steps=20, cap=1e9).learn(oracle.model, x, y)
    raised = margin(oracle.model(x + delta), y) - oracle.margin()[rows]
    torch.testing.assert_close(
        raised, torch.full_like(raised, float(threat.eps * oracle.slope(threat))), rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("threat", THREATS, ids=repr)
def test_the_steps_shrink_along_a_line_to_nothing(threat, oracle):
    """Inside the ball all steps of a linear model go the same way: 1 + 4/5 + 3/5 + 2/5 + 1/5 is three first steps."""
    rows = oracle.y == 0
    delta = Universal(threat, steps=5, step_size=threat.eps / 10, cap=1e9).learn(
        oracle.model, oracle.x[rows], oracle.y[rows]
    )
    assert threat.norm(delta).item() == pytest.approx(3 * threat.eps / 10, rel=1e-4)


@pytest.mark.parametrize("threat", THREATS, ids=repr)
def test_it_is_one_perturbation_inside_the_threat_model(threat, tiny, x, y):
    x = x * 0.5 + 0.25  # away from the box
    attack = Universal(threat, steps=5, batch_size=4)
    delta = attack.learn(tiny, x, y, generator=torch.Generator().manual_seed(0))
    assert delta.shape == (1, 3, 8, 8)
    assert threat.contains(x + delta, x).all()
    found = attack.search(attack.goal(tiny, x, y), x, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, x + delta.expand_as(x))


def test_images_beyond_the_cap_pull_no_more(oracle):
    """With every image beyond the cap there is no direction left, and delta stays where it is."""
    delta = Universal(Linf(8 / 255), steps=3, cap=-1e9).learn(oracle.model, oracle.x, oracle.y)
    assert not delta.any()


@pytest.mark.slow
def test_it_fools_on_images_that_it_has_not_seen():
    model, _ = load("signs/standard")
    data = load_data("signs")
    x, y = next(data.validation.sample(256).batches(256))
    unseen, labels = next(data.test.sample(256).batches(256))
    threat = Linf(8 / 255)
    delta = Universal(threat, steps=40).learn(model, x, y, generator=torch.Generator().manual_seed(0))
    noise = threat.noise(delta, torch.Generator().manual_seed(0)).sign() * threat.eps
    with torch.no_grad():
        accuracy, by_noise = (
            (model(threat.project(unseen + d, unseen)).argmax(1) == labels).float().mean() for d in (delta, noise)
        )
    assert by_noise > 0.9
    assert accuracy < by_noise - 0.2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 0}, "at least one step and one image a step; got steps=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"step_size": -1.0}, "finite step_size > 0, in pixels of [0, 1]; got -1.0"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Universal(Linf(8 / 255), **settings)

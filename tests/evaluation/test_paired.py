"""Two networks on the same images: McNemar's test against coins that are all thrown out."""

from itertools import product

import pytest
import torch

from seminar_lib.evaluation import Paired


def flags(text):
    return torch.tensor([letter == "x" for letter in text])


def test_only_images_on_which_they_differ_count():
    assert Paired.of(flags("xxx.x.."), flags("x..xx..")) == Paired(first=2, second=1, n=7)
    assert Paired(2, 1, 7).difference == pytest.approx(-1 / 7)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 6), (6, 0), (2, 7), (3, 3), (5, 6)])
def test_p_is_the_share_of_all_throws_that_are_as_uneven(first, second):
    throws = [sum(coins) for coins in product((0, 1), repeat=first + second)]
    uneven = [abs(2 * heads - first - second) >= abs(first - second) for heads in throws]
    assert Paired(first, second, 99).p == pytest.approx(sum(uneven) / len(uneven))


def test_who_never_differ_cannot_be_told_apart():
    same = Paired.of(flags("x.x"), flags("x.x"))
    assert (same.difference, same.p) == (0, 1)


def test_it_prints_what_decides():
    assert str(Paired(68, 26, 2000)) == "-2.1 points (68 right by the first alone, 26 by the second, p = 1.7e-05)"


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(("first", "second"), [("xx", "x"), ("", "")])
def test_answers_to_other_images_are_refused(first, second):
    with pytest.raises(ValueError, match=r"on the same images.*got the shapes .*Evaluate both on the same data\.$"):
        Paired.of(flags(first), flags(second))

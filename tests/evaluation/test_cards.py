"""What a card says of its network is what was measured, with its intervals."""

import pytest

import seminar_lib as sl


def test_the_figures_of_the_card_are_those_of_the_network():
    network, card = sl.load("signs/standard")
    clean = sl.on_card(card)["clean"]
    measured = sl.evaluate(network, sl.load_data("signs").test, {}, progress=False)["clean"]
    assert str(clean) == str(measured)


def test_best_and_last_are_told_apart():
    test = {
        epoch: {"clean": vars(sl.Accuracy(share, 0.0, 1.0, 10)), "attacks": {"fgsm": vars(sl.Accuracy(0.1, 0, 1, 10))}}
        for epoch, share in (("best", 0.9), ("last", 0.8))
    }
    assert sl.on_card({"test": test})["clean"].accuracy == 0.9
    found = sl.on_card({"test": test}, "last")
    assert found == {"clean": sl.Accuracy(0.8, 0.0, 1.0, 10), "fgsm": sl.Accuracy(0.1, 0, 1, 10)}


@pytest.mark.parametrize("card", [sl.load("signs/ddpm")[1], {"dataset": "signs"}], ids=["images", "own"])
def test_a_card_without_accuracies_is_a_sentence(card):
    with pytest.raises(ValueError, match=r"The card has no accuracies of the best epoch: '(clean|test)' is missing"):
        sl.on_card(card)

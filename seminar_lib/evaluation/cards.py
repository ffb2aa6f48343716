"""What was measured when a network was released, as its card keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from seminar_lib.evaluation.accuracy import Accuracy


def on_card(card: Mapping[str, Any], epoch: Literal["best", "last"] = "best") -> dict[str, Accuracy]:
    """The accuracies of a classifier on all test images: ``"clean"``, then each attack by its name.

    The attacks are those of ``seminar_lib.shipping``: ``"fgsm"`` and ``"pgd20"`` at 8/255, and ``"worst case"``.

    Args:
        card: as ``load`` returns it beside the network.
        epoch: which one; the validation images chose the best.

    Raises:
        ValueError: the card has no such figures: that of a network without classes, or of your own ``save``.
    """
    try:
        found = card["test"][epoch]
        shares = {"clean": found["clean"], **found["attacks"]}
    except KeyError as error:
        raise ValueError(
            f"The card has no accuracies of the {epoch} epoch: {error} is missing. `python -m seminar_lib train` "
            "measures them for classifiers; for other weights call evaluate."
        ) from error
    return {name: Accuracy(**share) for name, share in shares.items()}

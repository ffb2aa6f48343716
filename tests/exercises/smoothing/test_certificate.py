"""Exercise 9.3 accepts every right certificate and says what is wrong with each typical wrong one."""

import torch
from scipy.stats import beta, norm

from seminar_lib import ABSTAIN
from seminar_lib.exercises import smoothing
from seminar_lib.smoothing.bounds import lower_bound, radius

from ..conftest import praises, refuses


def certificate(
    bound=lower_bound,
    count=lambda first, second, label: second[label],
    total=lambda first, second: second.sum(),
    label=lambda first, second: int(first.argmax()),
    length=radius,
    least=0.5,
    otherwise=lambda label, p, sigma: (ABSTAIN, 0.0),
):
    """From two polls to a certificate, with one part exchanged at a time."""

    def my_certificate(first, second, sigma, alpha):
        chosen = label(first, second)
        p = float(bound(int(count(first, second, chosen)), int(total(first, second)), alpha))
        return (chosen, float(length(p, sigma))) if p > least else otherwise(chosen, p, sigma)

    return my_certificate


def by_hand(first, second, sigma, alpha):
    label = max(range(len(first)), key=first.tolist().__getitem__)
    k, n = second[label].item(), sum(second.tolist())
    p = beta.ppf(alpha, k, n - k + 1)
    return [torch.tensor(label), torch.tensor(sigma * norm.ppf(p))] if p > 1 / 2 else [ABSTAIN, 0]


test_every_right_certificate_is_praised = praises(smoothing.check_certificate, certificate(), by_hand)

test_a_wrong_certificate_gets_its_sentence = refuses(
    smoothing.check_certificate,
    (lambda first, second, sigma, alpha: 2, "return two things"),
    (lambda *given: certificate()(*given)[::-1], "the label, a whole number, comes first"),
    (lambda *given: (certificate()(*given)[0], None), "the radius must be a number"),
    (lambda *given: (ABSTAIN, 0.0), "prove more than a half"),
    (certificate(label=lambda first, second: int(first.argmin())), "prove more than a half"),
    (lambda *given: (0, certificate()(*given)[1]), "most votes of the first poll are for class 2"),
    (certificate(bound=lambda k, n, alpha: k / n), "its lower bound"),
    (certificate(bound=lambda k, n, alpha: lower_bound(k, n, alpha / 2)), "between two ends"),
    (certificate(length=lambda p, sigma: radius(p, sigma**2)), "the variance"),
    (certificate(count=lambda first, second, label: first[label], total=lambda first, second: first.sum()),
     "the poll that chose it"),
    (certificate(count=lambda first, second, label: (first + second)[label],
     total=lambda first, second: (first + second).sum()), "you add the polls"),
    (certificate(total=lambda first, second: (first + second).sum()), "the number of both polls"),
    (certificate(bound=lambda k, n, alpha: lower_bound(k, n, 1 - alpha)), "not the confidence"),
    (certificate(length=lambda p, sigma: p), "Turn it into a radius"),
    (certificate(length=lambda p, sigma: 1.1 * radius(p, sigma)), "905 votes of 1000"),
    (certificate(label=lambda first, second: int(second.argmax())), "the poll that tests it"),
    (certificate(least=0.0), "no more than"),
    (certificate(otherwise=lambda label, p, sigma: (label, 0.0)), "no more than"),
    (certificate(otherwise=lambda label, p, sigma: (None, 0.0)), "ABSTAIN; you return None"),
    (certificate(otherwise=lambda label, p, sigma: (ABSTAIN, p)), "still return a radius"),
)  # fmt: skip

"""Exercise 8.2 accepts every right vote and says what is wrong with each typical wrong one."""

from collections import Counter

import torch
import torch.nn.functional as F
from sklearn.neighbors import KNeighborsClassifier

from seminar_lib.exercises import embedding

from ..conftest import praises, refuses


def vote(z, z_train, y_train, k, distance=torch.cdist, first=0, largest=False):
    nearest = distance(z, z_train).topk(k + first, largest=largest).indices[:, first:]
    return y_train[nearest].mode(1).values


def by_counting(z, z_train, y_train, k):
    answer = []
    for image in z:
        order = sorted(range(len(z_train)), key=lambda i: float((image - z_train[i]).norm()))
        answer.append(Counter(int(y_train[i]) for i in order[:k]).most_common(1)[0][0])
    return torch.tensor(answer)


test_every_right_vote_is_praised = praises(
    embedding.check_vote,
    vote,
    by_counting,
    lambda z, z_train, y_train, k: torch.from_numpy(KNeighborsClassifier(k).fit(z_train, y_train).predict(z)),
    lambda *given: vote(*given).float(),
)

test_a_wrong_vote_gets_its_sentence = refuses(
    embedding.check_vote,
    (lambda z, z_train, y_train, k: y_train, "has shape"),
    (lambda z, z_train, y_train, k: y_train[torch.cdist(z, z_train).topk(k, largest=False).indices].mode(1),
     "such as .values"),
    (lambda z, z_train, y_train, k: y_train[torch.cdist(z, z_train).topk(k, largest=False).indices].float().mean(1),
     "Names have no mean"),
    (lambda z, z_train, y_train, k: torch.cdist(z, z_train).argmin(1), "Look up its label"),
    (lambda z, z_train, y_train, k: vote(z, z_train, y_train, 1), "Let all k vote"),
    (lambda z, z_train, y_train, k: vote(z, z_train, y_train, k, largest=True), "farthest"),
    (lambda z, z_train, y_train, k: vote(z, z_train, y_train, len(z_train)), "let all training images vote"),
    (lambda z, z_train, y_train, k: vote(z, z_train, y_train, k, first=1), "leave out the nearest"),
    (lambda z, z_train, y_train, k: vote(z, z_train, y_train, k, lambda a, b: -a @ b.T), "large inner product"),
    (lambda z, z_train, y_train, k: vote(z, z_train, y_train, k,
     lambda a, b: torch.cdist(F.normalize(a, dim=1), F.normalize(b, dim=1))), "directions only"),
    (lambda z, z_train, y_train, k: vote(z, z_train, y_train, 5), "whatever k is"),
    (lambda z, z_train, y_train, k: y_train[torch.cdist(z, z_train).topk(k, largest=False).indices].median(1).values,
     "Names have no order"),
    (lambda z, z_train, y_train, k: (vote(z, z_train, y_train, k) + 1) % 4, "most of them"),
)  # fmt: skip

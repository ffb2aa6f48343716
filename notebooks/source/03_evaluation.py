# %% [markdown]
# # 3. Honest evaluation: the worst of several attacks
#
# Reading 25 min, coding 40 min, discussion 25 min.
#
# - say why an accuracy under one attack is only an upper bound, and combine several attacks image by image
# - give an accuracy its interval, and say how many images a claim needs
# - expose networks that hide their gradients: with a loss that has no scale, and with attacks that need no gradient
# - read an evaluation with a checklist in hand
#
# Croce and Hein, *Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks*,
# ICML 2020. Carlini et al., *On Evaluating Adversarial Robustness*, 2019.

# %%
import math
import warnings

import matplotlib.pyplot as plt
import torch
from torch import nn

import seminar_lib as sl
from seminar_lib.exercises import evaluation
from seminar_lib.plots import BLUE, GREY, VERMILLION

data = sl.load_data()
standard, robust = (sl.load(f"{data.name}/{name}")[0] for name in ("standard", "pgd_at"))
test = data.test.sample(100)
x, y = test.x, test.y
ball = sl.Linf(8 / 255)

# %% [markdown]
# ## One attack is not a number
#
# An attack that fails proves nothing: somebody else's may succeed. Robust accuracy is the share of images that *no*
# image of the ball turns around. What we measure is how many stand against the attacks that we tried. So every
# measurement is an **upper bound**, and the lowest one is the best.
#
# Below, six attacks try to fool the same network within the same ball. `APGD` chooses its own step size: it starts with
# steps of 2 eps, and where an image makes no more progress it goes back to the best point and halves the step. `Square`
# sees no gradient at all: it paints random squares and keeps those that help. DLR is a loss that we meet below.

# %%
attacks = {
    "FGSM": sl.FGSM(ball),
    "PGD-20": sl.PGD(ball, steps=20),
    "PGD-20, margin": sl.PGD(ball, steps=20, loss=sl.margin),
    "APGD": sl.APGD(ball, steps=20),
    "APGD, DLR": sl.APGD(ball, steps=20, loss=sl.dlr),
    "Square": sl.Square(ball, queries=200),
}
report = sl.evaluate(robust, test, attacks, progress=False)
report

# %% [markdown]
# PGD-20 with the cross-entropy, an attack that many papers report, is far from the lowest row. Which images does each
# attack break?

# %%
# Picture: a row for each attack, a column for each image: dark where the attack broke
# it, light where it stands. Most broken images are broken by several attacks, some by
# one alone. The bottom row, the worst case, is the darkest.
rows = [*attacks, "worst case"]
broken = torch.stack([~report.outcomes(name) for name in rows])
order = broken.sum(0).argsort(descending=True, stable=True)
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.imshow(1 - 0.8 * broken[:, order].float(), cmap="gray", vmin=0, vmax=1, aspect="auto")
ax.set_yticks(
    range(len(rows)),
    [f"{name}: {int(b.sum())}" for name, b in zip(rows, broken, strict=True)],
)
ax.set_yticks([row - 0.5 for row in range(1, len(rows))], minor=True)
ax.grid(which="minor", color="white", linewidth=3)
ax.set(xlabel="images, those that most attacks broke first", title="dark: broken")
plt.show()

# %% [markdown]
# **Exercise 3.1.** Combine the attacks. `correct` has a row for each attack and a column for each image. Return the
# share of images that are right under *every* attack, and for each attack the number of images that it alone broke.


# %% exercise="3.1"
def combine(correct):
    """The worst-case accuracy, and how many images each attack alone broke, (A,), of outcomes (A, N)."""
    ### BEGIN SOLUTION: return the share that stands against all, and the counts
    broken = ~correct
    alone = broken & (broken.sum(0) == 1)
    return correct.all(0).float().mean(), alone.sum(1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `correct.all(0)` looks down each column. An attack broke an image alone where it broke it and where the number of
# attacks that broke it, `(~correct).sum(0)`, is 1.
#
# </details>

# %% check="3.1"
evaluation.check_worst_case(combine)

# %% tags=["nbval-check-output"]
lowest = min(report[name].accuracy for name in attacks)
print(
    "worst case at most as high as every attack:", report["worst case"].accuracy <= lowest
)
print(
    "at least 5 points below PGD-20:",
    report["PGD-20"].accuracy - report["worst case"].accuracy >= 0.05,
)

# %% [markdown]
# The library has the same idea as an attack: `sl.worst_case([...])` runs one after the other, each on the survivors of
# those before it. The strongest and cheapest come first.
#
# ## Error bars
#
# A hundred images are a sample. Another hundred would have given another number. How different? If the network answers
# a share $q$ of *all* images correctly, the share among $n$ of them has the standard deviation $\sqrt{q (1 - q) / n}$.
# Wilson (1927) turned this around: for which $q$ is what we saw, $p = k / n$, at most $z = 1.96$ standard deviations
# away? Solving the quadratic equation for $q$ gives
#
# $$\frac{1}{1 + z^2 / n} \left( p + \frac{z^2}{2 n} \pm z \sqrt{\frac{p (1 - p)}{n} + \frac{z^2}{4 n^2}} \right) .$$
#
# **Exercise 3.2.** Write it.


# %% exercise="3.2"
def wilson(k, n, z=1.96):
    """The lower and the upper end of the 95 % interval for k right answers out of n, as shares in [0, 1]."""
    ### BEGIN SOLUTION: return the two ends
    p = k / n
    middle = p + z**2 / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# One line for `p`, one for what stands before the plus-minus, one for what stands after it. `math.sqrt` takes the root.
#
# </details>

# %% check="3.2"
evaluation.check_interval(wilson)

# %%
# Picture: intervals around 44 % right answers for 10 to 10,000 images. They are 52
# points wide at first and shrink with the square root of n, to 2 points.
sizes = [10, 30, 100, 300, 1000, 3000, 10000]
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
for n in sizes:
    outcomes = torch.arange(n) < round(0.44 * n)
    accuracy = sl.Accuracy.of(outcomes)
    ax.plot([n, n], [accuracy.low, accuracy.high], color=BLUE, linewidth=3)
    ax.plot(n, accuracy.accuracy, "o", color=BLUE)
    ax.annotate(
        f"{100 * (accuracy.high - accuracy.low):.0f}",
        (n, accuracy.high),
        (0, 4),
        textcoords="offset points",
        ha="center",
    )
ax.set(xscale="log", ylim=(0, 1), xlabel="images", ylabel="accuracy")
ax.set_title("95 % intervals and their widths in points", fontsize="medium")
plt.show()

# %% tags=["nbval-check-output"]
for right, n in ((44, 100), (440, 1000), (4400, 10000), (0, 100)):
    print(f"{right} of {n}: {sl.Accuracy.of(torch.arange(n) < right)}")

# %% [markdown]
# Ten times the images, a third of the width. Two defences that differ by one point on 1,000 images do not differ by
# anything that was measured, unless they are compared image by image on the *same* images (`sl.Paired`; lesson 5 needs
# it). And the interval knows nothing of attacks that were not tried: it is the error of the sample, not that of the
# adversary.
#
# ## Robust, or blind?
#
# Here is a new defence. It takes the network without any defence, needs no training, and costs nothing.


# %%
class Sharp(nn.Module):
    """The same answers as `network`, with logits that are `factor` times as large."""

    def __init__(self, network, factor=100.0):
        super().__init__()
        self.network, self.factor = network, factor

    def forward(self, x):
        return self.factor * self.network(x)


sharp = Sharp(standard).eval()
praise = {
    name: sl.evaluate(network, test, {"PGD-20": sl.PGD(ball, steps=20)}, progress=False)
    for name, network in {"standard": standard, "Sharp(standard)": sharp}.items()
}
for name, outcome in praise.items():
    print(f"{name:>15}: clean {outcome['clean']}, PGD-20 {outcome['PGD-20']}")

# %% [markdown]
# From next to nothing to (almost) everything, by a factor of 100? It does not change a single answer. So it cannot have
# changed which images of the ball are misread. What has changed is what the attack *sees*.

# %% tags=["nbval-check-output"]
pixels = x.clone().requires_grad_()
loss = sl.cross_entropy(sharp(pixels), y)
slope = torch.autograd.grad(loss.sum(), pixels)[0]
flat = (slope == 0).flatten(1).all(1)
print("same answers:", bool((sharp(x).argmax(1) == standard(x).argmax(1)).all()))
print("the gradient is exactly zero for most images:", bool(flat.float().mean() > 0.5))

# %% [markdown]
# The probability of the right class rounds to 1, the cross-entropy to 0, its gradient to 0, and `sign(0)` is no
# direction. This is *gradient masking*, and no attack that climbs the cross-entropy is any use.
#
# A loss that does not know the scale of the logits sees as before. Croce and Hein divide the margin by another
# difference of logits, sorted downwards, $z_{(1)} \ge z_{(2)} \ge z_{(3)} \ge \dots$: the *difference of logits ratio*
#
# $$\mathrm{DLR}(z, y) = \frac{\max_{j \ne y} z_j - z_y}{z_{(1)} - z_{(3)}} .$$
#
# **Exercise 3.3.** Write it, for each image.


# %% exercise="3.3"
def my_dlr(logits, y):
    """The difference of logits ratio of each image, (B,), from logits (B, K): positive where the network is wrong."""
    ### BEGIN SOLUTION: return the ratio, one for each image
    true = logits.gather(1, y[:, None]).squeeze(1)
    other = logits.scatter(1, y[:, None], -torch.inf).amax(1)
    ordered = logits.sort(1, descending=True).values
    return (other - true) / (ordered[:, 0] - ordered[:, 2])
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `logits.gather(1, y[:, None]).squeeze(1)` are the logits of the true classes. To leave them out, put minus infinity in
# their place: `logits.scatter(1, y[:, None], -torch.inf)`. `logits.sort(1, descending=True).values` sorts each row.
#
# </details>

# %% check="3.3" points=2
evaluation.check_loss(my_dlr)

# %%
seeing = {
    "PGD-20, margin": sl.PGD(ball, steps=20, loss=sl.margin),
    "PGD-20, DLR": sl.PGD(ball, steps=20, loss=sl.dlr),
}
unmasked = sl.evaluate(sharp, test, seeing, progress=False)
unmasked

# %% tags=["nbval-check-output"]
print(
    "the cross-entropy saw at least 90 points of robustness that are not there:",
    praise["Sharp(standard)"]["PGD-20"].accuracy - unmasked["worst case"].accuracy >= 0.9,
)

# %% [markdown]
# Nobody multiplies logits by 100 on purpose. But a network that is trained for long does it by itself, and so does one
# that is trained at a high temperature, a divisor of the logits, which is then taken away. Defensive distillation
# (Papernot et al., S&P 2016) was nothing else: Carlini and Wagner broke it in 2017 by climbing logits instead of
# probabilities.
#
# ## No slope at all
#
# The next defence rounds every pixel to one of 17 levels before the network sees it.


# %%
class Rounded(nn.Module):
    """`network` on pixels that are rounded to multiples of 1 / steps."""

    def __init__(self, network, steps=16):
        super().__init__()
        self.network, self.steps = network, steps

    def forward(self, x):
        return self.network((x * self.steps).round() / self.steps)


rounded = Rounded(standard).eval()
blind = sl.evaluate(
    rounded, test, {"PGD, margin": seeing["PGD-20, margin"]}, progress=False
)
blind

# %% [markdown]
# The slope of a staircase is zero. No loss helps now. But the adversary can still *try things out*: move, look at the
# loss, keep what helps. That needs no gradient.
#
# **Exercise 3.4.** Write random search. `propose(images)` returns a changed copy of each image, `score(images)` the
# loss of each, (B,). Keep a proposal where it raises the loss of its image. Every call of `propose` is one query.


# %% exercise="3.4"
def my_search(score, propose, x, queries):
    """For each image the best of `queries` proposals, each made from the best image so far."""
    ### BEGIN SOLUTION: make the proposals, and keep each where it raises the loss of its image
    best, highest = x.clone(), score(x)
    for _ in range(queries):
        proposal = propose(best)
        loss = score(proposal)
        better = loss > highest
        best[better], highest[better] = proposal[better], loss[better]
    return best
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Hold `best` (a copy of x) and `highest` (its loss). In the loop: propose from `best`, score, and note where the loss
# is `better`. `best[better] = proposal[better]` takes over those images only; do not forget `highest`.
#
# </details>

# %% check="3.4" points=2
evaluation.check_search(my_search)

# %% [markdown]
# With a proposal that paints a random square with changes of plus or minus eps, this is already the heart of the Square
# attack (Andriushchenko et al., ECCV 2020). The library's version starts with stripes, and its squares shrink.
#
# Attacks differ in what they need to know:
#
# | attack | needs | of the network |
# |---|---|---|
# | `PGD`, `APGD`, `CW` | gradients | everything: *white box* |
# | `Square` | logits or probabilities | its scores: *black box* |
# | `HopSkipJump` | labels | its answers |
# | `Transfer` | nothing, until the attack is over | a similar network of one's own |

# %%
without_gradients = {
    "Square": sl.Square(ball, queries=200),
    "Transfer from standard": sl.Transfer(sl.PGD(ball, steps=20), standard),
}
exposed = sl.evaluate(rounded, test, without_gradients, progress=False)
exposed

# %% tags=["nbval-check-output"]
print(
    "Square, which sees less, breaks more than PGD:",
    exposed["Square"].high < blind["PGD, margin"].low,
)
print(
    "on pgd_at it does not:",
    report["Square"].accuracy > report["PGD-20, margin"].accuracy,
)

# %% [markdown]
# That comparison is a test in itself. An attack that may use the gradient can do all that one without it can. If
# Square, or a transfer, does *better* than PGD, then the gradients lie. On `pgd_at` they do not.
#
# ## How far away?
#
# Lesson 2 asked for each image's distance to the nearest mistake, and DeepFool gave a first answer. The attack of
# Carlini and Wagner takes far more time over it. It searches for the shortest $L_2$ perturbation $\delta$ by descending
#
# $$\lVert \delta \rVert_2^2 + c \cdot \max(-\text{margin}(x + \delta), 0)$$
#
# with Adam, and repeats that for several constants $c$: too small, and the short way wins over the mistake; too large,
# and the mistake is reached by any detour.

# %%
# Picture: the distance that Carlini and Wagner's attack finds against that of DeepFool,
# a point for each image. All points lie on the diagonal or below it: the slower attack
# finds the nearer mistake.
few = slice(0, 24)
distance = {
    "DeepFool": sl.DeepFool(sl.L2()).nearest(robust, x[few], y[few]).distance,
    "C&W": sl.CW(sl.L2(), binary_steps=4, steps=60, initial_const=1.0)
    .nearest(robust, x[few], y[few])
    .distance,
}
figure, ax = plt.subplots(figsize=(4, 3.6), layout="constrained")
longest = 1.05 * distance["DeepFool"][distance["DeepFool"].isfinite()].max()
ax.plot([0, longest], [0, longest], color=GREY, linestyle=":", label="equally far")
ax.plot(distance["DeepFool"], distance["C&W"], "o", color=VERMILLION, label="an image")
ax.set(xlabel="L2 distance, DeepFool", ylabel="L2 distance, C&W")
ax.set_title(f"pgd_at, n = {len(x[few])}", fontsize="medium")
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
print(
    "in the median C&W's mistakes are nearer:",
    bool(distance["C&W"].median() < distance["DeepFool"].median()),
)

# %% [markdown]
# ## Ready made: AutoAttack
#
# Every attack above has knobs, and a defender who turns them badly looks strong. Croce and Hein's answer is an ensemble
# *without* knobs: APGD on the cross-entropy, APGD towards each of nine wrong classes with DLR, FAB (a minimum-norm
# attack), and Square with 5,000 queries, each on the survivors of those before. It is what robustness is reported with
# today. In the library it also looks for the signs of a network that it cannot judge, and warns.

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    verdict = sl.evaluate(
        sharp, test[:32], {"AutoAttack": sl.autoattack(ball)}, progress=False
    )
for warning in caught:
    print(warning.message)
verdict

# %% tags=["nbval-check-output"]
print("right answers left to Sharp:", int(verdict.outcomes("AutoAttack").sum()))
print("it warned:", len(caught) > 0)

# %% [markdown]
# On a network that stands, such as `pgd_at`, it takes thousands of looks at each surviving image: minutes to hours. For
# a class, a small ensemble of the same make:

# %%
small = sl.worst_case(
    [
        sl.APGD(ball, steps=20),
        sl.APGDTargeted(ball, steps=20, targets=4),
        sl.Square(ball, queries=100),
    ]
)
ensemble = sl.evaluate(robust, test, {"small ensemble": small}, progress=False)
ensemble

# %% [markdown]
# ## A checklist
#
# Before you believe a robust accuracy, your own above all, look for these. The first six are settings, the rest are
# experiments that can prove a number wrong.
#
# 1. The **threat model**: norm, radius, and that pixels lie in [0, 1] before any normalisation.
# 2. The **attack** with all its settings: loss, steps, step size, restarts, what it knows.
# 3. **n**, and the interval. Which images, and who chose them?
# 4. The **clean accuracy** beside it.
# 5. The **worst case** over attacks, image by image.
# 6. How the **checkpoint** was chosen: not on the test images.
# 7. More **steps** and restarts: has the curve become flat?
# 8. A larger **radius**: does the accuracy fall to zero?
# 9. An attack **without gradients**, and a **transfer**: are they weaker than the white box, as they must be?
# 10. Another **loss**: margin or DLR beside the cross-entropy.
# 11. An attack that **knows the defence** and goes around it (lesson 12). Whoever built the defence should try hardest.

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("03_evaluation")

# %% [markdown]
# ## Summary
#
# - An accuracy under attack is an upper bound. The worst case over several attacks, image by image, is a better one.
# - It is an estimate from n images, and comes with an interval: about 10 points either way at n = 100, 1 at n = 10,000.
# - An attack that fails may be blind. A large scale hides the slope of the cross-entropy, a staircase every slope.
# - Margin and DLR have no scale to hide behind; random search and transfer need no slope.
# - If an attack that knows less does better, the gradients are masked.
#
# **Discussion: what would convince you?** A paper: "Under AutoAttack at 8/255 our network keeps 71.3 % (n = 1,000), 0.9
# points more than the best before. PGD-20 gives 70.8 %. Inputs are compressed as JPEG before the network." What is
# missing? Which of the numbers should make you suspicious, and of what? What would you run?
#
# **References**
#
# - F. Croce, M. Hein: [Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free
#   Attacks](https://arxiv.org/abs/2003.01690), ICML 2020.
# - N. Carlini, A. Athalye, N. Papernot et al.: [On Evaluating Adversarial
#   Robustness](https://arxiv.org/abs/1902.06705), 2019.
# - A. Athalye, N. Carlini, D. Wagner: [Obfuscated Gradients Give a False Sense of
#   Security](https://arxiv.org/abs/1802.00420), ICML 2018.
# - M. Andriushchenko, F. Croce, N. Flammarion, M. Hein: [Square Attack](https://arxiv.org/abs/1912.00049), ECCV 2020.
# - N. Carlini, D. Wagner: [Towards Evaluating the Robustness of Neural Networks](https://arxiv.org/abs/1608.04644), S&P
#   2017.
# - J. Chen, M. Jordan, M. Wainwright: [HopSkipJumpAttack](https://arxiv.org/abs/1904.02144), S&P 2020.
# - N. Papernot, P. McDaniel, I. Goodfellow: [Transferability in Machine Learning](https://arxiv.org/abs/1605.07277),
#   2016.
# - E. Wilson: [Probable inference, the law of succession, and statistical
#   inference](https://doi.org/10.1080/01621459.1927.10502953), JASA 1927.

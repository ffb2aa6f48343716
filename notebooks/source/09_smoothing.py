# %% [markdown]
# # 9. Randomized smoothing: a certificate
#
# Reading 25 min, coding 40 min, discussion 20 min.
#
# - say what a certificate claims that no attack can, and what it does not claim
# - find the radius of a half-space, and explain why no other classifier does worse
# - turn counted votes into a bound that holds, and the bound into a certificate
# - read certified accuracy next to accuracy under attack, and name the price of a proof
#
# Cohen, Rosenfeld and Kolter, *Certified Adversarial Robustness via Randomized Smoothing*, ICML 2019. Salman et al.,
# *Provably Robust Deep Learning via Adversarially Trained Smoothed Classifiers*, NeurIPS 2019.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import binom, norm

import seminar_lib as sl
from seminar_lib.exercises import smoothing
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery
from seminar_lib.smoothing import MisclassifyOnAverage
from seminar_lib.smoothing.average import draw_noise
from seminar_lib.smoothing.bounds import largest_radius, lower_bound, radius

data = sl.load_data()
names = {sigma: f"{data.name}/noise_{100 * sigma:03.0f}" for sigma in (0.12, 0.25, 0.5)}
missing = [name for name in names.values() if name not in sl.shipped()]
recipes = ", ".join(name.replace("/", "_") for name in missing)
advice = "Train these first, each with `python -m seminar_lib train NAME --ship`"
assert not missing, f"{advice}: {recipes}"
networks = {sigma: sl.load(name)[0] for sigma, name in names.items()}
standard = sl.load(f"{data.name}/standard")[0]
test = data.test.sample(40)
x, y = test.x, test.y


def seeded(seed=0):
    """A source of random numbers that starts at the same place for everybody."""
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## An attack that fails is no proof
#
# Which share of the test images does `pgd_at` still read correctly after an attack in the Linf ball of 8/255? It
# depends on whom we ask.

# %% tags=["nbval-check-output"]
figures = sl.load(f"{data.name}/pgd_at")[1]["test"]["best"]["attacks"]
accuracy = {name: figures[name]["accuracy"] for name in ("fgsm", "pgd20")}
for name, share in accuracy.items():
    print(f"{name:>5}: {share:.1%}")
print("PGD finds what FGSM does not:", accuracy["pgd20"] < accuracy["fgsm"])

# %% [markdown]
# Between the two lines stand images that were called robust until somebody walked further. Lesson 3 put more attacks
# together, and the number fell once more. Each of them is an upper bound: *at most* that many images are robust. The
# next attack, which nobody has written yet, may find the rest.
#
# A proof would have to speak of *all* images of the ball at once. Trying them does not end: with 3 changes for each of
# 3072 values they are $3^{3072}$. And a network is a function that nobody understands well enough to say anything about
# a whole ball, or only of small networks, and with much computing.
#
# Randomized smoothing goes around that. It proves nothing about the network $f$. It makes of it *another* classifier
# $g$, of which something can be proved whatever $f$ is:
#
# $$g(x) = \arg\max_c \; P\big[f(x + d) = c\big], \qquad d \sim N(0, \sigma^2 I) .$$
#
# Add noise to the image, ask $f$, and do it again and again: $g$ is the answer that comes most often.

# %% [markdown]
# ## A vote
#
# Here is one sign, and eleven copies of it with noise of $\sigma = 0.25$, a quarter of the way from black to white for
# each value. Above each stands what `noise_025` takes it for, a network that has been *trained on such noise*.

# %%
# Picture: one clear sign and eleven copies of it under so much noise that only its shape
# can still be guessed. Nearly all of them have the right answer above them.
clear = x.std((1, 2, 3)).argsort(descending=True)
place = int(clear[11])
one, name = x[place : place + 1], data.classes[y[place]]
noisy = one + draw_noise(one, 0.25, 11, seeded())[0]
with torch.no_grad():
    answers = networks[0.25](noisy).argmax(1)
titles = [f"clean: {name}", *(data.classes[label] for label in answers)]
gallery(torch.cat([one, noisy.clamp(0, 1)]), titles, columns=6)

# %% [markdown]
# Now 500 copies, for this network and for `standard`, which has never seen noise. Before you run it: what will
# `standard` say?

# %%
# Picture: the votes of 500 noisy copies as bars, a row for each class. All or nearly all
# votes of the network trained on noise are for the true class. Those of the standard
# network are for others.
smoothed = {sigma: sl.Smoothed(network, sigma) for sigma, network in networks.items()}
naive = sl.Smoothed(standard, 0.25)
votes = {
    "standard": naive.votes(one, 500, seeded())[0],
    "noise_025": smoothed[0.25].votes(one, 500, seeded())[0],
}
figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, (title, counts) in zip(axes, votes.items(), strict=True):
    colours = [BLUE if label == y[place] else VERMILLION for label in range(len(counts))]
    ax.barh(range(len(counts)), counts, color=colours)
    ax.axvline(250, color=GREY, linestyle=":", label="half of the votes")
    ax.set(title=title, xlabel="votes of 500 copies", xlim=(0, 510))
    ax.set_yticks(range(len(counts)), data.classes)
axes[0].get_yticklabels()[int(y[place])].set_fontweight("bold")
axes[0].invert_yaxis()
axes[1].legend(loc="lower right")
plt.show()

# %% tags=["nbval-check-output"]
for title, counts in votes.items():
    print(f"{title}: the sign has more than half of the votes:", end=" ")
    print(bool(counts[y[place]] > 250))

# %% [markdown]
# Smoothing can be put around any network, and it is no use around any. The vote asks $f$ about noisy images *alone*, so
# $f$ has to be good at them. `sl.NoiseTraining(sigma)` is the simplest way: cross-entropy on noisy copies.
#
# But why should a vote be robust? Which perturbation could turn 490 of 500 votes around?

# %% [markdown]
# ## The radius of a half-space
#
# Start with the simplest network: linear, with two classes. It cuts the space of images in two halves by a straight
# border, and the image $x$ lies at a distance $r$ from it, on the side of class A. Noise carries the copies to all
# sides. For their class only one direction counts, the one across the border, and in any direction the noise is normal
# with the same deviation $\sigma$. A copy is on the wrong side if it is carried more than $r$ towards the border:
#
# $$p = P[f(x + d) = A] = P[d_1 > -r] = \Phi\!\left(\frac{r}{\sigma}\right)
# \qquad\Longrightarrow\qquad r = \sigma \, \Phi^{-1}(p) .$$
#
# $\Phi$ is the distribution function of the normal distribution, $\Phi^{-1}$ its inverse, the quantile. So the *share
# of the votes* tells the distance to the border, though nobody has looked for the border.

# %%
# Picture: 400 noisy copies of a point in the plane, and a straight border at its right.
# Those beyond the border are crosses. A circle around the point, of the radius that
# follows from the share of the votes, just touches the border.
r, sigma = 0.3, 0.25
rng = np.random.default_rng(3)
copies = sigma * rng.standard_normal((400, 2))
votes_a = copies[:, 0] < r
figure, ax = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
ax.scatter(*copies[votes_a].T, 14, color=BLUE, label="voted A")
ax.scatter(*copies[~votes_a].T, 22, color=VERMILLION, marker="x", label="voted B")
ax.axvline(r, color=INK)
found = sigma * norm.ppf(votes_a.mean())
ax.add_patch(plt.Circle((0, 0), found, fill=False, color=INK, linestyle="--"))
ax.plot(0, 0, "s", color=INK, label="the image")
ax.set(aspect="equal", xlim=(-0.85, 0.85), ylim=(-0.7, 0.7), xticks=[], yticks=[])
ax.set_title(f"{votes_a.mean():.1%} for A: radius {found:.2f}", fontsize="medium")
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# A network's borders are not straight. What if they are folded, so that class A surrounds the image with holes in it?
# Then the nearest border may be closer than $\sigma \Phi^{-1}(p)$, but that is the border of $f$. We ask when the
# *vote* turns around, and the holes have been voting all the time.
#
# Let $S$ be the set of images that $f$ takes for A, any set, with $P[x + d \in S] = p$. Move the image by $\delta$.
# Which set of this probability *loses most*?
#
# Around $x + \delta$, each place $z$ is as likely as before, times the ratio of the two densities,
#
# $$\frac{\exp(-\lVert z - x - \delta \rVert^2 / 2\sigma^2)}{\exp(-\lVert z - x \rVert^2 / 2\sigma^2)}
# = \exp\!\left(\frac{\delta^\top (z - x)}{\sigma^2} - \frac{\lVert \delta \rVert^2}{2 \sigma^2}\right) ,$$
#
# which depends only on how far $z$ lies *along* $\delta$. The places that lose are those at the back. So the set that
# loses most is made of all places at the back, as far as the probability $p$ reaches: a half-space with its border
# across $\delta$. (Exchange any part of it for another part of the same probability: what comes in lies further to the
# front, and loses less. This is the lemma of Neyman and Pearson.) And a half-space we have computed already:
#
# $$P[f(x + \delta + d) = A] \;\ge\; \Phi\!\left(\Phi^{-1}(p) - \frac{\lVert \delta \rVert}{\sigma}\right) ,$$
#
# for *every* $f$ and every $\delta$ of that length. It is more than 1/2 as long as
# $\lVert \delta \rVert < \sigma \, \Phi^{-1}(p)$. That is the theorem. Let us see whether four sets obey it.

# %%
shapes = {
    "half-space": lambda z: -z[..., 0],
    "disc": lambda z: -(z**2).sum(-1),
    "all but a disc": lambda z: (z**2).sum(-1),
    "stripes": lambda z: np.sin(4 * z[..., 0] + z[..., 1]),
}
p, cloud = 0.8, rng.standard_normal((200_000, 2))
# Each set is where a function is large: as large as it takes for the probability p.
edges = {name: np.quantile(shape(cloud), 1 - p) for name, shape in shapes.items()}
shifts, ahead = np.linspace(0, 1.6, 17), np.array([1, 0])  # in units of sigma
kept = {
    name: [(shape(cloud + shift * ahead) >= edges[name]).mean() for shift in shifts]
    for name, shape in shapes.items()
}

# %%
# Picture: above, four sets of the same probability in the plane: a half-space, a disc,
# all but a disc, stripes. Below, their probabilities while the image moves to the right.
# The curve of the half-space is the lowest; it crosses one half at the radius, where all
# others are still above.
figure = plt.figure(figsize=(9, 6), layout="constrained")
upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.6))
side = np.linspace(-3, 3, 200)
plane = np.stack(np.meshgrid(side, side), -1)
for ax, (name, shape) in zip(upper.subplots(1, 4), shapes.items(), strict=True):
    inside = shape(plane) >= edges[name]
    ax.imshow(inside, extent=(-3, 3, -3, 3), origin="lower", cmap="cividis", alpha=0.8)
    ax.plot(0, 0, "s", color="white", markeredgecolor=INK)
    ax.annotate(
        "", (1.8, 0), (0, 0), arrowprops={"arrowstyle": "->", "color": "white", "lw": 2}
    )
    ax.set(title=name, xticks=[], yticks=[])
ax = lower.subplots()
styles = ((INK, "-"), (BLUE, "--"), (VERMILLION, "-."), (GREY, ":"))
for (name, curve), (colour, style) in zip(kept.items(), styles, strict=True):
    ax.plot(shifts, curve, style, color=colour, label=name, linewidth=2)
ax.axhline(0.5, color=GREY, linewidth=0.8)
ax.axvline(norm.ppf(p), color=GREY, linewidth=0.8)
ax.set(xlabel="the image moves, in units of sigma", ylabel="probability of the set")
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
bound = norm.cdf(norm.ppf(p) - shifts)
for name, curve in kept.items():
    print(f"{name:>14}: never below the bound: {bool((curve > bound - 0.01).all())}")

# %% [markdown]
# **Exercise 9.1.** Write the radius of an answer of probability `p`. Where nothing is certain, it is 0.


# %% exercise="9.1"
def my_radius(p, sigma):
    """The L2 radius within which an answer of probability p stays the most frequent, a number."""
    ### BEGIN SOLUTION: return the radius, and 0.0 where nothing is certain
    return float(sigma * norm.ppf(p)) if p > 0.5 else 0.0
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `norm.ppf` is $\Phi^{-1}$ (and `norm.cdf` is $\Phi$). From which `p` on can no other answer be as frequent?
#
# </details>

# %% check="9.1"
smoothing.check_radius(my_radius)

# %% [markdown]
# ## Nobody knows $p$
#
# $p$ is an integral over all noise, through a network. What we have is a poll: $k$ of $n$ copies voted for A. Take the
# share $k / n$ for $p$? Suppose that $p$ is 0.8, and that we poll 100 copies, again and again.

# %% tags=["nbval-check-output"]
polls = np.random.default_rng(1).binomial(100, 0.8, size=100_000)
print(f"the share says more than 0.8 in {(polls / 100 > 0.8).mean():.0%} of all polls")

# %% [markdown]
# Whoever certifies by the share promises too much in nearly every other case. That is no proof of anything. We need a
# number that is *seldom* too high, with a probability of at most $\alpha$ that we choose, such as 0.001.
#
# Clopper and Pearson (1934) ask: how small may $p$ be, so that $k$ votes or more are not too strange? They take the $p$
# under which that many votes come with probability $\alpha$,
#
# $$P\big[\mathrm{Bin}(n, p_{\mathrm{lower}}) \ge k\big] = \alpha .$$
#
# If the true $p$ is smaller than that, then something has happened in our poll that happens with probability $\alpha$
# at most. There is a closed form: $p_{\mathrm{lower}}$ is the $\alpha$ quantile of the distribution
# $\mathrm{Beta}(k, n - k + 1)$, and 0 for $k = 0$. Or search for it: the left side rises with $p$.
#
# **Exercise 9.2.** Write the bound.


# %% exercise="9.2"
def my_lower_bound(k, n, alpha):
    """What a probability is at least after k hits in n draws; too high with probability alpha at most."""
    ### BEGIN SOLUTION: return the bound of Clopper and Pearson
    low, high = 0.0, 1.0
    for _ in range(40):
        p = (low + high) / 2
        low, high = (p, high) if binom.sf(k - 1, n, p) < alpha else (low, p)
    return low if k > 0 else 0.0
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `from scipy.stats import beta`, and `beta.ppf(q, a, b)` is the `q` quantile. There is no Beta(0, ...), so treat
# `k = 0` apart. Or halve an interval again and again: `binom.sf(k - 1, n, p)` is the probability of `k` hits or more.
#
# </details>

# %% check="9.2" points=2
smoothing.check_bound(my_lower_bound)

# %%
# Picture: forty polls of 100 copies side by side, the true probability 0.8 as a line.
# The shares of the votes, discs, lie above and below it. The lower bounds, triangles at
# the ends of whiskers, lie below it, but for two of the forty.
sample = polls[:40]
bounds = lower_bound(sample, 100, 0.05)
too_high = bounds > 0.8
figure, ax = plt.subplots(figsize=(9, 3.2), layout="constrained")
turn = np.arange(len(sample))
ax.vlines(turn, bounds, sample / 100, color=GREY, linewidth=1)
ax.plot(turn, sample / 100, "o", color=GREY, label="share of the votes")
ax.plot(turn[~too_high], bounds[~too_high], "^", color=BLUE, label="lower bound")
ax.plot(
    turn[too_high], bounds[too_high], "X", color=VERMILLION, label="bound too high", ms=9
)
ax.axhline(0.8, color=INK, label="p")
ax.set(xlabel="poll", ylabel="probability", title="n = 100, alpha = 0.05")
ax.legend(loc="lower right", ncols=4, fontsize="small")
ax.set_ylim(0.5, 0.95)
plt.show()

# %% tags=["nbval-check-output"]
for alpha in (0.05, 0.001):
    share = (lower_bound(polls, 100, alpha) > 0.8).mean()
    print(
        f"alpha = {alpha}: too high in {share:.2%} of all polls, at most alpha:", end=" "
    )
    print(bool(share <= alpha))

# %% [markdown]
# Suppose that *all* copies agree. How far can $n$ of them reach?

# %% tags=["nbval-check-output"]
for n in (10, 100, 1_000, 10_000, 100_000):
    reach = {sigma: largest_radius(n, 0.001, sigma) for sigma in networks}
    said = ", ".join(f"{r:.2f} at sigma {sigma}" for sigma, r in reach.items())
    print(f"n = {n:>7,}: bound {float(lower_bound(n, n, 0.001)):.5f}, radius {said}")

# %% [markdown]
# Ten copies prove next to nothing at $\alpha = 0.001$, and nine copies nothing at all, even when all agree: who polls
# too few *abstains* from every answer, and may look for the mistake elsewhere. On the other hand, ten times the copies
# add less and less. A longer radius needs more noise.

# %% [markdown]
# ## The certificate
#
# One trap is left. Which class is A? The one with the most votes, of course. But a poll that chooses the winner
# flatters it. Suppose that two classes share all votes evenly, so that there is nothing to certify. How often is one
# certified all the same, at $\alpha = 0.05$?

# %% tags=["nbval-check-output"]
enough = int(np.argmax(lower_bound(np.arange(101), 100, 0.05) > 0.5))
chance = binom.sf(enough - 1, 100, 0.5)
print(f"{enough} votes of 100 are enough for a certificate")
print(f"a class that was chosen before gets as many with probability {chance:.3f}")
print(f"the winner of this poll does with probability {2 * chance:.3f}")

# %% [markdown]
# Twice as often, and beyond $\alpha$. So Cohen et al. take two polls that know nothing of each other: a small one
# *chooses* the label, a large one *tests* it. Where the bound is no more than a half, they give no answer:
# `sl.ABSTAIN`.
#
# **Exercise 9.3.** Write the certificate. `lower_bound(k, n, alpha)` and `radius(p, sigma)` are the library's.


# %% exercise="9.3"
def my_certificate(choosing, testing, sigma, alpha):
    """From the votes (K,) of two polls to a label and its radius, or to (sl.ABSTAIN, 0.0)."""
    ### BEGIN SOLUTION: choose the label, bound its probability, and return it with its radius, or abstain
    label = int(choosing.argmax())
    p = lower_bound(int(testing[label]), int(testing.sum()), alpha)
    if p <= 0.5:
        return sl.ABSTAIN, 0.0
    return label, float(radius(p, sigma))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `choosing.argmax()` is the label; `testing[label]` are its votes in the second poll, out of `testing.sum()`. `int()`
# makes a number of a tensor.
#
# </details>

# %% check="9.3" points=2
smoothing.check_certificate(my_certificate)
### BEGIN HIDDEN TESTS
polled = [smoothed[0.12].votes(one, n, seeded(n))[0] for n in (20, 200)]
label, reach = my_certificate(*polled, 0.12, 0.001)
assert label in (sl.ABSTAIN, int(polled[0].argmax()))
assert 0 <= reach <= largest_radius(200, 0.001, 0.12)
### END HIDDEN TESTS

# %% [markdown]
# `sl.Smoothed(network, sigma).certify(x)` does this for many images at once. Open
# `seminar_lib/smoothing/smoothed.py` and `bounds.py`: the theorem is one line there, and most of the rest makes the
# polls quick.
#
# ## Turn the two knobs
#
# Two numbers are up to us: $\sigma$, the noise, and $n$, the copies. Each $\sigma$ below has its own network, the one
# trained on it.

# %%
from seminar_lib.widgets import SmoothingDemo

demo = SmoothingDemo(networks, test[clear[:12]], data.classes)
demo

# %%
# Picture: the demo at sigma 0.25 with 1000 copies: the sign and eight noisy copies with
# their answers, the votes as bars, the lower bound of the probability on a scale from 0
# to 1, and the certified radius on another scale.
first = vars(demo.state)
for control, value in {"image": 10, "noise": 1, "looks": 1000}.items():
    demo.controls[control].value = value
shown = demo.static()
for control, value in first.items():
    demo.controls[control].value = value
shown

# %% [markdown]
# - Move `n` from 10 to 1000. Which of the two marks on the scale of the probability moves towards the other?
# - Choose the largest sigma. How far would the radius reach if all copies agreed? How far does it reach?
# - Look for an image that is certain at 0.12 and not at 0.5, and for one whose radius is longest at 0.25.

# %% [markdown]
# ## Certified accuracy
#
# An image counts at radius $r$ if the answer is *right* and certified up to $r$ at least. Before you run the next cell,
# draw three curves by hand, of the share of images against $r$, one for each $\sigma$. Where does each begin? Where
# does it end at the latest?

# %%
reports = {}
for sigma in smoothed:  # half a minute for the three of them
    reports[sigma] = sl.certify_set(smoothed[sigma], test, n0=20, n=200, progress=False)

# %%
# Picture: certified accuracy against the L2 radius, a falling curve for each of three
# sigmas with its 95 % interval as a band. The smallest sigma begins highest and ends
# first; the largest begins lowest and reaches farthest.
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ax.set_prop_cycle(color=[BLUE, VERMILLION, INK], linestyle=["-", "--", "-."])
for sigma, report in reports.items():
    report.plot(ax, label=f"sigma = {sigma:g}")
ax.set_title(f"{len(test)} images, n = 200, alpha = 0.001", fontsize="medium")
ax.legend()
plt.show()

# %%
reports[0.25]

# %% tags=["nbval-check-output"]
for sigma, report in reports.items():
    end = largest_radius(200, 0.001, sigma)
    within = bool((report.certificates.radius <= end + 1e-6).all())
    print(f"sigma = {sigma:g}: no radius beyond {end:.2f}: {within}")
print(
    "the smallest sigma is right most often:",
    reports[0.12][0.0].accuracy >= reports[0.5][0.0].accuracy,
)

# %% [markdown]
# No $\sigma$ is the best one. More noise reaches farther and reads less: fine detail of a sign is gone before its shape
# is. You have to choose the radius that you want to be safe in, and to pay for it with images that are given no answer
# at all.
#
# Better trainings lift the curves. `sl.SmoothAdv` trains on images that fool the vote, `sl.Consistency` asks noisy
# copies of an image for one answer. On CIFAR-10, at $\sigma = 0.25$ and $r = 0.5$, SmoothAdv has 57 % where training on
# noise has 43 % (as listed by Zhai et al., MACER, ICLR 2020).
#
# With 200 copies of 40 images we see the shape and not the digits. Papers take $n = 100\,000$ copies of 500 images.
# `sl.certify_set(smoothed[0.25], data.test.sample(500), path="certified.json")` takes 10 000 copies and some hours, and
# goes on where it was stopped. This is what Cohen et al. found for CIFAR-10 with a ResNet-110, from the files that they
# published:
#
# | sigma | right | r = 0.25 | 0.5 | 0.75 | 1.0 | 1.5 | no answer |
# |---|---|---|---|---|---|---|---|
# | 0.12 | 81.4 % | 58.6 % | 0 | 0 | 0 | 0 | 3.8 % |
# | 0.25 | 74.8 % | 60.0 % | 42.8 % | 26.6 % | 0 | 0 | 8.6 % |
# | 0.50 | 65.2 % | 54.6 % | 41.4 % | 32.0 % | 23.4 % | 9.4 % | 16.6 % |
# | 1.00 | 47.2 % | 39.2 % | 34.0 % | 27.8 % | 21.6 % | 14.0 % | 29.0 % |
#
# Can a laptop repeat that? `python -m seminar_lib train cifar10_narrow_noise_025` trains a ResNet-18 of 0.7 million
# weights for 16 epochs, 40 minutes on one core; an hour more certifies 500 test images, in bfloat16 and with 10 000
# copies of each:
#
# | sigma | right | r = 0.25 | 0.5 | 0.75 | no answer |
# |---|---|---|---|---|---|
# | 0.25 | 74.0 % [70.0, 77.7] | 59.6 % [55.2, 63.8] | 43.2 % [38.9, 47.6] | 23.6 % [20.1, 27.5] | 8.4 % [6.3, 11.2] |
#
# One seed; every number of theirs lies in the interval.

# %% [markdown]
# ## Certified next to attacked
#
# The certificate is a *lower* bound of the share of robust images, an attack gives an *upper* one. The truth lies
# between, for the same classifier $g$ and the same images. So we attack $g$.
#
# Its votes are counted, so they have no gradient. Two ways around it:
#
# - **The average inside.** Take the mean of the probabilities over some copies, and climb its cross-entropy,
#   $-\log \frac{1}{m} \sum_i p_y(x + d_i)$ (Salman et al.). The same copies serve for the whole search.
# - **EOT.** Take the mean of the cross-entropies, with new copies at each look (lessons 10 and 12).
#
# How much lower will accuracy under attack be than clean accuracy? And how much lower is the certified one?

# %%
sigma, few = 0.25, test[:20]
network = networks[sigma]


def attack_smoothed(eps, way, draws=8):
    """Images within L2 distance eps that shall change the vote."""
    if way == "average":
        noise = draw_noise(few.x, sigma, draws, seeded())
        goal = MisclassifyOnAverage(network, few.y, noise)
    else:
        look = sl.Misclassify(sl.Smoothed(network, sigma, samples=1), few.y)
        goal = sl.Expectation(look, draws)
    torch.manual_seed(0)
    pgd = sl.PGD(sl.L2(eps), steps=10, stop_when_fooled=False)
    return pgd.run(goal, few.x, seeded())


attacked = {("average", eps): attack_smoothed(eps, "average") for eps in (0.25, 0.5, 1.0)}
attacked["EOT", 0.5] = attack_smoothed(0.5, "EOT")
attacked["nobody", 0.0] = few.x

# %%
certified = reports[sigma].certificates
certain = certified.radius[: len(few)] * (certified.label[: len(few)] == few.y)
stands = {}
for (way, eps), images in attacked.items():
    voted = smoothed[sigma].votes(images, 100, seeded(1)).argmax(1)
    stands[way, eps] = voted == few.y
    print(f"eps = {eps:4}, {way:>7}: right {sl.Accuracy.of(stands[way, eps])}, ", end="")
    print(f"certified {sl.Accuracy.of(certain > eps)}")

# %% tags=["nbval-check-output"]
broken = sum(int((~right & (certain > eps)).sum()) for (_, eps), right in stands.items())
print("certified images that fell to an attack within their radius:", broken)
middle = {way: int(stands[way, 0.5].sum()) for way in ("average", "EOT")}
print(
    "the two ways differ by at most 2 images:",
    abs(middle["average"] - middle["EOT"]) <= 2,
)

# %%
# Picture: two curves for the same images and the same smoothed network: the certified
# accuracy, which falls to zero, and above it accuracy under attack, discs with error
# bars, which falls later. The space between them is hatched.
at = [0.0, 0.25, 0.5, 1.0]
upper = [sl.Accuracy.of(stands["average" if eps else "nobody", eps]) for eps in at]
height = np.array([found.accuracy for found in upper])
ends = np.array([(found.low, found.high) for found in upper]).T
grid = np.linspace(0, 1, 201)
proved = [float((certain > r).float().mean()) for r in grid]
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
hatch = {"facecolor": "none", "edgecolor": GREY, "hatch": "//", "linewidth": 0}
ax.fill_between(grid, proved, np.interp(grid, at, height), **hatch, label="nobody knows")
ax.errorbar(at, height, abs(ends - height), fmt="o--", color=VERMILLION, capsize=4)
ax.plot([], [], "o--", color=VERMILLION, label="under attack: at most")
ax.step(grid, proved, color=BLUE, label="certified: at least", linewidth=2)
ax.set(xlabel="L2 radius", ylabel="accuracy", ylim=(0, 1.05))
ax.set_title(f"sigma = {sigma}, {len(few)} images", fontsize="medium")
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# Three things fill the space between the curves. The attack may have missed something. The theorem takes every border
# for a half-space at the worst place, and borders are not. And 200 copies prove less than is true: no radius at all
# beyond 1.83 sigma. More copies and better attacks bring the curves together; the half-space stays.
#
# Now follow one image on its way, one that has fallen at 1.0, and look at the votes themselves.

# %%
# Picture: the share of the votes for the true class along the straight way from an image
# to its attacked version, discs, above the falling curve that the theorem allows. The
# certified radius is where the curve crosses one half; the votes cross it later.
pick = int((certain * ~stands["average", 1.0]).argmax())
start, end = few.x[pick], attacked["average", 1.0][pick]
shares = torch.linspace(0, 1, 6)
way = torch.stack([start + share * (end - start) for share in shares])
lengths = (way - start).flatten(1).norm(dim=1)
seen = smoothed[sigma].votes(way, 250, seeded(2))[:, few.y[pick]] / 250
far = np.linspace(0, float(lengths[-1]), 100)
p_lower = float(certified.p_lower[pick])
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
allowed = norm.cdf(norm.ppf(p_lower) - far / sigma)
ax.plot(far, allowed, color=BLUE, label="not below this, by the theorem")
ax.plot(lengths, seen, "o--", color=VERMILLION, label="votes of 250 copies")
ax.axhline(0.5, color=GREY, linewidth=0.8)
ax.axvline(float(certain[pick]), color=GREY, linestyle=":", label="certified radius")
ax.set(
    xlabel="L2 distance along the attack", ylabel=f"share for {data.classes[few.y[pick]]}"
)
ax.set_ylim(0, 1.05)
ax.legend(loc="lower left")
plt.show()

# %% tags=["nbval-check-output"]
bound = norm.cdf(norm.ppf(p_lower) - lengths.numpy() / sigma)
print("never below the theorem:", bool((seen.numpy() > bound - 0.05).all()))

# %% [markdown]
# ## What it does not say
#
# A certificate is exact, and it is exact about little. Start with the radius. How large is an L2 distance of 0.25?

# %%
# Picture: one sign five times: clean; attacked within L2 0.25, which cannot be seen, and
# within 1.0, which leaves faint smudges; with 8 grey levels more or less everywhere, a
# faint grain; and with a small white sticker, whose distance is by far the largest.
signs = torch.randint(2, start.shape, generator=seeded()) * 2 - 1
everywhere = (start + 8 / 255 * signs).clamp(0, 1)
sticker = start.clone()
sticker[:, 18:23, 13:18] = 1
shown = {
    "attacked, 0.25": attacked["average", 0.25][pick],
    "attacked, 1.0": attacked["average", 1.0][pick],
    "8/255 everywhere": everywhere,
    "a sticker": sticker,
}
distances = {name: float((image - start).norm()) for name, image in shown.items()}
captions = [f"{name}\nL2 {distances[name]:.2f}" for name in shown]
gallery(torch.stack([start, *shown.values()]), ["clean\n", *captions], columns=5)

# %% tags=["nbval-check-output"]
values = x[0].numel()
print(f"8/255 in each of {values} values: L2 {8 / 255 * values**0.5:.2f}")
for r in (0.25, 0.5, 1.0):
    print(f"L2 {r}: Linf {255 * r / values**0.5:.1f}/255 is certain too")

# %% [markdown]
# - **The ball.** Inside an L2 ball of 0.5 lies an Linf ball of 2.3/255 and no larger one. Of the 8/255 of the other
#   lessons these certificates say nothing, and of a sticker, a turned sign or a dirty lens even less.
# - **The classifier.** It is about $g$, the vote. Whoever asks $f$ once, without noise, has no certificate.
# - **The answer.** It says that the answer *stays*. It may be wrong, and stay wrong.
# - **The probability.** Each certificate is false with probability $\alpha$ at most. Of 2000 images at
#   $\alpha = 0.001$, expect two that may be.
# - **The network as it computes.** In half precision, or on another device, the same weights are another $f$, and
#   answer otherwise to some of the noise. Certify in the precision in which you will predict.
#
# And it costs accuracy, on images that nobody attacks:

# %%
plain = sl.Accuracy.of(standard(x).argmax(1) == y)
print(f"standard, one look: right {plain}")
for sigma, report in reports.items():
    print(f"smoothed, sigma = {sigma}: right and certain {report[0.0]}, ", end="")
    print(f"no answer {report.abstained}")

# %% [markdown]
# **Exercise 9.4.** An image has been certified by `smoothed[0.25]` as *stop* with radius 0.25 and $\alpha = 0.001$.
# Which of these hold? Return their letters.
#
# - a: `networks[0.25]`, asked about the image without noise, says *stop*.
# - b: No attack within the radius changes the answer of the smoothed network, however clever, unless the poll was one
#   of the unlucky ones, of which there is one in a thousand at most.
# - c: The sign is a stop sign.
# - d: Of another image the smoothed network abstains: so there is an image within 0.25 of it with another answer.
# - e: With ten times as many copies, all of them for *stop*, the radius would be longer.
# - f: No attack in the Linf ball of 8/255 changes the answer.
# - g: The certificate holds for the same weights in bfloat16 too.


# %% exercise="9.4"
def what_holds():
    """The letters of the statements that hold, such as "ac"."""
    ### BEGIN SOLUTION: return the letters
    return "be"
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Who was asked, about what, and in which ball? And what does a proof that was not found prove?
#
# </details>

# %% check="9.4"
smoothing.check_reading(what_holds)

# %% [markdown]
# ## The price
#
# An answer with a certificate costs as many passes through the network as there are copies: 10 100 in place of one, in
# the paper 100 100. Must it be so many for *every* image? If all of the first 100 copies agree, or if they disagree
# wildly, why go on?
#
# One may stop early, but not by looking again and again until the bound is high enough: who tests $K$ times at level
# $\alpha$ errs up to $K$ times as often. Give each of the looks $\alpha / K$, and all of them hold together: Horváth et
# al. do this (ICLR 2022), and so does `sl.EarlyStop`.

# %% tags=["nbval-check-output"]
early = sl.EarlyStop(target=0.25)
print(
    "votes are counted after", ", ".join(f"{n:,}" for n in early.counts(1600)), "copies"
)

# %%
quick = smoothed[0.25].certify(few.x, 20, 1600, early=early, generator=seeded())
samples = quick.samples.float()
print(f"radius 0.25 of {len(few)} images: {int((quick.radius >= 0.25).sum())} certified")
print(
    f"copies an image: {samples.mean():,.0f} in place of 1,620, median {samples.median():,.0f}"
)

# %% tags=["nbval-check-output"]
print("half of the images need 220 copies at most:", bool(samples.median() <= 220))

# %% [markdown]
# Most cases are plain, and the copies go to those that are not. Whoever wants the *longest* radius of each image has to
# pay for it: that grows with $n$, without end.

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("09_smoothing")

# %% [markdown]
# ## Summary
#
# - An attack that fails proves nothing. A certificate speaks of every image in a ball, whoever attacks.
# - Under noise the share of the votes tells the distance to a straight border, $r = \sigma \, \Phi^{-1}(p)$, and no
#   classifier has its border closer: a half-space is the worst of all sets of that probability.
# - $p$ is known from votes alone. Bound it from below, choose the label by another poll, and abstain where the bound is
#   no more than a half.
# - More noise reaches farther and reads less. The network has to be trained on it.
# - Certified and attacked accuracy are a lower and an upper bound of the same thing.
# - The certificate is about $g$, in a small L2 ball, with probability $1 - \alpha$, and it costs thousands of passes.
#
# **Discussion: what would convince you?** A company sells a sign reader with "certified robustness, radius 0.5, at
# 99.9 %". It runs in half precision on a chip in the car and looks at each image 20 times. Which questions do you ask
# about the network, the noise, the number of copies and the ball? Which accidents would the certificate have
# prevented? Is an adversarially trained network without any proof, which nobody has broken at 8/255 yet, worth more or
# less to you?
#
# **References**
#
# - J. Cohen, E. Rosenfeld, J. Z. Kolter: [Certified Adversarial Robustness via Randomized
#   Smoothing](https://arxiv.org/abs/1902.02918), ICML 2019.
# - M. Lecuyer, V. Atlidakis, R. Geambasu, D. Hsu, S. Jana: [Certified Robustness to Adversarial Examples with
#   Differential Privacy](https://arxiv.org/abs/1802.03471), IEEE S&P 2019.
# - H. Salman, G. Yang, J. Li, P. Zhang, H. Zhang, I. Razenshteyn, S. Bubeck: [Provably Robust Deep Learning via
#   Adversarially Trained Smoothed Classifiers](https://arxiv.org/abs/1906.04584), NeurIPS 2019.
# - M. Horváth, M. Müller, M. Fischer, M. Vechev: [Boosting Randomized Smoothing with Variance Reduced
#   Classifiers](https://arxiv.org/abs/2106.06946), ICLR 2022.
# - R. Zhai, C. Dan, D. He, H. Zhang, B. Gong, P. Ravikumar, C.-J. Hsieh, L. Wang: [MACER: Attack-free and Scalable
#   Robust Training via Maximizing Certified Radius](https://arxiv.org/abs/2001.02378), ICLR 2020.
# - C. Clopper, E. Pearson: The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial, Biometrika
#   1934.
# - J. Neyman, E. Pearson: On the Problem of the Most Efficient Tests of Statistical Hypotheses, Philosophical
#   Transactions of the Royal Society A 1933.

# %% [markdown]
# # 11. Detection: notice the attack, and refuse to answer
#
# Reading 25 min, coding 35 min, discussion 20 min.
#
# - build a detector: a score, and a threshold chosen on validation images
# - read an AUROC, and say what it leaves open
# - write the goal of an adversary who has to fool a classifier and a detector at once, and break four detectors with it
# - report what a guarded classifier is worth: false alarms, served, caught, safe
#
# Carlini and Wagner, *Adversarial Examples Are Not Easily Detected: Bypassing Ten Detection Methods*, AISec 2017.
# Bryniarski et al., *Evading Adversarial Example Detection Defenses with Orthogonal Projected Gradient Descent*, ICLR
# 2022.

# %%
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib.evaluation import AUROC
from seminar_lib.exercises import detection
from seminar_lib.losses import margin
from seminar_lib.plots import BLUE, VERMILLION

data = sl.load_data()
standard = sl.load(f"{data.name}/standard")[0].eval()
test = data.test.sample(32)
x, y = test.x, test.y
ball = sl.Linf(8 / 255)


def seeded(seed=0):
    """A source of random numbers that starts at the same place for everybody."""
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## The promise
#
# Adversarial training (lesson 4) makes a network that stands, and pays for it. Purification (lesson 10) cleans the
# image, and fails against an adversary who knows. A third thought asks for less: the network need not be *right* about
# an attacked image. It is enough to **notice** the attack, and to refuse an answer. A car that does not know can slow
# down.
#
# A **detector** gives each image a score, high where it is suspicious. Four ideas of what is suspicious:
#
# | detector | an image is suspicious when... | proposed by |
# |---|---|---|
# | `FeatureSqueezing` | the answer changes with fewer grey levels or a median | Xu et al., NDSS 2018 |
# | `Mahalanobis` | its embedding is far from the mean of every class | Lee et al., NeurIPS 2018 |
# | `KernelDensity` | its embedding is lonely among the class that the network names | Feinman et al., 2017 |
# | `LearnedDetector` | a small network says so that was shown attacked images | Metzen et al., ICLR 2017 |
#
# All but the first are fitted on training images, and all leave the network as it is:

# %%
detectors = {
    "feature squeezing": sl.FeatureSqueezing(standard),
    "Mahalanobis": sl.Mahalanobis.fit(standard, data),
    "kernel density": sl.KernelDensity.fit(standard, data),
}

# %% [markdown]
# The last one has to see attacks. A thousand training images are attacked for it:

# %%
detectors["learned"] = sl.LearnedDetector.fit(standard, data)

# %% [markdown]
# The adversary attacks `standard` with PGD inside the Linf ball of 8/255, and has never heard of a detector: we call it
# **oblivious**.

# %%
oblivious = sl.PGD(ball, steps=20, step_size=2 / 255)
attacked = oblivious(standard, x, y, generator=seeded())
scores = {
    name: (detector.scores(x), detector.scores(attacked))
    for name, detector in detectors.items()
}

# %%
# Picture: for each of four detectors a histogram of the scores of clean and of attacked
# images. Clean ones lie at the left, most attacked ones farther to the right; they
# overlap a little.
figure, axes = plt.subplots(2, 2, figsize=(9, 5), layout="constrained")
for ax, (name, both) in zip(axes.flat, scores.items(), strict=True):
    edges = torch.linspace(*(f(torch.cat(both)).item() for f in (min, max)), 25)
    styles = (("clean", BLUE, "-"), ("attacked", VERMILLION, "--"))
    for part, (label, colour, line) in zip(both, styles, strict=True):
        ax.hist(
            part.numpy(),
            edges.numpy(),
            histtype="step",
            color=colour,
            linestyle=line,
            linewidth=2,
            label=label,
        )
    ax.set(title=name, xlabel="score", ylabel="images")
axes[0, 0].legend()
plt.show()

# %% [markdown]
# ## Where to stop
#
# A score is not yet a decision. A **threshold** is: *rejected* is whatever scores above it. How high? An image that is
# clean and rejected is a **false alarm**, and how many of them one can live with is a matter of the application: a car
# that brakes before every twentieth sign is no good car. Say 5 %. Then the threshold follows from *clean* images, and
# from no attack at all. Not from the training images, which the detector has seen; not from the test images, which
# shall tell us how many false alarms there really are; but from the **validation** images.
#
# **Exercise 11.1.** Find the smallest threshold that rejects a share of at most `fpr` of the validation images.


# %% exercise="11.1"
def chosen(scores, fpr):
    """A threshold; scores holds tensors by name: "validation", "test" and "attacked"."""
    ### BEGIN SOLUTION: return the highest score that is still accepted
    descending = scores["validation"].sort(descending=True).values
    allowed = int(fpr * len(descending))
    return float(descending[allowed])
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Sort the scores, the highest first. How many may lie *above* the threshold? The next one in the row is the threshold
# itself. `torch.quantile` interpolates between two scores, and may so reject one image too many.
#
# </details>

# %% check="11.1"
detection.check_threshold(chosen)

# %% [markdown]
# The library has it as `detector.threshold_at(data, fpr=0.05)`, and `sl.Guarded` ties network, detector and threshold
# together:

# %%
guards = {
    name: sl.Guarded(standard, detector, detector.threshold_at(data, fpr=0.05))
    for name, detector in detectors.items()
}
for name, guard in guards.items():
    alarms = sl.Accuracy.of(scores[name][0] > guard.threshold)
    print(f"{name:>17}: threshold {guard.threshold:.3g}, false alarms on test {alarms}")

# %% [markdown]
# 5 % was set on the 960 validation images of our data. On other images it is about as much, and the interval of 32
# images says how little they know about it.
#
# ## A figure without a threshold
#
# To compare detectors one often leaves the threshold open, and asks: of a clean and an attacked image, how often does
# the attacked one have the higher score?
#
# $$\text{AUROC} = P(s_\text{attacked} > s_\text{clean}) + \tfrac{1}{2} P(s_\text{attacked} = s_\text{clean}) .$$
#
# It is 1 for a perfect detector and 0.5 for a coin; and it is the area under the ROC curve, which shows for every
# threshold the share caught against the false alarms (Hanley and McNeil, 1982).
#
# **Exercise 11.2.** Compute it from the scores.


# %% exercise="11.2"
def area(clean, attacked):
    """The AUROC of scores (M,) of clean and (N,) of attacked images, a number in [0, 1]."""
    ### BEGIN SOLUTION: return the share of all pairs that are in the right order, equal ones count half
    higher = attacked[:, None] > clean
    equal = attacked[:, None] == clean
    return float(higher.float().mean() + equal.float().mean() / 2)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `attacked[:, None]` is a column, and `attacked[:, None] > clean` a table of all pairs.
#
# </details>

# %% check="11.2" points=2
detection.check_auroc(area)
### BEGIN HIDDEN TESTS
assert abs(area(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0, 0.5])) - 0.75) < 1e-6
### END HIDDEN TESTS

# %%
caught = {name: s[1] > guards[name].threshold for name, s in scores.items()}
for name, (clean, after) in scores.items():
    print(f"{name:>17}: AUROC {AUROC.of(clean, after)},", end=" ")
    print(f"rejected under attack {sl.Accuracy.of(caught[name])}")

# %% tags=["nbval-check-output"]
for name, (clean, after) in scores.items():
    print(f"{name}: better than a coin: {AUROC.of(clean, after).low > 0.5}", end="; ")
    print(f"rejects most attacked images: {caught[name].float().mean() > 0.5}")

# %% [markdown]
# In front of a network without any defence, most attacked images are now rejected, for one false alarm in twenty. Each
# of the four papers has a table like this one. Before you read on: what would you ask its author?
#
# ## What the user gets
#
# Four figures belong together. Of the clean images: **false alarms**, which are rejected, and **served**, which are
# right *and* accepted. Under attack: **caught**, the share rejected among the wrong labels, and **safe**, right or
# rejected. Each of them alone can be bought: a detector that rejects every image has everything caught and everything
# safe, and serves nobody.

# %% [markdown]
# ## An adversary who knows
#
# By the rule of Kerckhoffs (lesson 10) the adversary knows the detector, too. Then it wants two things of one image: a
# wrong label, and a score that is accepted. To climb both at once, add them up. With $\tau$ the threshold:
#
# $$L(x) = \underbrace{L_\text{CE}(f(x), y)}_{\text{a wrong label}} - \underbrace{\max(0,\; s(x) - \tau)}_{\text{what
# is left of the alarm}} .$$
#
# The second term ends at the threshold: there is nothing to gain below. The image has won when its label is wrong *and*
# its score is at most $\tau$.
#
# **Exercise 11.3.** Write this goal.


# %% exercise="11.3"
def evading(logits, y, scores, threshold):
    """The loss to climb, (B,), and who has won, bools (B,); of logits (B, K), labels and scores (B,)."""
    ### BEGIN SOLUTION: return the loss of two terms, and which images are wrong and accepted
    wrong_label = F.cross_entropy(logits, y, reduction="none")
    alarm = (scores - threshold).clamp_min(0)
    won = (logits.argmax(1) != y) & (scores <= threshold)
    return wrong_label - alarm, won
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `reduction="none"` gives a loss for each image. `clamp_min(0)` keeps what is positive. `&` joins bools.
#
# </details>

# %% check="11.3"
detection.check_evasion(evading)

# %% [markdown]
# In the library it is `guard.evade(y)`, which is `Both(Misclassify(...), StayUnder(...))`. `Both` adds the two terms
# without the clamp, because it joins any two goals and knows of no threshold inside them; a sum may then pay for a
# needlessly low score with a label that stays right, and a search that climbs in turns, as below, cannot.
#
# The sum has a weak spot anyway. The squared distance of `Mahalanobis` is a number of some hundreds, a margin one of
# some units: how is one to be weighed against the other?

# %%
guard = guards["Mahalanobis"]
weighed = {}
for weight in (0.001, 0.01, 0.1, 1):
    goal = guard.evade(y, weight=weight)
    found = sl.PGD(ball, steps=40, step_size=2 / 255).run(goal, x, seeded())
    weighed[weight] = sl.Accuracy.of(goal(found).success)
    print(f"sum, weight {weight:>5}: wrong and accepted {weighed[weight]}")

# %% [markdown]
# Whoever tries one weight only may publish a detector that nobody has broken yet.
#
# **Orthogonal PGD** (Bryniarski et al., ICLR 2022) does not weigh. It climbs in turns. While the label is right, it
# follows the gradient $f$ of the classifier. Once the label is wrong, it follows that of the detector, $g$, less what
# would change the classifier:
#
# $$g - \frac{g \cdot f}{f \cdot f} \, f .$$
#
# (The paper's formula also takes off $f$ what would change the detector. This is the simpler variant of their code.)

# %%
in_turns = sl.OrthogonalPGD(ball, steps=40, step_size=2 / 255)
goal = guard.evade(y, margin)
turned = sl.Accuracy.of(goal(in_turns.run(goal, x, seeded())).success)
print(f"in turns: wrong and accepted {turned}")

# %% tags=["nbval-check-output"]
print("in turns wins more than weight 1, intervals apart:", turned.low > weighed[1].high)
print("wrong and accepted, most images:", turned.low > 0.5)

# %% [markdown]
# Now all four detectors, with the oblivious and with the adaptive attack. `sl.evaluate_detector` measures both, and
# what the user gets. A detector that rounds has no slope there; the adaptive attack goes around the rounding by BPDA
# (lesson 10).

# %%
adaptive = sl.OrthogonalPGD(ball, steps=50, step_size=2 / 255)
reports = {}
for name in ("Mahalanobis", "kernel density", "learned"):
    reports[name] = sl.evaluate_detector(
        guards[name], test, oblivious, adaptive, progress=False
    )
reports["kernel density"]

# %%
name = "feature squeezing"
reports[name] = sl.evaluate_detector(
    guards[name], test, oblivious, adaptive, progress=False
)
for name, report in reports.items():
    print(f"{name:>17}: caught, oblivious {report.caught('oblivious')},", end=" ")
    print(f"adaptive {report.caught('adaptive')}")

# %%
# Picture: at the left the scores by kernel density in three step lines, clean, oblivious
# and adaptive, and the threshold as a vertical line: clean and adaptive lie left of it,
# most oblivious ones at the right. At the right the ROC curves of both attacks; the point
# of the oblivious one is high up, that of the adaptive one at the bottom.
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
reports["kernel density"].plot(axes[0])
reports["kernel density"].roc(axes[1])
plt.show()

# %% tags=["nbval-check-output"]
for name, report in reports.items():
    before, after = report.caught("oblivious"), report.caught("adaptive")
    print(f"{name}: less is caught, intervals apart: {after.high < before.low}")

# %% [markdown]
# Look at the left picture: all adaptive scores with a wrong label stand below the threshold, and many near it, because
# the attack stops as soon as it is accepted. Their AUROC may still look like that of a usable detector: it compares all
# pairs and knows no threshold, and the adversary has to pass only one. At the right, the point at *our* threshold tells
# what the curve hides.
#
# ## The slider
#
# Move the threshold yourself. The adversary sees where it is, and its attack adapts to it. `Tab` goes from control to
# control, arrow keys move a slider; an attack that is looked at for the first time takes some seconds.
#
# - *detector* and *attack*: who guards, and who comes;
# - *eps*: the radius of the Linf ball;
# - *threshold*: the share of the validation images that it rejects. To the left it is lower and rejects more.

# %%
from seminar_lib.widgets import DetectionDemo

some = {name: detectors[name] for name in ("kernel density", "Mahalanobis", "learned")}
demo = DetectionDemo(standard, some, data.validation, test)
demo

# %%
# Picture: the demo for kernel density under the adaptive attack of 8/255, the threshold
# at 5 %: clean images lie left of the line, nearly all attacked ones, too, with a wrong
# label; and the shares: all clean images served, hardly any attacked one caught or safe.
first_state = vars(demo.state)
demo.controls["attack"].value = 2
still = demo.static()
for control, value in first_state.items():
    demo.controls[control].value = value
still

# %% [markdown]
# - Attack `oblivious`: how low must the threshold be for all wrong labels to be caught? How many are still served?
# - The same with `adaptive`. At which threshold are half of the images safe, and who pays for it?
# - What happens to the attacked scores when the threshold moves?
# - `eps` of 1/255: is the adaptive attack still free of charge?

# %% tags=["nbval-check-output"]
watch = demo.watch
low, usual = (watch.scored(0, 2, 8, rate) for rate in (0, 5))
clean = watch.scored(0, 0, 8, 0)
print("a threshold that rejects 90 % makes more images safe:", low.safe > usual.safe)
print("and serves less than half of the clean ones:", clean.served < len(test) / 2)

# %% [markdown]
# ## The table
#
# The same with 256 images, PGD-20 for the oblivious attack and `OrthogonalPGD(steps=100, restarts=2)` for the adaptive
# one, each threshold for 5 % of the validation images, as measured for `results/README.md`. *Robust* are the images
# that are served while clean and safe under the adaptive attack; 95 % intervals in brackets.
#
# | `signs/standard`, n = 256 | false alarms | served | AUROC | caught, oblivious | caught, adaptive | robust |
# |---|---|---|---|---|---|---|
# | no detector | | 100.0 % | | | | 0.4 % [0.1, 2.2] |
# | Mahalanobis | 5.9 % | 94.1 % | 0.944 | 68.2 % [62.3, 73.6] | 0.0 % [0.0, 1.5] | 1.2 % [0.4, 3.4] |
# | kernel density | 2.7 % | 97.3 % | 0.969 | 82.4 % [77.2, 86.5] | 0.0 % [0.0, 1.5] | 2.3 % [1.1, 5.0] |
# | learned | 3.9 % | 96.1 % | 0.985 | 91.0 % [86.8, 93.9] | 0.0 % [0.0, 1.5] | 1.2 % [0.4, 3.4] |
# | feature squeezing | 5.1 % | 94.9 % | 0.977 | 90.6 % [86.4, 93.6] | 5.5 % [3.3, 9.0] | 5.9 % [3.6, 9.4] |
#
# The detectors are not bad. They do what they were built for, and the adversary was free to do something else.
#
# ## What can be repaired?
#
# Perhaps a network that is already robust gives an attack less room. The same detectors in front of `pgd_at`, the
# network of lesson 4:
#
# | `signs/pgd_at`, n = 256 | false alarms | served | AUROC | caught, oblivious | caught, adaptive | robust |
# |---|---|---|---|---|---|---|
# | no detector | | 99.6 % | | | | 52.7 % [46.6, 58.8] |
# | Mahalanobis | 4.7 % | 94.9 % | 0.564 | 0.0 % [0.0, 3.7] | 0.0 % [0.0, 3.1] | 48.0 % [42.0, 54.2] |
# | kernel density | 5.5 % | 94.1 % | 0.340 | 10.0 % [5.5, 17.4] | 0.0 % [0.0, 3.4] | 52.0 % [45.8, 58.0] |
# | learned | 7.0 % | 92.6 % | 0.929 | 71.0 % [61.5, 79.0] | 0.0 % [0.0, 3.6] | 53.9 % [47.8, 59.9] |
# | feature squeezing | 6.6 % | 93.0 % | 0.651 | 8.0 % [4.1, 15.0] | 0.8 % [0.1, 4.6] | 53.9 % [47.8, 59.9] |
#
# What stands, stands because of the adversarial training. No detector adds anything that n = 256 could show, and each
# serves fewer clean images. Three of them hardly notice even the oblivious attack any more: where the network stands,
# an attacked image that gets through looks much like the class that it is taken for.
#
# Is there a detector at all that would hold? Tramèr (ICML 2022) shows that a robust detector can be turned into a
# robust classifier, for half of the radius, if time does not count. Whoever claims to detect robustly claims to have
# solved classification as well, nearly. That is a reason to look twice at such claims, and no proof that they are
# wrong.
#
# A refusal *with a guarantee* you have met already: the smoothed classifier of lesson 9 abstains where the votes prove
# nothing, and where it answers, no attack within the radius changes that answer.
#
# **Exercise 11.4.** Which of these hold? Return their letters.
#
# - a: An AUROC of 0.969 under attack means that 96.9 % of the attacked images are caught.
# - b: A detector that rejects every image makes every image safe.
# - c: A detector that catches 90 % of an oblivious attack catches about 90 % of any attack in the same ball.
# - d: With a threshold for 5 % of the validation images, 5.9 % false alarms on test are no sign of a mistake.
# - e: Where an adaptive attack stays below the threshold, a lower threshold stops it, at no cost.
# - f: That a detector has survived one adaptive attack does not prove that it will survive the next.


# %% exercise="11.4"
def what_holds():
    """The letters of the statements that hold, such as "ac"."""
    ### BEGIN SOLUTION: return the letters
    return "bdf"
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Which of the figures needs a threshold? Who pays when it moves? What can an attack show, and what can it not?
#
# </details>

# %% check="11.4"
detection.check_reading(what_holds)

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("11_detection")

# %% [markdown]
# ## Summary
#
# - A detector is a score and a threshold. Clean validation images choose the threshold; test images say how many false
#   alarms there are.
# - AUROC compares pairs and knows no threshold. False alarms, served, caught and safe belong together.
# - Against an attack that does not know them, four detectors catch 68 to 91 % (n = 256). Against one that does, 0 to
#   5.5 %.
# - The adaptive goal has two terms: a wrong label, and a score that is accepted. Orthogonal PGD climbs them in turns,
#   and has nothing to weigh.
# - A detector in front of a robust network adds nothing that we could measure. A refusal with a guarantee is that of
#   randomized smoothing.
#
# **Discussion: what would convince you?** A vendor sells a detector for face recognition: "AUROC 0.99 against six
# attacks, tested by an independent laboratory; the threshold is secret and changes every day." Which of the six attacks
# knew the detector? What does a secret threshold hide, if the adversary may try as often as it likes? Which four
# figures do you ask for, at which n, and which attack would you try first?
#
# **References**
#
# - N. Carlini, D. Wagner: [Adversarial Examples Are Not Easily Detected: Bypassing Ten Detection
#   Methods](https://arxiv.org/abs/1705.07263), AISec 2017.
# - O. Bryniarski, N. Hingun, P. Pachuca, V. Wang, N. Carlini: [Evading Adversarial Example Detection Defenses with
#   Orthogonal Projected Gradient Descent](https://arxiv.org/abs/2106.15023), ICLR 2022.
# - F. Tramèr: [Detecting Adversarial Examples Is (Nearly) As Hard As Classifying
#   Them](https://arxiv.org/abs/2107.11630), ICML 2022.
# - F. Tramèr, N. Carlini, W. Brendel, A. Madry: [On Adaptive Attacks to Adversarial Example
#   Defenses](https://arxiv.org/abs/2002.08347), NeurIPS 2020.
# - W. Xu, D. Evans, Y. Qi: [Feature Squeezing](https://arxiv.org/abs/1704.01155), NDSS 2018.
# - K. Lee, K. Lee, H. Lee, J. Shin: [A Simple Unified Framework for Detecting Out-of-Distribution Samples and
#   Adversarial Attacks](https://arxiv.org/abs/1807.03888), NeurIPS 2018.
# - R. Feinman, R. Curtin, S. Shintre, A. Gardner: [Detecting Adversarial Samples from
#   Artifacts](https://arxiv.org/abs/1703.00410), 2017.
# - J. Metzen, T. Genewein, V. Fischer, B. Bischoff: [On Detecting Adversarial
#   Perturbations](https://arxiv.org/abs/1702.04267), ICLR 2017.
# - W. He, J. Wei, X. Chen, N. Carlini, D. Song: [Adversarial Example Defenses: Ensembles of Weak Defenses are not
#   Strong](https://arxiv.org/abs/1706.04701), WOOT 2017.
# - J. Hanley, B. McNeil: *The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve*,
#   Radiology 1982.

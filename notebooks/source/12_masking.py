# %% [markdown]
# # 12. Gradient masking: break a defence, then repair it
#
# Reading 25 min, coding 45 min, discussion 20 min.
#
# - tell a network that is robust from one that hides its gradient
# - name four ways to hide a gradient, and recognise each by its symptoms
# - write the two tools of an adaptive attack, BPDA and EOT, by hand
# - break a defence, repair it, and claim no more for the repair than an adversary leaves
#
# Athalye, Carlini and Wagner, *Obfuscated Gradients Give a False Sense of Security*, ICML 2018.

# %%
import matplotlib.pyplot as plt
import torch

import seminar_lib as sl
from seminar_lib.exercises import masking
from seminar_lib.masking import DEFENCES
from seminar_lib.plots import BLUE, GREY, VERMILLION

data = sl.load_data()
standard, robust = (sl.load(f"{data.name}/{name}")[0] for name in ("standard", "pgd_at"))
test = data.test.sample(48)
x, y = test.x, test.y
ball = sl.Linf(8 / 255)

# %% [markdown]
# ## A defence for nothing
#
# Adversarial training takes several times as long and costs clean accuracy. Here is an offer: round every pixel to one
# of 16 levels, and hand the image to the network *without* any defence. The idea sounds good. Perturbations are small,
# rounding wipes them away.

# %%
rounded = DEFENCES["quantise"].build(standard)
print(rounded[0], "in front of the standard network")
offers = {"no defence": standard, "adversarial training": robust, "rounding": rounded}
pgd = {"PGD-20": sl.PGD(ball, steps=20)}
reports = {
    name: sl.evaluate(network, test, pgd, progress=False)
    for name, network in offers.items()
}
for name, report in reports.items():
    print(f"{name:>20}: clean {report['clean']}, PGD-20 {report['PGD-20']}")

# %% tags=["nbval-check-output"]
better = (
    reports["rounding"]["PGD-20"].low > reports["adversarial training"]["PGD-20"].high
)
print(
    "under PGD-20 rounding is better than adversarial training, intervals apart:", better
)

# %% [markdown]
# Better than adversarial training, for nothing. Is it robust, or can PGD not see? An attack without gradients knows
# less than PGD. It should find less.

# %%
square = {"Square": sl.Square(ball, queries=200)}
blindfold = {
    name: sl.evaluate(offers[name], test, square, progress=False)
    for name in ("adversarial training", "rounding")
}
for name, report in blindfold.items():
    print(f"{name:>20}: PGD-20 {reports[name]['PGD-20']}, Square {report['Square']}")

# %% tags=["nbval-check-output"]
for name, report in blindfold.items():
    finds_more = report["Square"].high < reports[name]["PGD-20"].low
    print(f"{name}: Square, which sees less, finds more: {finds_more}")

# %% [markdown]
# It finds *more*. So the adversarial images are there, and PGD walks past them. This is **gradient masking**. The
# defence has not moved the boundary. It has blinded the search.
#
# ## What a gradient is good for
#
# The gradient $g$ of the margin $m$ (the best wrong logit minus the true one) is a promise about a short step $d$:
#
# $$m(x + d) \approx m(x) + g \cdot d .$$
#
# PGD believes it at every step. In the picture the solid curve is what a network answers along the sign of its own
# gradient (where that is zero, along the standard network's), and the dashed line is what the gradient promised. The
# dotted curve goes along the standard network's gradient.


# %%
# Picture: six panels, the margin along a network's own gradient as a solid curve, the
# promise of that gradient as a dashed line. The two honest networks keep their promise
# for the first grey levels. Rounding is a staircase with a flat promise; ripples
# promise a steep rise, and little comes, while along the standard network's gradient
# the margin does rise; noise promises something else at every look; with the
# temperature the promise of the cross-entropy is zero.
def gradient(network, image, label, loss):
    pixels = image.clone().requires_grad_()
    return torch.autograd.grad(loss(network(pixels), label).sum(), pixels)[0]


def along(network, image, label, loss, direction, levels):
    """The loss at image + t * direction for t in grey levels."""
    walk = (image + levels[:, None, None, None] / 255 * direction).clamp(0, 1)
    with torch.no_grad():
        return loss(network(walk), label.expand(len(levels)))


torch.manual_seed(0)
image, label, levels = x[:1], y[:1], torch.linspace(0, 8, 81)
panels = {
    "pgd_at (honest)": (robust, sl.margin),
    "standard (honest)": (standard, sl.margin),
    "rounding": (rounded, sl.margin),
    "ripples": (DEFENCES["ripple"].build(standard), sl.margin),
    "noise, three looks": (DEFENCES["noise"].build(standard), sl.margin),
    "temperature": (DEFENCES["temperature"].build(standard), sl.cross_entropy),
}
other = gradient(standard, image, label, sl.margin).sign()
figure, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained")
for ax, (name, (network, loss)) in zip(axes.flat, panels.items(), strict=True):
    for _ in range(3 if "looks" in name else 1):
        slope = gradient(network, image, label, loss)
        way = slope.sign() if slope.any() else other
        curve = along(network, image, label, loss, way, levels)
        promise = curve[0] + (slope * way).sum() * levels / 255
        ax.plot(levels, curve, color=BLUE, label="along its own gradient")
        ax.plot(levels, promise, color=VERMILLION, linestyle="--", label="the promise")
    dotted = along(network, image, label, loss, other, levels)
    ax.plot(levels, dotted, color=GREY, linestyle=":", label="along standard's gradient")
    seen = torch.cat([curve, dotted])
    room = 0.2 * (seen.max() - seen.min())
    ax.set(ylim=(seen.min() - room, seen.max() + room), title=name)
    ax.set_ylabel(loss.__name__.replace("_", "-"))
for ax in axes[1]:
    ax.set_xlabel("way in grey levels")
figure.legend(
    *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3
)
plt.show()

# %% [markdown]
# The dotted curve rises in every panel of a masked network: the way to a mistake is as open as without the defence.
# Only the promise is spoilt, in a different way each time.
#
# | trick | what the gradient is | seen in | undone by |
# |---|---|---|---|
# | step without slope | zero: a staircase is flat | rounding, JPEG, bit depth (Guo et al., ICLR 2018) | BPDA |
# | saturated softmax | zero: $p_y$ rounds to 1 | distillation (Papernot et al., S&P 2016) | a loss of the logits |
# | random answers | that of one draw | random resizing (Xie et al., ICLR 2018), noise | EOT |
# | shattered gradient | exact, and useless | k-winners-take-all (Xiao et al., ICLR 2020) | BPDA, smoothing |
#
# Few authors did so on purpose. Their defences made PGD fail, and PGD was what they measured. Of nine defences at ICLR
# 2018 that claimed white-box robustness, seven relied on obfuscated gradients; Athalye et al. broke six of them
# completely and one in part.
#
# ## A diagnosis
#
# `sl.diagnose` asks a network the questions of Carlini et al. (2019), Pintor et al. (2022) and AutoAttack. First the
# adversarially trained one:

# %%
honest = sl.diagnose(robust, x, y, steps=50, queries=100)
print("alarms:", len(honest.alarms))
print(honest.summary)

# %% [markdown]
# No alarm does not prove that a network is robust. It says that the attack did not fail in a way that is known. Now the
# rounded one:

# %%
masked = sl.diagnose(rounded, x, y, steps=20, queries=100, surrogate=standard)
masked

# %% tags=["nbval-check-output"]
print("adversarial training raises an alarm:", bool(honest.alarms))
print("rounding raises an alarm:", bool(masked.alarms))
print("suspected:", [trick.name for trick in masked.tricks])

# %% [markdown]
# Read the alarms together. The slope is exactly zero. Where an adversary may do *anything*, images still stand. An
# attack that sees less, and images made on another network, do better. None of that could be if the network were
# robust.
#
# ## BPDA: go around the step that has no slope
#
# Rounding changes an image very little. So, *for the direction only*, the adversary pretends that it does nothing:
#
# $$\text{forwards: } g(x), \qquad \text{backwards: the derivative of a stand-in } s(x) \approx g(x) .$$
#
# Here $s(x) = x$. That is Backward Pass Differentiable Approximation. The loss and the verdict remain those of the true
# defence. What the attack finds, it has found.
#
# **Exercise 12.1.** Write it for the identity: the value of `layer(x)`, the derivative of `x`. One line does it.


# %% exercise="12.1"
def straight_through(layer, x):
    """layer(x) forwards; backwards the gradient passes as if the layer were not there."""
    ### BEGIN SOLUTION: return the layer's answer with the derivative of the identity
    return x + (layer(x) - x).detach()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `z.detach()` has the value of `z` and no derivative. Write `layer(x)` as `x` plus a difference. Which of the two may
# keep its derivative?
#
# </details>

# %% check="12.1"
masking.check_straight_through(straight_through)

# %% [markdown]
# The library has it as a layer, `sl.BPDA(layer, stand_in)`, and `sl.replace_layers` puts it wherever a network has such
# a layer. `planted.adaptive(defended, y)` is the resulting goal; any search climbs it.

# %%
patient = sl.PGD(ball, steps=10, stop_when_fooled=False)


def standing(network, x_adv, looks=1):
    """Which images the network reads rightly in most of several looks."""
    with torch.no_grad():
        votes = [(network(x_adv).argmax(1) == y).float() for _ in range(looks)]
    return torch.stack(votes).mean(0) > 0.5


def compare(name, looks=1):
    """The accuracy clean, under plain PGD and under the adaptive attack, of a planted defence."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    planted = DEFENCES[name]
    defended = planted.build(standard).eval()
    plain = sl.PGD(ball, steps=20)(defended, x, y, generator=generator)
    adaptive = patient.run(planted.adaptive(defended, y), x, generator)
    images = {"clean": x, "plain PGD-20": plain, "adaptive PGD-10": adaptive}
    return {
        row: sl.Accuracy.of(standing(defended, x_adv, looks))
        for row, x_adv in images.items()
    }


results = {name: compare(name) for name in ("quantise", "jpeg", "k winners", "ripple")}
for name, rows in results.items():
    print(
        f"{name:>13}: " + ", ".join(f"{row} {accuracy}" for row, accuracy in rows.items())
    )

# %% tags=["nbval-check-output"]
for name, rows in results.items():
    gone = rows["adaptive PGD-10"].high < rows["plain PGD-20"].low
    print(f"{name}: the adaptive attack leaves less, intervals apart: {gone}")

# %% [markdown]
# Half the steps, and (almost) nothing is left. `k winners` and `ripple` do have a gradient, an exact one. It belongs to
# wrinkles that are finer than a step, and the stand-in looks past them.
#
# ## EOT: ask more than once
#
# A defence that answers at random has a gradient at each look, and the next look has another. Two things go wrong. The
# direction is noisy. And a search that stops at its first success has met a *lucky draw*, which the next look denies.
# The adversary cannot know the draw, but it knows the lottery, and climbs the **mean**:
#
# $$\nabla_x \, \mathbb{E}_t \big[ L(f_t(x), y) \big] \approx \frac{1}{k} \sum_{i=1}^{k} \nabla_x L(f_{t_i}(x), y) .$$
#
# **Exercise 12.2.** Write this Expectation over Transformation. Each call of `score(x)` is one look: a loss for each
# image, (B,), with a new draw.


# %% exercise="12.2"
def mean_gradient(score, x, looks):
    """The mean over `looks` calls of score of the gradient of each image's loss, shaped like x."""
    ### BEGIN SOLUTION: look several times at the same images, and return the mean gradient
    x = x.clone().requires_grad_()
    loss = torch.stack([score(x) for _ in range(looks)]).mean(0)
    return torch.autograd.grad(loss.sum(), x)[0]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The mean of gradients is the gradient of the mean. Collect the losses of all looks at one copy of `x` that requires a
# gradient, take their mean over the looks and their sum over the batch, and differentiate once.
#
# </details>

# %% check="12.2"
masking.check_mean_gradient(mean_gradient)

# %%
# Picture: how well the mean gradient of 1, 2, 4, 8 and 16 looks agrees with another
# mean of 64 looks; the cosine rises with the number of looks, for noise and for random
# resizing.
torch.manual_seed(0)
few, counts = slice(0, 16), [1, 2, 4, 8, 16]
figure, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
agreement = {}
for name, colour, marker in (("noise", BLUE, "o"), ("random resize", VERMILLION, "s")):
    goal = sl.Misclassify(DEFENCES[name].build(standard).eval(), y[few], sl.margin)
    looks_at = {k: sl.Expectation(goal, k) for k in [*counts, 64]}
    grads = {}
    for k, mean in looks_at.items():
        pixels = x[few].clone().requires_grad_()
        grads[k] = torch.autograd.grad(mean(pixels).loss.sum(), pixels)[0].flatten(1)
    agreement[name] = [
        float(torch.cosine_similarity(grads[k], grads[64]).mean()) for k in counts
    ]
    ax.plot(counts, agreement[name], color=colour, marker=marker, label=name)
ax.set(xscale="log", xticks=counts, xticklabels=counts, ylim=(0, 1))
ax.set(xlabel="looks", ylabel="cosine with the mean of 64 looks")
ax.minorticks_off()
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
for name, cosines in agreement.items():
    print(f"{name}: 16 looks agree better than one: {cosines[-1] > cosines[0]}")

# %% [markdown]
# Now the attack, with 8 looks for each gradient. Where answers are random the verdict needs several looks, too. Below,
# an image counts as read correctly if most of 9 fresh looks say so.

# %%
results["noise"] = compare("noise", looks=9)
print(", ".join(f"{row} {accuracy}" for row, accuracy in results["noise"].items()))

# %%
results["random resize"] = compare("random resize", looks=9)
print(
    ", ".join(f"{row} {accuracy}" for row, accuracy in results["random resize"].items())
)

# %% [markdown]
# Random resizing keeps a little. Is that robustness, or are 8 looks and 10 steps too few? Try more of both.
#
# Randomness can be useful: a proof of robustness can be built on noise (lesson 9). It then needs a network that
# is trained for it, and says a radius, not "PGD failed".
#
# ## A loss that cannot saturate
#
# The third remedy is the shortest. If the softmax is saturated, climb the margin or DLR (lesson 3).

# %%
results["temperature"] = compare("temperature")
print(", ".join(f"{row} {accuracy}" for row, accuracy in results["temperature"].items()))

# %%
# Picture: for each of seven defences two bars with intervals, the accuracy under plain
# PGD and under the adaptive attack. The first are above 85 % for five defences, lower for
# random resize and noise; the second are near zero for all.
figure, ax = plt.subplots(figsize=(9, 3.4), layout="constrained")
styles = {"plain PGD-20": (-0.2, BLUE, ""), "adaptive PGD-10": (0.2, VERMILLION, "//")}
for row, (shift, colour, hatch) in styles.items():
    bars = [results[name][row] for name in results]
    height = [bar.accuracy for bar in bars]
    spread = [
        [bar.accuracy - bar.low for bar in bars],
        [bar.high - bar.accuracy for bar in bars],
    ]
    places = [place + shift for place in range(len(bars))]
    ax.bar(
        places, height, 0.38, yerr=spread, capsize=3, color=colour, hatch=hatch, label=row
    )
ax.set(xticks=range(len(results)), xticklabels=results, ylim=(0, 1.2), ylabel="accuracy")
ax.set_title(f"n = {len(x)}, Linf 8/255, 95 % intervals", fontsize="medium")
ax.legend(loc="upper center", ncols=2)
plt.show()

# %% tags=["nbval-check-output"]
fallen = [
    name
    for name, rows in results.items()
    if rows["adaptive PGD-10"].high < rows["plain PGD-20"].low
]
print(len(results), "defences; broken beyond their intervals:", len(fallen))

# %% [markdown]
# ## Spot the broken defence
#
# Six networks, A to F. Some are honest, and honest does not mean robust. Look at what each attack finds and at how sure
# the network stays along three directions, then choose a trick. `Tab` goes from control to control; sliders take the
# arrow keys, buttons `Enter`.

# %%
from seminar_lib.widgets import MaskingDemo

demo = MaskingDemo(standard, robust, test[:20], data.classes)
demo

# %%
# Picture: what the demo shows of network A: its accuracy under five attacks, its
# evidence, and the probability of the true class along its own gradient, along the
# undefended network's gradient and along random signs.
demo.static()

# %% [markdown]
# ## Read a diagnosis
#
# Three defences without a label, and what four of the checks say of each, with the names of all alarms.

# %%
mystery = masking.unlabelled(standard)


def show_alarms(letter):
    """Diagnose a defence, and print what four checks say and which of all raise an alarm."""
    found = sl.diagnose(mystery[letter], x[:32], y[:32], steps=20, queries=50)
    print(f"{mystery[letter]} (n = {found.n})")
    for name in ("randomness", "slope", "saturation", "kept promise"):
        print(f"  {name:>14}: {found[name].verdict:<14} {found[name].value}")
    print("  all alarms:", ", ".join(alarm.name for alarm in found.alarms))


show_alarms("A")

# %%
show_alarms("B")

# %%
show_alarms("C")

# %% [markdown]
# **Exercise 12.3.** Name the trick of each: `"nothing hidden"`, `"step without slope"`, `"saturated softmax"`, `"random
# answers"` or `"shattered gradient"`.


# %% exercise="12.3"
def my_tricks():
    """The trick of each defence, by its letter."""
    ### BEGIN SOLUTION: return a dictionary from "A", "B" and "C" to the names of the tricks
    return {
        "A": "saturated softmax",
        "B": "random answers",
        "C": "shattered gradient",
    }
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `slope` asks for a margin without gradient, `saturation` for a cross-entropy without gradient where the margin has
# one. `kept promise` takes a short step along the gradient and asks whether the margin rose as promised. `randomness`
# looks twice.
#
# </details>

# %% check="12.3"
masking.check_tricks(my_tricks)

# %% [markdown]
# ## Capstone: break one
#
# A vendor sends a network. It has three layers of protection: pixels are rounded, noise is added, and a
# "confidence booster" multiplies the logits by 10,000. "State of the art," says the leaflet, and shows this table:

# %%
fortress = masking.fortress(standard)
torch.manual_seed(0)
leaflet = sl.evaluate(
    fortress,
    test,
    {"FGSM": sl.FGSM(ball), "PGD-20": sl.PGD(ball, steps=20)},
    progress=False,
)
print("layers:", [type(layer).__name__ for layer in fortress])
leaflet

# %% [markdown]
# **Exercise 12.4.** Break it. Return images inside the $L_\infty$ ball of 8/255 that the *fortress itself* misreads, in
# most of its looks. The check shows it your images; 15 % accuracy or less counts as broken. Use the library: `PGD`,
# `BPDA`, `replace_layers`, `Misclassify`, `Expectation`, `margin`.


# %% exercise="12.4"
def my_attack(defended, x, y):
    """Adversarial images for a network behind Quantise, Noise and Temperature, inside Linf(8/255)."""
    ### BEGIN SOLUTION: open what has no slope, climb a loss that cannot saturate, and average several looks
    opened = sl.replace_layers(defended, type(defended[0]), sl.BPDA)
    goal = sl.Expectation(sl.Misclassify(opened, y, sl.margin), samples=4)
    attack = sl.PGD(sl.Linf(8 / 255), steps=10, stop_when_fooled=False)
    return attack.run(goal, x)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Three masks, three remedies. `sl.replace_layers(defended, Quantise, sl.BPDA)` opens the first; `type(defended[0])` is
# `Quantise`. A goal says what is climbed: `sl.Misclassify(opened, y, sl.margin)`, inside `sl.Expectation(goal, 4)`.
# `attack.run(goal, x)` runs it.
#
# </details>

# %% check="12.4" points=3
masking.check_break(my_attack)

# %% [markdown]
# Does it need all three? Leave out one remedy at a time:


# %%
def without(*left_out):
    """The accuracy that is left when the adaptive attack does without some of its remedies."""
    torch.manual_seed(0)
    opened = (
        fortress
        if "BPDA" in left_out
        else sl.replace_layers(fortress, type(fortress[0]), sl.BPDA)
    )
    loss = sl.cross_entropy if "margin" in left_out else sl.margin
    goal = sl.Misclassify(opened, y, loss)
    if "EOT" not in left_out:
        goal = sl.Expectation(goal, 4)
    search = sl.PGD(ball, steps=10, stop_when_fooled="EOT" in left_out)
    x_adv = search.run(goal, x, torch.Generator().manual_seed(0))
    return sl.Accuracy.of(standing(fortress, x_adv, looks=9))


left = {remedy: without(remedy) for remedy in ("BPDA", "margin", "EOT", "nothing")}
for remedy, accuracy in left.items():
    print(f"without {remedy:>7}: {accuracy}")

# %% tags=["nbval-check-output"]
for remedy in ("BPDA", "margin"):
    print(
        f"without {remedy} it fails, beyond the intervals:",
        left[remedy].low > left["nothing"].high,
    )

# %% [markdown]
# One forgotten remedy is enough to make the fortress look strong. That is why an adaptive attack is *designed*, after
# reading the defence, and why "we tried EOT" or "we tried BPDA" is no evidence by itself. (EOT matters least here: a
# search that goes on after its first success averages the looks along its way.)
#
# ## Capstone: repair it
#
# **Exercise 12.5.** Hand in a network that stands, and say how well. You have the standard network, the adversarially
# trained one, and test images. Return a network that keeps its clean accuracy, and the accuracy that you claim for it
# within 8/255, as an `Accuracy` (`report["worst case"]` is one). The check attacks your network with all that it knows
# of masks. It accepts no claim above what it leaves.


# %% exercise="12.5"
def my_repair(standard, robust, test):
    """A network that is robust, and its worst-case accuracy on all of test as an Accuracy."""
    ### BEGIN SOLUTION: choose a network, attack it as hard as you can, and return it with your claim
    ball = sl.Linf(8 / 255)
    attacks = {
        "APGD": sl.APGD(ball, steps=20),
        "PGD, margin": sl.PGD(ball, steps=20, loss=sl.margin),
    }
    report = sl.evaluate(robust, test, attacks, progress=False)
    return robust, report["worst case"]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# A mask in front of a network that is not robust adds nothing that an adversary cannot open, and in front of one that
# is robust it only makes your own measurement harder. Take the masks away. Then measure with `sl.evaluate` and several
# attacks with different losses.
#
# </details>

# %% check="12.5" points=3
masking.check_repair(my_repair)

# %%
attacks = {"APGD": sl.APGD(ball), "margin": sl.PGD(ball, steps=20, loss=sl.margin)}
repaired = sl.evaluate(robust, test, attacks, progress=False)["worst case"]
print(f"the fortress, by its leaflet:   {leaflet['PGD-20']}")
print(f"the fortress, by an adversary:  {left['nothing']}")
print(f"pgd_at, by an adversary:        {repaired}")

# %% tags=["nbval-check-output"]
print(
    "the leaflet promises more than the repair:",
    leaflet["PGD-20"].accuracy > repaired.accuracy,
)
print(
    "the repair keeps more than the fortress, intervals apart:",
    repaired.low > left["nothing"].high,
)

# %% [markdown]
# The repaired network has the *worse* leaflet and is the better network. Nor is its number final. Somebody may find a
# stronger attack, and it can only fall.
#
# ## A checklist for the evaluation of a defence
#
# 1. **Why** should it be robust? If the answer is "attacks fail", that is a symptom and no reason.
# 2. Write down each step of the forward pass. Does it have a **slope**? Is it **random**? Does it **optimise**?
# 3. Build the adaptive attack for *this* defence: a stand-in for each step without slope, a mean over each draw, a loss
#    that does not saturate. Open **all** masks at once.
# 4. Random answers: report the majority or the mean over fresh looks, never the best or the last.
# 5. Check the attack before you check the defence. Does it break the **undefended** network? Does it reach 0 % without
#    a bound on the perturbation?
# 6. Compare with attacks that know **less** (Square, transfer, noise). None may do better.
# 7. Run `sl.diagnose`, and explain every alarm.
# 8. Report n, intervals, settings and the worst case, and publish code and weights, so that others can try.
#
# **Breaking is a service, with rules.** Attack your own models, public ones, or those that you have been asked to test.
# If you find that a deployed system can be fooled, tell its makers first and give them time. Write of defences as their
# authors would like to read it: many of them could be broken only because their code was public.

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("12_masking")

# %% [markdown]
# ## Summary
#
# - A defence can make attacks fail without making a single adversarial image rarer.
# - Its gradient is zero, saturated, random or shattered. Each leaves symptoms; above all, attacks that know less do
#   better.
# - BPDA replaces a derivative that is useless, EOT averages looks, margin and DLR do not saturate. Masks add up, so the
#   remedies have to be used together.
# - A diagnosis can find known failures of an attack. It cannot prove robustness.
# - A repair is a network that is robust under an attack made for it, with a claim that this attack has confirmed.
#
# **Discussion: what would convince you?** A paper puts a diffusion model in front of a network: it adds noise to each
# image and takes it off again in 100 steps. "PGD with 100 steps reaches only 71 %; we could not differentiate through
# the purifier and used BPDA with the identity." Which masks may be at work? Which attack would you build, what would it
# cost, and what result would change your mind?
#
# **References**
#
# - A. Athalye, N. Carlini, D. Wagner: [Obfuscated Gradients Give a False Sense of
#   Security](https://arxiv.org/abs/1802.00420), ICML 2018.
# - F. Tramèr, N. Carlini, W. Brendel, A. Madry: [On Adaptive Attacks to Adversarial Example
#   Defenses](https://arxiv.org/abs/2002.08347), NeurIPS 2020.
# - N. Carlini, A. Athalye, N. Papernot et al.: [On Evaluating Adversarial
#   Robustness](https://arxiv.org/abs/1902.06705), 2019.
# - M. Pintor, L. Demetrio, A. Sotgiu et al.: [Indicators of Attack Failure](https://arxiv.org/abs/2106.09947), NeurIPS
#   2022.
# - A. Athalye, L. Engstrom, A. Ilyas, K. Kwok: [Synthesizing Robust Adversarial
#   Examples](https://arxiv.org/abs/1707.07397), ICML 2018.
# - C. Guo, M. Rana, M. Cissé, L. van der Maaten: [Countering Adversarial Images using Input
#   Transformations](https://arxiv.org/abs/1711.00117), ICLR 2018.
# - C. Xie, J. Wang, Z. Zhang, Z. Ren, A. Yuille: [Mitigating Adversarial Effects Through
#   Randomization](https://arxiv.org/abs/1711.01991), ICLR 2018.
# - N. Papernot, P. McDaniel, X. Wu, S. Jha, A. Swami: [Distillation as a Defense](https://arxiv.org/abs/1511.04508),
#   S&P 2016.
# - C. Xiao, P. Zhong, C. Zheng: [Enhancing Adversarial Defense by
#   k-Winners-Take-All](https://arxiv.org/abs/1905.10510), ICLR 2020.

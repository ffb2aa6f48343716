# %% [markdown]
# # 1. FGSM: one gradient step
#
# Reading 20 min, coding 40 min, discussion 20 min.
#
# - say why changes that nobody sees can turn a network's answer around
# - write the Fast Gradient Sign Method by hand
# - say what eps means, in which units, and what it does not mean
# - report the accuracy under an attack with its n and its interval
#
# Goodfellow, Shlens and Szegedy, *Explaining and Harnessing Adversarial Examples*, ICLR 2015.

# %%
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib.exercises import fgsm
from seminar_lib.plots import gallery, probability_bars, triptych

data = sl.load_data()
model, card = sl.load(f"{data.name}/standard")
test = data.test.sample(500)
x, y = test.x, test.y
eps = 8 / 255

# %% [markdown]
# ## The same sign, another answer
#
# Below are three signs, and the same three signs after an attack that changed no pixel by more than 8 of 255 grey
# levels. The middle column shows the change, amplified; grey means none.

# %%
# Picture: three road signs, the amplified perturbation, and the attacked signs, which
# look the same to a person.
right = (model(x).argmax(1) == y).nonzero().squeeze(1)
right = right[x[right].std((1, 2, 3)).argsort(descending=True)]  # the clearest first
x_adv = sl.FGSM(sl.Linf(eps))(model, x, y)
fooled = right[model(x_adv[right]).argmax(1) != y[right]][:3]
triptych(
    x[fooled],
    x_adv[fooled],
    model(x[fooled]).softmax(1).detach(),
    model(x_adv[fooled]).softmax(1).detach(),
    y[fooled],
    data.classes,
)

# %% [markdown]
# Is the network just sensitive to any noise? Then random changes of the same size would do the same.

# %%
coins = torch.randint(2, x.shape, generator=torch.Generator().manual_seed(0))
x_random = (x + eps * (2 * coins - 1)).clamp(0, 1)
standing = {
    name: sl.Accuracy.of(model(images).argmax(1) == y)
    for name, images in {"clean": x, "random signs": x_random, "FGSM": x_adv}.items()
}
for name, accuracy in standing.items():
    print(f"{name:>12}: {accuracy}")

# %% tags=["nbval-check-output"]
lost = {name: standing["clean"].accuracy - standing[name].accuracy for name in standing}
print("random signs cost less than 10 points:", lost["random signs"] < 0.10)
print("FGSM costs more than 40 points:", lost["FGSM"] > 0.40)

# %% [markdown]
# The size is the same, and so is the look. What differs is the *direction*.

# %% [markdown]
# ## Which way is up?
#
# Training asks how the loss changes with the weights, and walks downhill. An adversary asks how the loss changes with
# the **pixels**, and walks uphill. Both questions are answered by the same backward pass.
#
# **Exercise 1.1.** Return the gradient of the cross-entropy with respect to the images. Each image's gradient must not
# depend on which other images are in the batch.


# %% exercise="1.1"
def input_gradient(model, x, y):
    """The gradient of each example's cross-entropy with respect to its image, shaped like x."""
    ### BEGIN SOLUTION: return the gradient of the cross-entropy with respect to x
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="sum")
    return torch.autograd.grad(loss, x)[0]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Work on a copy of `x` that records what happens to it: `x.clone().requires_grad_()`. Then
# `torch.autograd.grad(loss, x)` returns a tuple with one gradient. `F.cross_entropy` has an argument `reduction`; its
# default divides by the number of images.
#
# </details>

# %% check="1.1"
fgsm.check_gradient(input_gradient)

# %% [markdown]
# What does the network look at? Where the gradient is large, a small change of the pixel matters.

# %%
# Picture: six signs above the size of their gradients, which is largest on the sign and
# its edges, but noisy.
some = right[:6]
pixels = x[some].clone().requires_grad_()
loss = F.cross_entropy(model(pixels), y[some], reduction="sum")
slope = torch.autograd.grad(loss, pixels)[0].abs().amax(1, keepdim=True)
slope = slope / slope.amax((1, 2, 3), keepdim=True)
gallery(
    torch.cat([x[some], slope.expand(-1, 3, -1, -1)]),
    [data.classes[label] for label in y[some]] + ["gradient"] * len(some),
    columns=len(some),
)

# %% [markdown]
# ## One step
#
# The adversary may change every pixel by at most $\epsilon$. The set of images it may choose from is called the *threat
# model*, here the $L_\infty$ ball:
#
# $$\lVert x' - x \rVert_\infty = \max_i |x'_i - x_i| \le \epsilon .$$
#
# If the loss were linear, $L(x + \delta) = L(x) + \delta \cdot g$ with the gradient $g = \nabla_x L$, then the best
# choice would be easy: move **every** pixel as far as it may, in the direction of its own slope,
#
# $$x' = x + \epsilon \, \operatorname{sign}(\nabla_x L(f(x), y)) ,$$
#
# and stay an image. That is the Fast Gradient Sign Method.
#
# **Exercise 1.2.** Write it. `eps` is in pixels of [0, 1], as everything here.


# %% exercise="1.2"
def my_fgsm(model, x, y, eps):
    """Adversarial images: one step of size eps along the sign of the gradient, kept inside [0, 1]."""
    ### BEGIN SOLUTION: return x moved by eps along the sign of the gradient, and clipped to [0, 1]
    return (x + eps * input_gradient(model, x, y).sign()).clamp(0, 1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `input_gradient` from above, `tensor.sign()`, and `tensor.clamp(0, 1)`.
#
# </details>

# %% check="1.2" points=2
fgsm.check(my_fgsm)
### BEGIN HIDDEN TESTS
step = my_fgsm(model, x[:8], y[:8], 2 / 255) - x[:8]
assert step.abs().max() <= 2 / 255 + 1e-6
assert (model(x[:64]).argmax(1) == y[:64]).sum() > (
    model(my_fgsm(model, x[:64], y[:64], eps)).argmax(1) == y[:64]
).sum()
### END HIDDEN TESTS

# %% [markdown]
# The library's version is `sl.FGSM(sl.Linf(eps))`. It differs in one point: where the step does not help the adversary,
# it returns the clean image. Open `seminar_lib/attacks/fgsm.py` and compare: its `search` has two lines.

# %% [markdown]
# ## Try it
#
# Choose a sign and drag eps. Then switch the direction from the gradient's sign to random signs of the same size. The
# sliders take the arrow keys.

# %%
from seminar_lib.widgets import FGSMDemo

demo = FGSMDemo(model, test[right[:40]], data.classes)
demo

# %%
# Picture: what the demo shows at eps 8/255: the clean sign, the perturbation, the
# attacked sign, and both answers.
demo.static()

# %% [markdown]
# ## Why does so little do so much?
#
# No pixel changes by much. But there are 3072 of them, and each contributes.
#
# **Exercise 1.3.** If the loss were linear, by how much would FGSM raise it? Given the gradient of each image, return
# the predicted increase for each.


# %% exercise="1.3"
def predicted_increase(grad, eps):
    """The increase of each example's loss under FGSM if the loss were linear: (B,) from gradients (B, C, H, W)."""
    ### BEGIN SOLUTION: return the increase of the loss that a linear model predicts
    return eps * grad.abs().sum(dim=(1, 2, 3))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# $\delta \cdot g$ with $\delta = \epsilon \operatorname{sign}(g)$. What is $\operatorname{sign}(g) \cdot g$?
#
# </details>

# %% check="1.3"
fgsm.check_prediction(predicted_increase)

# %% [markdown]
# Is the network linear? Take the *margin* as the loss: the best wrong logit minus the right one. The image is misread
# as soon as it is above zero.

# %%
# Picture: the margin against eps: the linear prediction holds for two grey levels, then
# the true margin bends below it.
one = right[:200]
goal = sl.Misclassify(model, y[one], loss=sl.margin)
pixels = x[one].clone().requires_grad_()
grad = torch.autograd.grad(goal(pixels).loss.sum(), pixels)[0]
levels = torch.arange(0, 17)
with torch.no_grad():
    moved = [(x[one] + e / 255 * grad.sign()).clamp(0, 1) for e in levels]
    measured = torch.stack([goal(images).loss.mean() for images in moved])
increase = torch.stack([(e / 255 * grad.abs().sum((1, 2, 3))).mean() for e in levels])
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(levels, measured, marker="o", label="measured", color="#0072B2")
ax.plot(
    levels,
    measured[0] + increase,
    linestyle="--",
    label="predicted at x",
    color="#D55E00",
)
ax.axhline(0, color="grey", linestyle=":")
ax.set(xlabel="eps in 1/255", ylabel=f"mean margin, n = {len(one)}", ylim=(-9, 12))
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
error = ((measured[0] + increase - measured) / (measured - measured[0]))[1:]
print("off by less than a quarter at 1/255:", bool(error[0] < 0.25))
print("off by more than a half at 16/255:", bool(error[-1] > 0.5))

# %% [markdown]
# Near the image the network is almost linear, and a linear function of thousands of pixels is moved far by tiny
# steps that all agree. That is the paper's explanation: adversarial examples come from networks being *too linear*,
# not from their being too curved. The picture also shows the method's limit: once the margin bends, the gradient at
# $x$ is out of date. Taking a fresh gradient on the way is the idea of lesson 2.
#
# With `loss=sl.cross_entropy` the prediction is far too *small*: where the network is certain, the cross-entropy is
# flat, and its gradient says little about what lies a few levels further. Its sign is right all the same. Try it.

# %% [markdown]
# ## Measure it
#
# A share of right answers is an estimate. With n images it comes with an interval, here Wilson's at 95 %. The network
# below, `pgd_at`, was trained on attacked images (lesson 4).

# %%
# Picture: accuracy against eps for two networks: the standard one falls within a few
# levels, the robust one slowly.
robust, _ = sl.load(f"{data.name}/pgd_at")
radii = [level / 255 for level in (0, 1, 2, 4, 6, 8, 12, 16)]
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
curves = {}
for name, network in {"standard": model, "pgd_at": robust}.items():
    curves[name] = sl.accuracy_against_eps(network, test, sl.FGSM(), radii)
    curves[name].plot(ax, label=name)
ax.axhline(1 / len(data.classes), color="grey", linestyle=":", label="guessing")
ax.set_title(f"FGSM, n = {len(test)}, bands: 95 % intervals", fontsize="medium")
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
at_8 = {name: curve.accuracy[radii.index(eps)] for name, curve in curves.items()}
print(
    "at 8/255 the intervals of the two networks overlap:",
    at_8["standard"].high >= at_8["pgd_at"].low,
)

# %% [markdown]
# ## A label of the adversary's choice
#
# Making *30* into anything else is one thing; making it *120* is another. Walk **down** the loss of the label that you
# want.
#
# **Exercise 1.4.** Write the targeted version.


# %% exercise="1.4"
def my_targeted_fgsm(model, x, target, eps):
    """Adversarial images that the model should take for `target`: one step of size eps, kept inside [0, 1]."""
    ### BEGIN SOLUTION: return x moved by eps towards the target label, and clipped to [0, 1]
    return (x - eps * input_gradient(model, x, target).sign()).clamp(0, 1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The loss of the *target* must fall. Which sign does the step have now?
#
# </details>

# %% check="1.4"
fgsm.check_targeted(my_targeted_fgsm)

# %%
# Picture: the probabilities that the network gives one sign before and after a targeted
# step.
wanted = 3
others = right[y[right] != wanted]
x_target = sl.FGSM(sl.Linf(eps))(
    model, x[others], y[others], target=torch.full_like(y[others], wanted)
)
reached = model(x_target).argmax(1) == wanted
print(
    f"one step reaches {data.classes[wanted]!r} for {sl.Accuracy.of(reached)} of {len(others)} images"
)
best = int(model(x_target).softmax(1)[:, wanted].argmax())
figure, axes = plt.subplots(1, 2, figsize=(8, 2.5), layout="constrained")
before_and_after = {"clean": x[others], f"towards {data.classes[wanted]!r}": x_target}
for ax, (title, images) in zip(axes, before_and_after.items(), strict=True):
    p = model(images[best : best + 1]).softmax(1)[0].detach()
    probability_bars(p, data.classes, int(y[others[best]]), ax)
    ax.set_title(title)
plt.show()

# %% [markdown]
# ## The trap
#
# FGSM is quick, and a weak judge. A network can be trained to withstand this one step and nothing else. So an accuracy
# under FGSM is never a robustness: the same networks under 20 smaller steps of the same total reach.

# %%
judges = {"FGSM": sl.FGSM(), "PGD-20": sl.PGD(steps=20, step_size=2 / 255)}
networks = {"standard": model, "pgd_at": robust}
reports = {name: sl.evaluate(network, test, judges) for name, network in networks.items()}
for name, report in reports.items():
    print(f"{name}: " + ", ".join(f"{row} {report[row]}" for row in report.correct))

# %% tags=["nbval-check-output"]
for name, report in reports.items():
    stronger = report["PGD-20"].accuracy <= report["FGSM"].accuracy
    print(f"{name}: PGD-20 is at least as strong as FGSM:", stronger)

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("01_fgsm")

# %% [markdown]
# ## Summary
#
# - One gradient with respect to the image says in which direction each pixel raises the loss.
# - FGSM moves every pixel by eps in that direction: the best step in the $L_\infty$ ball if the loss were linear.
# - Random changes of the same size do next to nothing. It is the direction that counts.
# - An accuracy under attack needs the attack's settings, eps, n and an interval. Under FGSM alone it proves nothing.
#
# **Discussion: what would convince you?** A paper reports 93 % accuracy under FGSM at 8/255. Name three attacks or
# measurements that you would want to see before you believe that the network is robust, and what each could reveal.
#
# **References**
#
# - I. Goodfellow, J. Shlens, C. Szegedy: [Explaining and Harnessing Adversarial Examples](https://arxiv.org/abs/1412.6572),
#   ICLR 2015.
# - C. Szegedy et al.: [Intriguing properties of neural networks](https://arxiv.org/abs/1312.6199), ICLR 2014.
# - A. Kurakin, I. Goodfellow, S. Bengio: [Adversarial examples in the physical world](https://arxiv.org/abs/1607.02533),
#   ICLR 2017 workshop.

# %% [markdown]
# # 10. Purification: wash the attack out before you read
#
# Reading 25 min, coding 35 min, discussion 20 min.
#
# - say what a purifier promises, and which adversary it was measured under
# - go around a purifier that has no gradient, and through one that has
# - take an image into noise and back with a diffusion model, and choose how far
# - tell one draw, the majority and the worst of N apart, and say which of them a claim needs
#
# Nie et al., *Diffusion Models for Adversarial Purification*, ICML 2022. Kassis, Hengartner and Yu, *DiffBreak: Is
# Diffusion-Based Purification Robust?*, 2024.

# %%
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib.diffusion import reverse, sample
from seminar_lib.diffusion.schedule import ALPHA_BAR, SIGMA
from seminar_lib.diffusion.steps import guess, noised
from seminar_lib.exercises import purification
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery

data = sl.load_data()
advice = f"Train it first: python -m seminar_lib train {data.name}_ddpm --ship"
assert f"{data.name}/ddpm" in sl.shipped(), advice
standard, robust, diffusion = (
    sl.load(f"{data.name}/{name}")[0].eval() for name in ("standard", "pgd_at", "ddpm")
)
test = data.test.sample(48)
x, y = test.x, test.y
ball = sl.Linf(8 / 255)


def seeded(seed=0):
    """A source of random numbers that starts at the same place for everybody."""
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## The promise
#
# Adversarial training (lesson 4) makes a network that stands. Here is another thought: leave the network as it is, and
# clean the *image*. A perturbation is small. Whatever does away with small things does away with it, and the network
# reads what is left:
#
# $$\text{answer} = f(g(x)), \qquad g: \text{images to images.}$$
#
# $g$ is called a **purifier**. It needs no labels and no access to the network's weights, and one purifier serves every
# network. Four of them, as proposed from 2016 to 2018:
#
# | purifier | what it does | proposed by |
# |---|---|---|
# | `Quantise(3)` | rounds each value to one of 8 levels | Xu et al., NDSS 2018 |
# | `JPEG(75)` | rounds what the eye does not see, as a camera's file does | Dziugaite et al., 2016 |
# | `RandomResize(0.9)` | shrinks the image at random and puts it somewhere | Xie et al., ICLR 2018 |
# | `TotalVariation(0.03, 0.5)` | the smoothest image through half of the values | Guo et al., ICLR 2018 |

# %%
# Picture: one sign, attacked, and what each of the four purifiers makes of it: colours in
# few steps; an image like the attacked one; the sign a little smaller on black; a smooth
# image like a painting.
purifiers = {
    "nothing": torch.nn.Identity(),
    "quantise": sl.Quantise(3),
    "JPEG": sl.JPEG(75),
    "resize": sl.RandomResize(0.9),
    "smooth": sl.TotalVariation(0.03, 0.5),
}
stops = sl.PGD(ball, steps=20)
attacked = {"to a success": stops(standard, x, y, generator=seeded())}
torch.manual_seed(0)
pick = int(x.std((1, 2, 3)).argsort(descending=True)[11])
shown = [x[pick], *(g(attacked["to a success"][[pick]])[0] for g in purifiers.values())]
with torch.no_grad():
    said = [data.classes[k] for k in standard(torch.stack(shown)).argmax(1)]
names = ["clean", "attacked", *list(purifiers)[1:]]
gallery(torch.stack(shown), [f"{n}:\n{s}" for n, s in zip(names, said, strict=True)], 6)


# %% [markdown]
# Now for all 48 images. The adversary attacks `standard` with PGD, inside the Linf ball of 8/255, and does not know
# that there is a purifier: we call it **blind**.


# %%
def behind(purifier, images, classifier=standard):
    """The accuracy on images that are purified first."""
    with torch.no_grad():
        return sl.Accuracy.of(classifier(purifier(images)).argmax(1) == y[: len(images)])


torch.manual_seed(0)
first = {
    name: (behind(g, x), behind(g, attacked["to a success"]))
    for name, g in purifiers.items()
}
for name, (clean, blind) in first.items():
    print(f"{name:>9}: clean {clean}, blind {blind}")

# %% tags=["nbval-check-output"]
for name, (_, blind) in first.items():
    print(
        f"{name}: keeps a third of the attacked images or more: {blind.accuracy > 0.33}"
    )

# %% [markdown]
# From 0 % to about 60 %, for nothing, and in front of a network that has no defence at all. Before you read on: what
# would you ask the author of this table?

# %% [markdown]
# ## How far does the adversary go?
#
# `PGD` stops at its first success, here as everywhere in this course: the image has only just crossed the boundary, and
# the slightest change brings it back. Nobody has to stop there. A blind adversary who *suspects* something goes on
# until the steps are used up, far into the wrong class:

# %%
goes_on = sl.PGD(ball, steps=20, stop_when_fooled=False)
attacked["to the end"] = goes_on(standard, x, y, generator=seeded())
torch.manual_seed(0)
second = {name: behind(g, attacked["to the end"]) for name, g in purifiers.items()}
for name, blind in second.items():
    print(f"{name:>9}: to a success {first[name][1]}, to the end {blind}")

# %% tags=["nbval-check-output"]
for name in ("quantise", "JPEG", "resize"):
    apart = second[name].high < first[name][1].low
    print(f"{name}: less is left, intervals apart: {apart}")

# %% [markdown]
# The purifiers are the same, the ball is the same, and the adversary still knows nothing. Three of the four defences
# are gone. What they had undone was not an attack but its last step. Only the smooth image, which
# loses more than a quarter of the *clean* images, too, still holds nearly half.
#
# ## An adversary who knows
#
# By the rule of Kerckhoffs (1883) a defence has to stand when everything about it is known but the key. So the
# adversary attacks $f(g(x))$, and its gradient goes back through $g$. Does it?

# %%
few = test[:16]
slope = {}
torch.manual_seed(0)
for name, g in purifiers.items():
    pixels = few.x.clone().requires_grad_()
    loss = F.cross_entropy(standard(g(pixels)), few.y, reduction="sum")
    if not loss.requires_grad:  # nothing of it hangs on the pixels
        slope[name] = 0.0
        continue
    slope[name] = float(torch.autograd.grad(loss, pixels)[0].abs().amax())

# %% tags=["nbval-check-output"]
for name, largest in slope.items():
    print(f"{name:>9}: the gradient is zero in every pixel: {largest == 0}")

# %% [markdown]
# Rounding is a staircase: flat, with jumps. Its derivative is zero wherever there is one, and PGD stands still. That
# looks exactly like robustness.
#
# **BPDA** (Athalye et al., ICML 2018) goes around the purifier. Forwards everything is as it is. Backwards the
# adversary pretends that $g$ does nothing, because $g(x) \approx x$. Then the derivative with respect to $x$ is the
# derivative with respect to the purified image $z = g(x)$, taken *at* $z$:
#
# $$\nabla_x L(f(g(x)), y) \;\approx\; \nabla_z L(f(z), y) \Big|_{z = g(x)} .$$
#
# **Exercise 10.1.** Write this gradient.


# %% exercise="10.1"
def gradient_around(purifier, model, x, y):
    """The gradient of each image's cross-entropy by BPDA with the identity, shaped like x."""
    ### BEGIN SOLUTION: purify, and return the gradient with respect to the purified image
    z = purifier(x).detach().requires_grad_()
    loss = F.cross_entropy(model(z), y, reduction="sum")
    return torch.autograd.grad(loss, z)[0]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `z.detach().requires_grad_()` is where a new derivative starts. `torch.autograd.grad(loss, z)[0]` is the gradient with
# respect to `z`. The loss is the sum over the batch.
#
# </details>

# %% check="10.1"
purification.check_around(gradient_around)

# %% [markdown]
# (The library has it as a layer, `sl.BPDA(purifier)`: any attack can then climb `nn.Sequential(sl.BPDA(g), f)`. Lesson
# 12 builds that layer, and averages over what a defence draws.)
#
# Two of the purifiers are *random*. The adversary does not know the next draw, but knows how draws are made, and climbs
# the mean over some of them: EOT, expectation over transformation. `sl.evaluate_purified` plays all three adversaries,
# the blind one (to the end), BPDA, and the full gradient through $g$. First JPEG:

# %%
pgd = sl.PGD(ball, steps=8)
reports = {}
reports["JPEG"] = sl.evaluate_purified(sl.JPEG(75), standard, few, pgd, progress=False)
reports["JPEG"]

# %% [markdown]
# And the smooth image, which is random and has a gradient:

# %%
few_looks = {"eot": 3, "draws": 10, "batch_size": 16, "progress": False}
reports["smooth"] = sl.evaluate_purified(
    purifiers["smooth"], standard, few, pgd, **few_looks
)
reports["smooth"]


# %% tags=["nbval-check-output"]
def majority(report, row):
    """The accuracy of a row, by the majority of the draws where there are several."""
    ways = report[row]
    return ways.get("majority of 10", ways.get("accuracy"))


for name, report in reports.items():
    blind, full = majority(report, "blind"), majority(report, "full gradient")
    print(f"{name}: the full gradient finds more than the blind adversary:", end=" ")
    print(full.accuracy < blind.accuracy)

# %% [markdown]
# JPEG falls to the blind adversary and to BPDA, and its full gradient finds *nothing*: it is zero. The smooth image
# falls to its full gradient, and BPDA finds only a part: its $g(x)$ is not so near to $x$. Neither tool is the right
# one in general. Try both, and believe the lowest number.
#
# The same with 256 images and 20 steps, 5 looks for each gradient, as measured for `results/README.md`:
#
# | accuracy on `signs/standard` | clean | blind | BPDA | full gradient | worst case |
# |---|---|---|---|---|---|
# | nothing | 100.0 % | 0.4 % | 0.4 % | 0.4 % | 0.4 % |
# | `Quantise(3)` | 89.8 % | 4.7 % | 2.7 % | 87.9 % | 2.7 % |
# | `JPEG(75)` | 99.6 % | 1.6 % | 2.0 % | 98.8 % | 1.2 % |
# | `RandomResize(0.9)`, majority of 10 | 99.6 % | 7.0 % | 5.9 % | 2.7 % | 2.7 % |
# | `TotalVariation`, one draw | 69.9 % | 43.8 % | 20.7 % | 12.1 % | 11.7 % |
#
# | accuracy on `signs/pgd_at` | clean | blind | BPDA | full gradient | worst case |
# |---|---|---|---|---|---|
# | nothing | 99.6 % | 63.3 % | 62.9 % | 62.5 % | 62.5 % |
# | `Quantise(3)` | 92.2 % | 63.3 % | 59.8 % | 91.8 % | 59.8 % |
# | `JPEG(75)` | 98.4 % | 61.7 % | 60.2 % | 98.4 % | 59.8 % |
# | `RandomResize(0.9)`, majority of 10 | 98.0 % | 63.3 % | 62.9 % | 60.5 % | 60.2 % |
# | `TotalVariation`, one draw | 71.5 % | 53.1 % | 46.1 % | 44.5 % | 44.1 % |
#
# The 95 % interval of 11.7 % is [8.3 %, 16.2 %].

# %% [markdown]
# ## Into noise
#
# All four purifiers know nothing about images. What if $g$ knew what road signs look like? It could draw the sign anew,
# from what it can still tell, and leave out what no sign has.
#
# That is what a **diffusion model** has learnt. In $T = 1000$ small steps an image is turned into noise, and a network
# learns to take a step back. There, one goes in a single stride (Ho et al., NeurIPS 2020, equation 4):
#
# $$x_t = \sqrt{\bar\alpha_t} \; x_0 + \sqrt{1 - \bar\alpha_t} \; \varepsilon, \qquad \varepsilon \sim N(0, I) .$$
#
# $\bar\alpha_t$ falls from 1 to nearly 0: of the variance, so much is still image. The model's images $x_0$ lie in
# $[-1, 1]$, so that grey is 0 and the mean of an image does not drift; ours lie in $[0, 1]$.
#
# **Exercise 10.2.** Write this stride for images in $[0, 1]$. The noise is given.


# %% exercise="10.2"
def diffused(x, kept, noise):
    """x_t of images x in [0, 1], where kept is abar_t, a number, and noise is N(0, 1), shaped like x."""
    ### BEGIN SOLUTION: bring x to the model's range, and mix it with the noise
    x0 = 2 * x - 1
    return kept**0.5 * x0 + (1 - kept) ** 0.5 * noise
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Which line takes 0 to -1 and 1 to 1? `kept ** 0.5` is a root. The result is no picture any more: leave it as it is.
#
# </details>

# %% check="10.2"
purification.check_forward(diffused)

# %%
# Picture: one sign at seven times: clean, then with more and more coloured noise; at 100
# it can just be told, from 400 on only noise is left.
times = [0, 25, 50, 100, 200, 400, 1000]
one = x[[pick]]
noise = torch.empty_like(one).normal_(generator=seeded())
on_the_way = torch.cat([noised(2 * one - 1, t, noise) for t in times])
gallery(((on_the_way + 1) / 2).clamp(0, 1), [f"t = {t}" for t in times], columns=7)

# %% tags=["nbval-check-output"]
for t in times[1:]:
    print(f"t = {t:>4}: {ALPHA_BAR[t]:.0%} of the variance is image,", end=" ")
    print(f"noise of {255 * SIGMA[t]:,.0f} grey levels beside it")

# %% [markdown]
# An attack of 8/255 moves each value by 8 grey levels at most. At $t = 50$ it drowns in noise of 22.
#
# ## And back
#
# The network sees $x_t$ and $t$ and says which noise is in it. Solve the equation above for $x_0$, and you have its
# guess at the image. From far away one guess is a blur, the mean of all that may have been there. So one goes back in
# steps, and guesses anew at each: all of them with fresh noise (DDPM), or a few jumps without (DDIM).

# %%
# Picture: three rows for t = 50, 100, 200 and 400: the noisy sign, one guess at it, and
# five jumps back. At 50 and 100 the sign comes back; at 200 its digits are soft; at
# 400 one guess is a blur, and the jumps show a round sign whose digits cannot be told.
far = [50, 100, 200, 400]
rows = {"noisy": [], "one guess": [], "five jumps": []}
with torch.no_grad():
    for t in far:
        xt = noised(2 * one - 1, t, noise)
        rows["noisy"].append(xt)
        rows["one guess"].append(guess(diffusion, xt, t))
        rows["five jumps"].append(reverse(diffusion, xt, t, steps=5))
pictures = torch.cat([torch.cat(row) for row in rows.values()])
captions = [f"{name}, {t}" for name in rows for t in far]
gallery(((pictures + 1) / 2).clamp(0, 1), captions, columns=4)

# %% [markdown]
# With $t = 1000$ the model starts from noise alone, and draws images that nobody has photographed. Ours is a small one,
# half a million weights and somewhat more than an hour on one core, and it is no artist:

# %%
# Picture: eight images that the model has drawn from nothing: dim round or triangular
# shapes with red edges on a coloured ground; none can be read.
gallery(sample(diffusion, 8, steps=40, generator=seeded(5)), [""] * 8)

# %% [markdown]
# Round and triangular, with a red edge, and no sign. It will not have to invent signs, though. It shall take out a
# little noise. **DiffPure** (Nie et al., ICML 2022) is just that:
#
# 1. add noise up to $t$, so that the perturbation drowns in it;
# 2. go back to 0.
#
# `sl.DiffPure(diffusion, t, steps)` is this purifier, an image in $[0, 1]$ to one in $[0, 1]$, with its exact gradient.

# %% [markdown]
# ## The slider
#
# An image on its way into noise and back, and what `standard` makes of it. Choose a clean image, one whose attack
# stopped at its first success, or one whose attack went on. `Tab` goes from control to control, arrow keys move a
# slider.

# %%
from seminar_lib.widgets import DiffusionDemo

demo = DiffusionDemo(standard, diffusion, test[:12], data.classes)
demo

# %%
# Picture: the demo for an image whose attack went on to the end, at t = 50: attacked,
# noisy and purified image, six draws with the answer to each, and the probabilities of
# all classes for the first.
first_state = vars(demo.state)
for control, value in {"image": 4, "attack": 2, "t": 50}.items():
    demo.controls[control].value = value
still = demo.static()
for control, value in first_state.items():
    demo.controls[control].value = value
still

# %% [markdown]
# - Attack `stops at a success`: from which `t` on is the sign read correctly? From which on no longer?
# - The same with `to the end`. Is there a `t` at which most draws are right?
# - Attack `none`: what does the purifier cost an image that nobody has touched?
# - Do the six draws agree? Where do they not?
#
# ## How far?
#
# Before you run the next cell, draw three curves by hand, of the accuracy against $t$: clean, and under the two blind
# attacks. Where does each begin, where does each end, and where is the best place?

# %%
way = [0, 10, 25, 50, 75, 100, 150, 200]
kinds = {"clean": x, **attacked}
found = {kind: [] for kind in kinds}
torch.manual_seed(0)
for t in way:
    purifier = sl.DiffPure(diffusion, t, min(t, 3)) if t else torch.nn.Identity()
    for kind, images in kinds.items():
        found[kind].append(behind(purifier, images))

# %%
# Picture: three curves of accuracy against t with intervals. Clean begins at 100 % and
# falls; attacked to a success jumps from 0 to above 80 % and then falls with it;
# attacked to the end rises slowly from 0 to not quite one half at 75, and stays there.
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
styles = {
    "clean": (INK, "s-"),
    "to a success": (BLUE, "o--"),
    "to the end": (VERMILLION, "^-."),
}
for shift, (kind, line) in enumerate(found.items()):
    colour, style = styles[kind]
    height = [a.accuracy for a in line]
    ends = [[a.accuracy - a.low for a in line], [a.high - a.accuracy for a in line]]
    places = [t + shift - 1 for t in way]
    ax.errorbar(
        places,
        height,
        ends,
        fmt=style,
        color=colour,
        capsize=3,
        label=kind if kind == "clean" else f"attacked {kind}",
    )
ax.set(xlabel="t", ylabel="accuracy", ylim=(-0.03, 1.05), xticks=way)
ax.set_title(f"n = {len(x)}, one draw, 95 % intervals, blind attacks", fontsize="medium")
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
at = {
    t: {kind: line[place].accuracy for kind, line in found.items()}
    for place, t in enumerate(way)
}
print("t = 25 undoes most attacks that stopped:", at[25]["to a success"] > 0.7)
print("t = 25 undoes most attacks that went on:", at[25]["to the end"] > 0.5)
print("t = 100 costs less than a tenth of the clean images:", at[100]["clean"] > 0.9)

# %% [markdown]
# Noise that drowns a perturbation drowns fine detail, too. The authors take $t = 100$ for CIFAR-10, where a class is
# a large shape. Our signs differ in a digit or the tip of an arrow, and about a quarter of them
# cannot be read any more there; somewhere from 50 to 75 is as far as one would go.
#
# ## Through all of it
#
# Now the adversary who knows. The full gradient goes back through every step of the diffusion. That takes the memory of
# all steps at once, which few had: hence BPDA, or a gradient that only resembles it (the adjoint method of the
# authors). It can be had exactly, by computing each step again on the way back (`recompute=True`). With two jumps and
# 16 images we can just keep them all. We go as far as $t = 75$, where more of the blind attacks are undone than at 50:

# %%
pure = sl.DiffPure(diffusion, t=75, steps=2, recompute=False)
reports["DiffPure"] = sl.evaluate_purified(pure, standard, few, pgd, **few_looks)
reports["DiffPure"]

# %%
# Picture: bars for five rows, clean, blind, BPDA, full gradient and worst case, each by
# one draw, majority of 10 and worst of 10. The clean ones are high, the worst of 10 lower
# than the others; all attacked ones are low.
figure, ax = plt.subplots(figsize=(9, 3.8), layout="constrained")
reports["DiffPure"].plot(ax)
plt.show()

# %% tags=["nbval-check-output"]
clean, full = (reports["DiffPure"][row] for row in ("clean", "full gradient"))
for judged_by in ("one draw", "majority of 10"):
    fallen = full[judged_by].high < clean[judged_by].low
    print(f"{judged_by}: broken, intervals apart: {fallen}")

# %% [markdown]
# Eight steps, three looks for each gradient, 16 images: a small attack. It does not have to be larger. And the noise
# that makes DiffPure random is no protection: the adversary averages over it.
#
# Is there a way to help a network that is already robust? The same in front of `pgd_at`, next to `pgd_at` alone:

# %%
reports["DiffPure, pgd_at"] = sl.evaluate_purified(pure, robust, few, pgd, **few_looks)
alone = sl.evaluate_purified(purifiers["nothing"], robust, few, pgd, progress=False)
for row in ("clean", "blind", "BPDA", "full gradient", "worst case"):
    purified = reports["DiffPure, pgd_at"][row]["majority of 10"]
    print(f"{row:>13}: pgd_at {alone[row]['accuracy']}, behind DiffPure {purified}")

# %% tags=["nbval-check-output"]
purified = reports["DiffPure, pgd_at"]["worst case"]["majority of 10"]
better = purified.low > alone["worst case"]["accuracy"].high
print("in the worst case DiffPure adds robustness, intervals apart:", better)

# %% [markdown]
# Sixteen images cannot say whether it does harm. With 256 of them, 20 steps and 5 looks for each gradient, judged by
# the majority of ten draws:
#
# | accuracy behind `DiffPure(t=50)` | clean | blind | BPDA | full gradient | worst case |
# |---|---|---|---|---|---|
# | `signs/standard` | 93.8 % | 14.1 % | 9.0 % | 5.5 % | 5.5 % [3.3, 9.0] |
# | `signs/pgd_at` | 94.9 % | 63.7 % | 58.6 % | 51.6 % | 51.2 % [45.1, 57.2] |
#
# `pgd_at` alone keeps 62.5 % [56.4, 68.2]. The intervals touch, but these are the *same* 256 images, and can be
# compared one by one: 30 of them stand only without the purifier, one only with it. So it takes a part of the
# robustness that was there. It draws the signs anew, and `pgd_at` was trained on signs that nobody had drawn anew. Who
# attacks `pgd_at` alone does not notice (63.7 %). Who knows the purifier does.
#
# ## A denoiser without noise
#
# Why add noise at all, if the network can take it out? Leave the first step away, ask for one guess, and you have a
# **denoiser** (`sl.DiffusionDenoiser`; the classic one is a denoising autoencoder, `sl.load("signs/denoiser")`). It
# draws no random numbers, and it is differentiable:

# %%
denoiser = sl.DiffusionDenoiser(diffusion, sigma=0.1)
reports["denoiser"] = sl.evaluate_purified(denoiser, standard, few, pgd, progress=False)
reports["denoiser"]

# %% tags=["nbval-check-output"]
left = {
    row: reports["denoiser"][row]["accuracy"].accuracy
    for row in ("BPDA", "full gradient")
}
print("the full gradient leaves less than BPDA:", left["full gradient"] < left["BPDA"])

# %% [markdown]
# Look at the line of BPDA. Had we stopped there, this denoiser would be our best defence.
#
# The autoencoder fares no better. Measured in front of the same two networks of the signs (256 test images, PGD-20,
# 8/255), it leaves `standard` 17.2 % [13.1, 22.3] under BPDA and 4.3 % [2.4, 7.5] under the full gradient. And it takes
# from `pgd_at` half of what adversarial training gave: 31.2 % [25.9, 37.2] are left of 62.5 % [56.4, 68.2].
#
# (Denoisers do have a use, but with noise and a vote: lesson 9's certificate needs a network that reads noisy images,
# and a denoiser in front of *any* network makes one. Carlini et al., ICLR 2023.)
#
# ## How many draws?
#
# A random purifier is right about an image in some draws and wrong in others. Here is what ten draws say of each of the
# 16 clean images, and of the attacked ones:

# %%
# Picture: two grids of 16 columns, one for each image, and 10 rows, one for each draw:
# blue squares where the draw was right. Most columns of the clean grid are full, some
# have holes. Most columns of the attacked one hold crosses alone.
right = {
    row: reports["DiffPure"].answers[row] == few.y[:, None]
    for row in ("clean", "full gradient")
}
figure, axes = plt.subplots(2, 1, figsize=(8, 5), layout="constrained", sharex=True)
for ax, (row, draws) in zip(axes, right.items(), strict=True):
    image, draw = draws.nonzero(as_tuple=True)
    ax.scatter(image + 1, draw + 1, 60, marker="s", color=BLUE, label="right")
    image, draw = (~draws).nonzero(as_tuple=True)
    ax.scatter(image + 1, draw + 1, 30, marker="x", color=GREY, label="wrong")
    ax.set(title=row, ylabel="draw", xticks=range(1, 17), yticks=(1, 5, 10))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
axes[1].set_xlabel("image")
plt.show()

# %% [markdown]
# What is the accuracy? There are three answers, of three different worlds:
#
# - **one draw**: the image is purified once, and that is that. The first column of the table.
# - **majority of N**: the defender draws N times and lets them vote, at N times the cost. Right in more than half.
# - **worst of N**: the *adversary* may try N times, because a camera looks again, or a login may be repeated. Right in
#   every draw.
#
# **Exercise 10.3.** Compute all three from a table of draws.


# %% exercise="10.3"
def judged(right):
    """From right (images, draws), of bools, to three shares of images: one draw, majority, worst."""
    ### BEGIN SOLUTION: return the share of images that are right by the first draw, by most draws, by all draws
    one = right[:, 0].float().mean()
    majority = (right.float().mean(1) > 0.5).float().mean()
    worst = right.all(1).float().mean()
    return float(one), float(majority), float(worst)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# First a bool for each image, then its mean over the images. `right.all(1)` goes along the draws of each image;
# `.float().mean()` makes a share of bools. A tie is no majority.
#
# </details>

# %% check="10.3" points=2
purification.check_draws(judged)
### BEGIN HIDDEN TESTS
one, most, worst = judged(
    torch.tensor([[True, False, True], [False, False, True], [True, True, True]])
)
assert abs(one - 2 / 3) < 1e-6
assert abs(most - 2 / 3) < 1e-6
assert abs(worst - 1 / 3) < 1e-6
### END HIDDEN TESTS

# %% [markdown]
# The worst of N falls with N: even of the *clean* images, DiffPure gets fewer right in all of ten draws than in one. A
# claim without its N says nothing.
#
# ## What became of DiffPure
#
# DiffPure was published with 70.6 % robust accuracy on CIFAR-10 (Linf 8/255, WideResNet-28-10). The same purifier and
# the same network since then, as Kassis et al. (2024) list and measure it:
#
# | who measured, and how | clean | robust |
# |---|---|---|
# | Nie et al., 2022: AutoAttack, gradients by the adjoint method | 89.0 % | 70.6 % |
# | Liu et al.: full gradient, one draw | 89.3 % | 62.1 % |
# | Lee and Kim, 2023: gradients of a shorter way back, PGD with EOT | 90.1 % | 48.3 % |
# | Kang et al., 2023, DiffAttack | 89.0 % | 46.9 % |
# | Kassis et al., 2024: exact gradient, one draw, only 10 steps | 89.5 % | 48.1 % |
# | the same, all of 20 draws | 89.5 % | 30.9 % |
#
# And with WideResNet-70-16 and 100 steps of the exact gradient (Kassis et al., tables 1 and 6): one draw 35.2 %,
# majority of 10 39.5 %, worst of 10 17.2 %. BPDA alone leaves 72.3 % by the majority.
#
# Nobody cheated. The gradient was hard to compute, so another was taken; one draw was the natural thing to measure.
# Each of these choices erred to the same side, and together they are worth about 40 points.
#
# **Exercise 10.4.** Look again at the two tables with 256 images. Which of these hold? Return their letters.
#
# - a: JPEG in front of `standard` is robust against an adversary who knows it: the full gradient leaves 98.8 %.
# - b: Of several adversaries inside the same ball, the one who leaves least is to be believed.
# - c: A purifier can be kept secret, so in practice *blind* is the column that counts.
# - d: On the same draws, the worst of 10 is never higher than the majority of 10.
# - e: The interval of 11.7 %, [8.3 %, 16.2 %], says how far a stronger attack could bring it down.
# - f: No purifier in front of `pgd_at` keeps more in the worst case than `pgd_at` keeps alone.
# - g: It is unfair to judge a purifier by the worst of 10, because it answers once.


# %% exercise="10.4"
def what_holds():
    """The letters of the statements that hold, such as "ac"."""
    ### BEGIN SOLUTION: return the letters
    return "bdf"
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Which way can a better attack move a number, and which way can it not? Who decides how often an image is sent?
#
# </details>

# %% check="10.4"
purification.check_reading(what_holds)

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("10_purification")

# %% [markdown]
# ## Summary
#
# - A purifier cleans an image before it is read. Most undo an attack that has just succeeded, and little else.
# - A blind adversary who goes on to the end needs no knowledge to break most of them.
# - Where there is no slope, BPDA goes around; where there is one, the full gradient goes through; against chance, both
#   average over draws. Neither is always stronger. The lowest number counts.
# - A diffusion model drowns the perturbation in noise and draws the image anew. How far to go is a compromise: what
#   drowns the attack drowns the fine detail.
# - One draw, majority of N and worst of N are three different claims.
#
# **Discussion: what would convince you?** A start-up sells a purifier based on a diffusion model of a hundred steps.
# "Nobody has ever computed its gradient, it needs 80 GB of memory; AutoAttack on the network alone leaves 93 % behind
# it." Which experiments do you ask for, in which order, and what does each cost? How many draws, and who pays for them?
# Could a purifier be robust at all: what would it have to know that a classifier does not?
#
# **References**
#
# - W. Nie, B. Guo, Y. Huang, C. Xiao, A. Vahdat, A. Anandkumar: [Diffusion Models for Adversarial
#   Purification](https://arxiv.org/abs/2205.07460), ICML 2022.
# - A. Kassis, U. Hengartner, Y. Yu: [DiffBreak: Is Diffusion-Based Purification
#   Robust?](https://arxiv.org/abs/2411.16598), 2024.
# - M. Lee, D. Kim: [Robust Evaluation of Diffusion-Based Adversarial
#   Purification](https://arxiv.org/abs/2303.09051), ICCV 2023.
# - M. Kang, D. Song, B. Li: [DiffAttack: Evasion Attacks Against Diffusion-Based Adversarial
#   Purification](https://arxiv.org/abs/2311.16124), NeurIPS 2023.
# - A. Athalye, N. Carlini, D. Wagner: [Obfuscated Gradients Give a False Sense of
#   Security](https://arxiv.org/abs/1802.00420), ICML 2018.
# - J. Ho, A. Jain, P. Abbeel: [Denoising Diffusion Probabilistic Models](https://arxiv.org/abs/2006.11239), NeurIPS
#   2020.
# - J. Song, C. Meng, S. Ermon: [Denoising Diffusion Implicit Models](https://arxiv.org/abs/2010.02502), ICLR 2021.
# - N. Carlini, F. Tramèr, K. Dvijotham, L. Rice, M. Sun, J. Z. Kolter: [(Certified!!) Adversarial Robustness for
#   Free!](https://arxiv.org/abs/2206.10550), ICLR 2023.
# - C. Guo, M. Rana, M. Cissé, L. van der Maaten: [Countering Adversarial Images using Input
#   Transformations](https://arxiv.org/abs/1711.00117), ICLR 2018.
# - C. Xie, J. Wang, Z. Zhang, Z. Ren, A. Yuille: [Mitigating Adversarial Effects Through
#   Randomization](https://arxiv.org/abs/1711.01991), ICLR 2018.
# - W. Xu, D. Evans, Y. Qi: [Feature Squeezing](https://arxiv.org/abs/1704.01155), NDSS 2018.
# - G. Dziugaite, Z. Ghahramani, D. Roy: [A study of the effect of JPG compression on adversarial
#   images](https://arxiv.org/abs/1608.00853), 2016.

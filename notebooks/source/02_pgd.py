# %% [markdown]
# # 2. PGD and threat models: many steps, other balls
#
# Reading 25 min, coding 40 min, discussion 20 min.
#
# - say which images the Linf, L2 and L1 balls allow, and project onto them
# - write Projected Gradient Descent by hand: random start, step, projection, best image kept
# - choose steps, step size and restarts with the help of curves, and name the curve that must fall to zero
# - find the nearest mistake of a network, and read its accuracy at every radius off one run
#
# Madry, Makelov, Schmidt, Tsipras and Vladu, *Towards Deep Learning Models Resistant to Adversarial Attacks*, ICLR
# 2018.

# %%
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib.exercises import pgd
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION

data = sl.load_data()
networks = {name: sl.load(f"{data.name}/{name}")[0] for name in ("standard", "pgd_at")}
standard, robust = networks["standard"], networks["pgd_at"]
test = data.test.sample(100)
x, y = test.x, test.y
eps = 8 / 255
styles = {"standard": ("o-", BLUE), "pgd_at": ("s-", VERMILLION)}


def draw(ax, at, accuracies, name):
    """One network's accuracies with their intervals as a band."""
    style, colour = styles[name]
    ax.plot(at, [a.accuracy for a in accuracies], style, color=colour, label=name)
    lows, highs = [a.low for a in accuracies], [a.high for a in accuracies]
    ax.fill_between(at, lows, highs, color=colour, alpha=0.2)


# %% [markdown]
# `standard` was trained on clean images, `pgd_at` on attacked ones (lesson 4). Both were given the same signs.
#
# ## What may the adversary do?
#
# A *threat model* is the set of images that the adversary may choose from. We measure how far an image is from the
# clean one, and allow everything up to a radius $\epsilon$. There are several ways to measure a perturbation $\delta$:
#
# | norm | length of $\delta$ | what a budget buys |
# |---|---|---|
# | $L_\infty$ | $\max_i \lvert \delta_i \rvert$ | every pixel value may change a little, all of them at once |
# | $L_2$ | $\sqrt{\sum_i \delta_i^2}$ | much change in a few places, or little change in many |
# | $L_1$ | $\sum_i \lvert \delta_i \rvert$ | any amount per pixel value, but few of them: the budget is soon spent |
#
# An attack asks the same two questions of each ball. Which **direction** climbs fastest for its length? And which image
# of the ball is the **nearest** to one outside? The first is the step, the second the projection.

# %%
# Picture: the three unit balls in two dimensions: a square, a circle and a diamond. For
# one and the same gradient the steepest direction is a corner of the square, the
# gradient itself in the circle, and a single axis in the diamond. A point outside is
# pulled to another nearest point in each.
gradient = torch.tensor([2.0, 1.0])
outside = torch.tensor([-0.7, 1.6])
circle = torch.linspace(0, 2 * torch.pi, 200)
balls = {
    "Linf: each value by itself": (
        torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]),
        gradient.sign(),
        outside.clamp(-1, 1),
    ),
    "L2: the gradient, shortened": (
        torch.stack([circle.cos(), circle.sin()], 1),
        gradient / gradient.norm(),
        outside / outside.norm(),
    ),
    "L1: the steepest value alone": (
        torch.tensor([[0, -1], [1, 0], [0, 1], [-1, 0], [0, -1]]),
        torch.tensor([1.0, 0.0]),
        # Both values come nearer to 0 by the same amount, until they add up to 1.
        torch.tensor([-0.05, 0.95]),
    ),
}
figure, axes = plt.subplots(1, 3, figsize=(9, 3.6), layout="constrained")
for ax, (title, (edge, steepest, nearest)) in zip(axes, balls.items(), strict=True):
    ax.fill(*edge.T, color="#EEEEEE")
    ax.plot(*edge.T, color=INK)
    ax.annotate(
        "", 0.6 * gradient, (0, 0), arrowprops={"arrowstyle": "->", "color": GREY}
    )
    ax.text(1.15, 0.35, "gradient", color=GREY)
    ax.plot(*steepest, "*", color=VERMILLION, markersize=14, label="steepest direction")
    ax.annotate("", nearest, outside, arrowprops={"arrowstyle": "->", "color": BLUE})
    ax.plot(*outside, "s", color=BLUE, label="outside")
    ax.plot(*nearest, "o", color=BLUE, label="its projection")
    ax.set(
        title=title,
        xlim=(-1.6, 1.9),
        ylim=(-1.3, 1.9),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=3)
plt.show()

# %% [markdown]
# On images the three look quite different. Below, one sign is attacked in each ball, by APGD: PGD that finds its own
# step size (lesson 3). The radii are numbers of different kinds, so each perturbation is measured in all three norms;
# the frame marks the length that its ball limits.

# %%
from seminar_lib.widgets import ThreatsDemo

clearest = x.std((1, 2, 3)).argsort(descending=True)
threats = ThreatsDemo(robust, test[clearest[3:43]], data.classes)
threats

# %%
# Picture: one sign attacked in three balls, with the perturbations below. That of Linf
# covers the whole image, that of L2 gathers on the sign, that of L1 changes a few dots
# strongly, and it alone fools the network. A table gives their lengths.
threats.static()

# %% [markdown]
# Choose the radii yourself. At which radii of $L_2$ and $L_1$ do you notice a perturbation as much as that of
# $L_\infty$? In which ball does the network fall first? Put `standard` in the place of `robust` and compare.

# %% [markdown]
# In $L_1$ the steepest direction is a single value. Plain PGD takes it literally and moves one value a step: however
# large the budget is, 20 steps move 20 of 3072 values, besides the faint noise of the start. APGD takes wider steps
# there: many values at once, and fewer of them as the walk goes on (Croce and Hein, *Mind the box*, ICML 2021). The
# direction that is best for a *linear* loss need not be the best step on a loss that bends.

# %%
in_l1 = {
    "PGD-20": sl.PGD(sl.L1(12.0), steps=20),
    "APGD-20": sl.APGD(sl.L1(12.0), steps=20),
}
sparse = sl.evaluate(robust, test, in_l1, progress=False)
sparse

# %% tags=["nbval-check-output"]
print("in L1, APGD beats PGD:", sparse["APGD-20"].high < sparse["PGD-20"].low)

# %% [markdown]
# How large is a ball? In many dimensions our intuition fails. The corner of the $L_\infty$ ball is where FGSM goes.

# %% tags=["nbval-check-output"]
values = x[0].numel()
print(f"{values} values a picture")
print(
    f"a corner of the Linf ball of 8/255: L2 {eps * values**0.5:.2f}, L1 {eps * values:.0f}"
)
print(
    f"an L2 ball of 0.5: one value by {255 * 0.5:.0f}/255, or all by {255 * 0.5 / values**0.5:.1f}/255"
)

# %% [markdown]
# So a network that withstands $L_2$ perturbations of 0.5 has been tested against changes of 2.3 grey levels if they are
# spread evenly. It may be weak in another ball: `pgd_at` was trained in that of $L_\infty$, and has just lost most of
# its accuracy in $L_1$. And no ball tells of rain, rotation or a sticker. Robustness without its threat model is not a
# claim.
#
# **Exercise 2.1.** Write the projection: the nearest image in the ball around `x`, and in [0, 1]. `norm` is `"Linf"` or
# `"L2"`.


# %% exercise="2.1"
def my_project(x_adv, x, eps, norm):
    """x_adv pulled back to within eps of x, image by image, and into [0, 1]."""
    ### BEGIN SOLUTION: return x plus a perturbation that is small enough, and clip to [0, 1]
    delta = x_adv - x
    if norm == "Linf":
        delta = delta.clamp(-eps, eps)
    else:
        length = delta.flatten(1).norm(dim=1)[:, None, None, None]
        delta = delta * (eps / length.clamp_min(1e-12)).clamp(max=1)
    return (x + delta).clamp(0, 1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Work on `delta = x_adv - x`. In $L_\infty$ each value is on its own: `clamp`. In $L_2$ a perturbation that is too long
# is multiplied by eps / length, and one that is short enough by 1: `(eps / length).clamp(max=1)`. The length is that of
# one image, never of the batch: `delta.flatten(1).norm(dim=1)`, and `[:, None, None, None]` makes it fit again.
#
# Does clipping to [0, 1] lead out of the ball again? No: `x` lies in the box, so clipping moves every value towards it.
#
# </details>

# %% check="2.1" points=2
pgd.check_projection(my_project)

# %% [markdown]
# The library's balls have both verbs: `sl.Linf(eps).steepest(grad)` and `sl.Linf(eps).project(x_adv, x)`. In $L_2$ ball
# and box one after the other give an image that is allowed, though not always the very nearest; attacks do not mind.
#
# ## From one step to many
#
# FGSM follows the slope at $x$ to the end of the ball. Lesson 1 has shown that this slope is out of date after a few
# grey levels. Projected Gradient Descent (for an adversary: ascent) takes shorter steps, asks for the slope again after
# each, and whenever it has left the ball goes back to the nearest image inside:
#
# $$x_{t+1} = \Pi_{x, \epsilon} \bigl( x_t + \alpha \, \operatorname{sign} \nabla_x L(f(x_t), y) \bigr) .$$
#
# Three details decide whether it is a good judge:
#
# - **random start**: at $x$ itself the slope may be flat or misleading, and several starts give several chances;
# - **projection around the clean image** after *every* step: otherwise the adversary wanders off;
# - **the best image of the walk** is kept, for each image on its own: with finite steps the last one may be worse.
#
# You are given the loss of each image and its gradient.


# %%
def loss_and_gradient(model, x, y):
    """The cross-entropy of each image, (B,), and its gradient with respect to the image, (B, C, H, W)."""
    x = x.detach().clone().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="none")
    return loss.detach(), torch.autograd.grad(loss.sum(), x)[0]


# %% [markdown]
# **Exercise 2.2.** Write PGD in the $L_\infty$ ball. `sl.Linf(eps).project(x_adv, x)` does the projection.


# %% exercise="2.2"
def my_pgd(model, x, y, eps, step_size, steps):
    """For each image the one with the highest loss on a walk of `steps` steps from a random start."""
    ball = sl.Linf(eps)
    ### BEGIN SOLUTION: start at random, take the steps, project after each, and return the best image of the walk
    x_adv = ball.project(x + eps * (2 * torch.rand_like(x) - 1), x)
    best, highest = x.clone(), torch.full((len(x),), -torch.inf)
    for _ in range(steps + 1):
        loss, grad = loss_and_gradient(model, x_adv, y)
        better = loss > highest
        best[better], highest[better] = x_adv[better], loss[better]
        x_adv = ball.project(x_adv + step_size * grad.sign(), x)
    return best
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.rand_like(x)` is uniform in [0, 1]; you need noise in [-eps, eps]. Hold `best` (images) and `highest` (a loss
# for each image, at first `-torch.inf`). In the loop: look at the loss, note where it is `better`, then move.
#
# After the last step there is one more image to look at.
#
# </details>

# %% check="2.2" points=3
pgd.check(my_pgd)
### BEGIN HIDDEN TESTS
found = my_pgd(standard, x[:64], y[:64], 4 / 255, 1 / 255, 10)
assert sl.Linf(4 / 255).contains(found, x[:64]).all()
assert (standard(found).argmax(1) == y[:64]).sum() < (
    standard(sl.FGSM(sl.Linf(4 / 255))(standard, x[:64], y[:64])).argmax(1) == y[:64]
).sum()
### END HIDDEN TESTS

# %% [markdown]
# The library's version is `sl.PGD(sl.Linf(eps), steps=10, step_size=2 / 255)`. Open `seminar_lib/attacks/pgd.py`: it is
# your loop, for any ball, and it spends no time on images that are fooled already.
#
# ## A walk over the loss
#
# What does the adversary see on the way? The map below is a cut through the ball along two directions: that in which
# FGSM goes, and that in which PGD ends up elsewhere. Its height is the margin (the best wrong logit minus the right
# one), and the thick line is the boundary, where the margin is zero. The first signs are some that FGSM leaves standing
# and PGD does not.

# %%
from seminar_lib.widgets import TrajectoryDemo

ball = sl.Linf(eps)
with_fgsm = sl.FGSM(ball, stop_when_fooled=False)(robust, x, y)
walker = sl.PGD(
    ball, steps=20, step_size=2 / 255, random_start=False, stop_when_fooled=False
)
with_pgd = walker(robust, x, y)
stands = robust(with_fgsm).argmax(1) == y
first = (stands * sl.margin(robust(with_pgd), y)).argsort(descending=True)[:40]
demo = TrajectoryDemo(robust, test[first], data.classes)
demo

# %%
# Picture: what the demo shows at first: FGSM goes straight to a corner of the ball and
# stays on the right side of the boundary; the walk of PGD bends away and comes to the
# other side. Beside it the attacked sign, the network's answer, and the margin, step by
# step.
demo.static()

# %% [markdown]
# Walk along with the arrow keys. Then try:
#
# - Step size 8/255, from the clean image. Where does the first step lead, and why?
# - Step size 0.25/255. How far does the walk come in 20 steps? Step size 32/255?
# - Other starts. Does the walk end with the same margin, and with the same answer?
# - A larger eps. From where on does FGSM cross the boundary too?
#
# The map is flat and the ball has 3072 dimensions: most images of a walk lie beside the plane and are drawn where they
# fall onto it. Pictures of loss surfaces are illustrations, not evidence. Evidence is the loss at the images
# themselves.

# %% tags=["nbval-check-output"]
levels = {
    name: sl.cross_entropy(robust(images), y).mean()
    for name, images in {"clean": x, "FGSM": with_fgsm, "PGD": with_pgd}.items()
}
print(
    "mean loss rises from clean to FGSM to PGD:",
    bool(levels["clean"] < levels["FGSM"] < levels["PGD"]),
)
print(f"and PGD went no further: {255 * ball.norm(with_pgd - x).max():.1f}/255")

# %% [markdown]
# ## How many steps?
#
# With 2.5 eps / steps as the step size (Madry et al.'s rule, and the library's default), more steps mean shorter ones.

# %%
# Picture: accuracy against the number of steps, from 1 to 20, for two networks. Both
# curves fall at first and are flat from 10 steps on, the standard network's near zero.
counts = (1, 2, 5, 10, 20)
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
after = {}
for name, network in networks.items():
    walks = {f"{steps}": sl.PGD(ball, steps=steps) for steps in counts}
    after[name] = sl.evaluate(network, test, walks, progress=False)
    draw(ax, counts, [after[name][f"{steps}"] for steps in counts], name)
ax.set(
    xscale="log",
    xticks=counts,
    xticklabels=counts,
    ylim=(0, 1),
    xlabel="steps",
    ylabel="accuracy",
)
ax.set_title(f"PGD at 8/255, n = {len(test)}, bands: 95 % intervals", fontsize="medium")
ax.legend()
plt.show()

# %% [markdown]
# The curve of `pgd_at` flattens *above* zero, that of `standard` at zero. Flattening says that more of the same effort
# finds nothing more. It does not say that there is nothing to find: a network that hides its gradients has a flat curve
# too (lesson 12).
#
# ## How long is a step?
#
# Before you measure, predict. **Exercise 2.3.** A walk of `steps` steps starts somewhere in the $L_\infty$ ball and may
# have to go to any other point of it. How long must its steps be at least?


# %% exercise="2.3"
def smallest_step(eps, steps):
    """The shortest step size with which a walk can get from any point of the ball to any other."""
    ### BEGIN SOLUTION: return the length of a step
    return 2 * eps / steps
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# In $L_\infty$ every value walks on its own, in an interval. How long is it?
#
# </details>

# %% check="2.3"
pgd.check_stride(smallest_step)

# %% [markdown]
# Now mark on paper where you expect the accuracy to be lowest, for 10 steps and eps = 8/255. Then measure.

# %%
# Picture: accuracy against the step size on a logarithmic axis, for two networks and 10
# steps. Steps of a quarter of a grey level leave most of the accuracy; the curves are
# lowest between 2 and 8 levels and rise again a little beyond.
sizes = (0.25, 0.5, 1, 2, 4, 8, 16)
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
with_step = {}
for name, network in networks.items():
    walks = {f"{size}": sl.PGD(ball, steps=10, step_size=size / 255) for size in sizes}
    with_step[name] = sl.evaluate(network, test, walks, progress=False)
    draw(ax, sizes, [with_step[name][f"{size}"] for size in sizes], name)
ax.axvline(2 * 8 / 10, color="grey", linestyle=":", label="2 eps / steps")
ax.set(xscale="log", xticks=sizes, xticklabels=sizes, ylim=(0, 1))
ax.set(xlabel="step size in 1/255", ylabel="accuracy")
ax.set_title(
    f"PGD-10 at 8/255, n = {len(test)}, bands: 95 % intervals", fontsize="medium"
)
ax.legend(loc=(0.66, 0.14))
plt.show()

# %% tags=["nbval-check-output"]
for name, report in with_step.items():
    too_good = report["0.25"].accuracy - report["2"].accuracy
    print(
        f"{name}: steps of 0.25/255 instead of 2/255 make it look better by 20 points or more:",
        too_good > 0.2,
    )

# %% [markdown]
# A step that is too short cannot cross the ball: 10 steps of 0.25/255 end at most 2.5 grey levels from where the random
# start has put them. A step that is too long jumps from side to side. In between lies a wide range where little
# changes; the library's default, 2.5 eps / steps, falls into it. A short step is the cheapest way to make a network
# look robust, by mistake or not. Lesson 3 meets APGD, which chooses the step by itself.
#
# ## One long walk or several short ones?
#
# A gradient costs the same wherever you ask for it. How do you spend 20 of them?

# %%
plans = {"20 x 1": (20, 1), "10 x 2": (10, 2), "4 x 5": (4, 5)}
walks = {
    name: sl.PGD(ball, steps=steps, restarts=restarts)
    for name, (steps, restarts) in plans.items()
}
spent_on = sl.evaluate(robust, test, walks, progress=False)
for name in plans:
    print(f"steps x restarts = {name:>6}: {spent_on[name]}")
print(f"whatever plan broke it:      {spent_on['worst case']}")

# %% [markdown]
# On this network it matters little: its loss is so smooth that most walks end alike. Madry et al. saw the same, and
# took it as a sign that PGD finds what there is to find by following gradients. Where restarts *do* help much, the
# surface is rough: a reason for suspicion. Note the last line: an image counts as robust only if it survives *all*
# plans.
#
# ## How large is the ball?
#
# And one curve that every evaluation should hold: accuracy against eps, until the end.

# %%
# Picture: accuracy against eps for two networks on a logarithmic axis, up to eps 1,
# where a ball holds every image. Both fall to zero, the standard one within 8 grey
# levels, pgd_at before 64.
radii = [level / 255 for level in (0, 1, 2, 4, 8, 16, 32, 64, 255)]
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
curves = {}
for name, network in networks.items():
    curves[name] = sl.accuracy_against_eps(network, test, sl.PGD(), radii, progress=False)
    draw(ax, [255 * radius for radius in radii], curves[name].accuracy, name)
ax.set_xscale("symlog", linthresh=1)
ticks = [0, 1, 2, 4, 8, 16, 32, 64, 255]
ax.set(xlim=(-0.1, 300), xticks=ticks, xticklabels=ticks, ylim=(0, 1.02))
ax.set(xlabel="eps in 1/255", ylabel="accuracy")
ax.set_title(f"PGD-10, n = {len(test)}, bands: 95 % intervals", fontsize="medium")
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
for name, curve in curves.items():
    print(f"{name}: right answers left at eps = 1: {curve.accuracy[-1].accuracy:.0%}")

# %% [markdown]
# At eps = 1 the adversary may replace the image by any other, by plain grey or by a sign of another class. If an
# accuracy stays above guessing there, the network is not strong: the attack is broken, or the gradients are.
#
# ## How near is the nearest mistake?
#
# So far we fixed the radius and asked who falls. The other question: for each image, what is the *smallest* radius at
# which it falls? DeepFool (Moosavi-Dezfooli et al., CVPR 2016) answers it for a linear network exactly, and for others
# step by step. Let $g_j = z_j - z_y$ be the gap to class $j$, negative as long as the right class leads, with gradient
# $w_j = \nabla_x g_j$. If the network were linear, a perturbation $\delta$ would reach the boundary where
#
# $$g_j + w_j \cdot \delta = 0 .$$
#
# Of all such $\delta$ the one with the smallest $L_\infty$ norm moves every value by the same amount, and its size is
# the gap over the *dual* norm of the slope:
#
# $$d_j = \frac{\lvert g_j \rvert}{\lVert w_j \rVert_1} .$$
#
# In $L_2$ the distance is $\lvert g_j \rvert / \lVert w_j \rVert_2$, along $w_j$ itself. In $L_1$ it is
# $\lvert g_j \rvert / \lVert w_j \rVert_\infty$, in a single value. The nearest boundary is the one with the smallest
# $d_j$, which need not be that of the class with the narrowest gap.
#
# **Exercise 2.4.** Write one step of DeepFool.


# %% exercise="2.4"
def to_the_boundary(gaps, grads):
    """The smallest Linf perturbation of each image (B, C, H, W) that reaches the nearest linearised boundary.

    gaps: (B, K), negative, to each of K wrong classes; grads: (B, K, C, H, W), their gradients.
    """
    ### BEGIN SOLUTION: return, for each image, the step to the class whose boundary is the nearest
    distance = -gaps / grads.abs().sum(dim=(2, 3, 4))
    nearest = distance.argmin(dim=1)
    rows = torch.arange(len(gaps))
    return distance[rows, nearest][:, None, None, None] * grads[rows, nearest].sign()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# First the distances, (B, K). Then `distance.argmin(1)`. With `rows = torch.arange(len(gaps))`, `grads[rows, nearest]`
# picks one gradient for each image. In which direction does every value move, and by how much?
#
# </details>

# %% check="2.4" points=2
pgd.check_step(to_the_boundary)

# %% [markdown]
# A network is not linear, so after one step the image is near the boundary, not on it. DeepFool repeats the step until
# the answer changes. Open `seminar_lib/attacks/deepfool.py`: its `_step` is yours, for any ball. Such an attack has no
# radius; instead of a verdict it gives each image a distance.

# %%
deepfool = sl.DeepFool(sl.Linf())
distances = {
    name: deepfool.nearest(network, x, y).distance for name, network in networks.items()
}
for name, distance in distances.items():
    median = 255 * distance.median()
    print(f"{name:>9}: half of the images are nearer than {median:.1f}/255 to a mistake")

# %% tags=["nbval-check-output"]
medians = {name: distance.median() for name, distance in distances.items()}
print(
    "pgd_at is 3 times as far away or more:",
    bool(medians["pgd_at"] > 3 * medians["standard"]),
)

# %% [markdown]
# An image that is misread at a distance $d$ is misread at every radius from $d$ on. So the share of images with $d >
# \epsilon$ is an accuracy under attack, for *every* eps at once and from one run. How does it compare with PGD, which
# had to be run anew for each radius?

# %%
# Picture: accuracy at every radius from the distances of one DeepFool run, as a
# staircase, with PGD's accuracies at single radii as points on or below it, for two
# networks.
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
at = torch.linspace(0, 32 / 255, 257)
for name, distance in distances.items():
    (marker, _), colour = styles[name]
    share = (distance[:, None] > at).float().mean(0)
    ax.step(
        255 * at, share, where="post", color=colour, label=f"{name}: DeepFool, one run"
    )
    points = [a.accuracy for a in curves[name].accuracy[:7]]
    ax.plot(ticks[:7], points, marker, color=colour, label=f"{name}: PGD at each eps")
ax.set(xlabel="eps in 1/255", ylabel="accuracy", ylim=(0, 1.02))
ax.set_title(f"n = {len(test)}", fontsize="medium")
ax.legend()
plt.show()

# %% [markdown]
# Both are *upper bounds* of the true robust accuracy: each shows images that fall, none proves that the others cannot.
# So where two attacks disagree, the lower curve is right. DeepFool is quick and follows a linear picture of the
# network; where the surface bends, it stops at a boundary that is not the nearest. Carlini and Wagner (S&P 2017) search
# for the smallest $L_2$ perturbation by minimising $\lVert \delta \rVert_2^2 + c \cdot \max(-\text{margin}, 0)$; FMN
# (Pintor et al., NeurIPS 2021) walks along the boundary while it shrinks the radius.
#
# Which question is yours? *Does it hold within eps?*: a fixed radius, PGD. *How much margin does each image have?*:
# a minimum-norm attack.

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("02_pgd")

# %% [markdown]
# ## Summary
#
# - A threat model is a ball and the box. Its two verbs are the steepest direction and the projection.
# - PGD is FGSM in short steps with fresh gradients, from a random start, pulled back each time, the best image kept.
# - Steps, step size and restarts are the judge's effort. Draw the curves: they must be flat where you stop.
# - Accuracy must fall to zero as eps grows to 1. If it does not, mistrust the attack or the gradients.
# - A minimum-norm attack gives each image its own distance, and the accuracy at every radius in one run.
# - Every attack gives an upper bound. The lowest curve counts.
#
# **Discussion: what would convince you?** A paper reports 62 % accuracy "under PGD at 8/255" and nothing else. Which
# four settings do you ask for? Its curve against the steps is flat from 2 steps on, and at eps = 64/255 the accuracy is
# still 55 %. What do you conclude, and what would you run next?
#
# **References**
#
# - A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu: [Towards Deep Learning Models Resistant to Adversarial
#   Attacks](https://arxiv.org/abs/1706.06083), ICLR 2018.
# - S.-M. Moosavi-Dezfooli, A. Fawzi, P. Frossard: [DeepFool](https://arxiv.org/abs/1511.04599), CVPR 2016.
# - N. Carlini, D. Wagner: [Towards Evaluating the Robustness of Neural Networks](https://arxiv.org/abs/1608.04644), S&P
#   2017.
# - M. Pintor, F. Roli, W. Brendel, B. Biggio: [Fast Minimum-norm Adversarial Attacks through Adaptive Norm
#   Constraints](https://arxiv.org/abs/2102.12827), NeurIPS 2021.
# - N. Carlini et al.: [On Evaluating Adversarial Robustness](https://arxiv.org/abs/1902.06705), 2019.

# %% [markdown]
# # 0. Set-up check
#
# Reading 5 min, coding 5 min, discussion 5 min.
#
# - know that this machine runs the seminar, and which parts will be slow here
# - know the data and the networks that every lesson uses
# - write a first answer and let its check judge it
#
# Choose *Run > Run All Cells*. Everything below runs without the internet, in about a minute the first time and in
# seconds after that. When a cell fails, its last line says what to do.

# %% [markdown]
# ## This machine

# %%
import platform

import matplotlib.pyplot as plt
import torch

import seminar_lib as sl
from seminar_lib.device import best_device, describe

device = best_device()
print(f"Python {platform.python_version()}, PyTorch {torch.__version__}")
print(f"computing on: {describe(device)}")

# %% [markdown]
# ## The data
#
# The seminar's own data set is `signs`: pictures of sixteen road signs, 32 by 32 pixels, made by a program. A car
# that reads such a sign wrongly may do harm, and the signs are alike on purpose: 30, 50 and 80 differ in one digit.
#
# The images are rendered the first time you ask for them and kept in a cache; nothing is downloaded. To run the
# lessons on CIFAR-10 instead, set the environment variable `SEMINAR_DATASET=cifar10` before you start Jupyter.

# %%
data = sl.load_data()
test = data.test

# %% tags=["nbval-check-output"]
print(f"{data.name}: {len(data.classes)} classes, {len(test)} test images")
print(f"one image: {tuple(test.x[0].shape)}")
print(f"pixels from {test.x.min():.0f} to {test.x.max():.0f}")

# %%
# Picture: two pictures of each class of road sign, some in bright sun, some in haze
# or at dusk.
from seminar_lib.plots import gallery

order = test.y.argsort(stable=True).view(len(data.classes), -1)  # a row for each class
some = order[:, :2].flatten()
gallery(test.x[some], [data.classes[label] for label in test.y[some]], columns=8)

# %% [markdown]
# Pixels are numbers in [0, 1] everywhere in this seminar. The networks normalise by themselves, in their first layer.
# Whoever normalises outside measures the size of an attack in units that nobody else uses: a very common mistake.

# %% [markdown]
# ## The networks
#
# Trained weights come with the seminar, each with a card that says how they were made and what they measured. Two of
# them on 500 test images:

# %% tags=["nbval-check-output"]
print(sl.shipped())

# %%
# Picture: accuracy of two networks, clean and under FGSM: the standard one falls, the
# robust one falls less.
attack = {"FGSM 8/255": sl.FGSM(sl.Linf(8 / 255))}
sample = test.sample(500).to(device)
figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
reports = {}
for ax, name in zip(axes, ["standard", "pgd_at"], strict=True):
    model, card = sl.load(f"{data.name}/{name}", device)
    reports[name] = sl.evaluate(model, sample, attack)
    reports[name].plot(ax)
    ax.set_title(f"{data.name}/{name}, n = {len(sample)}")
plt.show()

# %% tags=["nbval-check-output"]
for name, report in reports.items():
    print(f"{name}: more than 90 % right on clean images:", report["clean"].low > 0.9)

# %% [markdown]
# What the cards say of the same networks on all test images, under an attack of twenty steps, which you will meet in
# lesson 2:

# %%
for name in reports:
    card = sl.load(f"{data.name}/{name}")[1]
    figures = card["test"]["best"]
    pgd = figures["attacks"]["pgd20"]
    clean = figures["clean"]
    print(f"{name}, n = {figures['n']}:")
    print(f"    clean {clean['accuracy']:.1%}, PGD-20 {pgd['accuracy']:.1%}")
    print(f"    trained in {card['training']['seconds']} s; again: {card['reproduce']}")

# %% [markdown]
# ## What will be slow here
#
# One pass of the small network over a batch of images, forwards and backwards, is the unit of all costs. An attack of
# 20 steps on 2000 images takes about 20 such passes over 2000 images, fewer where images fall early. Searching and
# training compute in bfloat16, which recent CPUs and GPUs do faster; verdicts are always taken in float32.

# %%
import time

model, _ = sl.load(f"{data.name}/standard", device)
batch = test[:256].to(device)
sl.FGSM()(model, batch.x, batch.y)  # the first call also pays for start-up costs
start = time.perf_counter()
sl.PGD(steps=10, stop_when_fooled=False, bf16=True)(model, batch.x, batch.y)
if device.type == "cuda":
    torch.cuda.synchronize()
per_image = (time.perf_counter() - start) / 256 / 10

passes = {
    "PGD-20 on 2000 test images": 20 * 2000,
    "one epoch of standard training": 3 * 12_000,
    "one epoch of adversarial training (PGD-5)": 8 * 12_000,
}
for what, images in passes.items():
    print(f"{what}: about {images * per_image:.0f} s")

# %% [markdown]
# ## Your first exercise
#
# Exercises look like the next cell: a function with a gap. Below each is a cell that checks your answer and says in a
# sentence what is wrong, if anything is. You may run it as often as you like.
#
# **Exercise 0.1.** How far is a perturbed image from the original? In this seminar mostly: as far as its *most changed
# pixel*. Return that distance for each image of a batch.


# %% exercise="0.1"
def linf_distance(x, x_adv):
    """The largest absolute change of any pixel value: a tensor (B,) for two batches of images (B, C, H, W)."""
    ### BEGIN SOLUTION: return the largest absolute change of any pixel, for each image
    return (x_adv - x).abs().amax(dim=(1, 2, 3))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `tensor.amax(dim=(1, 2, 3))` is the largest value of each image. A change from 0.5 to 0.4 is a change as well.
#
# </details>

# %% check="0.1" tags=["nbval-check-output"]
from seminar_lib.exercises import setup

setup.check(linf_distance)
### BEGIN HIDDEN TESTS
x = torch.rand(4, 3, 8, 8)
assert torch.allclose(linf_distance(x, x), torch.zeros(4))
assert torch.allclose(linf_distance(x, x - 0.25), torch.full((4,), 0.25))
### END HIDDEN TESTS

# %% [markdown]
# ## Summary
#
# - The seminar runs on this machine, without the internet.
# - Images are pixels in [0, 1]; distances between images are measured for each image, in the same units.
# - A number about a network says how many images it was measured on, and how sure it is.
#
# **Discussion: what would convince you?** A vendor says: "Our sign reader is 98 % accurate." Which questions must be
# answered before you let a car drive by it? Which of them can be answered with a test set, and which cannot?
#
# **Next:** lesson 1 makes images that only the network misreads.

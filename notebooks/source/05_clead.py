# %% [markdown]
# # 5. C-LEAD: hold an image and its attack together
#
# Reading 30 min, coding 35 min, discussion 15 min.
#
# - measure where an attack moves an image in the embedding
# - write NT-Xent, the contrastive loss that needs no labels, and say what its temperature does
# - join it to adversarial training, and train with it
# - tell what a paper says from what its code does and from what a reader has added
#
# Ghosh, Kumar and Sur, *C-LEAD: Contrastive Learning for Enhanced Adversarial Defense*, arXiv 2510.27249, 2025.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib import recipes
from seminar_lib.embeddings import embed
from seminar_lib.exercises import contrastive
from seminar_lib.plots import BLUE, GREY, VERMILLION, training_curve
from seminar_lib.widgets import LiveCurve

data = sl.load_data()
networks = {name: sl.load(f"{data.name}/{name}")[0] for name in ("standard", "pgd_at")}
test = data.test.sample(120)
x, y = test.x, test.y
ball = sl.Linf(8 / 255)

# %% [markdown]
# ## Where does an attack move an image?
#
# Before a network names an image it turns it into an *embedding*, a list of features $z$; the classifier behind it is
# one linear layer. An attack that changes the answer has to move the embedding. How far? Below is the cosine of the
# angle between the embeddings of two images: 1 if they point the same way, 0 if they have nothing in common.


# %%
# Picture: for two networks three histograms of cosines each: between an image and its
# attacked version, between images of one class, and between images of two classes. In
# the standard network the attacked version is as far away as an image of another class,
# in pgd_at most of them stay near.
def cosines(model, x, y):
    """The cosines between each image and its attacked version, another of its class, and one of another class."""
    x_adv = attack(model, x, y, generator=torch.Generator().manual_seed(0))
    z, z_adv = embed(model, x), embed(model, x_adv)
    pairs = F.normalize(z, dim=1) @ F.normalize(z, dim=1).T
    itself, kind = torch.eye(len(y), dtype=torch.bool), y[:, None] == y
    return {
        "itself, attacked": F.cosine_similarity(z, z_adv, dim=1),
        "same class": pairs[kind & ~itself],
        "other class": pairs[~kind],
    }


styles = {
    "itself, attacked": (VERMILLION, "-"),
    "same class": (BLUE, "--"),
    "other class": (GREY, ":"),
}
attack = sl.PGD(ball, steps=10, stop_when_fooled=False)
similar = {}
figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
for ax, (name, network) in zip(axes, networks.items(), strict=True):
    similar[name] = cosines(network, x, y)
    for pair, (colour, line) in styles.items():
        ax.hist(
            similar[name][pair].numpy(),
            bins=40,
            range=(-0.2, 1),
            density=True,
            histtype="step",
            color=colour,
            linestyle=line,
            linewidth=2,
            label=pair,
        )
    ax.set(title=f"{name}, n = {len(x)}, PGD-10 at 8/255", xlabel="cosine", yticks=[])
axes[0].set_ylabel("density")
axes[0].legend(loc="upper center")
plt.show()

# %% tags=["nbval-check-output"]
for name, pairs in similar.items():
    near = pairs["itself, attacked"].median() > 0.7
    print(f"{name}: most attacked images keep a cosine above 0.7: {bool(near)}")

# %% [markdown]
# In the network without a defence an attacked sign is a stranger to its own clean version. Adversarial training has
# mended much of that, although nobody asked for it: its loss looks at labels only. C-LEAD asks for it.
#
# ## Which two belong together?
#
# The *contrastive* loss of this lesson needs no labels. It is shown two views of each image and asks of every view:
# which of all the others in this batch is the other view of the same image? With $B$ images there are $2B$
# embeddings. Let $i$ be one of them, the *anchor*, and $p$ its other view. With the cosines $s$ and a temperature
# $\tau$,
#
# $$\ell_i = - \log \frac{\exp(s_{ip} / \tau)}{\sum_{a \ne i} \exp(s_{ia} / \tau)} .$$
#
# It is the cross-entropy of a classification in which the other $2B - 1$ embeddings are the classes. What belongs
# together is pulled together; everything else in the batch is pushed away. This is NT-Xent (Chen et al., *SimCLR*, ICML
# 2020, eq. 1).
#
# **Exercise 5.1.** Write it, for two views `z` and `z2`, row by row of the same images. Each view is an anchor once;
# return the mean of the two losses of each image.


# %% exercise="5.1"
def my_nt_xent(z, z2, temperature):
    """NT-Xent of each image, (B,), from the embeddings of its two views, (B, D) each and of any length."""
    ### BEGIN SOLUTION: return the mean loss of the two anchors of each image
    u = F.normalize(torch.cat([z, z2]), dim=1)
    itself = torch.eye(len(u), dtype=torch.bool)
    scores = (u @ u.T / temperature).masked_fill(itself, -torch.inf)
    other_view = torch.arange(len(u)).roll(len(z))
    first, second = F.cross_entropy(scores, other_view, reduction="none").chunk(2)
    return (first + second) / 2
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Put the views one below the other: `torch.cat([z, z2])`, 2B rows. `F.normalize(..., dim=1)` makes dot products
# cosines. `masked_fill` with `-torch.inf` takes the diagonal out of the sum. The other view of row i is row i + B, and
# that of row i + B is row i: a list of labels for `F.cross_entropy(..., reduction="none")`.
#
# </details>

# %% check="5.1" points=2
contrastive.check_nt_xent(my_nt_xent)
### BEGIN HIDDEN TESTS
views = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(1))
assert torch.allclose(my_nt_xent(*views, 0.2), sl.nt_xent(*views, 0.2), atol=1e-5)
assert torch.allclose(
    my_nt_xent(*views, 0.2), my_nt_xent(views[1], 5 * views[0], 0.2), atol=1e-5
)
### END HIDDEN TESTS

# %% [markdown]
# The library's is `sl.nt_xent`; open `seminar_lib/contrastive.py`.
#
# ## What the temperature does
#
# Whom does an anchor push away? The slope of $\ell_i$ with respect to the cosine of another embedding $a$ is its share
# of the sum, over $\tau$. Below is how an anchor of `pgd_at` divides its attention among 120 signs.

# %%
# Picture: for four temperatures the share of attention that the others of a batch get,
# the most similar first. At 0.05 the nearest few get nearly all of it, at 1 all get
# about the same.
z = F.normalize(embed(networks["pgd_at"], x), dim=1)
others = (z @ z.T).fill_diagonal_(-torch.inf)
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ten = {}
for temperature, line in {0.05: "-", 0.1: "--", 0.5: "-.", 1.0: ":"}.items():
    shares = (others / temperature).softmax(1).sort(1, descending=True).values.mean(0)
    ten[temperature] = float(shares[:10].sum())
    ranks = torch.arange(1, len(x))
    ax.plot(ranks, shares[:-1].cumsum(0), line, color=BLUE, label=f"{temperature:g}")
ax.set(xlabel="nearest others", ylabel="their share together", ylim=(0, 1.02))
ax.legend(title="temperature")
plt.show()

# %% tags=["nbval-check-output"]
print("at 0.05 the ten nearest get more than two thirds:", ten[0.05] > 2 / 3)
print("at 1.0 they get less than a fifth:", ten[1.0] < 0.2)

# %% [markdown]
# A low temperature fights for the nearest few, a high one spreads everything evenly. In a batch of signs the nearest
# others are images of the *same class*, and NT-Xent, which knows no labels, pushes them away as well. At a high
# temperature that is one push among many. Lesson 6 gives the loss its labels.
#
# ## Three sources, three things
#
# What is C-LEAD? We tried to find out, and this is what can be said with what certainty.
#
# - **The paper's abstract**: a contrastive loss is used to train on clean *and* adversarially perturbed images,
#   "optimizing the model's parameters alongside the perturbations"; robustness improves.
# - **The released scripts**: the encoder of a plain classifier is trained on by NT-Xent, without labels and *without*
#   cross-entropy, on images that were attacked once, on *another* network (so it seems: the code that loads them is
#   missing); then a linear classifier on the frozen encoder. All attacks in the evaluation are made on that other
#   network, too.
# - **Not recovered**: the paper's formula, weight and temperature, its tables, whether it uses labels, and how the
#   abstract and the scripts go together.
# - **This project's choice**: both are here; `sl.CLEAD` takes the abstract at its word, `sl.CLEADEncoder` and
#   `sl.CLEADHead` follow the scripts.
#
# So no number below is the paper's, and where we say *C-LEAD* we mean our reading:
#
# $$\mathcal L = \mathrm{CE}(f(x), y) + \mathrm{CE}(f(x'), y) + \lambda \cdot \mathrm{NT\text{-}Xent}(z(x), z(x')) ,$$
#
# each term a mean over the batch. The two views are the clean image $x$ and $x'$, which PGD finds on the network *as
# it is in this step*. $z$ is not the embedding itself but a *projection* of it by two more layers, thrown away after
# training (SimCLR found that what is pulled together loses detail that the classifier needs).
#
# **Exercise 5.2.** Write this loss for one batch. `model(x)` gives logits, `model.project(x)` projections.


# %% exercise="5.2"
def my_joint_loss(model, x, x_adv, y, weight, temperature):
    """The three terms of C-LEAD added up, one number, for clean images, their attacked versions and labels."""
    ### BEGIN SOLUTION: return the sum of the three terms
    clean = F.cross_entropy(model(x), y)
    adversarial = F.cross_entropy(model(x_adv), y)
    together = sl.nt_xent(model.project(x), model.project(x_adv), temperature)
    return clean + adversarial + weight * together.mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `sl.nt_xent` returns a loss for each image; `F.cross_entropy` has taken its mean already.
#
# </details>

# %% check="5.2" points=2
contrastive.check_joint_loss(my_joint_loss)
### BEGIN HIDDEN TESTS
two = torch.stack(
    [
        my_joint_loss(networks["pgd_at"], x[:8], x[8:16], y[:8], weight, 0.5)
        for weight in (0.0, 1.0)
    ]
)
entropies = [
    F.cross_entropy(networks["pgd_at"](part), y[:8]) for part in (x[:8], x[8:16])
]
assert torch.allclose(two[0], sum(entropies), rtol=1e-4)
assert two[1] > two[0]
### END HIDDEN TESTS

# %% [markdown]
# Open `seminar_lib/objectives/clead.py`: `terms` is your function with names for the curve, and `goal` says what the
# attack is after. Two things there are ours to choose, and neither is known of the paper: whether the attack climbs the
# contrastive term as well (`attack_contrast`), and whether labels say who belongs together (`labels`).
#
# ## Train it
#
# Adversarial training takes minutes for our network and hours for large ones. Ours has to fit into a lesson: it starts
# from the weights of `standard`, sees 384 images three times, and is attacked by a single step from a random start.
# That is enough to see robustness begin, and far too little for a claim. A recipe says all of it, and a variant is
# `dataclasses.replace`.

# %%
small = data.part(data.classes, {"train": 384, "validation": 96, "test": 120})
recipe = replace(
    recipes.signs_clead(),
    dataset=data.name,
    start=f"{data.name}/standard",
    objective=sl.CLEAD(recipes.FAST),
    epochs=3,
    batch_size=32,
    rate=0.02,
    ema=None,
    validation=sl.PGD(ball, steps=5),
)
curve = LiveCurve()
curve

# %% [markdown]
# The curve above follows the training below, after each epoch and within long ones.

# %%
trained = {"C-LEAD": sl.fit(recipe, small, progress=False, watch=curve)}
print(f"best epoch {trained['C-LEAD'].best_epoch} of {recipe.epochs}")

# %%
# Picture: the training in two panels: above, the terms clean, adversarial and
# contrastive; below, clean and robust accuracy on the validation images, the robust one
# a few percent high.
figure, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
training_curve(trained["C-LEAD"].history, ax)
plt.show()

# %% tags=["nbval-check-output"]
first, last = trained["C-LEAD"].history[0], trained["C-LEAD"].history[-1]
for term in ("adversarial", "contrastive"):
    print(f"the term {term!r} falls: {last[term] < first[term]}")

# %% [markdown]
# `standard` had next to no loss on clean images; now it has some. Robustness is not for free (lesson 4).
#
# Was it the contrastive term that helped? One network trained with it proves nothing. The comparison that counts leaves
# out that term and nothing else. With weight 0 it is not computed.

# %%
without = replace(recipe, objective=replace(recipe.objective, weight=0.0))
trained["weight 0"] = sl.fit(without, small, progress=False)

# %%
attacks = {"PGD-10": sl.PGD(ball), "Square": sl.Square(ball, queries=50)}
starting = {"standard": networks["standard"]}
reports = {
    name: sl.evaluate(network, small.test, attacks, progress=False)
    for name, network in (starting | {n: run.best for n, run in trained.items()}).items()
}
for name, report in reports.items():
    found = ", ".join(f"{row} {report[row]}" for row in ("clean", "PGD-10", "worst case"))
    print(f"{name:>8}: {found}")

# %% [markdown]
# The attacks know the network: *white box*. `Square` uses no gradient; if it found more than PGD, the gradients would
# be masked (lesson 12). Whichever of the two networks is ahead, look at the intervals before you believe it. One
# seed, 120 images, three epochs: this is an illustration.

# %% [markdown]
# Does the term do what it says? How similar are an image and its attacked version?

# %%
held = {}
for name, run in trained.items():
    pairs = cosines(run.best, small.test.x, small.test.y)
    held[name] = {pair: float(cosine.median()) for pair, cosine in pairs.items()}
    print(f"{name:>8}: " + ", ".join(f"{p} {c:.2f}" for p, c in held[name].items()))

# %% [markdown]
# In three epochs the two networks come out much alike, here as there. What the term is worth can only be told from full
# trainings, and the answer may be: not much. An ablation that finds nothing is a result.
#
# ## Trained to the end
#
# `signs/clead` comes with the course: 20 epochs on all 12,000 training signs, with the attack, the epochs and the
# network of `pgd_at`. Only the objective is another. Their cards, on all 2,000 test signs:

# %% tags=["nbval-check-output"]
for name in ("standard", "pgd_at", "clead"):
    shares = sl.on_card(sl.load(f"signs/{name}")[1])
    print(f"{name:>8}: clean {shares['clean']}, PGD-20 {shares['pgd20']}")

# %% [markdown]
# The two intervals of PGD-20 overlap, and many a reader would stop here. But both networks were shown the *same*
# images. Most of these are kept by both or lost by both, and say nothing. Look at the others, image by image: if the
# networks were equally good, a coin could have decided each of them (McNemar, 1947). Half a minute for all 2,000.
# (These are signs, whatever data you have chosen above.)

# %%
test_signs = sl.load_data("signs").test
pgd20 = {"PGD-20": sl.PGD(sl.Linf(8 / 255), steps=20, step_size=2 / 255, bf16=True)}
report = {
    "pgd_at": sl.evaluate(sl.load("signs/pgd_at")[0], test_signs, pgd20, progress=False)
}

# %%
report["clead"] = sl.evaluate(
    sl.load("signs/clead")[0], test_signs, pgd20, progress=False
)
paired = {
    row: sl.Paired.of(report["pgd_at"].outcomes(row), report["clead"].outcomes(row))
    for row in ("clean", "PGD-20")
}
for row, split in paired.items():
    print(f"{row:>6}, clead against pgd_at: {split}")

# %% tags=["nbval-check-output"]
for row, split in paired.items():
    better = "clead" if split.second > split.first else "pgd_at"
    print(f"{row}: {better} is ahead, more than by chance: {split.p < 0.01}")

# %% [markdown]
# And the term? Here is the cosine of an image with its attacked version, beside those of two images of one class and of
# two different ones, in the whole embedding.

# %%
signs = test_signs.sample(120)
full = {}
for name in ("pgd_at", "clead"):
    pairs = cosines(sl.load(f"signs/{name}")[0], signs.x, signs.y)
    full[name] = {pair: float(cosine.median()) for pair, cosine in pairs.items()}
    print(f"{name:>8}: " + ", ".join(f"{p} {c:.2f}" for p, c in full[name].items()))

# %% [markdown]
# Adversarial training holds most attacked images as near as C-LEAD does, unasked; of those that go far, lesson 8 finds
# fewer in `clead`. What differs most is the middle number: images of one class stand farther apart than in `pgd_at`, as
# NT-Xent, which knows no classes, would want it.
#
# The paper claims more robustness than adversarial training. Under PGD-20 C-LEAD has *less* here, by two points, and it
# is not by chance of the images. But the coins know nothing of another seed, which may well move an accuracy by two
# points; about the *methods* one training of each says little. So both were trained twice more. (In float32, as for the
# cards; your attack searches in bfloat16, to be quick.)
#
# | | clean: only `clead`, only `pgd_at` | p | PGD-20: only `clead`, only `pgd_at` | p |
# |---|---|---|---|---|
# | seed 0 | 10, 0 | 0.002 | 26, 68 | 2e-5 |
# | seed 1 | 10, 1 | 0.01 | 23, 58 | 1e-4 |
# | seed 2 | 16, 0 | 3e-5 | 36, 73 | 5e-4 |
#
# That makes three of three: C-LEAD reads half a point more of the clean signs, and keeps two points fewer under PGD-20.
# The first comes as no surprise: it is the only one of the two that has seen clean images. And one attack is not a
# number (lesson 3). Of all 2,000 signs AutoAttack leaves C-LEAD 53.1% [50.9%, 55.3%] and adversarial training
# 52.6% [50.4%, 54.8%]: 29 stand in the first alone, 19 in the second (seed 0, p = 0.19). What PGD-20 breaks in `clead`
# alone, the stronger attack breaks in `pgd_at` as well. So here is neither more robustness nor less.
#
# Is all that the term's doing? These two cannot tell, as the clean cross-entropy is not in both either. So change each
# part once (seed 0): `recipes.signs_clead_unheld` has weight 0, `recipes.signs_clead_labels` SupCon in the place of
# NT-Xent (lesson 6), and in `recipes.signs_clead_attack` the attack climbs the term as well. They do not come with the
# course; half an hour on one core trains each of the first two, three quarters the third. PGD-20 sees 2,000 signs, and
# they are compared one by one; AutoAttack sees 128.
#
# | | clean | PGD-20 | only `clead`, only this | p | AutoAttack |
# |---|---|---|---|---|---|
# | `clead` | 99.8% [99.5%, 99.9%] | 60.0% [57.8%, 62.1%] | | | 46.9% [38.4%, 55.5%] |
# | weight 0 | 99.9% [99.6%, 99.9%] | 59.9% [57.7%, 62.0%] | 38, 36 | 0.91 | 43.8% [35.5%, 52.4%] |
# | with labels | 99.9% [99.6%, 99.9%] | 60.8% [58.6%, 62.9%] | 21, 38 | 0.04 | 47.7% [39.2%, 56.3%] |
# | in the attack | 99.9% [99.6%, 99.9%] | 58.6% [56.4%, 60.7%] | 53, 26 | 0.003 | 45.3% [37.0%, 53.9%] |
# | `pgd_at` | 99.3% [98.8%, 99.6%] | 62.1% [59.9%, 64.2%] | 26, 68 | 2e-5 | 46.9% [38.4%, 55.5%] |
#
# With weight 0 it is all as with the term: what `clead` gains on clean images and loses under PGD-20 comes with the
# clean cross-entropy, it seems. But train both once more, with seed 2: the network without the term keeps
# 61.1% [58.9%, 63.2%], 55 signs against 30 that stand in C-LEAD alone (p = 0.009), and coins could have parted it from
# adversarial training (40 and 52, p = 0.25). This time the term seems to have cost the two points. *One training of
# each cannot say which part did it.* That the clean signs come with the clean cross-entropy both trainings say, and
# neither says that the term adds robustness. With labels it may cost a little less, and `pgd_at` is still ahead: 49
# signs stand in it alone, 24 in the network with labels (p = 0.005). An attack that climbs the term as well, which
# "alongside the perturbations" may mean, trains a network that is less robust than `clead`, by more than a point and
# more than by chance of the images. (Our explanation: to move an embedding is not to fool the classifier, and the five
# steps of the attack have to do both.)
#
# What the term has moved, with seed 0, are embeddings. It drives images of one class apart: their median cosine is 0.96
# without it and 0.79 with it. The median image is no nearer to its attacked version, 0.90 and 0.89. And it holds back
# those that go far: of 160 signs under PGD-20, 25 move farther than from one class to the next without it, and none
# with it (lesson 8 measures that). As many are misread.
#
# And on photographs? A narrow ResNet-18 had eight epochs of CIFAR-10 (`recipes.cifar10_narrow_clead`). On the 10,000
# test images it reads 69.8% [68.9%, 70.7%] clean and keeps 36.2% [35.3%, 37.2%] under PGD-20; adversarial training of
# the same network reads 63.4% [62.5%, 64.3%] and keeps 40.1% [39.2%, 41.1%]. It is the exchange that PGD-20 sees on the
# signs, so much larger that no coins are needed: six points of clean accuracy for four of robust.
#
# ## The other reading
#
# The scripts train an encoder against the images of *another* network and test it against images of that other network,
# too. Nothing in them attacks the defended network. `signs/clead_head` has been trained their way, in three stages: a
# plain network to attack, which is `standard`; an encoder without labels; a linear classifier on it
# (`recipes.signs_clead_encoder` and `recipes.signs_clead_head`).
#
# You have this network, the one that it was trained against, and `pgd_at`, which it has never met. Attack each of the
# three, and show what you find to this network: how many signs does it read? Note three numbers before you run it.

# %%
released = sl.load("signs/clead_head")[0]
attacked = {name: sl.load(f"signs/{name}")[0] for name in ("standard", "pgd_at")}
kept = {}
for name, network in (attacked | {"itself": released}).items():
    x_adv = attack(network, signs.x, signs.y, generator=torch.Generator().manual_seed(0))
    kept[name] = sl.Accuracy.of(released(x_adv).argmax(1) == signs.y)
    print(f"attacked on {name:>8}: {kept[name]}")

# %% tags=["nbval-check-output"]
seen, other, own = kept["standard"], kept["pgd_at"], kept["itself"]
print("attacked on what it was trained against, above 80 %:", seen.low > 0.8)
print("attacked on what it has never met, fewer:", other.high < seen.low)
print("attacked on itself, below 10 %:", own.high < 0.1)

# %% [markdown]
# It resists what it has seen, images of one network that stood still, and some of what other networks come up with.
# There is no reason why it should withstand an attack on itself, and it does not. An accuracy measured in this way must
# not stand in one column with those above. Of 128 signs under PGD-10 at 8/255 (`python -m benchmarks.graybox`) it keeps
#
# - 92.2% [86.2%, 95.7%] of those that were attacked on the network that it was trained against,
# - 82.8% [75.3%, 88.4%] of those that were attacked on a plain network of another seed,
# - 19.5% [13.6%, 27.2%] of those that were attacked on one that was trained as it was, with another seed,
# - 0.0% [0.0%, 2.9%] of those that were attacked on itself.
#
# All four numbers are right, and a paper may print any of them. Lesson 7 is about what lies between them.

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("05_clead")

# %% [markdown]
# ## Summary
#
# - An attack moves an image through the embedding. Without a defence it lands among strangers.
# - NT-Xent asks each view for its other view among all others of the batch. It needs no labels, and it pushes away even
#   images of the same class; the temperature decides how much the nearest count.
# - C-LEAD, as we read it, adds this loss to the cross-entropies of clean and attacked images.
# - A term is worth what it adds to a training that is otherwise the same, under attacks on the network itself.
# - Abstract, code and a reader's reconstruction are three things. A result says which of them it belongs to.
#
# **Discussion: what would convince you?** A paper trains on images that were attacked once, on another network, and
# reports 72 % under PGD "at 8/255". You find in its code that the attack is computed on that other network. What does
# the number measure? Which single measurement would you ask for, and what would you expect?
#
# **References**
#
# - S. Ghosh, A. Kumar, A. Sur: [C-LEAD: Contrastive Learning for Enhanced Adversarial
#   Defense](https://arxiv.org/abs/2510.27249), 2025. Scripts:
#   [suklav/C_Lead](https://github.com/suklav/C_Lead), commit 2b8778a.
# - T. Chen, S. Kornblith, M. Norouzi, G. Hinton: [A Simple Framework for Contrastive Learning of Visual
#   Representations](https://arxiv.org/abs/2002.05709), ICML 2020.
# - T. Wang, P. Isola: [Understanding Contrastive Representation Learning through Alignment and Uniformity on the
#   Hypersphere](https://arxiv.org/abs/2005.10242), ICML 2020.

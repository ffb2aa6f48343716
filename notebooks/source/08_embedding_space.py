# %% [markdown]
# # 8. The embedding space: where an attack takes an image
#
# Reading 20 min, coding 30 min, discussion 15 min.
#
# - say what an embedding is, and measure how far an attack moves images in it
# - tell what was lost in the embedding from what the classifier got wrong
# - bring two networks into one frame, and say why two maps cannot be compared without it
# - read a PCA and a t-SNE map, and know which questions a map cannot answer
#
# Wang and Isola, *Understanding Contrastive Representation Learning through Alignment and Uniformity on the
# Hypersphere*, ICML 2020. Mao et al., *Metric Learning for Adversarial Robustness*, NeurIPS 2019.

# %%
import matplotlib.pyplot as plt
import torch

import seminar_lib as sl
from seminar_lib import embeddings, plots
from seminar_lib.exercises import embedding
from seminar_lib.plots import BLUE, VERMILLION

data = sl.load_data()
networks = {name: sl.load(f"{data.name}/{name}")[0] for name in ("standard", "pgd_at")}
test = data.test.sample(160)
x, y = test.x, test.y
ball = sl.Linf(8 / 255)

# %% [markdown]
# ## What a network makes of an image
#
# A classifier is two machines in a row. The first, the *encoder*, turns an image into a list of numbers, its
# **embedding** $z$. The second is one linear layer: it compares $z$ with one direction for each class and names the
# class that fits best. Whatever the network knows, it knows in $z$; the last layer only draws straight borders.
#
# An attack changes the image a little. Through the encoder, the little change may become a long way. We take the same
# images, attack each network with PGD-20, and look at the embeddings before and after.

# %%
attack = sl.PGD(ball, steps=20, step_size=2 / 255, stop_when_fooled=False)


def before_and_after(network):
    """The embeddings of the images, and of the same after an attack on the network."""
    generator = torch.Generator(x.device).manual_seed(0)
    x_adv = attack(network, x, y, generator=generator)
    return embeddings.embed_pairs(network, x, x_adv, y)


pairs = {name: before_and_after(network) for name, network in networks.items()}

# %% tags=["nbval-check-output"]
for name, pair in pairs.items():
    print(f"{name}: {len(pair)} images, {pair.z.shape[1]} numbers each")

# %% [markdown]
# The same change of 8 grey levels does not go the same way in both. How far is far? Networks differ in how *long* they
# make their embeddings, and so do attacks: most of `standard`'s get longer, most of `pgd_at`'s shorter. What the last
# layer compares is mostly direction. So bring every embedding to length 1, where only its direction is left, and
# measure there. Wang and Isola call the mean squared distance of two views of an image **alignment**:
#
# $$\frac{1}{B} \sum_i \lVert u_i - u'_i \rVert^2, \qquad u = \frac{z}{\lVert z \rVert} .$$
#
# In their paper two random crops are the views. Here the attack makes the second one. 0 says that no image moves, 4
# that each goes to the opposite pole.
#
# **Exercise 8.1.** Write it.


# %% exercise="8.1"
def my_alignment(z, z_adv):
    """The mean squared distance between clean and adversarial embeddings (B, D) of length 1."""
    ### BEGIN SOLUTION: give each row length 1, then average the squared distances
    u = z / z.norm(dim=1, keepdim=True)
    u_adv = z_adv / z_adv.norm(dim=1, keepdim=True)
    return (u - u_adv).square().sum(dim=1).mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `z.norm(dim=1, keepdim=True)` is (B, 1), so that each row can be divided by its own length.
#
# </details>

# %% check="8.1"
embedding.check_alignment(my_alignment)
### BEGIN HIDDEN TESTS
for pair in pairs.values():
    assert (
        abs(my_alignment(pair.z, pair.z_adv) - embeddings.alignment(pair.z, pair.z_adv))
        < 1e-4
    )
### END HIDDEN TESTS

# %% [markdown]
# A distance on the sphere still has no unit. A natural one is the way from class to class: **drift** is how far an
# image goes on the sphere under the attack, as a share of the typical distance between the middles of two classes. At 1
# it could be anybody.

# %%
# Picture: how far each image drifts under the attack, as two histograms. Those of the
# standard network lie around the distance from class to class. Those of pgd_at are two
# groups: most lie far below it, the others around it as well.
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
drifts = {
    name: embeddings.drift(pair.z, pair.z_adv, pair.y) for name, pair in pairs.items()
}
bins = torch.linspace(0, float(max(way.max() for way in drifts.values())), 30)
for (name, way), colour, hatch in zip(
    drifts.items(), (BLUE, VERMILLION), ("", "//"), strict=True
):
    ax.hist(way, bins, color=colour, alpha=0.6, hatch=hatch, label=name)
ax.axvline(1, color="grey", linestyle=":", label="from class to class")
ax.set(xlabel="drift under PGD-20 at 8/255", ylabel="images")
ax.set_title(f"n = {len(x)}", fontsize="medium")
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
medians = {name: way.median() for name, way in drifts.items()}
print(
    "standard drifts twice as far as pgd_at, or more:",
    bool(medians["standard"] > 2 * medians["pgd_at"]),
)

# %%
fooled = pairs["pgd_at"].predicted_adv != y.cpu()
for kind, chosen in (("held", ~fooled), ("fooled", fooled)):
    print(
        f"pgd_at, {kind}: {int(chosen.sum())} images, median drift {drifts['pgd_at'][chosen].median():.2f}"
    )

# %% [markdown]
# Adversarial training has not made every way short. The images that it holds hardly move; those that are fooled go
# nearly as far as from class to class, like those of `standard`.
#
# ## Lost in the embedding, or misjudged by the classifier?
#
# When a network is fooled, who is to blame: the encoder, which carried the image to the wrong place, or the linear
# layer, whose border runs too near? Ask a judge that knows no borders: the **neighbours**. Embed some thousand training
# images, and let the nearest ones of an image vote.
#
# **Exercise 8.2.** Let them vote.


# %% exercise="8.2"
def vote(z, z_train, y_train, k):
    """The label that most of the k nearest training embeddings have, for each row of z: (B,)."""
    ### BEGIN SOLUTION: find the k nearest rows of z_train, and the most frequent of their labels
    nearest = torch.cdist(z, z_train).topk(k, largest=False).indices
    return y_train[nearest].mode(dim=1).values
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.cdist(z, z_train)` holds all distances, (B, N). `topk(k, largest=False).indices` says where the k smallest of
# each row are. The most frequent value of each row is `labels.mode(dim=1).values`.
#
# </details>

# %% check="8.2" points=2
embedding.check_vote(vote)

# %%
train = data.train.sample(2000)


def measure(network, pair):
    """All numbers of this lesson, for one network."""
    z_train = embeddings.embed(network, train.x)
    return embeddings.Geometry.of(pair, z_train, train.y.cpu())


measured = {name: measure(network, pairs[name]) for name, network in networks.items()}
for name, pair in pairs.items():
    by_layer = sl.Accuracy.of(pair.predicted_adv == pair.y)
    print(f"{name:>9} attacked: the linear layer is right for {by_layer}")
    print(
        f"{'':>9}           the neighbours are right for {measured[name].neighbours_adv}"
    )

# %% tags=["nbval-check-output"]
for name, pair in pairs.items():
    by_layer = (pair.predicted_adv == pair.y).float().mean()
    print(
        f"{name}: the neighbours rescue 5 points or more:",
        bool(measured[name].neighbours_adv.accuracy > by_layer + 0.05),
    )

# %% [markdown]
# The neighbours see what the linear layer sees, or less. The attacked image does not sit beside a badly drawn border:
# it sits among images of another class. So no better last layer would help, and a detector that asks the neighbours
# (Papernot and McDaniel, 2018) would be told a confident lie. This attack did not even know of the neighbours; lesson
# 11 shows what happens to a detector when the adversary does.
#
# Here are all the numbers of both. *Separation* is the mean silhouette (Rousseeuw, 1987) of the embeddings with their
# lengths. It asks of each image how much nearer its own class is than the next: 1 for tight classes far apart, below 0
# when most images lie in another class. *Uniformity* says how evenly the sphere is filled, the more negative the more
# evenly.

# %%
from IPython.display import Markdown

Markdown(embeddings.table(measured))

# %% tags=["nbval-check-output"]
clean = {name: found.separation for name, found in measured.items()}
attacked = {name: found.separation_adv for name, found in measured.items()}
print(
    "clean, standard keeps its classes twice as far apart:",
    clean["standard"] > 2 * clean["pgd_at"],
)
print("attacked, both are mixed up, below 0:", max(attacked.values()) < 0)

# %% [markdown]
# Read the table twice. On clean images the *undefended* network has by far the more beautiful embedding: tight classes,
# far apart. Under attack nothing of it is left, and the neighbours are wrong every time. `pgd_at` looks untidy from the
# start, and more than half of its images stay where they belong. How well classes are separated on clean images says
# nothing about robustness. Lesson 6 trains a network to keep classes apart *under attack*; that is another thing.
#
# ## Two networks, one frame
#
# Now we want to *see* it: both networks, before and after, on one sheet. But the axes of an embedding have no meaning.
# Turn all embeddings of a network by a rotation $R$, and turn the last layer back: every answer stays. So two networks
# that see the same thing may still name their features differently, and two pictures of them look different for no
# reason.
#
# The same images are in both, which tells us how to turn one towards the other. For embeddings $Z$ and $Z'$, both
# centred, the rotation that brings $ZR$ closest to $Z'$ has a closed form (the orthogonal Procrustes problem,
# Schönemann 1966; a mirror image may be the closest, and counts as a rotation here):
#
# $$Z^\top Z' = U S V^\top \quad\Longrightarrow\quad R = U V^\top .$$
#
# **Exercise 8.3.** Write it, in two lines.


# %% exercise="8.3"
def turn(z, target):
    """The rotation (D, D), a mirror allowed, that brings centred z (B, D) nearest to the target (B, D)."""
    ### BEGIN SOLUTION: return the rotation
    u, _, vh = torch.linalg.svd(z.T @ target)
    return u @ vh
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.linalg.svd` returns $U$, the numbers on the diagonal of $S$, and $V^\top$, transposed already. Why must $S$ be
# left out?
#
# </details>

# %% check="8.3"
embedding.check_turn(turn)

# %% [markdown]
# A rotation keeps every distance, so nothing that a defence has changed is undone. `embeddings.in_one_frame` does this
# for any number of networks, from the clean images alone: the adversarial ones follow and have no say.
#
# ## The map
#
# **PCA** lets all points fall straight onto the plane on which the clean ones spread most, as the sun overhead throws
# shadows onto the ground.

# %%
# Picture: two PCA maps with the same axes, standard on the left, pgd_at on the right;
# each class has a colour and a marker. Arrows lead from the clean images to the attacked
# ones. On the left all are dark and most cross the map; on the right most images hardly
# move, and only those that are fooled go far.
framed = embeddings.in_one_frame(pairs)
plots.before_after(embeddings.pca(framed), data.classes)

# %% [markdown]
# **t-SNE** gives up the shape and keeps the neighbours: whoever is near in the embedding shall be near on paper.

# %%
# Picture: the same images as two t-SNE maps. The classes are islands now. On the left
# every arrow leads from one island to another, on the right more than half of the images
# stay on their own.
islands = embeddings.tsne(framed)
plots.before_after(islands, data.classes)

# %%
# Picture: the standard network class by class: small t-SNE maps with the arrows of one
# class each. The titles say how many images are still read rightly, and which wrong
# answer is the most frequent.
plots.map_by_class(islands["standard"], data.classes)

# %% [markdown]
# Is it chance *where* an attack takes an image? Look which wrong answers come up most. Are those signs that you would
# mix up too?
#
# ## Every defence on one sheet
#
# The defences of lessons 5 to 7, trained to the end on the signs, come with the course. The same images, each network
# attacked by itself, all in the frame and on the map of adversarial training. (Where your data are others, there may
# be no more than that one.)

# %%
shipped = [
    name
    for name in ("pgd_at", "clead", "anchor", "lisard")
    if f"{data.name}/{name}" in sl.shipped()
]
defended = {name: sl.load(f"{data.name}/{name}")[0] for name in shipped}
sheets = {name: before_and_after(network) for name, network in defended.items()}
Markdown(
    embeddings.table({name: measure(defended[name], sheets[name]) for name in shipped})
)

# %%
# Picture: the same images on four PCA maps with the same axes. With pgd_at, clead and anchor
# most images stay near, and those that are fooled often cross the map; with lisard nearly
# all are fooled, and most of them go no farther than to the next class.
plots.before_after(embeddings.pca(embeddings.in_one_frame(sheets)), data.classes)

# %% [markdown]
# Whose neighbours are right for more of the attacked images? All networks have the same ones before them: compare image
# by image, as in lesson 5.

# %%
right = {}
for name in shipped:
    z_train = embeddings.embed(defended[name], train.x)
    sheet = sheets[name]
    right[name] = embeddings.neighbours(sheet.z_adv, sheet.y, z_train, train.y.cpu())
for name in shipped[1:]:
    split = sl.Paired.of(right["pgd_at"], right[name])
    print(f"neighbours, {name} against pgd_at: {split}")

# %% [markdown]
# Three of the four were trained on attacks, and keep about as many images. `clead` has the best alignment, which is
# what its term asks for (without it, trained alike, it is 0.50). Its median image goes no less far than that of
# `pgd_at`, but few go very far, and these count most in a mean of squares. `anchor`, which knows the classes, separates
# them best of the three, and its neighbours are right for nine attacked images that those of `pgd_at` miss, and miss
# none of theirs. The intervals overlap, and yet it is not by chance. Is it more robust? The linear layer, in the titles
# of the maps, is right for about as many: what the neighbours gain, the answers do not. For `clead` chance could have
# done both. `lisard` was trained on noise. Its clean classes are as tidy as those of `standard`, and the
# attack carries most images away from theirs, mostly to one close by.
#
# ## Walk along
#
# Drag one image along its attack, step by step, and watch three things at once: the place on the map, the picture, and
# the network's answer.

# %%
from seminar_lib.widgets import EmbeddingDemo

clearest = x.std((1, 2, 3)).argsort(descending=True)
demo = EmbeddingDemo(networks, test[clearest[:120]], data.classes)
demo

# %%
# Picture: the end of a walk in the demo: the map of the standard network with the path of
# one image to another class, the attacked image, and the answers with their
# probabilities.
demo.controls["step"].value = 20
end = demo.static()
demo.controls["step"].value = 0
end

# %% [markdown]
# - At which step does the answer change? Is the image among the marks of the other class by then?
# - Choose `pgd_at` and the same image. Does the path end, or does it go on more slowly?
# - The picture hardly changes. What does that say about distances between *images*?
#
# **Exercise 8.4.** Which of these hold? Return their letters.
#
# - a: Two points far apart on a PCA map are far apart in the embedding.
# - b: Two points close on a PCA map are close in the embedding.
# - c: On a t-SNE map, the distance between two islands says how different the classes are.
# - d: A mark in the middle of an island on a t-SNE map has most of its neighbours there in the embedding too.
# - e: Two networks are drawn, each on a PCA map of its own. A class is on the left in one and on the right in the
#   other: the defence has moved it.
# - f: A network whose clean classes lie well apart on the map is robust.


# %% exercise="8.4"
def what_holds():
    """The letters of the statements that hold, such as "ab"."""
    ### BEGIN SOLUTION: return the letters
    return "ad"
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Think of a tree and its shadow, the sun overhead. Can two leaves be nearer to each other than their shadows? Can they
# be farther apart? And for the last one, look at the first pair of PCA maps, at the standard network before the attack.
#
# </details>

# %% check="8.4"
embedding.check_reading(what_holds)

# %% [markdown]
# ## Questions
#
# Questions about this lesson, with a sentence for every answer. What you cannot answer is where to read again.

# %%
from seminar_lib.widgets import Quiz

Quiz("08_embedding_space")

# %% [markdown]
# ## Summary
#
# - The encoder makes an embedding, the last layer draws straight borders through it.
# - An attack moves an undefended network's embeddings as far as from class to class; adversarial training shortens the
#   way of most images, not of those that are fooled. Alignment and drift measure it.
# - Neighbours do not rescue what the encoder has carried away.
# - Axes are free up to a rotation: bring networks into one frame before you lay maps side by side.
# - PCA is a shadow, t-SNE keeps neighbours; both raise questions, and only numbers answer them.
#
# **Discussion: what would convince you?** A paper shows two t-SNE maps: without its defence the adversarial points are
# scattered, with it they form tight islands. What does it say about robust accuracy? Whose gradient made the
# adversarial points of the second map? Which number would you ask for first?
#
# **References**
#
# - T. Wang, P. Isola: [Understanding Contrastive Representation Learning through Alignment and Uniformity on the
#   Hypersphere](https://arxiv.org/abs/2005.10242), ICML 2020.
# - C. Mao, Z. Zhong, J. Yang, C. Vondrick, B. Ray: [Metric Learning for Adversarial
#   Robustness](https://arxiv.org/abs/1909.00900), NeurIPS 2019.
# - N. Papernot, P. McDaniel: [Deep k-Nearest Neighbors](https://arxiv.org/abs/1803.04765), 2018.
# - P. Schönemann: A generalized solution of the orthogonal Procrustes problem, Psychometrika 1966.
# - L. van der Maaten, G. Hinton: [Visualizing Data using t-SNE](https://www.jmlr.org/papers/v9/vandermaaten08a.html),
#   JMLR 2008.
# - M. Wattenberg, F. Viégas, I. Johnson: [How to Use t-SNE Effectively](https://distill.pub/2016/misread-tsne/),
#   Distill 2016.

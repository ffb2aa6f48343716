"""What a network makes of images before it names them, and what an attack does to that.

    before = {name: embed_pairs(model, x, attack(model, x, y), y) for name, model in networks.items()}
    maps = tsne(in_one_frame(before))

Several networks come into one frame (``in_one_frame``), a frame onto paper (``pca``, ``tsne``, ``umap``), and
``seminar_lib.plots`` draws the maps. Measure (``Geometry``) before you draw: a map shows two features out of many.
"""

from seminar_lib.embeddings.frame import Frame, frames, in_one_frame
from seminar_lib.embeddings.geometry import Geometry, table
from seminar_lib.embeddings.maps import Plane, Points, pca, tsne, umap
from seminar_lib.embeddings.metrics import alignment, class_means, drift, neighbours, separation, uniformity
from seminar_lib.embeddings.pairs import Embedded, embed, embed_pairs

__all__ = [
    "Embedded",
    "Frame",
    "Geometry",
    "Plane",
    "Points",
    "alignment",
    "class_means",
    "drift",
    "embed",
    "embed_pairs",
    "frames",
    "in_one_frame",
    "neighbours",
    "pca",
    "separation",
    "table",
    "tsne",
    "umap",
    "uniformity",
]

"""The demo of the embedding: what is computed (``scene``), how it looks (``drawing``), its controls (``demo``)."""

from seminar_lib.widgets.embedding.demo import EmbeddingDemo

__all__ = ["EmbeddingDemo"]

"""Sizes and names that the steps of the recipe share."""

from __future__ import annotations

from textbind_trainer.model import QformerShape

from .pictures import Scene, with_article

SHAPE = QformerShape(
    num_query_tokens=32, num_hidden_layers=4, num_attention_heads=4, hidden_size=192, intermediate_size=768
)
MAX_SEQUENCE_LENGTH = 768


def canonical_caption(scene: Scene) -> str:
    """The one plain wording of what a scene shows."""
    behind = with_article(f"{scene.background} background")
    if scene.second_object is None:
        return f"{with_article(scene.main_object)} on {behind}"
    return f"{with_article(scene.main_object)} and a small {scene.second_object} on {behind}"

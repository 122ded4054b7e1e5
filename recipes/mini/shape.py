"""Sizes and names that the steps of the recipe share."""

from __future__ import annotations

from textbind_trainer.model import QformerShape

SHAPE = QformerShape(
    num_query_tokens=32, num_hidden_layers=4, num_attention_heads=4, hidden_size=192, intermediate_size=768
)
MAX_SEQUENCE_LENGTH = 768

"""The Q-Former's sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class QformerShape:
    """textbind.json's ``qformerConfig``."""

    num_query_tokens: int
    num_hidden_layers: int
    num_attention_heads: int
    hidden_size: int
    intermediate_size: int
    cross_attention_frequency: int = 2

    @staticmethod
    def published() -> QformerShape:
        """BLIP-2's and the paper's."""
        return QformerShape(32, 12, 12, 768, 3072)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> QformerShape:
        """Read the camelCase object; a missing field raises ValueError naming it."""
        names = ("numQueryTokens", "numHiddenLayers", "numAttentionHeads", "hiddenSize", "intermediateSize")
        for name in names:
            if not isinstance(fields.get(name), int) or fields[name] <= 0:
                raise ValueError(
                    f"qformerConfig.{name}: expected a positive integer, got {fields.get(name)!r}"
                )
        return QformerShape(*(fields[name] for name in names))

    def to_json(self) -> dict[str, int]:
        """The camelCase object for textbind.json."""
        return {
            "numQueryTokens": self.num_query_tokens,
            "numHiddenLayers": self.num_hidden_layers,
            "numAttentionHeads": self.num_attention_heads,
            "hiddenSize": self.hidden_size,
            "intermediateSize": self.intermediate_size,
        }

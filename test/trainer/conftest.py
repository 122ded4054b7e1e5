"""Fixtures that every test of the trainer may use."""

from tiny_parts import parts, run_file

__all__ = ["parts", "run_file"]

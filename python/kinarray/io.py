"""Files: characters in."""

from ._core import load_character

__all__ = ["load_character"]

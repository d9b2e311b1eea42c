"""Files: characters, motion and markers, in and out."""

from ._core import load_character, load_markers, save_character, save_markers
from .motion import load_motion, save_motion

__all__ = [
    "load_character",
    "load_markers",
    "load_motion",
    "save_character",
    "save_markers",
    "save_motion",
]

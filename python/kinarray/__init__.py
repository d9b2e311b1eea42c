"""Character kinematics on whatever array you already have.

>>> import kinarray as ka, numpy as np
>>> character = ka.testing.create_humanoid()
>>> poses = np.zeros((10, character.parameter_transform.size), np.float32)
>>> state = ka.geometry.model_parameters_to_skeleton_state(character, poses)
>>> points = character.skin_points(state)

``poses`` may as well be a torch tensor, a JAX array, a polars column: ``state`` and ``points`` are then of
that kind, on the same device, of the same dtype, and nothing was copied.
"""

from . import geometry, interop, io, motion, quaternion, skel_state, testing, trs
from ._core import (
    CharacterError,
    DeviceError,
    DTypeError,
    FormatError,
    GradientError,
    InvalidValueError,
    KinarrayError,
    ShapeError,
    SolverError,
    __version__,
    get_num_threads,
    load_character,
    load_markers,
    save_character,
    save_markers,
    set_num_threads,
)
from .motion import load_motion, save_motion

__all__ = [
    "CharacterError",
    "DTypeError",
    "DeviceError",
    "FormatError",
    "GradientError",
    "InvalidValueError",
    "KinarrayError",
    "ShapeError",
    "SolverError",
    "__version__",
    "geometry",
    "get_num_threads",
    "interop",
    "io",
    "load_character",
    "load_markers",
    "load_motion",
    "motion",
    "quaternion",
    "save_character",
    "save_markers",
    "save_motion",
    "set_num_threads",
    "skel_state",
    "testing",
    "trs",
]

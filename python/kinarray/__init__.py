"""Character kinematics on whatever array you already have."""

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
)
from . import interop

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
    "interop",
]

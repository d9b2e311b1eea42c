"""The exceptions that kinarray raises."""

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
]

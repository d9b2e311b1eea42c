"""Choices, with PyMomentum's names and numbers."""

from enum import Enum


class CharacterMassScale(Enum):
    """What becomes of the mass of a character that is scaled."""

    PreserveMass = 0
    """Masses stay; moments of inertia grow with the square of the scale."""
    PreserveDensity = 1
    """Masses grow with the cube of the scale, moments of inertia with its fifth power."""


class LocatorSpace(Enum):
    """In which space positions of locators are written to a file."""

    Local = 0
    """In the frames of the joints."""
    Global = 1
    """In the world, in the rest pose."""


class MarkerMesh(Enum):
    """What stands for a marker in a scene."""

    NoMesh = 0
    UnitCube = 1


class UpVector(Enum):
    """The axis that points up."""

    X = 0
    Y = 1
    Z = 2


class LogLevel(Enum):
    """How much is logged: each level says what the ones before it say, and more."""

    Disabled = 0
    Error = 1
    Warning = 2
    Info = 3
    Debug = 4
    Trace = 5

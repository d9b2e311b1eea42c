"""Recordings of markers, with PyMomentum's names."""

from os import PathLike
from typing import BinaryIO

from . import _core
from ._core import MarkerSequence
from ._enums import UpVector


def load_markers(
    path: str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO,
    main_subject_only: bool = True,
    up: UpVector = UpVector.Y,
    *,
    unit: str = "m",
) -> list[MarkerSequence]:
    """Loads the markers of a recording, turned so that ``up`` points up; see also :func:`kinarray.load_markers`.

    Parameters
    ----------
    path : str, os.PathLike, bytes-like, or binary file object
        C3D, TRC, glTF or FBX.
    main_subject_only : bool
        Whether only the subject with the most markers is returned.
    up : UpVector
        The axis that points up in the result.
    unit : {"m", "cm", "mm"}
        The unit of the positions. PyMomentum's is the centimetre.

    Returns
    -------
    list of MarkerSequence
        One a subject.

    Raises
    ------
    FormatError
        Naming the file, the place inside it, what was expected and what was found.

    Examples
    --------
    >>> from kinarray.geometry import load_markers
    >>> load_markers(b"no markers")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    kinarray.FormatError: <bytes>: ...
    """
    return _core.load_markers(path, unit, _axis(up), main_subject_only=main_subject_only)


def load_markers_from_bytes(
    bytes: bytes | bytearray | memoryview,
    format: str,
    main_subject_only: bool = True,
    up: UpVector = UpVector.Y,
    *,
    unit: str = "m",
) -> list[MarkerSequence]:
    """The same as :func:`load_markers`, from bytes.

    Parameters
    ----------
    bytes : bytes-like
    format : str
        The suffix that a file would have: ``.c3d``, ``.trc``, ``.glb``, ``.fbx``.
    main_subject_only, up, unit
        As for :func:`load_markers`.

    Examples
    --------
    >>> from kinarray.geometry import load_markers_from_bytes
    >>> load_markers_from_bytes(b"no markers", ".c3d")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    kinarray.FormatError: <bytes>: ...
    """
    return _core.load_markers(
        bytes, unit, _axis(up), main_subject_only=main_subject_only, format=format
    )


def _axis(up: UpVector) -> str:
    if not isinstance(up, UpVector):
        raise TypeError(f"up: expected UpVector.X, UpVector.Y or UpVector.Z, got {up!r}")
    return up.name.lower()

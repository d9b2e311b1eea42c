"""Transforms as tuples of translation ``(..., 3)``, rotation matrix ``(..., 3, 3)`` and scale ``(..., 1)``.

They take a point ``x`` to ``t + s R x``; ``multiply(a, b)`` is ``b``, then ``a``. Leading axes are a batch,
any number of them, and broadcast. Each part may be any kind of array. Names, argument order and meaning are
PyMomentum's ``trs``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import _slices, skel_state
from ._core import InvalidValueError, asarray, kind_of
from ._core import trs as _compiled

from_matrix = _compiled.from_matrix
from_rotation_matrix = _compiled.from_rotation_matrix
from_scale = _compiled.from_scale
from_skeleton_state = _compiled.from_skeleton_state
from_translation = _compiled.from_translation
identity = _compiled.identity
inverse = _compiled.inverse
multiply = _compiled.multiply
rotmat_from_euler_xyz = _compiled.rotmat_from_euler_xyz
rotmat_inverse = _compiled.rotmat_inverse
rotmat_multiply = _compiled.rotmat_multiply
rotmat_rotate_vector = _compiled.rotmat_rotate_vector
slerp = _compiled.slerp
to_matrix = _compiled.to_matrix
to_skeleton_state = _compiled.to_skeleton_state
transform_points = _compiled.transform_points


def blend(trs_transforms: Sequence[Any], weights: Any = None) -> tuple[Any, Any, Any]:
    """Blends transforms: the weighted means of translations and scales, and the rotation in the middle.

    Parameters
    ----------
    trs_transforms : sequence of k tuples of array (..., 3), array (..., 3, 3), array (..., 1)
        What is blended; batch axes broadcast.
    weights : array (..., k), optional
        Weights; negative ones count as 0. Equal ones without.

    Returns
    -------
    tuple of array (..., 3), array (..., 3, 3), array (..., 1)
        Translation, rotation matrix and scale, of the kind and dtype of the first translation. All of them
        are 0 where all weights are.

    Raises
    ------
    InvalidValueError
        For nothing to blend.
    ShapeError, DTypeError, DeviceError, GradientError

    Examples
    --------
    >>> import kinarray as ka, numpy as np
    >>> ends = [ka.trs.from_scale(np.array([scale])) for scale in (1.0, 3.0)]
    >>> ka.trs.blend(ends, np.array([1.0, 1.0]))[2]
    array([2.])
    """
    if not trs_transforms:
        raise InvalidValueError("trs_transforms: there is nothing to blend")
    like = trs_transforms[0][0]
    states = [to_skeleton_state(transform) for transform in trs_transforms]
    # Parts without a place to lie side by side: this is a copy, of eight numbers each.
    blended = skel_state.blend(_slices.stack(states, -2), weights)
    parts = from_skeleton_state(blended)
    if _slices.kind(blended) == _slices.kind(like):
        return parts
    t, r, s = parts
    return asarray(t, like=like), asarray(r, like=like), asarray(s, like=like)


def index_select(trs: Any, dim: int, indices: Any) -> tuple[Any, Any, Any]:
    """Takes some of the transforms of a batch.

    Parameters
    ----------
    trs : tuple of array (..., 3), array (..., 3, 3), array (..., 1)
        Transforms with all batch axes in each part.
    dim : int
        A batch axis; negative ones count from the last axis of the translation, which is -1 and not one.
    indices : array (n,) of int
        Which ones, in this order, repeated or not.

    Returns
    -------
    tuple of array (..., 3), array (..., 3, 3), array (..., 1)
        Of the same kinds, with axis ``dim`` of size n.

    Raises
    ------
    IndexError
        For an axis or an index that is not there.

    Examples
    --------
    >>> import kinarray as ka, numpy as np
    >>> moved = ka.trs.from_translation(np.arange(6.0).reshape(2, 3))
    >>> ka.trs.index_select(moved, 0, np.array([1, 1]))[0]
    array([[3., 4., 5.],
           [3., 4., 5.]])
    """
    import numpy as np

    t, r, s = trs
    listed = isinstance(indices, (list, tuple, range))  # as an array they would be float64
    chosen = np.asarray(indices if listed else asarray(indices, like=np.empty(0)))
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise IndexError(f"indices: expected whole numbers (n,), got {chosen.dtype} {chosen.shape}")
    chosen = chosen.astype(np.int64)
    batch = (s if hasattr(s, "shape") else asarray(s, like=np.empty(0))).shape[:-1]
    axis = dim if dim >= 0 else dim + len(batch) + 1
    if not 0 <= axis < len(batch):
        raise IndexError(f"dim: {dim} is not one of the {len(batch)} batch axes")
    wrong = chosen[(chosen < 0) | (chosen >= batch[axis])]
    if wrong.size:
        raise IndexError(f"indices: {wrong[0]} is not one of the {batch[axis]} along axis {dim}")
    return (
        _slices.take(t, axis, chosen),
        _slices.take(r, axis, chosen),
        _slices.take(s, axis, chosen),
    )


def where(condition: Any, trs_true: Any, trs_false: Any) -> tuple[Any, Any, Any]:
    """Chooses between transforms, item by item.

    Parameters
    ----------
    condition : array (...) of bool
        Where it holds, the first ones are taken. Batch axes broadcast.
    trs_true, trs_false : tuple of array (..., 3), array (..., 3, 3), array (..., 1)

    Returns
    -------
    tuple of array (..., 3), array (..., 3, 3), array (..., 1)
        Each part of the kind, device and dtype of the part of ``trs_true``.

    Raises
    ------
    ShapeError, DTypeError, DeviceError, GradientError

    Examples
    --------
    >>> import kinarray as ka, numpy as np
    >>> one, two = (ka.trs.from_scale(np.array([scale])) for scale in (1.0, 2.0))
    >>> ka.trs.where(np.array([True, False]), one, two)[2]
    array([[1.],
           [2.]])
    """
    import numpy as np

    (t1, r1, s1), (t2, r2, s2) = trs_true, trs_false
    # The narrowest numbers promote nothing; lists are float64, whatever is beside them.
    dtype = np.float64 if kind_of(t1) == "numbers" else np.float16
    chosen = np.asarray(asarray(condition, like=np.empty(0))).astype(bool).astype(dtype)
    row = chosen[..., None]
    return (
        _compiled._where(t1, t2, row),
        _compiled._where(r1, r2, row[..., None]),
        _compiled._where(s1, s2, row),
    )


__all__ = [
    "blend",
    "from_matrix",
    "from_rotation_matrix",
    "from_scale",
    "from_skeleton_state",
    "from_translation",
    "identity",
    "index_select",
    "inverse",
    "multiply",
    "rotmat_from_euler_xyz",
    "rotmat_inverse",
    "rotmat_multiply",
    "rotmat_rotate_vector",
    "slerp",
    "to_matrix",
    "to_skeleton_state",
    "transform_points",
    "where",
]

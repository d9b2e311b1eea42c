"""Shapes that add up to a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ... import autograd
from ... import geometry as _geometry
from ..._core import CharacterError
from .constants import Constants


class BlendShapeBase(Constants):
    """Displacements of vertices, as those of facial expressions.

    Buffer, constant: ``shape_vectors`` (n_shapes, n_vertices, 3).

    Parameters
    ----------
    shape_vectors : kinarray.geometry.BlendShapeBase, or array (n_shapes, n_vertices, 3)
    dtype : torch.dtype
        Of the buffers.

    Examples
    --------
    >>> import torch
    >>> from kinarray.autograd import nn
    >>> shapes = nn.BlendShapeBase(torch.ones(2, 5, 3))
    >>> shapes(torch.tensor([0.5, 2.0]))[0]
    tensor([2.5000, 2.5000, 2.5000])
    """

    def __init__(
        self,
        shape_vectors: _geometry.BlendShapeBase | Any,
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if not isinstance(shape_vectors, _geometry.BlendShapeBase):
            shape_vectors = _geometry.BlendShapeBase.from_tensors(shape_vectors)
        super().__init__(shape_vectors, dtype)

    def _constants(self) -> Mapping[str, Any]:
        return {"shape_vectors": self._source.shape_vectors}

    def forward(self, coeffs: Tensor) -> Tensor:
        """The shape ``(..., n_vertices, 3)`` of coefficients ``(..., n_shapes)``; fewer are those of the first."""
        return autograd.compute_blend_shape(self._source, coeffs)


class BlendShape(BlendShapeBase):
    """A base shape, and displacements of it: the identities of a character.

    Buffers, constant: ``shape_vectors`` (n_shapes, n_vertices, 3), ``base_shape`` (n_vertices, 3).

    Parameters
    ----------
    character : kinarray.geometry.Character
    dtype : torch.dtype
        Of the buffers.

    Raises
    ------
    CharacterError
        No blend shape.

    Examples
    --------
    >>> import torch
    >>> import kinarray as ka
    >>> from kinarray.autograd import nn
    >>> character = ka.testing.create_humanoid(n_vertices=1000)
    >>> base = character.mesh.vertices
    >>> taller = ka.geometry.BlendShape.from_tensors(base, [base * 0.1], ["taller"])
    >>> shapes = nn.BlendShape(character.with_blend_shape(taller))
    >>> bool(torch.allclose(shapes(torch.tensor([2.0])), shapes.base_shape * 1.2))
    True
    """

    def __init__(
        self, character: _geometry.Character, *, dtype: torch.dtype = torch.float32
    ) -> None:
        if character.blend_shape is None:
            raise CharacterError(f"character '{character.name}': it has no blend shape")
        super().__init__(character.blend_shape, dtype=dtype)

    def _constants(self) -> Mapping[str, Any]:
        return {**super()._constants(), "base_shape": self._source.base_shape}

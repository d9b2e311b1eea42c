"""The mesh in rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ... import geometry as _geometry
from ..._core import CharacterError
from .constants import Constants


class Mesh(Constants):
    """A character's mesh as tensors.

    Buffers: ``rest_vertices`` (n_vertices, 3) in the character's unit, ``faces`` (n_faces, 3), ``texcoords``
    (n_texcoords, 2), ``texcoord_faces`` (n_faces or 0, 3). They are used as they are: another state may be
    loaded, and ``rest_vertices`` may be a ``torch.nn.Parameter``.

    Parameters
    ----------
    character : kinarray.geometry.Character
    dtype : torch.dtype
        Of the buffers.

    Raises
    ------
    CharacterError
        No mesh.

    Examples
    --------
    >>> import kinarray as ka
    >>> from kinarray.autograd import nn
    >>> mesh = nn.Mesh(ka.testing.create_humanoid(n_vertices=1000))
    >>> mesh.rest_vertices.shape[-1], mesh.faces.dtype
    (3, torch.int32)
    """

    live = frozenset({"rest_vertices", "faces", "texcoords", "texcoord_faces"})
    trainable = frozenset({"rest_vertices", "texcoords"})

    def __init__(
        self, character: _geometry.Character, *, dtype: torch.dtype = torch.float32
    ) -> None:
        if character.mesh is None:
            raise CharacterError(f"character '{character.name}': it has no mesh")
        super().__init__(character.mesh, dtype)

    def _constants(self) -> Mapping[str, Any]:
        return {
            "rest_vertices": self._source.vertices,
            "faces": self._source.faces,
            "texcoords": self._source.texcoords,
            "texcoord_faces": self._source.texcoord_faces,
        }

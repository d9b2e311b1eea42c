"""Points that move with joints, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ... import autograd
from ... import geometry as _geometry
from ..._core import CharacterError, ShapeError
from .. import skel_state, trs
from .constants import Constants
from .skeleton import Trs


class LinearBlendSkinning(Constants):
    """Linear blend skinning by a character's weights, and its inverse.

    Buffers: ``inverse_bind_pose`` (n_joints, 4, 4) and ``skin_indices`` (n_vertices, n_influences), constant;
    ``skin_weights`` (n_vertices, n_influences), constant too unless a ``torch.nn.Parameter`` is assigned to
    it, which is then computed with and trained.

    Parameters
    ----------
    character : kinarray.geometry.Character
        It must have a mesh with skin weights.
    dtype : torch.dtype
        Of the buffers.

    Raises
    ------
    CharacterError
        No skin weights.

    Examples
    --------
    >>> import torch
    >>> import kinarray as ka
    >>> from kinarray.autograd import nn
    >>> character = ka.testing.create_humanoid(n_vertices=1000)
    >>> skeleton, skin = nn.Skeleton(character), nn.LinearBlendSkinning(character)
    >>> states = skeleton(torch.zeros(2, len(skeleton.joint_names), 7))
    >>> rest = nn.Mesh(character).rest_vertices
    >>> points = skin(states, rest)
    >>> bool(torch.allclose(skin.unpose(states, points), rest.expand(2, -1, -1), atol=1e-4))
    True
    """

    trainable = frozenset({"skin_weights"})

    def __init__(
        self, character: _geometry.Character, *, dtype: torch.dtype = torch.float32
    ) -> None:
        if character.skin_weights is None:
            raise CharacterError(f"character '{character.name}': it has no skin weights")
        super().__init__(character, dtype)
        self.num_vertices = len(character.skin_weights)

    def _constants(self) -> Mapping[str, Any]:
        weights = self._source.skin_weights
        return {
            "inverse_bind_pose": self._source.inverse_bind_pose,
            "skin_indices": weights.index,
            "skin_weights": weights.weight,
        }

    def forward(self, skel_state: Tensor, rest_vertex_positions: Tensor) -> Tensor:
        """Moves points ``(..., n_vertices, 3)`` with joints ``(..., n_joints, 8)``, or ``(..., n_joints, 4, 4)``.

        Batch axes broadcast; the result ``(..., n_vertices, 3)`` is in the character's unit.
        """
        if "skin_weights" in self._parameters:
            return autograd.skin_points_with_weights(
                self._source, skel_state, self.skin_weights, rest_vertex_positions
            )
        return autograd.skin_points(self._source, skel_state, rest_vertex_positions)

    def skin_with_trs(self, global_trs: Trs, rest_vertex_positions: Tensor) -> Tensor:
        """Moves points ``(..., n_vertices, 3)`` with joints that a TRS places in the world."""
        return self(trs.to_matrix(global_trs), rest_vertex_positions)

    def skin_with_transforms(
        self,
        global_state_t: Tensor,
        global_state_r: Tensor,
        global_state_s: Tensor,
        rest_vertex_positions: Tensor,
    ) -> Tensor:
        """The same as :meth:`skin_with_trs`, each part an argument."""
        return self.skin_with_trs(
            (global_state_t, global_state_r, global_state_s), rest_vertex_positions
        )

    def unpose(self, global_joint_state: Tensor, verts: Tensor) -> Tensor:
        """Moves points back: those ``(..., n_vertices, 3)`` that skinning takes to ``verts``.

        Parameters
        ----------
        global_joint_state : tensor (..., n_joints, 8)
        verts : tensor (..., n_vertices, 3)
            World positions. Batch axes broadcast.

        Returns
        -------
        tensor (..., n_vertices, 3)
            Rest positions.

        Raises
        ------
        ShapeError
        torch.linalg.LinAlgError
            A vertex that its joints flatten, such as one without weights, comes from no place.
        """
        if tuple(verts.shape[-2:]) != (self.num_vertices, 3):
            raise ShapeError(
                f"verts: expected (..., n_vertices={self.num_vertices}, 3), got {tuple(verts.shape)}"
            )
        dtype = torch.promote_types(global_joint_state.dtype, verts.dtype)
        joints = skel_state.to_matrix(global_joint_state).to(dtype)
        moves = (joints @ self.inverse_bind_pose.to(dtype))[..., :3, :]
        # One influence at a time: all of them at once are eight times the memory.
        weights, indices = self.skin_weights.to(dtype), self.skin_indices.long()
        blended = sum(
            weights[:, k, None, None] * moves.index_select(-3, indices[:, k])
            for k in range(weights.shape[1])
        )
        offsets = (verts - blended[..., 3]).unsqueeze(-1)
        return torch.linalg.solve(blended[..., :3], offsets).squeeze(-1)

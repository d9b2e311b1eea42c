"""All of a character."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ... import autograd
from ... import geometry as _geometry
from ..._core import CharacterError
from .blend_shape import BlendShape, BlendShapeBase
from .mesh import Mesh
from .parameter_limits import ParameterLimits
from .parameter_transform import ParameterTransform
from .skeleton import Skeleton
from .skinning import LinearBlendSkinning


class Character(torch.nn.Module):
    """A character: its parts as modules, and what can be computed from them.

    The parts are ``skeleton``, ``mesh``, ``parameter_transform``, ``linear_blend_skinning``,
    ``parameter_limits``, ``blend_shape`` and ``face_expression_blend_shape``; one that the character has not,
    or that was not asked for, is ``None``.

    Parameters
    ----------
    character : kinarray.geometry.Character
    has_parameter_transform, has_skeleton, has_rest_mesh, has_skinning, has_limits : bool
        Which parts there are to be; shapes come with the mesh. Attributes of these names say which there are.
    dtype : torch.dtype
        Of the buffers.

    Raises
    ------
    CharacterError
        From methods that need a part that is not there.

    Examples
    --------
    >>> import torch
    >>> import kinarray as ka
    >>> from kinarray.autograd import nn
    >>> character = nn.Character(ka.testing.create_humanoid(n_vertices=1000))
    >>> states = character.model_parameters_to_skeleton_state(
    ...     torch.zeros(2, 3, len(character.parameter_transform.parameter_names)))
    >>> character.skin_points(states).shape == (2, 3, character.linear_blend_skinning.num_vertices, 3)
    True
    """

    def __init__(
        self,
        character: _geometry.Character,
        *,
        has_parameter_transform: bool = True,
        has_skeleton: bool = True,
        has_rest_mesh: bool = True,
        has_skinning: bool = True,
        has_limits: bool = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self._character = character
        has_rest_mesh = has_rest_mesh and character.has_mesh
        has_skinning = has_skinning and character.skin_weights is not None
        has_shapes = has_rest_mesh and character.blend_shape is not None
        face = character.face_expression_blend_shape if has_rest_mesh else None

        def part(wanted: bool, made: Any) -> Any:
            return made(character, dtype=dtype) if wanted else None

        self.skeleton: Skeleton | None = part(has_skeleton, Skeleton)
        self.mesh: Mesh | None = part(has_rest_mesh, Mesh)
        self.parameter_transform: ParameterTransform | None = part(
            has_parameter_transform, ParameterTransform
        )
        self.linear_blend_skinning: LinearBlendSkinning | None = part(
            has_skinning, LinearBlendSkinning
        )
        self.parameter_limits: ParameterLimits | None = part(has_limits, ParameterLimits)
        self.blend_shape: BlendShape | None = part(has_shapes, BlendShape)
        self.face_expression_blend_shape = face and BlendShapeBase(face, dtype=dtype)

    @property
    def has_skeleton(self) -> bool:
        """Whether it has a skeleton."""
        return self.skeleton is not None

    @property
    def has_rest_mesh(self) -> bool:
        """Whether it has a mesh."""
        return self.mesh is not None

    @property
    def has_parameter_transform(self) -> bool:
        """Whether it has a parameter transform."""
        return self.parameter_transform is not None

    @property
    def has_skinning(self) -> bool:
        """Whether it has skin weights."""
        return self.linear_blend_skinning is not None

    @property
    def has_limits(self) -> bool:
        """Whether it has penalties for limits."""
        return self.parameter_limits is not None

    def _part(self, name: str) -> Any:
        found = getattr(self, name)
        if found is None:
            raise CharacterError(
                f"character '{self._character.name}': there is no {name} in this module; the character has"
                " none, or it was built without"
            )
        return found

    def forward(self, model_parameters: Tensor) -> Tensor:
        """Posed points ``(..., n_vertices, 3)`` of model parameters ``(..., n_parameters)``, shapes included."""
        states = self.model_parameters_to_skeleton_state(model_parameters)
        return self.skin_points(states, self.model_parameters_to_rest_vertices(model_parameters))

    def model_parameters_to_joint_parameters(self, model_parameters: Tensor) -> Tensor:
        """Joint parameters ``(..., 7 * n_joints)`` of model parameters ``(..., n_parameters)``."""
        return self._part("parameter_transform")(model_parameters)

    def model_parameters_to_skeleton_state(self, model_parameters: Tensor) -> Tensor:
        """Skeleton states ``(..., n_joints, 8)`` of model parameters ``(..., n_parameters)``."""
        self._part("parameter_transform")
        self._part("skeleton")
        return autograd.model_parameters_to_skeleton_state(self._character, model_parameters)

    def model_parameters_to_local_skeleton_state(self, model_parameters: Tensor) -> Tensor:
        """Local states ``(..., n_joints, 8)`` of model parameters ``(..., n_parameters)``."""
        self._part("parameter_transform")
        self._part("skeleton")
        return autograd.model_parameters_to_local_skeleton_state(self._character, model_parameters)

    def model_parameters_to_blendshape_coefficients(self, model_parameters: Tensor) -> Tensor:
        """The coefficients ``(..., n_shapes)`` of the blend shape, among model parameters."""
        self._part("blend_shape")
        return autograd.model_parameters_to_blend_shape_coefficients(
            self._character, model_parameters
        )

    def model_parameters_to_face_expression_coefficients(self, model_parameters: Tensor) -> Tensor:
        """The coefficients ``(..., n_shapes)`` of facial expressions, among model parameters."""
        self._part("face_expression_blend_shape")
        return autograd.model_parameters_to_face_expression_coefficients(
            self._character, model_parameters
        )

    def model_parameters_to_rest_vertices(self, model_parameters: Tensor) -> Tensor:
        """The rest mesh that model parameters ask for.

        ``(..., n_vertices, 3)``; ``mesh.rest_vertices`` alone where there are no shapes. With a blend shape its
        base counts, and not the mesh.
        """
        rest = self._part("mesh").rest_vertices.to(model_parameters.dtype)
        if self.blend_shape is None and self.face_expression_blend_shape is None:
            return rest
        shaped = autograd.rest_vertices(self._character, model_parameters)
        if self.blend_shape is not None:
            return shaped
        # The core adds expressions to the mesh that it knows, which may be another one.
        none = autograd.rest_vertices(self._character, torch.zeros_like(model_parameters))
        return rest + (shaped - none)

    def joint_parameters_to_skeleton_state(self, joint_parameters: Tensor) -> Tensor:
        """Skeleton states ``(..., n_joints, 8)`` of joint parameters."""
        return self._part("skeleton").joint_parameters_to_skeleton_state(joint_parameters)

    def joint_parameters_to_local_skeleton_state(self, joint_parameters: Tensor) -> Tensor:
        """Local states ``(..., n_joints, 8)`` of joint parameters."""
        return self._part("skeleton").joint_parameters_to_local_skeleton_state(joint_parameters)

    def local_skeleton_state_to_skeleton_state(self, local_skel_state: Tensor) -> Tensor:
        """Skeleton states ``(..., n_joints, 8)`` of local ones."""
        return self._part("skeleton").local_skeleton_state_to_skeleton_state(local_skel_state)

    def bind_pose(self) -> Tensor:
        """The skeleton states ``(n_joints, 8)`` of joint parameters 0, in the dtype of the buffers."""
        offsets = self._part("skeleton").joint_translation_offsets
        zeros = offsets.new_zeros(len(offsets), _geometry.PARAMETERS_PER_JOINT)
        return self.joint_parameters_to_skeleton_state(zeros)

    def skin_points(
        self, skel_state: Tensor, rest_vertex_positions: Tensor | None = None
    ) -> Tensor:
        """Moves points with the joints, by linear blend skinning.

        Parameters
        ----------
        skel_state : tensor (..., n_joints, 8) or (..., n_joints, 4, 4)
        rest_vertex_positions : tensor (..., n_vertices, 3), optional
            ``mesh.rest_vertices`` where not given; shapes play no part then.

        Returns
        -------
        tensor (..., n_vertices, 3)
            World positions, in the character's unit.

        Raises
        ------
        CharacterError, ShapeError, DTypeError, DeviceError
        """
        skinning = self._part("linear_blend_skinning")
        if rest_vertex_positions is None:
            rest_vertex_positions = self._part("mesh").rest_vertices.to(skel_state.dtype)
        return skinning(skel_state, rest_vertex_positions)

    def unpose(self, skel_state: Tensor, vertex_positions: Tensor) -> Tensor:
        """Moves points ``(..., n_vertices, 3)`` back to rest; see :meth:`LinearBlendSkinning.unpose`."""
        return self._part("linear_blend_skinning").unpose(skel_state, vertex_positions)

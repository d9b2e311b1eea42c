"""Model parameters and joint parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ... import autograd
from ... import geometry as _geometry
from .constants import Constants


class ParameterTransform(Constants):
    """The linear map from model parameters to joint parameters.

    Buffers, constant: ``parameter_transform`` (7 * n_joints, n_parameters); masks of the parameters
    ``pose_parameters``, ``rigid_parameters``, ``scaling_parameters``, ``blend_shape_parameters`` and
    ``face_expression_parameters`` (n_parameters,); ``active_joints`` (n_joints,), those that are driven.

    Parameters
    ----------
    character : kinarray.geometry.Character
    dtype : torch.dtype
        Of the buffers.

    Examples
    --------
    >>> import torch
    >>> import kinarray as ka
    >>> from kinarray.autograd import nn
    >>> transform = nn.ParameterTransform(ka.testing.create_humanoid(n_vertices=1000))
    >>> poses = torch.zeros(3, len(transform.parameter_names))
    >>> transform(poses).shape[-1] == 7 * len(transform.active_joints)
    True
    """

    def __init__(
        self, character: _geometry.Character, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(character, dtype)
        self.parameter_names: list[str] = character.parameter_transform.names

    def _constants(self) -> Mapping[str, Any]:
        transform = self._source.parameter_transform
        matrix = np.asarray(transform.transform)
        driven = (matrix != 0).any(axis=1).reshape(-1, _geometry.PARAMETERS_PER_JOINT)
        return {
            "parameter_transform": matrix,
            "pose_parameters": transform.pose_parameters,
            "rigid_parameters": transform.rigid_parameters,
            "scaling_parameters": transform.scaling_parameters,
            "blend_shape_parameters": transform.blend_shape_parameters,
            "face_expression_parameters": transform.face_expression_parameters,
            "active_joints": driven.any(axis=1),
        }

    def forward(self, model_parameters: Tensor) -> Tensor:
        """Joint parameters ``(..., 7 * n_joints)`` of model parameters ``(..., n_parameters)``."""
        return autograd.apply_parameter_transform(self._source, model_parameters)


class InverseParameterTransform(Constants):
    """The least-squares inverse of a parameter transform.

    Buffer, constant: ``parameter_transform`` (7 * n_joints, n_parameters), what is inverted.

    Parameters
    ----------
    parameter_transform : ParameterTransform or kinarray.geometry.Character
    dtype : torch.dtype, optional
        Of the buffer; that of a ``ParameterTransform`` where not given, float32 of a character.

    Examples
    --------
    >>> import torch
    >>> import kinarray as ka
    >>> from kinarray.autograd import nn
    >>> transform = nn.ParameterTransform(ka.testing.create_humanoid(n_vertices=1000))
    >>> poses = torch.full((3, len(transform.parameter_names)), 0.1)
    >>> inverse = nn.InverseParameterTransform(transform)
    >>> found = inverse.joint_parameters_to_model_parameters(transform(poses))
    >>> bool(torch.allclose(found, poses, atol=1e-5))
    True
    """

    def __init__(
        self,
        parameter_transform: ParameterTransform | _geometry.Character,
        *,
        dtype: torch.dtype | None = None,
    ) -> None:
        if isinstance(parameter_transform, ParameterTransform):
            dtype = dtype or parameter_transform.parameter_transform.dtype
            parameter_transform = parameter_transform._source
        super().__init__(parameter_transform, dtype or torch.float32)
        self._inverse = self._source.parameter_transform.inverse()

    def _constants(self) -> Mapping[str, Any]:
        return {"parameter_transform": self._source.parameter_transform.transform}

    def forward(self, joint_parameters: Tensor) -> Tensor:
        """The same as :meth:`joint_parameters_to_model_parameters`."""
        return self.joint_parameters_to_model_parameters(joint_parameters)

    def joint_parameters_to_model_parameters(self, joint_parameters: Tensor) -> Tensor:
        """The model parameters ``(..., n_parameters)`` that come closest; 0 where one drives no joint.

        Joint parameters are ``(..., 7 * n_joints)`` or ``(..., n_joints, 7)``.
        """
        return autograd.apply_inverse_parameter_transform(self._inverse, joint_parameters)

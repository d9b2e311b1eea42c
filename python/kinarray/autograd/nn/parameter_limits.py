"""How far poses are beyond their limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ... import autograd
from ... import geometry as _geometry
from .constants import Constants

_JOINT = ("joint_index", "joint_parameter_index", "min", "max")
_LINEAR = ("scale", "offset", "range_min", "range_max")
_TYPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "MinMax": ("minmax", ("model_parameter_index", "min", "max")),
    "MinMaxJoint": ("minmax_joint", _JOINT),
    "MinMaxJointPassive": ("minmax_joint", _JOINT),
    "Linear": (
        "linear",
        ("reference_model_parameter_index", "target_model_parameter_index", *_LINEAR),
    ),
    "LinearJoint": (
        "linear_joint",
        (
            "reference_joint_index",
            "reference_joint_parameter",
            "target_joint_index",
            "target_joint_parameter",
            *_LINEAR,
        ),
    ),
    "HalfPlane": ("halfplane", ("param1_index", "param2_index", "normal", "offset")),
    "Ellipsoid": ("ellipsoid", ("ellipsoid_parent", "parent", "offset", "ellipsoid")),
}
"""Where the numbers of each type of limit are, and their names."""


class ParameterLimits(Constants):
    """Penalties for poses beyond the limits of a character.

    Buffers, constant: ``residual_weights`` (n_residuals,), the square roots of how much each residual counts;
    and of each type of limit that there is its numbers, as ``minmax_min`` (n_limits,) or ``ellipsoid_offset``
    (n_limits, 3).

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
    >>> limit = ka.geometry.ParameterLimit.create_minmax(3, -0.5, 0.5)
    >>> character = ka.testing.create_humanoid(n_vertices=1000).with_parameter_limits([limit])
    >>> pose = torch.zeros(character.parameter_transform.size)
    >>> pose[3] = 1.5
    >>> nn.ParameterLimits(character)(pose).square()
    tensor([10.])
    """

    def __init__(
        self, character: _geometry.Character, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(character, dtype)

    def _constants(self) -> Mapping[str, Any]:
        weights = np.sqrt(10 * np.asarray(self._source.parameter_limit_weights))
        found = {"residual_weights": weights}
        for type_, (place, names) in _TYPES.items():
            limits = [x for x in self._source.parameter_limits if x.type.name == type_]
            prefix = f"{place}_passive" if type_ == "MinMaxJointPassive" else place
            if limits:
                found[f"{prefix}_weight"] = np.array([x.weight for x in limits])
                data = [getattr(x.data, place) for x in limits]
                for name in names:
                    found[f"{prefix}_{name}"] = _column(name, (getattr(x, name) for x in data))
        return found

    def forward(self, model_parameters: Tensor) -> Tensor:
        """Weighted residuals ``(..., n_residuals)`` of model parameters ``(..., n_parameters)``.

        The sum of their squares is ``parameter_limit_energy``. In the order MinMax, MinMaxJoint, Linear,
        LinearJoint, HalfPlane, Ellipsoid; limits of one type as the character has them, three residuals an
        ellipsoid.
        """
        residuals = autograd.parameter_limit_residuals(self._source, model_parameters)
        return residuals * self.residual_weights.to(residuals.dtype)


def _column(name: str, values: Iterable[Any]) -> np.ndarray[Any, Any]:
    """One number of all limits; a range without an end is infinite."""
    free = -np.inf if name == "range_min" else np.inf
    return np.array([free if x is None else x for x in values])

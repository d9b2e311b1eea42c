"""Joint parameters, and the states of joints that they lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ... import autograd
from ... import geometry as _geometry
from ..._core import ShapeError
from .. import skel_state, trs
from .constants import Constants
from .levels import Levels, Parts

Trs = tuple[Tensor, Tensor, Tensor]

_STATE, _TRS = (-2,), (-2, -3, -2)
"""Where the axis of joints is, in each part."""


class Skeleton(Constants):
    """Forward and inverse kinematics of a character's joints.

    Joint parameters are ``tx ty tz rx ry rz sc`` of each joint, ``(..., 7 * n_joints)`` or ``(..., n_joints,
    7)``: lengths in the character's unit, angles in radians, ``sc`` the log2 of a scale. Skeleton states are
    ``tx ty tz qx qy qz qw s``, ``(..., n_joints, 8)``. A TRS is a tuple of translation ``(..., n_joints, 3)``,
    rotation matrix ``(..., n_joints, 3, 3)`` and scale ``(..., n_joints, 1)``. Local is parent from joint.

    Buffers, constant: ``joint_translation_offsets`` (n_joints, 3), ``joint_prerotations`` (n_joints, 4),
    ``joint_parents`` (n_joints,).

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
    >>> skeleton = nn.Skeleton(ka.testing.create_humanoid(n_vertices=1000))
    >>> joints = torch.zeros(5, len(skeleton.joint_names), 7)
    >>> states = skeleton(joints)
    >>> local = skeleton.skeleton_state_to_local_skeleton_state(states)
    >>> bool(torch.allclose(skeleton.local_skeleton_state_to_skeleton_state(local), states, atol=1e-5))
    True
    """

    def __init__(
        self, character: _geometry.Character, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(character, dtype)
        self.joint_names: list[str] = character.skeleton.joint_names
        self.levels = Levels(character.skeleton.joint_parents)

    def _constants(self) -> Mapping[str, Any]:
        skeleton = self._source.skeleton
        return {
            "joint_translation_offsets": skeleton.offsets,
            "joint_prerotations": skeleton.pre_rotations,
            "joint_parents": skeleton.joint_parents,
        }

    def forward(self, joint_parameters: Tensor) -> Tensor:
        """Skeleton states ``(..., n_joints, 8)`` of joint parameters."""
        return self.joint_parameters_to_skeleton_state(joint_parameters)

    def joint_parameters_to_skeleton_state(self, joint_parameters: Tensor) -> Tensor:
        """Skeleton states ``(..., n_joints, 8)`` of joint parameters."""
        return autograd.joint_parameters_to_skeleton_state(self._source, joint_parameters)

    def joint_parameters_to_local_skeleton_state(self, joint_parameters: Tensor) -> Tensor:
        """Local states ``(..., n_joints, 8)`` of joint parameters."""
        return autograd.joint_parameters_to_local_skeleton_state(self._source, joint_parameters)

    def skeleton_state_to_joint_parameters(self, skel_state: Tensor) -> Tensor:
        """Joint parameters ``(..., 7 * n_joints)`` of skeleton states; the y angles are within a quarter turn."""
        found = autograd.skeleton_state_to_joint_parameters(self._source, skel_state)
        return found.flatten(-2)

    def local_skeleton_state_to_joint_parameters(self, local_skel_state: Tensor) -> Tensor:
        """Joint parameters ``(..., 7 * n_joints)`` of local states."""
        found = autograd.local_skeleton_state_to_joint_parameters(self._source, local_skel_state)
        return found.flatten(-2)

    def local_skeleton_state_to_skeleton_state(self, local_skel_state: Tensor) -> Tensor:
        """Skeleton states ``(..., n_joints, 8)`` of local ones; quaternions of any length but 0."""
        self._check("local_skel_state", local_skel_state, (8,))
        (found,) = self.levels.to_global((local_skel_state,), _STATE, _multiply_states)
        return found

    def skeleton_state_to_local_skeleton_state(self, skel_state: Tensor) -> Tensor:
        """Local states ``(..., n_joints, 8)`` of skeleton states; quaternions of any length but 0."""
        self._check("skel_state", skel_state, (8,))
        (found,) = self.levels.to_local((skel_state,), _STATE, _multiply_states, _invert_states)
        return found

    def joint_parameters_to_trs(self, joint_parameters: Tensor) -> Trs:
        """World from joint as a TRS, of joint parameters."""
        t, r, s = trs.from_skeleton_state(self.joint_parameters_to_skeleton_state(joint_parameters))
        return t, r, s

    def joint_parameters_to_local_trs(self, joint_parameters: Tensor) -> Trs:
        """Parent from joint as a TRS, of joint parameters."""
        local = self.joint_parameters_to_local_skeleton_state(joint_parameters)
        t, r, s = trs.from_skeleton_state(local)
        return t, r, s

    def local_trs_to_global_trs(self, local_trs: Trs) -> Trs:
        """World from joint, of parent from joint."""
        t, r, s = self.levels.to_global(self._parts("local_trs", local_trs), _TRS, trs.multiply)
        return t, r, s

    def global_trs_to_local_trs(self, global_trs: Trs) -> Trs:
        """Parent from joint, of world from joint."""
        parts = self._parts("global_trs", global_trs)
        t, r, s = self.levels.to_local(parts, _TRS, trs.multiply, trs.inverse)
        return t, r, s

    def _parts(self, name: str, parts: Trs) -> Trs:
        """The parts, with all batch axes in each."""
        t, r, s = parts
        self._check(f"{name}: translation", t, (3,))
        self._check(f"{name}: rotation", r, (3, 3))
        self._check(f"{name}: scale", s, (1,))
        lead = torch.broadcast_shapes(t.shape[:-2], r.shape[:-3], s.shape[:-2])
        return (
            t.expand(*lead, *t.shape[-2:]),
            r.expand(*lead, *r.shape[-3:]),
            s.expand(*lead, *s.shape[-2:]),
        )

    def _check(self, name: str, x: Tensor, core: Sequence[int]) -> None:
        expected = (len(self.joint_names), *core)
        if tuple(x.shape[-len(expected) :]) != expected:
            sizes = ", ".join(map(str, core))
            raise ShapeError(
                f"{name}: expected (..., n_joints={expected[0]}, {sizes}), got {tuple(x.shape)}"
            )


def _multiply_states(one: Parts, other: Parts) -> Parts:
    return (skel_state.multiply(*one, *other),)


def _invert_states(states: Parts) -> Parts:
    return (skel_state.inverse(*states),)

"""Motion: a character and its parameters, frame after frame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, BinaryIO

from . import geometry, interop
from ._core import Character, _load_motion, _save_motion

__all__ = ["Motion", "load_motion", "save_motion"]


class Motion:
    """A character and what it does.

    Parameters
    ----------
    character : Character
    model_parameters : array (n_frames, n_parameters)
        Of any kind; kept as it is.
    fps : float
        Frames per second.
    name : str, optional
    times : array (n_frames,), optional
        Seconds of each frame; at an even rate from 0 where not given.
    identity : array (7 * n_joints,), optional
        Joint parameters that are added in every frame, a body's own measures.
    timestamps : sequence of int, optional
        Microseconds of each frame by the clock of the recording.
    clips : sequence of str, optional
        The names of all animations in the file that it came from.

    Examples
    --------
    >>> import kinarray as ka
    >>> import numpy as np
    >>> character = ka.testing.create_humanoid(n_vertices=1000)
    >>> poses = np.zeros((60, character.parameter_transform.size), np.float32)
    >>> motion = ka.motion.Motion(character, poses, fps=30)
    >>> motion
    Motion('', 60 frames at 30 fps, 2 s, 62 joints, m)
    >>> motion.skeleton_states.shape
    (60, 62, 8)
    """

    __slots__ = (
        "_skeleton_states",
        "character",
        "clips",
        "fps",
        "identity",
        "model_parameters",
        "name",
        "times",
        "timestamps",
    )

    def __init__(
        self,
        character: Character,
        model_parameters: Any,
        fps: float = 120.0,
        *,
        name: str = "",
        times: Any = None,
        identity: Any = None,
        timestamps: Sequence[int] | None = None,
        clips: Sequence[str] = (),
    ) -> None:
        if not hasattr(model_parameters, "shape"):
            model_parameters = interop.asarray(model_parameters, like=model_parameters)
        shape = tuple(model_parameters.shape)
        expected = character.parameter_transform.size
        if len(shape) != 2 or shape[1] != expected:
            from . import ShapeError

            message = f"model_parameters: expected (n_frames, {expected}) = (n_frames, n_parameters), got {shape}"
            raise ShapeError(message)
        self.character = character
        self.model_parameters = model_parameters
        self.fps = float(fps)
        self.name = name
        self.times = times if times is not None else [frame / self.fps for frame in range(shape[0])]
        self.identity = identity
        self.timestamps = timestamps
        self.clips = tuple(clips)
        self._skeleton_states: Any = None

    @property
    def n_frames(self) -> int:
        """The number of frames."""
        return int(self.model_parameters.shape[0])

    def __len__(self) -> int:
        return self.n_frames

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last one."""
        return self.n_frames / self.fps

    @property
    def joint_parameters(self) -> Any:
        """``(n_frames, 7 * n_joints)``, the identity added; of the kind of the model parameters."""
        transform = self.character.parameter_transform
        parameters = transform.apply(self.model_parameters)
        return parameters if self.identity is None else parameters + self.identity

    @property
    def skeleton_states(self) -> Any:
        """World from joint, ``(n_frames, n_joints, 8)``; computed once, when first asked for."""
        if self._skeleton_states is None:
            self._skeleton_states = geometry.joint_parameters_to_skeleton_state(
                self.character, self.joint_parameters
            )
        return self._skeleton_states

    def save(self, path: str | os.PathLike[str] | BinaryIO, *, format: str | None = None) -> None:
        """Save it; see :func:`kinarray.save_motion`."""
        save_motion(path, self, format=format)

    @staticmethod
    def load(source: Any, unit: str = "m", up: str | None = None, **options: Any) -> Motion:
        """Load one; see :func:`kinarray.load_motion`."""
        return load_motion(source, unit, up, **options)

    def __repr__(self) -> str:
        joints = len(self.character.skeleton)
        return (
            f"Motion({self.name!r}, {self.n_frames} frames at {self.fps:g} fps, {self.duration:g} s, "
            f"{joints} joints, {self.character.unit})"
        )


def load_motion(
    source: Any,
    unit: str = "m",
    up: str | None = None,
    *,
    character: Character | None = None,
    clip: int | str | None = None,
    fps: float | None = None,
    format: str | None = None,
    file_unit: str | None = None,
    normalize_weights: bool = True,
    position_channels: str = "add",
    root: str | os.PathLike[str] | None = None,
) -> Motion:
    """Load one animation of a file, and what it moves.

    Parameters
    ----------
    source : str, os.PathLike, bytes-like, or binary file object
        glTF, FBX, BVH, AMC (with the ASF beside it), DeepMimic.
    unit : {"m", "cm", "mm"}
        The unit of the character's lengths, and of parameters that are lengths.
    up : {"x", "y", "z"}, optional
        The axis that points up in the result; the file's own where not given.
    character : Character, optional
        What moves, where the file holds parameters and no skeleton (``.amc``).
    clip : int or str, optional
        Index or name of the animation; the first one where not given.
    fps : float, optional
        Frames per second; the file's own where not given.
    format, file_unit, normalize_weights, position_channels, root
        As in :func:`kinarray.load_character`.

    Returns
    -------
    Motion
        In float32 where the file stores single precision (glTF), else in float64.

    Raises
    ------
    FormatError
        Naming the file, the place inside it, what was expected and what was found; also where the file
        has no such animation.

    Warns
    -----
    UserWarning
        For each feature that was left out.

    Examples
    --------
    >>> import kinarray as ka
    >>> text = b'''HIERARCHY
    ... ROOT hip
    ... {
    ...   OFFSET 0 0 0
    ...   CHANNELS 3 Zrotation Yrotation Xrotation
    ... }
    ... MOTION
    ... Frames: 2
    ... Frame Time: 0.5
    ... 0 0 0
    ... 90 0 0
    ... '''
    >>> ka.load_motion(text)
    Motion('', 2 frames at 2 fps, 1 s, 1 joints, m)
    """
    character, fields = _load_motion(
        source,
        unit,
        up,
        character,
        clip,
        fps,
        format,
        file_unit,
        normalize_weights,
        position_channels,
        root,
    )
    return Motion(character, **fields)


def save_motion(
    path: str | os.PathLike[str] | BinaryIO, motion: Motion, *, format: str | None = None
) -> None:
    """Save a motion and what it moves.

    Parameters
    ----------
    path : str, os.PathLike, or binary file object
        The suffix tells the format: ``.glb``, ``.gltf``, ``.fbx``, ``.bvh``.
    motion : Motion
    format : str, optional
        The name of the format or a suffix, where the path does not tell.

    Raises
    ------
    InvalidValueError
        The format holds no motion, or is read only.
    OSError
        The file cannot be written; one that was there stays as it was.

    Warns
    -----
    UserWarning
        For what the format cannot hold.

    Examples
    --------
    >>> import io
    >>> import kinarray as ka
    >>> import numpy as np
    >>> character = ka.testing.create_humanoid(n_vertices=1000)
    >>> poses = np.zeros((60, character.parameter_transform.size), np.float32)
    >>> file = io.BytesIO()
    >>> ka.save_motion(file, ka.motion.Motion(character, poses, fps=30), format="glb")
    >>> len(ka.load_motion(file.getvalue()))
    60
    """
    timestamps = None if motion.timestamps is None else [int(time) for time in motion.timestamps]
    _save_motion(
        path,
        motion.character,
        motion.model_parameters,
        motion.fps,
        motion.name,
        motion.identity,
        timestamps,
        format,
    )

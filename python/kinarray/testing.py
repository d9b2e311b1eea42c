"""Characters that the package builds itself, a walk for them, and pictures.

>>> import kinarray as ka
>>> character = ka.testing.create_humanoid(n_vertices=1000)
>>> poses = ka.testing.walk_cycle(character, n_frames=32)
>>> poses.shape == (32, character.parameter_transform.size)
True
"""

from __future__ import annotations

from typing import Any

from ._core import create_character, create_humanoid, render_png, walk_cycle

__all__ = ["create_character", "create_humanoid", "render", "walk_cycle"]


def render(character: Any, figures: Any, *, width: int = 1400, height: int = 560) -> bytes:
    """Draw posed copies of a character side by side.

    Parameters
    ----------
    character : Character
        It must have a mesh.
    figures : array (n_figures, n_joints, 8) or (n_figures, n_vertices, 3)
        Skeleton states, or positions of the vertices; of any kind. Without the first axis it is one figure.
    width, height : int
        Pixels.

    Returns
    -------
    bytes
        A PNG file. In a notebook, ``IPython.display.Image(...)`` shows it.

    Raises
    ------
    CharacterError
        The character has no mesh.

    Examples
    --------
    >>> import kinarray as ka
    >>> character = ka.testing.create_humanoid(n_vertices=1000)
    >>> poses = ka.testing.walk_cycle(character, n_frames=32)
    >>> states = ka.geometry.model_parameters_to_skeleton_state(character, poses)
    >>> png = ka.testing.render(character, states[::8], width=400, height=160)
    >>> png[1:4]
    b'PNG'
    """
    from . import CharacterError

    mesh = character.mesh
    if mesh is None:
        raise CharacterError(f"character '{character.name}': it has no mesh to draw")
    if figures.shape[-1] == 8:
        figures = character.skin_points(figures)
    return render_png(figures, mesh.faces, width, height)

"""Characters as ``torch.nn`` modules, with the classes and methods of PyMomentum's ``torch.character``.

Every method is a function of :mod:`kinarray.autograd` applied to the character that the module was made of,
so derivatives of both orders, ``torch.func`` and ``torch.compile`` are at hand. Any number of leading axes is
a batch, none included. Results have the dtype of the arguments. ``dtype=`` is that of the buffers; only where
one of them is computed with (the rest vertices, and in ``unpose``) are results no more exact than that.

Buffers say what a module was made of; ``state_dict`` holds them, and they follow ``.to(dtype)``. The
character computes, not its buffers: so loading a state whose constants are not the character's is an error
that names the buffer, and a constant cannot become a ``Parameter``. What can be trained is listed at the
classes: the buffers of :class:`Mesh`, and the weights of :class:`LinearBlendSkinning`, are used as they are.
Numbers written into any other buffer change nothing.

Importing this imports torch.

>>> import torch
>>> import kinarray as ka
>>> from kinarray.autograd import nn
>>> character = nn.Character(ka.testing.create_humanoid(n_vertices=1000))
>>> pose = torch.zeros(4, len(character.parameter_transform.parameter_names), requires_grad=True)
>>> states = character.model_parameters_to_skeleton_state(pose)
>>> character.skin_points(states).square().mean().backward()
>>> pose.grad.shape == pose.shape
True
"""

from .blend_shape import BlendShape, BlendShapeBase
from .character import Character
from .mesh import Mesh
from .parameter_limits import ParameterLimits
from .parameter_transform import InverseParameterTransform, ParameterTransform
from .skeleton import Skeleton
from .skinning import LinearBlendSkinning

__all__ = [
    "BlendShape",
    "BlendShapeBase",
    "Character",
    "InverseParameterTransform",
    "LinearBlendSkinning",
    "Mesh",
    "ParameterLimits",
    "ParameterTransform",
    "Skeleton",
]

"""Calls on PyMomentum that take more than one step; for `peer_runner.py`, as `parts.<name>`."""

import json

import numpy as np
import pymomentum.axel as axel
import pymomentum.geometry as geometry
import pymomentum.solver2 as solver2
from solids import SOLIDS


def with_solids(character, forms, parents, transformations, numbers):
    """The character with solids given as arrays: see `solids.py`."""
    return character.with_collision_geometry(
        [
            SOLIDS[form](geometry, int(parent), transformation, number)
            for form, parent, transformation, number in zip(
                forms, parents, transformations, numbers, strict=True
            )
        ]
    )


def skin_skinned_locators(character, parents, weights, positions, states, *rest):
    locators = [
        geometry.SkinnedLocator(f"locator{n}", *parts)
        for n, parts in enumerate(zip(parents, weights, positions, strict=True))
    ]
    return character.with_skinned_locators(locators).skin_skinned_locators(states, *rest)


def overlaps(character, forms, parents, transformations, numbers, poses):
    """Of each pose: its error, the colliding pairs and their overlaps, -1 where there are fewer."""
    character = with_solids(character, forms, parents, transformations, numbers)
    function = solver2.CollisionErrorFunction(character)
    n = len(forms) ** 2
    errors = np.zeros(len(poses))
    pairs, depths = np.full((len(poses), n, 2), -1), np.full((len(poses), n), -1.0)
    for which, pose in enumerate(poses):
        errors[which] = function.get_error(pose)
        info = function.get_collision_debug_info()
        count = len(info["overlaps"])
        pairs[which, :count] = info["capsule_indices"]
        depths[which, :count] = info["overlaps"]
    return errors, pairs, depths


def contacts(character, forms, parents, transformations, numbers, floor, state, *arguments):
    """`support_contacts`, then `support_polygon`, then the contacts of the solids alone."""
    character = with_solids(character, forms, parents, transformations, numbers)
    locators = [geometry.Locator(f"Floor{n}", n, offset) for n, offset in enumerate(floor)]
    character = character.with_locators([*locators, geometry.Locator("floor", 0)])
    return (
        *geometry.support_contacts(character, state, *arguments),
        geometry.support_polygon(character, state, *arguments),
        *geometry.plane_collision_contacts_by_parent(character, state, *arguments),
    )


def read_field(bounds, data, positions):
    field = axel.SignedDistanceField(axel.BoundingBox(*bounds), data)
    return (
        field.sample(positions),
        field.gradient(positions),
        np.asarray(field.voxel_size),
        np.array(field, copy=True),
    )


def scaled_body(character, scale, density):
    body = geometry.JointPhysicalProperties()
    body.mass, body.joint_index, body.joint_name = 2.0, 1, "joint_001"
    body.inertia = np.diag([1.0, 2.0, 3.0]).astype(np.float32)
    body.center_of_mass_offset = [1.0, 2.0, 3.0]
    character = character.clone()
    character.physical_properties = [body]
    policy = geometry.CharacterMassScale(int(density))
    (body,) = character.scaled(scale, policy).physical_properties
    return np.array(body.mass), body.inertia, body.center_of_mass_offset


def rebound(character, states):
    """The inverse bind pose after `rebind_skin`."""
    return character.rebind_skin().inverse_bind_pose


def members(name):
    found = getattr(geometry, name).__members__
    return np.array([*found]), np.array([member.value for member in found.values()])


def occluded(*arguments):
    return np.array(geometry.Marker(*arguments).occluded)


def body_of_no_joint(character):
    """Which joint a character's body names after one of joint 77 was given."""
    body = geometry.JointPhysicalProperties()
    body.joint_index = 77
    character = character.clone()
    character.physical_properties = [body]
    return np.array(character.physical_properties[0].joint_index)


def described(path):
    """What the peer finds in a GLB: arrays, and texts as JSON."""
    character, motion, identity, fps = geometry.Character.load_gltf_with_motion(path)
    _, baked, _ = geometry.Character.load_gltf_with_skel_states(path)
    states = geometry.model_parameters_to_skeleton_state(character, motion)
    texts = {
        "name": character.name,
        "joints": list(character.skeleton.joint_names),
        "parents": [int(p) for p in character.skeleton.joint_parents],
        "parameters": list(character.parameter_transform.names),
        "limits": [str(limit) for limit in character.parameter_limits],
        "locators": [str(locator) for locator in character.locators],
        "solids": [str(solid) for solid in character.collision_geometry],
        "shapes": list(character.blend_shape.shape_names),
        "metadata": character.metadata,
        "fps": fps,
        "timestamps": geometry.Character.load_motion_timestamps(path),
        "markers": [
            [[m.name, *map(float, m.pos), m.confidence] for m in frame]
            for sequence in geometry.load_markers(path)
            for frame in sequence.frames
        ],
    }
    sets = character.parameter_transform.parameter_sets
    texts["sets"] = {name: [bool(x) for x in mask] for name, mask in sets.items()}
    numbers = [
        motion,
        identity,
        baked,
        states,
        character.skeleton.offsets,
        character.skeleton.pre_rotations,
        character.parameter_transform.transform,
        character.inverse_bind_pose,
        character.mesh.vertices,
        character.mesh.normals,
        character.mesh.faces,
        character.mesh.texcoords,
        character.mesh.texcoord_faces,
        character.skin_weights.index,
        character.skin_weights.weight,
        character.blend_shape.shape_vectors,
    ]
    return (json.dumps(texts), *numbers)


def save_moving(source, target, poses, offsets, timestamps):
    """A character with motion, offsets, markers and times, written by the peer."""
    character = geometry.Character.load_gltf(source)
    markers = [
        [
            geometry.Marker("seen", np.array([1.5, 2.5, frame]), False, 0.5),
            geometry.Marker("at times", np.array([4.0, 5.0, 6.0]), frame == 2, 1.0),
        ]
        for frame in range(len(poses))
    ]
    geometry.Character.save_gltf(
        target,
        character,
        60.0,
        motion=(list(character.parameter_transform.names), poses),
        offsets=(list(character.skeleton.joint_names), offsets),
        markers=markers,
        timestamps=[int(time) for time in timestamps],
    )
    return 0


def described_fbx(path):
    """What the peer finds in an FBX file, in centimetres: the motion of the joints and the skin that follows."""
    character, motions, fps = geometry.Character.load_fbx_with_motion(path, permissive=True)
    states = geometry.joint_parameters_to_skeleton_state(character, motions[0])
    texts = {
        "joints": list(character.skeleton.joint_names),
        "parents": [int(p) for p in character.skeleton.joint_parents],
        "locators": sorted(locator.name for locator in character.locators),
        "fps": fps,
    }
    return json.dumps(texts), states, character.mesh.vertices, character.skin_points(states)


def described_figure(json_path, model_path, locators_path):
    """What the peer makes of its own text files, in centimetres."""
    character = geometry.Character.load_legacy_json(json_path)
    character = character.load_model_definition(model_path).load_locators(locators_path)
    texts = {
        "joints": list(character.skeleton.joint_names),
        "parents": [int(p) for p in character.skeleton.joint_parents],
        "parameters": list(character.parameter_transform.names),
        "n_limits": len(character.parameter_limits),
        "locators": [[locator.name, int(locator.parent)] for locator in character.locators],
    }
    numbers = [
        character.skeleton.offsets,
        character.skeleton.pre_rotations,
        character.parameter_transform.transform,
        np.array([locator.offset for locator in character.locators]),
        character.mesh.vertices,
    ]
    return (json.dumps(texts), *numbers)


def described_markers(path):
    """What the peer reads of the markers of a recording, in centimetres and y-up."""
    (sequence,) = geometry.load_markers(path)
    frames = sequence.frames
    names = sorted({marker.name for frame in frames for marker in frame})
    places = np.full((len(frames), len(names), 3), np.nan)
    for frame, row in zip(frames, places):
        for marker in frame:
            if not marker.occluded:
                row[names.index(marker.name)] = marker.pos
    return json.dumps({"names": names, "fps": sequence.fps}), places

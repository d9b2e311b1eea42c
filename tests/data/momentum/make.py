"""Made the files of this folder with PyMomentum 0.1.114, and what it reads from them (`expected.json`).

`figure.model` and `figure.locators` are our own text. `figure.mmo` is put together here, byte by byte, since the
package cannot write one from Python. Run by hand; the tests only read the results.
"""

import json
import pathlib
import struct

import numpy as np
import pymomentum.geometry as geometry

HERE = pathlib.Path(__file__).parent
NONE = 2**64 - 1


def quaternion(axis, angle):
    xyz = np.array(axis) / np.linalg.norm(axis) * np.sin(angle / 2)
    return np.array([*xyz, np.cos(angle / 2)], dtype=np.float32)


def joint(name, parent, offset, rotation=(0, 0, 0, 1)):
    return geometry.Joint(
        name, parent, np.array(rotation, np.float32), np.array(offset, np.float32)
    )


def matrix(rotation, shift):
    x, y, z, w = map(float, rotation)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    result = np.eye(4, dtype=np.float32)
    result[:3, :3], result[:3, 3] = turn, shift
    return result


def figure():
    skeleton = geometry.Skeleton(
        [
            joint("root", -1, (1, 90, 2)),
            joint("spine", 0, (0, 20, 3), quaternion((1, 2, 3), 0.7)),
            joint("l_arm", 1, (15, 5, -1), quaternion((0, 1, 1), -1.1)),
            joint("r_arm", 1, (-15, 5, -1), quaternion((0, 1, -1), 1.1)),
            joint("head", 1, (0, 25, 0.5)),
        ]
    )
    transform = geometry.ParameterTransform(
        ["root_tx"], skeleton, np.eye(7 * len(skeleton.joint_names), 1, dtype=np.float32)
    )
    locators = [
        geometry.Locator("nose", 4, np.array([0.5, 4, 9], np.float32), np.array([1, 0, 1]), 0.5),
        geometry.Locator(
            "wrist",
            2,
            np.array([20, -1.5, 0.25], np.float32),
            weight=2.0,
            limit_origin=np.array([20, -1.5, 0.25], np.float32),
            limit_weight=np.array([0.0, 1.5, 0.25], np.float32),
            attached_to_skin=True,
            skin_offset=0.75,
        ),
    ]
    character = geometry.Character("figure", skeleton, transform, locators=locators)
    random = np.random.default_rng(5)
    vertices = random.normal(size=(6, 3)).astype(np.float32) * 10
    mesh = geometry.Mesh(
        vertices,
        np.array([[0, 1, 2], [2, 3, 0], [3, 4, 5]], np.int32),
        texcoords=random.uniform(size=(4, 2)).astype(np.float32),
        texcoord_faces=np.array([[0, 1, 2], [2, 3, 0], [3, 1, 2]], np.int32),
    )
    index = np.array([[0, 1, 0], [1, 2, 0], [1, 0, 0], [4, 0, 0], [2, 1, 0], [3, 1, 4]], np.int32)
    weights = np.array(
        [[0.75, 0.25, 0], [0.5, 0.5, 0], [1, 0, 0], [1, 0, 0], [0.3, 0.7, 0], [0.6, 0.3, 0.1]],
        np.float32,
    )
    character = character.with_mesh_and_skin_weights(mesh, geometry.SkinWeights(index, weights))
    solids = [
        geometry.TaperedCapsule(
            parent=1,
            transformation=matrix(quaternion((0, 0, 1), 0.5), (1, 2, 3)),
            radius=np.array([3, 2], np.float32),
            length=12.5,
        ),
        geometry.TaperedCapsule(
            parent=4,
            transformation=matrix(quaternion((1, 0, 0), 0.25), (0, 1, 0)),
            radius=np.array([8, 8.5], np.float32),
            length=4.0,
        ),
        geometry.Ellipsoid(
            parent=2,
            transformation=matrix(quaternion((1, 2, 1), 1.25), (0.5, 0, 2)),
            radii=np.array([1, 2, 3], np.float32),
        ),
        geometry.Box(
            parent=3,
            transformation=matrix(quaternion((3, 1, 0), -2.5), (0, 7, 0)),
            half_extents=np.array([4, 5, 6], np.float32),
        ),
    ]
    return character.with_collision_geometry(solids)


def limit(one):
    data, kind = one.data, one.type.name
    fields = {
        "MinMax": ("minmax", ["model_parameter_index", "min", "max"]),
        "MinMaxJoint": ("minmax_joint", ["joint_index", "joint_parameter_index", "min", "max"]),
        "MinMaxJointPassive": (
            "minmax_joint",
            ["joint_index", "joint_parameter_index", "min", "max"],
        ),
        "Linear": (
            "linear",
            [
                "reference_model_parameter_index",
                "target_model_parameter_index",
                "scale",
                "offset",
                "range_min",
                "range_max",
            ],
        ),
        "LinearJoint": (
            "linear_joint",
            [
                "reference_joint_index",
                "reference_joint_parameter",
                "target_joint_index",
                "target_joint_parameter",
                "scale",
                "offset",
                "range_min",
                "range_max",
            ],
        ),
        "HalfPlane": ("halfplane", ["param1_index", "param2_index", "normal", "offset"]),
        "Ellipsoid": ("ellipsoid", ["ellipsoid_parent", "parent", "offset", "ellipsoid"]),
    }
    holder, names = fields[kind]
    holder = getattr(data, holder)
    values = [getattr(holder, name) for name in names]
    return {
        "kind": kind,
        "weight": one.weight,
        "values": [x.tolist() if hasattr(x, "tolist") else x for x in values],
    }


def definition(character):
    transform = character.parameter_transform
    return {
        "names": list(transform.names),
        "transform": transform.transform.tolist(),
        "sets": {name: mask.tolist() for name, mask in transform.parameter_sets.items()},
        "limits": [limit(one) for one in character.parameter_limits],
    }


def locators(character):
    return [
        {
            "name": one.name,
            "parent": one.parent,
            "offset": one.offset.tolist(),
            "locked": one.locked.tolist(),
            "weight": one.weight,
            "limit_origin": one.limit_origin.tolist(),
            "limit_weight": one.limit_weight.tolist(),
            "attached_to_skin": one.attached_to_skin,
            "skin_offset": one.skin_offset,
        }
        for one in character.locators
    ]


def sizes(solid):
    if isinstance(solid, geometry.TaperedCapsule):
        return [*solid.radius.tolist(), solid.length]
    return (solid.radii if isinstance(solid, geometry.Ellipsoid) else solid.half_extents).tolist()


def whole(character):
    mesh, weights = character.mesh, character.skin_weights
    return {
        "joints": [
            {
                "name": j.name,
                "parent": j.parent,
                "rotation": j.pre_rotation.tolist(),
                "offset": j.translation_offset.tolist(),
            }
            for j in character.skeleton.joints
        ],
        "vertices": mesh.vertices.tolist(),
        "normals": mesh.normals.tolist(),
        "faces": mesh.faces.tolist(),
        "texcoords": mesh.texcoords.tolist(),
        "texcoord_faces": mesh.texcoord_faces.tolist(),
        "index": weights.index.tolist(),
        "weight": weights.weight.tolist(),
        "locators": locators(character),
        "solids": [
            {
                "parent": one.parent,
                "transformation": one.transformation.tolist(),
                "form": type(one).__name__,
                "sizes": sizes(one),
            }
            for one in character.collision_geometry
        ],
    }


def mmo(names, joints, offsets, poses):
    """Little-endian: three sizes, names with their lengths, offsets of joints, frames."""
    data = struct.pack("<3Q", len(names), len(joints), len(poses))
    for name in [*names, *joints]:
        data += struct.pack("<Q", len(name.encode())) + name.encode()
    return data + np.asarray(offsets, "<f4").tobytes() + np.asarray(poses, "<f4").tobytes()


def main():
    character = figure()
    text = geometry.Character.to_legacy_json_string(character)
    (HERE / "figure.json").write_text(text)
    character.save_locators(str(HERE / "figure.global.locators"), geometry.LocatorSpace.Global)
    character.save_locators(str(HERE / "figure.local.locators"), geometry.LocatorSpace.Local)
    bare = geometry.Character("figure", character.skeleton, character.parameter_transform)
    modelled = bare.load_model_definition(str(HERE / "figure.model"))
    names = list(modelled.parameter_transform.names)
    joints = list(character.skeleton.joint_names)
    random = np.random.default_rng(6)
    # Another order, a parameter of nobody, a joint of nobody.
    stored, carried = [*names[::-1], "__heart_rate__", "tail_rx"], [*joints[::-1], "tail"]
    poses = random.normal(size=(3, len(stored))).astype(np.float32)
    offsets = random.normal(size=(len(carried), 7)).astype(np.float32)
    (HERE / "figure.mmo").write_bytes(mmo(stored, carried, offsets, poses))
    expected = {
        "json": whole(geometry.Character.load_legacy_json_from_string(text)),
        "model": definition(modelled),
        "locators": {
            name: locators(bare.load_locators(str(HERE / f"figure.{name}")))
            for name in ("locators", "global.locators", "local.locators")
        },
        "mmo": {
            "poses": poses[:, : len(names)][:, ::-1].tolist(),
            "offsets": offsets[: len(joints)][::-1].tolist(),
        },
    }
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()

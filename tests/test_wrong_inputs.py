"""Wrong inputs, as a user would make them: each a clear exception of the right class, nothing lost."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import kinarray as ka
from kinarray.geometry import (
    Character,
    Joint,
    Mesh,
    ParameterTransform,
    Skeleton,
    SkinWeights,
    compute_vertex_normals,
    model_parameters_to_positions,
    model_parameters_to_skeleton_state,
)

IDENTITY = [0, 0, 0, 1]


@pytest.fixture(scope="module")
def character():
    return ka.testing.create_humanoid(n_vertices=600)


@pytest.fixture
def poses(character):
    return np.zeros((3, character.parameter_transform.size), np.float32)


def test_a_wrong_trailing_size_is_named_with_both_shapes(character):
    size = character.parameter_transform.size
    with pytest.raises(ka.ShapeError) as error:
        model_parameters_to_skeleton_state(character, np.zeros((4, size - 1)))
    text = str(error.value)
    assert "model_parameters" in text
    assert f"{size}" in text
    assert f"(4, {size - 1})" in text
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, RuntimeError)  # what PyMomentum raises


def test_a_scalar_is_no_pose(character):
    with pytest.raises(ka.ShapeError):
        model_parameters_to_skeleton_state(character, np.float32(1))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.complex64])
def test_poses_of_another_type_are_refused_not_converted(character, poses, dtype):
    with pytest.raises(ka.DTypeError, match="float32 or float64") as error:
        model_parameters_to_skeleton_state(character, poses.astype(dtype))
    assert np.dtype(dtype).name in str(error.value)
    assert isinstance(error.value, TypeError)


@pytest.mark.parametrize(
    "thing", [None, "poses", object(), {"a": 1}, [1.0, "x"], [[1.0], [1.0, 2.0]]]
)
def test_what_is_no_array_is_refused(character, thing):
    with pytest.raises((TypeError, ka.ShapeError)):
        model_parameters_to_skeleton_state(character, thing)


def test_a_tensor_that_wants_gradients_is_not_silently_detached(character, poses):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(poses).requires_grad_()
    with pytest.raises(ka.GradientError, match="kinarray.autograd") as error:
        model_parameters_to_skeleton_state(character, tensor)
    assert "detach" in str(error.value)
    with torch.no_grad():
        model_parameters_to_skeleton_state(character, tensor)
    model_parameters_to_skeleton_state(character, tensor.detach())


def test_a_tensor_on_another_device_is_not_transferred(character):
    torch = pytest.importorskip("torch")
    meta = torch.zeros(3, character.parameter_transform.size, device="meta")
    with pytest.raises((ka.DeviceError, ValueError, TypeError), match="meta"):
        model_parameters_to_skeleton_state(character, meta)


def test_a_tracer_gets_told_about_the_bridge(character, poses):
    jax = pytest.importorskip("jax")
    for transform in (jax.jit, jax.vmap):
        with pytest.raises(ka.GradientError, match="kinarray.autograd"):
            transform(lambda x: model_parameters_to_skeleton_state(character, x))(poses)
    with pytest.raises(ka.GradientError, match="stop_gradient"):
        jax.grad(lambda x: model_parameters_to_skeleton_state(character, x).sum())(poses)


def test_batch_axes_that_do_not_fit_are_named(character):
    state = np.zeros((2, len(character.skeleton), 8))
    with pytest.raises(ka.ShapeError, match=r"\(2,\) and \(3,\)"):
        character.skin_points(state, np.zeros((3, character.mesh.n_vertices, 3)))


@pytest.mark.parametrize(
    "out",
    [
        lambda good: good[:-1],
        lambda good: good.astype(np.float64),
        lambda good: good.tolist(),
    ],
)
def test_a_wrong_out_is_refused(character, poses, out):
    good = model_parameters_to_skeleton_state(character, poses)
    with pytest.raises((ka.ShapeError, ka.DTypeError, TypeError, ValueError)):
        model_parameters_to_skeleton_state(character, poses, out=out(good))


def test_a_read_only_out_is_refused(character, poses):
    out = model_parameters_to_skeleton_state(character, poses)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        model_parameters_to_skeleton_state(character, poses, out=out)


def test_parents_come_before_children():
    with pytest.raises(ka.CharacterError, match="joint 'a'.*precede"):
        Skeleton([Joint("a", 1, IDENTITY, [0, 0, 0]), Joint("b", -1, IDENTITY, [0, 0, 0])])
    with pytest.raises(
        ka.CharacterError, match="joint 'l_wrist': parent index 41, but the skeleton has 2 joints"
    ):
        Skeleton([Joint("a", -1, IDENTITY, [0, 0, 0]), Joint("l_wrist", 41, IDENTITY, [0, 0, 0])])
    with pytest.raises(ka.CharacterError, match="unit quaternion"):
        Skeleton([Joint("a", -1, [0, 0, 0, 2], [0, 0, 0])])
    with pytest.raises(ka.CharacterError, match="-7"):
        Joint("a", -7, IDENTITY, [0, 0, 0])
    with pytest.raises(ka.ShapeError, match="pre_rotation: expected 4 numbers"):
        Joint("a", -1, [0, 0, 1], [0, 0, 0])


def test_weights_for_a_missing_joint_are_refused(character):
    mesh = character.mesh
    index = np.zeros((mesh.n_vertices, 1), int)
    index[5] = 999
    with pytest.raises(ka.CharacterError, match="vertex 5: joint index 999"):
        character.with_mesh_and_skin_weights(
            mesh, SkinWeights(index, np.ones((mesh.n_vertices, 1)))
        )
    with pytest.raises(ka.CharacterError, match="rows"):
        character.with_mesh_and_skin_weights(mesh, SkinWeights([[0]], [[1.0]]))
    with pytest.raises(ka.ShapeError, match="n_influences"):
        SkinWeights([[0, 1]], [[1.0]])
    with pytest.raises(ValueError, match="-1 is not an index"):
        SkinWeights([[-1]], [[1.0]])


def test_triangles_out_of_range_are_named(character):
    corners = np.zeros((3, 3), np.float32)
    with pytest.raises(ka.CharacterError, match=r"triangle 0.*vertex 3.*3 vertices"):
        Mesh(corners, [[0, 1, 3]])
    with pytest.raises(ValueError, match="3"):
        compute_vertex_normals(corners, [[0, 1, 3]])
    with pytest.raises(ka.DTypeError, match="integer"):
        compute_vertex_normals(corners, np.zeros((1, 3)))
    with pytest.raises(ka.ShapeError, match="n_faces, 3"):
        compute_vertex_normals(corners, [[0, 1]])


def test_colours_are_bytes():
    corners = np.zeros((3, 3), np.float32)
    with pytest.raises(ValueError, match="expected 0 to 255, got 300"):
        Mesh(corners, [[0, 1, 2]], colors=[[0, 0, 0], [300, 0, 0], [0, 0, 0]])
    mesh = Mesh(corners, [[0, 1, 2]], colors=[[0, 0, 0], [255, 0, 0], [0, 0, 0]])
    assert mesh.colors[1].tolist() == [255, 0, 0]


def test_points_on_a_missing_joint_are_refused(character, poses):
    with pytest.raises(ValueError, match="999"):
        model_parameters_to_positions(character, poses, [999], [[0.0, 0.0, 0.0]])
    with pytest.raises(ka.ShapeError, match="offsets"):
        model_parameters_to_positions(character, poses, [0, 1], [[0.0, 0.0, 0.0]])


def test_a_character_without_a_mesh_cannot_skin(character):
    bare = Character("bare", character.skeleton, character.parameter_transform)
    with pytest.raises(ka.CharacterError, match="mesh"):
        bare.skin_points(np.zeros((len(bare.skeleton), 8)))
    with pytest.raises(ka.CharacterError, match="mesh"):
        bare.pose_mesh(np.zeros(7 * len(bare.skeleton)))


def test_a_transform_of_another_size_is_refused(character):
    skeleton = Skeleton([Joint("a", -1, IDENTITY, [0, 0, 0])])
    with pytest.raises(ka.ShapeError, match=r"\(7, 1\)"):
        ParameterTransform(["x"], skeleton, np.zeros((8, 1)))
    with pytest.raises(ka.CharacterError, match="parameter 'x'.*same name"):
        ParameterTransform(["x", "x"], skeleton, np.zeros((7, 2)))
    with pytest.raises(ka.CharacterError, match="made for"):
        Character("x", skeleton, character.parameter_transform)


def test_pose_mesh_takes_one_pose(character):
    with pytest.raises(ka.ShapeError, match="skin_points"):
        character.pose_mesh(np.zeros((2, 7 * len(character.skeleton))))


def test_units_have_names():
    with pytest.raises(ValueError, match="'m', 'cm' or 'mm'"):
        ka.testing.create_humanoid(n_vertices=600, unit="inch")


GLB = b"glTF" + struct.pack("<II", 2, 20)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "bytes"),
        (b"just some text, not a model", "gltf"),
        (b"\x00" * 64, "gltf"),
        (GLB, ""),
        (
            b"glTF"
            + struct.pack("<II", 2, 0xFFFF_FFFF)
            + struct.pack("<II", 0xFFFF_FF00, 0x4E4F534A),
            "",
        ),
        (b"glTF" + struct.pack("<II", 1, 20), ""),
        (b'{"asset": {"version": "2.0"}, "accessors": 7}', "accessors"),
        (b'{"asset": {"version": "2.0"}}', ""),
        (b"{" * 100_000, ""),
    ],
)
def test_bytes_that_are_no_model_are_refused(data, message):
    with pytest.raises(ka.FormatError) as error:
        ka.load_character(data)
    assert message in str(error.value)


def test_missing_files_and_strange_sources(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.glb"):
        ka.load_character(tmp_path / "nothing.glb")
    with pytest.raises(OSError, match=str(tmp_path)):
        ka.load_character(tmp_path)
    with pytest.raises(TypeError, match="path, bytes"):
        ka.load_character(3.5)
    text = tmp_path / "a.glb"
    text.write_text("hello")
    with pytest.raises(ka.FormatError, match=r"a\.glb"):
        ka.load_character(text)
    with text.open() as file, pytest.raises(TypeError, match="binary"):
        ka.load_character(file)


def test_nothing_is_printed(character, capfd):
    for wrong in (np.zeros(3), "x", np.zeros((2, 2), int)):
        with pytest.raises(ka.KinarrayError if isinstance(wrong, np.ndarray) else TypeError):
            model_parameters_to_skeleton_state(character, wrong)
    with pytest.raises(ka.FormatError):
        ka.load_character(b"glTF")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""

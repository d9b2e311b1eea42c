"""The nouns feel like Python: built by keyword, compared by content, pickled, shown."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray.geometry import (
    BlendShape,
    Box,
    Character,
    Ellipsoid,
    Joint,
    Locator,
    Mesh,
    ParameterLimit,
    ParameterTransform,
    Skeleton,
    SkinWeights,
    TaperedCapsule,
)

IDENTITY = [0, 0, 0, 1]


@pytest.fixture(scope="module")
def humanoid():
    return ka.testing.create_humanoid(n_vertices=600)


@pytest.fixture
def arm():
    skeleton = Skeleton(
        [
            Joint("root", -1, IDENTITY, [0, 1, 0]),
            Joint("l_wrist", 0, IDENTITY, [0.3, 0, 0]),
        ]
    )
    transform = ParameterTransform(
        ["root_tx", "bend", "scale_arm"],
        skeleton,
        [
            [float((row, col) in {(0, 0), (12, 1), (13, 2)}) for col in range(3)]
            for row in range(14)
        ],
    )
    return Character("arm", skeleton, transform)


def every_noun(humanoid):
    return [
        humanoid,
        humanoid.skeleton,
        humanoid.skeleton["l_foot" if "l_foot" in humanoid.skeleton else 3],
        humanoid.parameter_transform,
        humanoid.mesh,
        humanoid.skin_weights,
        humanoid.locators[0],
        humanoid.collision_geometry[0],
        humanoid.parameter_limits[0],
        Ellipsoid(2, radii=[1, 2, 3]),
        Box(-1, half_extents=[1, 2, 3]),
        TaperedCapsule(0, np.eye(4), [0.1, 0.2], 0.5),
        BlendShape.from_tensors(np.zeros((4, 3)), np.ones((2, 4, 3)), ["smile", "frown"]),
    ]


def test_every_noun_survives_pickle_and_deepcopy(humanoid):
    for noun in every_noun(humanoid):
        for other in (pickle.loads(pickle.dumps(noun)), copy.deepcopy(noun), copy.copy(noun)):
            assert other == noun
            assert type(other) is type(noun)


def test_a_pickled_character_computes_the_same(humanoid):
    poses = np.full((3, humanoid.parameter_transform.size), 0.2)
    other = pickle.loads(pickle.dumps(humanoid))
    ours, theirs = (
        c.skin_points(ka.geometry.model_parameters_to_skeleton_state(c, poses))
        for c in (humanoid, other)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_a_damaged_pickle_is_refused():
    good = pickle.dumps(Joint("a", -1, IDENTITY, [0, 0, 0]), protocol=4)
    assert b"Joint" in good
    from kinarray._core import _restore

    for payload in (b"", b"\x09rest", b"\x01", b"\x01" + b"\xff" * 9):
        with pytest.raises(ka.FormatError):
            _restore("Character", payload)


def test_equality_is_by_content(arm):
    again = Character("arm", arm.skeleton, arm.parameter_transform)
    assert again == arm
    assert again.with_metadata("x") != arm
    assert Joint("a", -1, IDENTITY, [0, 0, 0]) != Joint("a", -1, IDENTITY, [0, 0, 1])


def test_with_makes_a_new_character_and_leaves_the_old_one(arm):
    located = arm.with_locators([Locator("tip", 1, [0.1, 0, 0])])
    assert [locator.name for locator in located.locators] == ["tip"]
    assert arm.locators == []
    both = located.with_locators([Locator("mid", 0)])
    assert [locator.name for locator in both.locators] == ["tip", "mid"]
    assert len(both.with_locators([], replace=True).locators) == 0


def test_masks_follow_the_names(arm):
    transform = arm.parameter_transform
    assert transform.scaling_parameters.tolist() == [False, False, True]
    assert transform.rigid_parameters.tolist() == [True, False, False]
    assert transform.pose_parameters.tolist() == [True, True, False]
    assert transform.parameters_for_joints([1]).tolist() == [False, True, True]
    assert transform.find_parameters(["bend"]).tolist() == [False, True, False]
    assert transform.find_parameters(["nothing"], allow_missing=True).sum() == 0
    sets = transform.with_parameter_set("arm", [False, True, True]).parameter_sets
    assert sets["arm"].tolist() == [False, True, True]


def test_a_transform_may_be_sparse(arm):
    sparse = pytest.importorskip("scipy.sparse")
    dense = arm.parameter_transform.transform
    names = arm.parameter_transform.names
    for matrix in (sparse.csr_matrix(dense), sparse.csc_array(dense), sparse.coo_matrix(dense)):
        assert ParameterTransform(names, arm.skeleton, matrix) == arm.parameter_transform


def test_a_typo_gets_a_suggestion(arm):
    with pytest.raises(KeyError, match="did you mean 'l_wrist'"):
        arm.skeleton.joint_index("l_wirst")
    with pytest.raises(KeyError, match="did you mean 'bend'"):
        arm.parameter_transform.find_parameters(["bent"])
    with pytest.raises(KeyError, match="did you mean 'root'"):
        arm.find_locators(["roott"])
    assert arm.skeleton.joint_index("elbow", allow_missing=True) == -1


def test_a_skeleton_is_a_sequence(arm):
    assert len(arm.skeleton) == arm.skeleton.size == 2
    assert [joint.name for joint in arm.skeleton] == ["root", "l_wrist"]
    assert arm.skeleton[-1].name == arm.skeleton["l_wrist"].name == "l_wrist"
    assert "l_wrist" in arm.skeleton
    assert arm.skeleton.get_child_joints(0, True) == [1]
    with pytest.raises(IndexError):
        arm.skeleton[2]


def test_locators_and_joints_are_found_by_name(arm):
    located = arm.with_locators([Locator("tip", 1, [0.1, 0, 0])])
    parents, offsets = located.find_locators(["tip", "root"])
    assert parents.tolist() == [1, 0]
    assert offsets.tolist() == [[0.1, 0, 0], [0, 0, 0]]


def test_data_is_seen_not_copied(humanoid):
    mesh = humanoid.mesh
    assert mesh.vertices.ctypes.data == mesh.vertices.ctypes.data
    with pytest.raises(ValueError, match="read-only"):
        mesh.vertices[0, 0] = 1
    vertices = mesh.vertices
    expected = vertices.copy()
    del mesh, humanoid
    np.testing.assert_array_equal(vertices, expected)


def test_a_mesh_keeps_the_precision_it_is_given():
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    for dtype in (np.float32, np.float64):
        mesh = Mesh(corners.astype(dtype), [[0, 1, 2]])
        assert mesh.vertices.dtype == mesh.normals.dtype == dtype


def test_a_change_of_unit_keeps_the_body(humanoid):
    in_cm = humanoid.in_unit("cm")
    assert in_cm.unit == "cm"
    np.testing.assert_allclose(in_cm.mesh.vertices, humanoid.mesh.vertices * 100, rtol=1e-6)
    poses = np.random.default_rng(1).normal(size=(4, humanoid.parameter_transform.size)) * 0.2
    lengths = np.array([name.startswith("root_t") for name in humanoid.parameter_transform.names])
    points = [
        c.skin_points(ka.geometry.model_parameters_to_skeleton_state(c, p))
        for c, p in ((humanoid, poses), (in_cm, np.where(lengths, poses * 100, poses)))
    ]
    np.testing.assert_allclose(points[1], points[0] * 100, rtol=1e-5, atol=1e-4)
    assert in_cm.in_unit("m").skeleton.joint_names == humanoid.skeleton.joint_names


def test_a_posed_mesh_has_its_own_normals(humanoid):
    joints = np.zeros((len(humanoid.skeleton), 7))
    joints[0, 4] = 1.3
    posed = humanoid.pose_mesh(joints)
    state = ka.geometry.joint_parameters_to_skeleton_state(humanoid, joints)
    np.testing.assert_allclose(posed.vertices, humanoid.skin_points(state), atol=1e-12)
    normals = ka.geometry.compute_vertex_normals(posed.vertices, posed.faces)
    np.testing.assert_allclose(posed.normals, normals, atol=1e-12)
    assert posed.vertices.dtype == np.float64


def test_reprs_say_what_it_is(humanoid, arm):
    assert repr(arm) == "Character('arm', 2 joints, 3 model parameters, no mesh, unit 'm')"
    for noun in every_noun(humanoid):
        assert type(noun).__name__ in repr(noun)
    html = humanoid._repr_html_()
    assert "joint tree" in html
    assert all(name in html for name in humanoid.skeleton.joint_names)


def test_weights_go_to_dense_and_back():
    dense = np.array([[0.5, 0, 0.25, 0], [0, 0, 0, 1.0]], np.float32)
    weights = SkinWeights.from_dense(dense)
    assert weights.index[0, 0] == 0
    np.testing.assert_array_equal(weights.to_dense(4), dense)
    np.testing.assert_allclose(weights.normalize_weights().weight.sum(1), 1)


def test_limits_are_known_by_parameter(arm):
    limited = arm.with_parameter_limits([ParameterLimit.create_minmax(1, -0.5, 1.5)])
    low, high = limited.model_parameter_limits
    assert low.tolist() == [-np.inf, -0.5, -np.inf]
    assert high.tolist() == [np.inf, 1.5, np.inf]

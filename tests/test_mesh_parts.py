"""Meshes: everything they can have, parts of them, and triangles that cross."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry
from kinarray.geometry import (
    BlendShape,
    Character,
    Joint,
    Material,
    Mesh,
    ParameterTransform,
    Skeleton,
    SkinWeights,
)

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0], [9, 9, 9]], np.float64)
PARTS = {
    "vertices": CORNERS,
    "faces": [[0, 1, 2], [0, 2, 3], [1, 4, 2]],
    "normals": np.tile([0.0, 0, 1], (6, 1)),
    "lines": [[0, 1, 2], [4, 5]],
    "colors": np.arange(18, dtype=np.uint8).reshape(6, 3),
    "confidence": np.arange(6.0),
    "texcoords": [[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]],
    "texcoord_faces": [[0, 1, 2], [0, 2, 3], [4, 4, 4]],
    "texcoord_lines": [[0, 1, 2], [3, 4]],
    "poly_faces": [0, 1, 2, 3, 1, 4, 2],
    "poly_face_sizes": [4, 3],
    "poly_texcoord_faces": [0, 1, 2, 3, 4, 4, 4],
    "materials": [
        Material("skin", (0.8, 0.6, 0.5, 1)),
        Material("cloth", base_color_texture=b"\xff\xd8"),
    ],
    "face_materials": [0, 1, 1],
}


def test_a_mesh_keeps_what_it_is_given():
    mesh = Mesh(**PARTS)
    for name, value in PARTS.items():
        np.testing.assert_array_equal(getattr(mesh, name), value) if not name.endswith(
            "lines"
        ) else None
    assert mesh.lines == PARTS["lines"]
    assert mesh.texcoord_lines == PARTS["texcoord_lines"]
    assert (mesh.n_vertices, mesh.n_faces, mesh.n_poly_faces) == (6, 3, 2)
    assert not mesh.poly_faces.flags.writeable
    again = pickle.loads(pickle.dumps(mesh))
    assert again == mesh
    assert again.texcoord_lines == mesh.texcoord_lines
    assert repr(mesh) == (
        "Mesh(6 vertices, 3 faces, float64, 2 polygons, 2 lines, 6 colors, 5 texcoords)"
    )
    assert "<td>polygons" in mesh._repr_html_().replace(' style="text-align:left"', "")


@pytest.mark.parametrize("name", ["poly_faces", "texcoord_lines", "colors", "confidence"])
def test_meshes_differ_by_every_part(name):
    other = {
        "poly_faces": [0, 1, 2, 3, 4, 2, 1],
        "texcoord_lines": [],
        "colors": None,
        "confidence": np.ones(6),
    }
    assert Mesh(**PARTS | {name: other[name]}) != Mesh(**PARTS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"normals": CORNERS[:2]}, "2 normals for 6 vertices"),
        ({"colors": np.zeros((2, 3), np.uint8)}, "2 colors for 6 vertices"),
        ({"confidence": [1.0]}, "1 confidence for 6 vertices"),
        ({"texcoord_faces": [[0, 1, 2]]}, "1 texcoord_faces for 3 faces"),
        ({"texcoord_faces": [[0, 1, 5]] * 3}, "texcoord triangle 0 uses coordinate 5"),
        ({"lines": [[0], [0, 9]]}, "line 1 uses vertex 9"),
        ({"texcoord_lines": [[5]]}, "texcoord line 0 uses coordinate 5"),
        ({"poly_face_sizes": [4, 2]}, "2 corners; expected 3 or more"),
        ({"poly_face_sizes": [4]}, "sum to 4, but there are 7 poly_faces"),
        ({"poly_texcoord_faces": [0, 1]}, "2 poly_texcoord_faces for 7 poly_faces"),
        ({"poly_faces": [0, 1, 2, 3, 1, 4, 6]}, "poly_faces use index 6, but there are 6"),
        ({"face_materials": [0, 1]}, "2 face_materials for 3 faces"),
        ({"face_materials": [0, 2, 1]}, "triangle 1 has material 2, but there are 2 materials"),
        ({"poly_texcoord_faces": [5] * 7}, "poly_texcoord_faces use index 5, but there are 5"),
    ],
)
def test_parts_that_do_not_fit_are_named(change, words):
    with pytest.raises(ka.CharacterError, match=words):
        Mesh(**PARTS | change)


def test_a_material_keeps_what_it_is_given():
    picture = b"\x89PNG\r\n"
    skin = Material(
        "skin",
        (1, 0.5, 0, 0.25),
        metallic=1,
        roughness=0.75,
        emissive=(0, 0, 2),
        base_color_texture=picture,
    )
    assert skin.base_color == (1, 0.5, 0, 0.25)
    assert (skin.metallic, skin.roughness, skin.emissive) == (1, 0.75, (0, 0, 2))
    assert skin.base_color_texture == picture
    assert not skin.is_double_sided
    assert pickle.loads(pickle.dumps(skin)) == skin
    for wrong in ({"base_color": (2, 0, 0, 1)}, {"roughness": -1}, {"emissive": (0, 0, np.inf)}):
        name = next(iter(wrong))
        with pytest.raises(ka.CharacterError, match=f"material 'tin': {name}: expected 0"):
            Material("tin", **wrong)


def test_updated_normals_are_those_of_the_positions():
    mesh = Mesh(**PARTS | {"normals": np.zeros((6, 3))})
    updated = mesh.with_updated_normals()
    expected = geometry.compute_vertex_normals(CORNERS, PARTS["faces"])
    np.testing.assert_allclose(updated.normals, expected)
    assert not mesh.normals.any()
    assert updated.poly_faces.tolist() == PARTS["poly_faces"]


def test_a_part_by_vertices_takes_everything_along():
    part = geometry.reduce_mesh_by_vertices(Mesh(**PARTS), [True, True, True, True, False, True])
    np.testing.assert_array_equal(part.vertices, CORNERS[[0, 1, 2, 3, 5]])
    np.testing.assert_array_equal(part.colors, PARTS["colors"][[0, 1, 2, 3, 5]])
    np.testing.assert_array_equal(part.confidence, [0, 1, 2, 3, 5])
    np.testing.assert_array_equal(part.faces, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal(part.face_materials, [0, 1])
    assert part.materials == PARTS["materials"]
    np.testing.assert_array_equal(part.texcoords, PARTS["texcoords"][:4])
    np.testing.assert_array_equal(part.texcoord_faces, [[0, 1, 2], [0, 2, 3]])
    assert part.lines == [[0, 1, 2]]
    assert part.texcoord_lines == [[0, 1, 2]]
    assert part.poly_faces.tolist() == [0, 1, 2, 3]
    assert part.poly_face_sizes.tolist() == [4]
    assert part.poly_texcoord_faces.tolist() == [0, 1, 2, 3]


def test_a_part_by_faces_has_the_vertices_that_they_use():
    part = geometry.reduce_mesh_by_faces(mesh=Mesh(**PARTS), active_faces=[False, False, True])
    np.testing.assert_array_equal(part.vertices, CORNERS[[1, 2, 4]])
    np.testing.assert_array_equal(part.faces, [[0, 2, 1]])
    np.testing.assert_array_equal(part.texcoord_faces, [[0, 0, 0]])
    np.testing.assert_array_equal(part.texcoords, [[0.5, 0.5]])
    assert part.poly_faces.tolist() == [0, 2, 1]


@pytest.mark.parametrize("seed", range(3))
def test_a_part_of_a_part_is_the_part(seed):
    rng = np.random.default_rng(seed)
    mesh = ka.testing.create_humanoid(n_vertices=600).mesh
    first = rng.random(mesh.n_vertices) < 0.8
    second = first & (rng.random(mesh.n_vertices) < 0.8)
    twice = geometry.reduce_mesh_by_vertices(
        geometry.reduce_mesh_by_vertices(mesh, first), second[first]
    )
    assert twice == geometry.reduce_mesh_by_vertices(mesh, second)
    assert geometry.reduce_mesh_by_vertices(mesh, np.ones(mesh.n_vertices, bool)) == mesh


def body():
    names = {"hips": -1, "leg": 0, "b_spine0": 0, "arm": 2}
    skeleton = Skeleton([Joint(n, p, [0, 0, 0, 1], [0, 1, 0]) for n, p in names.items()])
    character = Character("body", skeleton, ParameterTransform.identity(skeleton))
    weights = SkinWeights(
        [[1, 2], [2, 1], [0, 1], [3, 0], [1, 3], [3, 2]],
        [[1.0, 0], [0.6, 0.4], [0.5, 0.5], [0.4, 0.3], [0.9, 0.1], [0.2, 0.2]],
    )
    return character.with_mesh_and_skin_weights(Mesh(**PARTS), weights)


def test_skin_follows_the_vertices():
    character, stays = body(), np.array([True, False, True, False, True, True])
    part = geometry.reduce_mesh_by_vertices(character, stays)
    np.testing.assert_array_equal(part.skin_weights.index, character.skin_weights.index[stays])
    np.testing.assert_array_equal(part.skin_weights.weight, character.skin_weights.weight[stays])
    state = some_state(character)
    np.testing.assert_array_equal(part.skin_points(state), character.skin_points(state)[stays])


def some_state(character):
    joints = np.random.default_rng(1).normal(size=(3, len(character.skeleton), 7)) * 0.3
    return geometry.joint_parameters_to_skeleton_state(character, joints)[0]


def test_the_lower_body_goes_and_the_skeleton_stays():
    upper = geometry.strip_lower_body_vertices(body())
    # Vertex 2 has half its weight above, and first above; 3 is arm, but less than half; 5 as well.
    np.testing.assert_array_equal(upper.mesh.vertices, CORNERS[[1, 2, 3]])
    assert upper.skeleton == body().skeleton
    bare = Character("bare", body().skeleton, body().parameter_transform)
    assert geometry.strip_lower_body_vertices(bare) == bare
    with pytest.raises(ka.CharacterError, match="b_spine0"):
        geometry.strip_lower_body_vertices(ka.testing.create_humanoid(n_vertices=600))


def test_wrong_selections_are_named():
    mesh = Mesh(**PARTS)
    with pytest.raises(ka.ShapeError, match=r"active_vertices.*\(6,\) = \(n_vertices,\).*\(5,\)"):
        geometry.reduce_mesh_by_vertices(mesh, np.ones(5, bool))
    with pytest.raises(ka.ShapeError, match=r"active_faces.*n_faces"):
        geometry.reduce_mesh_by_faces(mesh, np.ones(5, bool))
    with pytest.raises(ka.DTypeError, match="bool"):
        geometry.reduce_mesh_by_faces(mesh, np.ones(3))
    with pytest.raises(TypeError, match="Character or a Mesh, got int"):
        geometry.reduce_mesh_by_faces(3, np.ones(3, bool))
    with pytest.raises(TypeError, match="neither"):
        geometry.reduce_mesh_by_faces(active_faces=np.ones(3, bool))
    with pytest.raises(TypeError, match="active_faces"):
        geometry.reduce_mesh_by_faces(mesh)
    bare = Character("bare", body().skeleton, body().parameter_transform)
    with pytest.raises(ka.CharacterError, match="'bare' has none"):
        geometry.reduce_mesh_by_faces(bare, np.ones(3, bool))


TEXTURE = np.zeros((1, 2, 3), np.uint8)
TEXTURE[0, 1] = 255  # left half black, right half white
BLACK, WHITE = [0, 0, 0], [255, 255, 255]


def triangle(us):
    return Mesh(
        CORNERS[:3], [[0, 1, 2]], texcoords=[[u, 0.0] for u in us], texcoord_faces=[[0, 1, 2]]
    )


def test_a_triangle_belongs_where_enough_of_its_samples_are():
    mesh = triangle([0.1, 0.4, 0.9])  # two of three corners on the left
    classify = lambda threshold, samples=3: geometry.classify_triangles_by_texture(
        mesh, TEXTURE, [BLACK, WHITE], threshold, samples
    )
    assert classify(0.0) == [[0], [0]]
    assert classify(0.5) == [[0], []]
    assert classify(1.0) == [[], []]
    assert classify(0.0, 1) == [[0], []]  # the middle is on the left
    # Of two regions of one colour the last has it; a colour that is nowhere has nothing.
    same = geometry.classify_triangles_by_texture(mesh, TEXTURE, [BLACK, [1, 2, 3], BLACK])
    assert same == [[], [], [0]]
    nowhere = triangle([np.nan] * 3)
    assert geometry.classify_triangles_by_texture(nowhere, TEXTURE, [BLACK, WHITE]) == [[], []]


@pytest.mark.parametrize("us", [[0.2, 0.8, 0.9], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]])
def test_what_is_cut_off_and_what_is_left_make_the_whole(us):
    mesh = triangle(us)
    parts = [
        geometry.split_mesh_by_texture_region(mesh, TEXTURE, [color], 20)
        for color in (BLACK, WHITE)
    ]
    area = lambda mesh: sum(
        np.linalg.norm(np.cross(b - a, c - a)) / 2 for a, b, c in mesh.vertices[mesh.faces]
    )
    assert sum(map(area, parts)) == pytest.approx(area(mesh), rel=1e-5)
    for part, side in zip(parts, (-1, 1), strict=True):
        assert (side * (part.texcoords[:, 0] - 0.5) >= -1e-5).all()
        a, b, c = (part.vertices[part.faces[:, i]] for i in range(3))
        assert (np.cross(b - a, c - a)[:, 2] > 0).all()  # turned as before


def test_neighbours_are_cut_in_one_place():
    mesh = Mesh(**PARTS | {"texcoords": CORNERS[:5, :2] / 2, "texcoord_faces": PARTS["faces"]})
    part = geometry.split_mesh_by_texture_region(mesh, TEXTURE, [BLACK])
    edges = np.sort(part.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, uses = np.unique(edges, axis=0, return_counts=True)
    assert set(uses) == {1, 2}
    assert len(part.face_materials) == part.n_faces
    assert len(np.unique(part.vertices, axis=0)) == part.n_vertices
    assert part.n_vertices == part.faces.max() + 1
    assert geometry.split_mesh_by_texture_region(mesh, TEXTURE, [[7, 7, 7]]).n_vertices == 0


def test_wrong_textures_are_named():
    mesh = triangle([0.1, 0.4, 0.9])
    with pytest.raises(ka.CharacterError, match="no texture coordinates"):
        geometry.classify_triangles_by_texture(Mesh(CORNERS, [[0, 1, 2]]), TEXTURE, [BLACK])
    with pytest.raises(ValueError, match="num_samples: expected 1, 3, 4, 6, 7 or 10, got 5"):
        geometry.classify_triangles_by_texture(mesh, TEXTURE, [BLACK], 0.0, 5)
    with pytest.raises(ValueError, match="threshold: expected a number from 0 to 1, got 2"):
        geometry.classify_triangles_by_texture(mesh, TEXTURE, [BLACK], 2.0)
    with pytest.raises(ka.ShapeError, match="texture.*height, width, 3"):
        geometry.classify_triangles_by_texture(mesh, TEXTURE[0], [BLACK])
    with pytest.raises(ka.ShapeError, match="region_colors"):
        geometry.split_mesh_by_texture_region(mesh, TEXTURE, BLACK)
    with pytest.raises(ValueError, match="pixels"):
        geometry.split_mesh_by_texture_region(mesh, np.zeros((0, 4, 3), np.uint8), [BLACK])
    with pytest.raises(ka.DTypeError, match="integer"):
        geometry.split_mesh_by_texture_region(mesh, TEXTURE / 2, [BLACK])


def test_triangles_that_cross_are_found():
    through = [[0.2, 0.1, -1], [0.3, 0.1, 1], [0.2, 0.15, 1]]
    mesh = Mesh(np.concatenate([CORNERS, through]), [[0, 1, 2], [1, 4, 2], [6, 7, 8]])
    pairs = mesh.self_intersections()
    assert pairs.dtype == np.int32
    np.testing.assert_array_equal(pairs, [[0, 2]])
    assert ka.testing.create_humanoid(n_vertices=600).mesh.with_updated_normals() is not None
    flat = Mesh(CORNERS, PARTS["faces"])
    assert flat.self_intersections().shape == (0, 2)


def test_blend_shapes_follow_the_vertices():
    rng = np.random.default_rng(2)
    shape = BlendShape.from_tensors(CORNERS, rng.normal(size=(2, 6, 3)))
    character = body().with_blend_shape(shape)
    stays = np.array([True, False, True, False, True, True])
    part = geometry.reduce_mesh_by_vertices(character, stays)
    np.testing.assert_array_equal(
        part.blend_shape.shape_vectors, character.blend_shape.shape_vectors[:, stays]
    )

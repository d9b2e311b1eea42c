"""PyMomentum's own text files and recordings of markers, read by both; ours read by the peer."""

import json
from pathlib import Path

import numpy as np
import pytest

from kinarray import geometry
from shared_files.folder import data_folder

FILES = Path(__file__).resolve().parents[1] / "data" / "momentum"
FIGURE = [FILES / name for name in ("figure.json", "figure.model", "figure.locators")]
DATA = data_folder()


def theirs(peer, paths):
    items = peer.call(None, "parts.described_figure", *map(str, paths))
    return json.loads(str(items["item0"])), [items[f"item{at}"] for at in range(1, 6)]


def ours(paths):
    character = geometry.Character.load_legacy_json(paths[0], unit="cm")
    return character.load_model_definition(paths[1]).load_locators(paths[2])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_same_figure_comes_out_of_the_same_files(peer):
    texts, numbers = theirs(peer, FIGURE)
    character = ours(FIGURE)
    assert list(character.skeleton.joint_names) == texts["joints"]
    assert [int(p) for p in character.skeleton.joint_parents] == texts["parents"]
    assert list(character.parameter_transform.names) == texts["parameters"]
    assert len(character.parameter_limits) == texts["n_limits"]
    assert [[one.name, one.parent] for one in character.locators] == texts["locators"]
    found = [
        character.skeleton.offsets,
        character.skeleton.pre_rotations,
        character.parameter_transform.transform,
        [locator.offset for locator in character.locators],
        character.mesh.vertices,
    ]
    for own, wanted in zip(found, numbers, strict=True):
        np.testing.assert_allclose(own, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_they_read_what_we_write(peer, tmp_path):
    character = ours(FIGURE)
    paths = [tmp_path / path.name for path in FIGURE]
    bare = character.with_locators([], replace=True)
    geometry.Character.save_legacy_json(bare, paths[0])
    character.save_model_definition(paths[1])
    character.save_locators(paths[2])
    texts, numbers = theirs(peer, paths)
    wanted_texts, wanted = theirs(peer, FIGURE)
    assert texts == wanted_texts
    for got, before in zip(numbers, wanted, strict=True):
        np.testing.assert_allclose(got, before, rtol=1e-5, atol=1e-4)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.skipif(DATA is None, reason="no shared test data (set KINARRAY_SHARED)")
@pytest.mark.parametrize("name", ["c3d/walking2.c3d", "c3d/vicon_markers_analogs.c3d"])
def test_markers_are_where_they_read_them(peer, name):
    items = peer.call(None, "parts.described_markers", str(DATA / name))
    texts = json.loads(str(items["item0"]))
    (sequence,) = geometry.load_markers(DATA / name, unit="cm")
    assert sequence.fps == texts["fps"]
    places = np.full((len(sequence.frames), len(texts["names"]), 3), np.nan)
    for frame, row in zip(sequence.frames, places, strict=True):
        for marker in frame:
            if not marker.occluded and marker.name in texts["names"]:
                row[texts["names"].index(marker.name)] = marker.pos
    np.testing.assert_allclose(places, items["item1"], rtol=1e-6, atol=1e-4)

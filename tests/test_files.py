"""One call reads any file, from wherever it comes; one call writes; nothing is lost when that fails."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest

import kinarray as ka

BVH = b"""HIERARCHY
ROOT hip
{
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT chest
  {
    OFFSET 0 30 0
    CHANNELS 3 Zrotation Yrotation Xrotation
    End Site
    {
      OFFSET 0 20 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.5
0 0 0 0 0 0 0 0 0
10 0 0 90 0 0 0 0 45
"""


@pytest.fixture
def character():
    return ka.testing.create_humanoid(n_vertices=1000)


@pytest.mark.parametrize(
    "given",
    [
        lambda path: path,
        str,
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        lambda path: np.frombuffer(path.read_bytes(), np.uint8),
        lambda path: io.BytesIO(path.read_bytes()),
    ],
    ids=["Path", "str", "bytes", "bytearray", "memoryview", "array", "BytesIO"],
)
def test_a_file_may_be_a_path_bytes_or_a_file_object(tmp_path, given):
    path = tmp_path / "walk.bvh"
    path.write_bytes(BVH)
    motion = ka.load_motion(given(path))
    assert motion.n_frames == 2
    assert motion.character.skeleton.joint_names == ["hip", "chest"]


def test_the_content_tells_the_format_before_the_suffix(tmp_path):
    path = tmp_path / "walk.glb"
    path.write_bytes(BVH)
    assert len(ka.load_motion(path)) == 2
    with pytest.raises(ka.FormatError, match="glTF"):
        ka.load_motion(path, format="glb")


def test_a_file_that_nothing_tells_the_format_of(tmp_path):
    path = tmp_path / "walk.doc"
    path.write_bytes(b"hello")
    with pytest.raises(ka.FormatError, match=r"walk\.doc.*pass format="):
        ka.load_character(path)
    with pytest.raises(ka.InvalidValueError, match="format: expected one of"):
        ka.load_character(path, format="word")


def test_what_is_no_file():
    with pytest.raises(FileNotFoundError, match=r"nowhere\.glb"):
        ka.load_character("nowhere.glb")
    with pytest.raises(TypeError, match="binary mode"):
        ka.load_character(io.StringIO("HIERARCHY"))
    with pytest.raises(TypeError, match="a path, bytes or a binary file object, got int"):
        ka.load_character(3)


def test_options_that_do_not_exist():
    for option, words in [
        ({"unit": "inch"}, "unit: expected 'm', 'cm' or 'mm'"),
        ({"up": "north"}, "up: expected 'x', 'y' or 'z'"),
        ({"position_channels": "both"}, "position_channels: expected 'add' or 'replace'"),
    ]:
        with pytest.raises(ka.InvalidValueError, match=words):
            ka.load_character(BVH, **option)


def test_a_format_that_holds_no_such_thing(character):
    with pytest.raises(ka.FormatError, match="markers"):
        ka.load_markers(BVH)
    with pytest.raises(ka.InvalidValueError, match="'c3d' files of characters are not written"):
        ka.save_character(io.BytesIO(), character, format="c3d")
    with pytest.raises(ka.InvalidValueError, match="neither given nor told by a suffix"):
        ka.save_character(io.BytesIO(), character)


def test_unit_and_up_are_as_asked():
    plain = ka.load_motion(BVH, "cm")
    meters = ka.load_motion(BVH, "m")
    standing = ka.load_motion(BVH, "cm", "z")
    assert (plain.character.unit, meters.character.unit) == ("cm", "m")
    own = plain.skeleton_states[1, :, :3]
    np.testing.assert_allclose(own, [[10, 90, 0], [-20, 90, 0]], atol=1e-9)
    np.testing.assert_allclose(meters.skeleton_states[1, :, :3], own / 100, atol=1e-12)
    np.testing.assert_allclose(standing.skeleton_states[1, :, :3], own[:, [0, 2, 1]], atol=1e-9)
    feet = ka.load_motion(BVH, "m", file_unit="m")
    np.testing.assert_allclose(feet.skeleton_states[1, :, :3], own, atol=1e-12)


def test_a_motion_keeps_the_kind_of_its_array(character):
    torch = pytest.importorskip("torch")
    poses = torch.zeros(5, character.parameter_transform.size)
    motion = ka.motion.Motion(character, poses, fps=10)
    assert type(motion.skeleton_states) is torch.Tensor
    assert motion.skeleton_states is motion.skeleton_states
    with pytest.raises(ka.ShapeError, match="n_parameters"):
        ka.motion.Motion(character, poses[:, 1:])


def test_a_motion_comes_back(character, tmp_path):
    rng = np.random.default_rng(0)
    poses = rng.normal(scale=0.3, size=(20, character.parameter_transform.size)).astype("f4")
    motion = ka.motion.Motion(character, poses, fps=30, name="dance")
    motion.save(tmp_path / "dance.glb")
    again = ka.motion.Motion.load(tmp_path / "dance.glb")
    np.testing.assert_array_equal(again.model_parameters, poses)
    assert again.fps == 30
    np.testing.assert_allclose(again.skeleton_states, motion.skeleton_states, atol=1e-5)


def test_a_file_that_cannot_be_written_leaves_the_old_one(character, tmp_path):
    path = tmp_path / "old.glb"
    ka.save_character(path, character)
    before = path.read_bytes()
    folder = tmp_path / "folder.glb"
    folder.mkdir()
    with pytest.raises(OSError, match=r"folder\.glb"):
        ka.save_character(folder, character)
    with pytest.raises(FileNotFoundError):
        ka.save_character(tmp_path / "nowhere" / "new.glb", character)
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError):
            ka.save_character(path, character)
        tmp_path.chmod(0o700)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder.glb", "old.glb"]


def test_a_link_stays_a_link(character, tmp_path):
    real, link = tmp_path / "real.glb", tmp_path / "link.glb"
    ka.save_character(real, character)
    link.symlink_to(real)
    ka.save_character(link, character.scaled(2.0))
    assert link.is_symlink()
    assert ka.load_character(real).skeleton == character.scaled(2.0).skeleton


def test_what_is_left_out_is_said_once(character):
    scaled = np.zeros((3, character.parameter_transform.size), np.float32)
    names = character.parameter_transform.names
    scale = [at for at, name in enumerate(names) if name.endswith("_sc") or "scale" in name]
    scaled[:, scale[:1]] = 0.5
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ka.save_motion(io.BytesIO(), ka.motion.Motion(character, scaled), format="bvh")
    texts = [str(warning.message) for warning in seen]
    assert any("scale" in text for text in texts)
    assert len(set(texts)) == len(texts)


LONG = """
    import os, signal, sys, threading, time
    import kinarray as ka
    n_frames = 400_000
    row = b"1 2 3 4 5 6 7 8 9\\n"
    head, _, _ = {bvh!r}.partition(b"Frames")
    text = head + b"Frames: %d\\nFrame Time: 0.01\\n" % n_frames + row * n_frames
    repeated = text
"""


def test_reading_notices_an_interrupt():
    program = textwrap.dedent(LONG.format(bvh=BVH)) + textwrap.dedent("""
        def interrupt():
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            while True:
                ka.load_motion(text)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "interrupted\n", done.stderr
    assert signal.SIGINT  # imported by the program as well


def test_progress_is_shown_by_a_bar_of_ours_or_tqdm(capsys):
    from kinarray._progress import Bar, progress

    bar = Bar("reading walk.glb")
    bar.update(0.25)
    bar.update(1.0)
    bar.close()
    assert list(progress([1, 2, 3], "counting")) == [1, 2, 3]


def test_files_beside_a_file_are_found_and_no_others(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 64)
    text = """{"asset": {"version": "2.0"}, "nodes": [{"name": "a"}], "scenes": [{"nodes": [0]}],
        "buffers": [{"byteLength": 64, "uri": "%s"}]}"""
    path = folder / "model.gltf"
    path.write_text(text % "../secret.bin")
    with pytest.raises(ka.FormatError, match=r"buffers\[0\]\.uri.*same folder"):
        ka.load_character(path)
    assert len(ka.load_character(path, root=tmp_path).skeleton) == 1
    path.write_text(text % Path("/etc/passwd"))
    with pytest.raises(ka.FormatError, match="relative path"):
        ka.load_character(path, root=tmp_path)

"""`python -m kinarray demo`, as a newcomer runs it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

pytest.importorskip("numpy")

SHARED = Path(os.environ.get("KINARRAY_SHARED", Path(__file__).parents[2] / "shared"))


def demo(folder, *arguments):
    command = [sys.executable, "-m", "kinarray", "demo", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def png_pixels(data):
    """Size and decompressed length of an 8-bit RGB PNG, with every checksum verified."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, size = 8, b"", None
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", data, at + 8 + length)[0]
        if kind == b"IHDR":
            size = struct.unpack_from(">II", body)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    return size, len(zlib.decompress(packed))


def table(output):
    """The rows of the printed table by kind; cells are two or more spaces apart."""
    lines = [
        line
        for line in output.splitlines()
        if "yes, same addresses" in line or line.endswith("  no")
    ]
    return {line.split()[0]: [cell for cell in line.split("  ") if cell] for line in lines}


def test_it_shows_each_library_and_draws_a_picture(tmp_path):
    done = demo(tmp_path, "--frames", 30)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = table(done.stdout)
    expected = {"NumPy"}
    for name, label in (("torch", "torch"), ("jax", "JAX")):
        try:
            __import__(name)
        except ModuleNotFoundError:
            assert f"{name} is not installed" in done.stdout
        else:
            expected.add(label)
    assert set(rows) == expected
    for row in rows.values():
        _, _, _, milliseconds, difference, copied, in_place = (cell.strip() for cell in row)
        assert float(milliseconds) > 0
        # Float32 against float64; a difference of exactly 0 would mean that nothing was compared.
        assert 0 < float(difference) < 1e-5
        assert copied == "0"
        assert in_place == "yes, same addresses"
    (width, height), length = png_pixels((tmp_path / "demo-output" / "humanoid.png").read_bytes())
    assert length == height * (1 + 3 * width)
    assert "Open demo-output" in done.stdout


def test_it_takes_a_file(tmp_path):
    files = sorted((SHARED / "data" / "gltf").rglob("CesiumMan*.glb"))
    if not files:
        pytest.skip(f"no CesiumMan under {SHARED / 'data' / 'gltf'}")
    done = demo(tmp_path, files[0], "--frames", 10)
    assert done.returncode == 0, done.stderr
    assert "NumPy" in table(done.stdout)
    assert len(list((tmp_path / "demo-output").glob("*.png"))) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "missing.glb"), (b"this is a letter, not a model", "missing.glb")],
    ids=["missing", "text"],
)
def test_a_wrong_file_is_named_in_one_line(tmp_path, content, message):
    path = tmp_path / "missing.glb"
    if content is not None:
        path.write_bytes(content)
    done = demo(tmp_path, path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_wrong_arguments_are_explained(tmp_path):
    assert demo(tmp_path, "--frames", 0).returncode == 2
    assert "expected at least 1" in demo(tmp_path, "--frames", 0).stderr

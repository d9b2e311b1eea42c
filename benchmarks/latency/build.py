"""Builds the comparison extensions, each from its folder here, where they are older than their sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

#: The extension that shows Rust authors how to take any array; a contestant where it is there.
EXAMPLE = ROOT / "examples" / "any_array_extension"

#: What the compared projects recommend for speed, the same for all.
FLAGS = ["-O3", "-DNDEBUG", "-fPIC", "-fvisibility=hidden", "-shared"]


def _python() -> list[str]:
    return [f"-I{sysconfig.get_path('include')}"]


def _compile(compiler: str, sources: Iterable[Path], target: Path, flags: Sequence[str]) -> None:
    sources = [str(source) for source in sources]
    command = [compiler, *FLAGS, *sources, "-o", str(target), *flags]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _cargo(folder: Path, target: Path) -> None:
    """Builds a crate with one extension module of the folder's name."""
    build = target.parent / "cargo"
    environment = os.environ | {"CARGO_TARGET_DIR": str(build), "PYO3_PYTHON": sys.executable}
    environment["PYO3_BUILD_EXTENSION_MODULE"] = "1"
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "build", "--release", "--quiet"]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment)
    shutil.copy2(build / "release" / f"lib{folder.name}.so", target)


def _floor(folder: Path, target: Path) -> None:
    _compile("cc", [folder / "floor_ext.c"], target, _python())


def _pybind11(folder: Path, target: Path) -> None:
    import pybind11

    flags = ["-std=c++17", f"-I{pybind11.get_include()}", *_python()]
    _compile("c++", [folder / "pybind11_ext.cpp"], target, flags)


def _nanobind(folder: Path, target: Path) -> None:
    import nanobind

    source = Path(nanobind.source_dir())
    maps = source.parent / "ext" / "robin_map" / "include"
    flags = ["-std=c++17", "-fno-strict-aliasing", "-DNB_COMPACT_ASSERTIONS"]
    flags += [f"-I{nanobind.include_dir()}", f"-I{maps}", *_python()]
    sources = [folder / "nanobind_ext.cpp", source / "nb_combined.cpp"]
    _compile("c++", sources, target, flags)


def _tvm_ffi(folder: Path, target: Path) -> None:
    from tvm_ffi import libinfo

    library = Path(libinfo.find_libtvm_ffi())
    flags = ["-std=c++17", f"-I{libinfo.find_include_path()}"]
    flags += [f"-I{libinfo.find_dlpack_include_path()}", str(library)]
    flags += [f"-Wl,-rpath,{library.parent}"]
    _compile("c++", [folder / "tvm_ffi_ext.cc"], target, flags)


BUILDERS: dict[str, Callable[[Path, Path], None]] = {
    "floor_ext": _floor,
    "pybind11_ext": _pybind11,
    "nanobind_ext": _nanobind,
    "tvm_ffi_ext": _tvm_ffi,
    "rust_numpy_ext": _cargo,
}


def newest(folders: Iterable[Path]) -> float:
    """When something in the folders changed last."""
    paths = (path for folder in folders for path in folder.rglob("*") if "target" not in path.parts)
    return max(path.stat().st_mtime for path in paths if path.is_file())


def build_all(into: Path) -> dict[str, str]:
    """Builds what is missing or old; says for each extension that cannot be built why."""
    into.mkdir(parents=True, exist_ok=True)
    plans = {name: (builder, [HERE / name]) for name, builder in BUILDERS.items()}
    if EXAMPLE.exists():
        plans[EXAMPLE.name] = (_cargo, [EXAMPLE, ROOT / "src"])
    missing = {}
    for name, (builder, folders) in plans.items():
        target = into / f"{name}.so"
        if target.exists() and target.stat().st_mtime > newest(folders):
            continue
        print(f"building {name} ...", file=sys.stderr, flush=True)
        target.unlink(missing_ok=True)
        try:
            builder(folders[0], target)
        except subprocess.CalledProcessError as error:
            missing[name] = "does not build, see above"
            print(error.stderr, file=sys.stderr)
        except (ImportError, OSError) as error:
            missing[name] = str(error)
    return missing

"""Where the shared files are, and what others say of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

#: Side files of others, pictures, figures and texts.
NOT_MODELS = {".bin", ".png", ".jpg", ".jpeg", ".json", ".md", ".gz"}


def data_folder() -> Path | None:
    """The folder, or nothing where it is absent."""
    given = os.environ.get("KINARRAY_SHARED")
    beside = Path(__file__).resolve().parents[3] / "shared"
    for folder in (given, beside, "/work/shared"):
        if folder and (Path(folder) / "data" / "gltf").is_dir():
            return Path(folder) / "data"
    return None


def expected_files(data: Path) -> list[Path]:
    """Every file of which others computed figures, relative to the folder."""
    found = (data / "expected").rglob("*.json")
    files = (path.relative_to(data / "expected").with_suffix("") for path in found)
    return sorted(file for file in files if (data / file).is_file())


def expected(data: Path, file: Path) -> dict:
    """What others computed of a file."""
    path = data / "expected" / f"{file}.json"
    return json.loads(path.read_text())


def all_files(data: Path) -> list[Path]:
    """Everything that somebody could try to load, relative to the folder."""
    files = (path for path in data.rglob("*") if path.is_file())
    relative = (path.relative_to(data) for path in files)
    return sorted(
        file
        for file in relative
        if file.parts[0] != "expected" and file.suffix.lower() not in NOT_MODELS
    )


def invalid_files(data: Path) -> list[Path]:
    """Files that have to be refused or survived; JSON files beside them are about them."""
    files = (path for path in (data / "invalid").rglob("*") if path.is_file())
    about = {"VERDICTS.json", "READERS.json", "INDEX.json"}
    return sorted(path.relative_to(data) for path in files if path.name not in about)

"""``python -m kinarray demo [FILE.glb]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m kinarray",
        description="Character kinematics on whatever array you already have.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="pose a character with NumPy, torch and JAX, compare them, and draw a picture",
        description="Poses a character through the same call with every array library that is installed, "
        "shows what it cost and that nothing was copied, and draws a few frames.",
    )
    demo.add_argument(
        "file", nargs="?", type=Path, metavar="FILE.glb", help="default: a built-in humanoid"
    )
    demo.add_argument(
        "--frames", type=int, default=1000, help="how many poses (default: %(default)s)"
    )
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("demo-output"),
        metavar="FOLDER",
        help="where the picture goes (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.frames < 1:
        demo.error(f"--frames: expected at least 1, got {options.frames}")

    # The demo needs NumPy; the package itself does not.
    try:
        from ._demo import run
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        print(
            "kinarray demo: NumPy is missing; install it with: pip install numpy", file=sys.stderr
        )
        return 1
    from . import KinarrayError

    try:
        run(options.file, options.frames, options.output)
    except (KinarrayError, OSError) as error:
        print(f"kinarray demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("kinarray demo: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a call with small arrays costs: kinarray beside nanobind, pybind11, rust-numpy and tvm-ffi.

Every contestant takes one or three arrays of 24 float32 and returns a new array of the same framework
(``a * 2 + 1`` and ``a * b + c``), or fills one that is there. All run in one process and by turns, after
each has shown that it returns the right numbers.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# One thread: with 24 numbers a second one has nothing to do but disturb.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# This checkout's kinarray, unless PYTHONPATH or the environment has another.
sys.path.append(str(ROOT / "python"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", help="frameworks, e.g. numpy,torch; or parts of contestants' names"
    )
    parser.add_argument("--repeats", type=int, default=31, help="rounds (default 31)")
    parser.add_argument("--quick", action="store_true", help="7 rounds of 2 ms")
    parser.add_argument("--out", type=Path, default=ROOT / "bench-results", help="where files go")
    parser.add_argument(
        "--no-build", action="store_true", help="take the extensions that are there"
    )
    options = parser.parse_args()

    import build

    # Most of them fit only the Python that they were built for.
    folder = Path(sys.prefix) / "extensions" / str(sys.implementation.cache_tag)
    missing = {} if options.no_build else build.build_all(folder)

    import measure
    import tables
    from calls import GROUPS, Extensions

    words = options.only.split(",") if options.only else [""]

    def wanted(call: measure.Call) -> bool:
        return any(word == call.framework or word in call.contestant for word in words)

    extensions = Extensions(folder)
    calls = []
    for make, base in GROUPS.values():
        group = list(make(extensions))
        chosen = [call for call in group if wanted(call)]
        # What the ratios are to is always there.
        calls += [call for call in group if call in chosen or (chosen and call.contestant == base)]
    measure.verify(calls)
    if options.quick:
        measure.run(calls, min(options.repeats, 7), 0.002)
    else:
        measure.run(calls, options.repeats)

    text = f"{tables.machine()}\n\n{tables.quiet(calls)}\n\n{tables.markdown(calls)}"
    for name, reason in missing.items():
        text += f"\nleft out: {name}: {reason}"
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "latency.md").write_text(text + "\n")
    tables.write_csv(options.out / "latency.csv", calls)
    print(f"\nwritten to {options.out}/latency.md and latency.csv", file=sys.stderr)


if __name__ == "__main__":
    main()

"""The table, the files and the chart."""

from __future__ import annotations

import csv
import json
import platform
from pathlib import Path

from workloads import CALLS

COLOURS = {
    "other readers": "#8c8c8c",
    "kinarray": "#1b6ca8",
    "kinarray on torch": "#4f9bd0",
    "kinarray on jax": "#9cc9e8",
    "kinarray, out=": "#12496f",
    "pymomentum": "#d1495b",
    "torch": "#edae49",
    "jax": "#66a182",
    "warp": "#8d6a9f",
    "numpy": "#999999",
    "limit": "#444444",
    "write": "#bbbbbb",
    "stream": "#cccccc",
    "roma": "#c97b63",
    "scipy": "#5b8e7d",
}

#: Bars end at this many times the peer's.
CUT = 2.5


def in_unit(seconds: float) -> str:
    for unit, size in (("s ", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:8.2f} {unit}"
    return f"{seconds * 1e9:8.0f} ns"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratios(rows) -> dict[str, dict[str, float | None]]:
    """By contestant: the peer's CPU time in units of its own, and the limit's as a fraction of its own."""
    by_name = {row.contestant: row for row in rows}

    def over(name, row):
        return by_name[name].cpu / row.cpu if name in by_name and row.cpu else None

    return {
        row.contestant: {"peer_over": over("pymomentum", row), "limit_over": over("limit", row)}
        for row in rows
    }


def print_table(workload, rows, same_work: float) -> None:
    if not rows:
        return
    print(f"\n{workload.name}")
    head = ("", "wall", "CPU", "CPU a pose", "x faster than peer", "of the limit", "differs by")
    print("  {:<18}{:>12}{:>12}{:>13}{:>20}{:>14}{:>13}".format(*head))
    found = ratios(rows)
    for row in rows:
        peer, limit = found[row.contestant]["peer_over"], found[row.contestant]["limit_over"]
        differs = "" if row.difference is None else f"{row.difference:.0e}"
        if row.difference is not None and not row.difference <= same_work:
            differs += " (!)"
        cells = (
            row.contestant,
            in_unit(row.wall),
            in_unit(row.cpu),
            in_unit(row.cpu / workload.batch),
            f"{peer:.2f}" if peer else "",
            f"{limit:.0%}" if limit else "",
            differs,
        )
        print("  {:<18}{:>12}{:>12}{:>13}{:>20}{:>14}{:>13}".format(*cells), flush=True)


def print_imports(imports: dict[str, float]) -> None:
    print("\nimport time, beyond the bare interpreter")
    for code, seconds in imports.items():
        print(f"  {code:<30}{in_unit(seconds):>12}")


def save(folder: Path, measurements, imports) -> list[Path]:
    """CSV, JSON and, where matplotlib is there, the chart; returns what was written."""
    folder.mkdir(exist_ok=True)
    records = []
    for row in measurements:
        same = [m for m in measurements if m.workload == row.workload and m.threads == row.threads]
        records.append(
            {"work": row.workload.name, **row.workload.to_dict(), "threads": row.threads}
            | {"contestant": row.contestant, "version": row.version, "wall_s": row.wall}
            | {"cpu_s": row.cpu, "cpu_s_a_pose": row.cpu / row.workload.batch}
            | {"first_call_s": row.first, "difference": row.difference}
            | ratios(same)[row.contestant]
        )
    written = [folder / "benchmarks.json", folder / "benchmarks.csv"]
    machine = {"machine": platform.platform(), "processor": processor()}
    written[0].write_text(
        json.dumps(machine | {"measurements": records, "import_s": imports}, indent=1)
    )
    if records:
        with written[1].open("w", newline="") as file:
            table = csv.DictWriter(file, records[0].keys())
            table.writeheader()
            table.writerows(records)
    try:
        written.append(chart(folder / "benchmarks.png", measurements))
    except ImportError:
        print("no chart: matplotlib is not installed")
    return written


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "")


def chart(path: Path, measurements) -> Path:
    """Bars of CPU time a pose, one panel a workload; shorter is better."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    threads = min((m.threads for m in measurements), default=1)
    shown = [m for m in measurements if m.threads == threads]
    work = list(dict.fromkeys(m.workload for m in shown))
    columns = min(3, max(1, len(work)))
    lines = -(-len(work) // columns) or 1
    figure, axes = plt.subplots(
        lines, columns, figsize=(5.6 * columns, 2.6 * lines), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(work) :]:
        axis.remove()
    for axis, workload in zip(axes.flat, work):
        rows = [m for m in shown if m.workload == workload][::-1]
        scale, unit = (1e6, "µs") if workload.kind not in CALLS else (1e9, "ns")
        values = [m.cpu / workload.batch * scale for m in rows]
        names = [m.contestant for m in rows]
        # One contestant far behind would make all others' bars invisible: its bar is cut.
        end = CUT * values[names.index("pymomentum")] if "pymomentum" in names else max(values)
        bars = axis.barh(names, [min(v, end) for v in values], color=[COLOURS[n] for n in names])
        texts = [number(v) + (" (cut)" if v > end else "") for v in values]
        axis.bar_label(bars, texts, padding=3, fontsize=8)
        axis.set_title(workload.name, fontsize=9, loc="left")
        axis.set_xlabel(f"CPU {unit} a pose", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.margins(x=0.16)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"Shorter is better; {threads} thread; median of interleaved rounds", fontsize=11
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path

"""The machine's limit: the loops of limit.c, compiled for this very CPU, writing to memory kept warm."""

import ctypes
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from reference import inverse_bind_pose

SOURCE = Path(__file__).resolve().parent.parent / "limit.c"
GROUP = 16  # poses, and vertices, side by side
to_numpy = np.asarray


def version():
    return "C loop (the limit)"


def library():
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise RuntimeError("no C compiler")
    built = Path(tempfile.mkdtemp(prefix="kinarray-limit-")) / "limit.so"
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(built)], check=True)
    return ctypes.CDLL(str(built))


def aligned(n_floats):
    memory = np.zeros(n_floats + 16, np.float32)
    skip = -memory.ctypes.data % 64 // 4
    return memory[skip : skip + n_floats]


def pointers(*arrays):
    return [a.ctypes.data_as(ctypes.c_void_p) for a in arrays]


def prepare(workload, arrays, threads):
    if workload.kind == "multiply" and workload.dtype == "float32" and threads == 1:
        return multiplication(library(), *arrays.input)
    fits = workload.batch % (GROUP * threads) == 0 and workload.n_vertices % GROUP == 0
    if workload.kind not in ("fk", "skin") or workload.dtype != "float32" or not fits:
        return None
    share = workload.batch // threads
    begin = {"fk": forward_kinematics, "skin": skinning}[workload.kind]
    out, runs = begin(library(), arrays.character, arrays.input, share)
    if threads == 1:
        return lambda: (runs[0](), out)[1]
    pool = ThreadPoolExecutor(threads)
    return lambda: (list(pool.map(lambda run: run(), runs)), out)[1]


def multiplication(c, a, b):
    out = np.zeros_like(a)
    given, size = pointers(a, b, out), ctypes.c_long(len(a))
    return lambda: (c.limit_multiply(*given[:2], size, given[2]), out)[1]


def forward_kinematics(c, character, poses, share):
    rows = [np.flatnonzero(row) for row in character.transform]
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    columns = np.concatenate(rows).astype(np.int32)
    values = np.concatenate([r[at] for r, at in zip(character.transform, rows)]).astype(np.float32)
    constants = (
        character.parents.astype(np.int32),
        character.pre_rotations,
        character.offsets,
        starts,
        columns,
        values,
    )
    out = np.zeros((len(poses), character.n_joints, 8), np.float32)

    def part(first):
        work = aligned(GROUP * (character.n_parameters + 8 * character.n_joints))
        kept = (poses[first : first + share], out[first : first + share], work, constants)
        before, after = pointers(kept[0])[0], pointers(kept[1], work)
        sizes = [ctypes.c_long(n) for n in (share, character.n_parameters, character.n_joints)]
        given = pointers(*constants)
        return lambda: (c.limit_fk(before, *sizes, *given, *after), kept)

    return out, [part(first) for first in range(0, len(poses), share)]


def skinning(c, character, states, share):
    bind = np.ascontiguousarray(
        inverse_bind_pose(character)[:, :3, :].transpose(0, 2, 1), np.float32
    )
    index, weight = np.ascontiguousarray(character.index), np.ascontiguousarray(character.weight)
    rest = character.vertices
    out = np.zeros((len(states), len(rest), 3), np.float32)

    def part(first):
        work = aligned(GROUP * 12 * character.n_joints)
        kept = (states[first : first + share], out[first : first + share], work)
        before, after = pointers(kept[0])[0], pointers(kept[1], work)
        sizes = [ctypes.c_long(n) for n in (share, character.n_joints, len(rest), index.shape[1])]
        bound = pointers(bind, index, weight, rest)

        def run():
            c.limit_skin(before, *sizes[:2], bound[0], *sizes[2:], *bound[1:], *after)
            return kept

        return run

    return out, [part(first) for first in range(0, len(states), share)]

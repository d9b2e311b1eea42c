"""Writes `mjcf_by_mujoco.json`: small models, each for one thing that MJCF has, and what MuJoCo makes of them.

Run with any Python that has `mujoco` (4.0.0 made the file): `python tests/data/mjcf_by_mujoco.py`.
"""

import json
from pathlib import Path

import mujoco
import numpy as np

CUBE = (
    '<mesh name="wedge" vertex="0 0 0  1 0 0  0 1 0  0 0 1  1 1 1" '
    'face="0 2 1  0 3 2  0 1 3  1 2 4  2 3 4  3 1 4" %s/>'
)


def model(inside: str, head: str = "") -> str:
    return f"<mujoco>{head}<worldbody>{inside}</worldbody></mujoco>"


def body(inside: str, **attributes: str) -> str:
    words = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<body {words}>{inside}</body>"


BALL = '<geom size=".1"/>'
MODELS = {
    "each way to say how a body is turned": model(
        body(BALL, name="quat", quat="1 2 3 4", pos="1 2 3")
        + body(BALL, name="axisangle", axisangle="1 2 -3 70")
        + body(BALL, name="euler", euler="10 20 30")
        + body(BALL, name="xyaxes", xyaxes="1 1 0 -1 0.5 2")
        + body(BALL, name="zaxis", zaxis="1 -2 0.5")
        + body(BALL, name="down", zaxis="0 0 -2")
        + body(BALL, name="still")
    ),
    "radians and mixed angles": model(
        body(BALL, name="a", euler="0.1 0.2 0.3") + body(BALL, name="b", axisangle="0 1 1 0.5"),
        '<compiler angle="radian" eulerseq="zYx"/>',
    ),
    "fixed angles": model(body(BALL, name="a", euler="10 20 30"), '<compiler eulerseq="XYZ"/>'),
    "a free body with sites": model(
        body(
            '<freejoint name="root"/><site name="s" pos="1 2 3"/><site type="capsule" fromto="0 0 0 1 0 2" name="t" size=".1"/>'
            + BALL,
            name="a",
            pos="1 2 3",
            euler="90 0 0",
        )
        + body('<joint type="free"/>' + BALL, name="b")
    ),
    "hinges away from the origin, oblique, with ref": model(
        body(
            '<joint name="one" pos=".1 .2 .3" axis="1 0 0" ref="30"/>'
            + BALL
            + body(
                '<joint name="two" pos="-.1 .2 0" axis="1 2 3" ref="-20" range="-90 90"/>'
                + BALL
                + body('<joint axis="0 -1 0"/>' + BALL, name="c", pos="0 0 1"),
                name="b",
                pos="0 1 0",
                euler="0 0 40",
            ),
            name="a",
            pos="1 0 0",
            quat="1 1 0 0",
        )
    ),
    "several joints on a body": model(
        body(
            '<joint name="x" type="slide" axis="1 0 0" ref=".3"/><joint name="o" type="slide" axis="1 1 0"/>'
            '<joint name="y" axis="0 1 0" pos="0 0 .2" ref="15"/>'
            + BALL
            + body(
                '<joint name="hx" axis="1 0 0" pos="0 0 .1"/><joint name="hz" axis="0 0 -1" pos="0 0 .1"/>'
                '<joint name="hy" axis="0 1 0" pos="0 0 .1"/>'
                + BALL
                + body(
                    '<joint name="wz"/><joint name="wy" axis="0 -2 0"/><joint name="wx" axis="1 0 0"/>'
                    + BALL,
                    name="c",
                    pos=".3 0 0",
                )
                + body(
                    '<joint name="rz"/><joint name="ry" axis="0 1 0" ref="25"/>'
                    '<joint name="rs" type="slide" axis="0 0 1"/><joint name="rx" axis="1 0 0"/>'
                    + BALL,
                    name="d",
                    euler="5 6 7",
                )
                + body(
                    '<joint name="ox" axis="1 1 0" pos=".1 0 0"/><joint name="oy" axis="0 1 0" pos=".1 0 0"/>'
                    + BALL,
                    name="e",
                    euler="5 6 7",
                ),
                name="b",
                pos="0 .5 0",
            ),
            name="a",
            euler="10 20 30",
        )
    ),
    "balls": model(
        body(
            '<joint name="one" type="ball" pos=".1 .2 .3"/>'
            + BALL
            + body(
                '<joint name="two" type="ball" range="0 40"/><joint name="s" type="slide" axis="1 0 1"/>'
                + BALL,
                name="b",
                pos="0 1 0",
            )
            + body(
                '<joint name="h" axis="1 0 0" pos="1 0 0"/><joint name="three" type="ball"/>'
                + BALL,
                name="c",
            ),
            name="a",
            pos="1 0 0",
            quat="1 1 0 0",
        )
    ),
    "frames": model(
        '<frame pos="1 2 3" euler="90 0 0">'
        + body(
            '<frame pos="0 1 0" euler="0 20 90"><frame axisangle="0 0 1 12"><joint name="j" pos="1 0 0" axis="1 0 0"/>'
            '<site name="s" pos="1 2 3"/></frame><geom type="box" size=".1 .2 .3" pos="1 0 0"/>'
            + body(BALL, name="b", pos="0 0 1", quat="1 0 1 0")
            + "</frame>",
            name="a",
            pos="0 0 1",
        )
        + "</frame>"
    ),
    "classes": model(
        body(
            '<joint name="one"/>'
            + BALL
            + body(
                '<joint name="two"/><geom/><joint name="three" class="deep" pos="0 0 0"/>',
                name="b",
                pos="1 0 0",
            )
            + body('<joint name="four" axis="0 0 1"/><geom/>', name="c", childclass="other")
            + '<frame childclass="deep">'
            + body('<joint name="five"/><geom class="other"/>', name="d")
            + "</frame>",
            name="a",
            childclass="outer",
        ),
        '<default><joint axis="1 0 0" ref="10"/><geom type="box" size=".1 .2 .3" euler="0 0 30"/>'
        '<default class="outer"><joint pos="0 0 1" range="-10 20"/><geom size=".5"/>'
        '<default class="deep"><joint type="slide" limited="false"/><geom type="capsule" quat="1 0 1 0"/></default></default>'
        '<default class="other"><geom type="ellipsoid" fromto="0 0 0 0 1 1"/></default></default>'
        '<default><default class="late"/></default>',
    ),
    "limits": model(
        body(
            '<joint name="auto" range="-10 20"/>'
            + BALL
            + body('<joint name="off" limited="false" range="-1 1"/>' + BALL, name="b")
            + body('<joint name="on" limited="true" type="slide" range="-1 1"/>' + BALL, name="c")
            + body('<joint name="flat" range="0 0"/>' + BALL, name="d"),
            name="a",
        )
    ),
    "masses of geoms": model(
        "".join(
            body(f'<geom {form} pos=".1 .2 .3" euler="10 20 30"/>', name=f"b{at}")
            for at, form in enumerate(
                [
                    'size=".1"',
                    'type="capsule" size=".1 .3"',
                    'type="cylinder" size=".1 .3" density="500"',
                    'type="ellipsoid" size=".1 .2 .3" mass="2"',
                    'type="box" size=".1 .2 .3"',
                    'type="mesh" mesh="wedge"',
                    'type="mesh" mesh="exact"',
                ]
            )
        )
        + body(
            '<geom type="capsule" fromto="0 0 0 .1 .2 .5" size=".05"/><geom type="box" fromto="0 0 0 .3 0 0" size=".05"/>'
            '<geom size=".1" pos="1 0 0" mass="0"/><geom size=".1" pos="-1 0 0" group="5"/>',
            name="several",
        )
        + body(
            '<inertial pos="0 0 1" mass="3" diaginertia="1 2 2.5" euler="0 0 40"/>' + BALL,
            name="own",
        )
        + body('<inertial pos="0 1 0" mass="3" fullinertia="1 2 2.5 .1 .2 .3"/>', name="full"),
        "<asset>"
        + CUBE % 'scale="1 2 -3" refpos="1 2 3" refquat="1 1 0 0"'
        + (CUBE % 'inertia="exact" scale="1 1 2"').replace("wedge", "exact")
        + '</asset><compiler inertiagrouprange="0 4"/>',
    ),
    "masses as the compiler has them": model(
        body('<freejoint/><inertial pos="0 0 1" mass="3" diaginertia="1 2 2.5"/>' + BALL, name="a")
        + body('<inertial pos="0 0 1" mass=".01" diaginertia=".1 .2 .01"/>' + BALL, name="b"),
        '<compiler inertiafromgeom="false" boundmass="1" boundinertia=".05" balanceinertia="true" settotalmass="10"/>',
    ),
    "masses of geoms instead of those given": model(
        body('<inertial pos="0 0 1" mass="3" diaginertia="1 2 2.5"/>' + BALL, name="a"),
        '<compiler inertiafromgeom="true"/>',
    ),
    "copies": model(
        body(
            '<replicate count="11" sep="-" offset="1 0 .5" euler="0 0 30">'
            + body(
                '<joint name="j" pos="0 1 0" axis="1 0 2"/><site name="s" pos="1 2 3"/>'
                + BALL
                + body(BALL),
                name="b",
                pos="0 2 0",
            )
            + "</replicate>"
            + '<replicate count="2" offset="0 1 0"><geom size=".1" pos="1 0 0"/><site name="q" pos="0 0 1"/>'
            + '<replicate count="2" offset="0 0 1" euler="10 20 30"><frame pos="1 0 0">'
            + body('<joint type="slide" name="k"/>' + BALL, name="n")
            + "</frame></replicate></replicate>",
            name="p",
            euler="1 2 3",
        )
        + '<replicate count="1">'
        + body(BALL, name="one")
        + "</replicate>"
    ),
    "what is seen": model(
        body(
            '<geom type="mesh" mesh="wedge" pos="1 2 3" euler="10 20 30" rgba="1 0 0 1"/>'
            '<geom type="mesh" mesh="wedge" group="3"/><geom type="mesh" mesh="wedge" rgba="1 1 1 0"/>',
            name="a",
            pos="1 0 0",
            euler="0 40 0",
        )
        + body('<geom type="mesh" mesh="other" material="green"/>', name="b"),
        '<default><mesh scale="2 2 2"/></default><asset><material name="green" rgba="0 1 0 1"/>'
        + CUBE % 'scale="1 -2 3" refpos="1 2 3" refquat="1 1 0 0"'
        + (CUBE % 'inertia="exact"').replace("wedge", "other")
        + "</asset>",
    ),
}


def rounded(array) -> list:
    return np.asarray(array, np.float64).ravel().tolist()


def body_name(loaded: mujoco.MjModel, at: int) -> str:
    """A body's name; one without has a number, as we give it."""
    return loaded.body(at).name or f"body_{at}"


def described(text: str, rng: np.random.Generator) -> dict:
    loaded = mujoco.MjModel.from_xml_string(text)
    data = mujoco.MjData(loaded)
    bodies = range(1, loaded.nbody)
    name = lambda kind, at: mujoco.mj_id2name(loaded, kind, at)
    joints = [
        {
            "name": name(mujoco.mjtObj.mjOBJ_JOINT, at) or body_name(loaded, loaded.jnt_bodyid[at]),
            "type": ["free", "ball", "slide", "hinge"][loaded.jnt_type[at]],
            "address": int(loaded.jnt_qposadr[at]),
            "range": rounded(loaded.jnt_range[at]) if loaded.jnt_limited[at] else None,
        }
        for at in range(loaded.njnt)
    ]
    masses = []
    for at in bodies:
        matrix = np.zeros(9)
        mujoco.mju_quat2Mat(matrix, loaded.body_iquat[at])
        turn = matrix.reshape(3, 3)
        inertia = turn @ np.diag(loaded.body_inertia[at]) @ turn.T
        masses.append(
            [float(loaded.body_mass[at]), rounded(loaded.body_ipos[at]), rounded(inertia)]
        )
    poses = []
    for number in range(4):
        if number:
            data.qpos[:] = rng.uniform(-2, 2, loaded.nq)
            mujoco.mj_normalizeQuat(loaded, data.qpos)
        else:
            mujoco.mj_resetData(loaded, data)
        mujoco.mj_kinematics(loaded, data)
        poses.append(
            {
                "qpos": rounded(data.qpos),
                "positions": [rounded(data.xpos[at]) for at in bodies],
                "rotations": [rounded(data.xmat[at]) for at in bodies],
                "sites": {
                    loaded.site(at).name: rounded(data.site_xpos[at]) for at in range(loaded.nsite)
                },
            }
        )
    parents = [body_name(loaded, loaded.body_parentid[at]) for at in bodies]
    geoms = []
    for at in range(loaded.ngeom):
        # Meshes lie about their centre of mass in MuJoCo.
        if loaded.geom_type[at] != mujoco.mjtGeom.mjGEOM_MESH:
            matrix = np.zeros(9)
            mujoco.mju_quat2Mat(matrix, loaded.geom_quat[at])
            kind = str(mujoco.mjtGeom(loaded.geom_type[at]).name)[7:].lower()
            on = body_name(loaded, loaded.geom_bodyid[at])
            geoms.append(
                [
                    on,
                    kind,
                    rounded(loaded.geom_size[at]),
                    rounded(loaded.geom_pos[at]),
                    rounded(matrix),
                ]
            )
    mujoco.mj_resetData(loaded, data)
    mujoco.mj_kinematics(loaded, data)
    seen = []
    for at in range(loaded.ngeom):
        is_mesh = loaded.geom_type[at] == mujoco.mjtGeom.mjGEOM_MESH
        if is_mesh and loaded.geom_group[at] <= 2 and loaded.geom_rgba[at][3] > 0:
            mesh = loaded.mesh(loaded.geom_dataid[at])
            first, count = int(mesh.vertadr[0]), int(mesh.vertnum[0])
            points = loaded.mesh_vert[first : first + count] @ data.geom_xmat[at].reshape(3, 3).T
            seen += rounded(points + data.geom_xpos[at])
    return {
        "xml": text,
        "seen_meshes": seen,
        "bodies": [body_name(loaded, at) for at in bodies],
        "parents": parents,
        "joints": joints,
        "masses": masses,
        "geoms": geoms,
        "poses": poses,
    }


if __name__ == "__main__":
    rng = np.random.default_rng(5)
    cases = {name: described(text, rng) for name, text in MODELS.items()}
    out = {"mujoco": mujoco.__version__, "cases": cases}
    Path(__file__).with_suffix(".json").write_text(json.dumps(out, separators=(",", ":")) + "\n")

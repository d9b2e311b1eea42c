"""Lists the public names of PyMomentum as JSON; run by the peer's own interpreter."""

import ast
import inspect
import json
import sys
from pathlib import Path

import pymomentum
import pymomentum.geometry as geometry


def members(cls):
    """Public methods and properties of a class of theirs; of an enumeration its values."""
    plumbing = {"name", "value"} if hasattr(cls, "__members__") else set()
    return sorted(n for n in vars(cls) if not n.startswith("_") and n not in plumbing)


def compiled(module):
    found = {}
    for name in sorted(n for n in dir(module) if not n.startswith("_")):
        value = getattr(module, name)
        found[name] = members(value) if inspect.isclass(value) else None
    return found


def functions(source):
    """Public functions of a module of theirs that cannot be imported without torch."""
    tree = ast.parse(source.read_text())
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {name: None for name in defined if not name.startswith("_")}


folder = Path(next(iter(pymomentum.__path__)))
python_modules = ("quaternion", "quaternion_np", "skel_state", "skel_state_np", "trs")
names = {"geometry": compiled(geometry)}
names |= {module: functions(folder / f"{module}.py") for module in python_modules}
json.dump(names, sys.stdout)

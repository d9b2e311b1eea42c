"""Producers of arrays built by hand, so that they can say whatever a test tells them to."""

from __future__ import annotations

import ctypes

import numpy as np


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Legacy(ctypes.Structure):
    """DLManagedTensor."""

    _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class Versioned(ctypes.Structure):
    """DLManagedTensorVersioned."""

    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", DLTensor),
    ]


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
NULL_NUMBERS = ctypes.POINTER(ctypes.c_int64)()
READ_ONLY = 1


def capsule(pointer: int, name: bytes):
    """A capsule without a destructor; the name must outlive it."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(pointer, name, None)


def numbers(values):
    return (ctypes.c_int64 * len(values))(*values)


class Crafted:
    """A DLPack producer whose structure says what it is told to.

    `deleted` counts how often the deleter ran. `shape` and `strides` are sequences, or pointers.
    """

    def __init__(self, memory: np.ndarray, versioned=True, deleter="count", device=(1, 0), **says):
        self.memory, self.device, self.deleted, self.asked = memory, device, 0, []
        steps = [stride // memory.itemsize for stride in memory.strides]
        self.layout = {
            "shape": says.pop("shape", memory.shape),
            "strides": says.pop("strides", steps),
        }
        self.structure = (Versioned if versioned else Legacy)()
        tensor = self.structure.tensor
        said = {
            "data": memory.ctypes.data,
            "device_type": 1,
            "ndim": len(memory.shape),
            "code": 2,
            "bits": 8 * memory.itemsize,
            "lanes": 1,
        }
        for name, value in self.layout.items():
            self.layout[name] = value if isinstance(value, ctypes._Pointer) else numbers(value)
            setattr(tensor, name, ctypes.cast(self.layout[name], type(NULL_NUMBERS)))
        if versioned:
            self.structure.major = says.pop("major", 1)
            self.structure.minor = says.pop("minor", 0)
            self.structure.flags = says.pop("flags", 0)
        for name, value in (said | says).items():
            setattr(tensor, name, value)
        if deleter == "count":

            def count(pointer):
                self.deleted += 1

            deleter = DELETER(count)
        self.deleter = deleter
        if deleter is not None:
            self.structure.deleter = ctypes.cast(deleter, ctypes.c_void_p).value
        self.name = b"dltensor_versioned" if versioned else b"dltensor"

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **keywords):
        self.asked.append(keywords)
        return capsule(ctypes.addressof(self.structure), self.name)


class Forwarding:
    """A producer that speaks DLPack through NumPy; `old` does not know max_version."""

    def __init__(self, array, device=(1, 0), old=False):
        self.array, self.device, self.old = array, device, old

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **keywords):
        if self.old and keywords:
            raise TypeError("unexpected keyword argument 'max_version'")
        return self.array.__dlpack__(**keywords)


def producer(**methods):
    """An object with these methods and nothing else."""
    return type("Producer", (), methods)()


# The buffer protocol ---------------------------------------------------------------------------------


class PyBuffer(ctypes.Structure):
    """Py_buffer."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("function", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    ]


_FILL = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(PyBuffer), ctypes.c_int)
_RELEASE = ctypes.PYFUNCTYPE(None, ctypes.py_object, ctypes.POINTER(PyBuffer))


def exporter(memory: np.ndarray, **says):
    """An object whose buffer says what it is told to; `released` of its type counts the releases."""

    said = {"buf": memory.ctypes.data, "len": memory.nbytes, "itemsize": memory.itemsize}
    said |= {"readonly": 0, "ndim": memory.ndim, "format": b"f"}
    said |= {"shape": memory.shape, "strides": memory.strides, "suboffsets": None} | says
    arrays = {}
    for name in ("shape", "strides", "suboffsets"):
        if said[name] is not None:
            arrays[name] = (ctypes.c_ssize_t * len(said[name]))(*said[name])
            said[name] = ctypes.cast(arrays[name], ctypes.POINTER(ctypes.c_ssize_t))
    said = {name: value for name, value in said.items() if value is not None}

    def fill(this, view, flags):
        for name, value in said.items():
            setattr(view[0], name, value)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(this))
        view[0].obj = id(this)
        return 0

    def release(this, view):
        kind.released += 1

    kept = [_FILL(fill), _RELEASE(release)]
    get, give_back, end = 1, 2, 0
    pointers = [ctypes.cast(function, ctypes.c_void_p).value for function in kept]
    slots = (_Slot * 3)(_Slot(get, pointers[0]), _Slot(give_back, pointers[1]), _Slot(end, None))
    heap_type = 1 << 9
    spec = _Spec(b"producers.Exporter", object.__basicsize__, 0, heap_type, slots)
    make = ctypes.pythonapi.PyType_FromSpec
    make.restype, make.argtypes = ctypes.py_object, [ctypes.POINTER(_Spec)]
    kind = make(ctypes.byref(spec))
    kind.released, kind.kept = 0, (kept, slots, spec, memory, arrays)
    return kind()


# Arrow -----------------------------------------------------------------------------------------------


class ArrowSchema(ctypes.Structure):
    pass


class ArrowArray(ctypes.Structure):
    pass


ArrowSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private", ctypes.c_void_p),
]
ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private", ctypes.c_void_p),
]


class Column:
    """An Arrow column of float32 whose two structures say what they are told to.

    `released` counts how often each was released, as the protocol wants it: once.
    """

    names = (b"arrow_schema", b"arrow_array")

    def __init__(self, memory: np.ndarray, schema=(), array=(), names=None):
        self.memory, self.released = memory, [0, 0]
        self.names = names or self.names
        self.buffers = (ctypes.c_void_p * 2)(None, memory.ctypes.data)
        said = {"format": b"f", "name": b""} | dict(schema)
        self.schema = ArrowSchema(**said)
        said = {"length": memory.size, "n_buffers": 2, "buffers": self.buffers} | dict(array)
        self.array = ArrowArray(**said)
        self.release = [
            DELETER(self._released(0, ArrowSchema)),
            DELETER(self._released(1, ArrowArray)),
        ]
        for structure, release in zip((self.schema, self.array), self.release):
            structure.release = ctypes.cast(release, ctypes.c_void_p).value

    def _released(self, which, kind):
        def release(pointer):
            self.released[which] += 1
            kind.from_address(pointer).release = None

        return release

    def __arrow_c_array__(self, requested_schema=None):
        structures = (self.schema, self.array)
        return tuple(
            capsule(ctypes.addressof(structure), name)
            for structure, name in zip(structures, self.names)
        )

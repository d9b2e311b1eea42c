"""What goes into a file, with PyMomentum's names."""

from dataclasses import dataclass
from enum import Enum


class GltfFileFormat(Enum):
    """How a glTF file is written."""

    Auto = 0
    """As the suffix says: ``.gltf`` is text, everything else binary."""
    Binary = 1
    """GLB."""
    Ascii = 2
    """JSON text with the numbers in base64."""


class FbxUpVector(Enum):
    """The axis that points up in an FBX file."""

    XAxis = 1
    YAxis = 2
    ZAxis = 3


class FbxFrontVector(Enum):
    """Which of the two other axes points to the front in an FBX file: the first or the second."""

    ParityEven = 1
    ParityOdd = 2


class FbxCoordSystem(Enum):
    """Which hand the axes of an FBX file follow."""

    RightHanded = 0
    LeftHanded = 1


@dataclass(frozen=True)
class FbxCoordSystemInfo:
    """The axes of an FBX file; those of Maya where not given.

    Examples
    --------
    >>> from kinarray.geometry import FbxCoordSystemInfo
    >>> FbxCoordSystemInfo().up_vector
    <FbxUpVector.YAxis: 2>
    """

    up_vector: FbxUpVector = FbxUpVector.YAxis
    front_vector: FbxFrontVector = FbxFrontVector.ParityOdd
    coord_system: FbxCoordSystem = FbxCoordSystem.RightHanded


@dataclass
class FileSaveOptions:
    """What goes into a file beside the skeleton.

    Parameters
    ----------
    mesh, locators, collisions, blend_shapes : bool
        Parts of the character.
    permissive : bool
        Whether a mesh without skin weights is saved too. It always is; the option is there for code that
        sets it.
    coord_system_info : FbxCoordSystemInfo
        The axes of an FBX file.
    fbx_namespace : str
        Put before the names of nodes in an FBX file, with a colon.
    extensions : bool
        Whether glTF gets PyMomentum's ``FB_momentum`` and what kinarray keeps beside it. Without them the
        file holds what any viewer shows and nothing else.
    gltf_file_format : GltfFileFormat
        Binary or text.

    Examples
    --------
    >>> from kinarray.geometry import FileSaveOptions
    >>> FileSaveOptions(locators=False).mesh
    True
    """

    mesh: bool = True
    locators: bool = True
    collisions: bool = True
    blend_shapes: bool = True
    permissive: bool = False
    coord_system_info: FbxCoordSystemInfo = FbxCoordSystemInfo()
    fbx_namespace: str = ""
    extensions: bool = True
    gltf_file_format: GltfFileFormat = GltfFileFormat.Auto

//! Libraries that speak DLPack and have no quicker door here: what each adds to the protocol, and how
//! a result becomes an array of theirs.
//!
//! A library that nobody here knows of is served by the protocol alone: its own `from_dlpack`, where it
//! has one, makes the result.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::array::DType;
use crate::interop::buffer::Buffer;
use crate::interop::dlpack::{self, Managed};
use crate::interop::foreign::Foreign;
use crate::interop::routes::{ClassCache, Weak};
use crate::interop::torch::gradient_lost;

/// What the protocol does not say about a library.
struct Library {
    package: &'static str,
    /// Why a gradient would be lost, where the library is recording one.
    tracks: fn(&Bound<'_, PyAny>) -> PyResult<Option<&'static str>>,
    /// How to get an array whose gradient is not recorded.
    undo: &'static str,
    /// Whether memory in a capsule from before 1.0, which cannot say so, may be written into.
    writable: bool,
    /// Our buffer as an array of the library.
    wrap: for<'py> fn(&Bound<'py, PyAny>, DType) -> PyResult<Bound<'py, PyAny>>,
}

static LIBRARIES: [Library; 4] = [
    Library {
        package: "paddle",
        tracks: |tensor| {
            let stopped = tensor.getattr(intern!(tensor.py(), "stop_gradient"))?;
            Ok((!stopped.is_truthy()?)
                .then_some("the tensor records a gradient (stop_gradient is False)"))
        },
        undo: "pass tensor.detach()",
        writable: false,
        wrap: |buffer, _| call(buffer, "paddle.utils.dlpack", "from_dlpack"),
    },
    Library {
        package: "tensorflow",
        tracks: tensorflow_records,
        undo: "pass tf.stop_gradient(tensor), or call it before the tape",
        writable: false,
        wrap: |buffer, _| {
            let package = buffer.py().import("tensorflow")?;
            let module = package.getattr("experimental")?.getattr("dlpack")?;
            // It takes the capsule itself, and only that from before 1.0.
            module.call_method1("from_dlpack", (buffer.call_method0("__dlpack__")?,))
        },
    },
    Library {
        package: "mlx",
        // MLX tells nobody that it differentiates.
        tracks: |_| Ok(None),
        undo: "",
        writable: false,
        wrap: |buffer, dtype| {
            if dtype != DType::Float64 {
                return call(buffer, "mlx.core", "from_dlpack");
            }
            // Which would round to float32.
            let module = buffer.py().import("mlx.core")?;
            let keywords = PyDict::new(buffer.py());
            keywords.set_item("dtype", module.getattr("float64")?)?;
            module.call_method("array", (buffer,), Some(&keywords))
        },
    },
    Library {
        package: "warp",
        tracks: |array| {
            let tracked = array.getattr(intern!(array.py(), "requires_grad"))?;
            Ok(tracked
                .is_truthy()?
                .then_some("the array records a gradient (requires_grad is set)"))
        },
        undo: "pass an array without requires_grad",
        writable: true,
        wrap: |buffer, _| call(buffer, "warp", "from_dlpack"),
    },
];

fn call<'py>(
    buffer: &Bound<'py, PyAny>,
    module: &str,
    function: &str,
) -> PyResult<Bound<'py, PyAny>> {
    buffer
        .py()
        .import(module)?
        .call_method1(function, (buffer,))
}

/// Whether a `GradientTape` or a `ForwardAccumulator` watches the tensor.
fn tensorflow_records(tensor: &Bound<'_, PyAny>) -> PyResult<Option<&'static str>> {
    let modules = tensor.py().import("sys")?.getattr("modules")?;
    if let Ok(record) = modules.get_item("tensorflow.python.eager.record")
        && record
            .call_method1("should_record_backprop", ([tensor],))?
            .is_truthy()?
    {
        return Ok(Some("a GradientTape watches the tensor"));
    }
    if let Ok(forward) = modules.get_item("tensorflow.python.eager.forwardprop_util")
        && !forward
            .call_method1("pack_tangents", ([tensor],))?
            .getattr("tangents")?
            .is_empty()?
    {
        return Ok(Some("a ForwardAccumulator watches the tensor"));
    }
    Ok(None)
}

/// The modules of an object's class and its bases, nearest first.
fn homes(object: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let mut homes = Vec::new();
    for class in object.get_type().mro() {
        let home = class.cast::<PyType>()?.module()?.to_string();
        // Whatever a script imported says nothing about the classes that it defines.
        if home != "builtins" && home != "__main__" && !homes.contains(&home) {
            homes.push(home);
        }
    }
    Ok(homes)
}

fn package(home: &str) -> &str {
    home.split_once('.').map_or(home, |(package, _)| package)
}

impl Library {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Option<&'static Self>> {
        let homes = homes(object)?;
        let known = |home: &String| LIBRARIES.iter().find(|it| it.package == package(home));
        Ok(homes.iter().find_map(known))
    }
}

/// What is known about the arrays of a class.
struct Origin {
    library: Option<&'static Library>,
    /// How a result becomes one of them, looked for when the first result is there; `None` where there is
    /// no function for that.
    from_dlpack: PyOnceLock<Option<Weak>>,
}

impl Origin {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        static ORIGINS: ClassCache<Arc<Origin>> = ClassCache::new();
        let class = object.get_type();
        if let Some(origin) = ORIGINS.get(&class) {
            return Ok(origin);
        }
        let origin = Arc::new(Self {
            library: Library::of(object)?,
            from_dlpack: PyOnceLock::new(),
        });
        ORIGINS.put(&class, origin.clone());
        Ok(origin)
    }
}

/// Takes an array over through `__dlpack__`.
///
/// # Errors
/// [`crate::error::Error::Gradient`] where the library records what happens to the array, and as for
/// [`dlpack::import`].
pub fn import(what: &str, object: &Bound<'_, PyAny>) -> PyResult<(Foreign, Managed)> {
    let library = Origin::of(object)?.library;
    if let Some(library) = library
        && let Some(why) = (library.tracks)(object)?
    {
        return Err(gradient_lost("", what, why, library.undo));
    }
    let (mut memory, managed) = dlpack::import(what, object)?;
    if library.is_some_and(|library| library.writable) && matches!(managed, Managed::Legacy(_)) {
        memory.read_only = false;
    }
    Ok((memory, managed))
}

/// Hands a result over as an array of the library that `like` comes from; as our own buffer where the
/// library has no `from_dlpack`, or one that would round.
///
/// # Errors
/// What the library raises.
pub fn export<'py>(
    py: Python<'py>,
    buffer: Buffer,
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let dtype = buffer.foreign().dtype();
    let buffer = Bound::new(py, buffer)?.into_any();
    let origin = Origin::of(like)?;
    if let Some(library) = origin.library {
        return (library.wrap)(&buffer, dtype);
    }
    let known = origin.from_dlpack.get(py);
    let function = match known {
        Some(None) => return Ok(buffer),
        Some(Some(weak)) => weak.get(py),
        None => None,
    };
    let from_dlpack = match function {
        Some(function) => function,
        None => {
            let function = from_dlpack_of(like)?;
            let weak = function.as_ref().map(Weak::new).transpose();
            if let Ok(weak) = weak {
                // Somebody else was quicker, or it is known and gone: nothing is lost.
                let _ = origin.from_dlpack.set(py, weak);
            }
            match function {
                Some(function) => function,
                None => return Ok(buffer),
            }
        }
    };
    let result = match from_dlpack.call1((&buffer,)) {
        // It may be from when `from_dlpack` took the capsule.
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            let capsule = buffer.call_method0(intern!(py, "__dlpack__"))?;
            from_dlpack.call1((capsule,)).map_err(|_| error)?
        }
        other => other?,
    };
    if dtype == DType::Float64
        && let Ok((memory, _managed)) = dlpack::import("result", &result)
        && memory.dtype() != dtype
    {
        return Ok(buffer);
    }
    Ok(result)
}

/// `from_dlpack` of the array API namespace, or else of a module that the class lies in.
fn from_dlpack_of<'py>(like: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = like.py();
    let name = intern!(py, "from_dlpack");
    if let Ok(namespace) = like.call_method0(intern!(py, "__array_namespace__"))
        && let Ok(function) = namespace.getattr(name)
    {
        return Ok(Some(function));
    }
    let modules = py.import("sys")?.getattr("modules")?;
    for home in homes(like)? {
        let mut module = &home[..];
        loop {
            for place in ["", ".dlpack", ".utils.dlpack"] {
                if let Ok(found) = modules.get_item(format!("{module}{place}"))
                    && let Ok(function) = found.getattr(name)
                {
                    return Ok(Some(function));
                }
            }
            match module.rsplit_once('.') {
                Some((parent, _)) => module = parent,
                None => break,
            }
        }
    }
    Ok(None)
}

/// What to do with an object that is not an array here but may well be meant as one.
///
/// # Errors
/// Where the object's class has no name.
pub fn hint(object: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    let class = object.get_type().name()?.to_string();
    for home in homes(object)? {
        match (package(&home), &class[..]) {
            ("tensorflow", "SymbolicTensor") | ("paddle", "Value" | "Variable") => {
                return Ok(", which is part of a graph and has no values yet; call it eagerly");
            }
            ("tensorflow", name) if name.ends_with("Variable") => {
                return Ok("; pass its value()");
            }
            _ => {}
        }
    }
    if object.hasattr(intern!(object.py(), "__array__"))? {
        return Ok("; numpy.asarray() makes an array of it");
    }
    Ok("")
}

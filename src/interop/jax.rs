//! JAX arrays in and out: the buffer protocol in, the quickest import that this JAX has out.

use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::exceptions::{PyBufferError, PyRuntimeError};
use pyo3::ffi::PyTypeObject;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyList;

use crate::array::{DType, Shape};
use crate::error::Error;
use crate::interop::buffer::Buffer;
use crate::interop::dlpack::{self, Managed};
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;
use crate::interop::numpy;
use crate::interop::pybuffer::{self, PyBuffer};
use crate::interop::torch::{gradient_lost, shape_tuple};

struct Jax {
    array_type: Py<PyAny>,
    tracer_type: Py<PyAny>,
    /// `batched_device_put` of jaxlib, which makes an array over a NumPy array without the twenty
    /// microseconds of argument checking of the public functions. `None` where the probe failed.
    device_put: Option<Py<PyAny>>,
    shaped_array: Option<Py<PyAny>>,
}

static JAX: PyOnceLock<Jax> = PyOnceLock::new();
static ARRAY_TYPE: AtomicPtr<PyTypeObject> = AtomicPtr::new(null_mut());

/// Abstract values made so far, by type and shape; making one costs more than using it.
struct KnownAvals(Vec<(DType, Shape, Py<PyAny>)>);
static AVALS: Mutex<KnownAvals> = Mutex::new(KnownAvals(Vec::new()));
const MOST_AVALS: usize = 64;

/// Whether the type is exactly jaxlib's array type, as far as known; see [`notice`].
#[inline]
#[must_use]
pub fn is_array_type(kind: *mut PyTypeObject) -> bool {
    kind == ARRAY_TYPE.load(Ordering::Relaxed)
}

/// Looks whether JAX has been imported by now, and remembers its types if so.
///
/// # Errors
/// None in practice; a JAX of unknown form counts as absent.
pub fn notice(py: Python<'_>, modules: &Bound<'_, PyAny>) -> PyResult<bool> {
    if JAX.get(py).is_some() {
        return Ok(true);
    }
    let Ok(module) = modules.get_item("jax") else {
        return Ok(false);
    };
    let found = (|| {
        // These exist only at the end of JAX's own import.
        let tracer_type = module.getattr("core").ok()?.getattr("Tracer").ok()?;
        let array_type = modules
            .get_item("jax._src.array")
            .ok()?
            .getattr("ArrayImpl")
            .ok()?;
        module.getattr("numpy").ok()?;
        Some((array_type, tracer_type))
    })();
    let Some((array_type, tracer_type)) = found else {
        return Ok(false);
    };
    let jax = JAX.get_or_try_init(py, || {
        let device_put = ["jaxlib._jax", "jaxlib.xla_extension"]
            .iter()
            .filter_map(|name| py.import(*name).ok())
            .find_map(|module| module.getattr("batched_device_put").ok());
        let shaped_array = module
            .getattr("core")
            .and_then(|core| core.getattr("ShapedArray"))
            .ok();
        Ok::<_, PyErr>(Jax {
            array_type: array_type.unbind(),
            tracer_type: tracer_type.unbind(),
            device_put: device_put.map(Bound::unbind),
            shaped_array: shaped_array.map(Bound::unbind),
        })
    })?;
    ARRAY_TYPE.store(jax.array_type.as_ptr().cast(), Ordering::Relaxed);
    Ok(true)
}

/// Whether the object stands for a value inside a JAX transformation.
///
/// # Errors
/// What a strange metaclass raises.
pub fn is_tracer(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    match JAX.get(object.py()) {
        Some(jax) => object.is_instance(jax.tracer_type.bind(object.py())),
        None => Ok(false),
    }
}

/// The error for a tracer.
#[cold]
#[must_use]
pub fn traced(function: &str, what: &str) -> PyErr {
    gradient_lost(
        function,
        what,
        "the array is a JAX tracer (inside jit, grad, vmap or the like)",
        "pass jax.lax.stop_gradient(array) from outside the transformation",
    )
}

/// What keeps a JAX array's memory alive.
#[derive(Debug)]
pub enum Guard {
    /// Through the buffer protocol.
    Buffer(PyBuffer),
    /// Through DLPack, for types that have no buffer format (bfloat16).
    Managed(Managed),
}

/// Reads a JAX array; waits for it where it is still being computed.
///
/// # Errors
/// [`Error::Device`] for arrays on other devices or on several, [`Error::Value`] for deleted ones.
#[inline]
pub fn read(what: &str, array: &Bound<'_, PyAny>) -> PyResult<(Foreign, Guard)> {
    match pybuffer::import(what, array) {
        Ok((foreign, buffer)) => Ok((foreign, Guard::Buffer(buffer))),
        Err(error) => read_otherwise(what, array, error),
    }
}

#[cold]
fn read_otherwise(
    what: &str,
    array: &Bound<'_, PyAny>,
    error: PyErr,
) -> PyResult<(Foreign, Guard)> {
    let py = array.py();
    if array.call_method0("is_deleted")?.is_truthy()? {
        return Err(Error::value(
            what,
            "the JAX array has been deleted or donated to a jitted function",
        )
        .into());
    }
    let devices = array.getattr("sharding")?.getattr("device_set")?;
    let count = devices.len()?;
    if count > 1 {
        return Err(Error::Device(format!(
            "{what}: the JAX array is spread over {count} devices; call kinarray on each shard \
             (jax.shard_map, or array.addressable_shards), or gather it on one device first"
        ))
        .into());
    }
    let device = devices
        .try_iter()?
        .next()
        .ok_or_else(|| Error::Device(format!("{what}: the JAX array is on no device")))??;
    if device.getattr("platform")?.str()? != "cpu" {
        return Err(Error::Device(format!(
            "{what}: the JAX array is on {}; kinarray computes on the CPU, move it there first \
             (jax.device_put(array, jax.devices('cpu')[0]))",
            device.str()?
        ))
        .into());
    }
    if !error.is_instance_of::<PyBufferError>(py) {
        return Err(error);
    }
    let (mut foreign, managed) = dlpack::import(what, array).map_err(|error| {
        // XLA's own words name its types, not JAX's ("S4" for int4).
        let dtype = array.getattr("dtype").and_then(|dtype| dtype.str());
        match dtype {
            Ok(dtype)
                if error.is_instance_of::<PyRuntimeError>(py)
                    || error.is_instance_of::<PyBufferError>(py) =>
            {
                Error::dtype(what, "float32 or float64 (or float16, bfloat16)", dtype).into()
            }
            _ => error,
        }
    })?;
    foreign.read_only = true;
    Ok((foreign, Guard::Managed(managed)))
}

/// Hands a block over as a JAX array on the device of `like`, committed to it if `like` is.
///
/// # Errors
/// What JAX raises.
pub fn export<'py>(
    py: Python<'py>,
    block: Block,
    dtype: DType,
    shape: &[usize],
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let array = numpy::export(py, block, dtype, shape, Some(like))?;
    place(array, dtype, shape, like)
}

/// A buffer as a JAX array on the device of `like`: over the same memory where that is row-major and
/// aligned to 64 bytes, for JAX copies everything else.
///
/// # Errors
/// What JAX raises.
pub fn wrap<'py>(
    buffer: &Bound<'py, Buffer>,
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let memory = buffer.get().foreign();
    place(numpy::view(buffer)?, memory.dtype(), memory.shape(), like)
}

/// A NumPy array as a JAX array over the same memory.
fn place<'py>(
    array: Bound<'py, PyAny>,
    dtype: DType,
    shape: &[usize],
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let jax = JAX.get(py).expect("a JAX array was recognised");
    let direct = match (&jax.device_put, &jax.shaped_array) {
        (Some(device_put), Some(shaped_array))
            if like.is_exact_instance(jax.array_type.bind(py)) =>
        {
            Some((device_put, shaped_array))
        }
        _ => None,
    };
    // With 64-bit types switched off JAX would round float64 on the way in. Such an array can only
    // come from a scope with them switched on, and its result is made in another such scope.
    let scope = if dtype == DType::Float64 && !x64_enabled(py)? {
        // In `jax` itself since 0.8; only in `jax.experimental` before.
        let enable = py.import("jax")?.getattr("enable_x64");
        let enable = match enable {
            Ok(enable) if enable.is_callable() => enable,
            _ => py.import("jax.experimental")?.getattr("enable_x64")?,
        };
        let scope = enable.call1((true,))?;
        scope.call_method0("__enter__")?;
        Some(scope)
    } else {
        None
    };
    let result = direct
        .and_then(|(device_put, shaped_array)| {
            put(py, device_put, shaped_array, dtype, shape, like, &array).ok()
        })
        .map_or_else(
            || {
                py.import("jax.dlpack")?
                    .call_method1("from_dlpack", (&array,))
            },
            Ok,
        );
    if let Some(scope) = scope {
        scope.call_method1("__exit__", (py.None(), py.None(), py.None()))?;
    }
    result
}

fn x64_enabled(py: Python<'_>) -> PyResult<bool> {
    py.import("jax")?
        .getattr("config")?
        .getattr("jax_enable_x64")?
        .is_truthy()
}

fn put<'py>(
    py: Python<'py>,
    device_put: &Py<PyAny>,
    shaped_array: &Py<PyAny>,
    dtype: DType,
    shape: &[usize],
    like: &Bound<'py, PyAny>,
    array: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let sharding = like.getattr(intern!(py, "sharding"))?;
    let committed = like.getattr(intern!(py, "_committed"))?;
    let devices = devices_of(py, &sharding)?;
    let aval = aval(py, shaped_array, dtype, shape, array)?;
    let arrays = PyList::new(py, [array])?;
    device_put
        .bind(py)
        .call1((aval, sharding, arrays, devices, committed))
}

/// The list of the one device of a sharding; the last one is remembered.
fn devices_of<'py>(py: Python<'py>, sharding: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static LAST: Mutex<Option<(Py<PyAny>, Py<PyAny>)>> = Mutex::new(None);
    if let Ok(last) = LAST.try_lock()
        && let Some((known, devices)) = &*last
        && known.as_ptr() == sharding.as_ptr()
    {
        return Ok(devices.bind(py).clone());
    }
    let devices = PyList::empty(py);
    for device in sharding.getattr(intern!(py, "device_set"))?.try_iter()? {
        devices.append(device?)?;
    }
    let replaced = LAST.try_lock().ok().and_then(|mut last| {
        last.replace((
            sharding.clone().unbind(),
            devices.clone().into_any().unbind(),
        ))
    });
    drop(replaced);
    Ok(devices.into_any())
}

fn aval<'py>(
    py: Python<'py>,
    shaped_array: &Py<PyAny>,
    dtype: DType,
    shape: &[usize],
    array: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(known) = AVALS.try_lock()
        && let Some((.., aval)) = known
            .0
            .iter()
            .find(|(kind, size, _)| *kind == dtype && size[..] == *shape)
    {
        return Ok(aval.bind(py).clone());
    }
    let made = shaped_array.bind(py).call1((
        shape_tuple(py, shape)?,
        array.getattr(intern!(py, "dtype"))?,
    ))?;
    if let Ok(mut known) = AVALS.try_lock() {
        if known.0.len() >= MOST_AVALS {
            known.0.remove(0);
        }
        known
            .0
            .push((dtype, Shape::from_slice(shape), made.clone().unbind()));
    }
    Ok(made)
}

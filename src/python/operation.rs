//! `Operation`: one operation with its constant data, as the bridges to autograd hold it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::array::{DType, Shape};
use crate::backend::{AnyOperation, Caller, Control, Operation, registry, verbs};
use crate::error::Result;
use crate::interop::{AnyArray, Output, Precision, RealsIn, check_unmoved, promote};
use crate::python::interrupt;

/// A differentiable operation: its values and its derivatives of first and second order.
///
/// Made by the functions of :mod:`kinarray.autograd` when they meet an array whose derivatives are asked
/// for; equal operations are one object's worth: same ``id``, equal, same hash.
#[pyclass(frozen, module = "kinarray", name = "Operation")]
pub struct PyOperation {
    number: u64,
    operation: Arc<dyn AnyOperation>,
}

/// A list of arrays, some of which may be missing.
type Arrays<'py> = Vec<Option<Bound<'py, PyAny>>>;

/// What a verb is given beside the inputs; what it has no use for is empty.
#[derive(Default)]
struct Beside<'py> {
    along: Arrays<'py>,
    tangents: Arrays<'py>,
    cotangent: Option<Bound<'py, PyAny>>,
    wanted: Vec<bool>,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Forward,
    Jvp,
    Vjp,
    JvpAlong,
    VjpAlong,
}

impl PyOperation {
    /// The Python object for an operation.
    pub fn of<O: Operation>(operation: O) -> Self {
        let (number, operation) = registry::intern(operation);
        Self { number, operation }
    }

    /// Reads arrays, each beside its name.
    fn read<'a, 'py>(
        &self,
        objects: &'a [Option<Bound<'py, PyAny>>],
        suffix: &str,
    ) -> PyResult<Vec<Option<AnyArray<'a, 'py>>>> {
        let function = self.operation.name();
        let inputs = self.operation.inputs();
        if objects.len() != inputs.len() {
            let (expected, got) = (inputs.len(), objects.len());
            return Err(PyTypeError::new_err(format!(
                "{function}: expected {expected} {suffix}, got {got}"
            )));
        }
        let each = objects.iter().zip(inputs);
        each.map(|(object, input)| match object {
            Some(object) => AnyArray::read(function, input.name, object).map(Some),
            None => Ok(None),
        })
        .collect()
    }

    fn run<'py>(
        &self,
        py: Python<'py>,
        verb: Verb,
        inputs: &Arrays<'py>,
        beside: &Beside<'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let function = self.operation.name();
        let mut arrays: Vec<AnyArray<'_, 'py>> = Vec::new();
        for array in self.read(inputs, "arrays")? {
            arrays.push(array.ok_or_else(|| PyTypeError::new_err("an input is missing"))?);
        }
        let count = arrays.len();
        let mut places: [Vec<Option<usize>>; 2] = Default::default();
        for (places, objects) in places.iter_mut().zip([&beside.along, &beside.tangents]) {
            if objects.is_empty() {
                continue;
            }
            for array in self.read(objects, "tangents")? {
                places.push(array.map(|array| {
                    arrays.push(array);
                    arrays.len() - 1
                }));
            }
        }
        if let Some(cotangent) = &beside.cotangent {
            arrays.push(AnyArray::read(function, "the cotangent", cotangent)?);
        }
        check_unmoved(function, &arrays, None)?;
        let call = Call {
            operation: &*self.operation,
            verb,
            arrays: &arrays,
            count,
            along: &places[0],
            tangents: &places[1],
            wanted: &beside.wanted,
        };
        match promote(&arrays)? {
            DType::Float64 => call.compute::<f64>(py),
            _ => call.compute::<f32>(py),
        }
    }
}

/// Arrays that were read, and what to do with them. The inputs come first, the cotangent last.
struct Call<'c, 'a, 'py> {
    operation: &'c dyn AnyOperation,
    verb: Verb,
    arrays: &'c [AnyArray<'a, 'py>],
    count: usize,
    along: &'c [Option<usize>],
    tangents: &'c [Option<usize>],
    wanted: &'c [bool],
}

impl<'py> Call<'_, '_, 'py> {
    fn compute<T: Precision + Caller>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let function = self.operation.name();
        let (inputs, count) = (&self.arrays[..self.count], self.count);
        let shapes: Vec<&[usize]> = inputs.iter().map(AnyArray::shape).collect();
        let reals: Vec<RealsIn<'_, T>> = self
            .arrays
            .iter()
            .map(AnyArray::reals)
            .collect::<Result<_>>()?;
        let views: Vec<_> = reals.iter().map(RealsIn::view).collect();
        let fit = verbs::fit(self.operation, &shapes)?;
        let pulls = matches!(self.verb, Verb::Vjp | Verb::VjpAlong);
        let mut outputs: Vec<Option<Output<'_, 'py, T>>> = Vec::new();
        if pulls {
            for index in 0..count {
                outputs.push(match self.wanted.get(index) {
                    Some(true) => {
                        let shape = Shape::from_slice(shapes[index]);
                        let like = &inputs[index..=index];
                        Some(Output::new(function, like, shape, None)?)
                    }
                    _ => None,
                });
            }
        } else {
            outputs.push(Some(Output::new(
                function,
                inputs,
                fit.output.clone(),
                None,
            )?));
        }
        let mut targets: Vec<Option<&mut [T]>> = outputs
            .iter_mut()
            .map(|output| output.as_mut().map(Output::as_mut_slice))
            .collect();
        let numbers: usize = views.iter().map(crate::array::View::len).sum::<usize>()
            + targets.iter().flatten().map(|to| to.len()).sum::<usize>();
        let pick = |places: &[Option<usize>]| {
            let each = places.iter();
            each.map(|place| place.map(|at| views[at].clone()))
                .collect::<Vec<_>>()
        };
        let (given, cotangent) = (&views[..count], views.last());
        let (along, tangents) = (pick(self.along), pick(self.tangents));
        let (operation, verb) = (self.operation, self.verb);
        let work = |control: &Control<'_>| {
            if pulls {
                let cotangent = cotangent.expect("the cotangent was read");
                return match verb {
                    Verb::Vjp => verbs::vjp(operation, given, cotangent, &mut targets, control),
                    _ => {
                        verbs::vjp_along(operation, given, &along, cotangent, &mut targets, control)
                    }
                };
            }
            let out = targets[0].as_deref_mut().expect("made above");
            match verb {
                Verb::Forward => verbs::forward(operation, given, out, control),
                Verb::Jvp => verbs::jvp(operation, given, &tangents, out, control),
                _ => verbs::jvp_along(operation, given, &along, &tangents, out, control),
            }
        };
        interrupt::run(py, numbers, work)?;
        let found: Vec<_> = outputs
            .into_iter()
            .map(|output| output.map(|output| output.finish(py)).transpose())
            .collect::<PyResult<_>>()?;
        PyTuple::new(py, found)
    }
}

#[pymethods]
impl PyOperation {
    /// The name of the public function.
    #[getter]
    fn name(&self) -> &'static str {
        self.operation.name()
    }

    /// A number that stands for the operation in compiled programs.
    #[getter]
    fn id(&self) -> u64 {
        self.number
    }

    /// The arguments: name, and whether a derivative by it exists.
    #[getter]
    fn inputs(&self) -> Vec<(&'static str, bool)> {
        let each = self.operation.inputs().iter();
        each.map(|input| (input.name, input.differentiable))
            .collect()
    }

    /// Keeps the operation for as long as the process lives: a compiled program holds its number.
    fn keep(&self) {
        registry::keep(self.number);
    }

    /// The operation of a number.
    #[staticmethod]
    fn find(number: u64) -> PyResult<Self> {
        match registry::find(number) {
            Some(operation) => Ok(Self { number, operation }),
            None => Err(PyTypeError::new_err(format!(
                "there is no operation {number} in this process"
            ))),
        }
    }

    /// How the shapes of arguments fit together: the batch shape, how many trailing axes of each argument
    /// are one item, and the shape of the result.
    fn fit(&self, shapes: Vec<Vec<usize>>) -> PyResult<(Vec<usize>, Vec<usize>, Vec<usize>)> {
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let fit = verbs::fit(&*self.operation, &shapes)?;
        Ok((
            fit.batch.to_vec(),
            fit.core_ranks.to_vec(),
            fit.output.to_vec(),
        ))
    }

    /// The result.
    fn forward<'py>(&self, py: Python<'py>, inputs: Arrays<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.run(py, Verb::Forward, &inputs, &Beside::default())?
            .get_item(0)
    }

    /// The derivative along tangents of the inputs; ``None`` is zero.
    fn jvp<'py>(
        &self,
        py: Python<'py>,
        inputs: Arrays<'py>,
        tangents: Arrays<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let beside = Beside {
            tangents,
            ..Beside::default()
        };
        self.run(py, Verb::Jvp, &inputs, &beside)?.get_item(0)
    }

    /// The gradients by those inputs that are wanted, each in the shape of its input.
    fn vjp<'py>(
        &self,
        py: Python<'py>,
        inputs: Arrays<'py>,
        cotangent: Bound<'py, PyAny>,
        wanted: Vec<bool>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let beside = Beside {
            cotangent: Some(cotangent),
            wanted,
            ..Beside::default()
        };
        self.run(py, Verb::Vjp, &inputs, &beside)
    }

    /// The derivative of :meth:`jvp` along directions of the inputs, the tangents held fixed.
    fn jvp_along<'py>(
        &self,
        py: Python<'py>,
        inputs: Arrays<'py>,
        along: Arrays<'py>,
        tangents: Arrays<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let beside = Beside {
            along,
            tangents,
            ..Beside::default()
        };
        self.run(py, Verb::JvpAlong, &inputs, &beside)?.get_item(0)
    }

    /// The derivative of :meth:`vjp` along directions of the inputs, the cotangent held fixed.
    fn vjp_along<'py>(
        &self,
        py: Python<'py>,
        inputs: Arrays<'py>,
        along: Arrays<'py>,
        cotangent: Bound<'py, PyAny>,
        wanted: Vec<bool>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let beside = Beside {
            along,
            cotangent: Some(cotangent),
            wanted,
            ..Beside::default()
        };
        self.run(py, Verb::VjpAlong, &inputs, &beside)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.number == other.number
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.number.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("<operation {} #{}>", self.operation.name(), self.number)
    }
}

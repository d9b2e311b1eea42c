//! `kinarray.geometry.Mppca`.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

use super::{parameter_transform::PyParameterTransform, pickle};
use crate::backend::operations::{Prior, PriorColumns, PriorLogProbability, PriorResiduals};
use crate::character::{Mppca, MppcaParts};
use crate::error::Error;
use crate::io::mppca as file;
use crate::kinematics::PreparedMixture;
use crate::python::apply::apply;
use crate::python::{files, values};

/// A distribution over poses: a mixture of Gaussians with covariances ``sigma**2 * I + W.T @ W``
/// (probabilistic principal component analysis).
///
/// Parameters
/// ----------
/// pi : array (n_mixtures,)
///     Weights of the mixtures, used as given.
/// mu : array (n_mixtures, n_dimension)
///     Means.
/// W : array (n_mixtures, n_pca, n_dimension)
///     Principal axes, one a row.
/// sigma : array (n_mixtures,)
///     Standard deviations off the axes (not their squares).
/// names : sequence of str
///     The names of the parameters, ``n_dimension``. Without any argument the distribution is empty.
///
/// Raises
/// ------
/// ShapeError
/// ValueError
///     Numbers that are not finite, negative weights, deviations that are not positive, a repeated name.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import Mppca
/// >>> prior = Mppca([1.0], [[0.0, 0.0]], [[[1.0, 1.0]]], [0.5], ["hip", "knee"])
/// >>> prior.log_probability(np.array([[0.0, 0.0], [1.0, -1.0]]))
/// array([-0., -4.])
#[pyclass(name = "Mppca", module = "kinarray.geometry", frozen, eq)]
pub struct PyMppca {
    pub core: Arc<Mppca>,
    prepared: Arc<PreparedMixture>,
}

impl PartialEq for PyMppca {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core
    }
}

impl PyMppca {
    pub fn from_core(core: Mppca) -> PyResult<Self> {
        Ok(Self {
            prepared: Arc::new(PreparedMixture::new(&core)?),
            core: Arc::new(core),
        })
    }

    fn columns(
        &self,
        transform: Option<&Bound<'_, PyParameterTransform>>,
    ) -> Option<Arc<PriorColumns>> {
        transform.map(|transform| {
            Arc::new(PriorColumns {
                n_parameters: transform.get().core.len(),
                places: self.core.columns(&transform.get().core),
            })
        })
    }
}

/// `(pi, mu, W, sigma, param_idx)`.
type Arrays<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

fn numbers(
    object: Option<&Bound<'_, PyAny>>,
    what: &'static str,
    want: &[Option<usize>],
    words: &str,
) -> PyResult<(Vec<f64>, Vec<usize>)> {
    let object = object.ok_or_else(|| {
        PyErr::from(Error::value(
            what,
            "it is missing; give all of pi, mu, W, sigma and names",
        ))
    })?;
    let (reals, shape) = values::reals(object, what)?;
    values::require(what, &shape, want, words)?;
    Ok((reals.iter().collect(), shape.to_vec()))
}

#[pymethods]
impl PyMppca {
    #[new]
    #[pyo3(signature = (pi = None, mu = None, W = None, sigma = None, names = Vec::new()))]
    #[allow(non_snake_case)] // the peer's name
    fn new(
        pi: Option<&Bound<'_, PyAny>>,
        mu: Option<&Bound<'_, PyAny>>,
        W: Option<&Bound<'_, PyAny>>,
        sigma: Option<&Bound<'_, PyAny>>,
        names: Vec<String>,
    ) -> PyResult<Self> {
        if [pi, mu, W, sigma].iter().all(Option::is_none) && names.is_empty() {
            return Self::from_core(Mppca::default());
        }
        let d = names.len();
        let (pi, shape) = numbers(pi, "pi", &[None], "(n_mixtures,)")?;
        let n = shape[0];
        let words = format!("({n}, {d}) = (n_mixtures, n_dimension)");
        let (mu, _) = numbers(mu, "mu", &[Some(n), Some(d)], &words)?;
        let words = format!("({n}, n_pca, {d}) = (n_mixtures, n_pca, n_dimension)");
        let (axes, _) = numbers(W, "W", &[Some(n), None, Some(d)], &words)?;
        let words = format!("({n},) = (n_mixtures,)");
        let (sigma, _) = numbers(sigma, "sigma", &[Some(n)], &words)?;
        let parts = MppcaParts {
            names,
            pi,
            mu,
            axes,
            sigma,
        };
        Self::from_core(Mppca::new(parts)?)
    }

    /// Loads a distribution from a file of PyMomentum's (``.mppca``): a path, bytes or a binary file
    /// object.
    ///
    /// Raises ``FormatError``. The files hold float32 and no axes: these come back as the principal ones.
    #[staticmethod]
    fn load(mppca_filename: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_core(files::read_bytes(mppca_filename, file::load)?)
    }

    /// Loads a distribution from the bytes of a file; see :meth:`load`.
    #[staticmethod]
    fn from_bytes(mppca_bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::load(mppca_bytes)
    }

    /// Saves a distribution to a file that PyMomentum reads (``.mppca``), in float32.
    #[staticmethod]
    fn save(mppca: &Bound<'_, Self>, mppca_filename: PathBuf) -> PyResult<()> {
        let bytes = file::save(&mppca.get().core)?;
        Ok(std::fs::write(mppca_filename, bytes)?)
    }

    /// The bytes of a file that PyMomentum reads.
    ///
    /// Examples
    /// --------
    /// >>> from kinarray.geometry import Mppca
    /// >>> prior = Mppca([1.0], [[0.0, 0.0]], [[[1.0, 1.0]]], [0.5], ["hip", "knee"])
    /// >>> Mppca.from_bytes(prior.to_bytes()).names
    /// ['hip', 'knee']
    fn to_bytes(&self) -> PyResult<Vec<u8>> {
        Ok(file::save(&self.core)?)
    }

    /// The number of parameters.
    #[getter]
    fn n_dimension(&self) -> usize {
        self.core.n_dimension()
    }

    /// The number of Gaussians.
    #[getter]
    fn n_mixtures(&self) -> usize {
        self.core.n_mixtures()
    }

    /// The names of the parameters.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.core.names.clone()
    }

    /// One Gaussian: its weight, mean ``(n_dimension,)``, axes ``(n_dimension, n_pca)`` and ``sigma``
    /// squared.
    ///
    /// Raises ``IndexError``.
    fn get_mixture<'py>(
        &self,
        py: Python<'py>,
        i_model: usize,
    ) -> PyResult<(f64, Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        let (core, n) = (&self.core, self.core.n_mixtures());
        if i_model >= n {
            return Err(PyIndexError::new_err(format!(
                "i_model: {i_model}, but there are {n} mixtures"
            )));
        }
        let (d, q) = (core.n_dimension(), core.n_axes());
        let axes = core.axes_of(i_model);
        let columns = (0..d * q).map(|at| axes[at % q * d + at / q]).collect();
        let sigma = core.sigma[i_model];
        Ok((
            core.pi[i_model],
            values::fresh(py, core.mean(i_model).to_vec(), &[d])?,
            values::fresh(py, columns, &[d, q])?,
            sigma * sigma,
        ))
    }

    /// ``(pi, mu, W, sigma, param_idx)`` as they were given, read-only views; ``param_idx`` holds where
    /// each parameter is in a parameter transform, -1 where it is not, and nothing without one.
    #[pyo3(signature = (parameter_transform = None))]
    fn to_arrays<'py>(
        slf: &Bound<'py, Self>,
        parameter_transform: Option<&Bound<'_, PyParameterTransform>>,
    ) -> PyResult<Arrays<'py>> {
        let core = &slf.get().core;
        let (n, d, q) = (core.n_mixtures(), core.n_dimension(), core.n_axes());
        let columns = parameter_transform.map(|transform| core.columns(&transform.get().core));
        let columns = columns.unwrap_or_default().into_iter();
        let indices: Vec<i32> = columns
            .map(|column| column.map_or(-1, |column| column as i32))
            .collect();
        let (owner, count) = (slf.as_any(), indices.len());
        Ok((
            values::view(owner, &core.pi, &[n])?,
            values::view(owner, &core.mu, &[n, d])?,
            values::view(owner, &core.axes, &[n, q, d])?,
            values::view(owner, &core.sigma, &[n])?,
            values::fresh(slf.py(), indices, &[count])?,
        ))
    }

    /// How likely poses are: minus half the squared Mahalanobis distance of the Gaussian that is most
    /// likely there, without the constants that would make it a density.
    ///
    /// Parameters
    /// ----------
    /// model_parameters : array (..., n_dimension), or (..., n_parameters) with a transform
    /// parameter_transform : ParameterTransform, optional
    ///     Whose parameters they are: those of the distribution are found by name, and read 0 where they
    ///     are missing.
    /// out : array (...), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (...)
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import Mppca
    /// >>> prior = Mppca([1.0], [[1.0]], [[[0.0]]], [0.5], ["hip"])
    /// >>> prior.log_probability(np.array([2.0]))
    /// array(-2.)
    #[pyo3(signature = (model_parameters, parameter_transform = None, *, out = None))]
    fn log_probability<'py>(
        &self,
        py: Python<'py>,
        model_parameters: &Bound<'py, PyAny>,
        parameter_transform: Option<&Bound<'py, PyParameterTransform>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let (mixture, columns) = (self.prepared.clone(), self.columns(parameter_transform));
        let operation = PriorLogProbability(Prior { mixture, columns });
        apply(py, &operation, &[model_parameters], out)
    }

    /// How far poses are from the Gaussian that is most likely there, in its standard deviations:
    /// ``log_probability = -(residuals**2).sum(-1) / 2``.
    ///
    /// Parameters
    /// ----------
    /// model_parameters : array (..., n_dimension), or (..., n_parameters) with a transform
    /// parameter_transform : ParameterTransform, optional
    ///     Whose parameters they are, as for :meth:`log_probability`.
    /// out : array (..., n_dimension), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., n_dimension)
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import Mppca
    /// >>> prior = Mppca([1.0], [[1.0]], [[[0.0]]], [0.5], ["hip"])
    /// >>> prior.residuals(np.array([2.0]))
    /// array([2.])
    #[pyo3(signature = (model_parameters, parameter_transform = None, *, out = None))]
    fn residuals<'py>(
        &self,
        py: Python<'py>,
        model_parameters: &Bound<'py, PyAny>,
        parameter_transform: Option<&Bound<'py, PyParameterTransform>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let (mixture, columns) = (self.prepared.clone(), self.columns(parameter_transform));
        let operation = PriorResiduals(Prior { mixture, columns });
        apply(py, &operation, &[model_parameters], out)
    }

    fn __repr__(&self) -> String {
        format!(
            "Mppca({} mixtures, {} parameters)",
            self.core.n_mixtures(),
            self.core.n_dimension()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Mppca", &*self.core)
    }
}

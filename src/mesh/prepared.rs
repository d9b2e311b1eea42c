//! Points and meshes that are searched many times: trees in both precisions, each built when first asked
//! for.

use serde::{Deserialize, Serialize};

use super::{PointTree, TriangleTree};
use crate::character::Reals;
use crate::error::{Error, Result};
use crate::kinematics::InPrecision;
use crate::math::{Lane, Real};

/// Constant numbers in precision `T`.
fn numbers<T: Real>(reals: &Reals) -> Vec<T> {
    reals.iter().map(T::from_f64).collect()
}

/// Points in two or three dimensions that are searched many times.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "PointParts", into = "PointParts")]
pub struct PointSet {
    parts: PointParts,
    trees: InPrecision,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PointParts {
    points: Reals,
    dim: usize,
}

impl PartialEq for PointSet {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Clone for PointSet {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            trees: InPrecision::default(),
        }
    }
}

impl TryFrom<PointParts> for PointSet {
    type Error = Error;
    fn try_from(parts: PointParts) -> Result<Self> {
        Self::new(parts.points, parts.dim)
    }
}

impl From<PointSet> for PointParts {
    fn from(set: PointSet) -> Self {
        set.parts
    }
}

impl PointSet {
    /// `(n, dim)` points.
    ///
    /// # Errors
    /// [`Error::Value`] for points that are not in two or three dimensions, or too many.
    pub fn new(points: Reals, dim: usize) -> Result<Self> {
        if !(dim == 2 || dim == 3) || !points.len().is_multiple_of(dim) {
            let problem = format!(
                "{} numbers in {dim} dimensions; expected 2 or 3",
                points.len()
            );
            return Err(Error::value("points", problem));
        }
        check_count("points", points.len() / dim)?;
        Ok(Self {
            parts: PointParts { points, dim },
            trees: InPrecision::default(),
        })
    }

    /// The points, row-major.
    #[must_use]
    pub fn points(&self) -> &Reals {
        &self.parts.points
    }

    /// 2 or 3.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.parts.dim
    }

    /// The number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.points.len() / self.parts.dim
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points in precision `T`, and the tree over them. `D` must be [`Self::dim`].
    pub fn tree<T: Real + Lane<Scalar = T>, const D: usize>(&self) -> (&[T], &PointTree<T, D>) {
        let (points, tree) = self.trees.get::<T, (Vec<T>, PointTree<T, D>)>(|| {
            let points = numbers(&self.parts.points);
            let tree = PointTree::new(&points);
            (points, tree)
        });
        (points, tree)
    }
}

/// A triangle mesh that is searched many times.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "TriangleParts", into = "TriangleParts")]
pub struct TriangleSet {
    parts: TriangleParts,
    trees: InPrecision,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TriangleParts {
    vertices: Reals,
    faces: Vec<[u32; 3]>,
}

impl PartialEq for TriangleSet {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Clone for TriangleSet {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            trees: InPrecision::default(),
        }
    }
}

impl TryFrom<TriangleParts> for TriangleSet {
    type Error = Error;
    fn try_from(parts: TriangleParts) -> Result<Self> {
        Self::new(parts.vertices, parts.faces)
    }
}

impl From<TriangleSet> for TriangleParts {
    fn from(set: TriangleSet) -> Self {
        set.parts
    }
}

impl TriangleSet {
    /// `(n_vertices, 3)` positions and triangles over them.
    ///
    /// # Errors
    /// [`Error::Value`] naming a triangle that uses a vertex there is not.
    pub fn new(vertices: Reals, faces: Vec<[u32; 3]>) -> Result<Self> {
        check_faces("faces", &faces, vertices.len() / 3)?;
        Ok(Self {
            parts: TriangleParts { vertices, faces },
            trees: InPrecision::default(),
        })
    }

    /// Positions, row-major.
    #[must_use]
    pub fn vertices(&self) -> &Reals {
        &self.parts.vertices
    }

    /// The triangles.
    #[must_use]
    pub fn faces(&self) -> &[[u32; 3]] {
        &self.parts.faces
    }

    /// The vertices in precision `T`, and the tree over the triangles.
    pub fn tree<T: Real + Lane<Scalar = T>>(&self) -> (&[T], &TriangleTree<T>) {
        let (vertices, tree) = self.trees.get::<T, (Vec<T>, TriangleTree<T>)>(|| {
            let vertices = numbers(&self.parts.vertices);
            let tree = TriangleTree::new(&vertices, &self.parts.faces);
            (vertices, tree)
        });
        (vertices, tree)
    }
}

/// Checks that triangles use vertices that there are.
///
/// # Errors
/// [`Error::Value`] naming the triangle and the vertex; [`Error::Shape`] for more triangles than int32
/// counts.
pub(crate) fn check_faces(what: &str, faces: &[[u32; 3]], n_vertices: usize) -> Result<()> {
    check_count(what, faces.len())?;
    for (index, face) in faces.iter().enumerate() {
        if let Some(vertex) = face.iter().find(|&&vertex| vertex as usize >= n_vertices) {
            return Err(Error::value(
                what,
                format!(
                    "triangle {index} {face:?} uses vertex {vertex}, but there are {n_vertices} \
                     vertices"
                ),
            ));
        }
    }
    Ok(())
}

/// Checks that int32 can count so many.
///
/// # Errors
/// [`Error::Shape`].
pub(crate) fn check_count(what: &str, count: usize) -> Result<()> {
    if i32::try_from(count).is_ok() {
        return Ok(());
    }
    Err(Error::shape(
        what,
        "at most 2147483647 of them, the largest int32",
        count,
    ))
}

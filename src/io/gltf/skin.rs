//! Skins: which nodes are joints, and where they were when the mesh was bound.

use nalgebra::Matrix4;

use super::accessor::Data;
use crate::error::{Error, Result};
use crate::io::json::Item;
use crate::io::nodes::Skin;

/// Reads all skins.
pub(super) fn read_all(
    root: &Item<'_>,
    n_nodes: usize,
    data: &Data<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Skin>> {
    root.list("skins")?
        .into_iter()
        .map(|item| read(&item.object()?, n_nodes, data, warnings))
        .collect()
}

fn read(
    item: &Item<'_>,
    n_nodes: usize,
    data: &Data<'_>,
    warnings: &mut Vec<String>,
) -> Result<Skin> {
    let list = item.need("joints")?;
    let joints = list
        .items()?
        .iter()
        .map(|joint| joint.index("nodes", n_nodes))
        .collect::<Result<Vec<_>>>()?;
    if joints.is_empty() {
        return Err(list.wrong("at least one joint"));
    }
    item.optional_index("skeleton", "nodes", n_nodes)?;
    let without = |joints: Vec<usize>| {
        let inverse_bind = vec![Matrix4::identity(); joints.len()];
        Ok(Skin {
            joints,
            inverse_bind,
        })
    };
    let Some(place) = item.get("inverseBindMatrices") else {
        return without(joints);
    };
    let index = data.float_reference(&place, &["MAT4"], false)?;
    let count = data.accessor(index).count;
    if count < joints.len() {
        return Err(Error::format(
            &place.path,
            format!("{} matrices, one for each joint", joints.len()),
            count,
        ));
    }
    if !data.is_stored(index) {
        warnings.push(format!(
            "{}: the file stores no values for it; taken as not given",
            place.path
        ));
        return without(joints);
    }
    let numbers = data.finite_reals(index)?;
    let mut inverse_bind = Vec::with_capacity(joints.len());
    for (at, columns) in numbers.chunks_exact(16).take(joints.len()).enumerate() {
        let mut matrix = Matrix4::from_iterator(columns.iter().map(|&x| f64::from(x)));
        let last_row = matrix.row(3);
        if (last_row - Matrix4::identity().row(3)).amax() > 1e-4 {
            return Err(Error::format(
                format!("{}, element {at} of accessors[{index}]", place.path),
                "a matrix with the last row 0 0 0 1",
                format!(
                    "{} {} {} {}",
                    last_row[0], last_row[1], last_row[2], last_row[3]
                ),
            ));
        }
        matrix.set_row(3, &Matrix4::identity().row(3));
        inverse_bind.push(matrix);
    }
    Ok(Skin {
        joints,
        inverse_bind,
    })
}

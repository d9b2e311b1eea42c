//! How the parts of a character show themselves in a notebook.

use std::fmt::Write;

use super::html::{escape, joint_tree};
use crate::character::{
    Mesh, PARAMETERS_PER_JOINT, ParameterTransform, Reals, Skeleton, SkinWeights,
};

/// More rows than this are counted, not shown.
const ROWS: usize = 400;

const AXES: [&str; PARAMETERS_PER_JOINT] = ["tx", "ty", "tz", "rx", "ry", "rz", "sc"];

/// The joints as a tree.
pub fn skeleton(skeleton: &Skeleton) -> String {
    let tree = joint_tree(skeleton);
    framed(&format!("<b>Skeleton</b> {} joints{tree}", skeleton.len()))
}

/// A table of the parameters. Joints are numbers: a transform does not know their names.
pub fn parameter_transform(transform: &ParameterTransform) -> String {
    let table = parameters(transform, |joint| joint.to_string(), None);
    framed(&format!(
        "<b>ParameterTransform</b> {} model parameters &rarr; 7 &times; {} joint parameters{table}",
        transform.len(),
        transform.n_joints()
    ))
}

/// What is known of each parameter: its class, what it drives, and its limits where they are given.
pub fn parameters(
    transform: &ParameterTransform,
    joint_name: impl Fn(usize) -> String,
    limits: Option<&(Vec<f64>, Vec<f64>)>,
) -> String {
    let mut drives = vec![String::new(); transform.len()];
    for row in 0..PARAMETERS_PER_JOINT * transform.n_joints() {
        for (column, factor) in transform.row(row) {
            let text = &mut drives[column];
            let gap = if text.is_empty() { "" } else { ", " };
            let name = escape(&joint_name(row / PARAMETERS_PER_JOINT));
            let _ = write!(text, "{gap}{name}.{}", AXES[row % PARAMETERS_PER_JOINT]);
            if factor != 1.0 {
                let _ = write!(text, " &times; {factor:.4}");
            }
        }
    }
    let classes = classes(transform);
    let mut html = table(&["", "parameter", "class", "drives", "limits"]);
    for (at, name) in transform.names().iter().enumerate().take(ROWS) {
        let range = limits.map(|(low, high)| (low[at], high[at]));
        let range = match range {
            Some((low, high)) if low.is_finite() || high.is_finite() => {
                format!("{low:.4} &hellip; {high:.4}")
            }
            _ => String::new(),
        };
        let (at_text, name) = (at.to_string(), escape(name));
        let cells = [&at_text, &name, classes[at], &drives[at], &range];
        row(&mut html, "td", &cells);
    }
    closed(html, transform.len())
}

/// What a mesh has, and where it lies.
pub fn mesh(mesh: &Mesh) -> String {
    let mut html = table(&[]);
    row(
        &mut html,
        "td",
        &["vertices", &mesh.n_vertices().to_string()],
    );
    row(
        &mut html,
        "td",
        &["triangles", &mesh.faces.len().to_string()],
    );
    row(
        &mut html,
        "td",
        &["dtype", &mesh.vertices.dtype().to_string()],
    );
    if let Some((low, high)) = bounds(&mesh.vertices) {
        for (axis, (low, high)) in ["x", "y", "z"].iter().zip(low.iter().zip(high)) {
            let text = format!("{low:.4} &hellip; {high:.4}");
            row(&mut html, "td", &[axis, &text]);
        }
    }
    for (what, count) in [
        ("polygons", mesh.poly_face_sizes.len()),
        ("texture coordinates", mesh.texcoords.len() / 2),
        ("coloured vertices", mesh.colors.len()),
        ("polylines", mesh.lines.len()),
    ] {
        if count > 0 {
            row(&mut html, "td", &[what, &count.to_string()]);
        }
    }
    framed(&format!("<b>Mesh</b>{}", closed(html, 0)))
}

/// How many vertices have how many influences, and how far their sums are from 1.
pub fn skin_weights(weights: &SkinWeights) -> String {
    let width = weights.n_influences();
    let values: Vec<f64> = weights.weight().iter().collect();
    let mut counts = vec![0_usize; width + 1];
    let mut worst = 0.0_f64;
    for vertex in values.chunks(width) {
        counts[vertex.iter().filter(|w| **w != 0.0).count()] += 1;
        worst = worst.max((vertex.iter().sum::<f64>() - 1.0).abs());
    }
    let mut html = table(&["influences", "vertices"]);
    for (influences, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        row(
            &mut html,
            "td",
            &[&influences.to_string(), &count.to_string()],
        );
    }
    framed(&format!(
        "<b>SkinWeights</b> {} vertices &middot; sums differ from 1 by up to {worst:.2e}{}",
        weights.n_vertices(),
        closed(html, 0)
    ))
}

fn classes(transform: &ParameterTransform) -> Vec<&'static str> {
    let mut classes = vec!["pose"; transform.len()];
    // The later ones win: a coefficient is a coefficient whatever its name.
    for (class, mask) in [
        ("rigid", transform.rigid_parameters()),
        ("scaling", transform.scaling_parameters()),
        ("blend shape", transform.blend_shape_parameters()),
        ("face expression", transform.face_expression_parameters()),
        ("skinned locator", transform.skinned_locator_parameters()),
    ] {
        for (slot, _) in classes.iter_mut().zip(mask).filter(|(_, chosen)| *chosen) {
            *slot = class;
        }
    }
    classes
}

/// The smallest box around points; none without points.
fn bounds(points: &Reals) -> Option<([f64; 3], [f64; 3])> {
    let numbers: Vec<f64> = points.iter().collect();
    let points = numbers.as_chunks::<3>().0;
    let start = (*points.first()?, *points.first()?);
    Some(points.iter().fold(start, |(low, high), at| {
        let each = |of: [f64; 3], choose: fn(f64, f64) -> f64| {
            std::array::from_fn(|axis| choose(of[axis], at[axis]))
        };
        (each(low, f64::min), each(high, f64::max))
    }))
}

fn framed(inside: &str) -> String {
    format!("<div style=\"font-family:sans-serif\">{inside}</div>")
}

fn table(headings: &[&str]) -> String {
    let mut html = String::from("<table>");
    if !headings.is_empty() {
        row(&mut html, "th", headings);
    }
    html
}

fn row(html: &mut String, cell: &str, texts: &[&str]) {
    html.push_str("<tr>");
    for text in texts {
        let _ = write!(html, "<{cell} style=\"text-align:left\">{text}</{cell}>");
    }
    html.push_str("</tr>");
}

fn closed(mut html: String, rows: usize) -> String {
    html.push_str("</table>");
    if rows > ROWS {
        let _ = write!(html, "<p>and {} more</p>", rows - ROWS);
    }
    html
}

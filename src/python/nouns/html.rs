//! How a character shows itself in a notebook.

use std::fmt::Write;

use crate::character::{Character, Mesh};

/// A table of what it has, and its joints as a tree that opens.
pub fn character(character: &Character) -> String {
    let mut html = String::from("<div style=\"font-family:sans-serif\">");
    let _ = write!(
        html,
        "<b>Character</b> {} &middot; unit {}<table>",
        escape(&character.name),
        character.unit
    );
    let mut row = |what: &str, text: String| {
        let _ = write!(
            html,
            "<tr><td style=\"text-align:left\">{what}</td><td style=\"text-align:left\">{text}</td></tr>"
        );
    };
    row("joints", character.skeleton.len().to_string());
    let transform = &character.parameter_transform;
    let scaling = transform
        .scaling_parameters()
        .iter()
        .filter(|&&m| m)
        .count();
    row(
        "model parameters",
        format!("{} ({scaling} scaling)", transform.len()),
    );
    if let Some(mesh) = &character.mesh {
        row(
            "mesh",
            format!(
                "{} vertices, {} triangles",
                mesh.n_vertices(),
                mesh.faces.len()
            ),
        );
    }
    if let Some(weights) = &character.skin_weights {
        row(
            "skin",
            format!("up to {} influences a vertex", weights.n_influences()),
        );
    }
    if let Some(shape) = &character.blend_shape {
        row("blend shapes", shape.names().len().to_string());
    }
    for (what, count) in [
        ("limits", character.parameter_limits.len()),
        ("locators", character.locators.len()),
        ("collision solids", character.collision_geometry.len()),
    ] {
        if count > 0 {
            row(what, count.to_string());
        }
    }
    html.push_str("</table><details><summary>joint tree</summary><ul>");
    let joints = character.skeleton.joints();
    let mut children = vec![Vec::new(); joints.len()];
    for (index, joint) in joints.iter().enumerate() {
        if let Some(parent) = joint.parent {
            children[parent].push(index);
        }
    }
    // An explicit stack, so that a chain of any length is no recursion; `None` closes a list.
    let mut stack: Vec<Option<usize>> = (0..joints.len())
        .rev()
        .filter(|&index| joints[index].parent.is_none())
        .map(Some)
        .collect();
    while let Some(entry) = stack.pop() {
        let Some(index) = entry else {
            html.push_str("</ul></li>");
            continue;
        };
        let name = escape(&joints[index].name);
        if children[index].is_empty() {
            let _ = write!(html, "<li>{index} {name}</li>");
        } else {
            let _ = write!(html, "<li>{index} {name}<ul>");
            stack.push(None);
            stack.extend(children[index].iter().rev().map(|&child| Some(child)));
        }
    }
    html.push_str("</ul></details></div>");
    html
}

/// A table of what a mesh has.
pub fn mesh(mesh: &Mesh) -> String {
    let mut html = String::from("<div style=\"font-family:sans-serif\"><b>Mesh</b><table>");
    for (what, count) in [
        ("vertices", mesh.n_vertices()),
        ("triangles", mesh.faces.len()),
        ("polygons", mesh.poly_face_sizes.len()),
        ("lines", mesh.lines.len()),
        ("colors", mesh.colors.len()),
        ("texture coordinates", mesh.texcoords.len() / 2),
    ] {
        if count > 0 {
            let _ = write!(
                html,
                "<tr><td style=\"text-align:left\">{what}</td><td>{count}</td></tr>"
            );
        }
    }
    html.push_str("</table></div>");
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::{CharacterParts, Joint, ParameterTransform, Skeleton};

    #[test]
    fn names_cannot_inject_markup_and_lists_are_closed() {
        let skeleton = Skeleton::new(vec![
            Joint::new("<script>", None, [0.0; 3]),
            Joint::new("b", Some(0), [0.0; 3]),
        ])
        .unwrap();
        let transform = ParameterTransform::identity(&skeleton);
        let html =
            character(&Character::new(CharacterParts::new("x", skeleton, transform)).unwrap());
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
        assert_eq!(html.matches("<ul>").count(), html.matches("</ul>").count());
        assert_eq!(html.matches("<li>").count(), html.matches("</li>").count());
    }
}

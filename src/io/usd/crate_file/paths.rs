//! Paths: a tree, written as one line of elements with jumps to siblings.

use std::sync::Arc;

use super::bytes::Bytes;
use super::tables::token_at;
use crate::error::{Error, Result};

/// The last part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    Root,
    Prim(Arc<str>),
    Property(Arc<str>),
    /// A variant, written `{set=name}`.
    Variant,
}

/// One path.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub parent: usize,
    pub element: Element,
}

/// All paths of a file.
pub(super) struct Paths {
    /// By their index; `None` for one that is not used.
    pub nodes: Vec<Option<Node>>,
    /// Indices, parents before children.
    pub order: Vec<usize>,
}

/// Reads the columns of the tree and walks it.
pub(super) fn read(bytes: &mut Bytes<'_>, n_paths: usize, tokens: &[Arc<str>]) -> Result<Paths> {
    let location = bytes.location();
    let wrong = |expected: &str, got: String| Error::format(&location, expected, got);
    let count = usize::try_from(bytes.u64()?).unwrap_or(usize::MAX);
    if count > n_paths {
        return Err(wrong(
            "no more elements than paths",
            format!("{count} for {n_paths} paths"),
        ));
    }
    let indices = bytes.integers(count, false)?;
    let elements = bytes.integers(count, false)?;
    let jumps = bytes.integers(count, false)?;
    let mut paths = Paths {
        nodes: vec![None; n_paths],
        order: Vec::new(),
    };
    let mut seen = vec![false; count];
    let mut open: Vec<(usize, Option<usize>)> = Vec::new();
    if count > 0 {
        open.push((0, None));
    }
    while let Some((at, parent)) = open.pop() {
        let Some(is_seen) = seen.get_mut(at).filter(|seen| !**seen) else {
            return Err(wrong(
                "jumps that reach every element once",
                format!("one to element {at} of {count}"),
            ));
        };
        *is_seen = true;
        let index = usize::try_from(indices[at]).unwrap_or(usize::MAX);
        let element = match parent {
            None => Element::Root,
            Some(_) => element(elements[at], tokens, &location)?,
        };
        let Some(node) = paths.nodes.get_mut(index).filter(|node| node.is_none()) else {
            return Err(wrong(
                "an index of its own for each path",
                format!("{index} of {n_paths} paths for element {at}"),
            ));
        };
        *node = Some(Node {
            parent: parent.unwrap_or(index),
            element,
        });
        paths.order.push(index);
        let jump = jumps[at];
        // Above zero: the child comes next and the sibling so far away; 0: the sibling comes next;
        // -1: only a child; -2: neither.
        if jump >= 0 {
            let by = usize::try_from(jump.max(1)).unwrap_or(usize::MAX);
            let Some(parent) = parent else {
                return Err(wrong("one root", "a sibling of it".into()));
            };
            open.push((at.saturating_add(by), Some(parent)));
        }
        if jump > 0 || jump == -1 {
            open.push((at + 1, Some(index)));
        }
    }
    Ok(paths)
}

fn element(token: i64, tokens: &[Arc<str>], location: &str) -> Result<Element> {
    let name = token_at(tokens, token.unsigned_abs(), || location.to_owned())?;
    Ok(match () {
        () if token < 0 => Element::Property(name),
        () if name.starts_with('{') => Element::Variant,
        () => Element::Prim(name),
    })
}

impl Paths {
    /// The text of a path; `None` for one that does not exist or is longer than `limit`.
    pub fn text(&self, index: usize, limit: usize) -> Option<String> {
        let mut parts = Vec::new();
        let mut length = 1;
        let mut at = index;
        loop {
            let node = self.nodes.get(at)?.as_ref()?;
            match &node.element {
                Element::Root => break,
                Element::Variant => {}
                Element::Prim(name) | Element::Property(name) => {
                    let mark = if matches!(node.element, Element::Prim(_)) {
                        "/"
                    } else {
                        "."
                    };
                    length += 1 + name.len();
                    if length > limit {
                        return None;
                    }
                    parts.extend([&**name, mark]);
                }
            }
            at = node.parent;
        }
        parts.reverse();
        Some(if parts.is_empty() {
            "/".into()
        } else {
            parts.concat()
        })
    }
}

//! The JSON document and its one buffer while a file is made, and the file's bytes.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::character::Picture;
use crate::error::{Error, Result};

/// What vertices and their attributes are in a buffer view.
pub(super) const VERTICES: u32 = 34962;
/// What indices are in a buffer view.
pub(super) const INDICES: u32 = 34963;

const FLOAT: u32 = 5126;
const UNSIGNED_INT: u32 = 5125;
const UNSIGNED_SHORT: u32 = 5123;
const UNSIGNED_BYTE: u32 = 5121;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Container {
    /// GLB: the buffer follows the JSON.
    #[default]
    Binary,
    /// `.gltf`: JSON text with the buffer inside it in base64.
    Text,
}

/// A document that grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    buffer: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
    pub nodes: Vec<Map<String, Value>>,
    pub meshes: Vec<Value>,
    pub materials: Vec<Value>,
    textures: Vec<Value>,
    images: Vec<Value>,
    /// The texture of each picture that is in the file.
    pictures: Vec<(Arc<Picture>, usize)>,
    pub skins: Vec<Value>,
    pub animations: Vec<Value>,
    /// The scene's root nodes.
    pub roots: Vec<usize>,
    pub extensions: Map<String, Value>,
    pub extensions_used: BTreeSet<&'static str>,
}

/// Numbers of a buffer as bytes.
pub(super) trait Bytes: Copy {
    fn push_all(values: &[Self], buffer: &mut Vec<u8>);
}

macro_rules! little_endian {
    ($($number:ty),*) => {$(
        impl Bytes for $number {
            fn push_all(values: &[Self], buffer: &mut Vec<u8>) {
                if cfg!(target_endian = "little") {
                    buffer.extend_from_slice(bytemuck::cast_slice(values));
                } else {
                    buffer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                }
            }
        }
    )*};
}

little_endian!(u8, i8, u16, u32, f32, f64);

impl Document {
    /// Makes room for `bytes` more.
    pub fn reserve(&mut self, bytes: usize) {
        self.buffer.reserve(bytes);
    }

    fn describe_view(&mut self, start: usize, target: Option<u32>, stride: Option<usize>) -> usize {
        let mut view = json!({
            "buffer": 0, "byteOffset": start, "byteLength": self.buffer.len() - start,
        });
        if let Some(target) = target {
            view["target"] = target.into();
        }
        if let Some(stride) = stride {
            view["byteStride"] = stride.into();
        }
        self.views.push(view);
        self.views.len() - 1
    }

    /// Where numbers of any kind may start.
    fn align(&mut self) -> usize {
        self.buffer.resize(self.buffer.len().next_multiple_of(8), 0);
        self.buffer.len()
    }

    /// A buffer view of plain numbers; there has to be one at least.
    pub fn view<T: Bytes>(&mut self, values: &[T], target: Option<u32>) -> usize {
        let start = self.align();
        T::push_all(values, &mut self.buffer);
        self.describe_view(start, target, None)
    }

    fn accessor(&mut self, view: usize, component: u32, kind: &str, count: usize) -> usize {
        self.accessors.push(json!({
            "bufferView": view, "componentType": component, "type": kind, "count": count,
        }));
        self.accessors.len() - 1
    }

    /// An accessor of floats.
    pub fn floats(&mut self, values: &[f32], kind: &'static str, target: Option<u32>) -> usize {
        let view = self.view(values, target);
        self.accessor(view, FLOAT, kind, values.len() / width(kind))
    }

    /// An accessor of floats that lie in pieces.
    pub fn floats_in_pieces(&mut self, pieces: &[impl AsRef<[f32]>], kind: &'static str) -> usize {
        let start = self.align();
        for piece in pieces {
            f32::push_all(piece.as_ref(), &mut self.buffer);
        }
        let view = self.describe_view(start, None, None);
        let count = pieces
            .iter()
            .map(|piece| piece.as_ref().len())
            .sum::<usize>();
        self.accessor(view, FLOAT, kind, count / width(kind))
    }

    /// An accessor of floats that says between which values they are, as positions and times have to.
    pub fn bounded(&mut self, values: &[f32], kind: &'static str, target: Option<u32>) -> usize {
        let width = width(kind);
        let (mut low, mut high) = ([f32::INFINITY; 4], [f32::NEG_INFINITY; 4]);
        for element in values.chunks_exact(width) {
            for (at, &x) in element.iter().enumerate() {
                low[at] = low[at].min(x);
                high[at] = high[at].max(x);
            }
        }
        let accessor = self.floats(values, kind, target);
        // As doubles: in the shortest text of a single another reader could find another number.
        let exact = |ends: &[f32]| ends.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        self.accessors[accessor]["min"] = json!(exact(&low[..width]));
        self.accessors[accessor]["max"] = json!(exact(&high[..width]));
        accessor
    }

    /// An accessor of indices.
    pub fn indices(&mut self, values: &[u32], target: u32) -> usize {
        let view = self.view(values, Some(target));
        self.accessor(view, UNSIGNED_INT, "SCALAR", values.len())
    }

    /// An accessor of four joints each.
    pub fn joints(&mut self, values: &[u16]) -> usize {
        let view = self.view(values, Some(VERTICES));
        self.accessor(view, UNSIGNED_SHORT, "VEC4", values.len() / 4)
    }

    /// An accessor of colours, four bytes apart.
    pub fn colors(&mut self, values: &[[u8; 3]]) -> usize {
        let start = self.align();
        self.buffer
            .extend(values.iter().flat_map(|&[r, g, b]| [r, g, b, 0]));
        let view = self.describe_view(start, Some(VERTICES), Some(4));
        let accessor = self.accessor(view, UNSIGNED_BYTE, "VEC3", values.len());
        self.accessors[accessor]["normalized"] = true.into();
        accessor
    }

    /// The texture that shows a picture; the same for the same picture.
    pub fn texture(&mut self, picture: &Arc<Picture>) -> usize {
        let known = self.pictures.iter().find(|(known, _)| known == picture);
        if let Some(&(_, texture)) = known {
            return texture;
        }
        let view = self.view(&picture.bytes, None);
        self.images.push(json!({
            "name": picture.name, "mimeType": picture.mime_type, "bufferView": view,
        }));
        self.textures.push(json!({"source": self.images.len() - 1}));
        let texture = self.textures.len() - 1;
        self.pictures.push((picture.clone(), texture));
        texture
    }

    /// A new node.
    pub fn node(&mut self, name: &str) -> usize {
        let mut node = Map::new();
        node.insert("name".into(), name.into());
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Hangs a node under another.
    pub fn hang(&mut self, child: usize, parent: usize) {
        let children = self.nodes[parent]
            .entry("children")
            .or_insert_with(|| json!([]));
        if let Some(children) = children.as_array_mut() {
            children.push(child.into());
        }
    }

    /// Gives a node an extension.
    pub fn extend_node(&mut self, node: usize, name: &'static str, value: Value) {
        self.extensions_used.insert(name);
        let extensions = self.nodes[node]
            .entry("extensions")
            .or_insert_with(|| json!({}));
        extensions[name] = value;
    }

    /// The file, whole.
    ///
    /// # Errors
    /// [`Error::Value`] where it would be larger than the 4 GiB that a GLB can hold.
    pub fn to_bytes(&self, container: Container) -> Result<Vec<u8>> {
        let mut file = self.head(container)?;
        if container == Container::Binary {
            let padding = padding(&self.buffer);
            let mut whole =
                Error::reserve("the file", file.len() + self.buffer.len() + padding.len())?;
            whole.append(&mut file);
            whole.extend(&self.buffer);
            whole.extend(padding);
            file = whole;
        }
        Ok(file)
    }

    /// The same in pieces, without a copy of the buffer.
    pub fn into_parts(mut self, container: Container) -> Result<Vec<Vec<u8>>> {
        let head = self.head(container)?;
        if container == Container::Text {
            return Ok(vec![head]);
        }
        self.buffer.extend(padding(&self.buffer));
        Ok(vec![head, self.buffer])
    }

    /// What stands before the buffer.
    fn head(&self, container: Container) -> Result<Vec<u8>> {
        let mut root = json!({
            "asset": {"version": "2.0", "generator": "kinarray"},
            "scene": 0,
            "scenes": [if self.roots.is_empty() { json!({}) } else { json!({"nodes": self.roots}) }],
        });
        let used: Vec<&str> = self.extensions_used.iter().copied().collect();
        if !used.is_empty() {
            root["extensionsUsed"] = json!(used);
        }
        if !self.extensions.is_empty() {
            root["extensions"] = json!(self.extensions);
        }
        if !self.nodes.is_empty() {
            root["nodes"] = json!(self.nodes);
        }
        for (key, list) in [
            ("meshes", &self.meshes),
            ("materials", &self.materials),
            ("textures", &self.textures),
            ("images", &self.images),
            ("skins", &self.skins),
            ("animations", &self.animations),
            ("accessors", &self.accessors),
            ("bufferViews", &self.views),
        ] {
            if !list.is_empty() {
                root[key] = json!(list);
            }
        }
        if !self.buffer.is_empty() {
            root["buffers"] = json!([{"byteLength": self.buffer.len()}]);
        }
        if container == Container::Text {
            if !self.buffer.is_empty() {
                root["buffers"][0]["uri"] = base64_uri(&self.buffer).into();
            }
            return Ok(root.to_string().into_bytes());
        }
        binary_head(&root, &self.buffer)
    }
}

/// Numbers of an element.
fn width(kind: &str) -> usize {
    match kind {
        "VEC2" => 2,
        "VEC3" => 3,
        "VEC4" => 4,
        "MAT4" => 16,
        _ => 1,
    }
}

/// What makes the length of a buffer a multiple of four.
fn padding(buffer: &[u8]) -> &'static [u8] {
    &[0; 3][..buffer.len().next_multiple_of(4) - buffer.len()]
}

/// A GLB up to its buffer.
fn binary_head(root: &Value, buffer: &[u8]) -> Result<Vec<u8>> {
    let mut json = root.to_string().into_bytes();
    json.resize(json.len().next_multiple_of(4), b' ');
    let padded = buffer.len() + padding(buffer).len();
    let rest = if buffer.is_empty() { 0 } else { 8 + padded };
    let total = 20 + json.len() + rest;
    let word = |number: usize| {
        u32::try_from(number).map(u32::to_le_bytes).map_err(|_| {
            Error::value(
                "GLB",
                format!("{total} bytes, but a GLB holds at most 4 GiB"),
            )
        })
    };
    let mut head = Vec::with_capacity(28 + json.len());
    head.extend(b"glTF");
    head.extend(2_u32.to_le_bytes());
    head.extend(word(total)?);
    head.extend(word(json.len())?);
    head.extend(b"JSON");
    head.extend(json);
    if !buffer.is_empty() {
        head.extend(word(padded)?);
        head.extend(b"BIN\0");
    }
    Ok(head)
}

fn base64_uri(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4 + 64);
    text.push_str("data:application/octet-stream;base64,");
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

//! One layer of a stage as it is stored: prims and their properties, from text or from a crate file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::value::Value;
use crate::error::{Error, Result};

/// Named values about a layer, a prim or a property.
pub type Fields = BTreeMap<Arc<str>, Value>;

/// What a layer says about a prim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Specifier {
    /// `def`: it is there.
    Def,
    /// `over`: it adds to one that another layer defines.
    #[default]
    Over,
    /// `class`: others inherit from it; it is not part of the scene by itself.
    Class,
}

/// One layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What the layer says about itself.
    pub metadata: Fields,
    /// All prims, parents before their children; the first one is the root, which has no name.
    pub prims: Vec<Prim>,
    /// The place of each child of each prim.
    places: HashMap<(usize, Arc<str>), usize>,
    /// What the layer holds and readers pass over: its name, the place of the first one, and how many
    /// there are.
    pub left_out: BTreeMap<&'static str, (usize, usize)>,
    /// What brings in prims from elsewhere and was not followed: its name, where it stands first and why,
    /// and how many more there are.
    pub not_followed: BTreeMap<&'static str, (String, usize)>,
}

/// One prim.
#[derive(Debug, Clone, Default)]
pub struct Prim {
    /// Its name, unique among its siblings.
    pub name: Arc<str>,
    /// The place of its parent; `None` for the root.
    pub parent: Option<usize>,
    /// The places of its children, in their order.
    pub children: Vec<usize>,
    /// What the layer says about it.
    pub specifier: Specifier,
    /// Its schema, such as `Mesh`; may be empty.
    pub type_name: Arc<str>,
    /// What the layer says about the prim itself.
    pub metadata: Fields,
    /// Its attributes and relationships.
    pub properties: BTreeMap<Arc<str>, Property>,
}

/// An attribute or a relationship.
#[derive(Debug, Clone, Default)]
pub struct Property {
    /// The type of an attribute's values, such as `point3f[]`; empty for a relationship.
    pub type_name: Arc<str>,
    /// The value that does not depend on time.
    pub default: Option<Value>,
    /// Values at times, in time codes, increasing.
    pub samples: Vec<(f64, Value)>,
    /// What a relationship points to: paths, absolute or from its prim.
    pub targets: Vec<Arc<str>>,
    /// What the layer says about the property itself.
    pub metadata: Fields,
}

impl Default for Layer {
    fn default() -> Self {
        let root = Prim {
            specifier: Specifier::Def,
            ..Prim::default()
        };
        Self {
            metadata: Fields::new(),
            prims: vec![root],
            places: HashMap::new(),
            left_out: BTreeMap::new(),
            not_followed: BTreeMap::new(),
        }
    }
}

impl Layer {
    /// Adds a prim below another one; gives its place.
    ///
    /// # Errors
    /// [`Error::Format`] for a name that a sibling has, at `location`.
    pub(super) fn add(
        &mut self,
        parent: usize,
        prim: Prim,
        location: impl FnOnce() -> String,
    ) -> Result<usize> {
        let place = self.prims.len();
        let key = (parent, prim.name.clone());
        if self.places.insert(key, place).is_some() {
            return Err(Error::format(
                location(),
                "names that differ among siblings",
                format!("a second prim '{}'", prim.name),
            ));
        }
        self.prims[parent].children.push(place);
        self.prims.push(Prim {
            parent: Some(parent),
            ..prim
        });
        Ok(place)
    }

    /// Notes that a prim holds something that is passed over.
    pub(super) fn leave_out(&mut self, what: &'static str, place: usize) {
        self.left_out.entry(what).or_insert((place, 0)).1 += 1;
    }

    /// The place of a prim by its path, which is absolute or starts at `from`; the name of a property
    /// behind it is left aside.
    #[must_use]
    pub fn find(&self, from: usize, path: &str) -> Option<usize> {
        let (mut at, steps) = match path.strip_prefix('/') {
            Some(steps) => (0, steps),
            None => (from, path),
        };
        for step in steps.split('/') {
            match step {
                "" | "." => {}
                ".." => at = self.prims[at].parent?,
                step => {
                    let name = step.split('.').next().unwrap_or(step);
                    at = *self.places.get(&(at, Arc::from(name)))?;
                }
            }
        }
        Some(at)
    }

    /// The place of a child by its name.
    pub(super) fn child(&self, parent: usize, name: &Arc<str>) -> Option<usize> {
        self.places.get(&(parent, name.clone())).copied()
    }

    /// The whole path of a prim.
    pub(super) fn whole_path(&self, mut place: usize) -> String {
        let mut names: Vec<&str> = Vec::new();
        while let Some(parent) = self.prims[place].parent {
            names.push(&self.prims[place].name);
            place = parent;
        }
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// The path of a prim, for messages; of a very deep one the end.
    #[must_use]
    pub fn path(&self, mut place: usize) -> String {
        const SHOWN: usize = 16;
        let mut names = Vec::new();
        while let Some(parent) = self.prims[place].parent {
            if names.len() == SHOWN {
                names.push("..");
                break;
            }
            names.push(&self.prims[place].name);
            place = parent;
        }
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// The places of the prims that are part of the scene: defined and active, as all above them are;
    /// parents first, in the order of the scene.
    #[must_use]
    pub fn scene(&self) -> Vec<usize> {
        let mut order = Vec::new();
        let mut open = vec![0];
        while let Some(place) = open.pop() {
            order.push(place);
            let children = self.prims[place].children.iter().rev();
            open.extend(children.filter(|&&child| self.prims[child].is_in_scene()));
        }
        order
    }
}

impl Prim {
    fn is_in_scene(&self) -> bool {
        let active = self.metadata.get("active").and_then(Value::number);
        self.specifier == Specifier::Def && active != Some(0.0)
    }
}

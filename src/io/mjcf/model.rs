//! The bodies of a model, as the file stores them.

use nalgebra::{Isometry3, Vector3};
use std::collections::{BTreeMap, HashSet};

use super::assets::Assets;
use super::classes::{Classes, MAIN};
use super::compiler::{Compiler, flag};
use super::files::Files;
use super::geom::Geom;
use super::inertia::Inertial;
use super::joint::{Joint, Kind};
use super::place;
use crate::error::Result;
use crate::io::nodes::Names;
use crate::io::xml::Element;

/// All that is inside `<worldbody>`.
pub(super) struct Model<'f, 'a> {
    /// Parents before children; the first one is the world.
    pub bodies: Vec<Body<'f, 'a>>,
    /// What was left out, and how often.
    pub left_out: BTreeMap<String, usize>,
}

/// A rigid body.
pub(super) struct Body<'f, 'a> {
    /// What it was read from.
    pub element: Element<'f, 'a>,
    pub name: String,
    pub parent: usize,
    /// Body to parent.
    pub place: Isometry3<f64>,
    pub joints: Vec<Joint<'f, 'a>>,
    pub geoms: Vec<Geom<'f, 'a>>,
    pub sites: Vec<Site<'f>>,
    pub inertial: Option<Inertial>,
}

/// A point on a body.
pub(super) struct Site<'f> {
    pub name: Option<&'f str>,
    pub position: Vector3<f64>,
}

/// What things are inside of.
#[derive(Clone, Copy)]
struct Inside {
    body: usize,
    /// Frame to body.
    frame: Isometry3<f64>,
    class: usize,
}

struct Reader<'r, 'f, 'a> {
    files: &'f Files<'a>,
    compiler: &'r Compiler,
    classes: &'r Classes<'f, 'a>,
    assets: &'r Assets<'f, 'a>,
    model: Model<'f, 'a>,
    /// The names of sites so far.
    sites: HashSet<&'f str>,
}

impl<'f, 'a> Model<'f, 'a> {
    /// Reads all bodies.
    pub fn read(
        files: &'f Files<'a>,
        compiler: &Compiler,
        classes: &Classes<'f, 'a>,
        assets: &Assets<'f, 'a>,
    ) -> Result<Self> {
        let root = files.root();
        let mut reader = Reader {
            files,
            compiler,
            classes,
            assets,
            model: Self {
                bodies: vec![Body::new(root, "world".into(), 0, Isometry3::identity())],
                left_out: BTreeMap::new(),
            },
            sites: HashSet::new(),
        };
        for world in files.sections("worldbody") {
            let class = classes.named(&world, "childclass", MAIN)?;
            let inside = Inside {
                body: 0,
                frame: Isometry3::identity(),
                class,
            };
            reader.read(&world, inside)?;
        }
        let mut model = reader.model;
        if model.bodies.len() == 1 {
            return Err(root.wrong("at least one <body> in <worldbody>", "none"));
        }
        let mut names = HashSet::new();
        let named = model.bodies.iter().filter(|body| !body.name.is_empty());
        for body in named.clone() {
            if !names.insert(&body.name) {
                let expected = "a name that no other body has";
                return Err(body.element.wrong(expected, format!("{:?}", body.name)));
            }
        }
        let mut names = Names::new(named.map(|body| body.name.clone()));
        for (at, body) in model.bodies.iter_mut().enumerate() {
            if body.name.is_empty() {
                body.name = names.fresh(&format!("body_{at}"));
            }
        }
        let mut names = HashSet::new();
        for joint in model.bodies.iter().flat_map(|body| &body.joints) {
            if joint.name.is_some_and(|name| !names.insert(name)) {
                let expected = "a name that no other joint has";
                let name = joint.name.unwrap_or_default();
                return Err(joint.element.wrong(expected, format!("{name:?}")));
            }
        }
        Ok(model)
    }
}

impl<'f, 'a> Body<'f, 'a> {
    fn new(element: Element<'f, 'a>, name: String, parent: usize, place: Isometry3<f64>) -> Self {
        Self {
            element,
            name,
            parent,
            place,
            joints: Vec::new(),
            geoms: Vec::new(),
            sites: Vec::new(),
            inertial: None,
        }
    }
}

impl<'f, 'a> Reader<'_, 'f, 'a> {
    fn leave_out(&mut self, what: impl Into<String>) {
        *self.model.left_out.entry(what.into()).or_default() += 1;
    }

    /// Goes through an element and all that is inside, in the order of the file.
    fn read(&mut self, element: &Element<'f, 'a>, inside: Inside) -> Result<()> {
        let mut open = vec![(self.files.children(element).into_iter(), inside)];
        while let Some((children, inside)) = open.last_mut() {
            let inside = *inside;
            let Some(child) = children.next() else {
                open.pop();
                continue;
            };
            if let Some(deeper) = self.read_child(&child, inside)? {
                open.push((self.files.children(&child).into_iter(), deeper));
            }
        }
        Ok(())
    }

    /// Reads one element; for a body or a frame says what its children are inside of.
    fn read_child(&mut self, child: &Element<'f, 'a>, inside: Inside) -> Result<Option<Inside>> {
        match child.tag() {
            "body" => return self.body(child, inside).map(Some),
            "frame" => {
                let own = place::place(child, self.compiler)?;
                return Ok(Some(Inside {
                    frame: inside.frame * own,
                    class: self.classes.named(child, "childclass", inside.class)?,
                    ..inside
                }));
            }
            "joint" | "freejoint" => self.joint(child, inside)?,
            "geom" => {
                let styled = self.classes.styled(child, inside.class)?;
                match Geom::read(&styled, self.compiler, self.assets, &inside.frame)? {
                    Ok(geom) => self.model.bodies[inside.body].geoms.push(geom),
                    Err(what) => self.leave_out(what),
                }
            }
            "site" => self.site(child, inside)?,
            "inertial" if inside.body > 0 => {
                let inertial = Inertial::read(child, self.compiler)?;
                self.model.bodies[inside.body].inertial = Some(inertial);
            }
            other => self.leave_out(format!("<{other}>")),
        }
        Ok(None)
    }

    fn body(&mut self, element: &Element<'f, 'a>, inside: Inside) -> Result<Inside> {
        let at = self.model.bodies.len();
        let name = element.attribute("name").unwrap_or_default().to_owned();
        let own = inside.frame * place::place(element, self.compiler)?;
        let class = self.classes.named(element, "childclass", inside.class)?;
        if flag(element, "mocap")? == Some(true) {
            let what = "that a body is moved by motion capture ('mocap'); it stays in its place";
            self.leave_out(what);
        }
        let body = Body::new(*element, name, inside.body, own);
        self.model.bodies.push(body);
        Ok(Inside {
            body: at,
            frame: Isometry3::identity(),
            class,
        })
    }

    fn joint(&mut self, element: &Element<'f, 'a>, inside: Inside) -> Result<()> {
        if inside.body == 0 {
            return Err(element.wrong("a joint inside a <body>", "one in the world"));
        }
        let styled = self.classes.styled(element, inside.class)?;
        let joint = Joint::read(&styled, self.compiler, &inside.frame)?;
        let body = &mut self.model.bodies[inside.body];
        if joint.kind == Kind::Free && body.parent != 0 {
            return Err(element.wrong("a free joint on a body of the world", "one further inside"));
        }
        let is_alone = body.joints.is_empty();
        let has_free = body.joints.iter().any(|other| other.kind == Kind::Free);
        if has_free || (joint.kind == Kind::Free && !is_alone) {
            return Err(element.wrong("a free joint without others on its body", "both"));
        }
        body.joints.push(joint);
        Ok(())
    }

    fn site(&mut self, element: &Element<'f, 'a>, inside: Inside) -> Result<()> {
        if inside.body == 0 {
            self.leave_out("a site of the world, which no joint carries");
            return Ok(());
        }
        let styled = self.classes.styled(element, inside.class)?;
        let position = match styled.numbers::<6>("fromto")? {
            Some([a, b, c, d, e, f]) => 0.5 * (Vector3::new(a, b, c) + Vector3::new(d, e, f)),
            None => Vector3::from(styled.numbers::<3>("pos")?.unwrap_or_default()),
        };
        let name = element.attribute("name").filter(|name| !name.is_empty());
        if name.is_some_and(|name| !self.sites.insert(name)) {
            let expected = "a name that no other site has";
            return Err(element.wrong(expected, format!("{:?}", name.unwrap_or_default())));
        }
        self.model.bodies[inside.body].sites.push(Site {
            name,
            position: (inside.frame * nalgebra::Point3::from(position)).coords,
        });
        Ok(())
    }
}

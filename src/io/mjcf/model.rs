//! The bodies of a model, as the file stores them.

use nalgebra::{Isometry3, Vector3};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

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

/// As many elements of a model may be copies of others.
const MAX_COPIES: usize = 1 << 17;

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
    pub sites: Vec<Site>,
    pub inertial: Option<Inertial>,
}

/// A point on a body.
pub(super) struct Site {
    pub name: Option<String>,
    pub position: Vector3<f64>,
}

/// What things are inside of.
#[derive(Clone)]
struct Inside {
    body: usize,
    /// Frame to body.
    frame: Isometry3<f64>,
    class: usize,
    /// What the names of things in copies end in.
    suffix: Rc<str>,
}

/// An element whose children are being read.
struct Open<'f, 'a> {
    element: Element<'f, 'a>,
    /// Those that are not read yet; `None` before the first.
    children: Option<std::vec::IntoIter<Element<'f, 'a>>>,
    inside: Inside,
}

struct Reader<'r, 'f, 'a> {
    files: &'f Files<'a>,
    compiler: &'r Compiler,
    classes: &'r Classes<'f, 'a>,
    assets: &'r Assets<'f, 'a>,
    model: Model<'f, 'a>,
    /// The names of sites so far.
    sites: HashSet<String>,
    /// How many elements are copies.
    n_copies: usize,
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
            n_copies: 0,
        };
        for world in files.sections("worldbody") {
            let class = classes.named(&world, "childclass", MAIN)?;
            let inside = Inside {
                body: 0,
                frame: Isometry3::identity(),
                class,
                suffix: "".into(),
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
            if let Some(name) = &joint.name
                && !names.insert(name)
            {
                let expected = "a name that no other joint has";
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
        let start = |element, inside| Open {
            element,
            children: None,
            inside,
        };
        let mut open = vec![start(*element, inside)];
        while let Some(last) = open.last_mut() {
            let children = last
                .children
                .get_or_insert_with(|| self.files.children(&last.element).into_iter());
            let Some(child) = children.next() else {
                open.pop();
                continue;
            };
            let inside = last.inside.clone();
            if !inside.suffix.is_empty() {
                self.n_copies += 1;
                self.check_copies(&child, 0)?;
            }
            let deeper = self.read_child(&child, &inside)?;
            open.extend(deeper.into_iter().rev().map(|inside| start(child, inside)));
        }
        Ok(())
    }

    /// Refuses more copies than a model can be thought to have.
    fn check_copies(&self, element: &Element<'f, 'a>, more: usize) -> Result<()> {
        if more > MAX_COPIES - self.n_copies.min(MAX_COPIES) {
            let expected = format!("at most {MAX_COPIES} elements in copies of <replicate>");
            return Err(element.wrong(expected, "more"));
        }
        Ok(())
    }

    /// Reads one element; says what its children are inside of, several times where they are copied.
    fn read_child(&mut self, child: &Element<'f, 'a>, inside: &Inside) -> Result<Vec<Inside>> {
        match child.tag() {
            "body" => return Ok(vec![self.body(child, inside)?]),
            "frame" => {
                let own = place::place(child, self.compiler)?;
                return Ok(vec![Inside {
                    frame: inside.frame * own,
                    class: self.classes.named(child, "childclass", inside.class)?,
                    ..inside.clone()
                }]);
            }
            "replicate" => return self.copies(child, inside),
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
        Ok(Vec::new())
    }

    /// The places of the copies in `<replicate>`, each from the one before.
    fn copies(&mut self, element: &Element<'f, 'a>, inside: &Inside) -> Result<Vec<Inside>> {
        let text = element.need("count")?;
        let count: usize = text
            .parse()
            .map_err(|_| element.wrong("a whole number in 'count'", format!("{text:?}")))?;
        self.check_copies(element, count)?;
        self.n_copies += count;
        let offset = Vector3::from(element.numbers::<3>("offset")?.unwrap_or_default());
        let turn = place::rotation(element, self.compiler)?;
        let step = Isometry3::from_parts(offset.into(), turn);
        let separator = element.attribute("sep").unwrap_or_default();
        let width = count.to_string().len();
        let class = self.classes.named(element, "childclass", inside.class)?;
        let mut frame = inside.frame;
        let mut copies = Vec::with_capacity(count);
        for at in 0..count {
            copies.push(Inside {
                body: inside.body,
                frame,
                class,
                suffix: format!("{separator}{at:0width$}{}", inside.suffix).into(),
            });
            frame *= step;
        }
        Ok(copies)
    }

    /// The name of an element; empty where it has none.
    fn name(element: &Element<'f, 'a>, inside: &Inside) -> String {
        match element.attribute("name").unwrap_or_default() {
            "" => String::new(),
            name => format!("{name}{}", inside.suffix),
        }
    }

    fn body(&mut self, element: &Element<'f, 'a>, inside: &Inside) -> Result<Inside> {
        let at = self.model.bodies.len();
        let name = Self::name(element, inside);
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
            suffix: inside.suffix.clone(),
        })
    }

    fn joint(&mut self, element: &Element<'f, 'a>, inside: &Inside) -> Result<()> {
        if inside.body == 0 {
            return Err(element.wrong("a joint inside a <body>", "one in the world"));
        }
        let styled = self.classes.styled(element, inside.class)?;
        let name = Some(Self::name(element, inside)).filter(|name| !name.is_empty());
        let joint = Joint::read(&styled, name, self.compiler, &inside.frame)?;
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

    fn site(&mut self, element: &Element<'f, 'a>, inside: &Inside) -> Result<()> {
        if inside.body == 0 {
            self.leave_out("a site of the world, which no joint carries");
            return Ok(());
        }
        let styled = self.classes.styled(element, inside.class)?;
        let position = match styled.numbers::<6>("fromto")? {
            Some([a, b, c, d, e, f]) => 0.5 * (Vector3::new(a, b, c) + Vector3::new(d, e, f)),
            None => Vector3::from(styled.numbers::<3>("pos")?.unwrap_or_default()),
        };
        let name = Some(Self::name(element, inside)).filter(|name| !name.is_empty());
        if let Some(name) = &name
            && !self.sites.insert(name.clone())
        {
            let expected = "a name that no other site has";
            return Err(element.wrong(expected, format!("{name:?}")));
        }
        self.model.bodies[inside.body].sites.push(Site {
            name,
            position: (inside.frame * nalgebra::Point3::from(position)).coords,
        });
        Ok(())
    }
}

//! What a URDF file stores.

use nalgebra::{Isometry3, Matrix3, Translation3, UnitQuaternion, Vector3};
use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::io::rigid::Form;
use crate::io::xml::Element;

/// A robot: links, and joints between them.
pub(super) struct Robot<'a, 'i> {
    pub name: String,
    pub links: Vec<Link<'a, 'i>>,
    pub joints: Vec<Joint<'a, 'i>>,
}

/// A rigid body.
pub(super) struct Link<'a, 'i> {
    pub name: String,
    /// What it was read from.
    pub element: Element<'a, 'i>,
    pub inertial: Option<Inertial>,
    pub visuals: Vec<Shape<'a, 'i>>,
    pub collisions: Vec<Shape<'a, 'i>>,
}

/// Mass and how it is spread, about the inertial frame's axes.
pub(super) struct Inertial {
    pub origin: Isometry3<f64>,
    pub mass: f64,
    pub inertia: Matrix3<f64>,
}

/// A form and where it sits on its link.
pub(super) struct Shape<'a, 'i> {
    pub origin: Isometry3<f64>,
    pub form: Form<MeshFile<'a, 'i>>,
    /// Red, green, blue; 0 to 1.
    pub color: Option<[f64; 3]>,
}

/// A mesh in a file of its own.
pub(super) struct MeshFile<'a, 'i> {
    /// What it was read from.
    pub element: Element<'a, 'i>,
    pub file: String,
    pub scale: [f64; 3],
}

/// How a link moves on its parent.
pub(super) struct Joint<'a, 'i> {
    pub name: String,
    /// What it was read from.
    pub element: Element<'a, 'i>,
    pub kind: Kind,
    pub origin: Isometry3<f64>,
    pub axis: Vector3<f64>,
    pub parent: String,
    pub child: String,
    pub limit: Option<[f64; 2]>,
    pub mimic: Option<Mimic>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fixed,
    Revolute,
    Continuous,
    Prismatic,
    Planar,
    Floating,
}

/// A joint whose value follows another's: `multiplier · value + offset`.
pub(super) struct Mimic {
    pub joint: String,
    pub multiplier: f64,
    pub offset: f64,
}

impl<'a, 'i> Robot<'a, 'i> {
    /// Reads the document element.
    pub fn read(root: &Element<'a, 'i>) -> Result<Self> {
        match root.tag() {
            "robot" => {}
            "sdf" => return Err(root.wrong("a <robot>", "an SDF file, which is another format")),
            _ => return Err(root.wrong("a <robot>", format!("<{}>", root.tag()))),
        }
        let mut robot = Self {
            name: root.attribute("name").unwrap_or_default().to_owned(),
            links: Vec::new(),
            joints: Vec::new(),
        };
        let mut colors = HashMap::new();
        for material in root.all("material") {
            if let (Some(name), Some(color)) = (material.attribute("name"), color(&material)?) {
                colors.insert(name, color);
            }
        }
        for element in root.children() {
            if element
                .namespace()
                .is_some_and(|name| name.contains("xacro"))
            {
                return Err(element.wrong(
                    "plain URDF",
                    "a xacro macro; expand the file first, with the program xacro",
                ));
            }
            match element.tag() {
                "link" => robot.links.push(link(&element, &colors)?),
                "joint" => robot.joints.push(joint(&element)?),
                _ => {}
            }
        }
        if robot.links.is_empty() {
            return Err(root.wrong("at least one <link>", "none"));
        }
        unique(
            robot.links.iter().map(|link| (&link.name, &link.element)),
            "link",
        )?;
        unique(
            robot
                .joints
                .iter()
                .map(|joint| (&joint.name, &joint.element)),
            "joint",
        )?;
        Ok(robot)
    }
}

fn unique<'n, 'a: 'n, 'i: 'a>(
    names: impl Iterator<Item = (&'n String, &'n Element<'a, 'i>)>,
    what: &str,
) -> Result<()> {
    let mut seen = HashSet::new();
    for (name, element) in names {
        if !seen.insert(name) {
            let expected = format!("a name that no other {what} has");
            return Err(element.wrong(expected, format!("{name:?}")));
        }
    }
    Ok(())
}

/// `<origin xyz rpy>`; the identity where there is none.
fn origin(element: &Element<'_, '_>) -> Result<Isometry3<f64>> {
    let Some(origin) = element.child("origin") else {
        return Ok(Isometry3::identity());
    };
    let [x, y, z] = origin.numbers::<3>("xyz")?.unwrap_or_default();
    let rotation = match origin.numbers::<4>("quat_xyzw")? {
        Some([x, y, z, w]) => {
            let quaternion = nalgebra::Quaternion::new(w, x, y, z);
            UnitQuaternion::try_new(quaternion, 1e-9)
                .ok_or_else(|| origin.wrong("a quaternion of length 1", "one of length 0"))?
        }
        None => {
            let [roll, pitch, yaw] = origin.numbers::<3>("rpy")?.unwrap_or_default();
            UnitQuaternion::from_euler_angles(roll, pitch, yaw)
        }
    };
    Ok(Isometry3::from_parts(Translation3::new(x, y, z), rotation))
}

fn color(material: &Element<'_, '_>) -> Result<Option<[f64; 3]>> {
    let Some(color) = material.child("color") else {
        return Ok(None);
    };
    let rgba = color.numbers::<4>("rgba")?;
    Ok(rgba.map(|[r, g, b, _]| [r, g, b].map(|x| x.clamp(0.0, 1.0))))
}

fn link<'a, 'i>(
    element: &Element<'a, 'i>,
    colors: &HashMap<&str, [f64; 3]>,
) -> Result<Link<'a, 'i>> {
    let mut link = Link {
        name: element.need("name")?.to_owned(),
        element: *element,
        inertial: None,
        visuals: Vec::new(),
        collisions: Vec::new(),
    };
    if let Some(inertial) = element.child("inertial") {
        link.inertial = Some(read_inertial(&inertial)?);
    }
    for visual in element.all("visual") {
        link.visuals.push(shape(&visual, colors)?);
    }
    for collision in element.all("collision") {
        link.collisions.push(shape(&collision, colors)?);
    }
    Ok(link)
}

fn read_inertial(element: &Element<'_, '_>) -> Result<Inertial> {
    let mass = match element.child("mass") {
        Some(mass) => mass.number("value")?.unwrap_or_default(),
        None => 0.0,
    };
    if mass < 0.0 {
        return Err(element.wrong("a mass of 0 or more", mass));
    }
    let mut inertia = Matrix3::zeros();
    if let Some(entries) = element.child("inertia") {
        let entry = |name| entries.number(name).map(Option::unwrap_or_default);
        let [xx, yy, zz] = [entry("ixx")?, entry("iyy")?, entry("izz")?];
        let [xy, xz, yz] = [entry("ixy")?, entry("ixz")?, entry("iyz")?];
        inertia = Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz);
    }
    Ok(Inertial {
        origin: origin(element)?,
        mass,
        inertia,
    })
}

fn shape<'a, 'i>(
    element: &Element<'a, 'i>,
    colors: &HashMap<&str, [f64; 3]>,
) -> Result<Shape<'a, 'i>> {
    let geometry = element
        .child("geometry")
        .ok_or_else(|| element.wrong("a <geometry>", "none"))?;
    let Some(form) = geometry.children().next() else {
        return Err(geometry.wrong("a form", "nothing"));
    };
    let size = |name: &str| -> Result<f64> {
        let size = form.number(name)?;
        size.filter(|&size| size >= 0.0)
            .ok_or_else(|| form.wrong(format!("'{name}' of 0 or more"), "none such"))
    };
    let round = || Ok::<_, Error>((size("radius")?, size("length")?));
    let read = match form.tag() {
        "box" => Form::Box(
            form.numbers::<3>("size")?
                .ok_or_else(|| form.wrong("an attribute 'size'", "none"))?,
        ),
        "cylinder" => {
            let (radius, length) = round()?;
            Form::Cylinder { radius, length }
        }
        "capsule" => {
            let (radius, length) = round()?;
            Form::Capsule { radius, length }
        }
        "sphere" => Form::Ellipsoid([size("radius")?; 3]),
        "mesh" => Form::Mesh(MeshFile {
            element: *element,
            file: form.need("filename")?.to_owned(),
            scale: match form.number_list("scale")?.as_deref() {
                None => [1.0; 3],
                Some(&[factor]) => [factor; 3],
                Some(&[x, y, z]) => [x, y, z],
                Some(other) => return Err(form.wrong("3 numbers in 'scale'", other.len())),
            },
        }),
        _ => return Err(form.wrong("a box, cylinder, capsule, sphere or mesh", form.tag())),
    };
    let material = element.child("material");
    let own = material.as_ref().map(color).transpose()?.flatten();
    let named = material.and_then(|material| colors.get(material.attribute("name")?).copied());
    Ok(Shape {
        origin: origin(element)?,
        form: read,
        color: own.or(named),
    })
}

fn joint<'a, 'i>(element: &Element<'a, 'i>) -> Result<Joint<'a, 'i>> {
    let kind = match element.need("type")? {
        "fixed" => Kind::Fixed,
        "revolute" => Kind::Revolute,
        "continuous" => Kind::Continuous,
        "prismatic" => Kind::Prismatic,
        "planar" => Kind::Planar,
        "floating" => Kind::Floating,
        other => {
            return Err(element.wrong(
                "a type of fixed, revolute, continuous, prismatic, planar or floating",
                format!("{other:?}"),
            ));
        }
    };
    let end = |tag: &'static str| -> Result<String> {
        let end = element
            .child(tag)
            .ok_or_else(|| element.wrong(format!("a <{tag}>"), "none"))?;
        Ok(end.need("link")?.to_owned())
    };
    let axis = match element.child("axis") {
        Some(axis) => Vector3::from(axis.numbers::<3>("xyz")?.unwrap_or([1.0, 0.0, 0.0])),
        None => Vector3::x(),
    };
    let needs_axis = !matches!(kind, Kind::Fixed | Kind::Floating);
    let axis = match axis.try_normalize(1e-9) {
        Some(axis) => axis,
        None if needs_axis => return Err(element.wrong("an axis that is not zero", "0 0 0")),
        None => Vector3::x(),
    };
    let mut limit = None;
    if let (Some(range), Kind::Revolute | Kind::Prismatic) = (element.child("limit"), kind) {
        let [low, high] =
            [range.number("lower")?, range.number("upper")?].map(Option::unwrap_or_default);
        if low > high {
            return Err(range.wrong("'lower' not above 'upper'", format!("{low} and {high}")));
        }
        limit = Some([low, high]);
    }
    let mimic = match element.child("mimic") {
        // Models made smaller by fixing joints keep what those followed.
        Some(_) if kind == Kind::Fixed => None,
        Some(mimic) if needs_axis && kind != Kind::Planar => Some(Mimic {
            joint: mimic.need("joint")?.to_owned(),
            multiplier: mimic.number("multiplier")?.unwrap_or(1.0),
            offset: mimic.number("offset")?.unwrap_or_default(),
        }),
        Some(mimic) => return Err(mimic.wrong("a joint with one value", "another kind of joint")),
        None => None,
    };
    Ok(Joint {
        name: element.need("name")?.to_owned(),
        element: *element,
        kind,
        origin: origin(element)?,
        axis,
        parent: end("parent")?,
        child: end("child")?,
        limit,
        mimic,
    })
}

//! What an ASF file stores.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::io::source::shortened;

/// A degree of freedom; axes are 0, 1, 2 for x, y, z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dof {
    /// A translation along an axis.
    Translation(usize),
    /// A rotation about an axis.
    Rotation(usize),
    /// The length of the bone.
    Length,
}

impl Dof {
    /// From its name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        const NAMES: [(&str, Dof); 7] = [
            ("tx", Dof::Translation(0)),
            ("ty", Dof::Translation(1)),
            ("tz", Dof::Translation(2)),
            ("rx", Dof::Rotation(0)),
            ("ry", Dof::Rotation(1)),
            ("rz", Dof::Rotation(2)),
            ("l", Dof::Length),
        ];
        let found = NAMES.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, dof)| *dof)
    }
}

/// `:root`.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    /// What each number of its motion is.
    pub order: Vec<Dof>,
    /// The axes of its rotations, the first applied first.
    pub axis: [usize; 3],
    /// At rest, in the file's lengths.
    pub position: [f64; 3],
    /// At rest, in the file's angles.
    pub orientation: [f64; 3],
}

/// One bone.
#[derive(Debug, Clone, PartialEq)]
pub struct Bone {
    /// Unique in its skeleton.
    pub name: String,
    /// From its start to its end, in the world at rest.
    pub direction: [f64; 3],
    /// In the file's lengths.
    pub length: f64,
    /// Angles of its axes in the world at rest.
    pub axis: [f64; 3],
    /// The axes of these rotations, the first applied first.
    pub order: [usize; 3],
    /// What each number of its motion is.
    pub dof: Vec<Dof>,
    /// Lower and upper bounds of the first degrees of freedom, in the file's units.
    pub limits: Vec<[f64; 2]>,
    /// Whether it has a mass.
    pub has_mass: bool,
    line: usize,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct Skeleton {
    /// `:name`; may be empty.
    pub name: String,
    /// `length` of `:units`.
    pub length: f64,
    /// Whether angles are degrees.
    pub in_degrees: bool,
    /// `:root`.
    pub root: Root,
    /// `:bonedata`, in its order.
    pub bones: Vec<Bone>,
    /// The parent of each bone; `None` is the root.
    pub parents: Vec<Option<usize>>,
}

/// A line without the white space around it.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn words(self) -> impl Iterator<Item = &'a str> {
        let is_between = |c: char| c.is_ascii_whitespace() || "(),".contains(c);
        self.text.split(is_between).filter(|word| !word.is_empty())
    }

    fn wrong(self, expected: impl std::fmt::Display) -> Error {
        let got = format!("{:?}", shortened(self.text));
        Error::format(format!("line {}", self.number), expected, got)
    }

    /// `N` finite numbers after the first word.
    fn numbers<const N: usize>(self) -> Result<[f64; N]> {
        let mut numbers = self.words().skip(1).map(str::parse::<f64>);
        let mut result = [0.0; N];
        for slot in &mut result {
            *slot = match numbers.next() {
                Some(Ok(number)) if number.is_finite() => number,
                _ => return Err(self.wrong(format!("{N} numbers"))),
            };
        }
        Ok(result)
    }

    fn dofs(self) -> Result<Vec<Dof>> {
        let dofs = self.words().skip(1).map(Dof::parse);
        let dofs: Option<Vec<Dof>> = dofs.collect();
        let dofs = dofs.ok_or_else(|| self.wrong("some of tx ty tz rx ry rz l"))?;
        if (1..dofs.len()).any(|at| dofs[..at].contains(&dofs[at])) {
            return Err(self.wrong("each degree of freedom once"));
        }
        Ok(dofs)
    }

    /// The word at a place as an order of axes.
    fn order(self, at: usize) -> Result<[usize; 3]> {
        let word = self
            .words()
            .nth(at)
            .unwrap_or_default()
            .to_ascii_uppercase();
        let axes: Vec<usize> = word.chars().filter_map(|c| "XYZ".find(c)).collect();
        match axes[..] {
            [a, b, c] if word.len() == 3 && a != b && b != c && a != c => Ok([a, b, c]),
            _ => Err(self.wrong("an order of axes, such as XYZ")),
        }
    }
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Skeleton> {
    let mut skeleton = Skeleton {
        name: String::new(),
        length: 1.0,
        in_degrees: true,
        root: Root {
            order: Vec::new(),
            axis: [0, 1, 2],
            position: [0.0; 3],
            orientation: [0.0; 3],
        },
        bones: Vec::new(),
        parents: Vec::new(),
    };
    let mut links: Vec<(Line<'_>, &str, Vec<&str>)> = Vec::new();
    let mut section = String::new();
    let mut bone: Option<Bone> = None;
    let mut in_limits = false;
    for (number, text) in (1..).zip(text.lines()) {
        let line = Line {
            number,
            text: text.trim(),
        };
        if line.text.is_empty() || line.text.starts_with('#') {
            continue;
        }
        let key = line.words().next().unwrap_or_default().to_ascii_lowercase();
        if let Some(name) = key.strip_prefix(':') {
            if let Some(open) = &bone {
                return Err(line.wrong(format!("'end' of bone '{}'", open.name)));
            }
            section = name.to_owned();
            if section == "name" {
                skeleton.name = line.words().nth(1).unwrap_or_default().to_owned();
            }
            continue;
        }
        match section.as_str() {
            "" => return Err(line.wrong("a section, such as ':version'")),
            "units" => read_unit(&mut skeleton, line, &key)?,
            "root" => read_root(&mut skeleton.root, line, &key)?,
            "bonedata" => match (&mut bone, key.as_str()) {
                (None, "begin") => bone = Some(no_bone(number)),
                (None, _) => return Err(line.wrong("'begin'")),
                (Some(_), "end") => {
                    in_limits = false;
                    if let Some(bone) = bone.take() {
                        skeleton.bones.push(checked(bone, line)?);
                    }
                }
                (Some(bone), key) => {
                    in_limits = key == "limits" || (in_limits && line.text.starts_with('('));
                    if in_limits {
                        read_limits(bone, line, usize::from(key == "limits"))?;
                    } else {
                        read_bone(bone, line, key)?;
                    }
                }
            },
            "hierarchy" if key != "begin" && key != "end" => {
                let mut words = line.words();
                let parent = words.next().unwrap_or_default();
                links.push((line, parent, words.collect()));
            }
            _ => {}
        }
    }
    if let Some(bone) = bone {
        let got = "the end of the file";
        return Err(Error::format(format!("bone '{}'", bone.name), "'end'", got));
    }
    if skeleton.root.order.is_empty() {
        return Err(Error::format(
            ":root",
            "'order' and the root's degrees of freedom",
            "none",
        ));
    }
    skeleton.parents = parents(&skeleton.bones, &links)?;
    Ok(skeleton)
}

fn read_unit(skeleton: &mut Skeleton, line: Line<'_>, key: &str) -> Result<()> {
    match key {
        "length" => {
            let [length] = line.numbers()?;
            if length <= 0.0 {
                return Err(line.wrong("a length greater than 0"));
            }
            skeleton.length = length;
        }
        "angle" => {
            let word = line.words().nth(1).unwrap_or_default().to_ascii_lowercase();
            skeleton.in_degrees = match word.as_str() {
                "deg" | "degrees" => true,
                "rad" | "radians" => false,
                _ => return Err(line.wrong("'deg' or 'rad'")),
            };
        }
        _ => {}
    }
    Ok(())
}

fn read_root(root: &mut Root, line: Line<'_>, key: &str) -> Result<()> {
    match key {
        "order" => root.order = line.dofs()?,
        "axis" => root.axis = line.order(1)?,
        "position" => root.position = line.numbers()?,
        "orientation" => root.orientation = line.numbers()?,
        _ => {}
    }
    Ok(())
}

fn no_bone(line: usize) -> Bone {
    Bone {
        name: String::new(),
        direction: [0.0; 3],
        length: f64::NAN,
        axis: [0.0; 3],
        order: [0, 1, 2],
        dof: Vec::new(),
        limits: Vec::new(),
        has_mass: false,
        line,
    }
}

fn read_bone(bone: &mut Bone, line: Line<'_>, key: &str) -> Result<()> {
    match key {
        "name" => bone.name = line.words().nth(1).unwrap_or_default().to_owned(),
        "direction" => bone.direction = line.numbers()?,
        "length" => [bone.length] = line.numbers()?,
        "axis" => {
            bone.axis = line.numbers()?;
            bone.order = line.order(4)?;
        }
        "dof" => bone.dof = line.dofs()?,
        "bodymass" | "cofmass" => bone.has_mass = true,
        "id" => {}
        _ => return Err(line.wrong("id, name, direction, length, axis, dof, limits or end")),
    }
    Ok(())
}

/// Pairs of numbers; either may be infinite.
fn read_limits(bone: &mut Bone, line: Line<'_>, skipped: usize) -> Result<()> {
    let numbers = line.words().skip(skipped).map(str::parse::<f64>);
    let numbers: std::result::Result<Vec<f64>, _> = numbers.collect();
    let numbers = numbers.unwrap_or_default();
    if numbers.is_empty() || numbers.len() % 2 != 0 || numbers.iter().any(|x| x.is_nan()) {
        return Err(line.wrong("limits such as (-10 20)"));
    }
    for pair in numbers.chunks_exact(2) {
        if pair[0] > pair[1] {
            return Err(line.wrong("a lower limit, then an upper one"));
        }
        bone.limits.push([pair[0], pair[1]]);
    }
    if bone.limits.len() > bone.dof.len() {
        let count = bone.dof.len();
        return Err(line.wrong(format!("limits of {count} degrees of freedom")));
    }
    Ok(())
}

fn checked(bone: Bone, end: Line<'_>) -> Result<Bone> {
    if bone.name.is_empty() {
        return Err(end.wrong(format!(
            "the name of the bone that begins at line {}",
            bone.line
        )));
    }
    if bone.name.eq_ignore_ascii_case("root") {
        return Err(end.wrong("a bone that is not called root"));
    }
    if bone.length.is_nan() {
        return Err(end.wrong(format!("the length of bone '{}'", bone.name)));
    }
    Ok(bone)
}

fn parents(bones: &[Bone], links: &[(Line<'_>, &str, Vec<&str>)]) -> Result<Vec<Option<usize>>> {
    let mut by_name = HashMap::new();
    for (at, bone) in bones.iter().enumerate() {
        if by_name.insert(bone.name.as_str(), at).is_some() {
            let place = format!("line {}", bone.line);
            let got = format!("a second bone '{}'", shortened(&bone.name));
            return Err(Error::format(place, "bones of different names", got));
        }
    }
    let mut parents: Vec<Option<Option<usize>>> = vec![None; bones.len()];
    for (line, parent, children) in links {
        let parent = match by_name.get(parent) {
            Some(&parent) => Some(parent),
            None if parent.eq_ignore_ascii_case("root") => None,
            None => return Err(line.wrong("a bone of :bonedata, or root")),
        };
        for child in children {
            let at = *by_name.get(child).ok_or_else(|| {
                line.wrong(format!("bones of :bonedata, not '{}'", shortened(child)))
            })?;
            if parents[at].replace(parent).is_some() {
                return Err(line.wrong(format!("one parent of '{}'", shortened(child))));
            }
        }
    }
    let found = parents.iter().zip(bones).map(|(parent, bone)| {
        parent.ok_or_else(|| {
            let got = format!("none for '{}'", shortened(&bone.name));
            Error::format(":hierarchy", "a parent of each bone", got)
        })
    });
    found.collect()
}

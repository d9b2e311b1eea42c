//! What `<compiler>` says about the rest of the file.

use nalgebra::Vector3;

use super::files::Files;
use crate::error::Result;
use crate::io::xml::Element;

/// Where masses come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InertiaFrom {
    /// `<inertial>`, and the geoms of bodies that have none.
    Auto,
    /// The geoms of all bodies.
    Geoms,
    /// `<inertial>` only.
    Inertial,
}

/// The options that bear on what is read.
pub(super) struct Compiler {
    in_degrees: bool,
    /// The axes of the three angles, and whether each is about axes that have turned with those before.
    pub euler: [(Vector3<f64>, bool); 3],
    pub autolimits: bool,
    /// The folder of meshes, empty where they lie beside the model.
    pub mesh_folder: String,
    pub strip_path: bool,
    pub inertia_from: InertiaFrom,
    /// First and last group of the geoms that have a mass.
    pub inertia_groups: [f64; 2],
    pub bound_mass: f64,
    pub bound_inertia: f64,
    pub balance_inertia: bool,
    pub total_mass: Option<f64>,
    /// Whether floating bodies are turned into their principal axes, which is not done.
    pub align_free: bool,
}

impl Compiler {
    /// Reads all `<compiler>` elements, the later ones over the earlier.
    pub fn read(files: &Files<'_>) -> Result<Self> {
        let mut compiler = Self {
            in_degrees: true,
            euler: [Vector3::x(), Vector3::y(), Vector3::z()].map(|axis| (axis, true)),
            autolimits: true,
            mesh_folder: String::new(),
            strip_path: false,
            inertia_from: InertiaFrom::Auto,
            inertia_groups: [0.0, 5.0],
            bound_mass: 0.0,
            bound_inertia: 0.0,
            balance_inertia: false,
            total_mass: None,
            align_free: false,
        };
        for element in files.sections("compiler") {
            compiler.add(&element)?;
        }
        Ok(compiler)
    }

    fn add(&mut self, element: &Element<'_, '_>) -> Result<()> {
        match element.attribute("angle") {
            None => {}
            Some("degree") => self.in_degrees = true,
            Some("radian") => self.in_degrees = false,
            Some(other) => return Err(element.wrong("an angle of degree or radian", other)),
        }
        if let Some(other) = element.attribute("coordinate").filter(|&it| it != "local") {
            let expected = "local coordinates, as MuJoCo has asked for since version 2.3.4";
            return Err(element.wrong(expected, format!("coordinate={other:?}")));
        }
        if let Some(sequence) = element.attribute("eulerseq") {
            self.euler = sequence_of(sequence).ok_or_else(|| {
                element.wrong(
                    "three letters of xyzXYZ in 'eulerseq'",
                    format!("{sequence:?}"),
                )
            })?;
        }
        match element.attribute("inertiafromgeom") {
            None => {}
            Some("auto") => self.inertia_from = InertiaFrom::Auto,
            Some("true") => self.inertia_from = InertiaFrom::Geoms,
            Some("false") => self.inertia_from = InertiaFrom::Inertial,
            Some(other) => {
                let expected = "true, false or auto in 'inertiafromgeom'";
                return Err(element.wrong(expected, format!("{other:?}")));
            }
        }
        for (name, value) in [
            ("autolimits", &mut self.autolimits),
            ("strippath", &mut self.strip_path),
            ("balanceinertia", &mut self.balance_inertia),
            ("alignfree", &mut self.align_free),
        ] {
            *value = flag(element, name)?.unwrap_or(*value);
        }
        for (name, value) in [
            ("boundmass", &mut self.bound_mass),
            ("boundinertia", &mut self.bound_inertia),
        ] {
            *value = element.number(name)?.unwrap_or(*value);
        }
        if let Some(total) = element.number("settotalmass")? {
            self.total_mass = Some(total).filter(|&total| total > 0.0);
        }
        self.inertia_groups = element
            .numbers("inertiagrouprange")?
            .unwrap_or(self.inertia_groups);
        let folder = element.attribute("meshdir");
        if let Some(folder) = folder.or_else(|| element.attribute("assetdir")) {
            folder
                .trim_end_matches('/')
                .clone_into(&mut self.mesh_folder);
        }
        Ok(())
    }

    /// An angle of the file in radians.
    pub fn radians(&self, angle: f64) -> f64 {
        if self.in_degrees {
            angle.to_radians()
        } else {
            angle
        }
    }

    /// The path of a mesh file, relative to the model.
    pub fn mesh_path(&self, file: &str) -> String {
        let file = match file.rsplit_once(['/', '\\']) {
            Some((_, name)) if self.strip_path => name,
            _ => file,
        };
        if self.mesh_folder.is_empty() || file.starts_with('/') {
            file.to_owned()
        } else {
            format!("{}/{file}", self.mesh_folder)
        }
    }
}

fn sequence_of(text: &str) -> Option<[(Vector3<f64>, bool); 3]> {
    let axes: Option<Vec<_>> = text
        .chars()
        .map(|letter| match letter.to_ascii_lowercase() {
            'x' => Some((Vector3::x(), letter.is_lowercase())),
            'y' => Some((Vector3::y(), letter.is_lowercase())),
            'z' => Some((Vector3::z(), letter.is_lowercase())),
            _ => None,
        })
        .collect();
    axes?.try_into().ok()
}

/// `true` or `false`.
pub(super) fn flag(element: &Element<'_, '_>, name: &str) -> Result<Option<bool>> {
    match element.attribute(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => {
            Err(element.wrong(format!("true or false in '{name}'"), format!("{other:?}")))
        }
    }
}

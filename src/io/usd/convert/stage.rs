//! The stage: its unit, its up axis, its clock, and where each prim is in the world.

use nalgebra::{Matrix3, Matrix4, Rotation3, Unit as Direction, UnitQuaternion, Vector3};

use super::super::layer::Layer;
use super::super::value::{Budget, Value};
use super::attribute::{Track, matrix, texts};
use super::notes::Notes;
use crate::character::Unit;
use crate::error::{Error, Result};
use crate::io::{LoadOptions, Up};

/// What the whole scene shares.
pub(super) struct Stage<'a> {
    pub layer: &'a Layer,
    /// Prims of the scene, parents first.
    pub scene: Vec<usize>,
    /// World transforms at rest, of prims of the scene.
    pub worlds: Vec<Option<Matrix4<f64>>>,
    /// Whether a prim or one above it has a transform over time.
    pub moves: Vec<bool>,
    /// From the file's unit to `unit`.
    pub factor: f64,
    pub unit: Unit,
    pub up: Up,
    /// Time codes a second.
    pub codes_per_second: f64,
    /// Frames a second.
    pub fps: f64,
    /// First and last time code, where the file says both.
    pub range: Option<(f64, f64)>,
    pub budget: Budget,
    pub notes: Notes,
}

/// A prim's transform to its parent, or to the world where it says so.
pub(super) struct Transform {
    ops: Vec<Op>,
    /// Whether what is above has no effect.
    pub is_reset: bool,
}

enum Op {
    Fixed(Matrix4<f64>),
    Moving {
        track: Track,
        kind: Kind,
        is_inverse: bool,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Translate,
    Scale,
    Orient,
    Transform,
    /// The axes in the order in which they turn.
    Rotate(&'static [usize]),
    TranslateOn(usize),
    ScaleOn(usize),
}

impl Kind {
    fn of(name: &str) -> Option<(Self, usize)> {
        Some(match name {
            "translate" => (Self::Translate, 3),
            "scale" => (Self::Scale, 3),
            "orient" => (Self::Orient, 4),
            "transform" => (Self::Transform, 16),
            "rotateX" => (Self::Rotate(&[0]), 1),
            "rotateY" => (Self::Rotate(&[1]), 1),
            "rotateZ" => (Self::Rotate(&[2]), 1),
            "rotateXYZ" => (Self::Rotate(&[0, 1, 2]), 3),
            "rotateXZY" => (Self::Rotate(&[0, 2, 1]), 3),
            "rotateYXZ" => (Self::Rotate(&[1, 0, 2]), 3),
            "rotateYZX" => (Self::Rotate(&[1, 2, 0]), 3),
            "rotateZXY" => (Self::Rotate(&[2, 0, 1]), 3),
            "rotateZYX" => (Self::Rotate(&[2, 1, 0]), 3),
            "translateX" => (Self::TranslateOn(0), 1),
            "translateY" => (Self::TranslateOn(1), 1),
            "translateZ" => (Self::TranslateOn(2), 1),
            "scaleX" => (Self::ScaleOn(0), 1),
            "scaleY" => (Self::ScaleOn(1), 1),
            "scaleZ" => (Self::ScaleOn(2), 1),
            _ => return None,
        })
    }

    /// The matrix of a value, which has as many numbers as the kind asks for.
    fn matrix(self, value: &[f64]) -> Matrix4<f64> {
        let vector = || Vector3::from_iterator(value.iter().copied().chain([0.0; 3]).take(3));
        let on = |axis: usize, rest: f64| {
            let mut along = Vector3::repeat(rest);
            along[axis] = value.first().copied().unwrap_or(rest);
            along
        };
        match self {
            Self::Translate => Matrix4::new_translation(&vector()),
            Self::TranslateOn(axis) => Matrix4::new_translation(&on(axis, 0.0)),
            Self::Scale => Matrix4::new_nonuniform_scaling(&vector()),
            Self::ScaleOn(axis) => Matrix4::new_nonuniform_scaling(&on(axis, 1.0)),
            Self::Orient => rotation(value).to_homogeneous(),
            Self::Transform => matrix(value).unwrap_or_else(Matrix4::identity),
            Self::Rotate(axes) => {
                let mut turn = Matrix3::identity();
                for &axis in axes {
                    let degrees = value.get(if axes.len() == 1 { 0 } else { axis });
                    let direction = Direction::new_unchecked(Vector3::ith(axis, 1.0));
                    let angle = degrees.copied().unwrap_or(0.0).to_radians();
                    turn = Rotation3::from_axis_angle(&direction, angle).matrix() * turn;
                }
                turn.to_homogeneous()
            }
        }
    }
}

/// A rotation from `x y z w` of any length.
pub(super) fn rotation(value: &[f64]) -> UnitQuaternion<f64> {
    let at = |at: usize| value.get(at).copied().unwrap_or(0.0);
    let quaternion = nalgebra::Quaternion::new(at(3), at(0), at(1), at(2));
    UnitQuaternion::try_new(quaternion, 1e-12).unwrap_or_else(UnitQuaternion::identity)
}

impl Transform {
    pub fn of(layer: &Layer, prim: usize) -> Result<Self> {
        const RESET: &str = "!resetXformStack!";
        let mut transform = Self {
            ops: Vec::new(),
            is_reset: false,
        };
        let location = || format!("{}.xformOpOrder", layer.path(prim));
        let order = texts(layer, prim, "xformOpOrder")?.unwrap_or_default();
        for (at, token) in order.iter().enumerate() {
            if &**token == RESET {
                if at > 0 {
                    return Err(Error::format(
                        location(),
                        format!("'{RESET}' as the first entry, if at all"),
                        format!("entry {at}"),
                    ));
                }
                transform.is_reset = true;
                continue;
            }
            let (name, is_inverse) = match token.strip_prefix("!invert!") {
                Some(name) => (name, true),
                None => (&**token, false),
            };
            let kind = name
                .strip_prefix("xformOp:")
                .and_then(|kind| Kind::of(kind.split(':').next().unwrap_or(kind)));
            let Some((kind, width)) = kind else {
                return Err(Error::format(
                    location(),
                    "names of transform operations, such as 'xformOp:translate'",
                    format!("'{}'", crate::io::source::shortened(token)),
                ));
            };
            if !layer.prims[prim].properties.contains_key(name) {
                return Err(Error::format(
                    location(),
                    "names of the prim's own attributes",
                    format!(
                        "'{}', which is not there",
                        crate::io::source::shortened(name)
                    ),
                ));
            }
            let is_quaternion = matches!(kind, Kind::Orient);
            let Some(track) = Track::of(layer, prim, name, width, is_quaternion)? else {
                continue;
            };
            track.check(|| format!("{}.{name}", layer.path(prim)), width)?;
            let op = Op::Moving {
                track,
                kind,
                is_inverse,
            };
            let is_moving = matches!(&op, Op::Moving { track, .. } if track.is_animated);
            let op = if is_moving { op } else { Op::Fixed(op.at(0.0)) };
            if op.at(f64::NEG_INFINITY).iter().any(|x| !x.is_finite()) {
                return Err(Error::format(
                    location(),
                    "operations that can be inverted where they are",
                    format!("'{}'", crate::io::source::shortened(token)),
                ));
            }
            transform.ops.push(op);
        }
        Ok(transform)
    }

    /// The matrix at a time code.
    pub fn at(&self, time: f64) -> Matrix4<f64> {
        self.ops
            .iter()
            .fold(Matrix4::identity(), |product, op| product * op.at(time))
    }

    pub fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.ops.iter().filter_map(|op| match op {
            Op::Moving { track, .. } => Some(track),
            Op::Fixed(_) => None,
        })
    }
}

impl Op {
    fn at(&self, time: f64) -> Matrix4<f64> {
        match self {
            Self::Fixed(matrix) => *matrix,
            Self::Moving {
                track,
                kind,
                is_inverse,
            } => {
                let matrix = kind.matrix(&track.at(time));
                if *is_inverse {
                    matrix
                        .try_inverse()
                        .unwrap_or_else(|| Matrix4::repeat(f64::NAN))
                } else {
                    matrix
                }
            }
        }
    }
}

impl<'a> Stage<'a> {
    pub fn new(layer: &'a Layer, file_size: usize, options: &LoadOptions) -> Result<Self> {
        let number = |name: &str| layer.metadata.get(name).and_then(Value::number);
        let positive = |name: &str| match number(name) {
            Some(x) if !(x > 0.0 && x.is_finite()) => {
                Err(Error::format(name, "a positive number", x))
            }
            other => Ok(other),
        };
        let meters = positive("metersPerUnit")?;
        let (unit, factor) = match (meters, options.file_unit) {
            (None, own) => (own.unwrap_or(Unit::Centimeter), 1.0),
            (Some(meters), _) => {
                let known = [Unit::Meter, Unit::Centimeter, Unit::Millimeter]
                    .into_iter()
                    .find(|unit| (meters * unit.per_meter() - 1.0).abs() < 1e-6);
                known.map_or((Unit::Meter, meters), |unit| (unit, 1.0))
            }
        };
        let up = match layer.metadata.get("upAxis").and_then(Value::as_text) {
            None | Some("Y") => Up::Y,
            Some("Z") => Up::Z,
            Some("X") => Up::X,
            Some(other) => {
                let shown = crate::io::source::shortened(other);
                return Err(Error::format(
                    "upAxis",
                    "'X', 'Y' or 'Z'",
                    format!("'{shown}'"),
                ));
            }
        };
        let frames = positive("framesPerSecond")?;
        let codes_per_second = positive("timeCodesPerSecond")?.or(frames).unwrap_or(24.0);
        let range = number("startTimeCode").zip(number("endTimeCode"));
        let mut stage = Self {
            layer,
            scene: layer.scene(),
            worlds: vec![None; layer.prims.len()],
            moves: vec![false; layer.prims.len()],
            factor,
            unit,
            up,
            codes_per_second,
            fps: frames.unwrap_or(codes_per_second),
            range: range.filter(|(start, end)| start <= end && (end - start).is_finite()),
            budget: Budget::new(file_size),
            notes: Notes::default(),
        };
        stage.place()?;
        Ok(stage)
    }

    /// World transforms at rest: the values that do not depend on time, else the first ones.
    fn place(&mut self) -> Result<()> {
        let layer = self.layer;
        for &prim in &self.scene {
            let transform = Transform::of(layer, prim)?;
            let parent = layer.prims[prim].parent.filter(|_| !transform.is_reset);
            let above = parent.and_then(|parent| self.worlds[parent]);
            let above = above.unwrap_or_else(|| Matrix4::new_scaling(self.factor));
            let world = above * transform.at(f64::NEG_INFINITY);
            if !world.iter().all(|x| x.is_finite()) {
                return Err(Error::format(
                    layer.path(prim),
                    "a finite transform to the world",
                    "one whose numbers are too large",
                ));
            }
            self.worlds[prim] = Some(world);
            self.moves[prim] = transform.tracks().next().is_some()
                || parent.is_some_and(|parent| self.moves[parent]);
        }
        Ok(())
    }

    /// The world transform of a prim at rest.
    pub fn world(&self, prim: usize) -> Matrix4<f64> {
        self.worlds[prim].unwrap_or_else(Matrix4::identity)
    }

    /// The transforms from the world down to a prim, what does not move taken together.
    pub fn chain(&self, prim: usize) -> Result<Vec<Transform>> {
        let mut chain = Vec::new();
        let mut at = Some(prim);
        while let Some(prim) = at.filter(|&prim| self.moves[prim]) {
            let transform = Transform::of(self.layer, prim)?;
            at = self.layer.prims[prim]
                .parent
                .filter(|_| !transform.is_reset);
            chain.push(transform);
        }
        let above = at.map_or_else(
            || Matrix4::new_scaling(self.factor),
            |prim| self.world(prim),
        );
        chain.push(Transform {
            ops: vec![Op::Fixed(above)],
            is_reset: false,
        });
        chain.reverse();
        Ok(chain)
    }
}

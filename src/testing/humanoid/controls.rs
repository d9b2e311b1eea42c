//! What a user turns: named parameters, sets of them, and limits of what a body can do.

use super::bones::{Bones, Side};
use crate::character::{LimitKind, PARAMETERS_PER_JOINT, ParameterLimit, ParameterTransform};
use crate::error::Result;

const SUFFIXES: [&str; PARAMETERS_PER_JOINT] = ["tx", "ty", "tz", "rx", "ry", "rz", "sc"];

/// One parameter: name, the set it belongs to, range in degrees if it has limits, and what it drives.
struct Control {
    name: String,
    set: &'static str,
    degrees: Option<[f64; 2]>,
    /// Row of the transform and factor.
    drives: Vec<(usize, f64)>,
}

struct Controls<'a> {
    bones: &'a Bones,
    list: Vec<Control>,
}

impl Controls<'_> {
    fn add(
        &mut self,
        name: String,
        set: &'static str,
        degrees: Option<[f64; 2]>,
        drives: &[(String, f64)],
    ) {
        let row = |target: &str| {
            let (joint, suffix) = target.rsplit_once('.').unwrap_or((target, "rz"));
            let which = SUFFIXES
                .iter()
                .position(|s| *s == suffix)
                .unwrap_or_default();
            self.bones.index(joint) * PARAMETERS_PER_JOINT + which
        };
        let drives = drives
            .iter()
            .map(|(target, factor)| (row(target), *factor))
            .collect();
        self.list.push(Control {
            name,
            set,
            degrees,
            drives,
        });
    }

    fn trunk(&mut self) {
        for suffix in &SUFFIXES[..6] {
            self.add(
                format!("root_{suffix}"),
                "rigid",
                None,
                &[(format!("hips.{suffix}"), 1.0)],
            );
        }
        // One bend is shared by the chain.
        let spine = [("spine1", 0.3), ("spine2", 0.35), ("spine3", 0.35)];
        let neck = [("neck1", 0.35), ("neck2", 0.25), ("head", 0.4)];
        for (name, set, chain, ranges) in [
            (
                "spine",
                "spine",
                spine,
                [[-30.0, 90.0], [-45.0, 45.0], [-35.0, 35.0]],
            ),
            (
                "neck",
                "head",
                neck,
                [[-60.0, 50.0], [-80.0, 80.0], [-45.0, 45.0]],
            ),
        ] {
            for (axis, range) in ["rx", "ry", "rz"].into_iter().zip(ranges) {
                let drives = chain.map(|(joint, share)| (format!("{joint}.{axis}"), share));
                self.add(format!("{name}_{axis}"), set, Some(range), &drives);
            }
        }
        self.add(
            "jaw_rx".into(),
            "head",
            Some([0.0, 28.0]),
            &[("jaw.rx".into(), 1.0)],
        );
        for (axis, range) in [("rx", [-35.0, 35.0]), ("ry", [-40.0, 40.0])] {
            let drives = ["l_eye", "r_eye"].map(|eye| (format!("{eye}.{axis}"), 1.0));
            self.add(format!("eyes_{axis}"), "head", Some(range), &drives);
        }
    }

    /// Rotations about x and y run the other way on the right, so that equal values mirror.
    fn limbs(&mut self, side: Side) {
        let own = |name: &str| format!("{}{name}", side.prefix());
        let mut add = |name: &str, set, range, drives: &[(&str, f64)]| {
            let drives: Vec<_> = drives
                .iter()
                .map(|&(target, factor)| {
                    let mirrored = target.ends_with("rx") || target.ends_with("ry");
                    (own(target), if mirrored { side.0 * factor } else { factor })
                })
                .collect();
            self.add(own(name), set, Some(range), &drives);
        };
        add(
            "clavicle_ry",
            "arms",
            [-10.0, 35.0],
            &[("clavicle.ry", -1.0)],
        );
        add(
            "clavicle_rz",
            "arms",
            [-20.0, 25.0],
            &[("clavicle.rz", 1.0)],
        );
        add(
            "shoulder_rx",
            "arms",
            [-80.0, 90.0],
            &[("shoulder.rx", 0.5), ("upper_arm_twist.rx", 0.5)],
        );
        add(
            "shoulder_ry",
            "arms",
            [-55.0, 130.0],
            &[("shoulder.ry", 1.0)],
        );
        add(
            "shoulder_rz",
            "arms",
            [-60.0, 130.0],
            &[("shoulder.rz", 1.0)],
        );
        add("elbow_rz", "arms", [0.0, 150.0], &[("elbow.rz", 1.0)]);
        add(
            "forearm_rx",
            "arms",
            [-85.0, 85.0],
            &[("forearm_twist.rx", 0.6), ("wrist.rx", 0.4)],
        );
        add("wrist_ry", "arms", [-25.0, 35.0], &[("wrist.ry", 1.0)]);
        add("wrist_rz", "arms", [-70.0, 80.0], &[("wrist.rz", 1.0)]);
        for finger in ["pinky", "ring", "middle", "index", "thumb"] {
            let shares = if finger == "thumb" {
                [0.35, 0.65, 0.8]
            } else {
                [0.9, 1.1, 0.75]
            };
            let joints = [1, 2, 3].map(|number| format!("{finger}{number}.rz"));
            let drives: Vec<(&str, f64)> = joints.iter().map(String::as_str).zip(shares).collect();
            add(&format!("{finger}_curl"), "fingers", [-10.0, 95.0], &drives);
        }
        let spread = [
            ("pinky1.ry", 1.0),
            ("ring1.ry", 0.4),
            ("middle1.ry", -0.1),
            ("index1.ry", -0.7),
        ];
        add("fingers_spread", "fingers", [-8.0, 22.0], &spread);
        add("thumb_ry", "fingers", [-30.0, 40.0], &[("thumb1.ry", 1.0)]);
        add(
            "hip_rx",
            "legs",
            [-45.0, 45.0],
            &[("hip.rx", 0.5), ("thigh_twist.rx", 0.5)],
        );
        add("hip_ry", "legs", [-30.0, 60.0], &[("hip.ry", 1.0)]);
        add("hip_rz", "legs", [-30.0, 125.0], &[("hip.rz", 1.0)]);
        add("knee_rz", "legs", [0.0, 150.0], &[("knee.rz", 1.0)]);
        add("ankle_ry", "legs", [-25.0, 25.0], &[("ankle.ry", 1.0)]);
        add("ankle_rz", "legs", [-50.0, 30.0], &[("ankle.rz", 1.0)]);
        add("toes_rz", "legs", [-30.0, 60.0], &[("toes.rz", 1.0)]);
    }

    /// A part grows at its first joint and what hangs on its end keeps its size.
    fn scales(&mut self) {
        let both = |grow: &str, keep: Option<&str>| {
            let mut drives = Vec::new();
            for side in Side::BOTH {
                drives.push((format!("{}{grow}.sc", side.prefix()), 1.0));
                drives.extend(keep.map(|joint| (format!("{}{joint}.sc", side.prefix()), -1.0)));
            }
            drives
        };
        let parts = [
            ("scale_global", vec![("hips.sc".into(), 1.0)]),
            ("scale_head", vec![("head.sc".into(), 1.0)]),
            ("scale_arms", both("shoulder", Some("wrist"))),
            ("scale_hands", both("wrist", None)),
            ("scale_legs", both("hip", Some("ankle"))),
            ("scale_feet", both("ankle", None)),
        ];
        for (name, drives) in parts {
            self.add(name.into(), "scaling", None, &drives);
        }
    }
}

fn controls(bones: &Bones) -> Vec<Control> {
    let mut controls = Controls {
        bones,
        list: Vec::new(),
    };
    controls.trunk();
    for side in Side::BOTH {
        controls.limbs(side);
    }
    controls.scales();
    controls.list
}

/// Root, trunk, limbs and sizes; with the sets `rigid spine head arms fingers legs scaling`.
pub(super) fn parameter_transform(bones: &Bones) -> Result<ParameterTransform> {
    let controls = controls(bones);
    let names = controls
        .iter()
        .map(|control| control.name.clone())
        .collect();
    let entries = controls.iter().enumerate().flat_map(|(column, control)| {
        control
            .drives
            .iter()
            .map(move |&(row, factor)| (row, column, factor))
    });
    let mut transform = ParameterTransform::new(names, bones.bones.len(), entries)?;
    for set in [
        "rigid", "spine", "head", "arms", "fingers", "legs", "scaling",
    ] {
        let mask = controls.iter().map(|control| control.set == set).collect();
        transform = transform.with_parameter_set(set, mask)?;
    }
    Ok(transform)
}

/// Anatomical ranges of the parameters, ranges of the hinges themselves, and sizes within reason.
pub(super) fn limits(bones: &Bones, transform: &ParameterTransform) -> Vec<ParameterLimit> {
    let limit = |kind| ParameterLimit { kind, weight: 1.0 };
    let mut limits = Vec::new();
    for (parameter, control) in controls(bones).into_iter().enumerate() {
        let range = match (control.degrees, control.set) {
            (Some(degrees), _) => degrees.map(f64::to_radians),
            // log2: from 0.7 to 1.4 times the size.
            (None, "scaling") => [-0.5, 0.5],
            _ => continue,
        };
        limits.push(limit(LimitKind::MinMax { parameter, range }));
    }
    debug_assert!(limits.len() < transform.len());
    for side in Side::BOTH {
        for joint in ["elbow", "knee"] {
            limits.push(limit(LimitKind::MinMaxJoint {
                joint: bones.index(&format!("{}{joint}", side.prefix())),
                joint_parameter: 5,
                range: [0.0, 150.0].map(f64::to_radians),
            }));
        }
    }
    limits
}

//! A walk, from a handful of sines.

use std::f64::consts::TAU;

use crate::character::Character;

/// Frames of one cycle: about a second at 30 frames a second.
const CYCLE: f64 = 32.0;

/// Poses of a character with the humanoid's parameter names walking on the spot: `(n_frames,
/// n_parameters)`, row-major. A cycle has 32 frames, and slow drifts keep later cycles from repeating it.
/// Parameters that do not exist in `character` are left out, and those it does not use stay 0.
#[must_use]
pub fn walk_cycle(character: &Character, n_frames: usize) -> Vec<f64> {
    let names = character.parameter_transform.names();
    let mut poses = vec![0.0; n_frames * names.len()];
    for (frame, pose) in poses.chunks_mut(names.len().max(1)).enumerate() {
        let mut set = |name: &str, value: f64| {
            if let Some(at) = names.iter().position(|known| known == name) {
                pose[at] = value;
            }
        };
        let phase = TAU * frame as f64 / CYCLE;
        let drift = (frame as f64 * 0.011).sin();
        let stride = 1.0 + 0.12 * drift;
        let tilt = -0.035 * phase.cos();
        let mut reach = f64::MIN;
        for (side, shift) in [("l", 0.0), ("r", 0.5 * TAU)] {
            let p = phase + shift;
            let hip = stride * (0.10 + 0.42 * p.sin());
            // The knee yields when the foot lands and folds when the leg swings forward.
            let knee = 0.12 + 0.95 * stride * bump(p + 0.2, 0.0) + 0.16 * bump(p, 0.42 * TAU);
            let toe_off = bump(p + 0.2, -0.2 * TAU);
            set(&format!("{side}_hip_rz"), hip);
            set(
                &format!("{side}_hip_ry"),
                0.02 + if side == "l" { -tilt } else { tilt },
            );
            set(&format!("{side}_knee_rz"), knee);
            let flat = (knee - hip).clamp(-0.5, 0.3);
            set(&format!("{side}_ankle_rz"), flat - 0.3 * toe_off);
            set(&format!("{side}_toes_rz"), 0.55 * toe_off);
            // Arms hang, and swing against the legs.
            let swing = stride * (p + 0.5 * TAU).sin();
            set(&format!("{side}_shoulder_ry"), -0.62);
            set(&format!("{side}_shoulder_rx"), 0.35);
            set(&format!("{side}_shoulder_rz"), 0.08 + 0.5 * swing);
            set(&format!("{side}_elbow_rz"), 0.45 + 0.25 * swing);
            set(&format!("{side}_clavicle_rz"), 0.06 * swing);
            set(&format!("{side}_fingers_spread"), 0.03);
            for (finger, curl) in [
                ("index", 0.35),
                ("middle", 0.42),
                ("ring", 0.47),
                ("pinky", 0.5),
            ] {
                set(&format!("{side}_{finger}_curl"), curl + 0.06 * swing);
            }
            set(&format!("{side}_thumb_curl"), 0.25);
            reach = reach.max(drop(character, side, hip, knee));
        }
        // The lower foot stays on the ground.
        set("root_ty", reach);
        set("root_tx", -0.018 * phase.cos() * character.unit.per_meter());
        set("root_ry", -0.10 * stride * phase.sin());
        set("root_rz", tilt);
        set("spine_rx", 0.06 + 0.02 * (2.0 * phase).cos());
        set("spine_ry", 0.22 * stride * phase.sin());
        set("spine_rz", -1.4 * tilt);
        set("neck_ry", -0.10 * phase.sin() + 0.25 * drift);
        set("neck_rx", -0.04);
    }
    poses
}

/// A smooth bump of height 1 around `center`, once in a turn.
fn bump(phase: f64, center: f64) -> f64 {
    (1.6 * ((phase - center).cos() - 1.0)).exp()
}

/// How much lower the ankle hangs with these angles than in the rest pose (negative: higher).
fn drop(character: &Character, side: &str, hip: f64, knee: f64) -> f64 {
    let length = |joint: &str| {
        let joints = character.skeleton.joints();
        let index = character.skeleton.joint_index(&format!("{side}_{joint}"));
        index.map_or(0.0, |at| {
            joints[at]
                .translation_offset
                .iter()
                .map(|x| x * x)
                .sum::<f64>()
                .sqrt()
        })
    };
    let (thigh, shank) = (length("thigh_twist") + length("knee"), length("ankle"));
    thigh * hip.cos() + shank * (hip - knee).cos() - thigh - shank
}

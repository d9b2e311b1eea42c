//! What becomes of each joint.

use nalgebra::Isometry3;

/// What becomes of one joint.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// It stays, under this index.
    Kept(usize),
    /// It goes, and another joint carries what it carried.
    Merged {
        /// The new index of that joint.
        into: usize,
        /// That joint from this one, at rest.
        frame: Isometry3<f64>,
    },
    /// It goes with what it carries. Only the skin stays, with another joint if there is one.
    Removed {
        /// The new index of that joint.
        skin: Option<usize>,
    },
}

/// What becomes of every joint of a skeleton, and which joints are new.
#[derive(Debug, Clone)]
pub(super) struct JointMap {
    /// One for each old joint.
    pub fates: Vec<Fate>,
    /// Joints that come from elsewhere: their index, and world from joint in the bind pose.
    pub added: Vec<(usize, Isometry3<f64>)>,
}

impl JointMap {
    /// The number of joints afterwards.
    pub fn n_joints(&self) -> usize {
        self.places().iter().flatten().count() + self.added.len()
    }

    /// Whether every joint stays where it is.
    pub fn is_in_place(&self) -> bool {
        let mut fates = self.fates.iter().enumerate();
        fates.all(|(joint, fate)| matches!(fate, Fate::Kept(place) if *place == joint))
    }

    /// Where each joint lands; `None` where it goes.
    pub fn places(&self) -> Vec<Option<usize>> {
        (0..self.fates.len())
            .map(|joint| self.place(joint))
            .collect()
    }

    /// Where a joint lands.
    pub fn place(&self, joint: usize) -> Option<usize> {
        match self.fates[joint] {
            Fate::Kept(place) => Some(place),
            Fate::Merged { .. } | Fate::Removed { .. } => None,
        }
    }

    /// The joint that carries what this one carried, and its frame from this one's.
    pub fn carrier(&self, joint: usize) -> Option<(usize, Isometry3<f64>)> {
        match self.fates[joint] {
            Fate::Kept(place) => Some((place, Isometry3::identity())),
            Fate::Merged { into, frame } => Some((into, frame)),
            Fate::Removed { .. } => None,
        }
    }

    /// The joint that carries the skin that this one carried.
    pub fn skin(&self, joint: usize) -> Option<usize> {
        match self.fates[joint] {
            Fate::Kept(place) => Some(place),
            Fate::Merged { into, .. } => Some(into),
            Fate::Removed { skin } => skin,
        }
    }
}

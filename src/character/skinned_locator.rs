//! Named points that move with the skin.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A named point that several joints carry by weight, as a vertex of the skin is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkinnedLocator {
    /// Its name.
    pub name: String,
    parents: Vec<u32>,
    skin_weights: Vec<f64>,
    /// Position in the world in the rest pose, in the character's unit.
    pub position: [f64; 3],
    /// How much it counts in fits.
    pub weight: f64,
    /// Its distance from the skin, in the character's unit; a marker has a thickness.
    pub skin_offset: f64,
}

impl SkinnedLocator {
    /// A point at `position` in the rest pose, carried by `parents`.
    ///
    /// # Errors
    /// [`Error::Character`] where there is not one finite weight for each parent.
    pub fn new(
        name: impl Into<String>,
        parents: Vec<u32>,
        skin_weights: Vec<f64>,
        position: [f64; 3],
    ) -> Result<Self> {
        let name = name.into();
        let wrong = |problem: String| {
            Err(Error::character(
                format!("skinned locator '{name}'"),
                problem,
            ))
        };
        if parents.len() != skin_weights.len() {
            return wrong(format!(
                "{} parents, but {} skin weights",
                parents.len(),
                skin_weights.len()
            ));
        }
        if let Some(at) = skin_weights.iter().position(|weight| !weight.is_finite()) {
            return wrong(format!("skin weight {at} is not finite"));
        }
        Ok(Self {
            name,
            parents,
            skin_weights,
            position,
            weight: 1.0,
            skin_offset: 0.0,
        })
    }

    /// The joints that carry it.
    #[must_use]
    pub fn parents(&self) -> &[u32] {
        &self.parents
    }

    /// How much each of them does, as given: they count relative to their sum.
    #[must_use]
    pub fn skin_weights(&self) -> &[f64] {
        &self.skin_weights
    }

    /// The joints that do carry it, with their weights.
    pub fn influences(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        let slots = self.parents.iter().zip(&self.skin_weights);
        slots
            .map(|(&joint, &weight)| (joint, weight))
            .filter(|(_, weight)| *weight != 0.0)
    }

    /// The same point carried by other joints; `None` where there are none.
    #[must_use]
    pub fn with_influences(&self, parents: Vec<u32>, skin_weights: Vec<f64>) -> Option<Self> {
        (!parents.is_empty() && parents.len() == skin_weights.len()).then(|| Self {
            parents,
            skin_weights,
            ..self.clone()
        })
    }

    /// Checks the parents that carry weight against a skeleton's joint count.
    ///
    /// # Errors
    /// [`Error::Character`] naming the locator and the joint index.
    pub fn check_joints(&self, n_joints: usize) -> Result<()> {
        match self
            .influences()
            .find(|&(joint, _)| joint as usize >= n_joints)
        {
            None => Ok(()),
            Some((joint, _)) => Err(Error::character(
                format!("skinned locator '{}'", self.name),
                format!("joint index {joint}, but the skeleton has {n_joints} joints"),
            )),
        }
    }

    /// Every length multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            position: self.position.map(|x| x * factor),
            skin_offset: self.skin_offset * factor,
            ..self.clone()
        }
    }
}

//! The verbs: what can be computed from a character.

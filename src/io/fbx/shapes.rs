//! Blend channels: shapes, their names, and how much of each a channel's weight asks for.

use crate::io::nodes::Names;

/// The last part of a name such as `blendShape1.smile`.
fn own_part(name: &str) -> &str {
    match name.rsplit_once(['.', ':']) {
        Some((_, own)) if !own.is_empty() => own,
        _ => name,
    }
}

/// The names of a channel's shapes: the channel's own for the one at its full weight, for those between
/// that of the shape.
pub(super) fn names(channel: &ufbx::BlendChannel, taken: &mut Names) -> Vec<String> {
    let own = own_part(&channel.element.name);
    let last = channel.keyframes.len().saturating_sub(1);
    let keys = channel.keyframes.iter().enumerate();
    keys.map(|(at, key)| {
        let shape = own_part(&key.shape.element.name);
        let wanted = if at == last && !own.is_empty() {
            own
        } else {
            shape
        };
        taken.fresh(if wanted.is_empty() { "shape" } else { wanted })
    })
    .collect()
}

/// How much of each shape a channel's weight asks for: between its neighbours, and from nothing at 0.
pub(super) fn coefficients(channel: &ufbx::BlendChannel, weight: f64) -> Vec<f64> {
    let keys: Vec<f64> = channel
        .keyframes
        .iter()
        .map(|key| key.target_weight)
        .collect();
    let mut result = vec![0.0; keys.len()];
    // Each side of zero by itself, going away from it; the last two shapes are extrapolated.
    let forward = weight > 0.0;
    let mut side: Vec<usize> = (0..keys.len())
        .filter(|&at| (keys[at] >= 0.0) == forward)
        .collect();
    if !forward {
        side.reverse();
    }
    let mut previous: Option<usize> = None;
    let mut next: Option<usize> = None;
    for at in side {
        (previous, next) = (next, Some(at));
        let beyond = if forward {
            keys[at] > weight
        } else {
            keys[at] < weight
        };
        if beyond {
            break;
        }
    }
    // A channel with shapes on one side of zero only is extrapolated beyond zero from the first of them.
    if next.is_none() && weight != 0.0 {
        next = if forward {
            keys.iter().rposition(|&key| key < 0.0)
        } else {
            keys.iter().position(|&key| key >= 0.0)
        };
    }
    let Some(next) = next else { return result };
    let start = previous.map_or(0.0, |at| keys[at]);
    let span = keys[next] - start;
    if span != 0.0 {
        let part = (weight - start) / span;
        result[next] = part;
        if let Some(previous) = previous {
            result[previous] = 1.0 - part;
        }
    }
    result
}

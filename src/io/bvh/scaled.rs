//! Numbers whose multiple is asked for.

/// The number that comes out as exactly `value` when a reader multiplies it by `factor`: a short decimal
/// where one does, as it stood in the file that the value came from; else the nearest there is.
pub(super) fn unscaled(value: f64, factor: f64) -> f64 {
    let exact = value / factor;
    let short = (exact * 1e6).round() / 1e6;
    let candidates = [short, exact, exact.next_up(), exact.next_down()];
    let found = candidates.into_iter().find(|x| x * factor == value);
    found.unwrap_or(exact)
}

//! Integers as differences: a common difference, two bits for each integer that say how its own is
//! stored, then those.

/// Decodes `count` integers of 32 or, where `is_wide`, 64 bits.
pub(super) fn decode(block: &[u8], count: usize, is_wide: bool) -> Option<Vec<i64>> {
    let width = if is_wide { 8 } else { 4 };
    let (common, rest) = block.split_at_checked(width)?;
    let (codes, mut rest) = rest.split_at_checked(count.div_ceil(4))?;
    let common = signed(common);
    let mut value = 0_i64;
    let mut values = Vec::with_capacity(count);
    for at in 0..count {
        let code = codes[at / 4] >> (2 * (at % 4)) & 3;
        let difference = if code == 0 {
            common
        } else {
            // A quarter, half or all of the width.
            let (bytes, after) = rest.split_at_checked(width >> (3 - code))?;
            rest = after;
            signed(bytes)
        };
        value = value.wrapping_add(difference);
        if !is_wide {
            value = i64::from(value as i32);
        }
        values.push(value);
    }
    Some(values)
}

/// A signed little-endian integer of up to eight bytes.
fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len() as u32;
    let unsigned = bytes
        .iter()
        .rev()
        .fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
    (unsigned << unused) as i64 >> unused
}

//! Names in files: the channels of joints, and what to say of a name that is not known.

use super::source::shortened;
use crate::character::PARAMETERS_PER_JOINT;

/// The parameters of a joint as files call them.
pub(in crate::io) const CHANNELS: [&str; PARAMETERS_PER_JOINT] =
    ["tx", "ty", "tz", "rx", "ry", "rz", "sc"];

/// The place of a channel among the parameters of its joint.
pub(in crate::io) fn channel(name: &str) -> Option<usize> {
    CHANNELS.iter().position(|known| *known == name)
}

/// How many characters of a name are compared, and how many names are looked through.
const LONGEST: usize = 40;
const MOST: usize = 10_000;

/// A name that is not among `known`, as an error message shows it: with those that are close to it.
pub(in crate::io) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let wanted = folded(name);
    let mut close: Vec<(usize, &str)> = known
        .take(MOST)
        .map(|known| (distance(&wanted, &folded(known)), known))
        .filter(|(distance, known)| 3 * distance <= known.chars().count().min(LONGEST) + 1)
        .collect();
    close.sort_by_key(|(distance, _)| *distance);
    let shown = format!("{:?}", shortened(name));
    match close.as_slice() {
        [] => shown,
        [(_, best)] => format!("{shown}; close to it: '{best}'"),
        [(_, best), (_, second), ..] => format!("{shown}; close to it: '{best}', '{second}'"),
    }
}

fn folded(name: &str) -> Vec<char> {
    name.chars()
        .take(LONGEST)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// How many letters have to be put in, taken out or changed.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            let changed = corner + usize::from(x != y);
            row[j + 1] = changed.min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The first few names of a list, for a message.
pub(in crate::io) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(SHOWN).map(|name| format!("'{name}'"));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_are_offered() {
        let known = ["spine0", "spine1", "l_wrist"];
        let shown = |name| unknown(name, known.into_iter());
        assert_eq!(shown("l_wirst"), "\"l_wirst\"; close to it: 'l_wrist'");
        assert_eq!(shown("Spine"), "\"Spine\"; close to it: 'spine0', 'spine1'");
        assert_eq!(shown("tail"), "\"tail\"");
    }
}

//! The first part of a file: joints, their offsets and channels.

use crate::error::{Error, Result};
use crate::io::Source;
use crate::io::text::{Word, Words};

/// One channel of a joint; axes are 0, 1, 2 for x, y, z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A translation along an axis.
    Position(usize),
    /// A rotation about an axis, degrees.
    Rotation(usize),
}

const CHANNELS: [(&str, Channel); 6] = [
    ("Xposition", Channel::Position(0)),
    ("Yposition", Channel::Position(1)),
    ("Zposition", Channel::Position(2)),
    ("Xrotation", Channel::Rotation(0)),
    ("Yrotation", Channel::Rotation(1)),
    ("Zrotation", Channel::Rotation(2)),
];

/// A `ROOT` or `JOINT`.
#[derive(Debug, Clone, PartialEq)]
pub struct HierarchyJoint {
    /// Its name.
    pub name: String,
    /// The joint around it; `None` for a root.
    pub parent: Option<usize>,
    /// Position in the parent's frame.
    pub offset: [f64; 3],
    /// What moves it, in the order of its numbers in each row.
    pub channels: Vec<Channel>,
}

/// The end of a bone without a joint after it.
#[derive(Debug, Clone, PartialEq)]
pub struct EndSite {
    /// The joint that carries it.
    pub parent: usize,
    /// Position in the joint's frame.
    pub offset: [f64; 3],
}

/// Joints in the order of the file, parents first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hierarchy {
    /// The joints.
    pub joints: Vec<HierarchyJoint>,
    /// The end sites.
    pub end_sites: Vec<EndSite>,
}

impl Hierarchy {
    /// Numbers in a row of motion.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.joints.iter().map(|joint| joint.channels.len()).sum()
    }
}

/// An open brace.
enum Block {
    Joint {
        at: usize,
        has_offset: bool,
        has_channels: bool,
    },
    End {
        offset: Option<[f64; 3]>,
    },
}

/// Reads up to `MOTION` or the end of the file; the words go on behind `MOTION`. Says whether it is there.
pub(super) fn read(words: &mut Words<'_>, source: &Source<'_>) -> Result<(Hierarchy, bool)> {
    words.expect("HIERARCHY")?;
    let mut hierarchy = Hierarchy::default();
    let mut open: Vec<Block> = Vec::new();
    loop {
        let (done, total) = Words::position(words);
        source.progress.at(done, total)?;
        let Some(block) = open.last_mut() else {
            let Some(word) = words.next() else {
                return finished(hierarchy, words, false);
            };
            match word.text.to_ascii_uppercase().as_str() {
                "ROOT" => open.push(begin(&mut hierarchy, words, word, None)?),
                "MOTION" => return finished(hierarchy, words, true),
                _ => return Err(word.wrong("ROOT or MOTION")),
            }
            continue;
        };
        let word = words.need("'}'")?;
        match (word.text.to_ascii_uppercase().as_str(), block) {
            ("OFFSET", Block::Joint { at, has_offset, .. }) if !*has_offset => {
                hierarchy.joints[*at].offset = offset(words)?;
                *has_offset = true;
            }
            ("OFFSET", Block::End { offset: own @ None }) => *own = Some(offset(words)?),
            ("OFFSET", _) => return Err(word.wrong("one OFFSET a joint")),
            (
                "CHANNELS",
                Block::Joint {
                    at, has_channels, ..
                },
            ) if !*has_channels => {
                hierarchy.joints[*at].channels = channels(words)?;
                *has_channels = true;
            }
            ("JOINT", Block::Joint { at, .. }) => {
                let parent = Some(*at);
                open.push(begin(&mut hierarchy, words, word, parent)?);
            }
            ("END", Block::Joint { .. }) => {
                // "Site", or a name that some programs write there.
                words.rest_of_line_before('{');
                words.expect("{")?;
                open.push(Block::End { offset: None });
            }
            ("}", Block::Joint { at, has_offset, .. }) => {
                if !*has_offset {
                    let name = &hierarchy.joints[*at].name;
                    return Err(word.wrong(format!("the OFFSET of joint '{name}'")));
                }
                open.pop();
            }
            ("}", Block::End { offset }) => {
                let offset = offset.ok_or_else(|| word.wrong("the OFFSET of an End Site"))?;
                open.pop();
                if let Some(Block::Joint { at, .. }) = open.last() {
                    hierarchy.end_sites.push(EndSite {
                        parent: *at,
                        offset,
                    });
                }
            }
            (_, Block::Joint { .. }) => {
                return Err(word.wrong("OFFSET, CHANNELS (once), JOINT, End Site or '}'"));
            }
            (_, Block::End { .. }) => return Err(word.wrong("OFFSET or '}'")),
        }
    }
}

fn finished(
    hierarchy: Hierarchy,
    words: &Words<'_>,
    has_motion: bool,
) -> Result<(Hierarchy, bool)> {
    if hierarchy.joints.is_empty() {
        let got = if has_motion {
            "MOTION"
        } else {
            "the end of the file"
        };
        return Err(Error::format(
            format!("line {}", words.line()),
            "a ROOT",
            got,
        ));
    }
    Ok((hierarchy, has_motion))
}

fn begin(
    hierarchy: &mut Hierarchy,
    words: &mut Words<'_>,
    keyword: Word<'_>,
    parent: Option<usize>,
) -> Result<Block> {
    let name = words.rest_of_line_before('{').to_owned();
    if name.is_empty() {
        return Err(keyword.wrong(format!("a name after {}", keyword.text)));
    }
    words.expect("{")?;
    hierarchy.joints.push(HierarchyJoint {
        name,
        parent,
        offset: [0.0; 3],
        channels: Vec::new(),
    });
    Ok(Block::Joint {
        at: hierarchy.joints.len() - 1,
        has_offset: false,
        has_channels: false,
    })
}

fn offset(words: &mut Words<'_>) -> Result<[f64; 3]> {
    let mut number = || words.number("three numbers after OFFSET");
    Ok([number()?, number()?, number()?])
}

fn channels(words: &mut Words<'_>) -> Result<Vec<Channel>> {
    let expected = "the number of channels, 0 to 6";
    let word = words.need(expected)?;
    let count: usize = word.text.parse().map_err(|_| word.wrong(expected))?;
    if count > CHANNELS.len() {
        return Err(word.wrong(expected));
    }
    let mut channels = Vec::with_capacity(count);
    for at in 0..count {
        let expected = format!("channel {} of {count}: Xposition ... Zrotation", at + 1);
        let word = words.need(&expected)?;
        let found = CHANNELS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word.text));
        let (name, channel) = found.ok_or_else(|| word.wrong(&expected))?;
        if channels.contains(channel) {
            return Err(word.wrong(format!("channels that differ, but {name} comes twice")));
        }
        channels.push(*channel);
    }
    Ok(channels)
}

//! The order of the links, and what each joint's value depends on.

use std::collections::HashMap;

use super::raw::{Joint, Kind, Robot};
use crate::error::Result;

/// A link, and the joint and link that carry it.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub link: usize,
    pub carrier: Option<(usize, usize)>,
}

/// Links in an order in which parents come before children.
pub(super) fn order(robot: &Robot<'_, '_>) -> Result<Vec<Placed>> {
    let links: HashMap<&str, usize> = robot
        .links
        .iter()
        .enumerate()
        .map(|(at, link)| (link.name.as_str(), at))
        .collect();
    let mut carried: Vec<Option<usize>> = vec![None; robot.links.len()];
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); robot.links.len()];
    let mut child_links = Vec::with_capacity(robot.joints.len());
    for (at, joint) in robot.joints.iter().enumerate() {
        let find = |tag: &str, name: &str| {
            links.get(name).copied().ok_or_else(|| {
                let expected = format!("a <{tag}> that is one of the {} links", links.len());
                joint.element.wrong(expected, format!("{name:?}"))
            })
        };
        let (parent, child) = (find("parent", &joint.parent)?, find("child", &joint.child)?);
        if let Some(other) = carried[child] {
            let other = &robot.joints[other].name;
            return Err(joint.element.wrong(
                format!(
                    "a child link that no other joint has; '{}' is the child of '{other}'",
                    joint.child
                ),
                format!("{:?}", joint.child),
            ));
        }
        carried[child] = Some(at);
        children[parent].push(at);
        child_links.push(child);
    }
    let roots: Vec<usize> = (0..robot.links.len())
        .filter(|&link| carried[link].is_none())
        .collect();
    let root = match roots[..] {
        [root] => root,
        [] => {
            return Err(robot.links[0].element.wrong(
                "one link that is no child of a joint",
                "none: the joints form a circle",
            ));
        }
        [_, second, ..] => {
            return Err(robot.links[second].element.wrong(
                "one link that is no child of a joint",
                format!("{} of them", roots.len()),
            ));
        }
    };
    let mut order = Vec::with_capacity(robot.links.len());
    let mut open = vec![Placed {
        link: root,
        carrier: None,
    }];
    while let Some(placed) = open.pop() {
        order.push(placed);
        let next = children[placed.link].iter().rev();
        open.extend(next.map(|&joint| Placed {
            link: child_links[joint],
            carrier: Some((joint, placed.link)),
        }));
    }
    if order.len() < robot.links.len() {
        let mut reached = vec![false; robot.links.len()];
        order.iter().for_each(|placed| reached[placed.link] = true);
        let lost = reached.iter().position(|&reached| !reached);
        let lost = &robot.links[lost.unwrap_or(root)].element;
        return Err(lost.wrong("links below the root", "links whose joints form a circle"));
    }
    Ok(order)
}

/// What the value of a joint is: `factor · value of a joint + offset`.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub master: usize,
    pub factor: f64,
    pub offset: f64,
}

/// The value of every joint in terms of one that mimics none.
pub(super) fn values(robot: &Robot<'_, '_>) -> Result<Vec<Value>> {
    let joints: HashMap<&str, usize> = robot
        .joints
        .iter()
        .enumerate()
        .map(|(at, joint)| (joint.name.as_str(), at))
        .collect();
    (0..robot.joints.len())
        .map(|at| follow(robot, &joints, at))
        .collect()
}

fn follow(robot: &Robot<'_, '_>, joints: &HashMap<&str, usize>, start: usize) -> Result<Value> {
    let mut value = Value {
        master: start,
        factor: 1.0,
        offset: 0.0,
    };
    for _ in 0..=robot.joints.len() {
        let joint = &robot.joints[value.master];
        let Some(mimic) = &joint.mimic else {
            return Ok(value);
        };
        value.offset += value.factor * mimic.offset;
        value.factor *= mimic.multiplier;
        let wrong = |got: String| {
            let expected = "a joint with one value that it can follow";
            Err(joint.element.wrong(expected, got))
        };
        match joints.get(mimic.joint.as_str()) {
            Some(&master) if has_one_value(&robot.joints[master]) => value.master = master,
            Some(_) => return wrong(format!("'{}', which has none or several", mimic.joint)),
            None => return wrong(format!("'{}', which is no joint", mimic.joint)),
        }
    }
    let start = &robot.joints[start].element;
    Err(start.wrong("a joint to mimic", "joints that mimic each other"))
}

fn has_one_value(joint: &Joint<'_, '_>) -> bool {
    matches!(
        joint.kind,
        Kind::Revolute | Kind::Continuous | Kind::Prismatic
    )
}

//! A model's file and those that it includes.

use roxmltree::Document;
use std::collections::HashMap;
use std::path::{Component, Path};

use crate::error::{Error, Result};
use crate::io::Source;
use crate::io::xml::{self, Element};

/// As many files as one model may include.
const MAX_FILES: usize = 256;

/// As large as an included file may be.
const MAX_BYTES: usize = 64 << 20;

/// The texts of a model: its own, and each included file's under its path.
pub(super) struct Texts {
    main: String,
    included: Vec<(String, String)>,
}

impl Texts {
    /// Reads the file and all that it includes, each of which it may do once, as MuJoCo asks.
    pub fn read(source: &Source<'_>) -> Result<Self> {
        let mut texts = Self {
            main: source.text().into_owned(),
            included: Vec::new(),
        };
        let document = xml::parse(&texts.main)?;
        let root = Element::root(&document);
        match root.tag() {
            "mujoco" => {}
            tag => return Err(root.wrong("a <mujoco>", format!("<{tag}>"))),
        }
        let mut open = Vec::new();
        includes(&root, &mut open)?;
        drop(document);
        while let Some((place, reference)) = open.pop() {
            let name = plain(&reference);
            if texts.included.iter().any(|(other, _)| *other == name) {
                return Err(Error::format(
                    place,
                    "a file that is included once",
                    format!("'{reference}' again"),
                ));
            }
            if texts.included.len() == MAX_FILES {
                return Err(Error::format(
                    place,
                    format!("at most {MAX_FILES} included files"),
                    "more",
                ));
            }
            let bytes = source.neighbour(&place, &reference, MAX_BYTES)?;
            let text = Source::from_bytes(&bytes).text().into_owned();
            let document = xml::parse(&text).map_err(|error| inside(error, &name))?;
            includes(&Element::root_of(&document, &name), &mut open)?;
            drop(document);
            texts.included.push((name, text));
        }
        Ok(texts)
    }
}

/// The error as one in an included file.
fn inside(error: Error, name: &str) -> Error {
    match error {
        Error::Format {
            location,
            expected,
            got,
            ..
        } => Error::format(format!("'{name}', {location}"), expected, got),
        other => other,
    }
}

/// All `<include>`s at any depth: where they stand and what they name.
fn includes(element: &Element<'_, '_>, found: &mut Vec<(String, String)>) -> Result<()> {
    for child in element.children() {
        if child.tag() == "include" {
            if found.len() > MAX_FILES {
                return Err(child.wrong(format!("at most {MAX_FILES} included files"), "more"));
            }
            found.push((child.place(), child.need("file")?.to_owned()));
        } else {
            includes(&child, found)?;
        }
    }
    Ok(())
}

/// A path without detours, so that one file has one name.
fn plain(path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// The elements of a model, wherever they are written.
pub(super) struct Files<'a> {
    main: Document<'a>,
    included: HashMap<&'a str, Document<'a>>,
}

impl<'a> Files<'a> {
    /// Parses the texts.
    pub fn parse(texts: &'a Texts) -> Result<Self> {
        let mut included = HashMap::new();
        for (name, text) in &texts.included {
            included.insert(name.as_str(), xml::parse(text)?);
        }
        Ok(Self {
            main: xml::parse(&texts.main)?,
            included,
        })
    }

    /// `<mujoco>`.
    pub fn root(&self) -> Element<'_, 'a> {
        Element::root(&self.main)
    }

    /// The elements inside one, with what is inside included files in the place of each `<include>`.
    pub fn children<'f>(&'f self, element: &Element<'f, 'a>) -> Vec<Element<'f, 'a>> {
        let mut children = Vec::new();
        self.add_children(element, &mut children);
        children
    }

    /// Goes as deep as files include each other, which each does once.
    fn add_children<'f>(&'f self, element: &Element<'f, 'a>, children: &mut Vec<Element<'f, 'a>>) {
        for child in element.children() {
            if child.tag() != "include" {
                children.push(child);
                continue;
            }
            let name = plain(child.attribute("file").unwrap_or_default());
            if let Some((name, document)) = self.included.get_key_value(name.as_str()) {
                self.add_children(&Element::root_of(document, name), children);
            }
        }
    }

    /// All elements of one name directly inside `<mujoco>`.
    pub fn sections<'f>(&'f self, tag: &str) -> Vec<Element<'f, 'a>> {
        let mut sections = self.children(&self.root());
        sections.retain(|section| section.tag() == tag);
        sections
    }
}

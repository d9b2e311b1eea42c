//! `<default>` classes, and elements as they fill in what an element leaves open.

use std::collections::HashMap;

use super::files::Files;
use crate::error::{Error, Result};
use crate::io::xml::Element;

/// The class that holds for everything.
pub(super) const MAIN: usize = 0;

/// The attributes that say how something is turned; one of them.
const TURNS: [&str; 5] = ["quat", "axisangle", "euler", "xyaxes", "zaxis"];

/// Nested classes.
pub(super) struct Classes<'f, 'a> {
    classes: Vec<Class<'f, 'a>>,
    by_name: HashMap<&'f str, usize>,
}

#[derive(Default)]
struct Class<'f, 'a> {
    parent: Option<usize>,
    /// What was read of each element's attribute: the last one.
    holders: HashMap<(&'f str, &'f str), Element<'f, 'a>>,
}

impl<'f, 'a> Classes<'f, 'a> {
    /// Reads all `<default>` sections.
    pub fn read(files: &'f Files<'a>) -> Result<Self> {
        let mut classes = Self {
            classes: vec![Class::default()],
            by_name: HashMap::from([("main", MAIN)]),
        };
        let mut open = Vec::new();
        for section in files.sections("default") {
            let name = section.attribute("class").unwrap_or("main");
            if name != "main" {
                let expected = "no class or 'main' outside all other classes";
                return Err(section.wrong(expected, format!("{name:?}")));
            }
            open.push((section, MAIN));
            while let Some((element, class)) = open.pop() {
                for child in files.children(&element) {
                    if child.tag() == "default" {
                        open.push((child, classes.add(&child, class)?));
                        continue;
                    }
                    for (name, _) in child.attributes() {
                        let key = (child.tag(), name);
                        classes.classes[class].holders.insert(key, child);
                    }
                }
            }
        }
        Ok(classes)
    }

    fn add(&mut self, element: &Element<'f, 'a>, parent: usize) -> Result<usize> {
        let name = element.need("class")?;
        let class = self.classes.len();
        if self.by_name.insert(name, class).is_some() {
            let expected = "a name that no other default class has";
            return Err(element.wrong(expected, format!("{name:?}")));
        }
        self.classes.push(Class {
            parent: Some(parent),
            holders: HashMap::new(),
        });
        Ok(class)
    }

    /// The class that an attribute names; `otherwise` where there is no such attribute.
    pub fn named(
        &self,
        element: &Element<'f, 'a>,
        attribute: &str,
        otherwise: usize,
    ) -> Result<usize> {
        let Some(name) = element.attribute(attribute) else {
            return Ok(otherwise);
        };
        self.by_name.get(name).copied().ok_or_else(|| {
            element.wrong(
                format!("a default class in '{attribute}'"),
                format!("{name:?}, which is none"),
            )
        })
    }

    /// An element with what its class fills in.
    pub fn styled<'c>(
        &'c self,
        element: &Element<'f, 'a>,
        around: usize,
    ) -> Result<Styled<'c, 'f, 'a>> {
        Ok(Styled {
            own: *element,
            class: self.named(element, "class", around)?,
            classes: self,
        })
    }
}

/// An element with what its class fills in.
pub(super) struct Styled<'c, 'f, 'a> {
    pub own: Element<'f, 'a>,
    class: usize,
    classes: &'c Classes<'f, 'a>,
}

impl<'f, 'a> Styled<'_, 'f, 'a> {
    /// Its classes, the most special first.
    fn lineage(&self) -> impl Iterator<Item = &Class<'f, 'a>> {
        let class = |at: usize| self.classes.classes.get(at);
        std::iter::successors(class(self.class), move |last| class(last.parent?))
    }

    /// The elements that have an attribute, the most special first.
    fn holders(&self, name: &str) -> impl Iterator<Item = Element<'f, 'a>> {
        let own = Some(self.own).filter(|own| own.attribute(name).is_some());
        let tag = self.own.tag();
        let inherited = self
            .lineage()
            .filter_map(move |class| class.holders.get(&(tag, name)).copied());
        own.into_iter().chain(inherited)
    }

    /// The element that says how it is turned; itself where none does.
    pub fn turned(&self) -> Element<'f, 'a> {
        let says = |element: &Element<'f, 'a>| {
            let mut names = TURNS.iter();
            names.any(|name| element.attribute(name).is_some())
        };
        if says(&self.own) {
            return self.own;
        }
        let tag = self.own.tag();
        let mut inherited = self.lineage().filter_map(|class| {
            let mut names = TURNS.iter();
            names.find_map(|&name| class.holders.get(&(tag, name)).copied())
        });
        inherited.next().unwrap_or(self.own)
    }

    /// An attribute's text.
    pub fn text(&self, name: &str) -> Option<&'f str> {
        self.holders(name).next()?.attribute(name)
    }

    /// Exactly `N` numbers.
    pub fn numbers<const N: usize>(&self, name: &str) -> Result<Option<[f64; N]>> {
        match self.holders(name).next() {
            Some(holder) => holder.numbers(name),
            None => Ok(None),
        }
    }

    /// One number.
    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        Ok(self.numbers::<1>(name)?.map(|[number]| number))
    }

    /// Up to three numbers; what is left open is taken from the class, and is 0 in the end.
    pub fn up_to_three(&self, name: &str) -> Result<[f64; 3]> {
        let mut numbers = [0.0; 3];
        let mut n_known = 0;
        for holder in self.holders(name) {
            let own = holder.number_list(name)?.unwrap_or_default();
            if own.len() > 3 {
                return Err(holder.wrong(format!("up to 3 numbers in '{name}'"), own.len()));
            }
            for (number, own) in numbers.iter_mut().zip(&own).skip(n_known) {
                *number = *own;
            }
            n_known = n_known.max(own.len());
        }
        Ok(numbers)
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)], otherwise: T) -> Result<T> {
        let Some(text) = self.text(name) else {
            return Ok(otherwise);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|&(_, value)| value).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(name, &words.join(", "), text)
        })
    }

    /// An error about an attribute, where it stands.
    pub fn wrong(&self, name: &str, expected: &str, got: &str) -> Error {
        let holder = self.holders(name).next().unwrap_or(self.own);
        holder.wrong(format!("'{name}' of {expected}"), format!("{got:?}"))
    }
}

//! XML elements that know their place, so that every complaint names its line.

use roxmltree::{Document, Node, ParsingOptions};

use super::source::shortened;
use crate::error::{Error, Result};

/// How deep elements may nest; readers go through them by recursion.
const MAX_DEPTH: usize = 256;

/// Parses a document. Document types are refused, and with them entities and what they could expand to.
///
/// # Errors
/// [`Error::Format`] naming line and column.
pub fn parse(text: &str) -> Result<Document<'_>> {
    let options = ParsingOptions {
        allow_dtd: false,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|problem| {
        let at = problem.pos();
        Error::format(
            format!("line {}, column {}", at.row, at.col),
            "well-formed XML without a document type",
            problem,
        )
    })?;
    let mut depth = 0_usize;
    let mut at = Some(document.root());
    while let Some(node) = at {
        if depth > MAX_DEPTH {
            return Err(Element::new(&document, node).wrong(
                format!("at most {MAX_DEPTH} elements inside each other"),
                "more",
            ));
        }
        at = node.first_child();
        if at.is_some() {
            depth += 1;
            continue;
        }
        let mut up = Some(node);
        while let Some(done) = up {
            if let Some(next) = done.next_sibling() {
                at = Some(next);
                break;
            }
            up = done.parent();
            depth = depth.saturating_sub(1);
        }
    }
    Ok(document)
}

/// An element of a document.
#[derive(Clone, Copy)]
pub struct Element<'a, 'input> {
    document: &'a Document<'input>,
    node: Node<'a, 'input>,
    /// The name of the file, where it is another one than the reader was given.
    file: Option<&'a str>,
}

impl<'a, 'input> Element<'a, 'input> {
    fn new(document: &'a Document<'input>, node: Node<'a, 'input>) -> Self {
        Self {
            document,
            node,
            file: None,
        }
    }

    /// The outermost element.
    #[must_use]
    pub fn root(document: &'a Document<'input>) -> Self {
        Self::new(document, document.root_element())
    }

    /// The outermost element of a file that another one includes.
    #[must_use]
    pub fn root_of(document: &'a Document<'input>, file: &'a str) -> Self {
        Self {
            file: Some(file),
            ..Self::root(document)
        }
    }

    /// The element's name.
    #[must_use]
    pub fn tag(&self) -> &'a str {
        self.node.tag_name().name()
    }

    /// The namespace of the element's name, where it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.node.tag_name().namespace()
    }

    /// Where it stands, as `line 12, <joint name="elbow">`, after the name of an included file.
    #[must_use]
    pub fn place(&self) -> String {
        let at = self.document.text_pos_at(self.node.range().start);
        let name = match self.attribute("name") {
            Some(name) => format!(" name=\"{}\"", shortened(name)),
            None => String::new(),
        };
        let file = self.file.map(|file| format!("'{}', ", shortened(file)));
        let file = file.unwrap_or_default();
        format!("{file}line {}, <{}{name}>", at.row, self.tag())
    }

    /// An error about this element.
    #[must_use]
    pub fn wrong(&self, expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
        Error::format(self.place(), expected, got)
    }

    /// An attribute's text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.node.attribute(name)
    }

    /// All attributes, name and text.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a, 'input> {
        self.node
            .attributes()
            .map(|attribute| (attribute.name(), attribute.value()))
    }

    /// An attribute that has to be there.
    ///
    /// # Errors
    /// [`Error::Format`] where it is not.
    pub fn need(&self, name: &str) -> Result<&'a str> {
        self.attribute(name)
            .ok_or_else(|| self.wrong(format!("an attribute '{name}'"), "none"))
    }

    /// The numbers of an attribute, separated by white space; `None` where there is no such attribute.
    ///
    /// # Errors
    /// [`Error::Format`] where one is not a finite number.
    pub fn number_list(&self, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(text) = self.attribute(name) else {
            return Ok(None);
        };
        let mut numbers = Vec::new();
        for word in text.split_whitespace() {
            let number = word.parse::<f64>().ok().filter(|x| x.is_finite());
            numbers.push(number.ok_or_else(|| {
                self.wrong(
                    format!("numbers in '{name}'"),
                    format!("{:?}", shortened(word)),
                )
            })?);
        }
        Ok(Some(numbers))
    }

    /// Exactly `N` numbers of an attribute.
    ///
    /// # Errors
    /// [`Error::Format`] for another count, or where one is not a finite number.
    pub fn numbers<const N: usize>(&self, name: &str) -> Result<Option<[f64; N]>> {
        let Some(numbers) = self.number_list(name)? else {
            return Ok(None);
        };
        let count = numbers.len();
        let numbers = numbers
            .try_into()
            .map_err(|_| self.wrong(format!("{N} numbers in '{name}'"), count))?;
        Ok(Some(numbers))
    }

    /// One number of an attribute.
    ///
    /// # Errors
    /// [`Error::Format`] where it is not one finite number.
    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        Ok(self.numbers::<1>(name)?.map(|[number]| number))
    }

    /// The elements directly inside.
    pub fn children(&self) -> impl Iterator<Item = Self> + use<'a, 'input> {
        let parent = *self;
        self.node
            .children()
            .filter(Node::is_element)
            .map(move |node| Self { node, ..parent })
    }

    /// The elements of one name directly inside.
    pub fn all(&self, tag: &'static str) -> impl Iterator<Item = Self> + use<'a, 'input> {
        self.children().filter(move |child| child.tag() == tag)
    }

    /// The first element of one name directly inside.
    #[must_use]
    pub fn child(&self, tag: &'static str) -> Option<Self> {
        self.all(tag).next()
    }

    /// The text directly inside.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.node.text().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_name_their_line() {
        let document = parse("<a>\n  <joint name='x' axis='1 2'/>\n</a>").unwrap();
        let joint = Element::root(&document).child("joint").unwrap();
        let error = joint.numbers::<3>("axis").unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("name=\"x\""),
            "{error}"
        );
        assert!(joint.numbers::<2>("axis").unwrap() == Some([1.0, 2.0]));
        assert!(joint.number("none").unwrap().is_none());
    }

    #[test]
    fn nothing_expands_or_nests_without_end() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>";
        assert!(
            parse(bomb)
                .unwrap_err()
                .to_string()
                .contains("document type")
        );
        let deep = "<a>".repeat(300) + &"</a>".repeat(300);
        assert!(parse(&deep).unwrap_err().to_string().contains("256"));
        let wide = format!("<a>{}</a>", "<b><c/></b>".repeat(1000));
        assert!(parse(&wide).is_ok());
    }
}

//! An element of a CSDL file, and what its annotations state.

use roxmltree::Node;

use super::CsdlError;

/// An element, and the file that it is in.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    node: Node<'a, 'a>,
    file: &'a str,
}

impl<'a> Element<'a> {
    pub(super) fn new(node: Node<'a, 'a>, file: &'a str) -> Self {
        Self { node, file }
    }

    /// Returns the name without the prefix.
    pub(super) fn tag(self) -> &'a str {
        self.node.tag_name().name()
    }

    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        self.node.children().filter(Node::is_element).map(move |node| Self { node, ..self })
    }

    pub(super) fn children_named(self, tag: &'static str) -> impl Iterator<Item = Self> {
        self.children().filter(move |child| child.tag() == tag)
    }

    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        self.node.attribute(name)
    }

    pub(super) fn require(self, name: &str) -> Result<&'a str, CsdlError> {
        self.attribute(name)
            .ok_or_else(|| self.error(format!("the attribute {name} of <{}> is missing", self.tag())))
    }

    /// Returns the attribute `Name`, which must be an identifier.
    pub(super) fn name(self) -> Result<&'a str, CsdlError> {
        let name = self.require("Name")?;
        if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            Ok(name)
        } else {
            Err(self.error(format!("`{name}` is not an identifier")))
        }
    }

    pub(super) fn error(self, text: impl Into<String>) -> CsdlError {
        let line = self.node.document().text_pos_at(self.node.range().start).row;
        CsdlError { file: self.file.to_owned(), line: Some(line), text: text.into() }
    }

    /// Returns the annotation with this term, for example `Redfish.Required`.
    pub(super) fn annotation(self, term: &str) -> Option<Self> {
        self.children_named("Annotation").find(|annotation| {
            let found = annotation.attribute("Term").unwrap_or_default();
            // A file may name the vocabulary itself instead of its usual alias.
            match found.strip_prefix("RedfishExtensions.v1_0_0.") {
                Some(found) => term.strip_prefix("Redfish.") == Some(found),
                None => found == term,
            }
        })
    }

    /// Returns what an annotation that is true or false states. Without a value it is true.
    pub(super) fn states(self, term: &str) -> Option<bool> {
        self.annotation(term).map(|annotation| annotation.attribute("Bool") != Some("false"))
    }

    pub(super) fn is(self, term: &str) -> bool {
        self.states(term) == Some(true)
    }

    /// Returns the text of an annotation, which must be one word.
    pub(super) fn word(self, term: &str) -> Result<Option<&'a str>, CsdlError> {
        let Some(annotation) = self.annotation(term) else { return Ok(None) };
        match annotation.attribute("String") {
            Some(text) if text.is_empty() || text.contains(char::is_whitespace) => {
                Err(annotation.error(format!("the text of {term} is not one word: `{text}`")))
            }
            text => Ok(text),
        }
    }

    /// Returns the records of an annotation whose value is a list of records.
    pub(super) fn records(self, term: &str) -> impl Iterator<Item = Self> {
        self.annotation(term)
            .into_iter()
            .flat_map(|annotation| annotation.children_named("Collection"))
            .flat_map(|collection| collection.children_named("Record"))
    }

    /// Returns the value with this name in a record.
    pub(super) fn property(self, name: &str) -> Option<Self> {
        self.children_named("PropertyValue").find(|value| value.attribute("Property") == Some(name))
    }

    /// Returns the texts of an annotation whose value is a list of texts.
    pub(super) fn texts(self, term: &str) -> impl Iterator<Item = (Self, &'a str)> {
        self.annotation(term)
            .into_iter()
            .flat_map(|annotation| annotation.children_named("Collection"))
            .flat_map(|collection| collection.children_named("String"))
            .map(|text| (text, text.node.text().unwrap_or_default().trim()))
    }

    /// Returns whether the element, or a record of an enumeration, is deprecated.
    pub(super) fn is_deprecated(self) -> bool {
        self.annotation("Redfish.Deprecated").is_some()
            || self.records("Redfish.Revisions").any(|record| {
                let kind = record.property("Kind").and_then(|kind| kind.attribute("EnumMember"));
                kind.is_some_and(|kind| kind.ends_with("/Deprecated"))
            })
    }
}

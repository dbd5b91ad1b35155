//! A text that is safe to show.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::invisible::is_invisible;

/// A text without secrets and without control characters, which is safe to show.
///
/// Text of a peer becomes a `SafeText` only through a [`Redactor`](crate::Redactor), so that no other text of a peer
/// gets into an error. A literal of the program is safe as it is.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeText(Box<str>);

impl SafeText {
    pub(super) fn new(text: impl Into<Box<str>>) -> SafeText {
        SafeText(text.into())
    }

    /// Whether a character is never part of such a text, because it shows nothing by itself or changes the order of others:
    /// format characters, marks of direction, joiners, variation selectors and tags. Control characters become spaces.
    pub fn is_invisible(c: char) -> bool {
        is_invisible(c)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Joins texts with `separator`.
    pub fn join<'a>(texts: impl IntoIterator<Item = &'a SafeText>, separator: &'static str) -> SafeText {
        SafeText::new(texts.into_iter().map(SafeText::as_str).collect::<Vec<_>>().join(separator))
    }

    /// The text up to a byte position, which must be between two characters.
    pub(crate) fn up_to(&self, end: usize) -> SafeText {
        SafeText::new(self.0.get(..end).unwrap_or_default())
    }

    /// The text, shortened to this number of characters.
    pub(crate) fn shortened(self, characters: usize) -> SafeText {
        match self.0.char_indices().nth(characters) {
            Some((end, _)) => self.up_to(end).followed_by(format_args!("…")),
            None => self,
        }
    }

    /// Appends a text of the program.
    pub(crate) fn followed_by(self, end: fmt::Arguments<'_>) -> SafeText {
        SafeText::new(format!("{}{end}", self.0))
    }

    /// The text of a web page without its tags, on one line.
    pub(crate) fn without_tags(&self) -> SafeText {
        let mut line = String::new();
        let mut in_tag = false;
        for c in self.0.chars() {
            match c {
                '<' => in_tag = true,
                '>' if in_tag => {
                    in_tag = false;
                    line.push(' ');
                }
                c if !in_tag => line.push(c),
                _ => {}
            }
        }
        SafeText::new(line.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The text as a clause, without its full stop.
    pub(crate) fn clause(&self) -> &str {
        self.trim().trim_end_matches('.')
    }
}

impl From<&'static str> for SafeText {
    fn from(literal: &'static str) -> SafeText {
        SafeText::new(literal)
    }
}

impl Deref for SafeText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SafeText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<SafeText> for String {
    fn from(text: SafeText) -> String {
        text.0.into()
    }
}

impl PartialEq<str> for SafeText {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for SafeText {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl Serialize for SafeText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

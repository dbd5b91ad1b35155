//! The version of a resource (DSP0266, "ETags"), and how services want it back.

use std::fmt;

use http::HeaderValue;

/// An ETag as the service gave it. It is sent back as it is, unless the policy says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(HeaderValue);

/// In which form a service wants its ETags back in `If-Match`. DSP0266 says: as they are. Off unless chosen, for
/// services that are known to refuse their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ETagForm {
    /// As it was given.
    #[default]
    Verbatim,
    /// Without `W/`: services that take only strong ones.
    WithoutWeak,
    /// Without `W/` and quotes: services that compare with their own unquoted text.
    WithoutQuotes,
    /// `*`: services that want the header and match nothing. It protects from nothing but deletion.
    Any,
    /// None at all.
    Never,
}

impl ETag {
    /// An ETag from a text. `None` for what is empty or cannot stand in a header.
    pub fn new(text: &str) -> Option<ETag> {
        let text = text.trim();
        if text.is_empty() { None } else { HeaderValue::from_str(text).ok().map(ETag) }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// What `If-None-Match` says: always as it was given.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// What `If-Match` says.
    pub(crate) fn in_form(&self, form: ETagForm) -> Option<HeaderValue> {
        let strong = self.as_str().strip_prefix("W/").unwrap_or(self.as_str());
        match form {
            ETagForm::Verbatim => Some(self.value()),
            ETagForm::WithoutWeak => HeaderValue::from_str(strong).ok(),
            ETagForm::WithoutQuotes => HeaderValue::from_str(strong.trim_matches('"')).ok(),
            ETagForm::Any => Some(HeaderValue::from_static("*")),
            ETagForm::Never => None,
        }
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_what_its_services_want() {
        for (etag, form, sent) in [
            ("W/\"a-gzip\"", ETagForm::Verbatim, Some("W/\"a-gzip\"")),
            ("W/\"a\"", ETagForm::WithoutWeak, Some("\"a\"")),
            ("\"a\"", ETagForm::WithoutWeak, Some("\"a\"")),
            ("W/\"a\"", ETagForm::WithoutQuotes, Some("a")),
            ("W/\"a\"", ETagForm::Any, Some("*")),
            ("W/\"a\"", ETagForm::Never, None),
        ] {
            let value = ETag::new(etag).unwrap().in_form(form);
            assert_eq!(value.as_ref().map(|v| v.to_str().unwrap()), sent, "{etag} {form:?}");
        }
        assert!(ETag::new(" ").is_none() && ETag::new("a\nb").is_none());
    }
}

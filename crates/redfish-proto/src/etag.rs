//! The version of a resource (DSP0266, "ETags"), and the form in which it is sent back.

use std::fmt;

use http::HeaderValue;

/// An ETag as the service sent it. It is sent back unchanged, unless the policy sets another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(HeaderValue);

/// The form of an ETag in `If-Match`. DSP0266 requires it unchanged; the other forms are for services that refuse
/// their own ETags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ETagForm {
    /// Unchanged.
    #[default]
    Verbatim,
    /// Without `W/`, for services that accept only strong ETags.
    WithoutWeak,
    /// Without `W/` and quotes, for services that compare unquoted text.
    WithoutQuotes,
    /// `*`, for services that require the header and match nothing. It only protects from deletion.
    Any,
    /// No `If-Match`.
    Never,
}

impl ETag {
    /// Creates an ETag from a text. `None` if the text is empty or not valid in a header.
    pub fn new(text: &str) -> Option<ETag> {
        let text = text.trim();
        if text.is_empty() { None } else { HeaderValue::from_str(text).ok().map(ETag) }
    }

    /// The ETag as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The value of `If-None-Match`, always unchanged.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// The value of `If-Match`.
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
    fn each_form_is_applied() {
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

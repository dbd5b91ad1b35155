//! Query parameters (DSP0266, "Query parameters"), which are sent only if the service supports them.

use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
pub use crate::features::Features;
use crate::kind::ErrorKind;
use crate::operation::{Auth, Operation, Request, Transition};
use crate::ops::follow_links::root;
use crate::reason::{Feature, TargetError};
use crate::target::{MAX_LENGTH, Target};

/// The query parameters of a request for a resource or a collection.
///
/// ```
/// use redfish_proto::Service;
/// use redfish_proto::query::{Expand, Query};
///
/// let service = Service::new("bmc.example")?;
/// let query = Query::new().expand(Expand::Subordinate, 1).select_members(["Id", "Status/Health"]).top(50);
/// let target = service.target("/redfish/v1/Systems")?.with_query(&query.filter("Name eq 'A & B'"))?;
/// assert_eq!(
///     target.as_str(),
///     "/redfish/v1/Systems?$expand=.($levels=1)&$select=Members/Id,Members/Status/Health\
///      &$filter=Name%20eq%20'A%20%26%20B'&$top=50"
/// );
/// # Ok::<(), redfish_proto::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    expand: Option<(Expand, u32)>,
    select: Vec<String>,
    filter: Option<String>,
    top: Option<u64>,
    skip: Option<u64>,
    only: bool,
    excerpt: bool,
}

/// Which references `$expand` replaces with the resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expand {
    /// All: `*`.
    All,
    /// Those in `Links`: `~`. The members of a collection are not among them.
    Links,
    /// Those outside of `Links`, such as the members of a collection: `.`.
    Subordinate,
}

impl Features {
    fn read(answer: Answer) -> Result<Features, Error> {
        Ok(Features::of(&answer.success()?.json::<Value>()?))
    }
}

impl Query {
    /// A query without parameters.
    pub fn new() -> Query {
        Query::default()
    }

    /// `$expand`, with this number of levels.
    #[must_use]
    pub fn expand(mut self, what: Expand, levels: u32) -> Query {
        self.expand = Some((what, levels.max(1)));
        self
    }

    /// `$select`: only these properties of the requested resource, each a path such as `Status/Health`, and its
    /// identification, such as `@odata.id` (DSP0266, "The $select query parameter").
    ///
    /// The resource at the URI of a collection is the collection. A selection without `Members` leaves the members out, and
    /// reading them is an error. [`select_members`](Query::select_members) selects from them.
    ///
    /// Together with [`expand`](Query::expand), a path may also start at a member: `?$select=UUID&$expand=.($levels=1)`
    /// requests the UUIDs of all systems in an example of DSP0266 ("The $expand query parameter"). Services that read each path
    /// from the collection leave the members out then, too.
    #[must_use]
    pub fn select<S: Into<String>>(mut self, members: impl IntoIterator<Item = S>) -> Query {
        self.select.extend(members.into_iter().map(Into::into));
        self
    }

    /// `$select`: only these properties of a collection's members, each a path that starts at a member. `UUID` is sent as
    /// `Members/UUID`, which starts at the collection.
    ///
    /// It takes effect on members that are [expanded](Query::expand), or that the collection contains as a whole. Links stay
    /// links.
    #[must_use]
    pub fn select_members<'a>(self, members: impl IntoIterator<Item = &'a str>) -> Query {
        self.select(members.into_iter().map(|path| format!("Members/{path}")))
    }

    /// `$filter`: only members for which this expression is true, such as `Severity eq 'Critical'`.
    #[must_use]
    pub fn filter(mut self, expression: impl Into<String>) -> Query {
        self.filter = Some(expression.into());
        self
    }

    /// `$top`: at most this many members.
    #[must_use]
    pub fn top(mut self, members: u64) -> Query {
        self.top = Some(members);
        self
    }

    /// `$skip`: without this many members at the start.
    #[must_use]
    pub fn skip(mut self, members: u64) -> Query {
        self.skip = Some(members);
        self
    }

    /// `only`: the member of a collection with a single member.
    #[must_use]
    pub fn only(mut self) -> Query {
        self.only = true;
        self
    }

    /// `excerpt`: only the most important members.
    #[must_use]
    pub fn excerpt(mut self) -> Query {
        self.excerpt = true;
        self
    }

    /// Checks whether the service supports all parameters.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] with the first unsupported parameter.
    pub fn check(&self, features: &Features) -> Result<(), Error> {
        let (expands, levels) = match self.expand {
            Some((Expand::All, levels)) => (features.expand_all, levels),
            Some((Expand::Links, levels)) => (features.expand_links, levels),
            Some((Expand::Subordinate, levels)) => (features.expand_subordinate, levels),
            None => (true, 1),
        };
        let needs = [
            (expands, Feature::ExpandKind),
            (levels <= features.levels.max(1), Feature::ExpandDepth),
            (self.select.is_empty() || features.select, Feature::Select),
            (self.filter.is_none() || features.filter, Feature::Filter),
            ((self.top, self.skip) == (None, None) || features.top_skip, Feature::TopSkip),
            (!self.only || features.only, Feature::Only),
            (!self.excerpt || features.excerpt, Feature::Excerpt),
        ];
        match needs.into_iter().find(|(offered, _)| !offered) {
            Some((_, feature)) => Err(Error::new(ErrorKind::NotSupported(feature))),
            None => Ok(()),
        }
    }

    /// The query in the form that the service supports: without `$expand` if that is not supported, since the members are
    /// then links, to be read one by one.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] for anything else that the service does not support.
    pub fn negotiated(self, features: &Features) -> Result<Query, Error> {
        let query = if self.check(features).is_ok() { self } else { self.unexpanded() };
        query.check(features).map(|()| query)
    }

    /// The same query without `$expand`. The members are then links.
    #[must_use]
    pub fn unexpanded(mut self) -> Query {
        self.expand = None;
        self
    }

    fn text(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.only {
            parts.push("only".to_owned());
        }
        if self.excerpt {
            parts.push("excerpt".to_owned());
        }
        if let Some((what, levels)) = self.expand {
            let sign = match what {
                Expand::All => '*',
                Expand::Links => '~',
                Expand::Subordinate => '.',
            };
            parts.push(format!("$expand={sign}($levels={levels})"));
        }
        if !self.select.is_empty() {
            parts.push(format!(
                "$select={}",
                self.select.iter().map(|m| encode(m)).collect::<Vec<_>>().join(",")
            ));
        }
        parts.extend(self.filter.as_ref().map(|expression| format!("$filter={}", encode(expression))));
        parts.extend(self.top.map(|top| format!("$top={top}")));
        parts.extend(self.skip.map(|skip| format!("$skip={skip}")));
        parts.join("&")
    }
}

impl Target {
    /// The same target with this query instead of its own.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTarget`] if the target becomes too long.
    pub fn with_query(&self, query: &Query) -> Result<Target, Error> {
        let text = query.text();
        if self.path().len() + text.len() > MAX_LENGTH {
            return Err(Error::new(ErrorKind::InvalidTarget(TargetError::TooLong)));
        }
        Ok(self.with_raw_query(&text))
    }
}

/// Reads the service root and returns the target with the query, as far as the service supports it.
///
/// An unsupported `$expand` is left out, so that the members are links. Any other unsupported parameter is
/// [`NotSupported`](ErrorKind::NotSupported), and nothing is sent.
#[derive(Clone, Debug)]
pub struct NegotiateQuery {
    target: Target,
    query: Query,
}

impl NegotiateQuery {
    /// Prepares this query of the resource at this target.
    ///
    /// # Errors
    /// Those of [`Target::with_query`].
    pub fn new(target: Target, query: Query) -> Result<NegotiateQuery, Error> {
        target.with_query(&query)?;
        Ok(NegotiateQuery { target, query })
    }
}

impl Operation for NegotiateQuery {
    type Output = Target;

    fn request(&self) -> Request {
        GetFeatures.request()
    }

    fn auth(&self) -> Auth {
        GetFeatures.auth()
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let query = self.query.negotiated(&Features::read(answer)?)?;
        Ok(Transition::Done(self.target.with_query(&query)?))
    }
}

/// Reads what queries the service supports, from the service root.
#[derive(Clone, Copy, Debug)]
pub struct GetFeatures;

impl Operation for GetFeatures {
    type Output = Features;

    fn request(&self) -> Request {
        Request::get(&root())
    }

    fn auth(&self) -> Auth {
        Auth::None
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Features::read(answer).map(Transition::Done)
    }
}

/// Percent-encodes the characters of a value that have a meaning in a query or are not valid in one.
fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@'()!*,;$".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_sent_only_where_it_is_offered() {
        let none = Features::of(&json!({}));
        let all = Features::of(&json!({"ProtocolFeaturesSupported": {
            "ExpandQuery": {"ExpandAll": true, "Links": true, "NoLinks": true, "Levels": true, "MaxLevels": 2},
            "SelectQuery": true, "FilterQuery": true, "TopSkipQuery": true, "OnlyMemberQuery": true, "ExcerptQuery": true,
        }}));
        for query in [
            Query::new().expand(Expand::All, 1),
            Query::new().expand(Expand::Links, 2),
            Query::new().select(["Id"]),
            Query::new().filter("a eq 1"),
            Query::new().top(1),
            Query::new().skip(1),
            Query::new().only(),
            Query::new().excerpt(),
        ] {
            assert!(
                matches!(query.check(&none).unwrap_err().kind(), ErrorKind::NotSupported(_)),
                "{query:?}"
            );
            query.check(&all).unwrap();
        }
        Query::new().check(&none).unwrap();
        assert!(Query::new().expand(Expand::All, 3).check(&all).is_err());
    }
}

//! Collections, page by page (DSP0266, "Resource collections").

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::error::Error;
use crate::json::{self, Flaws};
use crate::link::{is_link, link_at};
use crate::message::Message;
use crate::operation::{Operation, Request, Transition};
use crate::redact::Redactor;
use crate::resource::Resource;
use crate::target::Target;

/// Reads one page of a collection, and returns the operation that reads the next one.
///
/// `Members@odata.nextLink` is followed as long as there is one. `Members@odata.count` is not used for that, since
/// some counts are wrong. A link that was followed before is an error, since some pages link to themselves.
///
/// Some services offer `$expand` and refuse it at some collections. After a 4xx or 501, a page is read once more
/// without it, and its members are links.
#[derive(Clone, Debug)]
pub struct GetPage {
    target: Target,
    visited: HashSet<Target>,
}

/// One page of a collection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The page's members, in its order.
    pub members: Vec<Member>,
    /// The number of members that were left out, because they are neither links nor resources, such as `null` or
    /// `{"@odata.id": ""}`.
    pub left_out: usize,
    /// What was wrong with the page, although it could be read.
    pub flaws: Flaws,
    /// What the service could not read: the refusals beside the members.
    pub messages: Vec<Message>,
    /// The number of members on all pages, as the service reports it. It may be wrong.
    pub count: Option<u64>,
    /// Reads the next page; `None` at the end. An error if the link leaves the origin or was followed before. This
    /// page is complete nevertheless.
    pub next: Result<Option<GetPage>, Error>,
}

/// A member of a page: only a link, or the whole resource. It is a part of the page's body and is parsed when it is
/// used.
#[derive(Clone)]
pub struct Member {
    body: Bytes,
    range: Range<u32>,
    redactor: Arc<Redactor>,
}

/// `Members`: `None` if it is missing, so that the resource is not a collection; empty if it is `null`.
type Members<'a> = Option<Vec<&'a RawValue>>;

fn deserialize_members<'de: 'a, 'a, D: Deserializer<'de>>(members: D) -> Result<Members<'a>, D::Error> {
    Ok(Some(Members::deserialize(members)?.unwrap_or_default()))
}

#[derive(Deserialize)]
struct RawPage<'a> {
    #[serde(borrow, default, rename = "Members", deserialize_with = "deserialize_members")]
    members: Members<'a>,
    #[serde(borrow, rename = "Members@odata.nextLink")]
    next: Option<&'a RawValue>,
    #[serde(borrow, rename = "Members@odata.count")]
    count: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "@odata.id")]
    id: Option<Cow<'a, str>>,
}

impl GetPage {
    /// The first page of a collection.
    pub fn first(target: Target) -> GetPage {
        GetPage { target, visited: HashSet::new() }
    }

    /// The target of the page.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Reads the page in a response.
    pub(crate) fn read(self, answer: &Answer) -> Result<Page, Error> {
        answer.check()?;
        let (page, body): (RawPage<'_>, _) = answer.json_and_text()?;
        let count = page.count.and_then(|count| serde_json::from_str(count.get()).ok());
        let (members, left_out) = match &page.members {
            Some(raw) => {
                let members = locate_members(body, raw, &answer.redactor);
                let left_out = raw.len() - members.len();
                (members, left_out)
            }
            None => (vec![self.single_member(answer)?], 0),
        };
        let next = match page.next {
            Some(link) => self.next_page(link, answer).map_err(|error| answer.stamp(error)),
            None => Ok(None),
        };
        let messages = Message::beside_data(body, &answer.redactor);
        Ok(Page { members, left_out, flaws: answer.flaws(), messages, count, next })
    }

    /// With the query `only`, the response is the member itself instead of a collection (DSP0266, "only").
    fn single_member(&self, answer: &Answer) -> Result<Member, Error> {
        let body = answer.body()?;
        let has_only = self.target.query().is_some_and(|query| query.split('&').any(|part| part == "only"));
        match (has_only, u32::try_from(body.len())) {
            (true, Ok(end)) => {
                let redactor = Arc::clone(&answer.redactor);
                Ok(Member { body: body.clone(), range: 0..end, redactor })
            }
            _ => Err(Error::malformed("/Members", "the member is missing: not a collection")),
        }
    }

    fn next_page(mut self, link: &RawValue, answer: &Answer) -> Result<Option<GetPage>, Error> {
        // Some services send the link as an object.
        let text: Option<Cow<'_, str>> = match serde_json::from_str::<Option<Cow<'_, str>>>(link.get()) {
            Ok(text) => text,
            Err(_) => reference(link.get()),
        };
        let Some(text) = text.filter(|text| is_link(text)) else { return Ok(None) };
        let next = answer.resolve(&text)?;
        self.visited.insert(self.target);
        if self.visited.contains(&next) || self.visited.len() >= answer.service.policy().pages {
            let reason = "the next page was read before, or the limit of pages is exceeded";
            return Err(Error::malformed("/Members@odata.nextLink", reason));
        }
        Ok(Some(GetPage { target: next, visited: self.visited }))
    }
}

impl Operation for GetPage {
    type Output = Page;

    fn request(&self) -> Request {
        Request::get(&self.target)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let is_refused = match answer.status().as_u16() {
            401 | 429 => false,
            status => (400..500).contains(&status) || status == 501,
        };
        match self.target.unexpanded().filter(|_| is_refused) {
            Some(target) => Ok(Transition::Next(GetPage { target, ..self })),
            None => self.read(&answer).map(Transition::Done),
        }
    }
}

/// The URI of a member that was created in a collection: `Location`, or else the body's `@odata.id`, if it is a
/// possible one. Only its path is used, since services use their own name, port or scheme.
pub(crate) fn created_uri(
    answer: &Answer,
    collection: &Target,
    is_candidate: impl Fn(&Target) -> bool,
) -> Option<Target> {
    let located = answer.location_header().and_then(|location| {
        let location = location.trim().to_owned();
        // A query alone is no resource of its own.
        if location.starts_with(['?', '#']) {
            return None;
        }
        let target = answer.resolve_path_only(&location).ok()?;
        let relative = !location.starts_with('/') && !location.contains("://");
        let (parent, member) = target.split_member();
        if relative && parent != collection.path() {
            // `c4` and `Sessions/c4` mean a member of the collection itself, not a sibling of the collection.
            return answer.resolve_path_only(&format!("{}/{member}", collection.path())).ok();
        }
        Some(target)
    });
    let named = || {
        let body: Value = answer.json().ok()?;
        answer.resolve_path_only(link_at(&body, "/@odata.id")?).ok()
    };
    located.filter(&is_candidate).or_else(|| named().filter(&is_candidate))
}

/// Whether a member is neither a link nor a resource, such as `null` or `{"@odata.id": ""}`.
fn is_empty(member: &str) -> bool {
    let Some(members) = member.strip_prefix('{').map(str::trim_start) else { return true };
    let Some(id) = members.strip_prefix("\"@odata.id\"") else { return members.starts_with('}') };
    // A usual link is recognized without parsing.
    if id.trim_start_matches([' ', ':']).starts_with("\"/") {
        return false;
    }
    let has_link = reference(member).is_some_and(|link| is_link(&link));
    !has_link && count_members(member.as_bytes()) == Some(1)
}

/// The `@odata.id` of an object.
fn reference(object: &str) -> Option<Cow<'_, str>> {
    match serde_json::from_str::<Reference<'_>>(object) {
        Ok(reference) => reference.id,
        Err(_) => Some(json::part::<Value>(object)?.get("@odata.id")?.as_str()?.to_owned().into()),
    }
}

/// The number of members of a JSON object.
fn count_members(object: &[u8]) -> Option<usize> {
    type ByName<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;
    serde_json::from_slice::<ByName<'_>>(object).ok().map(|members| members.len())
}

/// The position of each member in the body, except for empty ones: nothing is copied, and a member is parsed only when it is used.
fn locate_members(body: &Bytes, raw: &[&RawValue], redactor: &Arc<Redactor>) -> Vec<Member> {
    let start = body.as_ptr() as usize;
    let locate = |raw: &&RawValue| {
        let from = u32::try_from((raw.get().as_ptr() as usize).checked_sub(start)?).ok()?;
        let length = u32::try_from(raw.get().len()).ok()?;
        let range = from..from.checked_add(length)?;
        Some(Member { body: body.clone(), range, redactor: Arc::clone(redactor) })
    };
    let mut members = Vec::with_capacity(raw.len());
    members.extend(raw.iter().filter(|raw| !is_empty(raw.get())).filter_map(locate));
    members
}

impl Member {
    /// The member as the service sent it, except for what had to be repaired to be read.
    pub fn as_bytes(&self) -> &[u8] {
        let Range { start, end } = self.range;
        self.body.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Its `@odata.id`. `None` if that is missing, empty, or not a text.
    pub fn link(&self) -> Option<Cow<'_, str>> {
        reference(std::str::from_utf8(self.as_bytes()).ok()?).filter(|link| is_link(link))
    }

    /// Whether it is only a link, so that the resource has still to be read.
    pub fn is_link(&self) -> bool {
        self.link().is_some() && count_members(self.as_bytes()) == Some(1)
    }

    /// Reads the member.
    ///
    /// # Errors
    /// [`Malformed`](crate::ErrorKind::Malformed) with the JSON pointer of what does not fit, relative to the member.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        json::read_repaired(self.as_bytes(), usize::MAX).map_err(|(pointer, reason)| {
            Error::malformed(self.redactor.clean(&pointer), self.redactor.clean(&reason))
        })
    }

    /// The whole resource, whose target is known.
    pub(crate) fn resource<T: DeserializeOwned>(&self, target: Target) -> Result<Resource<T>, Error> {
        let Range { start, end } = self.range;
        Ok(Resource::new(self.json()?, target, None, self.body.slice(start as usize..end as usize)))
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} bytes)", self.as_bytes().len())
    }
}

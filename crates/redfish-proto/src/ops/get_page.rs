//! Collections: page by page, each member where it stands in the page (DSP0266, "Resource collections").

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::json;
use crate::message::strip_bom;
use crate::operation::{Answer, Operation, Request, Transition};
use crate::redact::Redactor;
use crate::resource::Resource;
use crate::target::Target;

/// Reads one page of a collection, and hands out the operation that reads the next.
///
/// `Members@odata.nextLink` is followed as long as there is one, whatever `Members@odata.count` says: services count
/// wrong. A link that was followed before is an error, since some point at themselves.
///
/// Some services offer `$expand` and refuse it at one collection or another: what is asked with it and answered 4xx or
/// 501 is asked once more without. The members are links then.
#[derive(Clone, Debug)]
pub struct GetPage {
    target: Target,
    seen: HashSet<Target>,
}

/// One page of a collection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The page's members, in its order.
    pub members: Vec<Member>,
    /// How many members the service says there are on all pages: a hint.
    pub count: Option<u64>,
    /// Reads the next page; `None` at the end. An error where the link to it is off the origin or was followed before:
    /// this page is whole all the same.
    pub next: Result<Option<GetPage>, Error>,
}

/// A member as it stands in a page: only a link, or the whole resource. It is a part of the page's body, not read yet.
#[derive(Clone)]
pub struct Member {
    body: Bytes,
    range: Range<u32>,
    redactor: Arc<Redactor>,
}

/// `Members`: `None` where there are none, which is no collection; empty where they are `null`.
type Listed<'a> = Option<Vec<&'a RawValue>>;

fn deserialize_members<'de: 'a, 'a, D: Deserializer<'de>>(members: D) -> Result<Listed<'a>, D::Error> {
    Ok(Some(Listed::deserialize(members)?.unwrap_or_default()))
}

#[derive(Deserialize)]
struct RawPage<'a> {
    #[serde(borrow, default, rename = "Members", deserialize_with = "deserialize_members")]
    members: Listed<'a>,
    #[serde(borrow, rename = "Members@odata.nextLink")]
    next: Option<&'a RawValue>,
    #[serde(borrow, rename = "Members@odata.count")]
    count: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Linked<'a> {
    #[serde(borrow, rename = "@odata.id")]
    id: Option<Cow<'a, str>>,
}

impl GetPage {
    /// The first page of a collection.
    pub fn first(target: Target) -> GetPage {
        GetPage { target, seen: HashSet::new() }
    }

    /// The target of the page.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Reads the page of an answer.
    pub(crate) fn read(self, answer: &Answer) -> Result<Page, Error> {
        answer.check()?;
        let page: RawPage<'_> = answer.json()?;
        let count = page.count.and_then(|count| serde_json::from_str(count.get()).ok());
        let body = answer.body()?;
        let members = match &page.members {
            Some(listed) => members(body, listed, &answer.redactor),
            None => vec![self.only(answer)?],
        };
        let next = match page.next {
            Some(link) => self.next(link, answer).map_err(|error| answer.stamp(error)),
            None => Ok(None),
        };
        Ok(Page { members, count, next })
    }

    /// What is no collection is a member itself where just that was asked for (DSP0266, "only").
    fn only(&self, answer: &Answer) -> Result<Member, Error> {
        let body = answer.body()?;
        let asked = self.target.query().is_some_and(|query| query.split('&').any(|part| part == "only"));
        match (asked, u32::try_from(body.len())) {
            (true, Ok(end)) => {
                let redactor = Arc::clone(&answer.redactor);
                Ok(Member { body: body.clone(), range: 0..end, redactor })
            }
            _ => Err(Error::malformed("/Members", "there is no such member: it is not a collection")),
        }
    }

    fn next(mut self, link: &RawValue, answer: &Answer) -> Result<Option<GetPage>, Error> {
        // Some services write the link as an object, as if it were a reference.
        let text: Option<Cow<'_, str>> = match serde_json::from_str::<Option<Cow<'_, str>>>(link.get()) {
            Ok(text) => text,
            Err(_) => serde_json::from_str::<Linked<'_>>(link.get()).ok().and_then(|linked| linked.id),
        };
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let next = answer.resolve(&text)?;
        self.seen.insert(self.target);
        if self.seen.contains(&next) || self.seen.len() >= answer.service.policy().pages {
            let why = "a next page that was read before, or one too many";
            return Err(Error::malformed("/Members@odata.nextLink", why));
        }
        Ok(Some(GetPage { target: next, seen: self.seen }))
    }
}

impl Operation for GetPage {
    type Output = Page;

    fn request(&self) -> Request {
        Request::get(&self.target)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let refuses = match answer.status().as_u16() {
            401 | 429 => false,
            status => (400..500).contains(&status) || status == 501,
        };
        match self.target.unexpanded().filter(|_| refuses) {
            Some(target) => Ok(Transition::Next(GetPage { target, ..self })),
            None => self.read(&answer).map(Transition::Done),
        }
    }
}

/// The URI of a member that was made in a collection: `Location`, else the body's `@odata.id`, where it can be that of
/// one. Only the path counts, since services answer with their own name, port or scheme.
pub(crate) fn created_uri(
    answer: &Answer,
    collection: &Target,
    can_be: impl Fn(&Target) -> bool,
) -> Option<Target> {
    let located = answer.location_header().and_then(|location| {
        let location = location.trim().to_owned();
        let target = answer.resolve_path_only(&location).ok()?;
        let relative = !location.starts_with('/') && !location.contains("://");
        let (parent, member) = target.split_member();
        if relative && parent != collection.path() {
            // `c4` and `Sessions/c4` mean a member of the collection that was posted to, not a sibling of it.
            return answer.resolve_path_only(&format!("{}/{member}", collection.path())).ok();
        }
        Some(target)
    });
    let named = || {
        let body: Value = answer.json().ok()?;
        answer.resolve_path_only(body.get("@odata.id")?.as_str()?).ok()
    };
    located.filter(&can_be).or_else(|| named().filter(&can_be))
}

/// The position of each member in the body: nothing is copied, and a member is parsed only when it is used.
fn members(body: &Bytes, raw: &[&RawValue], redactor: &Arc<Redactor>) -> Vec<Member> {
    let start = body.as_ptr() as usize;
    let locate = |raw: &&RawValue| {
        let from = u32::try_from((raw.get().as_ptr() as usize).checked_sub(start)?).ok()?;
        let length = u32::try_from(raw.get().len()).ok()?;
        let range = from..from.checked_add(length)?;
        Some(Member { body: body.clone(), range, redactor: Arc::clone(redactor) })
    };
    let mut members = Vec::with_capacity(raw.len());
    members.extend(raw.iter().filter_map(locate));
    members
}

impl Member {
    /// As the service wrote it.
    pub fn as_bytes(&self) -> &[u8] {
        let Range { start, end } = self.range;
        self.body.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Its `@odata.id`.
    pub fn link(&self) -> Option<Cow<'_, str>> {
        serde_json::from_slice::<Linked<'_>>(self.as_bytes()).ok()?.id
    }

    /// Whether it is a link and nothing else, so that the resource has still to be read.
    pub fn is_link(&self) -> bool {
        type Members<'a> = std::collections::BTreeMap<Cow<'a, str>, &'a RawValue>;
        let members = serde_json::from_slice::<Members<'_>>(self.as_bytes());
        members.is_ok_and(|members| members.len() == 1 && members.contains_key("@odata.id"))
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] with the JSON pointer of what does not fit, from the member on.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        json::read(strip_bom(self.as_bytes()), usize::MAX)
            .map_err(|(at, reason)| Error::malformed(self.redactor.clean(&at), self.redactor.clean(&reason)))
    }

    /// The whole resource, which is at that target.
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

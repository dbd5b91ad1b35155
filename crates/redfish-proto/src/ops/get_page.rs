//! Collections, page by page (DSP0266, "Resource collections").

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
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
use crate::service::Service;
use crate::target::{Target, needs_no_change};
use crate::target_set::{TargetKey, TargetSet};
use crate::view::{self, Decode};

/// Maximum number of members of one collection that are remembered, 8 bytes each. Later ones may be returned twice.
const MAX_REMEMBERED: usize = 1_000_000;

/// Maximum number of pages in a row without a new member, for services that generate endless pages.
const MAX_EMPTY_PAGES: usize = 100;

/// Reads one page of a collection, and returns the operation that reads the next one.
///
/// `Members@odata.nextLink` is followed as long as there is one. `Members@odata.count` is not used for that, since
/// some counts are wrong. A link that was followed before is an error, since some pages link to themselves, and so is
/// the link after more than 100 pages in a row without a new member.
///
/// A member that was returned before, on this or an earlier page, is not returned again: some services return all
/// members and a link to the following ones as well. Members are remembered as hashes of 8 bytes of their targets, up to
/// a million. A member without a link is always returned.
///
/// Some services offer `$expand` and refuse it at some collections, or together with `$select`. After a 4xx or 501, a page
/// is read once more without it, and its members are links.
///
/// A page without `Members`, because `$select` leaves them out, is an error.
#[derive(Clone, Debug)]
pub struct GetPage {
    target: Target,
    /// The earlier pages.
    visited: TargetSet,
    /// The members of the earlier pages.
    returned: TargetSet,
    /// The number of pages without a new member before this one.
    empty_pages: usize,
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
    /// The number of members that were left out, because they were returned before.
    pub repeated: usize,
    /// The number of members on all pages, as the service reports it. It may be wrong.
    pub count: Option<u64>,
    /// Reads the next page; `None` at the end. An error if the link leaves the origin or was followed before, or if too
    /// many pages had no new member. This page is complete nevertheless.
    pub next: Result<Option<GetPage>, Error>,
}

/// A member of a page: only a link, or the whole resource. It is a part of the page's body and is parsed when it is
/// used.
#[derive(Clone)]
pub struct Member {
    body: Bytes,
    range: Range<u32>,
    origin: Arc<Origin>,
}

/// The page that members are in.
struct Origin {
    service: Arc<Service>,
    target: Target,
    redactor: Arc<Redactor>,
}

impl Origin {
    fn of(answer: &Answer) -> Arc<Origin> {
        Arc::new(Origin {
            service: Arc::clone(&answer.service),
            target: answer.target.clone(),
            redactor: Arc::clone(&answer.redactor),
        })
    }
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
    #[serde(borrow, rename = "@odata.type")]
    odata_type: Option<&'a RawValue>,
}

impl RawPage<'_> {
    /// The number of members that the service reports, also as text.
    fn count(&self) -> Option<u64> {
        self.count?.get().trim_matches('"').trim().parse().ok()
    }

    /// Whether its type is that of a collection, such as `#LogEntryCollection.LogEntryCollection`.
    fn is_collection(&self) -> bool {
        let odata_type = self.odata_type.and_then(|raw| json::part::<String>(raw.get())).unwrap_or_default();
        let mut names = odata_type.split('.');
        [names.next(), names.next_back()]
            .iter()
            .all(|name| name.is_some_and(|name| name.ends_with("Collection")))
    }
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "@odata.id")]
    id: Option<&'a RawValue>,
}

impl<'a> Reference<'a> {
    /// The link of a member or of another object, if it has one, or a link that is a plain string.
    fn link_of(object: &'a str) -> Option<Cow<'a, str>> {
        // A usual link is recognized without parsing.
        if let Some(link) = usual_link(object) {
            return Some(Cow::Borrowed(link));
        }
        let text = |raw: &'a str| {
            let link = serde_json::from_str::<&str>(raw).map(Cow::Borrowed).ok();
            link.or_else(|| json::part(raw).map(Cow::Owned))
        };
        let link = if object.starts_with('"') {
            // CIMC sends links as plain strings.
            text(object)
        } else if let Ok(reference) = serde_json::from_str::<Reference<'_>>(object) {
            text(reference.id?.get())
        } else {
            json::part::<Value>(object)?.get("@odata.id")?.as_str().map(|link| link.to_owned().into())
        };
        link.filter(|link| is_link(link))
    }
}

/// The name of a link, in quotes.
const ODATA_ID: &str = "\"@odata.id\"";

/// The link of an object that starts with it, as most do, if it is a path without escapes.
fn usual_link(object: &str) -> Option<&str> {
    let member = object.strip_prefix('{')?.trim_start();
    let value = member.strip_prefix(ODATA_ID)?.trim_start().strip_prefix(':')?.trim_start();
    let text = value.strip_prefix('"')?;
    let end = text.bytes().position(|byte| matches!(byte, b'"' | b'\\'))?;
    let (link, rest) = text.split_at_checked(end)?;
    let is_usual = link.starts_with('/') && rest.starts_with('"') && !may_repeat_link(rest);
    is_usual.then_some(link)
}

/// Whether the rest of an object may have a second link, of which the last one counts. The links of objects within it are
/// their first members.
fn may_repeat_link(rest: &str) -> bool {
    rest.match_indices(ODATA_ID).any(|(at, _)| {
        let before = rest.get(..at).unwrap_or_default().trim_ascii_end();
        !before.ends_with('{')
    })
}

impl GetPage {
    /// The first page of a collection.
    pub fn first(target: Target) -> GetPage {
        let (visited, returned) = (TargetSet::default(), TargetSet::default());
        GetPage { target, visited, returned, empty_pages: 0 }
    }

    /// The target of the page.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The same page without `$expand`, if it has that.
    pub(crate) fn unexpanded(&self) -> Option<GetPage> {
        Some(GetPage { target: self.target.unexpanded()?, ..self.clone() })
    }

    /// Whether a response may be the refusal of `$expand`.
    pub(crate) fn refuses_expand(answer: &Answer) -> bool {
        match answer.status().as_u16() {
            401 | 429 => false,
            status => (400..500).contains(&status) || status == 501,
        }
    }

    /// Whether a page has fewer members than its count says, members without a link, or the same link several times. The
    /// following pages of some services overlap, which is no fault.
    pub(crate) fn lacks_members(&self, page: &Page) -> bool {
        let known = self.returned.len() + page.members.len();
        let is_last = matches!(page.next, Ok(None));
        page.left_out > 0
            || page.members.iter().any(|member| member.link().is_none())
            || (page.repeated > 0 && self.visited.len() == 0)
            || (is_last && page.count.is_some_and(|count| (known as u64) < count))
    }

    /// Reads the page in a response.
    pub(crate) fn read(self, answer: &Answer) -> Result<Page, Error> {
        answer.check()?;
        let (page, body): (RawPage<'_>, _) = answer.json_and_text()?;
        let found = match &page.members {
            Some(raw) => self.new_members(raw, body, answer),
            None if self.is_empty_collection(&page) => NewMembers::default(),
            None => NewMembers { members: vec![self.single_member(answer)?], ..NewMembers::default() },
        };
        let NewMembers { members, left_out, repeated, keys } = found;
        let next = match page.next {
            Some(link) => self.after(members.len(), keys).next_page(link, answer),
            None => Ok(None),
        };
        let next = next.map_err(|error| answer.stamp(error));
        let messages = Message::beside_data(body, &answer.redactor);
        let (flaws, count) = (answer.flaws(), page.count());
        Ok(Page { members, left_out, flaws, messages, repeated, count, next })
    }

    /// The members of a page that were not returned before, except for empty ones. Nothing is copied, and a member is
    /// parsed only when it is used.
    fn new_members(&self, raw: &[&RawValue], body: &Bytes, answer: &Answer) -> NewMembers {
        let mut found = NewMembers {
            members: Vec::with_capacity(raw.len()),
            keys: HashSet::with_capacity(raw.len()),
            ..NewMembers::default()
        };
        let origin = Origin::of(answer);
        for raw in raw {
            let link = Reference::link_of(raw.get());
            // Two links may differ only in what could not be read.
            let key = link.as_ref().filter(|link| !link.contains('\u{fffd}')).map(|link| key(link, answer));
            match Member::locate(raw, body, &origin).filter(|_| link.is_some() || !is_empty(raw.get())) {
                None => found.left_out += 1,
                Some(_) if key.is_some_and(|key| self.returned.contains(key) || !found.keys.insert(key)) => {
                    found.repeated += 1;
                }
                Some(member) => found.members.push(member),
            }
        }
        found
    }

    /// Remembers what this page contained.
    fn after(mut self, members: usize, keys: HashSet<TargetKey>) -> GetPage {
        self.visited.extend([TargetKey::of(&self.target)]);
        self.returned.extend(keys.into_iter().take(MAX_REMEMBERED.saturating_sub(self.returned.len())));
        self.empty_pages = if members == 0 { self.empty_pages + 1 } else { 0 };
        self
    }

    /// With the query `only`, the response is the member itself instead of a collection (DSP0266, "only").
    fn single_member(&self, answer: &Answer) -> Result<Member, Error> {
        let body = answer.body()?;
        let has_only = self.target.query().is_some_and(|query| query.split('&').any(|part| part == "only"));
        match (has_only, u32::try_from(body.len())) {
            (true, Ok(end)) => Ok(Member { body: body.clone(), range: 0..end, origin: Origin::of(answer) }),
            _ if self.leaves_out_members() => {
                let reason =
                    "the member is missing: $select has neither Members nor a path such as Members/Id";
                Err(Error::malformed("/Members", reason))
            }
            _ => Err(Error::malformed("/Members", "the member is missing: not a collection")),
        }
    }

    /// Whether a page without `Members` is that of an empty collection. AMI leaves them out then; a selection leaves out those
    /// of any collection.
    fn is_empty_collection(&self, page: &RawPage<'_>) -> bool {
        match page.count() {
            Some(count) => count == 0,
            None => page.is_collection() && !self.leaves_out_members(),
        }
    }

    /// Whether `$select` is without the members (DSP0266, "The $select query parameter").
    fn leaves_out_members(&self) -> bool {
        let has_members =
            |paths: String| paths.split(',').any(|path| path.trim().split('/').next() == Some("Members"));
        self.target.parameter("$select").is_some_and(|paths| !has_members(paths))
    }

    fn next_page(self, link: &RawValue, answer: &Answer) -> Result<Option<GetPage>, Error> {
        // Some services send the link as an object.
        let text = match json::part::<Value>(link.get()) {
            Some(Value::String(text)) => Some(text),
            Some(Value::Null) => None,
            Some(Value::Object(object)) => object.get("@odata.id").and_then(Value::as_str).map(str::to_owned),
            _ => return Err(Error::malformed("/Members@odata.nextLink", "not a link")),
        };
        // A query alone is the next page of this collection.
        let text = text.filter(|text| !matches!(text.trim(), "" | "#"));
        let Some(text) = text else { return Ok(None) };
        let next = answer.resolve(&text)?;
        let limit = if self.visited.contains(TargetKey::of(&next)) {
            "the next page was read before"
        } else if self.visited.len() >= answer.service.policy().pages {
            "the limit of pages is exceeded"
        } else if self.empty_pages > MAX_EMPTY_PAGES {
            "too many pages in a row have no new member"
        } else {
            return Ok(Some(GetPage { target: next, ..self }));
        };
        Err(Error::malformed("/Members@odata.nextLink", limit))
    }
}

/// The members of a page that were not returned before.
#[derive(Default)]
struct NewMembers {
    members: Vec<Member>,
    left_out: usize,
    repeated: usize,
    /// The keys of those that have a link.
    keys: HashSet<TargetKey>,
}

/// The key under which a member is remembered. A link that is not followed, such as one to another origin, is remembered
/// as it is.
fn key(link: &str, answer: &Answer) -> TargetKey {
    if needs_no_change(link) {
        return TargetKey::of_text(link);
    }
    answer.resolve(link).map_or_else(|_| TargetKey::of_text(link), |target| TargetKey::of(&target))
}

impl Operation for GetPage {
    type Output = Page;

    fn request(&self) -> Request {
        Request::get(&self.target)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        match self.unexpanded().filter(|_| GetPage::refuses_expand(&answer)) {
            Some(plain) => Ok(Transition::Next(plain)),
            None => self.read(&answer).map(Transition::Done),
        }
    }
}

/// The URI of a member that was created in a collection: `Location`, or else the body's `@odata.id`, if it is a
/// possible one. Only its path is used, since services use their own name, port or scheme. A `Location` that is not ASCII
/// cannot be sent back as it is, and a 404 for another spelling would look as if the member were gone.
pub(crate) fn created_uri(
    answer: &Answer,
    collection: &Target,
    is_candidate: impl Fn(&Target) -> bool,
) -> Option<Target> {
    let located = answer.location_header().filter(|location| location.is_ascii()).and_then(|location| {
        let location = location.trim().to_owned();
        // A query alone is no resource of its own.
        if location.starts_with(['?', '#']) {
            return None;
        }
        if !location.starts_with('/') && !location.contains("://") {
            // `c4` and `Sessions/c4` mean a member of the collection itself, not a sibling of the collection.
            let within = format!("/{}/", collection.split_member().1);
            let path = format!("/{}", location.trim_start_matches("./"));
            let below = path.split_once(&within).map_or(path.trim_start_matches('/'), |(_, below)| below);
            return answer.resolve_path_only(&format!("{}/{below}", collection.path())).ok();
        }
        answer.resolve_path_only(&location).ok()
    });
    let named = || {
        let body: Value = answer.json().ok()?;
        answer.resolve_path_only(link_at(&body, "/@odata.id")?).ok()
    };
    located.filter(&is_candidate).or_else(|| named().filter(&is_candidate))
}

/// Whether a member without a link is not a resource either, such as `null` or `{"@odata.id": ""}`.
fn is_empty(member: &str) -> bool {
    let Some(members) = member.strip_prefix('{').map(str::trim_start) else { return true };
    if members.starts_with("\"@odata.id\"") {
        count_members(member.as_bytes()) == Some(1)
    } else {
        members.starts_with('}')
    }
}

/// The number of members of a JSON object.
fn count_members(object: &[u8]) -> Option<usize> {
    type ByName<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;
    serde_json::from_slice::<ByName<'_>>(object).ok().map(|members| members.len())
}

impl Member {
    /// The member at its position in the body.
    fn locate(raw: &RawValue, body: &Bytes, origin: &Arc<Origin>) -> Option<Member> {
        let start = (raw.get().as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
        let start = u32::try_from(start).ok()?;
        let range = start..start.checked_add(u32::try_from(raw.get().len()).ok()?)?;
        Some(Member { body: body.clone(), range, origin: Arc::clone(origin) })
    }

    /// The member as the service sent it, except for what had to be repaired to be read.
    pub fn as_bytes(&self) -> &[u8] {
        let Range { start, end } = self.range;
        self.body.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The same, as a part of the page's body.
    pub(crate) fn body(&self) -> Bytes {
        let Range { start, end } = self.range;
        self.body.slice(start as usize..end as usize)
    }

    /// Its `@odata.id`. `None` if that is missing, empty, or not a text.
    pub fn link(&self) -> Option<Cow<'_, str>> {
        Reference::link_of(std::str::from_utf8(self.as_bytes()).ok()?)
    }

    /// Whether it is only a link, so that the resource has still to be read.
    pub fn is_link(&self) -> bool {
        let is_text = self.as_bytes().starts_with(b"\"");
        self.link().is_some() && (is_text || count_members(self.as_bytes()) == Some(1))
    }

    /// Reads the member as a type: a view, or a type of serde.
    ///
    /// # Errors
    /// [`Malformed`](crate::ErrorKind::Malformed) with the JSON pointer of what does not fit, relative to the member.
    pub fn json<T: Decode>(&self) -> Result<T, Error> {
        let Origin { service, target, redactor } = &*self.origin;
        view::read_part(&self.body(), service, target)
            .map_err(|(pointer, reason)| Error::malformed(redactor.clean(&pointer), redactor.clean(&reason)))
    }

    /// The whole resource, whose target is known.
    pub(crate) fn resource<T: Decode>(&self, target: Target) -> Result<Resource<T>, Error> {
        Ok(Resource::new(self.json()?, target, None, self.body()))
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} bytes)", self.as_bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::driver::{Now, Step};
    use crate::identity::Identity;
    use crate::service::Service;

    fn first() -> GetPage {
        GetPage::first(Target::well_known("/c?page=0"))
    }

    /// Reads a page with these members and a link to the page of this number.
    fn read(page: GetPage, members: &[&str], next: usize) -> Page {
        let service = Arc::new(Service::new("bmc").unwrap());
        let call = service.call(page).with_identity(Identity::anonymous(&service));
        let Step::Send(_, reply) = call.start(Now::default()) else { panic!("expected a request") };
        let members: Vec<Value> = members.iter().map(|link| json!({"@odata.id": link})).collect();
        let body = json!({"Members": members, "Members@odata.nextLink": format!("/c?page={next}")});
        let head = http::Response::new(()).into_parts().0;
        match reply.receive(head, Ok(body.to_string().into()), Now::default()) {
            Step::Done(page) => page.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn next(page: Page) -> GetPage {
        page.next.unwrap().unwrap()
    }

    #[test]
    fn more_than_100_pages_in_a_row_without_a_new_member_end_the_collection() {
        let mut page = next(read(first(), &["/c/1"], 1));
        for number in 1..=100 {
            page = next(read(page, &["/c/1"][number % 2..], number + 1));
        }
        // A new member begins a new row.
        let mut page = next(read(page, &["/c/1", "/c/2"], 102));
        for number in 102..=201 {
            page = next(read(page, &[], number + 1));
        }
        let end = read(page, &[], 203).next.unwrap_err();
        assert!(end.to_string().contains("too many pages in a row have no new member"), "{end}");
    }

    #[test]
    fn a_page_reports_how_many_members_were_returned_before() {
        let page = read(first(), &["/c/1", "/c/2", "/c/1", "https://elsewhere/1"], 1);
        assert_eq!((page.members.len(), page.repeated), (3, 1));
        // A clone reads the page again with the same result.
        let second = next(page);
        for page in [second.clone(), second] {
            let page = read(page, &["https://elsewhere/1", "/c/2", "/c/3", "https://bmc/c/1"], 2);
            let links: Vec<_> = page.members.iter().filter_map(Member::link).collect();
            assert_eq!((links, page.repeated), (vec!["/c/3".into()], 3));
        }
    }

    #[test]
    fn only_a_selection_without_members_leaves_them_out() {
        for (target, expected) in [
            ("/c?$select=Id,Name", true),
            ("/c?a=b&$select=Status/Members", true),
            ("/c?%24select=Name%2CMembers@odata.count", true),
            ("/c?$select=Members/Id", false),
            ("/c?$select=Name,%20Members", false),
            ("/c?%24select=Name%2CMembers%2FId", false),
            ("/c?select=Name", false),
            ("/c", false),
        ] {
            let page = GetPage::first(Target::well_known(target));
            assert_eq!(page.leaves_out_members(), expected, "{target}");
        }
    }

    #[test]
    fn the_number_of_remembered_members_is_limited() {
        let mut page = first();
        let earlier = (1..MAX_REMEMBERED).map(|number| TargetKey::of_text(&format!("/c/{number}")));
        page.returned.extend(earlier);
        let page = next(read(page, &["/d/1", "/d/2"], 1));
        assert_eq!(page.returned.len(), MAX_REMEMBERED);
        assert_eq!(read(page, &["/d/1", "/d/2"], 2).repeated, 1);
    }
}

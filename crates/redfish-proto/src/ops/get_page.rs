//! Collections, page by page (DSP0266, "Resource collections").

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::json::Flaws;
use crate::link::link_at;
use crate::message::Message;
use crate::operation::{Operation, Request, Transition};
use crate::ops::member::{self, Member, is_empty};
use crate::target::{Target, needs_no_change};
use crate::target_set::{TargetKey, TargetSet};
use crate::view::{self, Json, JsonRef, Text};

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

/// A page as it was received.
struct RawPage(Json);

impl RawPage {
    fn read(answer: &Answer) -> Result<RawPage, Error> {
        let page: Json = answer.decode()?;
        if page.get_ref().is_object() { Ok(RawPage(page)) } else { Err(answer.not_a_resource()) }
    }

    /// `Members`, unless it is missing, so that the resource is not a collection.
    fn members(&self) -> Option<JsonRef<'_>> {
        self.0.get_ref().find(&["Members"])
    }

    /// The number of members that the service reports, also as text.
    fn count(&self) -> Option<u64> {
        self.0.read::<Option<Text>>("Members@odata.count")?.trim().parse().ok()
    }

    /// Whether its type is that of a collection, such as `#LogEntryCollection.LogEntryCollection`.
    fn is_collection(&self) -> bool {
        let odata_type = self.0.odata_type().unwrap_or_default();
        let mut names = odata_type.split('.');
        [names.next(), names.next_back()]
            .iter()
            .all(|name| name.is_some_and(|name| name.ends_with("Collection")))
    }
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
        let page = RawPage::read(answer)?;
        let body = page.0.bytes();
        let found = match page.members() {
            Some(members) if !members.is_null() => self.new_members(members, &body, answer),
            Some(_) => NewMembers::default(),
            None if self.is_empty_collection(&page) => NewMembers::default(),
            None => NewMembers { members: vec![self.single_member(answer)?], ..NewMembers::default() },
        };
        let NewMembers { members, left_out, repeated, keys } = found;
        let next = match page.0.member("Members@odata.nextLink") {
            view::Member::Value(link) => self.after(members.len(), keys).next_page(&link, answer),
            view::Member::Absent | view::Member::Null => Ok(None),
        };
        let next = next.map_err(|error| answer.stamp(error));
        let messages = Message::beside_data(&body, &answer.redactor);
        let (flaws, count) = (answer.flaws(), page.count());
        Ok(Page { members, left_out, flaws, messages, repeated, count, next })
    }

    /// The members of a page that were not returned before, except for empty ones. Nothing is copied, and a member is
    /// parsed only when it is used. One value in place of the list is the only member.
    fn new_members(&self, members: JsonRef<'_>, body: &Bytes, answer: &Answer) -> NewMembers {
        let members = members.item_refs();
        let expected = members.size_hint().0;
        let mut found = NewMembers {
            members: Vec::with_capacity(expected),
            keys: HashSet::with_capacity(expected),
            ..NewMembers::default()
        };
        let base = answer.base();
        for raw in members {
            let link = member::link_of(raw.bytes());
            // Two links may differ only in what could not be read.
            let key = link.as_ref().filter(|link| !link.contains('\u{fffd}')).map(|link| key(link, answer));
            match Member::locate(raw, body, &base).filter(|_| link.is_some() || !is_empty(raw.bytes())) {
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
            (true, Ok(end)) => Ok(Member::new(body.clone(), 0..end, answer.base())),
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
    fn is_empty_collection(&self, page: &RawPage) -> bool {
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

    fn next_page(self, link: &Json, answer: &Answer) -> Result<Option<GetPage>, Error> {
        // Some services send the link as an object.
        let text = match link.get_ref().first_byte() {
            Some(b'"') => link.get_ref().to_str().map(Cow::into_owned),
            Some(b'{') => link.odata_id().map(String::from),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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

//! The requests of a walk.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::document::{Document, RawLink};
use crate::answer::Answer;
use crate::base::Base;
use crate::error::Error;
use crate::etag::ETag;
use crate::features::Features;
use crate::link::is_link;
use crate::operation::{Auth, Operation, Request, Transition};
use crate::ops::follow_links::root;
use crate::ops::{CheckService, GetPage, Member};
use crate::redact::SafeText;
use crate::resource::Resource;
use crate::target::Target;
use crate::view::{self, Decode};

/// A request of a [`Walk`](super::Walk): an operation, which its driver runs like any other.
#[derive(Clone, Debug)]
pub struct Fetch {
    pub(super) purpose: Purpose,
    /// Maximum number of links that are taken from a response.
    pub(super) max_links: usize,
    /// Whether it is sent again, so that the call itself does not repeat it.
    pub(super) is_repetition: bool,
    /// Whether a 401 is the response at once: the walk checks what it means.
    pub(super) accepts_401: bool,
    /// The resource, without a query that the walk has added.
    uri: Option<Target>,
    /// Whether the service refused `$expand`.
    refused_expand: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A resource, or the first page of a collection.
    Resource(GetPage),
    /// A further page of a collection.
    Page(GetPage),
    /// What queries the service supports.
    Features,
    /// Whether the service responds.
    Service,
    /// Whether the service still accepts the credentials, at a resource that was read with them.
    Credentials(Target),
}

/// What a [`Fetch`] has read.
#[derive(Debug)]
pub struct Fetched(pub(super) Contents);

#[derive(Debug)]
pub(super) enum Contents {
    Resource(Box<Scanned>, Option<PageContents>),
    Page(PageContents),
    Features(Features),
    /// The answer of the service to a check is a success.
    Confirmed,
}

/// A page of a collection.
#[derive(Debug)]
pub(super) struct PageContents {
    pub(super) target: Target,
    /// The name of the collection's type.
    pub(super) type_name: Box<str>,
    pub(super) members: Vec<FoundMember>,
    pub(super) left_out: usize,
    /// Whether members are missing, are there twice, or have no link.
    lacks_members: bool,
    pub(super) next: Result<Option<GetPage>, Error>,
    /// Whether the members are entries of a log.
    pub(super) is_log: bool,
    /// Whether there were more links than are taken.
    pub(super) overflows: bool,
    /// Whether the service refused `$expand`.
    pub(super) refused_expand: bool,
}

/// A member of a page.
#[derive(Debug)]
pub(super) struct FoundMember {
    /// `None` if it has none.
    pub(super) link: Option<FoundLink>,
    /// The resource, unless it is only a link.
    pub(super) resource: Option<Box<Scanned>>,
    /// Whether the link has a fragment, so that the member is only a part of the resource at the link's target.
    pub(super) is_part: bool,
}

/// A resource and its links.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) resource: Resource<()>,
    pub(super) base: Arc<Base>,
    /// The name of its type, such as `ComputerSystem`. Empty if it is unknown.
    pub(super) type_name: Box<str>,
    pub(super) is_complete: bool,
    pub(super) links: Vec<FoundLink>,
    pub(super) overflows: bool,
    /// Number of bytes that are held until it is taken. The last member of a page holds the page.
    pub(super) held: usize,
}

/// A link to another resource.
#[derive(Debug)]
pub(super) struct FoundLink {
    pub(super) name: Box<str>,
    /// Its target without a fragment, or its text and why it cannot be followed.
    pub(super) to: Result<Target, Box<(SafeText, Error)>>,
    pub(super) is_relation: bool,
    pub(super) is_single: bool,
}

impl Fetch {
    pub(super) fn new(purpose: Purpose, max_links: usize) -> Fetch {
        Fetch {
            purpose,
            max_links,
            is_repetition: false,
            accepts_401: false,
            uri: None,
            refused_expand: false,
        }
    }

    /// Reads a resource, or the first page of a collection with this query.
    pub(super) fn resource(target: Target, query: Option<&str>, max_links: usize) -> Fetch {
        let (requested, uri) = match query {
            Some(query) => (target.with_raw_query(query), Some(target)),
            None => (target, None),
        };
        Fetch { uri, ..Fetch::new(Purpose::Resource(GetPage::first(requested)), max_links) }
    }

    /// Reads what queries the service supports.
    pub(super) fn features() -> Fetch {
        Fetch::new(Purpose::Features, 0)
    }

    /// Its target.
    pub fn target(&self) -> Target {
        match &self.purpose {
            Purpose::Resource(page) | Purpose::Page(page) => page.target().clone(),
            Purpose::Credentials(target) => target.clone(),
            Purpose::Features | Purpose::Service => root(),
        }
    }

    /// The same without `$expand`, if it has that.
    pub(super) fn unexpanded(&self) -> Option<Fetch> {
        let purpose = match &self.purpose {
            Purpose::Resource(page) => Purpose::Resource(page.unexpanded()?),
            Purpose::Page(page) => Purpose::Page(page.unexpanded()?),
            Purpose::Features | Purpose::Service | Purpose::Credentials(_) => return None,
        };
        Some(Fetch { purpose, ..self.clone() })
    }

    /// Reads a resource, and the members of a collection.
    fn read(&self, page: &GetPage, is_first: bool, answer: &Answer) -> Result<Contents, Error> {
        answer.check()?;
        if !answer.is_object()? {
            return Err(answer.not_a_resource());
        }
        let (document, body): (Document<'_>, _) = answer.json_and_text()?;
        let uri = self.uri.as_ref().unwrap_or(page.target());
        let resource = Resource::new((), uri.clone(), ETag::of(answer), body.clone());
        let is_log = is_of_log(document.odata_type.as_deref(), page.target());
        let (links, overflows) = Scanned::links_in(&document.links, self.max_links, answer);
        let scanned = Scanned {
            resource,
            base: answer.base_at(uri.clone()),
            type_name: type_name(document.odata_type.as_deref()).into(),
            is_complete: document.is_complete(),
            overflows,
            links,
            held: body.len(),
        };
        if is_first && !document.has_members {
            return Ok(Contents::Resource(Box::new(scanned), None));
        }
        let mut left = self.max_links.saturating_sub(scanned.links.len());
        let contents = page.clone().read(answer)?;
        let lacks_list = !document.has_members && contents.count != Some(0);
        let lacks_members = lacks_list || page.lacks_members(&contents);
        let mut members = Vec::with_capacity(contents.members.len().min(left));
        let mut overflows = contents.members.len() > left;
        for member in contents.members.iter().take(left) {
            let found = FoundMember::read(member, answer, left);
            left = left.saturating_sub(found.resource.as_ref().map_or(0, |resource| resource.links.len()));
            overflows |= found.resource.as_ref().is_some_and(|resource| resource.overflows);
            members.push(found);
        }
        let last = members.iter_mut().rev().find_map(|member| member.resource.as_mut());
        last.into_iter().for_each(|last| last.held = body.len());
        let page = PageContents {
            target: answer.target().clone(),
            type_name: scanned.type_name.clone(),
            left_out: contents.left_out,
            lacks_members,
            next: contents.next,
            is_log: is_log || members.iter().any(FoundMember::is_log_entry),
            members,
            overflows,
            refused_expand: self.refused_expand,
        };
        Ok(if is_first { Contents::Resource(Box::new(scanned), Some(page)) } else { Contents::Page(page) })
    }
}

impl Scanned {
    /// The links that lead to another resource, and whether there are more than `max`.
    fn links_in(links: &[RawLink<'_>], max: usize, answer: &Answer) -> (Vec<FoundLink>, bool) {
        let mut found = links.iter().filter_map(|link| {
            let (name, is_relation, is_single) = (&*link.name, link.is_relation, link.is_single);
            Some(FoundLink { name: name.into(), to: resolve(&link.link, answer)?, is_relation, is_single })
        });
        let taken = found.by_ref().take(max).collect();
        (taken, found.next().is_some())
    }

    /// Reads it into a type.
    pub(super) fn json<T: Decode>(&self) -> Result<T, Error> {
        view::read(self.resource.raw(), &self.base)
    }

    /// The error of what does not fit: a JSON pointer, and the reason.
    pub(super) fn malformed(&self, (pointer, reason): (String, String)) -> Error {
        self.base.malformed(&pointer, &reason)
    }
}

impl FoundMember {
    fn read(member: &Member, answer: &Answer, max_links: usize) -> FoundMember {
        let is_part = member.link().is_some_and(|link| link.contains('#'));
        let to = member.link().and_then(|link| resolve(&link, answer));
        let link =
            to.map(|to| FoundLink { name: "Members".into(), to, is_relation: false, is_single: false });
        if link.is_some() && member.is_link() {
            return FoundMember { link, resource: None, is_part };
        }
        let target = match &link {
            Some(FoundLink { to: Ok(target), .. }) => target.clone(),
            // It has no URI of its own, so that nothing can be written to it.
            _ => answer.target().part("/Members"),
        };
        let document: Document<'_> = serde_json::from_slice(member.as_bytes()).unwrap_or_default();
        let (links, overflows) = Scanned::links_in(&document.links, max_links, answer);
        let resource = Scanned {
            base: answer.base_at(target.clone()),
            resource: Resource::new((), target, None, member.body()),
            type_name: type_name(document.odata_type.as_deref()).into(),
            is_complete: document.is_complete(),
            overflows,
            links,
            held: 0,
        };
        FoundMember { link, resource: Some(Box::new(resource)), is_part }
    }

    fn is_log_entry(&self) -> bool {
        self.resource.as_ref().is_some_and(|resource| &*resource.type_name == "LogEntry")
    }
}

/// Whether the response to a request with `$expand` may lack members, or their links.
fn is_badly_expanded(contents: &Contents) -> bool {
    match contents {
        // Something else than a collection may be expanded, too.
        Contents::Resource(scanned, None) => {
            !scanned.is_complete || scanned.type_name.ends_with("Collection")
        }
        Contents::Resource(_, Some(page)) | Contents::Page(page) => page.lacks_members,
        Contents::Features(_) | Contents::Confirmed => false,
    }
}

/// The target of a link, without a fragment, which is a part of its resource. `None` if it is no link.
fn resolve(link: &str, answer: &Answer) -> Option<Result<Target, Box<(SafeText, Error)>>> {
    let link = link.split('#').next().filter(|link| is_link(link))?.trim();
    // It is not the error of this exchange.
    let failed = |error: Error| {
        let error = error.with_origin(answer.service.origin()).stamped(None, &answer.redactor);
        Box::new((answer.safe(link), error))
    };
    Some(answer.resolve(link).map_err(failed))
}

/// The name in a type such as `#ComputerSystem.v1_20_0.ComputerSystem`.
fn type_name(odata_type: Option<&str>) -> &str {
    odata_type.unwrap_or_default().trim_start_matches('#').split('.').next().unwrap_or_default()
}

/// Whether a collection is a log, by its type or its place.
fn is_of_log(odata_type: Option<&str>, target: &Target) -> bool {
    type_name(odata_type) == "LogEntryCollection" || target.path().contains("/LogServices/")
}

impl Operation for Fetch {
    type Output = Fetched;

    fn request(&self) -> Request {
        let request = match &self.purpose {
            // The call itself only replaces a stale connection.
            Purpose::Resource(page) | Purpose::Page(page) => {
                page.request().retried_at_once(u32::from(!self.is_repetition))
            }
            Purpose::Features => Request::get(&root()),
            Purpose::Service => CheckService.request(),
            Purpose::Credentials(target) => Request::get(target),
        };
        if self.accepts_401 { request.accepting_401() } else { request }
    }

    fn auth(&self) -> Auth {
        match &self.purpose {
            Purpose::Features | Purpose::Service => Auth::None,
            Purpose::Resource(_) | Purpose::Page(_) | Purpose::Credentials(_) => Auth::Session,
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let contents = match &self.purpose {
            Purpose::Resource(page) | Purpose::Page(page) => {
                let is_first = matches!(self.purpose, Purpose::Resource(_));
                let is_refusal = GetPage::refuses_expand(&answer);
                let plain = self.unexpanded();
                if let Some(plain) = plain.clone().filter(|_| is_refusal) {
                    return Ok(Transition::Next(Fetch { refused_expand: true, ..plain }));
                }
                let contents = self.read(page, is_first, &answer)?;
                if let Some(plain) = plain.filter(|_| is_badly_expanded(&contents)) {
                    return Ok(Transition::Next(plain));
                }
                contents
            }
            Purpose::Features => Contents::Features(Features::of(&answer.success()?.json::<Value>()?)),
            Purpose::Credentials(_) if answer.status() == StatusCode::UNAUTHORIZED => {
                return Err(answer.refusal());
            }
            Purpose::Service | Purpose::Credentials(_) => Contents::Confirmed,
        };
        Ok(Transition::Done(Fetched(contents)))
    }
}

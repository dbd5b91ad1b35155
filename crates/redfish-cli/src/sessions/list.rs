//! Reading all sessions of a service, as an operation over the core.
//!
//! ```text
//!   Root ── Links.Sessions ──▶ Page ──▶ Member, for each that is only a link ──▶ the next Page, or the list
//! ```

use redfish_proto::{Access, Answer, Error, ErrorKind, Operation, Request, Service, Target, Verdict};
use serde_json::Value;

/// Sessions that are looked at. A service has a few dozen at the most.
const MOST: usize = 1_000;

/// Reads all sessions of a service.
pub(crate) struct List {
    stage: Stage,
    found: Vec<Listed>,
    unread: Vec<Target>,
    pages: Vec<Target>,
    next_page: Option<Target>,
    /// The session of who asks, where the collection marks it (iLO).
    mine: Option<Target>,
}

enum Stage {
    Root(Target),
    Page(Target),
    Member(Target),
}

/// One session.
pub(crate) struct Listed {
    /// Its URI.
    pub(crate) at: Target,
    /// Whether the service marks it as that of who asks.
    pub(crate) marked: bool,
    resource: Value,
}

impl Listed {
    /// A member of its resource; nothing where it has none.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.resource.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether this is its URI.
    pub(crate) fn is_at(&self, at: &Target) -> bool {
        Listed::same(&self.at, at)
    }

    /// Whether both are the same place: a final slash makes no other.
    pub(crate) fn same(one: &Target, other: &Target) -> bool {
        one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
    }
}

impl List {
    pub(crate) fn new(service: &Service) -> Result<List, Error> {
        let stage = Stage::Root(service.target("/redfish/v1/")?);
        let (found, unread, pages) = (Vec::new(), Vec::new(), Vec::new());
        Ok(List { stage, found, unread, pages, next_page: None, mine: None })
    }

    fn root(mut self, answer: &Answer) -> Result<Verdict<Self>, Error> {
        let root: Value = answer.json()?;
        let link = root.pointer("/Links/Sessions/@odata.id").and_then(Value::as_str);
        let page = answer.resolve(link.unwrap_or("/redfish/v1/SessionService/Sessions"))?;
        self.stage = Stage::Page(page);
        Ok(Verdict::Next(self))
    }

    fn page(mut self, answer: &Answer) -> Result<Verdict<Self>, Error> {
        let page: Value = answer.json()?;
        let vendors = page.get("Oem").and_then(Value::as_object);
        let marked =
            vendors.and_then(|v| v.values().find_map(|v| v.pointer("/Links/MySession/@odata.id")?.as_str()));
        if let Some(link) = marked {
            self.mine = Some(answer.resolve(link)?);
        }
        for member in page.get("Members").and_then(Value::as_array).into_iter().flatten() {
            let Some(link) = member.get("@odata.id").and_then(Value::as_str) else { continue };
            let at = answer.resolve(link)?;
            match member.as_object().is_some_and(|member| member.len() > 1) {
                true => self.add(at, member.clone()),
                false => self.unread.push(at),
            }
        }
        self.unread.truncate(MOST);
        if let Some(link) = page.get("Members@odata.nextLink").and_then(Value::as_str) {
            let next = answer.resolve(link)?;
            self.pages.push(answer.at().clone());
            if self.pages.contains(&next) {
                let reason = "its pages go round in a circle".to_owned();
                return Err(Error::new(ErrorKind::Malformed {
                    at: "/Members@odata.nextLink".to_owned(),
                    reason,
                }));
            }
            self.next_page = Some(next);
        }
        Ok(self.go_on())
    }

    fn add(&mut self, at: Target, resource: Value) {
        let is_true = |holder: &Value| holder.get("MySession") == Some(&Value::Bool(true));
        let vendors = resource.get("Oem").and_then(Value::as_object);
        let marked = is_true(&resource) || vendors.is_some_and(|vendors| vendors.values().any(is_true));
        self.found.push(Listed { at, marked, resource });
    }

    fn go_on(mut self) -> Verdict<Self> {
        if let Some(at) = self.unread.pop() {
            self.stage = Stage::Member(at);
            return Verdict::Next(self);
        }
        if let Some(page) = self.next_page.take().filter(|_| self.found.len() < MOST) {
            self.stage = Stage::Page(page);
            return Verdict::Next(self);
        }
        for listed in &mut self.found {
            listed.marked |= self.mine.as_ref().is_some_and(|mine| listed.is_at(mine));
        }
        self.found.sort_by(|one, other| one.at.as_str().cmp(other.at.as_str()));
        Verdict::Done(self.found)
    }
}

impl Operation for List {
    type Output = Vec<Listed>;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Root(at) | Stage::Page(at) | Stage::Member(at) => Request::get(at),
        }
    }

    fn access(&self) -> Access {
        match self.stage {
            Stage::Root(_) => Access::Open,
            Stage::Page(_) | Stage::Member(_) => Access::Session,
        }
    }

    fn respond(mut self, answer: Answer) -> Result<Verdict<Self>, Error> {
        match &self.stage {
            Stage::Root(_) => self.root(&answer.success()?),
            Stage::Page(_) => self.page(&answer.success()?),
            Stage::Member(at) => {
                let at = at.clone();
                match answer.success() {
                    Ok(answer) => self.add(at, answer.json()?),
                    // It ended while the others were read.
                    Err(error) if *error.kind() == ErrorKind::NotFound => {}
                    // Those of others may be hidden from a role.
                    Err(error) if *error.kind() == ErrorKind::Forbidden => self.add(at, Value::Null),
                    Err(error) => return Err(error),
                }
                Ok(self.go_on())
            }
        }
    }
}

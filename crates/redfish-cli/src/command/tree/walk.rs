//! The walk of a service along its links, each resource once.
//!
//! ```text
//!   read a resource ──▶ its links ──▶ 1. below its own path
//!         ▲                           2. elsewhere, such as the drives of a storage
//!         └───── the next, by rank ◀─ 3. relations (`Links`, `RelatedItem`), only below the start
//! ```

use std::collections::{HashSet, VecDeque};

use redfish_proto::ops::Get;
use redfish_proto::{Error, Redactor, Target};
use serde_json::Value;

use crate::command::failures::{self, Failures};
use crate::command::members::{Pages, warn_of_empty_members};
use crate::failure::{Extent, Failure};
use crate::visit::Visit;

/// Maximum number of resources, for services that generate endless links.
const MAX_RESOURCES: usize = 100_000;

/// Maximum number of queued links.
const MAX_LINKS: usize = 100_000;

/// A resource in the tree.
pub(super) struct Node {
    /// Its URI, or a link to another service.
    pub(super) uri: String,
    pub(super) name: Option<String>,
    pub(super) power: Option<String>,
    pub(super) health: Option<String>,
    /// The kind of the failure, if it could not be read.
    pub(super) failed: Option<&'static str>,
    pub(super) children: Vec<usize>,
    depth: usize,
}

/// The walk and its result.
pub(super) struct Walk {
    /// The resources. The first is the start.
    pub(super) nodes: Vec<Node>,
    /// Links that lead to nothing, which are no failure of the walk.
    pub(super) warnings: Vec<Failure>,
    /// The other failures: of pages, of connections, and of the walk itself.
    pub(super) failures: Failures,
    /// The path below which relations are followed.
    scope: String,
    seen: HashSet<String>,
    pending: Pending,
}

/// The queued links, by rank.
#[derive(Default)]
struct Pending {
    links: [VecDeque<(usize, Route)>; 3],
    /// Number of links that were dropped, because there were too many.
    dropped: usize,
}

/// The target of a link, or the link and why it cannot be followed.
type Route = Result<Target, (String, Failure)>;

/// The relation of a link to its resource, in the order in which links are followed.
#[derive(Clone, Copy)]
enum Rank {
    Below,
    Elsewhere,
    Related,
}

impl Walk {
    /// Walks from `start`. Fails only if that cannot be read.
    pub(super) async fn run(start: Target, depth: usize, visit: &mut Visit) -> Result<Walk, Failure> {
        let mut walk = Walk {
            scope: key(start.path()).to_owned(),
            seen: HashSet::from([key(start.as_str()).to_owned()]),
            nodes: Vec::new(),
            warnings: Vec::new(),
            failures: Failures::default(),
            pending: Pending::default(),
        };
        walk.read(None, Ok(start), visit).await?;
        let mut line = visit.sink.progress();
        while let Some((parent, route)) = walk.next(depth) {
            if walk.nodes.len() > MAX_RESOURCES || !walk.failures.allow_more(visit).await {
                break;
            }
            line.show(&format!("{} resources read", walk.nodes.len()));
            if let Err(failure) = walk.read(Some(parent), route, visit).await {
                walk.note(failure, visit);
            }
        }
        drop(line);
        walk.check_limits(visit);
        Ok(walk)
    }

    /// Adds the failure of a service that has more than the walk reads.
    fn check_limits(&mut self, visit: &mut Visit) {
        let limit = if self.nodes.len() > MAX_RESOURCES {
            format!("there are more than {MAX_RESOURCES} resources")
        } else if self.pending.dropped > 0 {
            format!("more than {MAX_LINKS} links are queued; {} were dropped", self.pending.dropped)
        } else {
            return;
        };
        let error = Error::malformed("", Redactor::default().clean(&limit));
        self.failures.add(error.into(), visit);
    }

    /// Notes the failure of a link.
    fn note(&mut self, failure: Failure, visit: &mut Visit) {
        let leads_to_nothing = match failure.status() {
            _ if failure.is_transport() => false,
            Some(status) => matches!(status, 300..=399 | 401 | 403 | 404 | 410 | 501),
            None => true,
        };
        if leads_to_nothing && failures::extent(&failure, visit) == Extent::OneResource {
            self.warnings.push(failure);
        } else {
            self.failures.add(failure, visit);
        }
    }

    /// Reads a resource and queues its links. A further page that cannot be read is not its failure.
    async fn read(&mut self, parent: Option<usize>, route: Route, visit: &mut Visit) -> Result<(), Failure> {
        let (uri, read) = match route {
            Ok(target) => {
                let read = visit.run(|| Get::<Value>::new(target.clone())).await;
                (target.to_string(), read.map(|document| (target, document)))
            }
            Err((link, failure)) => (link, Err(failure)),
        };
        match read {
            Ok((target, document)) => {
                let number = self.add(parent, uri, Ok(&document));
                if let Err(failure) = self.queue_links(number, &target, &document, visit).await {
                    self.failures.add(failure, visit);
                }
                Ok(())
            }
            Err(failure) => {
                self.add(parent, uri, Err(failure.kind()));
                Err(failure)
            }
        }
    }

    /// The next link to a new resource.
    fn next(&mut self, depth: usize) -> Option<(usize, Route)> {
        loop {
            let (parent, route) = self.pending.pop()?;
            let uri = match &route {
                Ok(target) => key(target.as_str()),
                Err((link, _)) => link,
            };
            if self.nodes[parent].depth < depth && self.seen.insert(uri.to_owned()) {
                return Some((parent, route));
            }
        }
    }

    fn add(&mut self, parent: Option<usize>, uri: String, read: Result<&Value, &'static str>) -> usize {
        let text = |pointer: &str| Some(read.ok()?.pointer(pointer)?.as_str()?.to_owned());
        let number = self.nodes.len();
        self.nodes.push(Node {
            uri,
            name: text("/Name"),
            power: text("/PowerState"),
            health: text("/Status/Health").or_else(|| text("/Status/HealthRollup")),
            failed: read.err(),
            children: Vec::new(),
            depth: parent.map_or(0, |parent| self.nodes[parent].depth + 1),
        });
        if let Some(parent) = parent {
            self.nodes[parent].children.push(number);
        }
        number
    }

    /// Queues the links of a resource, including those on further pages of a collection. Fails if a page cannot be read.
    async fn queue_links(
        &mut self,
        number: usize,
        target: &Target,
        document: &Value,
        visit: &mut Visit,
    ) -> Result<(), Failure> {
        let mut found = Vec::new();
        collect(document, Rank::Elsewhere, true, &mut found);
        self.queue(number, target, found, visit);
        if document.get("Members@odata.nextLink").is_none() {
            let members = document.get("Members").and_then(Value::as_array);
            let empty = members.into_iter().flatten().filter(|member| is_empty_member(member)).count();
            warn_of_empty_members(visit, target, empty);
        } else {
            let mut pages = Pages::new(target.clone());
            // Otherwise, the links on further pages would be dropped.
            while self.pending.dropped == 0 {
                let Some((_, members)) = pages.next(visit).await? else { break };
                let links = members.iter().filter_map(|member| Some(member.link()?.into_owned()));
                let found = links.map(|link| (link, Rank::Elsewhere)).collect();
                self.queue(number, target, found, visit);
            }
        }
        Ok(())
    }

    /// Queues the links that are new.
    fn queue(&mut self, number: usize, target: &Target, found: Vec<(String, Rank)>, visit: &Visit) {
        for (link, rank) in found {
            // A fragment is a part of its resource.
            let link = link.split('#').next().unwrap_or_default().trim();
            if link.is_empty() {
                continue;
            }
            let route = visit.link(target, link).map_err(|failure| (visit.redact(link), failure));
            let rank = match (&route, rank) {
                (Ok(to), _) if self.seen.contains(key(to.as_str())) => continue,
                (Ok(to), Rank::Elsewhere) if is_below(to.path(), target.path()) => Rank::Below,
                (Ok(to), Rank::Related) if !is_below(to.path(), &self.scope) => continue,
                (_, rank) => rank,
            };
            self.pending.push(rank, (number, route));
        }
    }
}

impl Pending {
    fn push(&mut self, rank: Rank, link: (usize, Route)) {
        if self.links.iter().map(VecDeque::len).sum::<usize>() < MAX_LINKS {
            self.links[rank as usize].push_back(link);
        } else {
            self.dropped += 1;
        }
    }

    fn pop(&mut self) -> Option<(usize, Route)> {
        self.links.iter_mut().find_map(VecDeque::pop_front)
    }
}

impl Node {
    /// Its URI relative to the parent's.
    pub(super) fn label_below(&self, parent: &str) -> String {
        let below = self.uri.strip_prefix(key(parent)).and_then(|rest| rest.strip_prefix('/'));
        below.filter(|rest| !rest.is_empty()).unwrap_or(&self.uri).to_owned()
    }
}

/// Collects the references in a document. Does not descend into an expanded resource, which is read by itself.
fn collect(value: &Value, rank: Rank, is_root: bool, found: &mut Vec<(String, Rank)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, rank, false, found)),
        Value::Object(members) => {
            if let Some(Value::String(link)) = members.get("@odata.id").filter(|_| !is_root) {
                found.push((link.clone(), rank));
                if !link.contains('#') {
                    return;
                }
            }
            for (name, member) in members {
                let related = name == "Links" || name == "RelatedItem";
                collect(member, if related { Rank::Related } else { rank }, false, found);
            }
        }
        _ => {}
    }
}

/// Whether a member of a collection is neither a link nor a resource.
fn is_empty_member(member: &Value) -> bool {
    let Value::Object(members) = member else { return true };
    let has_link =
        members.get("@odata.id").and_then(Value::as_str).is_some_and(|link| !link.trim().is_empty());
    !has_link && members.keys().all(|name| name == "@odata.id")
}

/// The key of a resource: its URI without a trailing slash.
fn key(uri: &str) -> &str {
    uri.trim_end_matches('/')
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(key(above)).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_everywhere_and_ranked() {
        let document = serde_json::json!({
            "@odata.id": "/a",
            "Members": [{"@odata.id": "/a/1"}, {"@odata.id": "/a/2", "Inner": {"@odata.id": "/a/2/inner"}}],
            "Fans": [{"@odata.id": "/a#/Fans/0", "RelatedItem": [{"@odata.id": "/b"}]}],
            "Links": {"Chassis": [{"@odata.id": "/c"}]},
            "Oem": {"Vendor": {"More": {"@odata.id": "/d"}}},
            "Odd": {"@odata.id": 7},
        });
        let mut found = Vec::new();
        collect(&document, Rank::Elsewhere, true, &mut found);
        let mut found: Vec<String> =
            found.iter().map(|(link, rank)| format!("{link} {}", *rank as usize)).collect();
        found.sort();
        assert_eq!(found, ["/a#/Fans/0 1", "/a/1 1", "/a/2 1", "/b 2", "/c 2", "/d 1"]);
    }

    #[test]
    fn queued_links_are_limited_and_dropped_links_are_counted() {
        let target = redfish_proto::Service::new("bmc").unwrap().target("/redfish/v1/Systems").unwrap();
        let mut pending = Pending::default();
        for rank in [Rank::Related, Rank::Elsewhere, Rank::Below] {
            (0..MAX_LINKS / 2).for_each(|_| pending.push(rank, (rank as usize, Ok(target.clone()))));
        }
        assert_eq!(pending.dropped, MAX_LINKS / 2);
        let order = std::iter::from_fn(|| pending.pop()).map(|(rank, _)| rank).collect::<Vec<_>>();
        assert_eq!((order.len(), order[0], order[MAX_LINKS - 1]), (MAX_LINKS, 1, 2));
    }

    #[test]
    fn a_path_is_not_below_itself() {
        for (path, above, below) in [
            ("/a/b", "/a", true),
            ("/a/b", "/a/", true),
            ("/a/", "/a", false),
            ("/a", "/a", false),
            ("/ab", "/a", false),
        ] {
            assert_eq!(is_below(path, above), below, "{path} {above}");
        }
    }
}

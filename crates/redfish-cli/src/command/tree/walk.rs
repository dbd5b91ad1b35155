//! Walking the links of a service, each resource once.
//!
//! ```text
//!   read a resource ──▶ its links ──▶ 1st those that lie below it
//!         ▲                           2nd others that it has: the drives of a storage may stand elsewhere
//!         └───── the next, by rank ◀─ 3rd what it is merely related to, within the part that is walked
//! ```

use std::collections::{HashSet, VecDeque};

use redfish_proto::ops::Get;
use redfish_proto::{Error, Redactor, Target};
use serde_json::Value;

use crate::command::members::Pages;
use crate::failure::Failure;
use crate::visit::Visit;

/// Resources that are read; a service that has more has no end.
const MOST: usize = 100_000;

/// Links that wait to be followed. One document may have more than that, and so may the pages of one collection.
const PENDING: usize = 100_000;

/// A resource, as far as a tree shows it.
pub(super) struct Node {
    /// Its URI, or a link that leads outside this service.
    pub(super) uri: String,
    pub(super) name: Option<String>,
    pub(super) power: Option<String>,
    pub(super) health: Option<String>,
    /// Why it could not be read, in a word.
    pub(super) failed: Option<&'static str>,
    pub(super) children: Vec<usize>,
    depth: usize,
}

/// What was found.
pub(super) struct Walk {
    /// The resources. The first is where it began.
    pub(super) nodes: Vec<Node>,
    /// What went wrong on the way.
    pub(super) failures: Vec<Failure>,
    /// Why it did not go on to the end.
    pub(super) ended: Option<Failure>,
    /// What the walk keeps to, where a link is no more than a relation.
    scope: String,
    seen: HashSet<String>,
    pending: Pending,
}

/// The links that are to be followed, by rank.
#[derive(Default)]
struct Pending {
    links: [VecDeque<(usize, Route)>; 3],
    /// How many were left out, since there were too many.
    left_out: usize,
}

/// Where a link leads, or why nowhere.
type Route = Result<Target, (String, Error)>;

/// How a resource has a link: the order in which they are followed.
#[derive(Clone, Copy)]
enum Rank {
    Below,
    Beside,
    Related,
}

impl Walk {
    /// Walks from there. What keeps from going on is an error only where nothing was found.
    pub(super) async fn from(start: Target, depth: usize, visit: &mut Visit) -> Result<Walk, Failure> {
        let mut walk = Walk {
            scope: key(start.path()).to_owned(),
            seen: HashSet::from([key(start.as_str()).to_owned()]),
            nodes: Vec::new(),
            failures: Vec::new(),
            ended: None,
            pending: Pending::default(),
        };
        if let Err(failure) = walk.read(None, Ok(start), visit).await {
            match walk.nodes[0].failed {
                Some(_) => return Err(failure),
                None => walk.note(failure),
            }
        }
        let mut line = visit.progress();
        while walk.ended.is_none() {
            let Some((parent, route)) = walk.next(depth) else { break };
            line.show(&format!("{} resources read", walk.nodes.len()));
            if let Err(failure) = walk.read(Some(parent), route, visit).await {
                walk.note(failure);
            }
            if walk.nodes.len() > MOST {
                let reason = format!("there are more than {MOST} resources");
                walk.ended = Some(Error::malformed("", Redactor::default().clean(&reason)).into());
            }
        }
        if walk.pending.left_out > 0 && walk.ended.is_none() {
            let left_out = walk.pending.left_out;
            let reason = format!("more than {PENDING} links wait to be followed; {left_out} were left out");
            walk.ended = Some(Error::malformed("", Redactor::default().clean(&reason)).into());
        }
        Ok(walk)
    }

    /// What is about one resource alone does not keep from limits the others.
    fn note(&mut self, failure: Failure) {
        match failure.is_of_one() {
            true => self.failures.push(failure),
            false => self.ended = Some(failure),
        }
    }

    /// Reads a resource, and finds where its links lead.
    async fn read(&mut self, parent: Option<usize>, route: Route, visit: &mut Visit) -> Result<(), Failure> {
        let (uri, read) = match route {
            Ok(at) => {
                let read = visit.run(|| Get::<Value>::new(at.clone())).await;
                (at.to_string(), read.map(|document| (at, document)))
            }
            Err((link, error)) => (link, Err(error.into())),
        };
        match read {
            Ok((at, document)) => {
                let number = self.add(parent, uri, Ok(&document));
                self.links(number, &at, &document, visit).await
            }
            Err(failure) => {
                self.add(parent, uri, Err(failure.kind()));
                Err(failure)
            }
        }
    }

    /// The next place that was not seen.
    fn next(&mut self, depth: usize) -> Option<(usize, Route)> {
        loop {
            let (parent, route) = self.pending.pop()?;
            let uri = match &route {
                Ok(at) => key(at.as_str()),
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

    /// Finds the links of a resource, on all pages where it is a collection.
    async fn links(
        &mut self,
        number: usize,
        at: &Target,
        document: &Value,
        visit: &mut Visit,
    ) -> Result<(), Failure> {
        let mut found = Vec::new();
        collect(document, Rank::Beside, true, &mut found);
        self.follow(number, at, found, visit);
        if document.get("Members@odata.nextLink").is_some() {
            let mut pages = Pages::of(at.clone());
            // What is on further pages would be left out.
            while self.pending.left_out == 0 {
                let Some((_, members)) = pages.next(visit).await? else { break };
                let links = members.iter().filter_map(|member| Some(member.link()?.into_owned()));
                let found = links.map(|link| (link, Rank::Beside)).collect();
                self.follow(number, at, found, visit);
            }
        }
        Ok(())
    }

    /// Follows links later, unless there are too many.
    fn follow(&mut self, number: usize, at: &Target, found: Vec<(String, Rank)>, visit: &Visit) {
        for (link, rank) in found {
            // A part of a resource is shown with the whole.
            let link = link.split('#').next().unwrap_or_default();
            if link.is_empty() {
                continue;
            }
            let route = visit.service().link(at, link).map_err(|error| (visit.redact(link), error));
            let rank = match (&route, rank) {
                (Ok(to), _) if self.seen.contains(key(to.as_str())) => continue,
                (Ok(to), Rank::Beside) if is_below(to.path(), at.path()) => Rank::Below,
                (Ok(to), Rank::Related) if !is_below(to.path(), &self.scope) => continue,
                (_, rank) => rank,
            };
            self.pending.push(rank, (number, route));
        }
    }
}

impl Pending {
    fn push(&mut self, rank: Rank, link: (usize, Route)) {
        match self.links.iter().map(VecDeque::len).sum::<usize>() < PENDING {
            true => self.links[rank as usize].push_back(link),
            false => self.left_out += 1,
        }
    }

    fn pop(&mut self) -> Option<(usize, Route)> {
        self.links.iter_mut().find_map(VecDeque::pop_front)
    }
}

impl Node {
    /// What of its URI is not its parent's.
    pub(super) fn label_below(&self, parent: &str) -> String {
        let below = self.uri.strip_prefix(key(parent)).and_then(|rest| rest.strip_prefix('/'));
        below.filter(|rest| !rest.is_empty()).unwrap_or(&self.uri).to_owned()
    }
}

/// Finds references in a document. What stands in place of a reference, an expanded resource, is read by itself.
fn collect(value: &Value, rank: Rank, is_whole: bool, found: &mut Vec<(String, Rank)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, rank, false, found)),
        Value::Object(members) => {
            if let Some(Value::String(link)) = members.get("@odata.id").filter(|_| !is_whole) {
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

/// What tells resources apart: a final slash does not.
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
    fn references_are_found_wherever_they_stand_and_ranked() {
        let document = serde_json::json!({
            "@odata.id": "/a",
            "Members": [{"@odata.id": "/a/1"}, {"@odata.id": "/a/2", "Inner": {"@odata.id": "/a/2/inner"}}],
            "Fans": [{"@odata.id": "/a#/Fans/0", "RelatedItem": [{"@odata.id": "/b"}]}],
            "Links": {"Chassis": [{"@odata.id": "/c"}]},
            "Oem": {"Vendor": {"More": {"@odata.id": "/d"}}},
            "Odd": {"@odata.id": 7},
        });
        let mut found = Vec::new();
        collect(&document, Rank::Beside, true, &mut found);
        let mut found: Vec<String> =
            found.iter().map(|(link, rank)| format!("{link} {}", *rank as usize)).collect();
        found.sort();
        assert_eq!(found, ["/a#/Fans/0 1", "/a/1 1", "/a/2 1", "/b 2", "/c 2", "/d 1"]);
    }

    #[test]
    fn links_that_wait_are_bounded_and_those_left_out_are_counted() {
        let at = redfish_proto::Service::new("bmc").unwrap().target("/redfish/v1/Systems").unwrap();
        let mut pending = Pending::default();
        for rank in [Rank::Related, Rank::Beside, Rank::Below] {
            (0..PENDING / 2).for_each(|_| pending.push(rank, (rank as usize, Ok(at.clone()))));
        }
        assert_eq!(pending.left_out, PENDING / 2);
        let order = std::iter::from_fn(|| pending.pop()).map(|(rank, _)| rank).collect::<Vec<_>>();
        assert_eq!((order.len(), order[0], order[PENDING - 1]), (PENDING, 1, 2));
    }

    #[test]
    fn below_is_within_a_path_and_not_itself() {
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

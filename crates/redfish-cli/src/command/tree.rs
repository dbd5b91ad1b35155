//! `tree`: a resource and everything below it.

use std::collections::{BTreeMap, HashMap};

use clap::Args;
use redfish_proto::walk::{Event, Found, Walk};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::failures::Failures;
use super::members::{ENDED_EARLY, warn_of_empty_members};
use crate::failure::Failure;
use crate::options::Output;
use crate::sink::Table;
use crate::visit::{Job, Visit};

/// Maximum depth, since JSON parsers limit nesting too.
const MAX_DEPTH: usize = 48;

/// Usual length of a resource in JSON, so that a large tree is not copied as it grows.
const NODE_LENGTH: usize = 192;

/// The root and depth of the tree.
#[derive(Args)]
pub(crate) struct Tree {
    /// Path such as /redfish/v1/Systems/1, or a URL of this service. Default: the whole service
    #[arg(default_value = "/redfish/v1/", hide_default_value = true)]
    path: String,
    /// Maximum number of links from the root, up to 48. Default: 48, and a deeper tree is an error
    #[arg(long, value_name = "N", value_parser = depth)]
    depth: Option<usize>,
    /// Also read the further pages of log entries
    #[arg(long)]
    logs: bool,
}

/// The resources that were read, by their numbers. The first is the start.
#[derive(Default)]
struct Nodes {
    nodes: BTreeMap<usize, Node>,
    problems: Vec<Problem>,
    /// The failure of the maximum depth.
    too_deep: Option<Failure>,
    shortened: usize,
}

/// A resource in the tree.
struct Node {
    /// Its URI, or a link to another service.
    uri: Box<str>,
    summary: Summary,
    /// The kind of the failure, if it could not be read.
    failed: Option<&'static str>,
    children: Vec<usize>,
}

/// What the tree shows of a resource.
#[derive(Default)]
struct Summary {
    name: Option<Box<str>>,
    power: Option<Box<str>>,
    health: Option<Box<str>>,
}

/// A failure of a resource, or of a further page of a collection.
struct Problem {
    number: usize,
    failure: Failure,
    is_warning: bool,
}

impl Job for Tree {
    fn paths(&self) -> Vec<&str> {
        vec![&self.path]
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let start = visit.service().target(&self.path)?;
        let depth = self.depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH);
        let walk = Walk::new(visit.service().clone(), start).max_depth(depth);
        let walk = if self.logs { walk.whole_logs() } else { walk };
        let mut nodes = Nodes::default();
        let end = nodes.read(walk, visit).await;
        if nodes.nodes.is_empty() {
            return end;
        }
        nodes.print(visit).await?;
        if self.depth.is_some_and(|depth| depth <= MAX_DEPTH) {
            nodes.too_deep = None;
        }
        nodes.report(end, visit)
    }
}

impl Nodes {
    /// Reads everything, and finds out where it belongs. The failure that ended the walk is the result.
    async fn read(&mut self, walk: Walk, visit: &mut Visit) -> Result<(), Failure> {
        let mut walk = visit.walk(walk);
        let mut line = visit.sink.progress();
        let end = loop {
            match walk.next(visit).await {
                Some(Ok(event)) => self.add(event, visit),
                Some(Err(failure)) => break Err(failure),
                None => break Ok(()),
            }
            line.show(&format!("{} of {} resources read", self.nodes.len(), walk.known()));
        };
        drop(line);
        let mut children: Vec<(usize, usize, usize)> = self
            .nodes
            .keys()
            .filter_map(|number| {
                let place = walk.place(*number)?;
                Some((place.parent?, place.position, *number))
            })
            .collect();
        children.sort_unstable();
        for (parent, _, number) in children {
            if let Some(parent) = self.nodes.get_mut(&parent) {
                parent.children.push(number);
            }
        }
        if end.is_ok() {
            self.too_deep = walk.depth_exceeded();
        }
        end
    }

    fn add(&mut self, event: Event, visit: &mut Visit) {
        match event {
            Event::Resource(found) => drop(self.nodes.insert(found.number(), Node::of(&found))),
            Event::Unread(unread) => {
                let (number, is_warning) = (unread.number, unread.leads_to_nothing());
                let uri: Box<str> = String::from(unread.uri).into();
                let failure = Failure::from(unread.error);
                let failure =
                    if failure.status().is_none() && is_warning { failure.at_link(&uri) } else { failure };
                let failed = Some(failure.kind());
                let node = Node { uri, summary: Summary::default(), failed, children: Vec::new() };
                self.nodes.insert(number, node);
                self.problems.push(Problem { number, failure, is_warning });
            }
            Event::PageFailed { collection, error } => {
                let failure = error.into();
                self.problems.push(Problem { number: collection, failure, is_warning: false });
            }
            Event::LeftOut { page, members } => warn_of_empty_members(visit, &page, members),
            Event::LogShortened { .. } => self.shortened += 1,
            _ => {}
        }
    }

    async fn print(&self, visit: &mut Visit) -> Result<(), Failure> {
        if visit.sink.format_or(Output::Table) == Output::Json {
            let mut text = Vec::with_capacity(self.nodes.len() * NODE_LENGTH);
            // Cannot fail: all names are texts.
            let _ = serde_json::to_writer(&mut text, &Subtree { nodes: &self.nodes, number: 0 });
            return visit.sink.json_text(String::from_utf8(text).unwrap_or_default()).await;
        }
        let rows = self.rows();
        let table = Table {
            json: Value::Null,
            headings: ["RESOURCE", "NAME", "POWER", "HEALTH"],
            lines: rows.iter().map(|row| row[0].clone()).collect(),
            rows,
        };
        visit.sink.table(table).await
    }

    /// One row per resource, with the branches of the tree.
    fn rows(&self) -> Vec<[String; 4]> {
        let mut rows = Vec::with_capacity(self.nodes.len());
        let root = self.nodes.get(&0);
        let mut stack: Vec<_> =
            root.map(|root| (root, String::new(), String::new(), root.uri.to_string())).into_iter().collect();
        while let Some((node, lead, indent, label)) = stack.pop() {
            let text = |member: &Option<Box<str>>| member.as_deref().unwrap_or_default().to_owned();
            let Summary { name, power, health } = &node.summary;
            let name = node.failed.map_or_else(|| text(name), |failed| format!("({failed})"));
            rows.push([format!("{lead}{label}"), name, text(power), text(health)]);
            // In reverse, because the last one on the stack comes first.
            let children: Vec<&Node> =
                node.children.iter().filter_map(|child| self.nodes.get(child)).collect();
            for (index, child) in children.iter().enumerate().rev() {
                let is_last = index + 1 == children.len();
                let (branch, rest) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                let label = child.label_below(&node.uri);
                stack.push((child, format!("{indent}{branch}"), format!("{indent}{rest}"), label));
            }
        }
        rows
    }

    /// Reports what failed, in the order of the tree.
    fn report(mut self, end: Result<(), Failure>, visit: &mut Visit) -> Result<(), Failure> {
        if self.shortened > 0 {
            visit.note(format!("older entries of {} logs are left out; --logs reads them", self.shortened));
        }
        if self.problems.len() > 1 {
            let order = self.order();
            self.problems.sort_by_key(|problem| order.get(&problem.number).copied());
        }
        let mut failures = Failures::default();
        for Problem { failure, is_warning, .. } in self.problems {
            if is_warning {
                visit.warn(failure.to_string());
            } else {
                failures.add(failure, visit);
            }
        }
        if let Some(failure) = self.too_deep {
            visit.warn("resources beyond the maximum depth are left out");
            failures.add(failure, visit);
        }
        if let Err(failure) = end {
            visit.warn(ENDED_EARLY);
            failures.add(failure, visit);
        }
        failures.into_result()
    }

    /// The position of each resource in the tree.
    fn order(&self) -> HashMap<usize, usize> {
        let mut order = HashMap::new();
        let mut stack = vec![0];
        while let Some(number) = stack.pop() {
            order.insert(number, order.len());
            let children = self.nodes.get(&number).map(|node| node.children.iter().rev());
            stack.extend(children.into_iter().flatten());
        }
        order
    }
}

/// A node and what is below it, as JSON.
struct Subtree<'a> {
    nodes: &'a BTreeMap<usize, Node>,
    number: usize,
}

impl Serialize for Subtree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Object<'a> {
            uri: &'a str,
            name: Option<&'a str>,
            power: Option<&'a str>,
            health: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a str>,
            children: Vec<Subtree<'a>>,
        }
        let Subtree { nodes, number } = self;
        let Some(node) = nodes.get(number) else { return serializer.serialize_unit() };
        let Summary { name, power, health } = &node.summary;
        let object = Object {
            uri: &node.uri,
            name: name.as_deref(),
            power: power.as_deref(),
            health: health.as_deref(),
            error: node.failed,
            children: node.children.iter().map(|number| Subtree { nodes, number: *number }).collect(),
        };
        object.serialize(serializer)
    }
}

impl Node {
    fn of(found: &Found) -> Node {
        let uri = found.target().to_string().into();
        Node { uri, summary: Summary::of(found), failed: None, children: Vec::new() }
    }

    /// Its URI relative to the parent's.
    fn label_below(&self, parent: &str) -> String {
        let below =
            self.uri.strip_prefix(parent.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        below.filter(|rest| !rest.is_empty()).unwrap_or(&self.uri).to_owned()
    }
}

impl Summary {
    fn of(found: &Found) -> Summary {
        /// The members, of which a service may send anything.
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        struct Members {
            name: Value,
            power_state: Value,
            status: Value,
        }
        let text = |value: &Value| value.as_str().map(Into::into);
        let Members { name, power_state, status } = found.json().unwrap_or_default();
        let health = text(&status["Health"]).or_else(|| text(&status["HealthRollup"]));
        Summary { name: text(&name), power: text(&power_state), health }
    }
}

fn depth(typed: &str) -> Result<usize, &'static str> {
    typed.parse().map_err(|_| "not a number")
}

//! `tree`: what a service has, from a resource on.

mod walk;

use clap::Args;
use redfish_proto::Service;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};
use walk::{Node, Walk};

/// How deep a tree can be, whatever the service links: a program that reads it as JSON has its own limit.
const DEEPEST: usize = 48;

/// From where, and how deep.
#[derive(Args)]
pub(crate) struct Tree {
    /// Where: /redfish/v1/Systems/1, or a URL of this service. Without it, the whole service
    #[arg(default_value = "/redfish/v1/", hide_default_value = true)]
    path: String,
    /// How many links deep
    #[arg(long, value_name = "N", value_parser = depth)]
    depth: Option<usize>,
}

impl Job for Tree {
    fn check(&self, service: &Service) -> Result<(), Failure> {
        Ok(service.target(&self.path).map(drop)?)
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let start = visit.service().target(&self.path)?;
        let depth = self.depth.unwrap_or(DEEPEST).min(DEEPEST);
        let walk = Walk::from(start, depth, visit).await?;
        let rows = rows(&walk.nodes);
        let table = Table {
            json: object(&walk.nodes, 0),
            headings: ["RESOURCE", "NAME", "POWER", "HEALTH"],
            lines: rows.iter().map(|row| row[0].clone()).collect(),
            rows,
        };
        visit.sink.table(table).await?;
        // What a service links and cannot show is a part of what it has.
        for failure in walk.failures {
            visit.warn(failure.to_string());
        }
        walk.ended.map_or(Ok(()), Err)
    }
}

fn object(nodes: &[Node], number: usize) -> Value {
    let node = &nodes[number];
    let mut shown = json!({
        "uri": node.uri,
        "name": node.name,
        "power": node.power,
        "health": node.health,
        "children": node.children.iter().map(|child| object(nodes, *child)).collect::<Value>(),
    });
    if let Some(failed) = node.failed {
        shown["error"] = failed.into();
    }
    shown
}

/// A row for each, with the lines that lead to it.
fn rows(nodes: &[Node]) -> Vec<[String; 4]> {
    let mut rows = Vec::with_capacity(nodes.len());
    let mut open = vec![(0, String::new(), String::new(), nodes[0].uri.clone())];
    while let Some((number, lead, indent, label)) = open.pop() {
        let node = &nodes[number];
        let text = |member: &Option<String>| member.clone().unwrap_or_default();
        let name = match node.failed {
            Some(failed) => format!("({failed})"),
            None => text(&node.name),
        };
        rows.push([format!("{lead}{label}"), name, text(&node.power), text(&node.health)]);
        // What is put there last comes first.
        for (at, child) in node.children.iter().enumerate().rev() {
            let is_last = at + 1 == node.children.len();
            let (branch, rest) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let label = nodes[*child].label_below(&node.uri);
            open.push((*child, format!("{indent}{branch}"), format!("{indent}{rest}"), label));
        }
    }
    rows
}

fn depth(typed: &str) -> Result<usize, &'static str> {
    typed.parse().map_err(|_| "a whole number is needed")
}

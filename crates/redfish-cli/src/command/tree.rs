//! `tree`: a resource and everything below it.

mod walk;

use clap::Args;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};
use walk::{Node, Walk};

/// Maximum depth, since JSON parsers limit nesting too.
const MAX_DEPTH: usize = 48;

/// The root and depth of the tree.
#[derive(Args)]
pub(crate) struct Tree {
    /// Path such as /redfish/v1/Systems/1, or a URL of this service. Default: the whole service
    #[arg(default_value = "/redfish/v1/", hide_default_value = true)]
    path: String,
    /// Maximum number of links from the root
    #[arg(long, value_name = "N", value_parser = depth)]
    depth: Option<usize>,
}

impl Job for Tree {
    fn paths(&self) -> Vec<&str> {
        vec![&self.path]
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let start = visit.service().target(&self.path)?;
        let depth = self.depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH);
        let walk = Walk::run(start, depth, visit).await?;
        let rows = rows(&walk.nodes);
        let table = Table {
            json: object(&walk.nodes, 0),
            headings: ["RESOURCE", "NAME", "POWER", "HEALTH"],
            lines: rows.iter().map(|row| row[0].clone()).collect(),
            rows,
        };
        visit.sink.table(table).await?;
        for warning in walk.warnings {
            visit.warn(warning.to_string());
        }
        walk.failures.into_result()
    }
}

fn object(nodes: &[Node], number: usize) -> Value {
    let node = &nodes[number];
    let mut object = json!({
        "uri": node.uri,
        "name": node.name,
        "power": node.power,
        "health": node.health,
        "children": node.children.iter().map(|child| self::object(nodes, *child)).collect::<Value>(),
    });
    if let Some(failed) = node.failed {
        object["error"] = failed.into();
    }
    object
}

/// One row per resource, with the branches of the tree.
fn rows(nodes: &[Node]) -> Vec<[String; 4]> {
    let mut rows = Vec::with_capacity(nodes.len());
    let mut stack = vec![(0, String::new(), String::new(), nodes[0].uri.clone())];
    while let Some((number, lead, indent, label)) = stack.pop() {
        let node = &nodes[number];
        let text = |member: &Option<String>| member.clone().unwrap_or_default();
        let name = match node.failed {
            Some(failed) => format!("({failed})"),
            None => text(&node.name),
        };
        rows.push([format!("{lead}{label}"), name, text(&node.power), text(&node.health)]);
        // In reverse, because the last one on the stack comes first.
        for (index, child) in node.children.iter().enumerate().rev() {
            let is_last = index + 1 == node.children.len();
            let (branch, rest) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let label = nodes[*child].label_below(&node.uri);
            stack.push((*child, format!("{indent}{branch}"), format!("{indent}{rest}"), label));
        }
    }
    rows
}

fn depth(typed: &str) -> Result<usize, &'static str> {
    typed.parse().map_err(|_| "not a number")
}

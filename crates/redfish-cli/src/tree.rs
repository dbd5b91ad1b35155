//! `tree`: what a service has, from a resource on.

mod walk;

use clap::Args;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::output;
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

impl Tree {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        let start = options.service()?.target(&self.path)?;
        let depth = self.depth.unwrap_or(DEEPEST).min(DEEPEST);
        Connection::scoped(options, |connection| {
            let walk = Walk::from(start, depth, connection, options)?;
            show(&walk.nodes, options)?;
            // What a service links and cannot show is a part of what it has.
            for failure in walk.failures {
                output::note(format_args!("redfish: warning: {failure}"));
            }
            walk.ended.map_or(Ok(()), Err)
        })
    }
}

fn show(nodes: &[Node], options: &Options) -> Result<(), Failure> {
    match options.output_of_table() {
        Output::Json => output::line(object(nodes, 0)),
        Output::Table => {
            let rows = rows(nodes);
            output::line(output::table(["RESOURCE", "NAME", "POWER", "HEALTH"], &rows))
        }
        Output::Text => rows(nodes).iter().try_for_each(|row| output::line(output::clean(&row[0]))),
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

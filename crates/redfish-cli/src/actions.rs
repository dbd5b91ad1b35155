//! `actions`: what can be done with a resource, and what each parameter may be.

use clap::Args;
use redfish_proto::{Action, Actions as Read, Parameter};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::output;

/// Of which resource.
#[derive(Args)]
pub(crate) struct Actions {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
}

impl Actions {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        let at = options.service()?.target(&self.path)?;
        Connection::scoped(options, |connection| {
            let offered = connection.run(|_| Ok(Read::new(at.clone())))?;
            show(&offered, options)
        })
    }
}

fn show(offered: &[Action], options: &Options) -> Result<(), Failure> {
    match options.output_of_table() {
        Output::Json => output::line(offered.iter().map(object).collect::<Value>()),
        Output::Table => {
            let rows: Vec<_> = offered.iter().flat_map(rows).collect();
            output::line(output::table(["ACTION", "PARAMETER", "REQUIRED", "VALUES"], &rows))
        }
        Output::Text => offered.iter().try_for_each(|action| output::line(output::clean(&action.name))),
    }
}

fn object(action: &Action) -> Value {
    let parameters = action.parameters.iter().map(|Parameter { name, required, allowable, .. }| {
        json!({"name": name, "required": required, "allowable": allowable})
    });
    json!({
        "name": action.name,
        "target": action.target.to_string(),
        "parameters": parameters.collect::<Value>(),
    })
}

/// A row for each parameter; one without any has a row too.
fn rows(action: &Action) -> Vec<[String; 4]> {
    let name = |first: bool| if first { action.name.clone() } else { String::new() };
    if action.parameters.is_empty() {
        return vec![[name(true), String::new(), String::new(), String::new()]];
    }
    let parameters = action.parameters.iter().enumerate().map(|(at, parameter)| {
        let required = if parameter.required { "yes" } else { "" };
        let values = parameter.allowable.join(", ");
        [name(at == 0), parameter.name.clone(), required.to_owned(), values]
    });
    parameters.collect()
}

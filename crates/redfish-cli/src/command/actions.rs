//! `actions`: the actions of a resource and their parameters.

use clap::Args;
use redfish_proto::Target;
use redfish_proto::ops::{self, Action, Parameter};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};

/// The resource.
#[derive(Args)]
pub(crate) struct Actions {
    /// Path such as /redfish/v1/Systems/1, or a URL of this service
    path: String,
}

impl Job for Actions {
    fn paths(&self) -> Vec<&str> {
        vec![&self.path]
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let target = visit.service().target(&self.path)?;
        let actions = visit.run(|| ops::Actions::new(target.clone())).await?;
        for action in &actions {
            if let Err(error) = &action.target {
                let warning = visit.redact(&format!("the action {} cannot be invoked: {error}", action.name));
                visit.sink.warn(&warning);
            }
        }
        let table = Table {
            json: actions.iter().map(object).collect(),
            headings: ["ACTION", "PARAMETER", "REQUIRED", "VALUES"],
            rows: actions.iter().flat_map(rows).collect(),
            lines: actions.iter().map(|action| action.name.clone()).collect(),
        };
        visit.sink.table(table).await
    }
}

fn object(action: &Action) -> Value {
    let parameters = action.parameters.iter().map(|Parameter { name, required, allowable, .. }| {
        json!({"name": name, "required": required, "allowable": allowable})
    });
    json!({
        "name": action.name,
        "key": action.key,
        "target": action.target.as_ref().map(Target::to_string).ok(),
        "parameters": parameters.collect::<Value>(),
    })
}

/// One row per parameter, or one row without a parameter.
fn rows(action: &Action) -> Vec<[String; 4]> {
    let name = |first: bool| if first { action.name.clone() } else { String::new() };
    if action.parameters.is_empty() {
        return vec![[name(true), String::new(), String::new(), String::new()]];
    }
    let parameters = action.parameters.iter().enumerate().map(|(index, parameter)| {
        let required = if parameter.required { "yes" } else { "" };
        let values = parameter.allowable.join(", ");
        [name(index == 0), parameter.name.clone(), required.to_owned(), values]
    });
    parameters.collect()
}

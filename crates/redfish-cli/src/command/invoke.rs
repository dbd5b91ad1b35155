//! `invoke`: invokes an action of a resource.

use clap::Args;
use redfish_proto::ops;
use serde_json::{Map, Value};

use super::outcome::WaitOption;
use crate::failure::Failure;
use crate::options::Options;
use crate::visit::{Job, Visit};

/// The action and its parameters.
#[derive(Args)]
pub(crate) struct Invoke {
    /// Path such as /redfish/v1/Systems/1, or a URL of this service
    path: String,
    /// Name: ComputerSystem.Reset, or Reset if that matches only one action, or the key of the action. "redfish actions"
    /// lists the actions
    name: String,
    /// Parameters. VALUE is JSON if it parses as JSON, else text. Other users can see arguments: to send a secret, post a
    /// file to the action's target
    #[arg(value_name = "KEY=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
    #[command(flatten)]
    wait: WaitOption,
}

impl Job for Invoke {
    fn paths(&self) -> Vec<&str> {
        vec![&self.path]
    }

    fn prepare(&mut self, _options: &Options) -> Result<(), Failure> {
        for (index, (name, _)) in self.parameters.iter().enumerate() {
            if self.parameters[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Failure::usage("a parameter is given twice", "Remove one of them."));
            }
        }
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let target = visit.service().target(&self.path)?;
        let parameters: Map<String, Value> = self.parameters.iter().cloned().collect();
        let outcome =
            visit.run(|| ops::Invoke::new(target.clone(), self.name.as_str(), parameters.clone())).await;
        self.wait.finish(outcome, visit).await
    }
}

/// Parses a parameter. The error never repeats the value.
fn parameter(typed: &str) -> Result<(String, Value), &'static str> {
    match typed.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), parse_value(value)?)),
        _ => Err("not KEY=VALUE"),
    }
}

/// Parses a value: JSON if it parses as JSON, else text. Rejects an integer that would be rounded.
fn parse_value(typed: &str) -> Result<Value, &'static str> {
    match serde_json::from_str::<Value>(typed) {
        Ok(Value::Number(number)) if number.is_f64() && !typed.contains(['.', 'e', 'E']) => {
            Err("the number is too large to be sent exactly")
        }
        Ok(value) => Ok(value),
        Err(_) => Ok(Value::String(typed.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_or_text() {
        for (typed, value) in [
            ("a=On", serde_json::json!("On")),
            ("a=\"1\"", serde_json::json!("1")),
            ("a=1", serde_json::json!(1)),
            ("a=true", serde_json::json!(true)),
            ("a=null", Value::Null),
            ("a=[1,\"x=y\"]", serde_json::json!([1, "x=y"])),
            ("a={\"b\": 1.5}", serde_json::json!({"b": 1.5})),
            ("a={b", serde_json::json!("{b")),
            ("a=b=c", serde_json::json!("b=c")),
            ("a=", serde_json::json!("")),
            ("a=18446744073709551615", serde_json::json!(u64::MAX)),
        ] {
            assert_eq!(parameter(typed), Ok(("a".to_owned(), value)), "{typed}");
        }
        for typed in ["a", "=a", "", "a=18446744073709551616"] {
            assert!(parameter(typed).is_err(), "{typed}");
        }
    }
}

//! `invoke`: invokes an action of a resource.

use clap::Args;
use redfish_proto::Service;
use redfish_proto::ops::Invoke as Act;
use serde_json::{Map, Value};

use super::outcome::Waiting;
use crate::failure::Failure;
use crate::options::Options;
use crate::visit::{Job, Visit};

/// What to do, where, and how.
#[derive(Args)]
pub(crate) struct Invoke {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
    /// What: ComputerSystem.Reset, or Reset where only one action ends so. "redfish actions" lists what is offered
    name: String,
    /// How: VALUE is JSON where it parses, else text. Other users see arguments: with a secret, post a file to the
    /// action's target
    #[arg(value_name = "KEY=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Job for Invoke {
    fn check(&self, service: &Service) -> Result<(), Failure> {
        Ok(service.target(&self.path).map(drop)?)
    }

    fn prepare(&mut self, _options: &Options) -> Result<(), Failure> {
        for (at, (name, _)) in self.parameters.iter().enumerate() {
            if self.parameters[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(Failure::usage("a parameter is given twice", "Leave one of them out."));
            }
        }
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let at = visit.service().target(&self.path)?;
        let parameters: Map<String, Value> = self.parameters.iter().cloned().collect();
        let outcome = visit.run(|| Act::new(at.clone(), self.name.as_str(), parameters.clone())).await?;
        self.waiting.finish(outcome, visit).await
    }
}

/// Reads a parameter. The reason never repeats what was typed.
fn parameter(typed: &str) -> Result<(String, Value), &'static str> {
    match typed.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), read(value)?)),
        _ => Err("KEY=VALUE is needed"),
    }
}

/// A value: JSON where it parses, else text. An integer that would be rounded is neither.
fn read(typed: &str) -> Result<Value, &'static str> {
    match serde_json::from_str::<Value>(typed) {
        Ok(Value::Number(number)) if number.is_f64() && !typed.contains(['.', 'e', 'E']) => {
            Err("the number is too large to be sent as it is")
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

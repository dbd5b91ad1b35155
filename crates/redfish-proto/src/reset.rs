//! Resetting a computer system (DSP0268, ComputerSystem.Reset), and waiting for the power state it leads to.

use serde_json::{Map, Value};

use crate::action::Invoke;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Answer, Operation, Request, Verdict};
use crate::target::Target;
use crate::task::Until;
use crate::write::Outcome;

const ROOT: &str = "/redfish/v1/";
const SYSTEMS: &str = "/redfish/v1/Systems";

/// Resets a system: the one that is named, or the only one there is.
///
/// The type is checked against what the system allows before it is sent.
#[derive(Debug)]
pub struct Reset {
    kind: String,
    stage: Stage,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, in a call")]
enum Stage {
    Root,
    Systems(Target),
    Act(Target, Invoke),
}

/// A reset that the service took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResetTaken {
    /// The system.
    pub system: Target,
    /// What became of the request. The power state follows seconds later.
    pub outcome: Outcome,
}

impl Reset {
    /// A reset of that `ResetType`, such as `On`, `ForceOff` or `GracefulRestart`, of the only system there is.
    pub fn new(kind: impl Into<String>) -> Reset {
        Reset { kind: kind.into(), stage: Stage::Root }
    }

    /// Of this system.
    #[must_use]
    pub fn system(mut self, system: Target) -> Reset {
        self.stage = self.act(system);
        self
    }

    /// The `PowerState` that a reset of that type leads to; `None` where it depends.
    ///
    /// A restart leads to `On`, which the system may still be before it goes down.
    pub fn leads_to(kind: &str) -> Option<&'static str> {
        match kind {
            "On" | "ForceOn" | "GracefulRestart" | "ForceRestart" | "PowerCycle" | "FullPowerCycle" => {
                Some("On")
            }
            "ForceOff" | "GracefulShutdown" => Some("Off"),
            _ => None,
        }
    }

    fn act(&self, system: Target) -> Stage {
        let parameters = Map::from_iter([("ResetType".to_owned(), Value::String(self.kind.clone()))]);
        let invoke = Invoke::new(system.clone(), "ComputerSystem.Reset", parameters);
        Stage::Act(system, invoke)
    }

    fn choose(mut self, answer: &Answer) -> Result<Verdict<Self>, Error> {
        let systems: Value = answer.json()?;
        let members = systems.get("Members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let links: Vec<&str> = members.iter().filter_map(|m| m.get("@odata.id")?.as_str()).collect();
        // Further pages hold further systems.
        let pages = systems.get("Members@odata.nextLink").is_some_and(|link| !link.is_null());
        match links.as_slice() {
            [only] if !pages => {
                let system = answer.resolve(only)?;
                self.stage = self.act(system);
                Ok(Verdict::Next(self))
            }
            several => {
                let choices = several.iter().map(ToString::to_string).collect();
                Err(Error::new(ErrorKind::Ambiguous { choices }))
            }
        }
    }
}

impl Operation for Reset {
    type Output = ResetTaken;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Root => Request::get(&Target::well_known(ROOT)),
            Stage::Systems(at) => Request::get(at),
            Stage::Act(_, invoke) => invoke.request(),
        }
    }

    fn respond(mut self, answer: Answer) -> Result<Verdict<Self>, Error> {
        let kind = self.kind.clone();
        match self.stage {
            Stage::Root => {
                let answer = answer.success()?;
                let root: Value = answer.json()?;
                let link = root.pointer("/Systems/@odata.id").and_then(Value::as_str).unwrap_or(SYSTEMS);
                self.stage = Stage::Systems(answer.resolve(link)?);
                Ok(Verdict::Next(self))
            }
            Stage::Systems(_) => self.choose(&answer.success()?),
            Stage::Act(system, invoke) => match invoke.respond(answer)? {
                Verdict::Done(outcome) => Ok(Verdict::Done(ResetTaken { system, outcome })),
                Verdict::Next(invoke) => Ok(Verdict::Next(Reset { kind, stage: Stage::Act(system, invoke) })),
                Verdict::Later(invoke, time) => {
                    Ok(Verdict::Later(Reset { kind, stage: Stage::Act(system, invoke) }, time))
                }
            },
        }
    }
}

/// Waits until a system's `PowerState` is that; the call's deadline bounds it.
pub fn until_power_state(system: Target, state: &'static str) -> Until<impl Fn(&Value) -> bool + Send> {
    Until::new(system, move |system| system.get("PowerState").and_then(Value::as_str) == Some(state))
}

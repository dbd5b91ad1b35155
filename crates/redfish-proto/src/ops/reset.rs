//! Resetting a computer system (DSP0268, ComputerSystem.Reset), and waiting until it has done its work.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::driver::time::Now;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Answer, Operation, Request, Transition};
use crate::ops::action::Invoke;
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::ops::get_page::{GetPage, Member};
use crate::ops::watch::{POLL_INTERVAL, next_poll};
use crate::ops::write::Outcome;
use crate::target::Target;

/// Where systems are, if the service root does not say.
const SYSTEMS: &str = "/redfish/v1/Systems";

/// Resets a system: the one that is named, or the only one there is.
///
/// The type is checked against what the system allows before it is sent.
#[derive(Debug)]
pub struct Reset {
    kind: String,
    chain: Chain<ResetAccepted>,
}

/// A reset that the service took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResetAccepted {
    /// The system.
    pub system: Target,
    /// What became of the request. The power state follows seconds later.
    pub outcome: Outcome,
    /// What it does to the system's power, for [`WaitForPower`]; `None` where it depends.
    pub change: Option<PowerChange>,
}

/// What a reset does to a system's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PowerChange {
    /// It leads to that `PowerState`.
    To(&'static str),
    /// It leads away from `On`, and back.
    Restart,
}

impl PowerChange {
    /// The `PowerState` at its end.
    pub fn state(&self) -> &'static str {
        match self {
            PowerChange::To(state) => state,
            PowerChange::Restart => "On",
        }
    }
}

impl From<&'static str> for PowerChange {
    fn from(state: &'static str) -> PowerChange {
        PowerChange::To(state)
    }
}

impl Reset {
    /// A reset of that `ResetType`, such as `On`, `ForceOff` or `GracefulRestart`, of the only system there is.
    pub fn new(kind: impl Into<String>) -> Reset {
        let kind = kind.into();
        let wanted = kind.clone();
        let find = FollowLinks::new("/Systems/@odata.id", Missing::At(SYSTEMS));
        let chain = Chain::new(find, |(systems, _)| {
            Chain::next(Exchange(Request::get(&systems)), move |received| {
                let system = only_member(GetPage::first(systems), &received?)?;
                Ok(Transition::Next(Reset::invoke(&wanted, system)))
            })
        });
        Reset { kind, chain }
    }

    /// Of this system.
    #[must_use]
    pub fn system(self, system: Target) -> Reset {
        Reset { chain: Reset::invoke(&self.kind, system), ..self }
    }

    fn invoke(kind: &str, system: Target) -> Chain<ResetAccepted> {
        let parameters = Map::from_iter([("ResetType".to_owned(), Value::String(kind.to_owned()))]);
        let invoke = Invoke::new(system.clone(), "ComputerSystem.Reset", parameters);
        let change = Reset::expected_power_change(kind);
        Chain::new(invoke, move |outcome| Chain::done(ResetAccepted { system, outcome, change }))
    }

    /// What a reset of that type does to the system's power; `None` where it depends.
    pub fn expected_power_change(kind: &str) -> Option<PowerChange> {
        match kind {
            "On" | "ForceOn" => Some(PowerChange::To("On")),
            "ForceOff" | "GracefulShutdown" => Some(PowerChange::To("Off")),
            "GracefulRestart" | "ForceRestart" | "PowerCycle" | "FullPowerCycle" => {
                Some(PowerChange::Restart)
            }
            _ => None,
        }
    }
}

impl Operation for Reset {
    type Output = ResetAccepted;

    forward_to!(chain);
}

/// The only member of a collection. Further pages contain further members.
fn only_member(page: GetPage, answer: &Answer) -> Result<Target, Error> {
    let page = page.read(answer)?;
    let links: Vec<_> = page.members.iter().filter_map(Member::link).collect();
    match (links.as_slice(), page.next) {
        ([only], Ok(None)) => answer.resolve(only),
        (several, _) => {
            let choices = several.iter().map(|choice| answer.safe(choice)).collect();
            Err(Error::new(ErrorKind::AmbiguousTarget { choices }))
        }
    }
}

/// Waits until a change of a system's power is over; the call's deadline bounds it.
///
/// A state is reached when the system shows it. A restart is over when the system was seen in another state than `On`
/// and is `On` again. Many systems stay `On` while they restart, or are down between two looks only: one that is never
/// seen to leave has restarted when it is `On` [`restart_grace`](crate::Policy::restart_grace) after the first look.
#[derive(Debug)]
pub struct WaitForPower {
    system: Target,
    observed: Observed,
    failures: u32,
}

/// What was observed of a change, and since when.
#[derive(Debug)]
struct Observed {
    change: PowerChange,
    /// When the system was first read.
    first: Option<Now>,
    /// Whether it was seen in another state than the final one.
    left: bool,
}

impl WaitForPower {
    /// Watches that system, from the first look on.
    pub fn new(system: Target, change: impl Into<PowerChange>) -> WaitForPower {
        WaitForPower {
            system,
            observed: Observed { change: change.into(), first: None, left: false },
            failures: 0,
        }
    }

    /// What is waited for.
    pub fn change(&self) -> PowerChange {
        self.observed.change
    }
}

impl Observed {
    /// Takes the state that the system has now, and returns whether the change is over. A state that the system does not
    /// show says nothing.
    fn look(&mut self, state: Option<&str>, grace: Duration, now: Now) -> bool {
        let first = *self.first.get_or_insert(now);
        let Some(state) = state else { return false };
        let is_there = state == self.change.state();
        self.left |= !is_there;
        let waits = self.change == PowerChange::Restart && !self.left && now.since(first) < grace;
        is_there && !waits
    }
}

impl Operation for WaitForPower {
    type Output = ();

    fn request(&self) -> Request {
        Request::get(&self.system)
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        if let Err(refusal) = answer.check() {
            return self.fail(refusal);
        }
        let system: Value = answer.json()?;
        let state = system.get("PowerState").and_then(Value::as_str);
        self.failures = 0;
        match self.observed.look(state, answer.service.policy().restart_grace, answer.now()) {
            true => Ok(Transition::Done(())),
            false => Ok(Transition::Later(self, Some(POLL_INTERVAL))),
        }
    }

    fn fail(mut self, error: Error) -> Result<Transition<Self>, Error> {
        let wait = next_poll(&mut self.failures, error)?;
        Ok(Transition::Later(self, Some(wait)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(30);

    /// When a change counts as over, of states that are seen at these seconds.
    fn over(change: PowerChange, looks: &[(u64, &str)]) -> Option<u64> {
        let mut observed = Observed { change, first: None, left: false };
        let mut look = |second, state: &str| {
            let state = Some(state).filter(|state| !state.is_empty());
            observed.look(state, GRACE, Now(Duration::from_secs(second)))
        };
        looks.iter().find(|(second, state)| look(*second, state)).map(|(second, _)| *second)
    }

    #[test]
    fn a_restart_is_over_when_the_system_was_gone_and_is_back_or_was_never_seen_to_go() {
        for (looks, end) in [
            (&[(100, "On"), (101, "On"), (102, "Off"), (103, "PoweringOn"), (104, "On")][..], Some(104)),
            (&[(100, "Off"), (101, "On")], Some(101)),
            (&[(100, "On"), (101, "PoweringOff"), (140, "Off"), (141, "PoweringOn")], None),
            (&[(100, "On"), (101, "On"), (129, "On"), (130, "On")], Some(130)),
            // What was not told is neither gone nor there.
            (&[(100, "On"), (101, ""), (102, "On"), (129, "On"), (131, ""), (132, "On")], Some(132)),
            (&[(100, ""), (129, "On"), (130, "On")], Some(130)),
        ] {
            assert_eq!(over(PowerChange::Restart, looks), end, "{looks:?}");
        }
    }

    #[test]
    fn a_state_is_reached_when_it_is_seen() {
        assert_eq!(over("On".into(), &[(100, "On")]), Some(100));
        assert_eq!(over("Off".into(), &[(100, "On"), (101, "PoweringOff"), (102, "Off")]), Some(102));
        assert_eq!(over("Off".into(), &[(100, "On"), (900, "On")]), None);
    }
}

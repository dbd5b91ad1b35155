//! `reset`: switches a system on or off, or starts it anew.

use clap::Args;
use redfish_proto::ops::{Get, Outcome, PowerChange, Reset as Act, ResetAccepted, WaitForPower};
use redfish_proto::schema::ComputerSystem;
use redfish_proto::{Service, Target};
use serde_json::json;

use super::outcome::{self, Began};
use crate::failure::Failure;
use crate::terminal;
use crate::visit::{Job, Visit};

/// How to reset, and which system.
#[derive(Args)]
pub(crate) struct Reset {
    /// How: On, ForceOff, GracefulRestart, …, as far as the system allows it
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The system. Without it, the only one there is
    #[arg(long, value_name = "PATH")]
    system: Option<String>,
    /// Wait for the power state that it leads to, --deadline at the most: it follows seconds later. A restart is over when
    /// the system was seen to go down and is On again, or was seen On for 30 seconds
    #[arg(long)]
    wait: bool,
}

impl Job for Reset {
    fn check(&self, service: &Service) -> Result<(), Failure> {
        self.system.iter().try_for_each(|path| Ok(service.target(path).map(drop)?))
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let system = self.system.as_ref().map(|path| visit.service().target(path)).transpose()?;
        let reset = || match &system {
            Some(at) => Act::new(self.kind.as_str()).system(at.clone()),
            None => Act::new(self.kind.as_str()),
        };
        let ResetAccepted { system, outcome, change, .. } = visit.run(reset).await?;
        match outcome {
            Outcome::Accepted(monitor) if !self.wait => return outcome::accepted(&monitor, visit).await,
            Outcome::Accepted(monitor) => drop(outcome::watch(monitor, Began::Here, visit).await?),
            _ => {}
        }
        let power = match change.filter(|_| self.wait) {
            Some(change) => Some(reach(&system, change, visit).await?.to_owned()),
            None => {
                if self.wait {
                    visit.note("there is no one power state that this leads to.");
                }
                read_power(&system, visit).await
            }
        };
        let json = json!({"system": system.to_string(), "power": power});
        let shown = terminal::clean(power.as_deref().unwrap_or("unknown"));
        visit.sink.value(json, Some(&shown)).await
    }
}

/// The power state at this moment. The reset was accepted, whether it can be read or not.
async fn read_power(system: &Target, visit: &mut Visit) -> Option<String> {
    match visit.run(|| Get::<ComputerSystem>::new(system.clone())).await {
        Ok(read) => read.power_state,
        Err(failure) => {
            visit.warn(format!("the reset was taken, but not the state read: {failure}"));
            None
        }
    }
}

/// Waits for a change of power. One that is not seen leaves open what became of the reset.
async fn reach(system: &Target, change: PowerChange, visit: &mut Visit) -> Result<&'static str, Failure> {
    let mut line = visit.progress();
    let reaching = visit.wait_for(
        || WaitForPower::new(system.clone(), change),
        |_| match change {
            PowerChange::Restart => line.show("waiting for the restart"),
            change => line.show(&format!("waiting for the power state {}", change.state())),
        },
    );
    match reaching.await {
        Ok(()) => Ok(change.state()),
        // In a sweep, whoever repeats what failed must not reset again.
        Err(failure) if failure.leaves_open() || visit.is_in_sweep() => Err(failure.unknown()),
        Err(failure) => Err(failure),
    }
}

//! `reset`: resets a system.

use clap::Args;
use redfish_hyper::schema::ComputerSystem;
use redfish_proto::Target;
use redfish_proto::enumerations::PowerState;
use redfish_proto::ops::{self, Get, Outcome, PowerChange, ResetAccepted, WaitForPower};
use serde_json::json;

use super::outcome::{NO_MONITOR, StartedBy, print_monitor, report, watch};
use crate::failure::Failure;
use crate::options::Options;
use crate::terminal;
use crate::visit::{Job, Visit};

/// The reset and the system.
#[derive(Args)]
pub(crate) struct Reset {
    /// Reset type: On, ForceOff, GracefulRestart, …
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Path of the system. Default: the only system
    #[arg(long, value_name = "PATH")]
    system: Option<String>,
    /// Wait for the new power state, up to --deadline. A restart ends when the system was not On and is On again, or when
    /// it was On for 30 seconds. A system without a power state is not waited for
    #[arg(long)]
    wait: bool,
}

impl Job for Reset {
    fn prepare(&mut self, _options: &Options) -> Result<(), Failure> {
        if self.kind.is_empty() {
            return Err(Failure::usage("the reset type is empty", "Name one, such as ForceRestart."));
        }
        Ok(())
    }

    fn paths(&self) -> Vec<&str> {
        self.system.as_deref().into_iter().collect()
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let system = self.system.as_ref().map(|path| visit.service().target(path)).transpose()?;
        let reset = || match &system {
            Some(system) => ops::Reset::new(self.kind.as_str()).system(system.clone()),
            None => ops::Reset::new(self.kind.as_str()),
        };
        let ResetAccepted { system, outcome, change, has_power_state, .. } = visit.run(reset).await?;
        match outcome {
            Outcome::Accepted(monitor) if !self.wait => return print_monitor(&monitor, visit).await,
            Outcome::Accepted(monitor) => {
                report(&watch(monitor, StartedBy::ThisCommand, visit).await?, visit);
            }
            Outcome::Finished(written) => report(&written, visit),
            Outcome::AcceptedWithoutMonitor(written) => {
                report(&written, visit);
                if !self.wait {
                    visit.warn(NO_MONITOR);
                }
            }
            // `Outcome` is non-exhaustive; there are no other variants.
            _ => {}
        }
        let power = match change.filter(|_| self.wait && has_power_state) {
            Some(change) => Some(wait_for_power(&system, change, visit).await?.to_string()),
            None => {
                if self.wait && !has_power_state {
                    visit.note(
                        "the system reports no PowerState, so that the end of the reset is not awaited",
                    );
                } else if self.wait {
                    visit.note("the power state after this reset type is not known");
                }
                read_power(&system, visit).await
            }
        };
        let json = json!({"system": system.to_string(), "power": power});
        let text = terminal::clean(power.as_deref().unwrap_or("unknown"));
        visit.sink.value(json, Some(&text)).await
    }
}

/// Reads the power state. A failure is a warning, because the reset was accepted.
async fn read_power(system: &Target, visit: &mut Visit) -> Option<String> {
    match visit.run_aside(|| Get::<ComputerSystem>::new(system.clone())).await {
        Ok(system) => system.power_state().map(|state| state.to_string()),
        Err(failure) => {
            visit.warn(format!("the reset was accepted, but the power state cannot be read: {failure}"));
            None
        }
    }
}

/// Waits for the power state to change. On a timeout, the outcome of the reset is unknown.
async fn wait_for_power(
    system: &Target,
    change: PowerChange,
    visit: &mut Visit,
) -> Result<PowerState, Failure> {
    let mut line = visit.sink.progress();
    let waiting = visit.wait_for(
        || WaitForPower::new(system.clone(), change.clone()),
        |_| match &change {
            PowerChange::Restart => line.show("waiting for the restart"),
            change => line.show(&format!("waiting for the power state {}", change.state())),
        },
    );
    match waiting.await {
        Ok(()) => Ok(change.state().clone()),
        // The service has accepted the reset, and it must not be repeated.
        Err(failure) => Err(failure.outcome_unknown()),
    }
}

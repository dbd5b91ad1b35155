//! `reset`: switches a system on or off, or starts it anew.

use clap::Args;
use redfish_proto::schema::ComputerSystem;
use redfish_proto::{Get, Outcome, PowerChange, Reset as Act, ResetTaken, Target, UntilPower};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::Options;
use crate::outcome;
use crate::output;
use crate::progress::Line;

/// How to reset, and which system.
#[derive(Args, Clone)]
pub(crate) struct Reset {
    /// How: On, ForceOff, GracefulRestart, …, as far as the system allows it
    #[arg(value_name = "TYPE")]
    pub(crate) kind: String,
    /// The system. Without it, the only one there is
    #[arg(long, value_name = "PATH")]
    pub(crate) system: Option<String>,
    /// Wait for the power state that it leads to, --deadline at the most: it follows seconds later. A restart is over when
    /// the system was seen to go down and is On again, or was seen On for 30 seconds
    #[arg(long)]
    pub(crate) wait: bool,
}

impl Reset {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        let service = options.service()?;
        let system = self.system.as_ref().map(|path| service.target(path)).transpose()?;
        Connection::scoped(options, |connection| {
            let taken = connection.run(|_| {
                let reset = Act::new(self.kind.as_str());
                Ok(match &system {
                    Some(at) => reset.system(at.clone()),
                    None => reset,
                })
            })?;
            self.follow(taken, connection, options)
        })
    }

    fn follow(
        &self,
        taken: ResetTaken,
        connection: &mut Connection<'_>,
        options: &Options,
    ) -> Result<(), Failure> {
        let ResetTaken { system, outcome, change, .. } = taken;
        match outcome {
            Outcome::Accepted(monitor) if !self.wait => return outcome::accepted(&monitor, options),
            Outcome::Accepted(monitor) => {
                outcome::watch(monitor, outcome::Began::Here, connection, options)?;
            }
            _ => {}
        }
        let reached = match change.filter(|_| self.wait) {
            Some(change) => Some(reach(&system, change, connection, options)?),
            None => None,
        };
        if self.wait && reached.is_none() {
            output::note("redfish: there is no one power state that this leads to.");
        }
        let power = reached.map(str::to_owned).or_else(|| now(&system, connection));
        match options.errors_as_json() {
            true => output::line(object(&system, power.as_deref())),
            false => output::line(output::clean(power.as_deref().unwrap_or("unknown"))),
        }
    }
}

/// What programs read of a reset that was taken.
pub(crate) fn object(system: &Target, power: Option<&str>) -> Value {
    json!({"system": system.to_string(), "power": power})
}

/// The power state at this moment. The reset was taken, whether it can be read or not.
fn now(system: &Target, connection: &mut Connection<'_>) -> Option<String> {
    match connection.run(|_| Ok(Get::<ComputerSystem>::new(system.clone()))) {
        Ok(read) => read.power_state,
        Err(failure) => {
            output::note(format_args!(
                "redfish: warning: the reset was taken, but not the state read: {failure}"
            ));
            None
        }
    }
}

/// Waits for a change of power. One that is not seen leaves open what became of the reset.
fn reach(
    system: &Target,
    change: PowerChange,
    connection: &mut Connection<'_>,
    options: &Options,
) -> Result<&'static str, Failure> {
    let mut line = Line::new(options);
    let reached = connection.run_for(
        options.patience(),
        |_| Ok(UntilPower::new(system.clone(), change)),
        |_| match change {
            PowerChange::Restart => line.show("waiting for the restart"),
            change => line.show(&format!("waiting for the power state {}", change.state())),
        },
    );
    match reached {
        Ok(()) => Ok(change.state()),
        Err(failure) if failure.leaves_open() => Err(failure.unknown()),
        Err(failure) => Err(failure),
    }
}

//! The power states of a system after a reset.

use std::time::Duration;

/// The power states that a system passes through after a reset.
#[derive(Debug, Default)]
pub(crate) struct PowerSequence {
    /// The state immediately after the reset, if it changes.
    pub(crate) transition: Option<&'static str>,
    /// The states that follow, with the delay of each.
    pub(crate) steps: Vec<(Duration, &'static str)>,
}

impl PowerSequence {
    /// The power states after a reset of this type. `delay` is the time until the last of them.
    pub(crate) fn after_reset(reset_type: &str, is_on: bool, delay: Duration) -> PowerSequence {
        // A forced power-off does not wait for the operating system.
        let short_delay = delay / 30;
        let (transition, steps) = match (reset_type, is_on) {
            ("ForceOff", true) => (Some("PoweringOff"), vec![(short_delay, "Off")]),
            ("GracefulShutdown" | "PushPowerButton", true) => (Some("PoweringOff"), vec![(delay, "Off")]),
            ("PowerCycle" | "FullPowerCycle", true) => {
                (Some("PoweringOff"), vec![(short_delay, "Off"), (delay, "On")])
            }
            // The system is still on for a while. Clients must not mistake this for the end of the restart.
            ("GracefulRestart" | "ForceRestart", true) => (None, vec![(delay / 3, "Off"), (delay, "On")]),
            ("On" | "ForceOn", true) | ("ForceOff" | "GracefulShutdown", false) => (None, vec![]),
            _ => (Some("PoweringOn"), vec![(delay, "On")]),
        };
        PowerSequence { transition: transition.filter(|_| !delay.is_zero()), steps }
    }
}

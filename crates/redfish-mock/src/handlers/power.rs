//! `ComputerSystem.Reset`.

use std::time::Duration;

use crate::inventory::resource::Resource;
use crate::state::State;
use crate::state::power::PowerSequence;
use crate::state::schedule::Effect;

/// Resets a system. This cancels what is left of an earlier reset.
pub(super) fn reset_system(state: &mut State, system: &Resource, reset_type: &str, now: Duration) {
    if reset_type == "Nmi" {
        return;
    }
    let is_on = ["On", "PoweringOn"].iter().any(|on| system.document()["PowerState"] == *on);
    let sequence = PowerSequence::after_reset(reset_type, is_on, state.reset_delay);
    state.schedule.cancel(|effect| matches!(effect, Effect::SetPower { path, .. } if *path == system.path));
    if let Some(transition) = sequence.transition {
        state.set_power_state(&system.path, transition, false);
    }
    for (delay, power_state) in sequence.steps {
        let boots = power_state == "On";
        state
            .schedule
            .add(now + delay, Effect::SetPower { path: system.path.clone(), state: power_state, boots });
    }
}

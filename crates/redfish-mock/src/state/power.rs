//! What a reset does to a system, and when.

use std::time::Duration;

use serde_json::json;

use crate::inventory::tree::Resource;
use crate::mock::Mock;
use crate::protocol::message::{Message, Room};
use crate::state::schedule::Effect;

impl Mock {
    /// Begins what `ComputerSystem.Reset` asks for. What an earlier reset had still to do is not done any more.
    pub(crate) fn reset_system(&mut self, system: &Resource, kind: &str, now: Duration) {
        if kind == "Nmi" {
            return;
        }
        let is_on = ["On", "PoweringOn"].iter().any(|state| system.document()["PowerState"] == *state);
        let after = self.reset_delay;
        // Cutting the power waits for no operating system.
        let soon = after / 30;
        let (passing, steps): (Option<&str>, Vec<(Duration, &'static str)>) = match (kind, is_on) {
            ("ForceOff", true) => (Some("PoweringOff"), vec![(soon, "Off")]),
            ("GracefulShutdown" | "PushPowerButton", true) => (Some("PoweringOff"), vec![(after, "Off")]),
            ("PowerCycle" | "FullPowerCycle", true) => {
                (Some("PoweringOff"), vec![(soon, "Off"), (after, "On")])
            }
            // It is on for a while yet, which clients are not to take for the end.
            ("GracefulRestart" | "ForceRestart", true) => (None, vec![(after / 3, "Off"), (after, "On")]),
            ("On" | "ForceOn", true) | ("ForceOff" | "GracefulShutdown", false) => (None, vec![]),
            _ => (Some("PoweringOn"), vec![(after, "On")]),
        };
        self.later.cancel(|effect| matches!(effect, Effect::Power { path, .. } if *path == system.path));
        if let Some(state) = passing.filter(|_| !after.is_zero()) {
            self.reach_power_state(&system.path, state, false);
        }
        for (wait, state) in steps {
            let effect = Effect::Power { path: system.path.clone(), state, starts: state == "On" };
            self.later.add(now + wait, effect);
        }
        self.pass(now);
    }

    pub(crate) fn reach_power_state(&mut self, path: &str, state: &str, starts: bool) {
        let Some(mut document) = self.tree.at(path).map(|system| system.document().clone()) else { return };
        document["PowerState"] = json!(state);
        // DSP0268, "BootSourceOverrideEnabled".
        if starts && document["Boot"]["BootSourceOverrideEnabled"] == "Once" {
            document["Boot"]["BootSourceOverrideEnabled"] = json!("Disabled");
            document["Boot"]["BootSourceOverrideTarget"] = json!("None");
        }
        self.tree.write(path, document);
        if ["On", "Off"].contains(&state) {
            self.tell(Message::new(Room::PowerChanged, [&state.to_lowercase()]), path);
        }
    }
}

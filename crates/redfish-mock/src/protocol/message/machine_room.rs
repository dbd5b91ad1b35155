//! The messages of the registry `MachineRoom`: the log entries of the machines.

use super::registry::{Registry, messages};

messages! {
    Registry::MachineRoom,
    /// A message of the registry `MachineRoom`. The variant's name is the message's key.
    pub(crate) enum MachineRoom {
        FanSlow: Warning,
            "Fan %1 runs at %2 RPM, which is too slow.",
            "Clean the fan, or replace it.";
        LampSwitched: Ok,
            "The location indicator was switched %1.",
            "None.";
        MemoryErrorsCorrected: Warning,
            "Memory module %1 corrected %2 errors within a day.",
            "Replace the module at the next opportunity.";
        PowerChanged: Ok,
            "The machine was switched %1.",
            "None.";
        TemperatureHigh: Critical,
            "%1 measures %2 degrees Celsius, which is above its limit.",
            "Check the airflow, then the cooling of the room.";
        TemperatureNormal: Ok,
            "%1 measures %2 degrees Celsius, which is within its limits again.",
            "None.";
    }
}

//! The messages of the registry `MachineRoom`: the log entries of the machines.

use super::registry::{Registry, messages};

messages! {
    Registry::MachineRoom,
    /// A message of the registry `MachineRoom`. The variant's name is the message's key.
    pub(crate) enum MachineRoom {
        ActionPerformed: Ok,
            "The action %1 was performed.",
            "None.";
        BiosSettingsApplied: Ok,
            "The BIOS settings %1 were applied.",
            "None.";
        BootOverrideUsed: Ok,
            "The system boots once from %1.",
            "None.";
        CertificateReplaced: Ok,
            "The certificate %1 was replaced.",
            "None.";
        DiagnosticDataCollected: Ok,
            "Diagnostic data of the kind %1 was collected.",
            "Download it from this entry.";
        DriveErased: Warning,
            "%1 was erased.",
            "None.";
        FanSlow: Warning,
            "Fan %1 runs at %2 RPM, which is too slow.",
            "Clean the fan, or replace it.";
        FirmwareUpdated: Ok,
            "%1 was updated to %2.",
            "None.";
        KeysReset: Warning,
            "The keys of Secure Boot were reset: %1.",
            "None.";
        LampSwitched: Ok,
            "The location indicator was switched %1.",
            "None.";
        MediaEjected: Ok,
            "The image was ejected from %1.",
            "None.";
        MediaInserted: Ok,
            "The image %1 was inserted into %2.",
            "None.";
        MemoryErrorsCorrected: Warning,
            "Memory module %1 corrected %2 errors within a day.",
            "Replace the module at the next opportunity.";
        PowerChanged: Ok,
            "The machine was switched %1.",
            "None.";
        SecureBootChanged: Warning,
            "Secure Boot is %1.",
            "None.";
        SettingsChanged: Ok,
            "The settings of %1 were changed.",
            "None.";
        TemperatureHigh: Critical,
            "%1 measures %2 degrees Celsius, which is above its limit.",
            "Check the airflow, then the cooling of the room.";
        TemperatureNormal: Ok,
            "%1 measures %2 degrees Celsius, which is within its limits again.",
            "None.";
        VolumeCreated: Ok,
            "%1 was created.",
            "None.";
        VolumeDeleted: Warning,
            "%1 was deleted.",
            "None.";
        VolumeInitialized: Warning,
            "%1 was initialized.",
            "None.";
    }
}

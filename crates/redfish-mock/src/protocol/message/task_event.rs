//! The messages of the `TaskEvent` registry that this service uses.

use super::registry::{Registry, messages};

messages! {
    Registry::TaskEvent,
    /// A message of the `TaskEvent` registry. The variant's name is the message's key.
    pub(crate) enum TaskEvent {
        TaskAborted: Critical,
            "The task %1 failed before it was complete.",
            "See the messages that follow, then send the request again.";
        TaskCancelled: Warning,
            "The task %1 was cancelled before it was complete.",
            "None.";
        TaskCompletedOK: Ok,
            "The task %1 is complete.",
            "None.";
        TaskProgressChanged: Ok,
            "The task %1 is %2 percent complete.",
            "None.";
        TaskStarted: Ok,
            "The task %1 has started.",
            "None.";
    }
}

//! The messages of the `TaskEvent` registry that this service uses, in our own words.

use super::{Registry, messages};

messages! {
    Registry::TaskEvent,
    /// A message of the `TaskEvent` registry. The variant's name is the message's key.
    pub(crate) enum TaskEvent {
        TaskAborted: Critical,
            "The task %1 ended without having done its work.",
            "See the messages that follow, then send the request again.";
        TaskCancelled: Warning,
            "The task %1 was cancelled before it had done its work.",
            "None.";
        TaskCompletedOK: Ok,
            "The task %1 has done its work.",
            "None.";
        TaskProgressChanged: Ok,
            "The task %1 has done %2 percent of its work.",
            "None.";
        TaskStarted: Ok,
            "The task %1 has begun.",
            "None.";
    }
}

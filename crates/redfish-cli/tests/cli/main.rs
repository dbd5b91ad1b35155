//! The command as a process: arguments, output and exit status, with services over sockets.

mod actions;
mod canned;
mod certificate;
mod common;
mod demo;
mod denied;
mod events;
mod failure;
mod field;
mod fleet;
mod get;
mod invoke;
mod login;
mod members;
#[cfg(target_os = "linux")]
mod progress;
#[cfg(target_os = "linux")]
mod prompt;
mod readme;
mod reset;
mod saved;
mod secret;
mod serve;
mod sessions;
mod signal;
mod sweep;
mod task;
#[cfg(target_os = "linux")]
mod terminal;
mod tree;
mod update;
mod usage;
mod waits;
mod walk;
mod whoami;
mod wire;
mod write;

//! The command as people and scripts meet it: words in, output and an exit status out, against services over sockets.

mod certificate;
mod common;
mod demo;
mod failure;
mod get;
mod login;
#[cfg(target_os = "linux")]
mod prompt;
mod secret;
mod serve;
mod sessions;
mod signal;
mod usage;
mod whoami;
mod write;

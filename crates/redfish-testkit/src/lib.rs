//! What the tests of the other crates share.
//!
//! | module | what it is |
//! |---|---|
//! | [`transcript`] | a dialogue as a text file, played against the core and by both adapters |
//! | [`ask`] | the operations that a transcript names |
//! | [`bmc`] | a service over plain HTTP that a test plays itself |
//! | [`client`] | a client without threads, sockets and clock |
//! | [`alphabet`], [`dialogue`] | what a service may answer, and the rules that hold whatever it answers |
//! | `script` (a feature) | peers on real sockets: one that plays a transcript, and a table of what HTTP can do to a client |

pub mod alphabet;
pub mod ask;
pub mod bmc;
pub mod client;
pub mod dialogue;
#[cfg(feature = "script")]
pub mod script;
pub mod transcript;

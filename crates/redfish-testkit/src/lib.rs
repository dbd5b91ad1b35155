//! What the tests of the other crates share.
//!
//! | module | what it is |
//! |---|---|
//! | [`transcript`] | a dialogue as a text file, played against the core and by both adapters |
//! | [`ask`] | the operations that a transcript names |
//! | [`bmc`] | a service over plain HTTP that a test plays itself |
//! | [`client`] | a client without threads, sockets and clock |
//! | [`alphabet`], [`dialogue`] | what a service may answer, and the rules that hold whatever it answers |
//! | `adapter`, `suite` (the feature `suite`) | a client as both adapters offer it, and the tests of both |
//! | `script` (a feature) | peers on real sockets: one that plays a transcript, and a table of what HTTP can do to a client |

#[cfg(feature = "suite")]
pub mod adapter;
pub mod alphabet;
pub mod ask;
pub mod bmc;
pub mod client;
pub mod dialogue;
#[cfg(feature = "script")]
pub mod script;
#[cfg(feature = "suite")]
pub mod suite;
pub mod transcript;

/// All that an error says: itself, what it comes from, and what to do about it.
pub fn full_text(error: &redfish_proto::Error) -> String {
    let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}. {}", error.hint())
}

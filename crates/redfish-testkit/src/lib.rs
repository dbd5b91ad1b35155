//! Test support for the other crates.
//!
//! | module | content |
//! |---|---|
//! | [`transcript`] | dialogues as text files, played against the core and by both adapters |
//! | [`operation`] | the operations that a transcript names |
//! | [`bmc`] | a service over plain HTTP whose responses a test writes |
//! | [`client`] | a client without threads, sockets or a clock |
//! | [`responses`], [`dialogue`] | possible responses of a service, and the rules that a client obeys with any of them |
//! | `adapter`, `suite` (feature `suite`) | the common interface of both adapters' clients, and the tests of both |
//! | `script` (feature `script`) | peers on real sockets: one that plays a transcript, and a table of HTTP and TLS cases |

#[cfg(feature = "suite")]
pub mod adapter;
pub mod bmc;
pub mod client;
pub mod dialogue;
pub mod operation;
pub mod responses;
#[cfg(feature = "script")]
pub mod script;
#[cfg(feature = "suite")]
pub mod suite;
pub mod transcript;

/// The complete text of an error: the error, its cause and its hint.
pub fn full_text(error: &redfish_proto::Error) -> String {
    let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}. {}", error.hint())
}

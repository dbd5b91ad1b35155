//! The facts about the Redfish schemas: what typed resources are made from.
//!
//! ```text
//!   CSDL files (DSP8010) ── csdl ──> Facts <──> facts.txt
//! ```
//!
//! `cargo xtask facts DIR` reads the CSDL files of a folder and writes `crates/redfish-schema/facts.txt`. The build and
//! the tests read that file only.
//!
//! | module | content |
//! |---|---|
//! | [`facts`] | the facts as values, and their text format |
//! | [`csdl`] | reads CSDL files into facts |

pub mod csdl;
pub mod facts;

pub use facts::Facts;

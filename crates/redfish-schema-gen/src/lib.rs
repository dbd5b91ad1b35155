//! The facts about the Redfish schemas: what typed resources are made from.
//!
//! ```text
//!   CSDL files (DSP8010) ── csdl ──> Facts <──> facts.txt
//!                                      │
//!                                      └── code ──> redfish-schema/src/schemas
//! ```
//!
//! `cargo xtask facts DIR` reads the CSDL files of a folder and writes `crates/redfish-schema/facts.txt`. `cargo xtask code`
//! writes the code from that file. The build needs neither.
//!
//! | module | content |
//! |---|---|
//! | [`facts`] | the facts as values, and their text format |
//! | [`csdl`] | reads CSDL files into facts |
//! | [`code`] | writes the facts as Rust |

pub mod code;
pub mod csdl;
pub mod facts;

pub use facts::Facts;

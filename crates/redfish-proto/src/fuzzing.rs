//! For tests and fuzzers: whole dialogues driven from memory.
//!
//! Not part of the API that versions promise anything of.

mod client;

pub use client::{Client, Wire};

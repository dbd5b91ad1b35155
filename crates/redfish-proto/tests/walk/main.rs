//! Walks over services in memory: what is read, in which order, and what a service can do to them.

mod bmc;
mod failures;
mod members;
mod places;
mod requests;

//! Every resource of the Redfish standard as a type.
//!
//! The types are [views](mod@redfish_proto::view): slices of the JSON that a service sent, with a method for each member. Nothing
//! is copied, a clone is cheap, and a member is decoded when its method is called. So every resource can be read, however
//! odd: a member that makes no sense is `None`, and costs nothing else.
//!
//! ```
//! use redfish_schema::ComputerSystem;
//! use redfish_schema::resource::{Health, PowerState};
//! use redfish_proto::view::Json;
//!
//! let text = r#"{"Id": "1", "PowerState": "On", "AssetTag": null, "Status": {"Health": "Warning"}, "MemorySummary": {"TotalSystemMemoryGiB": 512}}"#;
//! let system: ComputerSystem = Json::new(text.into())?.decode()?;
//! assert_eq!(system.power_state(), Some(PowerState::On));
//! assert_eq!(system.asset_tag(), None);
//! assert_eq!(system.status().and_then(|status| status.health()), Some(Health::Warning));
//! let memory = system.memory_summary().and_then(|memory| memory.total_system_memory_gib());
//! assert_eq!(memory.map(|memory| memory.as_f64()), Some(512.0));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! A client reads them: `client.get::<ComputerSystem>(path)`, `client.systems()`, `client.follow(&link)`. The clients
//! `redfish-hyper` and `redfish-ureq` re-export this crate as `schema`.
//!
//! # Where to find a type
//!
//! Each schema is a module, in which the names are those of the schema: the member `Boot` of a
//! [`ComputerSystem`] is a [`computer_system::Boot`]. The resource itself is also at the top. Names of methods are those of the
//! members with underscores: `SerialNumber` is `serial_number()`.
//!
//! | in the schema | as a type |
//! |---|---|
//! | text, a URI | [`Text`](redfish_proto::view::Text): a `str` that shares the body |
//! | an integer | `i64`; [`Number`](redfish_proto::view::Number) by [`read`](redfish_proto::view::Json::read) if it may be larger |
//! | a number | [`Number`](redfish_proto::view::Number): its text, and `as_f64()` |
//! | a date and time, a duration, a UUID | [`DateTime`](redfish_proto::view::DateTime), [`Duration`](redfish_proto::view::Duration), [`Uuid`](redfish_proto::view::Uuid): the text, parsed on demand |
//! | an enumeration | an enum with `Other(text)` for values that the schema does not list |
//! | an object, an embedded resource | another view |
//! | a link | [`Link`](redfish_proto::view::Link) of the type that it leads to |
//! | a list | [`List`](redfish_proto::view::List), an iterator |
//! | what the schema leaves open | [`Json`](redfish_proto::view::Json) |
//!
//! Every view derefs to its [`Json`](redfish_proto::view::Json), which has the rest:
//! [`member`](redfish_proto::view::Json::member) tells a member that is absent from one that is null or in the way,
//! [`annotation`](redfish_proto::view::Json::annotation) and [`allowable_values`](redfish_proto::view::Json::allowable_values)
//! read what is beside a member, [`oem_as`](redfish_proto::view::Json::oem_as) reads the part of a vendor, and
//! [`text`](redfish_proto::view::Json::text) is the JSON itself.
//!
//! # Writing
//!
//! `ComputerSystemPatch` has a method for each writable member, `ManagerAccountCreate` is the body that creates an account, and
//! actions are methods of their resource, which return an [operation](redfish_proto::ops::Invoke) for the client to run:
//!
//! ```no_run
//! # use redfish_schema::ComputerSystem;
//! # use redfish_proto::{Error, ops::Invoke};
//! use redfish_schema::computer_system::{BootSource, ComputerSystemPatch};
//! use redfish_schema::resource::ResetType;
//!
//! # fn example(system: ComputerSystem) -> Result<Invoke, Error> {
//! let patch = ComputerSystemPatch::new()
//!     .asset_tag("R7-U12")
//!     .location_indicator_active(true)
//!     .boot(|boot| boot.boot_source_override_target(BootSource::Pxe));
//! let restart = system.reset(ResetType::GracefulRestart)?;
//! # Ok(restart)
//! # }
//! ```
//!
//! What was read can be written: `.asset_tag(other.asset_tag())`. `None` is null, so a member that may be absent, or that the type
//! cannot express, is restored with `copy_member("AssetTag", &other)`, which sets exactly what was read.
//!
//! # Features
//!
//! The types that every program needs are always there: the service root, systems, chassis, managers, sessions, tasks and
//! events. Each other group of schemas is a feature: those of servers are on by default, and `all` turns on the rest
//! (`automation`, `composition`, `fabric`, `facility`). A method that returns a type of another group needs the feature of that group.
//!
//! # Versions
//!
//! The types are those of the newest version of each schema in DMTF's bundle (DSP8010), and contain the members of older
//! ones. A service with another version is read in the same way: what it does not have is `None`, and what is newer is in the
//! JSON.

// The names of values are those of the schemas.
#[allow(non_camel_case_types)]
mod schemas;

pub use schemas::*;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct ReadmeDoctests;

/// The protocol, and what views are made of.
pub use redfish_proto as proto;

//! The operations: what a client can do at a service. Each is an [`Operation`](crate::Operation), like a custom one.

pub(crate) mod action;
pub(crate) mod chain;
pub(crate) mod check_service;
pub(crate) mod check_session;
pub(crate) mod follow_links;
pub(crate) mod get;
pub(crate) mod get_page;
pub(crate) mod list_sessions;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod lookup_message;
pub(crate) mod monitor;
pub(crate) mod outcome;
pub(crate) mod parts;
pub(crate) mod progress;
pub(crate) mod read_pages;
pub(crate) mod reset;
pub(crate) mod update;
pub(crate) mod watch;
pub(crate) mod write;

pub use crate::outcome::{Monitor, Outcome, Progress, Written};
pub use action::{Action, Actions, Invoke, Parameter};
pub use chain::Chain;
pub use check_service::CheckService;
pub use check_session::{CheckSession, Liveness};
pub use get::{Get, Raw, Read};
pub use get_page::{GetPage, Member, Page};
pub use list_sessions::{ListSessions, ListedSession, Ownership};
pub use login::{Login, Opened};
pub use logout::{Logout, LogoutOutcome};
pub use lookup_message::LookupMessage;
pub use read_pages::Listed;
pub use reset::{PowerChange, Reset, ResetAccepted, WaitForPower};
pub use update::{Download, Image, PushUpdate, SimpleUpdate};
pub use watch::{TaskOutcome, WaitUntil, Watch};
pub use write::{IfMatch, Write};

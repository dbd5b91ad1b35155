//! Redfish and HTTP formats, as pure values: requests, responses, messages, queries, dates and ETags.

pub(crate) mod answer;
pub(crate) mod date;
pub(crate) mod message;
pub(crate) mod patch;
pub(crate) mod path;
pub(crate) mod profile;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod response;

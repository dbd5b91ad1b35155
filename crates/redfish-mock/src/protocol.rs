//! The formats of Redfish and HTTP, without state: requests, responses, messages, events, queries, ETags and dates.

pub(crate) mod answer;
pub(crate) mod date;
pub(crate) mod etag;
pub(crate) mod event;
pub(crate) mod event_filter;
pub(crate) mod image;
pub(crate) mod intake;
pub(crate) mod message;
pub(crate) mod multipart;
pub(crate) mod patch;
pub(crate) mod path;
pub(crate) mod payload;
pub(crate) mod privilege;
pub(crate) mod profile;
pub(crate) mod property;
mod push_form;
pub(crate) mod query;
pub(crate) mod render;
pub(crate) mod representation;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod uris;

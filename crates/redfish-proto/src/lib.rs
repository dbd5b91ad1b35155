//! The Redfish protocol as values: requests built, answers read, no I/O.

//! A Redfish client for async programs, on hyper.

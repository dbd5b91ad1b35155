//! A Redfish client for sync programs, on ureq.

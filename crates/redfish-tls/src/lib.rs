//! Which certificate a Redfish client trusts, as a rustls configuration.

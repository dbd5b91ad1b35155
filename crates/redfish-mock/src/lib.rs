//! A Redfish service to try clients against: sessions, expiry, faults on demand.

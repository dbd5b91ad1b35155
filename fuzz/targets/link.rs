//! Links of arbitrary text never leave the origin.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::link(data));

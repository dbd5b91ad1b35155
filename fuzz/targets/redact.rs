//! Texts of arbitrary bytes are printed without their secrets.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::redact(data));

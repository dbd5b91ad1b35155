//! Secrets in texts of any bytes: none is shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::redact(data));

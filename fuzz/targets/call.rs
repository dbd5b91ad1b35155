//! Dialogues with arbitrary responses: the client obeys its rules.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_testkit::dialogue::fuzz(data));

//! Whole dialogues: arbitrary answers, and the rules of a client.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_testkit::dialogue::fuzz(data));

//! An upload of a gigabyte in constant memory, in its own process because it measures the peak of the process.

#![cfg(target_os = "linux")]

mod harness;

use harness::adapted::Client;

redfish_testkit::large!(Client);

//! An image of a gigabyte passes through, and never is in memory: the peak is that of this process.

#![cfg(target_os = "linux")]

mod harness;

use harness::adapted::Client;

redfish_testkit::large!(Client);

//! The tests that both adapters share.

mod harness;

use harness::adapted::Client;

redfish_testkit::suites!(Client);

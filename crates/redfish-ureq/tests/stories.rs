//! Every transcript of the core, over real sockets and real TLS, with its waits in virtual time.

mod harness;

use harness::adapted::Client;

redfish_testkit::stories!(Client);

//! All transcripts of the core, over real sockets and real TLS, with waits in virtual time.

mod harness;

use harness::adapted::Client;

redfish_testkit::transcripts!(Client);

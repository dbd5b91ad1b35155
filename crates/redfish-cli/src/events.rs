//! `events`: what the service tells of, one JSON document a line, as it happens.

use clap::Args;
use redfish_proto::Incoming;

use crate::connection::Connection;
use crate::document::compact;
use crate::failure::Failure;
use crate::options::Options;
use crate::output;

/// How many events, and which.
#[derive(Args)]
pub(crate) struct Events {
    /// End after so many; without it, at a signal
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Only those for which this holds, such as "EventFormatType eq Event"
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
}

impl Events {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        let mut left = self.count.unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(());
        }
        Connection::scoped(options, |connection| {
            let events = connection.with_client(|client| client.events(self.filter.as_deref()))?;
            for incoming in events {
                match incoming? {
                    // Data that is no JSON is shown as a JSON text, so that a line is always a document.
                    Incoming::Event(event) => {
                        match serde_json::from_str::<serde::de::IgnoredAny>(&event.data) {
                            Ok(_) => output::print(&compact(event.data.as_bytes()))?,
                            Err(_) => output::line(serde_json::Value::String(event.data))?,
                        }
                    }
                    Incoming::Gap { after, before } => {
                        output::note(format_args!(
                            "redfish: warning: events between {} and {} were missed.",
                            output::clean(&after),
                            output::clean(&before)
                        ));
                        continue;
                    }
                }
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            Ok(())
        })
    }
}

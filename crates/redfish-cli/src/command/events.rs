//! `events`: the events of the service, one JSON document per line.

use clap::Args;
use redfish_proto::events::{Reconnection, StreamItem};
use redfish_proto::json;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::failure::Failure;
use crate::output;
use crate::terminal;
use crate::visit::{Job, Visit};

/// Which events to print.
#[derive(Args)]
pub(crate) struct Events {
    /// Exit after N events. Default: no limit
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Only events that match, for example "EventFormatType eq Event"
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
}

impl Job for Events {
    fn ends(&self) -> bool {
        self.count.is_some()
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        visit.sink.expect_list(0);
        let mut left = self.count.unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(());
        }
        let filter = self.filter.as_deref();
        let mut events = visit.with_client(|client| async move { client.events(filter).await }).await?;
        while let Some(item) = events.next().await {
            match item? {
                StreamItem::Event(event) => print(event.data, visit).await?,
                StreamItem::Gap { after, before } => {
                    let (after, before) = (terminal::clean(&after), terminal::clean(&before));
                    visit.warn(format!("events between {after} and {before} were missed"));
                    continue;
                }
                StreamItem::Reconnecting(reconnection) => {
                    visit.warn(reconnecting(&reconnection));
                    continue;
                }
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Prints the data of an event. Data that is not JSON, even if it is repaired, becomes a JSON string, so that a line is
/// always a document.
async fn print(data: String, visit: &mut Visit) -> Result<(), Failure> {
    match serde_json::from_slice::<IgnoredAny>(&json::readable(data.as_bytes())) {
        Ok(_) => visit.sink.compact(data.as_bytes()).await,
        Err(_) => visit.sink.json(Value::String(data)).await,
    }
}

fn reconnecting(reconnection: &Reconnection) -> String {
    let wait = output::seconds(reconnection.wait);
    match &reconnection.error {
        Some(error) => format!("the stream of events broke: {error}; it is opened again in {wait}"),
        None => format!("the service ended the stream of events; it is opened again in {wait}"),
    }
}

//! `events`: the events of the service, one JSON document per line.

use clap::Args;
use redfish_proto::events::StreamItem;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::failure::Failure;
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
                // Data that is not JSON becomes a JSON string, so that a line is always a document.
                StreamItem::Event(event) => match serde_json::from_str::<IgnoredAny>(&event.data) {
                    Ok(_) => visit.sink.compact(event.data.as_bytes()).await?,
                    Err(_) => visit.sink.json(Value::String(event.data)).await?,
                },
                StreamItem::Gap { after, before } => {
                    let (after, before) = (terminal::clean(&after), terminal::clean(&before));
                    visit.warn(format!("events between {after} and {before} were missed"));
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

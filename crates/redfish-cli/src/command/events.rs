//! `events`: what the service tells of, one JSON document a line, as it happens.

use clap::Args;
use redfish_proto::events::StreamItem;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::failure::Failure;
use crate::terminal;
use crate::visit::{Job, Visit};

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
        while let Some(incoming) = events.next().await {
            match incoming? {
                // Data that is not JSON is printed as a JSON text, so that a line is always a document.
                StreamItem::Event(event) => match serde_json::from_str::<IgnoredAny>(&event.data) {
                    Ok(_) => visit.sink.compact(event.data.as_bytes()).await?,
                    Err(_) => visit.sink.json(Value::String(event.data)).await?,
                },
                StreamItem::Gap { after, before } => {
                    let (after, before) = (terminal::clean(&after), terminal::clean(&before));
                    visit.warn(format!("events between {after} and {before} were missed."));
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

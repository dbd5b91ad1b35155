//! A service's events, across all the connections that it takes.

use std::collections::VecDeque;

use redfish_proto::{EventSource, FindEvents, Incoming, Limits, Listener};

use crate::client::Client;
use crate::error::Error;
use crate::stream::Stream;

/// The events of a service. A connection that ends is followed by the next, behind the event that came last; what the
/// service refuses ends it.
pub struct Events {
    client: Client,
    listener: Listener,
    stream: Option<Stream>,
    ready: VecDeque<Incoming>,
    ended: bool,
}

impl Client {
    /// Listens to the service's events from now on. Nothing is opened before the first is asked for.
    ///
    /// # Errors
    /// A service that streams none, whatever it refused.
    pub async fn events(&self, filter: Option<&str>) -> Result<Events, Error> {
        let source = self.run(FindEvents::default()).await?;
        Ok(self.events_at(match filter {
            Some(expression) => source.filter(expression),
            None => source,
        }))
    }

    /// Listens to the events of a stream whose URI is known.
    pub fn events_at(&self, source: EventSource) -> Events {
        let listener = Listener::new(source, Limits::default());
        Events { client: self.clone(), listener, stream: None, ready: VecDeque::new(), ended: false }
    }
}

impl Events {
    /// The next event, or that some were missed; `None` after an error. Cancel safe: nothing is lost where it is dropped
    /// unfinished.
    pub async fn next(&mut self) -> Option<Result<Incoming, Error>> {
        if self.ended {
            return None;
        }
        if let Err(error) = self.fill().await {
            self.ended = true;
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }

    /// Reads until something has come.
    async fn fill(&mut self) -> Result<(), Error> {
        while self.ready.is_empty() {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                none => match self.client.stream(self.listener.subscribe()).await {
                    Ok((_, Some(stream))) => none.insert(stream),
                    Ok((_, None)) => return Ok(()),
                    // The service may be away for a while; what it refuses does not change by asking again.
                    Err(error) if error.core().may_pass() => {
                        let wait = self.listener.disconnected();
                        self.client.clock().sleep(wait).await;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            match stream.chunk().await {
                Ok(Some(piece)) => self.ready.extend(self.listener.push(&piece)?),
                Ok(None) | Err(_) => {
                    self.stream = None;
                    let wait = self.listener.disconnected();
                    self.client.clock().sleep(wait).await;
                }
            }
        }
        Ok(())
    }
}

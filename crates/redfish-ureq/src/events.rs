//! A service's events, across all the connections that it takes.

use std::collections::VecDeque;
use std::io::Read;

use redfish_proto::{EventSource, FindEvents, Incoming, Limits, Listener};

use crate::client::Client;
use crate::error::Error;
use crate::stream::{Cancel, Stream};

/// The events of a service, as a blocking iterator. A connection that ends is followed by the next, behind the event
/// that came last; what the service refuses ends it.
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
    pub fn events(&self, filter: Option<&str>) -> Result<Events, Error> {
        let source = self.run(FindEvents::default())?;
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
    /// What ends a read that waits, from another thread; `None` where no connection is open.
    pub fn cancel(&self) -> Option<Cancel> {
        self.stream.as_ref().map(Stream::cancel)
    }

    /// Reads until something has come.
    fn fill(&mut self) -> Result<(), Error> {
        let mut piece = vec![0; 16 << 10];
        while self.ready.is_empty() {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                none => match self.client.stream(self.listener.subscribe()) {
                    Ok((_, Some(stream))) => none.insert(stream),
                    Ok((_, None)) => return Ok(()),
                    // The service may be away for a while; what it refuses does not change by asking again.
                    Err(error) if error.core().may_pass() => {
                        let wait = self.listener.disconnected();
                        self.client.clock().sleep(wait);
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            match stream.read(&mut piece) {
                Ok(read) if read > 0 => self.ready.extend(self.listener.push(&piece[..read])?),
                _ => {
                    self.stream = None;
                    let wait = self.listener.disconnected();
                    self.client.clock().sleep(wait);
                }
            }
        }
        Ok(())
    }
}

impl Iterator for Events {
    type Item = Result<Incoming, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if let Err(error) = self.fill() {
            self.ended = true;
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}

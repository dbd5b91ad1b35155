//! The events of a service, across reconnections.

use std::collections::VecDeque;
use std::io::Read;
use std::time::Duration;

use redfish_proto::driver::Trace;
use redfish_proto::events::{
    CreateSubscription, DeleteSubscription, EventSource, FindEvents, Limits, ListSubscriptions, Listener,
    Reconnection, StreamItem, Subscription,
};
use redfish_proto::ops::{Listed, Outcome};
use redfish_proto::reason::Feature;
use redfish_proto::{Error, ErrorKind, Resource, Target};
use redfish_schema::EventDestination;

use crate::cancel::Cancel;
use crate::client::Client;
use crate::stream::Stream;

/// The events of a service, as a blocking iterator.
///
/// After a connection ends, the next one continues after the last event, and an item says so. Transient errors are retried
/// once the stream was open, and any other error ends the iterator, as [`cancel`](Events::cancel) does. Dropping the iterator closes its connection.
pub struct Events {
    client: Client,
    listener: Listener,
    stream: Option<Stream>,
    /// The wait before the next connection.
    wait: Duration,
    ready: VecDeque<StreamItem>,
    cancel: Cancel,
    ended: bool,
}

impl Client {
    /// Finds the service's event stream, and listens to it. The stream is opened when the first event is requested.
    ///
    /// # Errors
    /// Fails if the service has no event stream or does not support the filter, or if it refuses a request.
    pub fn events(&self, filter: Option<&str>) -> Result<Events, Error> {
        let find = FindEvents::default();
        let find = match filter {
            Some(expression) => find.filter(expression),
            None => find,
        };
        Ok(self.events_at(self.run(find)?))
    }

    /// Listens to the event stream of a known URI.
    pub fn events_at(&self, source: EventSource) -> Events {
        let listener = Listener::new(source, Limits::of(self.service().policy()));
        Events {
            client: self.clone(),
            listener,
            stream: None,
            wait: Duration::ZERO,
            ready: VecDeque::new(),
            cancel: Cancel::default(),
            ended: false,
        }
    }

    /// Creates a subscription and returns its URI. The service pushes events to the destination, where
    /// [`Notification::parse`](redfish_proto::events::Notification::parse) reads them.
    ///
    /// # Errors
    /// Fails if the service does not push events or refuses a request, and with
    /// [`OutcomeUnknown`](redfish_proto::ErrorKind::OutcomeUnknown) if no response arrives. The request is not sent again.
    pub fn subscribe(&self, subscription: Subscription) -> Result<Target, Error> {
        self.run(CreateSubscription::new(subscription))
    }

    /// Lists all subscriptions of the service, including event streams and the subscriptions of other clients.
    ///
    /// # Errors
    /// Fails if the service does not push events or refuses the first page. Later failures are in the list.
    pub fn subscriptions(&self) -> Result<Listed<Resource<EventDestination>>, Error> {
        self.run(ListSubscriptions::default())
    }

    /// Deletes a subscription.
    ///
    /// # Errors
    /// Fails if the service refuses the request, and with [`NotFound`](redfish_proto::ErrorKind::NotFound) if the
    /// subscription has already ended.
    pub fn unsubscribe(&self, path: &str) -> Result<Outcome, Error> {
        self.run(DeleteSubscription::new(self.service().target(path)?))
    }
}

impl Events {
    /// Returns a handle that ends this iterator, for another thread or a signal handler. Events that have already arrived
    /// are still returned.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Reads until an item is ready or the iterator is cancelled.
    fn fill(&mut self) -> Result<(), Error> {
        let mut piece = vec![0; 16 << 10];
        while self.ready.is_empty() && !self.cancel.is_cancelled() {
            let Some(stream) = &mut self.stream else {
                self.pause();
                if self.cancel.is_cancelled() {
                    break;
                }
                match self.open() {
                    Ok(stream) => {
                        self.listener.opened();
                        self.stream = Some(stream);
                    }
                    Err(_) if self.cancel.is_cancelled() => {}
                    Err(error) => {
                        let reconnection = self.listener.failed(error)?;
                        self.reconnect(reconnection);
                    }
                }
                continue;
            };
            match stream.read(&mut piece) {
                Ok(read) if read > 0 => self.ready.extend(self.listener.push(&piece[..read])?),
                ended => {
                    self.stream = None;
                    let reconnection = match ended {
                        Ok(_) => self.listener.disconnected(),
                        Err(error) => {
                            let secrets = self.client.coordinator().secrets();
                            self.listener.interrupted(error, self.client.service(), &secrets)?
                        }
                    };
                    self.reconnect(reconnection);
                }
            }
        }
        Ok(())
    }

    fn open(&self) -> Result<Stream, Error> {
        let call = self.client.service().call(self.listener.subscribe()?);
        let (_, stream) = self.client.drive_watching(call, None, Some(&self.cancel), &mut |_| {})?;
        stream.ok_or_else(|| self.client.service().error(ErrorKind::NotSupported(Feature::EventStream)))
    }

    fn end(&mut self) {
        self.ended = true;
        self.stream = None;
    }

    fn reconnect(&mut self, reconnection: Reconnection) {
        if self.cancel.is_cancelled() {
            return;
        }
        self.wait = reconnection.wait;
        self.ready.push_back(StreamItem::Reconnecting(reconnection));
    }

    /// Waits before the next connection.
    fn pause(&mut self) {
        let wait = std::mem::take(&mut self.wait);
        if !wait.is_zero() {
            self.client.observe(|| Trace::Wait(wait));
            self.client.clock().sleep_cancellable(wait, &self.cancel);
        }
    }
}

impl Iterator for Events {
    type Item = Result<StreamItem, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && !self.ended {
            if let Err(error) = self.fill() {
                self.end();
                return Some(Err(error));
            }
        }
        let next = self.ready.pop_front();
        if next.is_none() {
            self.end();
        }
        next.map(Ok)
    }
}

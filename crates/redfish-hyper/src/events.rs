//! The events of a service, across reconnections.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use redfish_proto::driver::Trace;
use redfish_proto::events::{
    CreateSubscription, DeleteSubscription, EventSource, FindEvents, Limits, ListSubscriptions, Listener,
    Reconnection, StreamItem, Subscribe, Subscription,
};
use redfish_proto::ops::{Listed, Outcome};
use redfish_proto::reason::Feature;
use redfish_proto::{Error, ErrorKind, Resource, Target};
use redfish_schema::EventDestination;

use crate::client::Client;
use crate::stream::Stream;

/// The events of a service, as a stream.
///
/// After a connection ends, the next one continues after the last event, and an item says so. Transient errors are retried
/// once the stream was open, and any other error ends the stream. Dropping the stream closes its connection.
pub struct Events {
    client: Client,
    listener: Listener,
    state: State,
    ready: VecDeque<StreamItem>,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the stream is doing. The futures outlive a dropped `next`, so that a `select!` in a loop does not restart a
/// wait, a request or a timeout.
enum State {
    /// Not connected. The next connection is opened after this wait.
    Disconnected {
        wait: Duration,
    },
    Opening(BoxFuture<Result<Stream, Error>>),
    Reading(BoxFuture<(Stream, io::Result<Option<Bytes>>)>),
    Ended,
}

impl Client {
    /// Finds the service's event stream, and listens to it. The stream is opened when the first event is requested.
    ///
    /// # Errors
    /// Fails if the service has no event stream or does not support the filter, or if it refuses a request.
    pub async fn events(&self, filter: Option<&str>) -> Result<Events, Error> {
        let find = FindEvents::default();
        let find = match filter {
            Some(expression) => find.filter(expression),
            None => find,
        };
        Ok(self.events_at(self.run(find).await?))
    }

    /// Listens to the event stream of a known URI.
    pub fn events_at(&self, source: EventSource) -> Events {
        let listener = Listener::new(source, Limits::of(self.service().policy()));
        let state = State::Disconnected { wait: Duration::ZERO };
        Events { client: self.clone(), listener, state, ready: VecDeque::new() }
    }

    /// Creates a subscription and returns its URI. The service pushes events to the destination, where
    /// [`Notification::parse`](redfish_proto::events::Notification::parse) reads them.
    ///
    /// # Errors
    /// Fails if the service does not push events or refuses a request, and with
    /// [`OutcomeUnknown`](redfish_proto::ErrorKind::OutcomeUnknown) if no response arrives. The request is not sent again.
    pub async fn subscribe(&self, subscription: Subscription) -> Result<Target, Error> {
        self.run(CreateSubscription::new(subscription)).await
    }

    /// Lists all subscriptions of the service, including event streams and the subscriptions of other clients.
    ///
    /// # Errors
    /// Fails if the service does not push events or refuses the first page. Later failures are in the list.
    pub async fn subscriptions(&self) -> Result<Listed<Resource<EventDestination>>, Error> {
        self.run(ListSubscriptions::default()).await
    }

    /// Deletes a subscription.
    ///
    /// # Errors
    /// Fails if the service refuses the request, and with [`NotFound`](redfish_proto::ErrorKind::NotFound) if the
    /// subscription has already ended.
    pub async fn unsubscribe(&self, path: &str) -> Result<Outcome, Error> {
        self.run(DeleteSubscription::new(self.service().target(path)?)).await
    }
}

impl Events {
    /// Returns the next event, a gap if events were missed, or that the stream is opened again; `None` after an error. Cancel safe: the next call
    /// continues where this one stopped.
    pub async fn next(&mut self) -> Option<Result<StreamItem, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<StreamItem, Error>>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            self.state = match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Disconnected { wait } => {
                    State::Opening(Box::pin(open(self.client.clone(), *wait, self.listener.subscribe())))
                }
                State::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(stream) => {
                        self.listener.opened();
                        State::Reading(Box::pin(read(stream)))
                    }
                    Err(error) => match self.listener.failed(error) {
                        Ok(reconnection) => self.reconnect(reconnection),
                        Err(error) => return self.fail(error),
                    },
                },
                State::Reading(reading) => match ready!(reading.as_mut().poll(context)) {
                    (stream, Ok(Some(piece))) => match self.listener.push(&piece) {
                        Ok(items) => {
                            self.ready.extend(items);
                            State::Reading(Box::pin(read(stream)))
                        }
                        Err(error) => return self.fail(error),
                    },
                    (_, Ok(None)) => {
                        let reconnection = self.listener.disconnected();
                        self.reconnect(reconnection)
                    }
                    (_, Err(error)) => {
                        let secrets = self.client.coordinator().secrets();
                        match self.listener.interrupted(error, self.client.service(), &secrets) {
                            Ok(reconnection) => self.reconnect(reconnection),
                            Err(error) => return self.fail(error),
                        }
                    }
                },
            };
        }
    }

    fn reconnect(&mut self, reconnection: Reconnection) -> State {
        let wait = reconnection.wait;
        self.ready.push_back(StreamItem::Reconnecting(reconnection));
        State::Disconnected { wait }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<StreamItem, Error>>> {
        self.state = State::Ended;
        Poll::Ready(Some(Err(error)))
    }
}

async fn open(
    client: Client,
    wait: Duration,
    subscribe: Result<Subscribe, redfish_proto::Error>,
) -> Result<Stream, Error> {
    if !wait.is_zero() {
        client.observe(|| Trace::Wait(wait));
        client.clock().sleep(wait).await;
    }
    let (_, stream) = client.stream(subscribe?).await?;
    stream.ok_or_else(|| client.service().error(ErrorKind::NotSupported(Feature::EventStream)))
}

async fn read(mut stream: Stream) -> (Stream, io::Result<Option<Bytes>>) {
    let piece = stream.chunk().await;
    (stream, piece)
}

impl futures_core::Stream for Events {
    type Item = Result<StreamItem, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

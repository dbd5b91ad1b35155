//! A service's events, across all the connections that it takes.

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
    StreamItem, Subscribe, Subscription,
};
use redfish_proto::ops::Outcome;
use redfish_proto::reason::Feature;
use redfish_proto::schema::EventDestination;
use redfish_proto::{Error, ErrorKind, Resource, Target};

use crate::client::Client;
use crate::stream::Stream;

/// The events of a service, as a stream. A connection that ends is followed by the next, behind the event that came
/// last; what the service refuses ends it. Dropping it closes its connection.
pub struct Events {
    client: Client,
    listener: Listener,
    doing: Doing,
    ready: VecDeque<StreamItem>,
}

type Underway<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is under way. It is kept over polls, so that a caller who asks in a `select!` starves neither a connection nor
/// a wait nor a time-out.
enum Doing {
    Pausing(Duration),
    Opening(Underway<Result<Stream, Error>>),
    Reading(Underway<(Stream, io::Result<Option<Bytes>>)>),
    Nothing,
}

impl Client {
    /// Listens to the service's events from now on. Nothing is opened before the first is asked for.
    ///
    /// # Errors
    /// A service that streams none or does not filter by that, whatever it refused.
    pub async fn events(&self, filter: Option<&str>) -> Result<Events, Error> {
        let find = FindEvents::default();
        let find = match filter {
            Some(expression) => find.filter(expression),
            None => find,
        };
        Ok(self.events_at(self.run(find).await?))
    }

    /// Listens to the events of a stream whose URI is known.
    pub fn events_at(&self, source: EventSource) -> Events {
        let listener = Listener::new(source, Limits::default());
        let doing = Doing::Pausing(Duration::ZERO);
        Events { client: self.clone(), listener, doing, ready: VecDeque::new() }
    }

    /// Subscribes: the service pushes events to the destination, where
    /// [`Notification::parse`](redfish_proto::events::Notification::parse) reads them. Returns the subscription's URI.
    ///
    /// # Errors
    /// A service that pushes none, whatever it refused.
    /// [`OutcomeUnknown`](redfish_proto::ErrorKind::OutcomeUnknown) where no answer came: it is not sent again.
    pub async fn subscribe(&self, subscription: Subscription) -> Result<Target, Error> {
        self.run(CreateSubscription::new(subscription)).await
    }

    /// All subscriptions of the service, those of others and streams of events among them.
    ///
    /// # Errors
    /// A service that pushes none, whatever it refused.
    pub async fn subscriptions(&self) -> Result<Vec<Resource<EventDestination>>, Error> {
        self.run(ListSubscriptions::default()).await
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// Whatever the service refused, [`NotFound`](redfish_proto::ErrorKind::NotFound) where it has ended before.
    pub async fn unsubscribe(&self, path: &str) -> Result<Outcome, Error> {
        self.run(DeleteSubscription::new(self.service().target(path)?)).await
    }
}

impl Events {
    /// The next event, or that some were missed; `None` after an error. Cancel safe: what was under way goes on with the
    /// next call.
    pub async fn next(&mut self) -> Option<Result<StreamItem, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<StreamItem, Error>>> {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(incoming)));
            }
            self.doing = match &mut self.doing {
                Doing::Nothing => return Poll::Ready(None),
                Doing::Pausing(wait) => {
                    Doing::Opening(Box::pin(open(self.client.clone(), *wait, self.listener.subscribe())))
                }
                Doing::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(stream) => Doing::Reading(Box::pin(read(stream))),
                    Err(error) => match self.listener.failed(error) {
                        Ok(wait) => Doing::Pausing(wait),
                        Err(error) => return self.fail(error),
                    },
                },
                Doing::Reading(reading) => match ready!(reading.as_mut().poll(context)) {
                    (stream, Ok(Some(piece))) => match self.listener.push(&piece) {
                        Ok(incoming) => {
                            self.ready.extend(incoming);
                            Doing::Reading(Box::pin(read(stream)))
                        }
                        Err(error) => return self.fail(error),
                    },
                    (_, Ok(None) | Err(_)) => Doing::Pausing(self.listener.disconnected()),
                },
            };
        }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<StreamItem, Error>>> {
        self.doing = Doing::Nothing;
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
    stream.ok_or_else(|| Error::new(ErrorKind::NotSupported(Feature::EventStream)))
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

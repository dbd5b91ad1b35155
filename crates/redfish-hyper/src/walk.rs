//! Walks, with several requests in flight.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use redfish_proto::Error;
use redfish_proto::walk::{Event, Fetched, Place, Ticket, Walk};

use crate::client::Client;

type Running = Pin<Box<dyn Future<Output = Result<Fetched, Error>> + Send>>;
type Login = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A [`Walk`] that is being driven, as a stream. An error ends it. Requests are sent and responses are read only while it
/// is polled. Dropping it ends what is in flight.
pub struct Walking {
    client: Client,
    walk: Walk,
    in_flight: Vec<(Ticket, Running)>,
    /// Wakes the task when something can be sent again.
    pause: Option<Pause>,
    login: Option<Login>,
}

impl Client {
    /// Drives a walk through the service, with as many requests in flight as the transport allows
    /// ([`per_service`](redfish_proto::driver::TransportLimits::per_service)).
    ///
    /// ```no_run
    /// # use redfish_hyper::{Client, Error, Service};
    /// use redfish_hyper::proto::walk::{Event, Walk};
    ///
    /// # async fn example(client: Client) -> Result<(), Error> {
    /// let start = client.service().target("/redfish/v1/Systems")?;
    /// let mut walking = client.walk(Walk::new(client.service().clone(), start));
    /// while let Some(event) = walking.next().await {
    ///     match event? {
    ///         Event::Resource(found) => println!("{}: {}", found.target(), found.type_name()),
    ///         Event::Unread(unread) => eprintln!("{}", unread.error),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn walk(&self, mut walk: Walk) -> Walking {
        walk.recall();
        // The login reads the root, which says what the service supports.
        let client = self.clone();
        let login = async move { client.session().await.map(drop) };
        let (in_flight, pause) = (Vec::new(), None);
        Walking { client: self.clone(), walk, in_flight, pause, login: Some(Box::pin(login)) }
    }
}

impl Walking {
    /// Returns the next event; `None` at the end. Cancel safe: the next call continues.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The place of a resource, which is final at the end. See [`Walk::place`].
    pub fn place(&self, number: usize) -> Option<Place> {
        self.walk.place(number)
    }

    /// Number of resources and links that are known so far.
    pub fn known(&self) -> usize {
        self.walk.known()
    }

    /// Ends what is in flight, and returns the walk, which another client can continue.
    pub fn into_walk(self) -> Walk {
        self.walk
    }

    /// Takes the results of the calls that have ended.
    fn poll_in_flight(&mut self, context: &mut Context<'_>) {
        let mut index = 0;
        while let Some((_, call)) = self.in_flight.get_mut(index) {
            match call.as_mut().poll(context) {
                Poll::Pending => index += 1,
                Poll::Ready(result) => {
                    let (ticket, _) = self.in_flight.swap_remove(index);
                    self.walk.receive(ticket, result, self.client.clock().now());
                }
            }
        }
    }

    /// Sends what there is room for. Returns whether there was anything.
    fn fill(&mut self) -> bool {
        let room = self.client.transport().limits().per_service;
        let before = self.in_flight.len();
        while self.in_flight.len() < room {
            let Some((ticket, call)) = self.walk.next_call(self.client.clock().now()) else { break };
            let client = self.client.clone();
            self.in_flight.push((ticket, Box::pin(async move { client.run_call(call).await })));
        }
        self.in_flight.len() > before
    }
}

impl Stream for Walking {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(login) = &mut self.login {
            let Poll::Ready(result) = login.as_mut().poll(context) else { return Poll::Pending };
            self.login = None;
            let features = self.client.coordinator().features();
            match result {
                Ok(()) => self.walk.learn_features(features),
                Err(error) => self.walk.fail(error),
            }
        }
        loop {
            self.poll_in_flight(context);
            // What is new has to be polled to be sent.
            while self.fill() {
                self.poll_in_flight(context);
            }
            match self.walk.next_event() {
                Some(Err(error)) => {
                    self.in_flight.clear();
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(event)) => return Poll::Ready(Some(Ok(event))),
                None => {}
            }
            let Some(time) = self.walk.pause(self.client.clock().now()) else {
                return if self.in_flight.is_empty() { Poll::Ready(None) } else { Poll::Pending };
            };
            let client = self.client.clone();
            let mut pause: Pause = Box::pin(async move { client.clock().sleep(time).await });
            if pause.as_mut().poll(context).is_pending() {
                self.pause = Some(pause);
                return Poll::Pending;
            }
        }
    }
}

impl fmt::Debug for Walking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Walking({:?})", self.walk)
    }
}

//! Walks, with several requests in flight.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redfish_proto::walk::{Event, Fetch, Fetched, Place, Ticket, Walk};
use redfish_proto::{Call, Error};

use crate::client::Client;

type Job = (Ticket, Call<Fetch>);
type Outcome = (Ticket, Result<Result<Fetched, Error>, Box<dyn Any + Send>>);

/// A [`Walk`] that is being driven, as a blocking iterator. An error ends it.
///
/// Requests are in flight in threads of its own, which end before it is dropped: the drop waits for the responses to what is
/// in flight.
pub struct Walking {
    client: Client,
    walk: Walk,
    has_session: bool,
    in_flight: usize,
    pool: Pool,
}

/// Threads that run jobs. They end before it is dropped.
struct Pool {
    threads: Vec<JoinHandle<()>>,
    /// `None` once the threads are to end.
    jobs: Option<Sender<Job>>,
    next_job: Arc<Mutex<Receiver<Job>>>,
    outcome: Sender<Outcome>,
    outcomes: Receiver<Outcome>,
}

impl Client {
    /// Drives a walk through the service, with as many requests in flight as the transport allows
    /// ([`per_service`](redfish_proto::driver::TransportLimits::per_service)).
    ///
    /// ```no_run
    /// # use redfish_ureq::{Client, Error, Service};
    /// use redfish_ureq::proto::walk::{Event, Walk};
    ///
    /// # fn example(client: Client) -> Result<(), Error> {
    /// let start = client.service().target("/redfish/v1/Systems")?;
    /// for event in client.walk(Walk::new(client.service().clone(), start)) {
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
        Walking { client: self.clone(), walk, has_session: false, in_flight: 0, pool: Pool::new() }
    }
}

impl Walking {
    /// The place of a resource, which is final at the end. See [`Walk::place`].
    pub fn place(&self, number: usize) -> Option<Place> {
        self.walk.place(number)
    }

    /// Number of resources and links that are known so far.
    pub fn known(&self) -> usize {
        self.walk.known()
    }

    /// Waits for the responses to what is in flight, and returns the walk, which another client can continue.
    pub fn into_walk(self) -> Walk {
        let Walking { walk, pool, .. } = self;
        drop(pool);
        walk
    }

    /// Sends what there is room for.
    fn fill(&mut self) {
        while self.in_flight < self.client.transport().limits().per_service {
            let Some(job) = self.walk.next_call(self.client.clock().now()) else { break };
            self.in_flight += 1;
            self.pool.start(job, self.in_flight, &self.client);
        }
    }

    /// Waits for a result, or until something can be sent again.
    fn wait(&mut self, pause: Option<Duration>) {
        let outcome = match pause {
            Some(time) if self.in_flight == 0 => return self.client.clock().sleep(time),
            Some(time) => self.pool.outcomes.recv_timeout(time).ok(),
            None => self.pool.outcomes.recv().ok(),
        };
        let Some((ticket, result)) = outcome else { return };
        self.in_flight -= 1;
        let result = result.unwrap_or_else(|panic| resume_unwind(panic));
        self.walk.receive(ticket, result, self.client.clock().now());
    }
}

impl Pool {
    fn new() -> Pool {
        let (jobs, next_job) = mpsc::channel();
        let (outcome, outcomes) = mpsc::channel();
        let next_job = Arc::new(Mutex::new(next_job));
        Pool { threads: Vec::new(), jobs: Some(jobs), next_job, outcome, outcomes }
    }

    /// Starts a job, which is the last of `in_flight`.
    fn start(&mut self, job: Job, in_flight: usize, client: &Client) {
        if self.threads.len() < in_flight {
            let (client, next_job, outcome) = (client.clone(), self.next_job.clone(), self.outcome.clone());
            self.threads.push(thread::spawn(move || work(&client, &next_job, &outcome)));
        }
        if let Some(jobs) = &self.jobs {
            // Cannot fail: the receiver is in `self`.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // The panic of a job is its outcome.
            let _ = thread.join();
        }
    }
}

/// Runs jobs until there are no more.
fn work(client: &Client, next_job: &Mutex<Receiver<Job>>, outcome: &Sender<Outcome>) {
    loop {
        let job = next_job.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((ticket, call)) = job else { return };
        let result = catch_unwind(AssertUnwindSafe(|| client.run_call(call)));
        if outcome.send((ticket, result)).is_err() {
            return;
        }
    }
}

impl Iterator for Walking {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.has_session {
            self.has_session = true;
            // The login reads the root, which says what the service supports.
            match self.client.session() {
                Ok(_) => self.walk.learn_features(self.client.coordinator().features()),
                Err(error) => self.walk.fail(error),
            }
        }
        loop {
            self.fill();
            if let Some(event) = self.walk.next_event() {
                if event.is_err() {
                    // The results of what is in flight do not matter any more.
                    self.pool = Pool::new();
                    self.in_flight = 0;
                }
                return Some(event);
            }
            match self.walk.pause(self.client.clock().now()) {
                None if self.in_flight == 0 => return None,
                pause => self.wait(pause),
            }
        }
    }
}

impl fmt::Debug for Walking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Walking({:?})", self.walk)
    }
}

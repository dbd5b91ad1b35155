//! The client's methods for resources. Each runs an operation of the core.

use std::ops::ControlFlow;
use std::time::Duration;

use redfish_proto::enumerations::ResetType;
use redfish_proto::ops::{
    Action, Actions, GetPage, IfMatch, Invoke, LookupMessage, Monitor, Outcome, PowerChange, Read, Reset,
    ResetAccepted, TaskOutcome, WaitForPower, Watch, Write, Written,
};
use redfish_proto::query::{Features, GetFeatures, Query};
use redfish_proto::view::Decode;
use redfish_proto::{Body, Call, Error, Message, Operation, Resource, Target};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::members::Members;

impl Client {
    /// Reads a resource with its ETag and its raw JSON, as a type: a view of [`schema`](crate::schema), a custom one, or a type of serde.
    ///
    /// # Errors
    /// Fails if the service refuses the request, the connection fails, or the response does not fit the type.
    pub fn read<T: Decode>(&self, path: &str) -> Result<Resource<T>, Error> {
        self.run(Read::new(self.service().target(path)?))
    }

    /// Reads a resource again. The service sends it only if it has changed.
    ///
    /// # Errors
    /// Fails as [`read`](Client::read) does.
    pub fn reread<T: Decode>(&self, earlier: Resource<T>) -> Result<Resource<T>, Error> {
        self.run(Read::again(earlier))
    }

    /// Lists the members of a collection, across all its pages, each once.
    ///
    /// # Errors
    /// Fails if the path is not valid. Every other error is an item: a page that cannot be read, a resource that is not a
    /// collection.
    pub fn members(&self, path: &str) -> Result<Members, Error> {
        Ok(Members::new(self.clone(), GetPage::first(self.service().target(path)?)))
    }

    /// Lists the members of a collection that match a query, as far as the service root announces support for it. If the
    /// service does not support or refuses `$expand`, the members are links.
    ///
    /// ```
    /// use redfish_ureq::proto::query::{Expand, Query};
    /// use redfish_ureq::serde_json::Value;
    /// # use redfish_mock::{ServeOptions, Server, Settings, Tls};
    /// # use redfish_ureq::{Client, Credentials, Error, Service};
    /// # let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
    /// # let server = Server::start(Settings::default(), options).unwrap();
    /// # let credentials = Credentials::new("admin", "machine-room");
    /// # let client = Client::builder(Service::new(&server.url())?).login(credentials).build()?;
    /// let query = Query::new()
    ///     .expand(Expand::Subordinate, 1)
    ///     .filter("PowerState eq 'On'")
    ///     .select_members(["Id", "HostName"]);
    /// let mut names = Vec::new();
    /// for member in client.query("/redfish/v1/Systems", query)? {
    ///     names.push(member?.json::<Value>()?["HostName"].as_str().unwrap_or_default().to_owned());
    /// }
    /// assert_eq!(names, ["db-01", "archive-02"]);
    /// client.close()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Fails with [`NotSupported`](redfish_proto::ErrorKind::NotSupported) if the service does not support the query, and
    /// if it refuses a request.
    pub fn query(&self, path: &str, query: Query) -> Result<Members, Error> {
        let target = self.service().target(path)?;
        let named = |error: Error| error.with_service(self.service());
        target.with_query(&query).map_err(named)?;
        let query = query.negotiated(&self.features()?).map_err(named)?;
        Ok(Members::new(self.clone(), GetPage::first(target.with_query(&query).map_err(named)?)))
    }

    /// What queries the service supports. The service root is read once: at the login, or for a client without sessions
    /// here, and again after a [watched](Client::watch) task, since an update may change it.
    ///
    /// # Errors
    /// Those of the login, and whatever the service refused.
    pub fn features(&self) -> Result<Features, Error> {
        if self.coordinator().features().is_none() {
            self.session()?;
        }
        match self.coordinator().features() {
            Some(features) => Ok(features),
            None => {
                let features = self.run(GetFeatures)?;
                self.coordinator().remember_features(Some(features));
                Ok(features)
            }
        }
    }

    /// Changes the given members of a resource. Reads its ETag first and sends it as `If-Match`.
    ///
    /// A service may carry out only a part of a change. That is an error, too, which a caller accepts by
    /// `.or_else(Error::into_partial)`.
    ///
    /// # Errors
    /// Fails if the service refuses the request, with [`Conflict`](redfish_proto::ErrorKind::Conflict) if the resource has
    /// changed in the meantime, and with [`PartiallyApplied`](redfish_proto::ErrorKind::PartiallyApplied).
    pub fn patch<T: Serialize + ?Sized>(&self, path: &str, change: &T) -> Result<Outcome, Error> {
        let target = self.service().target(path)?;
        self.run(Write::patch(&target, Body::json(change)?).if_match(IfMatch::Current))
    }

    /// Replaces a resource. Reads its ETag first and sends it as `If-Match`.
    ///
    /// # Errors
    /// Fails as [`patch`](Client::patch) does.
    pub fn put<T: Serialize + ?Sized>(&self, path: &str, resource: &T) -> Result<Outcome, Error> {
        let target = self.service().target(path)?;
        self.run(Write::put(&target, Body::json(resource)?).if_match(IfMatch::Current))
    }

    /// Creates a member of a collection.
    ///
    /// # Errors
    /// Fails if the service refuses the request or a part of it.
    pub fn post<T: Serialize + ?Sized>(&self, path: &str, member: &T) -> Result<Outcome, Error> {
        let target = self.service().target(path)?;
        self.run(Write::post(&target, Body::json(member)?))
    }

    /// Deletes a resource.
    ///
    /// # Errors
    /// Fails if the service refuses the request or a part of it.
    pub fn delete(&self, path: &str) -> Result<Outcome, Error> {
        self.run(Write::delete(&self.service().target(path)?))
    }

    /// Lists the actions of a resource, with the allowable values of their parameters.
    ///
    /// # Errors
    /// Fails if the service refuses the request.
    pub fn actions(&self, path: &str) -> Result<Vec<Action>, Error> {
        self.run(Actions::new(self.service().target(path)?))
    }

    /// Invokes an action by its name: `ComputerSystem.Reset`, or `Reset` if no other action has this name. The parameters
    /// are checked before they are sent.
    ///
    /// # Errors
    /// Fails if the resource does not offer the action, a parameter is not allowable, or the service refuses a request.
    pub fn invoke(&self, path: &str, name: &str, parameters: Map<String, Value>) -> Result<Outcome, Error> {
        self.run(Invoke::new(self.service().target(path)?, name, parameters))
    }

    /// Looks up a message that has no text in the service's registries. Returns `None` if the service does not have it.
    ///
    /// # Errors
    /// Fails if the service refuses a request.
    pub fn lookup(&self, message: &Message) -> Result<Option<Message>, Error> {
        self.run(LookupMessage::new(message.clone()))
    }

    /// Waits up to `deadline` for the end of an accepted operation. Calls `progress` after each poll.
    ///
    /// # Errors
    /// Fails if the deadline passes or the monitor is gone. A failed operation is an outcome, not an error.
    pub fn watch(
        &self,
        monitor: Monitor,
        deadline: Duration,
        progress: impl FnMut(&Watch),
    ) -> Result<TaskOutcome, Error> {
        let call = self.service().call(monitor.watch()).deadline(deadline);
        let outcome = self.run_watching(call, progress);
        self.coordinator().remember_features(None);
        outcome
    }

    /// Waits up to `deadline` for the end of an operation that the service may carry out later, and returns what was carried out.
    ///
    /// # Errors
    /// Fails if the operation fails, the deadline passes, or the service has not said where it reports the end
    /// ([`MonitorNotFound`](redfish_proto::ErrorKind::MonitorNotFound)).
    pub fn finish(&self, outcome: Outcome, deadline: Duration) -> Result<Written, Error> {
        match outcome.into_monitor() {
            ControlFlow::Continue(monitor) => self.watch(monitor, deadline, |_| ())?.into_result(),
            ControlFlow::Break(ended) => ended.map_err(|error| error.with_service(self.service())),
        }
    }

    /// Runs a call, and calls `on_wait` with its operation before each wait.
    ///
    /// # Errors
    /// Fails if the operation or the connection fails, or the deadline passes.
    pub fn run_watching<O: Operation>(
        &self,
        call: Call<O>,
        mut on_wait: impl FnMut(&O),
    ) -> Result<O::Output, Error> {
        self.drive_watching(call, None, None, &mut on_wait).map(|(output, _)| output)
    }

    /// Resets a system, or the only one if `system` is `None`. Returns the system and
    /// the expected change of its power state.
    ///
    /// # Errors
    /// Fails if the reset type is not allowable, there are several systems and `system` is `None`, or the service refuses
    /// a request.
    pub fn reset(&self, kind: impl Into<ResetType>, system: Option<&str>) -> Result<ResetAccepted, Error> {
        let reset = match system {
            Some(path) => Reset::new(kind).system(self.service().target(path)?),
            None => Reset::new(kind),
        };
        self.run(reset)
    }

    /// Waits up to `deadline` for a change of a system's power state, which follows a reset after some seconds.
    ///
    /// The change is that of [`expected_power_change`](Reset::expected_power_change) or [`ResetAccepted`], or a state. [`WaitForPower`] describes when a restart is complete.
    ///
    /// # Errors
    /// Fails if the deadline passes or the service refuses a request.
    pub fn wait_for_power(
        &self,
        system: &Target,
        change: impl Into<PowerChange>,
        deadline: Duration,
    ) -> Result<(), Error> {
        let call = self.service().call(WaitForPower::new(system.clone(), change)).deadline(deadline);
        self.run_call(call)
    }
}

//! What can be done with resources: read, change, act, wait, walk. Each is an operation of the core.

use std::time::Duration;

use redfish_proto::ops::{
    Action, Actions, GetPage, IfMatch, Invoke, LookupMessage, Monitor, Outcome, PowerChange, Read, Reset,
    TaskOutcome, WaitForPower, Watch, Write,
};
use redfish_proto::query::{Features, GetFeatures, Query};
use redfish_proto::{Body, Call, Error, Message, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::members::Members;

impl Client {
    /// Reads a resource with all that belongs to it: as a type of [`schema`](redfish_proto::schema) or of one's own, as
    /// raw JSON, and with its ETag.
    ///
    /// # Errors
    /// Whatever the service refused, a connection that failed, an answer that does not fit the type.
    pub async fn read<T: DeserializeOwned + Send>(&self, path: &str) -> Result<Resource<T>, Error> {
        self.run(Read::new(self.service().target(path)?)).await
    }

    /// Reads a resource again; what has not changed is not sent again.
    ///
    /// # Errors
    /// Those of [`read`](Client::read).
    pub async fn reread<T: DeserializeOwned + Send>(
        &self,
        earlier: Resource<T>,
    ) -> Result<Resource<T>, Error> {
        self.run(Read::again(earlier)).await
    }

    /// The members of a collection, over all its pages.
    ///
    /// # Errors
    /// A path that is none; what goes wrong with a page is an item, and so is what is no collection.
    pub fn members(&self, path: &str) -> Result<Members, Error> {
        Ok(Members::new(self.clone(), GetPage::first(self.service().target(path)?)))
    }

    /// The members of a collection that a query asks for, as far as the service root says that it is offered. Where
    /// `$expand` is not, or is refused all the same, the members are links.
    ///
    /// # Errors
    /// [`NotSupported`](redfish_proto::ErrorKind::NotSupported), and whatever the service refused.
    pub async fn query(&self, path: &str, query: Query) -> Result<Members, Error> {
        let target = self.service().target(path)?;
        target.with_query(&query)?;
        let query = query.negotiated(&self.features().await?)?;
        Ok(Members::new(self.clone(), GetPage::first(target.with_query(&query)?)))
    }

    /// What queries the service supports. The service root is read once: at the login, or for a client without sessions
    /// here, and again after a [watched](Client::watch) task, since an update may change it.
    ///
    /// # Errors
    /// Those of the login, and whatever the service refused.
    pub async fn features(&self) -> Result<Features, Error> {
        if self.flight().features().is_none() {
            self.session().await?;
        }
        match self.flight().features() {
            Some(features) => Ok(features),
            None => {
                let features = self.run(GetFeatures).await?;
                self.flight().remember_features(Some(features));
                Ok(features)
            }
        }
    }

    /// Changes the members of a resource that are given. Its ETag is read first and sent as `If-Match`.
    ///
    /// # Errors
    /// Whatever the service refused; a [`Conflict`](redfish_proto::ErrorKind::Conflict) where it changed meanwhile.
    pub async fn patch<T: Serialize + ?Sized + Sync>(
        &self,
        path: &str,
        change: &T,
    ) -> Result<Outcome, Error> {
        let at = self.service().target(path)?;
        self.run(Write::patch(&at, Body::json(change)?).if_match(IfMatch::Current)).await
    }

    /// Replaces a resource. Its ETag is read first and sent as `If-Match`.
    ///
    /// # Errors
    /// Those of [`patch`](Client::patch).
    pub async fn put<T: Serialize + ?Sized + Sync>(
        &self,
        path: &str,
        resource: &T,
    ) -> Result<Outcome, Error> {
        let at = self.service().target(path)?;
        self.run(Write::put(&at, Body::json(resource)?).if_match(IfMatch::Current)).await
    }

    /// Creates a member of a collection.
    ///
    /// # Errors
    /// Whatever the service refused.
    pub async fn post<T: Serialize + ?Sized + Sync>(&self, path: &str, member: &T) -> Result<Outcome, Error> {
        let at = self.service().target(path)?;
        self.run(Write::post(&at, Body::json(member)?)).await
    }

    /// Removes a resource.
    ///
    /// # Errors
    /// Whatever the service refused.
    pub async fn delete(&self, path: &str) -> Result<Outcome, Error> {
        self.run(Write::delete(&self.service().target(path)?)).await
    }

    /// What a resource offers to do, with what each parameter may be.
    ///
    /// # Errors
    /// Whatever the service refused.
    pub async fn actions(&self, path: &str) -> Result<Vec<Action>, Error> {
        self.run(Actions::new(self.service().target(path)?)).await
    }

    /// Does what a resource offers: `ComputerSystem.Reset`, or `Reset` where that is one action only. Parameters are
    /// checked before anything is sent.
    ///
    /// # Errors
    /// An action that is not offered, a parameter that is not allowable, whatever the service refused.
    pub async fn invoke(
        &self,
        path: &str,
        name: &str,
        parameters: Map<String, Value>,
    ) -> Result<Outcome, Error> {
        self.run(Invoke::new(self.service().target(path)?, name, parameters)).await
    }

    /// Looks a message up in the service's own registries, for one that came without its text. `None` where the service
    /// does not know it.
    ///
    /// # Errors
    /// Whatever the service refused.
    pub async fn lookup(&self, message: &Message) -> Result<Option<Message>, Error> {
        self.run(LookupMessage::new(message.clone())).await
    }

    /// Waits for the end of what was accepted, at the most that long; `progress` sees each poll.
    ///
    /// # Errors
    /// A deadline that passed, a monitor that is gone. An operation that ended badly is no error of the watch.
    pub async fn watch(
        &self,
        monitor: Monitor,
        deadline: Duration,
        progress: impl FnMut(&Watch) + Send,
    ) -> Result<TaskOutcome, Error> {
        let call = self.service().call(monitor.watch()).deadline(deadline);
        let outcome = self.run_watching(call, progress).await;
        self.flight().remember_features(None);
        outcome
    }

    /// Runs a call; `waits` sees its operation each time it waits.
    ///
    /// # Errors
    /// Those of the operation, a deadline that passed, and a connection that failed.
    pub async fn run_watching<O: redfish_proto::Operation + Send>(
        &self,
        call: Call<O>,
        mut waits: impl FnMut(&O) + Send,
    ) -> Result<O::Output, Error>
    where
        O::Output: Send,
    {
        self.drive_watching(call, None, &mut waits).await.map(|(output, _)| output)
    }

    /// Resets a system, the only one there is where none is named, and returns where it is.
    ///
    /// # Errors
    /// A type that is not allowable, several systems, whatever the service refused.
    pub async fn reset(
        &self,
        kind: &str,
        system: Option<&str>,
    ) -> Result<redfish_proto::ops::ResetAccepted, Error> {
        let reset = match system {
            Some(path) => Reset::new(kind).system(self.service().target(path)?),
            None => Reset::new(kind),
        };
        self.run(reset).await
    }

    /// Waits until a change of a system's power is over, at the most that long: a reset takes effect seconds later. It is
    /// what [`expected_power_change`](Reset::expected_power_change) or [`ResetAccepted`](redfish_proto::ops::ResetAccepted) says of it, or a state such as
    /// `"Off"`. When a restart is over says [`WaitForPower`].
    ///
    /// # Errors
    /// A deadline that passed, whatever the service refused.
    pub async fn wait_for_power(
        &self,
        system: &redfish_proto::Target,
        change: impl Into<PowerChange> + Send,
        deadline: Duration,
    ) -> Result<(), Error> {
        let call = self.service().call(WaitForPower::new(system.clone(), change)).deadline(deadline);
        self.run_call(call).await
    }
}

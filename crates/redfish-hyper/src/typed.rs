//! Typed resources: following links, and writing what was read.

use std::borrow::Borrow;

use redfish_proto::ops::{ListMembers, Outcome, Read, Write};
use redfish_proto::view::{Collection, Create, Decode, Link, Patch, View};
use redfish_proto::walk::{Event, LinkedResources, Walk};
use redfish_proto::{Error, Resource};
use redfish_schema::{Chassis, ComputerSystem, Manager, ServiceRoot};

use crate::client::Client;

impl Client {
    /// Reads the service root, from which links lead to everything else.
    ///
    /// # Errors
    /// Fails if the service refuses the request or the connection fails.
    pub async fn root(&self) -> Result<Resource<ServiceRoot>, Error> {
        self.read("/redfish/v1/").await
    }

    /// Reads all computer systems; none, if the service root has no link to them.
    ///
    /// # Errors
    /// Fails if the service refuses a request or the connection fails. [`fetch_members`](Client::fetch_members) reads what can be
    /// read.
    pub async fn systems(&self) -> Result<Vec<Resource<ComputerSystem>>, Error> {
        self.run(ListMembers::systems()).await?.complete()
    }

    /// Reads all chassis; none, if the service root has no link to them.
    ///
    /// # Errors
    /// Fails as [`systems`](Client::systems) does.
    pub async fn chassis(&self) -> Result<Vec<Resource<Chassis>>, Error> {
        self.run(ListMembers::chassis()).await?.complete()
    }

    /// Reads all managers; none, if the service root has no link to them.
    ///
    /// # Errors
    /// Fails as [`systems`](Client::systems) does.
    pub async fn managers(&self) -> Result<Vec<Resource<Manager>>, Error> {
        self.run(ListMembers::managers()).await?.complete()
    }

    /// Reads the resource that a link leads to.
    ///
    /// # Errors
    /// Fails if the link leads to another origin, the service refuses the request, or the connection fails.
    pub async fn follow<T: Decode + Send>(&self, link: &Link<T>) -> Result<Resource<T>, Error> {
        self.run(Read::follow(link)?).await
    }

    /// Reads the resources that links lead to, several at once. Returns one result for each link, in their order. A resource that
    /// the service wrote in the place of its link is not requested.
    ///
    /// ```
    /// # use redfish_mock::{ServeOptions, Server, Settings, Tls};
    /// # use redfish_hyper::{Client, Credentials, Error, Service};
    /// # let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
    /// # let server = Server::start(Settings::default(), options).unwrap();
    /// # let credentials = Credentials::new("admin", "machine-room");
    /// # let client = Client::builder(Service::new(&server.url())?).login(credentials).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// for system in client.systems().await? {
    ///     for storage in client.fetch_members(system.storage()).await {
    ///         for drive in client.fetch_all(storage?.drives()).await {
    ///             println!("{}", drive?.serial_number().unwrap_or_default());
    ///         }
    ///     }
    /// }
    /// client.close().await?;
    /// # Ok::<(), Error>(()) })?;
    /// # Ok::<(), Error>(())
    /// ```
    pub async fn fetch_all<T, L>(&self, links: impl IntoIterator<Item = L>) -> Vec<Result<Resource<T>, Error>>
    where
        T: View + Decode + Send + Clone,
        L: Borrow<Link<T>>,
    {
        let links: Vec<L> = links.into_iter().collect();
        let mut resources = LinkedResources::new(links.iter().map(Borrow::borrow));
        drop(links);
        let mut end = None;
        if let Some(walk) = resources.walk(self.service()) {
            let mut walking = self.walk(walk);
            while let Some(event) = walking.next().await {
                match event {
                    Ok(event) => resources.receive(event),
                    Err(error) => end = Some(error),
                }
            }
        }
        resources.finish(end)
    }

    /// Reads the members of a collection, across all its pages, several at once: of a link, of a reference to one, or of an
    /// `Option`, since a resource may have none. Returns them in the order of the collection, and in the place of what could not be
    /// read the error.
    pub async fn fetch_members<C>(
        &self,
        collection: impl Into<Option<Link<C>>> + Send,
    ) -> Vec<Result<Resource<C::Member>, Error>>
    where
        C: Collection<Member: Decode + Send>,
    {
        let Some(collection) = collection.into() else { return Vec::new() };
        let collection = match collection.target() {
            Ok(collection) => collection,
            Err(error) => return vec![Err(error)],
        };
        let mut members = Vec::new();
        let mut walking = self.walk(Walk::members(self.service().clone(), collection));
        while let Some(event) = walking.next().await {
            members.extend(event.map_or_else(|error| Some(Err(error)), Event::into_result));
        }
        members
    }

    /// Changes a resource that was read. Its ETag is sent as `If-Match`, so that a change by another client in the meantime is not
    /// overwritten; a resource without an ETag is read for it first.
    ///
    /// ```
    /// # use redfish_mock::{ServeOptions, Server, Settings, Tls};
    /// # use redfish_hyper::{Client, Credentials, Error, Service};
    /// # let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
    /// # let server = Server::start(Settings::default(), options).unwrap();
    /// # let credentials = Credentials::new("admin", "machine-room");
    /// # let client = Client::builder(Service::new(&server.url())?).login(credentials).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// use redfish_hyper::schema::computer_system::{BootSource, ComputerSystemPatch};
    ///
    /// for system in client.systems().await? {
    ///     let patch = ComputerSystemPatch::new().asset_tag("R7-U12").boot(|boot| boot.boot_source_override_target(BootSource::Pxe));
    ///     let outcome = client.update(&system, patch).await?;
    ///     client.finish(outcome, Duration::from_secs(60)).await?;
    /// }
    /// client.close().await?;
    /// # Ok::<(), Error>(()) })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`patch`](Client::patch) does.
    pub async fn update<P: Patch + Send>(
        &self,
        resource: &Resource<P::Resource>,
        patch: P,
    ) -> Result<Outcome, Error> {
        self.run(Write::update(resource, patch).map_err(|error| error.with_service(self.service()))?).await
    }

    /// Creates a member of a collection. [`Outcome::created`] is its URI; [`finish`](Client::finish) waits for a service that
    /// creates it later.
    ///
    /// # Errors
    /// Fails as [`post`](Client::post) does.
    pub async fn create<P, C>(&self, collection: &Link<C>, body: P) -> Result<Outcome, Error>
    where
        P: Create + Send,
        C: Collection<Member = P::Resource>,
    {
        self.run(Write::create(collection, body).map_err(|error| error.with_service(self.service()))?).await
    }
}

//! A client for one command: made of the options, with the session that was kept or one of its own, closed at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redfish_proto::{Credentials, ErrorKind, Operation, Service, Session};
use redfish_ureq::{Builder, Client, Transport};
use zeroize::Zeroizing;

use crate::credentials::Identity;
use crate::failure::Failure;
use crate::hiding::Hiding;
use crate::options::Options;
use crate::output;
use crate::secrets;
use crate::signal;
use crate::state::{self, Kept, Place, Store};

/// A client for one command.
pub(crate) struct Connection<'a> {
    options: &'a Options,
    service: Arc<Service>,
    transport: Transport,
    client: Client,
    identity: Who,
    /// The token that was in use last.
    held: Zeroizing<String>,
}

/// Who the command is, as far as that matters later on.
enum Who {
    Nobody,
    /// A user of Basic authentication, or the holder of a bearer token.
    Fixed(Option<String>),
    /// A user with a session that ends with the command.
    Own(String),
    /// The holder of a kept session, and the password to renew it with.
    Kept(Kept, Option<Zeroizing<String>>),
}

/// What became of a kept session that the service has forgotten.
enum Renewal {
    /// Another process has renewed it.
    TakenOver,
    /// This one did.
    LoggedIn,
    /// It stays as it is.
    Impossible,
}

impl<'a> Connection<'a> {
    /// Does a piece of work. The session that was opened for it is closed, also when the work fails; a logout that
    /// fails is said, and never hides what the work did.
    pub(crate) fn scoped<T>(
        options: &'a Options,
        work: impl FnOnce(&mut Connection<'a>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let service = options.service()?;
        let transport = options.transport()?;
        let identity = Identity::of(options, &service)?;
        let (client, identity) = make(options, &service, &transport, identity)?;
        let mut connection =
            Connection { options, service, transport, client, identity, held: Zeroizing::default() };
        work(&mut connection)
    }

    /// Runs an operation, made for the client. With a kept session that the service has forgotten, once more with
    /// another.
    pub(crate) fn run<O: Operation>(
        &mut self,
        operation: impl Fn(&Client) -> Result<O, Failure>,
    ) -> Result<O::Output, Failure> {
        self.run_for(self.options.timeout, operation, |_| {})
    }

    /// The same with a time of its own; `waits` sees the operation each time it waits.
    pub(crate) fn run_for<O: Operation>(
        &mut self,
        time: Duration,
        operation: impl Fn(&Client) -> Result<O, Failure>,
        mut waits: impl FnMut(&O),
    ) -> Result<O::Output, Failure> {
        let started = Instant::now();
        self.renewing(|this| {
            let secret = match &this.identity {
                Who::Kept(_, password) => password.as_ref(),
                _ => None,
            };
            let call = this.service.call(Hiding::new(operation(&this.client)?, secret));
            let call = call.deadline(time.saturating_sub(started.elapsed()));
            Ok(this.client.run_watching(call, |hiding| waits(hiding.operation()))?)
        })
    }

    /// Does something with the client, and where a kept session turns out to be forgotten once more with another.
    pub(crate) fn with_client<T>(
        &mut self,
        mut work: impl FnMut(&Client) -> Result<T, redfish_ureq::Error>,
    ) -> Result<T, Failure> {
        self.renewing(|this| Ok(work(&this.client)?))
    }

    fn renewing<T>(&mut self, mut attempt: impl FnMut(&Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut logged_in = false;
        loop {
            let done = attempt(self);
            self.hold_token();
            let failure = match done {
                Err(failure) if failure.is_kind(&ErrorKind::NotAuthenticated) => failure,
                done => return done,
            };
            // A 401 to a session that was opened just now is final.
            match self.renew(!logged_in)? {
                Renewal::TakenOver => {}
                Renewal::LoggedIn => logged_in = true,
                Renewal::Impossible => return Err(failure),
            }
        }
    }

    /// The token in use, which may be another since the last call, is a secret.
    fn hold_token(&mut self) {
        let current = self.client.current();
        if let Some(token) = current.as_ref().and_then(Session::expose) {
            if self.held.as_str() != token {
                secrets::hold(token);
                self.held = Zeroizing::new(token.to_owned());
            }
        }
    }

    /// The service.
    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// The user, where one is named.
    pub(crate) fn user(&self) -> Option<&str> {
        match &self.identity {
            Who::Nobody => None,
            Who::Fixed(user) => user.as_deref(),
            Who::Own(user) => Some(user),
            Who::Kept(kept, _) => Some(kept.user()),
        }
    }

    /// How the command authenticates, in the words of `--auth`; `None` where it does not.
    pub(crate) fn auth(&self) -> Option<&'static str> {
        match &self.identity {
            Who::Nobody => None,
            Who::Fixed(Some(_)) => Some("basic"),
            Who::Fixed(None) => Some("bearer"),
            Who::Own(_) | Who::Kept(..) => Some("session"),
        }
    }

    /// The session that was kept.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        match &self.identity {
            Who::Kept(kept, _) => Some(kept),
            _ => None,
        }
    }

    /// The session that is in use.
    pub(crate) fn session(&self) -> Option<Session> {
        self.client.current().filter(Session::is_issued)
    }

    /// Finds another session in place of a kept one: another process may have renewed it, else it is renewed here,
    /// where a password is at hand.
    fn renew(&mut self, may_log_in: bool) -> Result<Renewal, Failure> {
        let Who::Kept(kept, password) = &self.identity else { return Ok(Renewal::Impossible) };
        let (kept, password) = (kept.clone(), password.clone());
        let credentials = || Some(Credentials::new(kept.user(), password.as_ref()?.as_str()));
        let place = Store::required()?.lock(&self.service.to_string(), kept.user())?;
        let (other, renewal) = match place.read()? {
            Some(newer) if !newer.is(&kept) => (Identity::Kept(newer, password), Renewal::TakenOver),
            there => {
                let Some(credentials) = credentials().filter(|_| may_log_in) else {
                    return Ok(Renewal::Impossible);
                };
                let other = match there {
                    Some(_) => Identity::Kept(self.keep(credentials, &place)?, password),
                    // Somebody has logged out meanwhile: nothing is kept again.
                    None => Identity::Session(credentials),
                };
                (other, Renewal::LoggedIn)
            }
        };
        (self.client, self.identity) = make(self.options, &self.service, &self.transport, other)?;
        Ok(renewal)
    }

    /// Logs in, and keeps the session.
    fn keep(&self, credentials: Credentials, place: &Place) -> Result<Kept, Failure> {
        let client = logging_in(self.options, &self.service, &self.transport, credentials)?;
        let opened = open(&client, self.user().unwrap_or_default(), place);
        // Nothing happens to a session that is kept by now.
        close();
        opened.map(|(kept, _)| kept)
    }

    /// Forgets the kept session, which is closed.
    pub(crate) fn forget(&self) -> Result<(), Failure> {
        self.kept().map_or(Ok(()), state::forget)
    }
}

impl Drop for Connection<'_> {
    /// Whatever way the work ended, a panic among them.
    fn drop(&mut self) {
        close();
    }
}

/// A client of nobody, for a command that brings its own session.
pub(crate) fn anonymous(
    options: &Options,
    service: &Arc<Service>,
    transport: &Transport,
) -> Result<Client, Failure> {
    Ok(make(options, service, transport, Identity::Anonymous)?.0)
}

/// A client that logs in. It is closed by a signal, and by [`close`].
pub(crate) fn logging_in(
    options: &Options,
    service: &Arc<Service>,
    transport: &Transport,
    credentials: Credentials,
) -> Result<Client, Failure> {
    Ok(make(options, service, transport, Identity::Session(credentials))?.0)
}

/// Opens the session of a client, and keeps it: from then on it is not the client's to close.
pub(crate) fn open(client: &Client, user: &str, place: &Place) -> Result<(Kept, Session), Failure> {
    let session = client.session()?;
    let Some(kept) = Kept::new(client.service(), user, &session) else { return Err(Failure::nobody()) };
    signal::hand_over(|| place.write(&kept))?;
    Ok((kept, session))
}

/// Closes the session that the command opened, if there is one that nobody took over.
pub(crate) fn close() {
    if let Err(error) = signal::close() {
        if !signal::caught() {
            output::note(format_args!("redfish: warning: the session could not be closed: {error}"));
        }
    }
}

fn make(
    options: &Options,
    service: &Arc<Service>,
    transport: &Transport,
    identity: Identity,
) -> Result<(Client, Who), Failure> {
    let builder = observed(Client::builder(service.clone()), options).transport(transport);
    let (builder, who) = match identity {
        Identity::Anonymous => (builder, Who::Nobody),
        Identity::Basic(credentials) => {
            let user = credentials.user().to_owned();
            (builder.basic(credentials), Who::Fixed(Some(user)))
        }
        Identity::Bearer(token) => {
            secrets::hold(&token);
            (builder.bearer(&token), Who::Fixed(None))
        }
        Identity::Kept(kept, password) => {
            password.iter().for_each(|password| secrets::hold_credentials(kept.user(), password));
            (builder.resume(kept.session(service)?), Who::Kept(kept, password))
        }
        Identity::Session(credentials) => {
            let user = credentials.user().to_owned();
            let builder = match options.session_context() {
                Some(context) => builder.context(context),
                None => builder,
            };
            let client = builder.login(credentials).build()?;
            signal::guard(&client);
            return Ok((client, Who::Own(user)));
        }
    };
    Ok((builder.build()?, who))
}

fn observed(builder: Builder, options: &Options) -> Builder {
    let shown = options.trace;
    builder.observer(move |trace| {
        signal::observe(trace);
        if shown {
            output::note(trace);
        }
    })
}

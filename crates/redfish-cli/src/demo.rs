//! `demo`: authentication and sessions at work, each request and answer as it was sent.
//!
//! The service runs inside this process, with TLS and a certificate made for the occasion; the client is the one that
//! every command uses. What is shown is what the client's observer saw: nothing is written down here but the words between.

use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use redfish_hyper::{Builder, Client, Transport};
use redfish_mock::{Profile, ServeOptions, Server, Settings};
use redfish_proto::driver::Trace;
use redfish_proto::ops::LogoutOutcome;
use redfish_proto::{Credentials, ErrorKind, Service, Session};
use redfish_tls::Trust;

use crate::document::indented;
use crate::failure::Failure;
use crate::output::styled as say;
use crate::runtime::block_on;

/// As its users write it: this service takes any letter case.
const SYSTEMS: &str = "/redfish/v1/systems/";

/// Lines of a body that are shown.
const LINES: usize = 24;

const HEADING: Style = Style::new().bold();
const SENT: Style = AnsiColor::Cyan.on_default();
const ACCEPTED: Style = AnsiColor::Green.on_default();
const REFUSED: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();

pub(crate) fn run() -> Result<(), Failure> {
    block_on(play())?
}

async fn play() -> Result<(), Failure> {
    let settings = Settings { profile: Profile::IloAmplifier, ..Settings::default() };
    let (user, password) = (settings.user.clone(), settings.password.clone());
    let server = Server::start(settings, ServeOptions::default())
        .map_err(|error| Failure::local("the service cannot be started", error))?;
    let trust = Trust::system_and_pem(server.certificate_pem().unwrap_or_default().as_bytes())
        .map_err(|error| Failure::usage(error.to_string(), ""))?;
    Demo {
        service: Arc::new(Service::new(&server.url())?),
        transport: Transport::new(&trust),
        server,
        user,
        password,
    }
    .play()
    .await
}

struct Demo {
    server: Server,
    service: Arc<Service>,
    transport: Transport,
    user: String,
    password: String,
}

impl Demo {
    async fn play(&self) -> Result<(), Failure> {
        say(&format!(
            "{HEADING}A Redfish service, and its client{HEADING:#}\n\n\
             Both run in this process, and talk over TLS: {}\n\
             The client trusts the one certificate that the service has made for itself.",
            self.server.url()
        ))?;
        self.nobody().await?;
        self.basic().await?;
        self.session().await?;
        self.lost_session().await?;
        let open = self.server.open_sessions();
        say(&format!("\n{HEADING}{open} sessions open{HEADING:#}, says the service."))?;
        if open == 0 { Ok(()) } else { Err(Failure::missing("a way to close each session")) }
    }

    async fn nobody(&self) -> Result<(), Failure> {
        chapter(
            "1. Nobody",
            "All but the service root wants to know who is asking. Whoever does not say gets a 401,\n\
             and the client makes an error of it that says what to do.",
        )?;
        match self.client().anonymous().build()?.get_raw(SYSTEMS).await {
            Err(error) if *error.kind() == ErrorKind::NotAuthenticated => say(&format!("\n  {error}")),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Failure::missing("the service's refusal")),
        }
    }

    async fn basic(&self) -> Result<(), Failure> {
        chapter(
            "2. Basic authentication",
            "User and password go with each request. It takes no session, and it is the service's work\n\
             to check the password again each time. Nothing that is shown here has the password in it.",
        )?;
        self.client().basic(self.credentials()).build()?.get_raw(SYSTEMS).await?;
        Ok(())
    }

    async fn session(&self) -> Result<(), Failure> {
        chapter(
            "3. Logging in",
            "The service root says where sessions are made. The password is sent there once; the answer has\n\
             a token, X-Auth-Token, and the URI of the new session, Location. Of the URI only the path counts.",
        )?;
        let client = self.client().login(self.credentials()).build()?;
        client.session().await?;
        self.count()?;
        chapter("4. Using the session", "From now on the token is all that the service asks for.")?;
        client.get_raw(SYSTEMS).await?;
        chapter(
            "5. Logging out",
            "A service has room for few sessions, and one that is left behind takes its place until it expires.\n\
             So the last request is a DELETE of the session's URI, whatever happened before.",
        )?;
        client.close().await?;
        self.count()
    }

    async fn lost_session(&self) -> Result<(), Failure> {
        chapter(
            "6. A lost session",
            "Another login. This time the program forgets the session's URI, as one does that kept only the token.",
        )?;
        let session = self.client().login(self.credentials()).build()?.session().await?;
        let Some(session) = session else { return Err(Failure::missing("the session")) };
        self.count()?;
        chapter(
            "7. Found again",
            "With the token alone, the client looks through the sessions of the service for the one that is marked\n\
             as its own, MySession, and deletes that. The user's name would be no proof: others may have it too.",
        )?;
        let lost = Session::from_token(&self.service, session.token(), None)?;
        let client = self.client().anonymous().build()?;
        match client.run_call(lost.logout(&self.service)).await? {
            LogoutOutcome::Deleted => Ok(()),
            _ => Err(Failure::missing("the lost session")),
        }
    }

    /// What the service says of its own sessions.
    fn count(&self) -> Result<(), Failure> {
        match self.server.open_sessions() {
            1 => say("\n  1 session open"),
            open => say(&format!("\n  {open} sessions open")),
        }
    }

    fn client(&self) -> Builder {
        Client::builder(self.service.clone()).transport(&self.transport).observer(|trace| {
            // Where nobody reads, the next words between find that out.
            let _ = say(&shown(trace));
        })
    }

    fn credentials(&self) -> Credentials {
        Credentials::new(self.user.as_str(), self.password.as_str())
    }
}

fn chapter(title: &str, text: &str) -> Result<(), Failure> {
    say(&format!("\n\n{HEADING}{title}{HEADING:#}\n\n{text}"))
}

/// A request or an answer, with its body, secrets taken out by the client.
fn shown(trace: &Trace<'_>) -> String {
    match trace {
        Trace::Request(outgoing) => {
            let text = message(&outgoing.to_string(), SENT);
            format!("\n{text}{}", body(outgoing.body().as_deref()))
        }
        Trace::Response { head, body: received } => {
            let style = if head.status().is_success() { ACCEPTED } else { REFUSED };
            let text = message(&head.to_string(), style);
            let received = received.as_ref().ok().map(|bytes| head.body(bytes));
            format!("\n{text}{}", body(received.as_deref()))
        }
        other => format!("\n{QUIET}{other}{QUIET:#}"),
    }
}

/// The first line, which says it all, and the headers.
fn message(text: &str, style: Style) -> String {
    match text.split_once('\n') {
        Some((first, headers)) => format!("{style}{first}{style:#}\n{QUIET}{headers}{QUIET:#}"),
        None => format!("{style}{text}{style:#}"),
    }
}

fn body(text: Option<&str>) -> String {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return String::new() };
    let text = indented(text.as_bytes());
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let mut shown: String = lines.iter().take(LINES).map(|line| format!("\n  {line}")).collect();
    if lines.len() > LINES {
        shown += &format!("\n  {QUIET}… {} lines more{QUIET:#}", lines.len() - LINES);
    }
    shown
}

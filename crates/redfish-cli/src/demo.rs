//! `demo`: authentication and sessions, with each request and response as it was sent.
//!
//! The service runs inside this process, with TLS and a new certificate. The client is the one of every command. The
//! dialogue is what the client's observer sees; only the text between is written here.

use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use redfish_hyper::{Builder, Client, Transport};
use redfish_mock::{Profile, Seed, ServeOptions, Server, Settings};
use redfish_proto::driver::Trace;
use redfish_proto::ops::LogoutOutcome;
use redfish_proto::{Credentials, ErrorKind, Service, Session};
use redfish_tls::Trust;

use crate::document::indented;
use crate::failure::Failure;
use crate::output::styled as print;
use crate::runtime::block_on;

/// This profile accepts any letter case.
const SYSTEMS: &str = "/redfish/v1/systems/";

/// Maximum number of lines of a body.
const MAX_BODY_LINES: usize = 24;

const HEADING: Style = Style::new().bold();
const REQUEST: Style = AnsiColor::Cyan.on_default();
const SUCCESS: Style = AnsiColor::Green.on_default();
const ERROR: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();

pub(crate) fn run() -> Result<(), Failure> {
    block_on(start())?
}

async fn start() -> Result<(), Failure> {
    let settings = Settings {
        profile: Profile::IloAmplifier,
        lockout_threshold: 0,
        seed: Seed::random().map_err(|error| Failure::local("there are no random tokens", error))?,
        ..Settings::default()
    };
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
    .run()
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
    async fn run(&self) -> Result<(), Failure> {
        print(&format!(
            "{HEADING}A Redfish service and its client{HEADING:#}\n\n\
             Both run in this process and communicate over TLS: {}\n\
             The client trusts exactly the self-signed certificate of the service.",
            self.server.url()
        ))?;
        self.unauthenticated().await?;
        self.basic().await?;
        self.session().await?;
        self.lost_session().await?;
        let open = self.server.open_sessions();
        print(&format!("\n{HEADING}{open} sessions open{HEADING:#}, as the service reports."))?;
        if open == 0 { Ok(()) } else { Err(Failure::missing("a session was not closed")) }
    }

    async fn unauthenticated(&self) -> Result<(), Failure> {
        chapter(
            "1. No authentication",
            "Everything except the service root requires authentication. Without it, the response is a 401,\n\
             and the client returns an error that says what to do.",
        )?;
        match self.client().anonymous().build()?.get_raw(SYSTEMS).await {
            Err(error) if *error.kind() == ErrorKind::NotAuthenticated => print(&format!("\n  {error}")),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Failure::missing("the service did not require authentication")),
        }
    }

    async fn basic(&self) -> Result<(), Failure> {
        chapter(
            "2. Basic authentication",
            "Each request carries the user name and the password. There is no session, and the service\n\
             checks the password each time. The client removes the password from this output.",
        )?;
        self.client().basic(self.credentials()).build()?.get_raw(SYSTEMS).await?;
        Ok(())
    }

    async fn session(&self) -> Result<(), Failure> {
        chapter(
            "3. Login",
            "The service root links to the sessions. The password is sent there once. The response has a token\n\
             (X-Auth-Token) and the URI of the new session (Location), of which only the path is used.",
        )?;
        let client = self.client().login(self.credentials()).build()?;
        client.session().await?;
        self.print_open_sessions()?;
        chapter("4. Use of the session", "From now on, requests carry only the token.")?;
        client.get_raw(SYSTEMS).await?;
        chapter(
            "5. Logout",
            "The number of sessions is limited, and a session that is not closed counts until it expires.\n\
             So the last request is a DELETE of the session's URI, whatever happened before.",
        )?;
        client.close().await?;
        self.print_open_sessions()
    }

    async fn lost_session(&self) -> Result<(), Failure> {
        chapter(
            "6. A lost session",
            "Another login. This time the program keeps only the token and forgets the session's URI.",
        )?;
        let session = self.client().login(self.credentials()).build()?.session().await?;
        let Some(session) = session else { return Err(Failure::missing("there is no session")) };
        self.print_open_sessions()?;
        chapter(
            "7. Recovery of the session",
            "With the token alone, the client searches the sessions of the service for the one that is marked as\n\
             its own (MySession) and deletes it. The user name proves nothing: other sessions may have the same.",
        )?;
        let lost = Session::from_token(&self.service, session.token(), None)?;
        let client = self.client().anonymous().build()?;
        match client.run_call(lost.logout(&self.service)).await? {
            LogoutOutcome::Deleted => Ok(()),
            _ => Err(Failure::missing("the lost session was not found")),
        }
    }

    /// Prints the number of open sessions.
    fn print_open_sessions(&self) -> Result<(), Failure> {
        match self.server.open_sessions() {
            1 => print("\n  1 session open"),
            open => print(&format!("\n  {open} sessions open")),
        }
    }

    fn client(&self) -> Builder {
        Client::builder(self.service.clone()).transport(&self.transport).observer(|trace| {
            // If the reader has left, the next text fails and ends the demo.
            let _ = print(&render(trace));
        })
    }

    fn credentials(&self) -> Credentials {
        Credentials::new(self.user.as_str(), self.password.as_str())
    }
}

fn chapter(title: &str, text: &str) -> Result<(), Failure> {
    print(&format!("\n\n{HEADING}{title}{HEADING:#}\n\n{text}"))
}

/// Renders a request or a response with its body. The client has removed the secrets.
fn render(trace: &Trace<'_>) -> String {
    match trace {
        Trace::Request(outgoing) => {
            let text = message(&outgoing.to_string(), REQUEST);
            format!("\n{text}{}", body(outgoing.body().as_deref()))
        }
        Trace::Response { head, body: bytes } => {
            let style = if head.status().is_success() { SUCCESS } else { ERROR };
            let text = message(&head.to_string(), style);
            let text_of_body = bytes.as_ref().ok().map(|bytes| head.body(bytes));
            format!("\n{text}{}", body(text_of_body.as_deref()))
        }
        other => format!("\n{DIM}{other}{DIM:#}"),
    }
}

/// Renders the first line and the headers.
fn message(text: &str, style: Style) -> String {
    match text.split_once('\n') {
        Some((first, headers)) => format!("{style}{first}{style:#}\n{DIM}{headers}{DIM:#}"),
        None => format!("{style}{text}{style:#}"),
    }
}

fn body(text: Option<&str>) -> String {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return String::new() };
    let text = indented(text.as_bytes());
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let mut rendered: String = lines.iter().take(MAX_BODY_LINES).map(|line| format!("\n  {line}")).collect();
    if lines.len() > MAX_BODY_LINES {
        rendered += &format!("\n  {DIM}… {} more lines{DIM:#}", lines.len() - MAX_BODY_LINES);
    }
    rendered
}

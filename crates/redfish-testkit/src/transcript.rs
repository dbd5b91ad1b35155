//! A dialogue as a text file: what is asked of a client, what it must send, what it is answered, how it ends.
//!
//! ```text
//! # The token has expired: one login, one replay
//! credentials admin pw
//! session old at /redfish/v1/SessionService/Sessions/1
//!
//! get /redfish/v1/Systems/1
//! > GET /redfish/v1/Systems/1   X-Auth-Token: old
//! < 401
//! …
//! = done {"Id": "1"}
//! ```
//!
//! The grammar is in `CONTRIBUTING.md`. A transcript is played against the pure core, and by each adapter over real
//! sockets; what they share, reading one and comparing a request with it, is here.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

/// One dialogue.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// The name of its file, without the ending.
    pub name: String,
    /// Its first line.
    pub title: String,
    /// How the client is set up.
    pub setup: Setup,
    /// What is asked of it, in order.
    pub calls: Vec<Call>,
}

/// How the client is set up.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Who it is.
    pub user: User,
    /// A session it begins with: token, and perhaps URI.
    pub resumed: Option<(String, Option<String>)>,
    /// A `Context` for its sessions.
    pub context: Option<String>,
    /// Whether links to other origins are used by their path.
    pub path_only: bool,
    /// The deadline of each call.
    pub deadline: Option<Duration>,
    /// Bytes a body may have.
    pub limit: Option<usize>,
}

/// Who the client is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// Nobody.
    #[default]
    Anonymous,
    /// A user with a password, who logs in.
    Credentials(String, String),
    /// A user with a password, by Basic.
    Basic(String, String),
    /// The holder of somebody's token.
    Bearer(String),
}

/// One call of the client, what happens on the wire meanwhile, and its outcome.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked.
    pub verb: Verb,
    /// What must happen, in order.
    pub events: Vec<Event>,
    /// How it must end.
    pub outcome: Outcome,
}

/// What a client can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read this path as JSON.
    Get(String),
    /// Send this method to this path, perhaps with a JSON body.
    Send(String, String, Option<String>),
    /// Run another operation, by its name, with what stands behind that.
    Ask(String, String),
    /// Push an image.
    Update {
        /// The name of its file.
        file: String,
        /// Its bytes.
        image: String,
        /// For which resources; none is for all.
        targets: Vec<String>,
        /// Whether it can be read only once.
        once: bool,
    },
    /// Read what is at this path as it comes, at most so many bytes.
    Download(String, u64),
    /// Find the stream of events, filter it, and read so many.
    Events(usize, Option<String>),
    /// Be logged in.
    Session,
    /// Close.
    Close,
}

/// What happens during a call.
#[derive(Clone, Debug)]
pub enum Event {
    /// A request, and what becomes of it.
    Exchange(Request, Reaction),
    /// A wait of exactly that time.
    Wait(Duration),
}

/// A request that must be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The line of the file.
    pub line: usize,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Headers it must have. Of those that carry credentials it must have no other.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Body,
}

/// The body that a request must have.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// This JSON.
    Json(Value),
    /// One that contains these texts, in this order.
    Containing(Vec<String>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// An answer.
    Answer {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
        /// Whether the connection breaks before the body's end.
        cut: bool,
    },
    /// No answer.
    Failure(Failure),
}

/// How an exchange fails before its head is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does not leave.
    NotSent,
    /// The connection breaks.
    Broken,
    /// Nothing comes in time.
    TimedOut,
    /// The head does not end.
    TooLarge,
    /// The certificate is not the one that is trusted.
    Untrusted,
    /// What comes is no HTTP.
    Malformed,
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well, perhaps with this JSON value.
    Done(Option<Value>),
    /// With an error of that kind, whose text contains each of these.
    Error(String, Vec<String>),
}

type Headers = Vec<(String, String)>;

const CREDENTIALS: [&str; 4] = ["authorization", "x-auth-token", "cookie", "proxy-authorization"];

impl Transcript {
    /// Reads every `.txt` of a folder, in the order of their names.
    ///
    /// # Errors
    /// The file and line that cannot be read, and why.
    pub fn read_all(folder: &Path) -> Result<Vec<Transcript>, String> {
        let listed = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut files: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
        files.sort();
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Transcript::parse(&name, &text).map_err(|e| format!("{}: {e}", path.display()))
        };
        files.iter().map(read).collect()
    }

    /// Reads one.
    ///
    /// # Errors
    /// The line that cannot be read, and why.
    pub fn parse(name: &str, text: &str) -> Result<Transcript, String> {
        let mut transcript = Transcript { name: name.to_owned(), ..Transcript::default() };
        let mut asked: Option<Request> = None;
        let mut open: Option<(Verb, Vec<Event>)> = None;
        for (number, line) in joined(text) {
            let wrong = |what: &str| format!("line {number}: {what}: {line}");
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let rest = rest.trim();
            match (word, &mut open) {
                ("#", _) => {
                    if transcript.title.is_empty() {
                        transcript.title = rest.to_owned();
                    }
                }
                (">", Some(_)) if asked.is_none() => {
                    asked = Some(request(number, rest).ok_or_else(|| wrong("not a request"))?);
                }
                ("<" | "<!" | "!", Some((_, events))) => {
                    let request = asked.take().ok_or_else(|| wrong("nothing was asked"))?;
                    let reaction = match word {
                        "!" => failure(rest).map(Reaction::Failure),
                        word => answer(rest, word == "<!"),
                    };
                    events.push(Event::Exchange(request, reaction.ok_or_else(|| wrong("not an answer"))?));
                }
                ("~", Some((_, events))) if asked.is_none() => {
                    events.push(Event::Wait(time(rest).ok_or_else(|| wrong("not a time"))?));
                }
                ("=", Some(_)) if asked.is_none() => {
                    let outcome = outcome(rest).ok_or_else(|| wrong("not an outcome"))?;
                    let (verb, events) = open.take().ok_or_else(|| wrong("nothing was called"))?;
                    transcript.calls.push(Call { verb, events, outcome });
                }
                (_, None) if transcript.setup.set(word, rest) => {}
                (_, None) => {
                    open = Some((verb(word, rest).ok_or_else(|| wrong("not known"))?, Vec::new()));
                }
                _ => return Err(wrong("out of place")),
            }
        }
        match open {
            None => Ok(transcript),
            Some((verb, _)) => Err(format!("{verb:?} has no outcome")),
        }
    }
}

impl Setup {
    /// Whether that is a line of the set-up; then it is taken.
    fn set(&mut self, word: &str, rest: &str) -> bool {
        let pair = || rest.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
        match (word, pair()) {
            ("credentials", Some((user, password))) => self.user = User::Credentials(user, password),
            ("basic", Some((user, password))) => self.user = User::Basic(user, password),
            ("bearer", _) => self.user = User::Bearer(rest.to_owned()),
            ("session", None) if !rest.is_empty() => self.resumed = Some((rest.to_owned(), None)),
            ("session", Some((token, at))) => match at.strip_prefix("at ") {
                Some(uri) => self.resumed = Some((token, Some(uri.to_owned()))),
                None => return false,
            },
            ("context", _) => self.context = Some(rest.to_owned()),
            ("links", _) if rest == "path-only" => self.path_only = true,
            ("deadline", _) => self.deadline = time(rest),
            ("limit", _) => self.limit = rest.parse().ok(),
            _ => return false,
        }
        true
    }
}

impl Request {
    /// What is wrong with a request that was sent in place of this one; `None`: nothing.
    pub fn mismatch(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Option<String> {
        let line = self.line;
        if (method, target) != (&self.method, &self.target) {
            return Some(format!("line {line}: sent {method} {target}, not {} {}", self.method, self.target));
        }
        let find = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| *v);
        for (name, value) in &self.headers {
            if find(name) != Some(value.as_bytes()) {
                let found = find(name).map(String::from_utf8_lossy);
                return Some(format!("line {line}: {name} is {found:?}, not {value:?}"));
            }
        }
        let listed = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if let Some(name) = CREDENTIALS.into_iter().find(|name| find(name).is_some() && !listed(name)) {
            return Some(format!("line {line}: {name} was sent"));
        }
        let as_wanted = match &self.body {
            Body::Empty => body.is_empty(),
            Body::Json(wanted) => serde_json::from_slice::<Value>(body).is_ok_and(|sent| sent == *wanted),
            Body::Containing(texts) => {
                let sent = String::from_utf8_lossy(body);
                let mut rest = &*sent;
                texts.iter().all(|text| match rest.split_once(text.as_str()) {
                    Some((_, behind)) => {
                        rest = behind;
                        true
                    }
                    None => false,
                })
            }
        };
        (!as_wanted).then(|| format!("line {line}: the body is {:?}", String::from_utf8_lossy(body)))
    }
}

impl Outcome {
    /// Compares how a call ended with this: its value, or the kind and the text of its error.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, found: Result<&Option<Value>, (&str, String)>) -> Result<(), String> {
        match (self, found) {
            (Outcome::Done(None), Ok(_)) => Ok(()),
            (Outcome::Done(wanted), Ok(found)) if wanted == found => Ok(()),
            (Outcome::Error(kind, texts), Err((found, shown))) if kind == found => {
                match texts.iter().find(|text| !shown.contains(text.as_str())) {
                    Some(text) => Err(format!("no {text:?} in {shown:?}")),
                    None => Ok(()),
                }
            }
            (wanted, found) => Err(format!("ended in {found:?}, not {wanted:?}")),
        }
    }
}

/// The lines that say something, each with its number; one that begins with white space goes on with the one
/// before it.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match lines.last_mut() {
            Some((_, before)) if line.starts_with(' ') => {
                before.push_str("   ");
                before.push_str(line.trim());
            }
            _ => lines.push((at + 1, line.trim_end().to_owned())),
        }
    }
    lines
}

fn verb(word: &str, rest: &str) -> Option<Verb> {
    let path = |rest: &str| (!rest.is_empty()).then(|| rest.to_owned());
    match word {
        "get" => Some(Verb::Get(path(rest)?)),
        "send" => {
            let (method, rest) = rest.split_once(' ')?;
            let (path, body) = match rest.split_once(' ') {
                Some((path, body)) => (path, Some(body.trim().to_owned())),
                None => (rest, None),
            };
            Some(Verb::Send(method.to_owned(), path.to_owned(), body))
        }
        "update" | "update-once" => {
            let mut words = rest.split_whitespace().map(str::to_owned);
            let (file, image) = (words.next()?, words.next()?);
            Some(Verb::Update { file, image, targets: words.collect(), once: word == "update-once" })
        }
        "download" => {
            let (path, limit) = rest.split_once(' ')?;
            Some(Verb::Download(path.to_owned(), limit.trim().parse().ok()?))
        }
        "events" => {
            let (count, filter) = rest.split_once(' ').unwrap_or((rest, ""));
            let filter = Some(filter.trim()).filter(|filter| !filter.is_empty());
            Some(Verb::Events(count.parse().ok()?, filter.map(str::to_owned)))
        }
        "login" => Some(Verb::Session),
        "close" => Some(Verb::Close),
        _ if word.starts_with(|c: char| c.is_ascii_lowercase()) && rest.starts_with(|c: char| c != ' ') => {
            Some(Verb::Ask(word.to_owned(), rest.to_owned()))
        }
        _ => None,
    }
}

/// What stands at the end of a line.
enum Tail<'a> {
    Nothing,
    /// What follows a bar.
    Plain(&'a str),
    /// JSON, or HTML.
    Structured(&'a str),
}

/// Headers, each after two spaces or more, and the body after them.
fn fields(mut rest: &str) -> Option<(Headers, Tail<'_>)> {
    let mut headers = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some((headers, Tail::Nothing));
        }
        if let Some(text) = rest.strip_prefix("| ") {
            return Some((headers, Tail::Plain(text)));
        }
        if rest.starts_with(['{', '[', '<', '"']) {
            return Some((headers, Tail::Structured(rest)));
        }
        let end = rest.find("  ").unwrap_or(rest.len());
        let (name, value) = rest[..end].split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
        rest = &rest[end..];
    }
}

fn request(line: usize, rest: &str) -> Option<Request> {
    let (method, rest) = rest.split_once(' ')?;
    let (target, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (headers, tail) = fields(rest)?;
    let body = match tail {
        Tail::Nothing => Body::Empty,
        Tail::Plain(texts) => Body::Containing(texts.split(" | ").map(|text| lines(text.trim())).collect()),
        Tail::Structured(json) => Body::Json(serde_json::from_str(json).ok()?),
    };
    Some(Request { line, method: method.to_owned(), target: target.to_owned(), headers, body })
}

fn answer(rest: &str, cut: bool) -> Option<Reaction> {
    let (status, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (headers, tail) = fields(rest)?;
    let body = match tail {
        Tail::Nothing => String::new(),
        Tail::Plain(text) => lines(text),
        Tail::Structured(text) => text.to_owned(),
    };
    Some(Reaction::Answer { status: status.parse().ok()?, headers, body, cut })
}

/// Plain text, in which `\n` stands for the end of a line.
fn lines(text: &str) -> String {
    text.replace("\\n", "\n")
}

fn failure(rest: &str) -> Option<Failure> {
    Some(match rest {
        "not-sent" => Failure::NotSent,
        "broken" => Failure::Broken,
        "timed-out" => Failure::TimedOut,
        "too-large" => Failure::TooLarge,
        "untrusted" => Failure::Untrusted,
        "malformed" => Failure::Malformed,
        _ => return None,
    })
}

fn outcome(rest: &str) -> Option<Outcome> {
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "done" if rest.is_empty() => Some(Outcome::Done(None)),
        "done" => Some(Outcome::Done(Some(serde_json::from_str(rest).ok()?))),
        "error" => {
            let mut parts = rest.split(" | ").map(|part| part.trim().to_owned());
            Some(Outcome::Error(parts.next()?, parts.collect()))
        }
        _ => None,
    }
}

fn time(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => Some(Duration::from_millis(number.parse().ok()?)),
        None => Some(Duration::from_secs(text.strip_suffix('s')?.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_is_read_whole() {
        let text = "# A title\ncredentials admin p w\nsession old at /S/1\n\nsend PATCH /a {\"b\": 1}\n\
                    > PATCH /a   X-Auth-Token: old  {\"b\":  1}\n< 503 Retry-After: 5   A: b c\n    | plain\n~ 5s\n= error busy | plain | 5 s\n";
        let transcript = Transcript::parse("x", text).unwrap();
        assert_eq!(transcript.title, "A title");
        assert_eq!(transcript.setup.user, User::Credentials("admin".into(), "p w".into()));
        let call = &transcript.calls[0];
        assert_eq!(call.outcome, Outcome::Error("busy".into(), vec!["plain".into(), "5 s".into()]));
        let Event::Exchange(request, Reaction::Answer { status: 503, headers, body, cut: false }) =
            &call.events[0]
        else {
            panic!("{call:?}")
        };
        assert_eq!((headers.len(), body.as_str()), (2, "plain"));
        let sent: [(&str, &[u8]); 1] = [("x-auth-token", b"old")];
        assert_eq!(request.mismatch("PATCH", "/a", &sent, b"{\"b\":1}"), None);
        assert!(request.mismatch("PATCH", "/a", &sent, b"").is_some());
        assert!(request.mismatch("PATCH", "/a", &[], b"{\"b\":1}").is_some());
        let more: [(&str, &[u8]); 2] = [("x-auth-token", b"old"), ("cookie", b"x")];
        assert!(request.mismatch("PATCH", "/a", &more, b"{\"b\":1}").is_some());
    }

    #[test]
    fn a_body_contains_texts_in_their_order() {
        let text =
            "update a.bin IMAGE /x /y\n> POST /a   | name=\"a\"\\n | IMAGE\n< 200 | a\\n\\nb\n= done\n";
        let transcript = Transcript::parse("x", text).unwrap();
        let call = &transcript.calls[0];
        let targets = vec!["/x".to_owned(), "/y".to_owned()];
        let verb = Verb::Update { file: "a.bin".into(), image: "IMAGE".into(), targets, once: false };
        assert_eq!(call.verb, verb);
        let Event::Exchange(request, Reaction::Answer { body, .. }) = &call.events[0] else {
            panic!("{call:?}")
        };
        assert_eq!(body, "a\n\nb");
        assert_eq!(request.mismatch("POST", "/a", &[], b"; name=\"a\"\n\nIMAGE--"), None);
        assert!(request.mismatch("POST", "/a", &[], b"IMAGE; name=\"a\"\n").is_some());
        assert!(request.mismatch("POST", "/a", &[], b"").is_some());
    }

    #[test]
    fn what_is_no_transcript_is_refused_with_its_line() {
        for text in [
            "nonsense\n",
            "get /a\n",
            "get /a\n> GET /a\n= done\n",
            "get /a\n! odd\n= done\n",
            "< 200\n",
            "download /a\n= done\n",
            "update a\n= done\n",
            "events x\n= done\n",
            "get /a\n> GET /a   {\n< 200\n= done\n",
        ] {
            assert!(Transcript::parse("x", text).is_err(), "{text}");
        }
    }
}

//! The parser of transcripts.

use std::path::Path;
use std::time::Duration;

use super::{Authentication, Body, Call, Event, Failure, Outcome, Reply, Request, Setup, Transcript, Verb};

type Headers = Vec<(String, String)>;

impl Transcript {
    /// Reads all `.txt` files of a folder, sorted by name.
    ///
    /// # Errors
    /// The file, the line and the problem.
    pub fn read_all(folder: &Path) -> Result<Vec<Transcript>, String> {
        let listed = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut files: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
        files.sort();
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Transcript::parse(&name, &text).map_err(|e| format!("{}: {e}", path.display()))
        };
        files.iter().map(read).collect()
    }

    /// Parses a transcript.
    ///
    /// # Errors
    /// The line and the problem.
    pub fn parse(name: &str, text: &str) -> Result<Transcript, String> {
        let mut transcript = Transcript { name: name.to_owned(), ..Transcript::default() };
        let mut pending: Option<Request> = None;
        let mut open: Option<(Verb, Vec<Event>)> = None;
        for (number, line) in logical_lines(text) {
            let error = |what: &str| format!("line {number}: {what}: {line}");
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let rest = rest.trim();
            match (word, &mut open) {
                ("#", _) => {
                    if transcript.title.is_empty() {
                        transcript.title = rest.to_owned();
                    }
                }
                (">", Some(_)) if pending.is_none() => {
                    pending = Some(request(number, rest).ok_or_else(|| error("not a request"))?);
                }
                ("<" | "<!" | "!", Some((_, events))) => {
                    let request = pending.take().ok_or_else(|| error("no request before the response"))?;
                    let reply = match word {
                        "!" => failure(rest).map(Reply::Failure),
                        word => response(rest, word == "<!"),
                    };
                    events.push(Event::Exchange(request, reply.ok_or_else(|| error("not a response"))?));
                }
                ("~", Some((_, events))) if pending.is_none() => {
                    events.push(Event::Wait(time(rest).ok_or_else(|| error("not a time"))?));
                }
                ("=", Some(_)) if pending.is_none() => {
                    let outcome = outcome(rest).ok_or_else(|| error("not an outcome"))?;
                    let (verb, events) = open.take().ok_or_else(|| error("no call before the outcome"))?;
                    transcript.calls.push(Call { verb, events, outcome });
                }
                (_, None) if transcript.setup.set(word, rest) => {}
                (_, None) => {
                    open = Some((verb(word, rest).ok_or_else(|| error("unknown verb"))?, Vec::new()));
                }
                _ => return Err(error("out of place")),
            }
        }
        match open {
            None => Ok(transcript),
            Some((verb, _)) => Err(format!("{verb:?} has no outcome")),
        }
    }
}

impl Setup {
    /// Applies a line if it is a setting. Returns whether it is.
    fn set(&mut self, word: &str, rest: &str) -> bool {
        let pair = || rest.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
        match (word, pair()) {
            ("credentials", Some((user, password))) => {
                self.authentication = Authentication::Credentials(user, password)
            }
            ("basic", Some((user, password))) => self.authentication = Authentication::Basic(user, password),
            ("bearer", _) => self.authentication = Authentication::Bearer(rest.to_owned()),
            ("session", None) if !rest.is_empty() => self.session = Some((rest.to_owned(), None)),
            ("session", Some((token, location))) => match location.strip_prefix("at ") {
                Some(uri) => self.session = Some((token, Some(uri.to_owned()))),
                None => return false,
            },
            ("context", _) => self.context = Some(rest.to_owned()),
            ("links", _) if rest == "path-only" => self.path_only = true,
            ("deadline", _) => self.deadline = time(rest),
            ("expect", _) if rest == "none" => self.without_expect = true,
            ("limit", _) => self.body_limit = rest.parse().ok(),
            _ => return false,
        }
        true
    }
}

/// The non-empty lines with their numbers. A line that starts with a space continues the line before.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match lines.last_mut() {
            Some((_, before)) if line.starts_with(' ') => {
                before.push_str("   ");
                before.push_str(line.trim());
            }
            _ => lines.push((index + 1, line.trim_end().to_owned())),
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
            Some(Verb::PushUpdate { file, image, targets: words.collect(), once: word == "update-once" })
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
        "login" => Some(Verb::Login),
        "close" => Some(Verb::Close),
        _ if word.starts_with(|c: char| c.is_ascii_lowercase()) && rest.starts_with(|c: char| c != ' ') => {
            Some(Verb::Operation(word.to_owned(), rest.to_owned()))
        }
        _ => None,
    }
}

/// The body at the end of a line.
enum Tail<'a> {
    Nothing,
    /// Text after a bar.
    Plain(&'a str),
    /// JSON, or HTML.
    Structured(&'a str),
}

/// Parses the headers, which are separated by two or more spaces, and the body after them.
fn parse_fields(mut rest: &str) -> Option<(Headers, Tail<'_>)> {
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
    let (headers, tail) = parse_fields(rest)?;
    let body = match tail {
        Tail::Nothing => Body::Empty,
        Tail::Plain(texts) => {
            Body::Containing(texts.split(" | ").map(|text| unescape(text.trim())).collect())
        }
        Tail::Structured(json) => Body::Json(serde_json::from_str(json).ok()?),
    };
    Some(Request { line, method: method.to_owned(), target: target.to_owned(), headers, body })
}

fn response(rest: &str, truncated: bool) -> Option<Reply> {
    let (status, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (headers, tail) = parse_fields(rest)?;
    let body = match tail {
        Tail::Nothing => Vec::new(),
        Tail::Plain(text) => unescape_bytes(text),
        Tail::Structured(text) => text.as_bytes().to_vec(),
    };
    Some(Reply::Response { status: status.parse().ok()?, headers, body, truncated })
}

/// Replaces `\n` by a line break, and `\xff` by this byte, which no UTF-8 contains.
fn unescape_bytes(text: &str) -> Vec<u8> {
    let text = unescape(text);
    let mut parts = text.split("\\xff").map(str::as_bytes);
    let first = parts.next().unwrap_or_default().to_vec();
    parts.fold(first, |mut bytes, part| {
        bytes.push(0xff);
        bytes.extend_from_slice(part);
        bytes
    })
}

/// Replaces `\n` by a line break.
fn unescape(text: &str) -> String {
    text.replace("\\n", "\n")
}

fn failure(rest: &str) -> Option<Failure> {
    Some(match rest {
        "not-sent" => Failure::NotSent,
        "broken" => Failure::Broken,
        "timed-out" => Failure::TimedOut,
        "too-large" => Failure::TooLarge,
        "untrusted" => Failure::Untrusted,
        "tls" => Failure::Tls,
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
    fn a_transcript_is_parsed() {
        let text = "# A title\ncredentials admin p w\nsession old at /S/1\n\nsend PATCH /a {\"b\": 1}\n\
                    > PATCH /a   X-Auth-Token: old  {\"b\":  1}\n< 503 Retry-After: 5   A: b c\n    | plain\n~ 5s\n= error busy | plain | 5 s\n";
        let transcript = Transcript::parse("x", text).unwrap();
        assert_eq!(transcript.title, "A title");
        assert_eq!(
            transcript.setup.authentication,
            Authentication::Credentials("admin".into(), "p w".into())
        );
        let call = &transcript.calls[0];
        assert_eq!(call.outcome, Outcome::Error("busy".into(), vec!["plain".into(), "5 s".into()]));
        let Event::Exchange(request, Reply::Response { status: 503, headers, body, truncated: false }) =
            &call.events[0]
        else {
            panic!("{call:?}")
        };
        assert_eq!((headers.len(), body.as_slice()), (2, &b"plain"[..]));
        let sent: [(&str, &[u8]); 1] = [("x-auth-token", b"old")];
        assert_eq!(request.mismatch("PATCH", "/a", &sent, b"{\"b\":1}"), None);
        assert!(request.mismatch("PATCH", "/a", &sent, b"").is_some());
        assert!(request.mismatch("PATCH", "/a", &[], b"{\"b\":1}").is_some());
        let more: [(&str, &[u8]); 2] = [("x-auth-token", b"old"), ("cookie", b"x")];
        assert!(request.mismatch("PATCH", "/a", &more, b"{\"b\":1}").is_some());
    }

    #[test]
    fn a_body_contains_texts_in_order() {
        let text =
            "update a.bin IMAGE /x /y\n> POST /a   | name=\"a\"\\n | IMAGE\n< 200 | a\\n\\nb\n= done\n";
        let transcript = Transcript::parse("x", text).unwrap();
        let call = &transcript.calls[0];
        let targets = vec!["/x".to_owned(), "/y".to_owned()];
        let verb = Verb::PushUpdate { file: "a.bin".into(), image: "IMAGE".into(), targets, once: false };
        assert_eq!(call.verb, verb);
        let Event::Exchange(request, Reply::Response { body, .. }) = &call.events[0] else {
            panic!("{call:?}")
        };
        assert_eq!(body, b"a\n\nb");
        assert_eq!(request.mismatch("POST", "/a", &[], b"; name=\"a\"\n\nIMAGE--"), None);
        assert!(request.mismatch("POST", "/a", &[], b"IMAGE; name=\"a\"\n").is_some());
        assert!(request.mismatch("POST", "/a", &[], b"").is_some());
    }

    #[test]
    fn an_invalid_transcript_is_refused() {
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

//! The texts of messages that a service sends by their identifier only (DSP0266, "Message registries").

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::message::Message;
use crate::operation::{Answer, Operation, Request};
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::read_pages::{Collector, ReadPages};
use crate::redact::SafeText;
use crate::resource::Resource;
use crate::target::Target;

/// Looks a message up in the service's own registries: its text, with the arguments in their places, severity and
/// resolution. `None` if the service has no such registry or no such message.
#[derive(Debug)]
pub struct LookupMessage {
    chain: Chain<Option<Message>>,
}

/// The registry file that fits a message best, of those on the pages so far.
#[derive(Debug)]
struct BestFile {
    /// The registry's prefix and its version: `Base` and `1.8` of `Base.1.8.Success`.
    prefix: String,
    version: Vec<u32>,
    best: Option<(Rank, Target)>,
}

/// How well a registry of the right prefix fits the version of a message; the greatest fits best. Within one major version
/// a later registry has the messages of all earlier ones (DSP0266, "Message registries").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    same_minor: bool,
    same_major: bool,
    version: Vec<u32>,
}

impl BestFile {
    fn of(message: &Message) -> BestFile {
        let (prefix, version, _) = name(message).unwrap_or_default();
        BestFile { prefix: prefix.to_owned(), version, best: None }
    }

    /// How well the registry file at that URI fits: its last segment is `Base.1.8.0`, or just `Base`.
    fn rank(&self, file: &Target) -> Option<Rank> {
        let (_, segment) = file.split_member();
        let (name, version) = segment.split_once('.').unwrap_or((segment, ""));
        let version = numbers(version);
        name.eq_ignore_ascii_case(&self.prefix).then(|| Rank {
            same_minor: self.version.len() > 1 && version.get(..2) == self.version.get(..2),
            same_major: version.first() == self.version.first(),
            version,
        })
    }

    /// Keeps the file if none fits better. Of two that fit alike it keeps the one that was seen first.
    fn offer(&mut self, file: Target) {
        let Some(rank) = self.rank(&file) else { return };
        if self.best.as_ref().is_none_or(|(best, _)| *best < rank) {
            self.best = Some((rank, file));
        }
    }
}

impl Collector for BestFile {
    type Member = IgnoredAny;

    /// Its URI says how well a file fits, so that none has to be read.
    fn target(&mut self, link: &str, answer: &Answer) -> Result<Option<Target>, Error> {
        if let Ok(file) = answer.resolve(link) {
            self.offer(file);
        }
        Ok(None)
    }

    fn add(&mut self, _: Resource<IgnoredAny>) {}

    fn member_unreadable(&mut self, _: Target, _: Error) -> Result<(), Error> {
        Ok(())
    }

    fn page_unreadable(&mut self, error: Error) -> Result<(), Error> {
        match error.kind() {
            // A page that is missing hides no registry of the pages before it.
            _ if self.best.is_some() => Ok(()),
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }
    }
}

impl LookupMessage {
    /// Looks up that message.
    pub fn new(message: Message) -> LookupMessage {
        let registries = Target::well_known("/redfish/v1/Registries");
        let chain = Chain::new(ReadPages::new(registries, BestFile::of(&message)), |files| {
            let Some((_, file)) = files.best else { return Chain::done(None) };
            Chain::next(Exchange(Request::get(&file)), |received| {
                let Some(answer) = found(received)? else { return Chain::done(None) };
                let Some(uri) = LookupMessage::registry(&answer.json()?, &answer) else {
                    return Chain::done(None);
                };
                Chain::next(Exchange(Request::get(&uri)), |received| {
                    let Some(answer) = found(received)? else { return Chain::done(None) };
                    Chain::done(LookupMessage::filled(message, &answer.json()?, &answer))
                })
            })
        });
        LookupMessage { chain }
    }

    /// Where the registry is, as its file says: the English one, else the first.
    fn registry(file: &Value, answer: &Answer) -> Option<Target> {
        let locations = file.get("Location")?.as_array()?;
        let english =
            |l: &&Value| l.get("Language").and_then(Value::as_str).is_none_or(|l| l.starts_with("en"));
        let location = locations.iter().find(english).or(locations.first())?;
        answer.resolve(location.get("Uri")?.as_str()?).ok()
    }

    fn filled(mut message: Message, registry: &Value, answer: &Answer) -> Option<Message> {
        let (_, _, key) = name(&message)?;
        let entry = registry.get("Messages")?.get(key)?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        message.text = answer.safe(&fill(&text("Message"), &message.args));
        if message.severity.is_empty() {
            let severity =
                Some(text("MessageSeverity")).filter(|s| !s.is_empty()).unwrap_or(text("Severity"));
            message.severity = answer.safe(&severity);
        }
        if message.resolution.is_empty() {
            message.resolution = answer.safe(&text("Resolution"));
        }
        Some(message)
    }
}

impl Operation for LookupMessage {
    type Output = Option<Message>;

    forward_to!(chain);
}

/// The answer, if it is a success; `None` for a resource that does not exist.
fn found(received: Result<Answer, Error>) -> Result<Option<Answer>, Error> {
    match received.and_then(Answer::success) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The registry's prefix, its version, and the message's key: `Base`, `1.8` and `Success` of `Base.1.8.Success`.
fn name(message: &Message) -> Option<(&str, Vec<u32>, &str)> {
    let (prefix, rest) = message.id.trim().split_once('.')?;
    let (version, key) = rest.rsplit_once('.').unwrap_or(("", rest));
    Some((prefix, numbers(version), key))
}

/// The numbers of a version: `1.8.0`, or `v1_8_0` as some services write it.
fn numbers(version: &str) -> Vec<u32> {
    version.trim_start_matches('v').split(['.', '_']).map_while(|number| number.parse().ok()).collect()
}

/// Puts arguments in the places of `%1`, `%2`, …, in one pass: an argument that has a `%1` of its own is text.
fn fill(text: &str, args: &[SafeText]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let (before, place) = rest.split_at(start);
        filled.push_str(before);
        let digits = place.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        let (place, after) = place.split_at(digits + 1);
        let number: Option<usize> = place.strip_prefix('%').and_then(|n| n.parse().ok());
        match number.and_then(|n| args.get(n.checked_sub(1)?)) {
            Some(arg) => filled.push_str(arg),
            None => filled.push_str(place),
        }
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;

    #[test]
    fn the_registry_of_the_messages_own_version_fits_best_and_numbers_are_numbers() {
        let best = |id: &'static str, files: &[&'static str]| {
            let mut best = BestFile::of(&Message { id: id.into(), ..Message::default() });
            files.iter().for_each(|file| best.offer(Target::well_known(file)));
            best.best.map(|(_, file)| file.split_member().1.to_owned())
        };
        let files =
            ["/R/Base.1.8.0", "/R/Base.1.19.0", "/R/Base.1.19.1", "/R/Base.2.0.0", "/R/Baseline.1.0.0"];
        for (id, file) in [
            ("Base.1.19.Success", Some("Base.1.19.1")),
            ("Base.1.8.1.Success", Some("Base.1.8.0")),
            ("Base.v1_8_0.Success", Some("Base.1.8.0")),
            // A later registry of the same major version has it too.
            ("Base.1.5.Success", Some("Base.1.19.1")),
            ("Base.3.0.Success", Some("Base.2.0.0")),
            ("Base.Success", Some("Base.2.0.0")),
            ("Other.1.0.Success", None),
        ] {
            assert_eq!(best(id, &files).as_deref(), file, "{id}");
        }
        assert_eq!(best("Base.1.0.X", &["/R/Base"]).as_deref(), Some("Base"));
    }

    #[test]
    fn arguments_go_in_in_one_pass() {
        let args: Vec<SafeText> = (1..=11).map(|n| Redactor::default().clean(&format!("%{n}x"))).collect();
        assert_eq!(fill("%1 and %10, %11: 100%, %0, %12", &args), "%1x and %10x, %11x: 100%, %0, %12");
        assert_eq!(fill("%", &[]), "%");
    }
}

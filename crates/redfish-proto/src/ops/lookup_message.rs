//! The texts of messages that a service identifies only by their id (DSP0266, "Message registries").

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::link_at;
use crate::message::Message;
use crate::operation::{Operation, Request};
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::read_pages::{Collector, ReadPages};
use crate::redact::SafeText;
use crate::resource::Resource;
use crate::target::Target;

/// Looks up a message in the service's own registries: its text with the arguments, its severity and its resolution.
/// `None` if the service has no such registry or no such message.
#[derive(Debug)]
pub struct LookupMessage {
    chain: Chain<Option<Message>>,
}

/// The best registry file for a message, of those on the pages so far.
#[derive(Debug)]
struct BestFile {
    /// The registry's prefix and version: `Base` and `1.8` of `Base.1.8.Success`.
    prefix: String,
    version: Vec<u32>,
    best: Option<(Rank, Target)>,
}

/// How well the version of a registry fits that of a message; the greatest rank is best. Within one major version, a
/// later registry has all messages of the earlier ones (DSP0266, "Message registries").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    same_minor: bool,
    same_major: bool,
    version: Vec<u32>,
}

impl BestFile {
    fn of(message: &Message) -> BestFile {
        let (prefix, version, _) = split_id(message).unwrap_or_default();
        BestFile { prefix: prefix.to_owned(), version, best: None }
    }

    /// The rank of the registry file at this URI, whose last segment is `Base.1.8.0` or only `Base`.
    fn rank(&self, file: &Target) -> Option<Rank> {
        let (_, segment) = file.split_member();
        let (name, version) = segment.split_once('.').unwrap_or((segment, ""));
        let version = version_numbers(version);
        name.eq_ignore_ascii_case(&self.prefix).then(|| Rank {
            same_minor: self.version.len() > 1 && version.get(..2) == self.version.get(..2),
            same_major: version.first() == self.version.first(),
            version,
        })
    }

    /// Keeps the file if it is better than the best so far.
    fn consider(&mut self, file: Target) {
        let Some(rank) = self.rank(&file) else { return };
        if self.best.as_ref().is_none_or(|(best, _)| *best < rank) {
            self.best = Some((rank, file));
        }
    }
}

impl Collector for BestFile {
    type Member = IgnoredAny;

    /// The URI determines the rank of a file, so no file is read.
    fn target(&mut self, link: &str, answer: &Answer) -> Result<Option<Target>, Error> {
        if let Ok(file) = answer.resolve(link) {
            self.consider(file);
        }
        Ok(None)
    }

    fn add(&mut self, _: Resource<IgnoredAny>) {}

    fn member_unreadable(&mut self, _: Target, _: Error) -> Result<(), Error> {
        Ok(())
    }

    fn page_unreadable(&mut self, error: Error) -> Result<(), Error> {
        match error.kind() {
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }
    }
}

impl LookupMessage {
    /// Looks up this message.
    pub fn new(message: Message) -> LookupMessage {
        let registries = Target::well_known("/redfish/v1/Registries");
        let chain = Chain::new(ReadPages::new(registries, BestFile::of(&message)), |(files, failure)| {
            // The registries of the other pages count even if a page is missing.
            let Some((_, file)) = files.best else { return failure.map_or_else(|| Chain::done(None), Err) };
            Chain::next(Exchange(Request::get(&file)), |received| {
                let Some(answer) = success_or_none(received)? else { return Chain::done(None) };
                let Some(uri) = LookupMessage::registry(&answer.json()?, &answer) else {
                    return Chain::done(None);
                };
                Chain::next(Exchange(Request::get(&uri)), |received| {
                    let Some(answer) = success_or_none(received)? else { return Chain::done(None) };
                    Chain::done(LookupMessage::complete(message, &answer.json()?, &answer))
                })
            })
        });
        LookupMessage { chain }
    }

    /// The target of the registry in its file: the English one, or else the first.
    fn registry(file: &Value, answer: &Answer) -> Option<Target> {
        let locations = file.get("Location")?.as_array()?;
        let english =
            |l: &&Value| l.get("Language").and_then(Value::as_str).is_none_or(|l| l.starts_with("en"));
        let location = locations.iter().find(english).or(locations.first())?;
        answer.resolve(link_at(location, "/Uri")?).ok()
    }

    /// The message with the texts of its registry.
    fn complete(mut message: Message, registry: &Value, answer: &Answer) -> Option<Message> {
        let (_, _, key) = split_id(&message)?;
        let entry = registry.get("Messages")?.get(key)?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        message.text = answer.safe(&fill_arguments(&text("Message"), &message.args));
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

/// The response, if it is a success. `None` for a resource that does not exist.
fn success_or_none(received: Result<Answer, Error>) -> Result<Option<Answer>, Error> {
    match received.and_then(Answer::success) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The registry's prefix, its version, and the message's key: `Base`, `1.8` and `Success` of `Base.1.8.Success`.
fn split_id(message: &Message) -> Option<(&str, Vec<u32>, &str)> {
    let (prefix, rest) = message.id.trim().split_once('.')?;
    let (version, key) = rest.rsplit_once('.').unwrap_or(("", rest));
    Some((prefix, version_numbers(version), key))
}

/// The numbers of a version: `1.8.0`, or `v1_8_0` in some services.
fn version_numbers(version: &str) -> Vec<u32> {
    version.trim_start_matches('v').split(['.', '_']).map_while(|number| number.parse().ok()).collect()
}

/// Replaces `%1`, `%2`, … with the arguments, in one pass: a `%1` in an argument is text.
fn fill_arguments(text: &str, args: &[SafeText]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let (before, placeholder) = rest.split_at(start);
        filled.push_str(before);
        let digits = placeholder.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        let (placeholder, after) = placeholder.split_at(digits + 1);
        let number: Option<usize> = placeholder.strip_prefix('%').and_then(|n| n.parse().ok());
        match number.and_then(|n| args.get(n.checked_sub(1)?)) {
            Some(arg) => filled.push_str(arg),
            None => filled.push_str(placeholder),
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
    fn the_registry_with_the_version_of_the_message_is_best() {
        let best = |id: &'static str, files: &[&'static str]| {
            let mut best = BestFile::of(&Message { id: id.into(), ..Message::default() });
            files.iter().for_each(|file| best.consider(Target::well_known(file)));
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
    fn arguments_are_replaced_in_one_pass() {
        let args: Vec<SafeText> = (1..=11).map(|n| Redactor::default().clean(&format!("%{n}x"))).collect();
        assert_eq!(
            fill_arguments("%1 and %10, %11: 100%, %0, %12", &args),
            "%1x and %10x, %11x: 100%, %0, %12"
        );
        assert_eq!(fill_arguments("%", &[]), "%");
    }
}

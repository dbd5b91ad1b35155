//! The texts of messages that a service sends by their identifier only (DSP0266, "Message registries").

use serde_json::Value;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::message::Message;
use crate::operation::{Answer, Operation, Request, Verdict};
use crate::target::Target;

/// Looks a message up in the service's own registries: its text, with the arguments in their places, severity and
/// resolution. `None` where the service has no such registry or no such message.
#[derive(Debug)]
pub struct Lookup {
    message: Message,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Registries(Target),
    File(Target),
    Registry(Target),
}

impl Lookup {
    /// Looks up that message.
    pub fn new(message: Message) -> Lookup {
        Lookup { message, stage: Stage::Registries(Target::well_known("/redfish/v1/Registries")) }
    }

    /// The registry's prefix and the message's key: `Base` and `Success` of `Base.1.8.Success`.
    fn name(&self) -> Option<(&str, &str)> {
        let (prefix, rest) = self.message.id.trim().split_once('.')?;
        Some((prefix, rest.rsplit('.').next()?))
    }

    fn go_to(mut self, stage: Option<Stage>) -> Verdict<Lookup> {
        match stage {
            Some(stage) => {
                self.stage = stage;
                Verdict::Next(self)
            }
            None => Verdict::Done(None),
        }
    }

    /// The registry file whose last segment begins with the prefix: `Base.1.8.0`, or just `Base`.
    fn file(&self, registries: &Value, answer: &Answer) -> Option<Stage> {
        let (prefix, _) = self.name()?;
        let links =
            registries.get("Members")?.as_array()?.iter().filter_map(|m| m.get("@odata.id")?.as_str());
        let named = |link: &&str| {
            let last = link.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            last.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case(prefix))
        };
        let link = links.filter(named).max()?;
        Some(Stage::File(answer.resolve(link).ok()?))
    }

    fn registry(file: &Value, answer: &Answer) -> Option<Stage> {
        let locations = file.get("Location")?.as_array()?;
        let english =
            |l: &&Value| l.get("Language").and_then(Value::as_str).is_none_or(|l| l.starts_with("en"));
        let location = locations.iter().find(english).or(locations.first())?;
        Some(Stage::Registry(answer.resolve(location.get("Uri")?.as_str()?).ok()?))
    }

    fn filled(mut self, registry: &Value) -> Option<Message> {
        let (_, key) = self.name()?;
        let entry = registry.get("Messages")?.get(key)?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = &mut self.message;
        message.text = fill(&text("Message"), &message.args);
        if message.severity.is_empty() {
            message.severity =
                Some(text("MessageSeverity")).filter(|s| !s.is_empty()).unwrap_or(text("Severity"));
        }
        if message.resolution.is_empty() {
            message.resolution = text("Resolution");
        }
        Some(self.message)
    }
}

impl Operation for Lookup {
    type Output = Option<Message>;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Registries(at) | Stage::File(at) | Stage::Registry(at) => Request::get(at),
        }
    }

    fn respond(self, answer: Answer) -> Result<Verdict<Self>, Error> {
        let document: Value = match answer.check() {
            Ok(()) => answer.json()?,
            Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(Verdict::Done(None)),
            Err(error) => return Err(error),
        };
        match &self.stage {
            Stage::Registries(_) => {
                let stage = self.file(&document, &answer);
                Ok(self.go_to(stage))
            }
            Stage::File(_) => Ok(self.go_to(Lookup::registry(&document, &answer))),
            Stage::Registry(_) => Ok(Verdict::Done(self.filled(&document))),
        }
    }
}

/// Puts arguments in the places of `%1`, `%2`, …, in one pass: an argument that has a `%1` of its own is text.
fn fill(text: &str, args: &[String]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, place) = rest.split_at(at);
        filled.push_str(before);
        let digits = place.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        let number: Option<usize> = place.get(1..=digits).and_then(|n| n.parse().ok());
        match number.and_then(|n| args.get(n.checked_sub(1)?)) {
            Some(arg) => filled.push_str(arg),
            None => filled.push_str(&place[..=digits]),
        }
        rest = &place[digits + 1..];
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_go_in_in_one_pass() {
        let args: Vec<String> = (1..=11).map(|n| format!("%{n}x")).collect();
        assert_eq!(fill("%1 and %10, %11: 100%, %0, %12", &args), "%1x and %10x, %11x: 100%, %0, %12");
        assert_eq!(fill("%", &[]), "%");
    }
}

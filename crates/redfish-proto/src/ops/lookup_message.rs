//! The texts of messages that a service sends by their identifier only (DSP0266, "Message registries").

use serde_json::Value;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::message::Message;
use crate::operation::{Answer, Operation, Request, Transition};
use crate::ops::get_page::{GetPage, Page};
use crate::redact::SafeText;
use crate::target::Target;

/// Looks a message up in the service's own registries: its text, with the arguments in their places, severity and
/// resolution. `None` where the service has no such registry or no such message.
#[derive(Debug)]
pub struct LookupMessage {
    message: Message,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Reads the collection of registries, page after page; the best one so far with its rank.
    Registries(GetPage, Option<(Rank, Target)>),
    File(Target),
    Registry(Target),
}

/// How well a registry of the right prefix fits the version of a message; the greatest fits best. Within one major version
/// a later registry has the messages of all earlier ones (DSP0266, "Message registries").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    same_minor: bool,
    same_major: bool,
    version: Vec<u32>,
}

impl LookupMessage {
    /// Looks up that message.
    pub fn new(message: Message) -> LookupMessage {
        let registries = GetPage::first(Target::well_known("/redfish/v1/Registries"));
        LookupMessage { message, stage: Stage::Registries(registries, None) }
    }

    /// The registry's prefix, its version, and the message's key: `Base`, `1.8` and `Success` of `Base.1.8.Success`.
    fn name(&self) -> Option<(&str, Vec<u32>, &str)> {
        let (prefix, rest) = self.message.id.trim().split_once('.')?;
        let (version, key) = rest.rsplit_once('.').unwrap_or(("", rest));
        Some((prefix, numbers(version), key))
    }

    fn go_to(mut self, stage: Option<Stage>) -> Transition<LookupMessage> {
        match stage {
            Some(stage) => {
                self.stage = stage;
                Transition::Next(self)
            }
            None => Transition::Done(None),
        }
    }

    /// How well the registry file at that URI fits: its last segment is `Base.1.8.0`, or just `Base`.
    fn rank(&self, file: &Target) -> Option<Rank> {
        let (prefix, wanted, _) = self.name()?;
        let (_, segment) = file.split_member();
        let (name, version) = segment.split_once('.').unwrap_or((segment, ""));
        let version = numbers(version);
        name.eq_ignore_ascii_case(prefix).then(|| Rank {
            same_minor: wanted.len() > 1 && version.get(..2) == wanted.get(..2),
            same_major: version.first() == wanted.first(),
            version,
        })
    }

    /// Takes the registries of a page, and goes on to the next page, or to the file that fits best.
    fn choose(
        self,
        page: Page,
        best: Option<(Rank, Target)>,
        answer: &Answer,
    ) -> Result<Transition<LookupMessage>, Error> {
        let links = page.members.iter().filter_map(|member| answer.resolve(&member.link()?).ok());
        let ranked = links.filter_map(|link| Some((self.rank(&link)?, link)));
        let best = ranked.chain(best).max_by(|(one, _), (other, _)| one.cmp(other));
        // A next page that cannot be read hides no registry of this one.
        let stage = match page.next.unwrap_or_default() {
            Some(next) => Some(Stage::Registries(next, best)),
            None => best.map(|(_, file)| Stage::File(file)),
        };
        Ok(self.go_to(stage))
    }

    fn registry(file: &Value, answer: &Answer) -> Option<Stage> {
        let locations = file.get("Location")?.as_array()?;
        let english =
            |l: &&Value| l.get("Language").and_then(Value::as_str).is_none_or(|l| l.starts_with("en"));
        let location = locations.iter().find(english).or(locations.first())?;
        Some(Stage::Registry(answer.resolve(location.get("Uri")?.as_str()?).ok()?))
    }

    fn filled(mut self, registry: &Value, answer: &Answer) -> Option<Message> {
        let (_, _, key) = self.name()?;
        let entry = registry.get("Messages")?.get(key)?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = &mut self.message;
        message.text = answer.safe(&fill(&text("Message"), &message.args));
        if message.severity.is_empty() {
            let severity =
                Some(text("MessageSeverity")).filter(|s| !s.is_empty()).unwrap_or(text("Severity"));
            message.severity = answer.safe(&severity);
        }
        if message.resolution.is_empty() {
            message.resolution = answer.safe(&text("Resolution"));
        }
        Some(self.message)
    }
}

impl Operation for LookupMessage {
    type Output = Option<Message>;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Registries(page, _) => page.request(),
            Stage::File(at) | Stage::Registry(at) => Request::get(at),
        }
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        match answer.check() {
            Ok(()) => {}
            Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(Transition::Done(None)),
            Err(error) => return Err(error),
        }
        if let Stage::Registries(page, best) = &mut self.stage {
            let (page, best) = (page.clone().read(&answer)?, best.take());
            return self.choose(page, best, &answer);
        }
        let document: Value = answer.json()?;
        match self.stage {
            Stage::Registry(_) => Ok(Transition::Done(self.filled(&document, &answer))),
            Stage::Registries(..) | Stage::File(_) => {
                Ok(self.go_to(LookupMessage::registry(&document, &answer)))
            }
        }
    }
}

/// The numbers of a version: `1.8.0`, or `v1_8_0` as some services write it.
fn numbers(version: &str) -> Vec<u32> {
    version.trim_start_matches('v').split(['.', '_']).map_while(|number| number.parse().ok()).collect()
}

/// Puts arguments in the places of `%1`, `%2`, …, in one pass: an argument that has a `%1` of its own is text.
fn fill(text: &str, args: &[SafeText]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, place) = rest.split_at(at);
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
            let lookup = LookupMessage::new(Message { id: id.into(), ..Message::default() });
            let files = files.iter().map(|file| Target::well_known(file));
            let ranked = files.filter_map(|file| Some((lookup.rank(&file)?, file)));
            ranked
                .max_by(|(one, _), (other, _)| one.cmp(other))
                .map(|(_, file)| file.split_member().1.to_owned())
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

//! A PATCH against a document: what may be changed, what was, and what was refused, property by property (DSP0266, "PATCH").

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::{HeaderMap, HeaderName};
use serde_json::{Map, Value, json};

use crate::protocol::message::{Base, Message};
use crate::protocol::profile::Profile;

/// A property that may be written: its path within the resource (`Boot/BootSourceOverrideEnabled`) and what it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
}

/// What a property takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text of so many characters.
    Text {
        least: usize,
        most: usize,
    },
    /// Text that nobody gets to read again, in an error least of all.
    Secret {
        least: usize,
        most: usize,
    },
    Whole {
        least: u64,
        most: u64,
    },
    Flag,
    /// `false`, and not `true`: what the service sets, and a client takes back.
    False,
    Choice(&'static [&'static str]),
    Ipv4,
    Ipv6,
    /// An array: `null` removes the element in its place, `{}` keeps it, and a shorter one cuts (DSP0266, "PATCH (update)").
    List(&'static Kind),
    /// An object in a list, of these members.
    Object(&'static [Property]),
    /// Headers of a request, as a list of objects; nobody gets to read them again.
    Headers,
}

/// The longest list that is taken.
const LONGEST: usize = 16;

impl Kind {
    /// Checks a value; the message says what is wrong with it.
    pub(crate) fn check(self, name: &str, value: &Value) -> Result<(), Message> {
        let shown = match (self, value) {
            (Kind::Secret { .. } | Kind::Headers, _) => "(not shown)".to_owned(),
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        };
        let wrong = |base| Err(Message::new(base, [&shown, name]));
        match (self, value) {
            (Kind::Text { least, most } | Kind::Secret { least, most }, Value::String(text)) => {
                if (least..=most).contains(&text.chars().count()) {
                    Ok(())
                } else {
                    wrong(Base::PropertyValueFormatError)
                }
            }
            (Kind::Whole { least, most }, Value::Number(number)) => match number.as_u64() {
                Some(number) if (least..=most).contains(&number) => Ok(()),
                None if number.is_f64() => wrong(Base::PropertyValueTypeError),
                _ => wrong(Base::PropertyValueOutOfRange),
            },
            (Kind::Flag, Value::Bool(_)) | (Kind::False, Value::Bool(false)) => Ok(()),
            (Kind::False, Value::Bool(true)) => wrong(Base::PropertyValueNotInList),
            (Kind::Choice(choices), Value::String(text)) => {
                if choices.contains(&text.as_str()) {
                    Ok(())
                } else {
                    wrong(Base::PropertyValueNotInList)
                }
            }
            (Kind::Ipv4, Value::String(text)) if text.parse::<Ipv4Addr>().is_ok() => Ok(()),
            (Kind::Ipv6, Value::String(text)) if text.parse::<Ipv6Addr>().is_ok() => Ok(()),
            (Kind::Ipv4 | Kind::Ipv6, Value::String(_)) => wrong(Base::PropertyValueFormatError),
            (Kind::List(_), Value::Array(items)) if items.len() > LONGEST => {
                wrong(Base::PropertyValueFormatError)
            }
            (Kind::List(kind), Value::Array(items)) => items
                .iter()
                .filter(|item| !stands_for_another(item))
                .try_for_each(|item| kind.check(name, item)),
            (Kind::Object(properties), Value::Object(members)) => {
                members.iter().try_for_each(|(name, value)| {
                    match properties.iter().find(|property| property.path == name) {
                        Some(property) => property.kind.check(name, value),
                        None => Err(Message::new(Base::PropertyUnknown, [name])),
                    }
                })
            }
            (Kind::Headers, Value::Array(items)) => match headers(items) {
                Some(headers) if headers.len() <= LONGEST => Ok(()),
                _ => wrong(Base::PropertyValueFormatError),
            },
            _ => wrong(Base::PropertyValueTypeError),
        }
    }
}

/// The headers of a list of objects; `None` where one is no header.
pub(crate) fn headers(items: &[Value]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in items.iter().map(Value::as_object).collect::<Option<Vec<_>>>()?.into_iter().flatten()
    {
        headers.append(name.parse::<HeaderName>().ok()?, value.as_str()?.parse().ok()?);
    }
    Some(headers)
}

/// Whether an element of an array says what becomes of the one in its place.
pub(crate) fn stands_for_another(item: &Value) -> bool {
    item.is_null() || item.as_object().is_some_and(Map::is_empty)
}

/// A value that is written over another: in arrays, `null` and `{}` speak of the element in their place, and an object changes
/// what it names of it.
fn written_over(old: &Value, new: &Value) -> Value {
    let Value::Array(items) = new else { return new.clone() };
    let over = |(n, item): (usize, &Value)| match (item, &old[n]) {
        (Value::Null, _) => None,
        (Value::Object(change), Value::Object(before)) => {
            let mut after = before.clone();
            after.extend(change.clone());
            Some(Value::Object(after))
        }
        (item, Value::Null) if stands_for_another(item) => None,
        (item, before) if stands_for_another(item) => Some(before.clone()),
        (item, _) => Some(item.clone()),
    };
    items.iter().enumerate().filter_map(over).collect()
}

/// What a PATCH comes to.
#[derive(Debug)]
pub(crate) struct Patch {
    /// The document with what was taken.
    pub(crate) document: Value,
    /// How many properties were taken.
    pub(crate) taken: usize,
    /// What was refused: the property's path, and why.
    refused: Vec<(String, Message)>,
}

impl Patch {
    /// Takes of `change` what `writable` lets through.
    pub(crate) fn new(document: &Value, change: &Map<String, Value>, writable: &[Property]) -> Patch {
        let mut patch = Patch { document: document.clone(), taken: 0, refused: Vec::new() };
        let mut target = std::mem::take(&mut patch.document);
        patch.walk("", &mut target, change, writable);
        patch.document = target;
        patch
    }

    fn walk(&mut self, above: &str, target: &mut Value, change: &Map<String, Value>, writable: &[Property]) {
        for (name, value) in change {
            // Annotations may accompany a change and are no change (DSP0266, "PATCH (update)").
            if name.contains('@') {
                continue;
            }
            let path = if above.is_empty() { name.clone() } else { format!("{above}/{name}") };
            let known = target.get(name.as_str()).is_some();
            if let Some(property) = writable.iter().find(|property| property.path == path) {
                match property.kind.check(name, value) {
                    Ok(()) => {
                        target[name.as_str()] = written_over(&target[name.as_str()], value);
                        self.taken += 1;
                    }
                    Err(message) => self.refuse(path, message),
                }
            } else if !known {
                self.refuse(path, Message::new(Base::PropertyUnknown, [name]));
            } else if let (Value::Object(inner), Value::Object(_)) = (value, &target[name.as_str()]) {
                self.walk(&path, &mut target[name.as_str()], inner, writable);
            } else {
                self.refuse(path, Message::new(Base::PropertyNotWritable, [name]));
            }
        }
    }

    /// Takes all of `change` but what makes the resource what it is: for resources that nobody described.
    pub(crate) fn merge(document: &Value, change: &Map<String, Value>) -> Patch {
        let mut patch = Patch { document: document.clone(), taken: 0, refused: Vec::new() };
        let mut target = std::mem::take(&mut patch.document);
        for (name, value) in change.iter().filter(|(name, _)| !name.starts_with('@')) {
            if ["Id", "Members", "Actions"].contains(&name.as_str()) {
                patch.refuse(name.clone(), Message::new(Base::PropertyNotWritable, [name]));
            } else {
                merge(&mut target[name.as_str()], value);
                patch.taken += 1;
            }
        }
        patch.document = target;
        patch
    }

    fn refuse(&mut self, path: String, message: Message) {
        let message = message.about(&path);
        self.refused.push((path, message));
    }

    /// Why nothing could be taken, in which case there is nothing to apply.
    pub(crate) fn failure(&self) -> Option<Vec<Message>> {
        match (self.taken, self.refused.is_empty()) {
            (0, true) => Some(vec![Message::new(Base::NoOperation, [])]),
            (0, false) => Some(self.messages()),
            _ => None,
        }
    }

    /// What was refused.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.refused.iter().map(|(_, message)| message.clone()).collect()
    }

    /// Notes what was refused, beside each property and for the whole (DSP0266, "PATCH (update)", "Extended information").
    pub(crate) fn annotate(&self, document: &mut Value, profile: Profile) {
        for (path, message) in &self.refused {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let pointer = if above.is_empty() { String::new() } else { format!("/{above}") };
            if let Some(Value::Object(owner)) = document.pointer_mut(&pointer) {
                owner.insert(format!("{name}@Message.ExtendedInfo"), json!([message.spell(profile)]));
            }
        }
        let all = self.refused.iter().map(|(_, message)| message.spell(profile)).collect();
        document["@Message.ExtendedInfo"] = Value::Array(all);
    }
}

fn merge(target: &mut Value, change: &Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (name, value) in change {
                merge(target.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
        (target, change) => *target = written_over(target, change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITABLE: &[Property] = &[
        Property { path: "AssetTag", kind: Kind::Text { least: 0, most: 8 } },
        Property { path: "Boot/Enabled", kind: Kind::Choice(&["Once", "Disabled"]) },
        Property { path: "Timeout", kind: Kind::Whole { least: 30, most: 100 } },
        Property { path: "Lamp", kind: Kind::Flag },
    ];

    fn patch(change: Value) -> Patch {
        let document = json!({"Id": "1", "AssetTag": "", "Lamp": false, "Timeout": 30,
            "Boot": {"Enabled": "Disabled", "Order": []}});
        Patch::new(&document, change.as_object().unwrap(), WRITABLE)
    }

    #[test]
    fn each_property_gets_its_own_message() {
        let cases = [
            (json!({"Id": "2"}), Base::PropertyNotWritable),
            (json!({"Colour": "red"}), Base::PropertyUnknown),
            (json!({"AssetTag": 1}), Base::PropertyValueTypeError),
            (json!({"AssetTag": null}), Base::PropertyValueTypeError),
            (json!({"AssetTag": "much too long"}), Base::PropertyValueFormatError),
            (json!({"Timeout": 29}), Base::PropertyValueOutOfRange),
            (json!({"Timeout": -1}), Base::PropertyValueOutOfRange),
            (json!({"Timeout": 30.5}), Base::PropertyValueTypeError),
            (json!({"Timeout": "30"}), Base::PropertyValueTypeError),
            (json!({"Lamp": "true"}), Base::PropertyValueTypeError),
            (json!({"Boot": {"Enabled": "Twice"}}), Base::PropertyValueNotInList),
            (json!({"Boot": {"Order": ["Pxe"]}}), Base::PropertyNotWritable),
            (json!({"Boot": "Once"}), Base::PropertyNotWritable),
            (json!({"@odata.id": "/x"}), Base::NoOperation),
            (json!({"Boot": {}}), Base::NoOperation),
            (json!({}), Base::NoOperation),
        ];
        for (change, expected) in cases {
            let failure = patch(change.clone()).failure().unwrap_or_default();
            assert_eq!(
                failure.iter().map(|message| message.entry().key).collect::<Vec<_>>(),
                [format!("{expected:?}")],
                "{change}"
            );
        }
    }

    #[test]
    fn what_is_good_is_taken_and_what_is_not_is_noted_beside_it() {
        let mut patch =
            patch(json!({"AssetTag": "B7", "Boot": {"Enabled": "Once", "Order": [1]}, "Colour": "red"}));
        assert!(patch.failure().is_none());
        assert_eq!(patch.taken, 2);
        let mut document = patch.document.take();
        assert_eq!(document["AssetTag"], "B7");
        assert_eq!(document["Boot"]["Enabled"], "Once");
        assert_eq!(document["Boot"]["Order"], json!([]));
        patch.annotate(&mut document, Profile::Standard);
        assert_eq!(document["Colour@Message.ExtendedInfo"][0]["MessageId"], "Base.1.19.PropertyUnknown");
        assert_eq!(
            document["Boot"]["Order@Message.ExtendedInfo"][0]["MessageId"],
            "Base.1.19.PropertyNotWritable"
        );
    }

    #[test]
    fn an_array_is_changed_element_by_element() {
        const NAME: Kind = Kind::Text { least: 1, most: 8 };
        const HOST: Kind = Kind::Object(&[
            Property { path: "Address", kind: Kind::Ipv4 },
            Property { path: "Port", kind: Kind::Whole { least: 1, most: 9 } },
        ]);
        let names = json!(["a", "b", "c"]);
        let hosts = json!([{"Address": "192.0.2.1", "Port": 1}, {"Address": "192.0.2.2", "Port": 2}]);
        for (kind, before, change, after) in [
            (Kind::List(&NAME), &names, json!([null, "b"]), Ok(json!(["b"]))),
            (Kind::List(&NAME), &names, json!([{}, "d"]), Ok(json!(["a", "d"]))),
            (Kind::List(&NAME), &names, json!([{}, {}, {}, {}, "e"]), Ok(json!(["a", "b", "c", "e"]))),
            (Kind::List(&NAME), &names, json!(["b"]), Ok(json!(["b"]))),
            (Kind::List(&NAME), &names, json!([]), Ok(json!([]))),
            (Kind::List(&NAME), &names, json!(["a", 7]), Err(Base::PropertyValueTypeError)),
            (Kind::List(&NAME), &names, json!("a"), Err(Base::PropertyValueTypeError)),
            (Kind::List(&NAME), &names, json!(vec!["a"; 17]), Err(Base::PropertyValueFormatError)),
            (
                Kind::List(&HOST),
                &hosts,
                json!([{}, {"Port": 7}]),
                Ok(json!([{"Address": "192.0.2.1", "Port": 1}, {"Address": "192.0.2.2", "Port": 7}])),
            ),
            (
                Kind::List(&HOST),
                &hosts,
                json!([{"Address": "300.1.1.1"}]),
                Err(Base::PropertyValueFormatError),
            ),
            (Kind::List(&HOST), &hosts, json!([{"Colour": 1}]), Err(Base::PropertyUnknown)),
        ] {
            let seen = kind.check("X", &change).map(|()| written_over(before, &change));
            let expected = after.map_err(|base| <&crate::protocol::message::Entry>::from(base).key);
            assert_eq!(seen.map_err(|message| message.entry().key), expected, "{change}");
        }
    }

    #[test]
    fn merging_takes_all_but_what_makes_the_resource() {
        let document = json!({"Id": "1", "Boot": {"Mode": "UEFI", "Order": ["a", "b"]}});
        let change = json!({"Id": "2", "New": 1, "Boot": {"Order": [null, "c"]}, "@odata.id": "/x"});
        let patch = Patch::merge(&document, change.as_object().unwrap());
        assert_eq!(patch.document, json!({"Id": "1", "New": 1, "Boot": {"Mode": "UEFI", "Order": ["c"]}}));
        assert_eq!(patch.messages().len(), 1);
        let nothing = Patch::merge(&document, json!({"@odata.id": "/x"}).as_object().unwrap());
        assert!(nothing.failure().is_some());
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let secret = Kind::Secret { least: 8, most: 64 };
        for value in [json!("short"), json!(["hunter2hunter2"])] {
            let text = secret.check("Password", &value).unwrap_err().text();
            assert!(!text.contains("short") && !text.contains("hunter2"), "{text}");
        }
    }
}

//! PATCH on a document: applies the valid changes and reports each property that was rejected (DSP0266, "PATCH").

use serde_json::{Map, Value, json};

use super::message::{Base, Message};
use super::profile::Profile;
use super::property::{Property, is_placeholder};

/// Returns the new value of a property. In an array, `null` removes the element at its index, `{}` keeps it, and an object
/// changes the members that it contains.
fn updated(old: &Value, new: &Value) -> Value {
    let Value::Array(items) = new else { return new.clone() };
    let update = |(n, item): (usize, &Value)| match (item, &old[n]) {
        (Value::Null, _) => None,
        (Value::Object(change), Value::Object(before)) => {
            let mut after = before.clone();
            after.extend(change.clone());
            Some(Value::Object(after))
        }
        (item, Value::Null) if is_placeholder(item) => None,
        (item, before) if is_placeholder(item) => Some(before.clone()),
        (item, _) => Some(item.clone()),
    };
    items.iter().enumerate().filter_map(update).collect()
}

/// The result of a PATCH.
#[derive(Debug)]
pub(crate) struct Patch {
    /// The document with the accepted changes.
    pub(crate) document: Value,
    /// The number of properties that were accepted.
    pub(crate) accepted: usize,
    /// The path of each property that was rejected, and the reason.
    rejected: Vec<(String, Message)>,
}

impl Patch {
    /// Applies the changes to `writable` properties.
    pub(crate) fn new(document: &Value, change: &Map<String, Value>, writable: &[Property]) -> Patch {
        let mut patch = Patch { document: document.clone(), accepted: 0, rejected: Vec::new() };
        let mut target = std::mem::take(&mut patch.document);
        patch.apply("", &mut target, change, writable);
        patch.document = target;
        patch
    }

    fn apply(&mut self, above: &str, target: &mut Value, change: &Map<String, Value>, writable: &[Property]) {
        for (name, value) in change {
            // A change may contain annotations, which are ignored (DSP0266, "PATCH (update)").
            if name.contains('@') {
                continue;
            }
            let path = if above.is_empty() { name.clone() } else { format!("{above}/{name}") };
            let known = target.get(name.as_str()).is_some();
            // The settings that are pending are only those that were changed.
            let may_be_new = above == "Attributes";
            let property = writable.iter().find(|property| property.path == path);
            if let Some(property) = property.filter(|_| known || may_be_new) {
                match property.kind.check(name, value) {
                    Ok(()) => {
                        target[name.as_str()] = updated(&target[name.as_str()], value);
                        self.accepted += 1;
                    }
                    Err(message) => self.reject(path, message),
                }
            } else if !known {
                self.reject(path, Message::new(Base::PropertyUnknown, [name]));
            } else if let (Value::Object(inner), Value::Object(_)) = (value, &target[name.as_str()]) {
                self.apply(&path, &mut target[name.as_str()], inner, writable);
            } else {
                self.reject(path, Message::new(Base::PropertyNotWritable, [name]));
            }
        }
    }

    /// Applies all changes except those to identifying properties: for resources of a mockup, whose writable properties are
    /// unknown.
    pub(crate) fn merge(document: &Value, change: &Map<String, Value>) -> Patch {
        let mut patch = Patch { document: document.clone(), accepted: 0, rejected: Vec::new() };
        let mut target = std::mem::take(&mut patch.document);
        for (name, value) in change.iter().filter(|(name, _)| !name.starts_with('@')) {
            if ["Id", "Members", "Actions"].contains(&name.as_str()) {
                patch.reject(name.clone(), Message::new(Base::PropertyNotWritable, [name]));
            } else {
                merge(&mut target[name.as_str()], value);
                patch.accepted += 1;
            }
        }
        patch.document = target;
        patch
    }

    fn reject(&mut self, path: String, message: Message) {
        let message = message.related_to(&path);
        self.rejected.push((path, message));
    }

    /// The messages of the error response if no property was accepted.
    pub(crate) fn failure(&self) -> Option<Vec<Message>> {
        match (self.accepted, self.rejected.is_empty()) {
            (0, true) => Some(vec![Message::new(Base::NoOperation, [])]),
            (0, false) => Some(self.messages()),
            _ => None,
        }
    }

    /// A message for each property that was rejected.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.rejected.iter().map(|(_, message)| message.clone()).collect()
    }

    /// Annotates a document with the rejections, at each property and at the top (DSP0266, "PATCH (update)", "Extended
    /// information").
    pub(crate) fn annotate(&self, document: &mut Value, profile: Profile) {
        for (path, message) in &self.rejected {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let pointer = if above.is_empty() { String::new() } else { format!("/{above}") };
            if let Some(Value::Object(owner)) = document.pointer_mut(&pointer) {
                owner.insert(format!("{name}@Message.ExtendedInfo"), json!([message.render(profile)]));
            }
        }
        let all = self.rejected.iter().map(|(_, message)| message.render(profile)).collect();
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
        (target, change) => *target = updated(target, change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::property::Kind;

    const WRITABLE: &[Property] = &[
        Property { path: "AssetTag", kind: Kind::Text { min: 0, max: 8 } },
        Property { path: "Boot/Enabled", kind: Kind::Choice(&["Once", "Disabled"]) },
        Property { path: "Timeout", kind: Kind::Integer { min: 30, max: 100 } },
        Property { path: "Lamp", kind: Kind::Boolean },
    ];

    fn patch(change: Value) -> Patch {
        let document = json!({"Id": "1", "AssetTag": "", "Lamp": false, "Timeout": 30,
            "Boot": {"Enabled": "Disabled", "Order": []}});
        Patch::new(&document, change.as_object().unwrap(), WRITABLE)
    }

    #[test]
    fn each_rejected_property_has_its_own_message() {
        let cases = [
            (json!({"Id": "2"}), Base::PropertyNotWritable),
            (json!({"Color": "red"}), Base::PropertyUnknown),
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
    fn valid_changes_are_applied_and_the_others_are_annotated() {
        let mut patch =
            patch(json!({"AssetTag": "B7", "Boot": {"Enabled": "Once", "Order": [1]}, "Color": "red"}));
        assert!(patch.failure().is_none());
        assert_eq!(patch.accepted, 2);
        let mut document = patch.document.take();
        assert_eq!(document["AssetTag"], "B7");
        assert_eq!(document["Boot"]["Enabled"], "Once");
        assert_eq!(document["Boot"]["Order"], json!([]));
        patch.annotate(&mut document, Profile::Standard);
        assert_eq!(document["Color@Message.ExtendedInfo"][0]["MessageId"], "Base.1.19.PropertyUnknown");
        assert_eq!(
            document["Boot"]["Order@Message.ExtendedInfo"][0]["MessageId"],
            "Base.1.19.PropertyNotWritable"
        );
    }

    #[test]
    fn an_array_is_changed_element_by_element() {
        const NAME: Kind = Kind::Text { min: 1, max: 8 };
        const HOST: Kind = Kind::Object(&[
            Property { path: "Address", kind: Kind::Ipv4 },
            Property { path: "Port", kind: Kind::Integer { min: 1, max: 9 } },
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
            (Kind::List(&HOST), &hosts, json!([{"Color": 1}]), Err(Base::PropertyUnknown)),
        ] {
            let seen = kind.check("X", &change).map(|()| updated(before, &change));
            let expected = after.map_err(|base| <&crate::protocol::message::Entry>::from(base).key);
            assert_eq!(seen.map_err(|message| message.entry().key), expected, "{change}");
        }
    }

    #[test]
    fn a_merge_applies_all_changes_except_to_identifying_properties() {
        let document = json!({"Id": "1", "Boot": {"Mode": "UEFI", "Order": ["a", "b"]}});
        let change = json!({"Id": "2", "New": 1, "Boot": {"Order": [null, "c"]}, "@odata.id": "/x"});
        let patch = Patch::merge(&document, change.as_object().unwrap());
        assert_eq!(patch.document, json!({"Id": "1", "New": 1, "Boot": {"Mode": "UEFI", "Order": ["c"]}}));
        assert_eq!(patch.messages().len(), 1);
        let nothing = Patch::merge(&document, json!({"@odata.id": "/x"}).as_object().unwrap());
        assert!(nothing.failure().is_some());
    }
}

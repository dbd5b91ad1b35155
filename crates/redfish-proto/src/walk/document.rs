//! The links of a resource, found without a tree of its values.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A resource, as far as a walk needs it.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    pub(super) odata_type: Option<Cow<'a, str>>,
    /// Whether it has `Members`, which are not among its links.
    pub(super) has_members: bool,
    /// Whether it has `Id` and `Name`, as every complete resource does (DSP0266, "Common properties").
    has_id: bool,
    has_name: bool,
    pub(super) links: Vec<RawLink<'a>>,
}

/// A reference (`@odata.id`) in a resource.
#[derive(Debug)]
pub(super) struct RawLink<'a> {
    /// The name of the member that holds it.
    pub(super) name: Cow<'a, str>,
    pub(super) link: Cow<'a, str>,
    /// Whether it is in `Links` or `RelatedItem`.
    pub(super) is_relation: bool,
    /// Whether it is the only one in its member.
    pub(super) is_single: bool,
    /// The links of the expanded resources that it is in.
    within: Vec<Cow<'a, str>>,
}

impl Document<'_> {
    /// Whether it is a whole resource and not only a link, or a part of one.
    pub(super) fn is_complete(&self) -> bool {
        self.odata_type.is_some() && self.has_id && self.has_name
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Document<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document<'a>, D::Error> {
        deserializer.deserialize_map(DocumentVisitor(Document::default()))
    }
}

struct DocumentVisitor<'a>(Document<'a>);

impl<'de: 'a, 'a> Visitor<'de> for DocumentVisitor<'a> {
    type Value = Document<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document<'a>, A::Error> {
        let DocumentVisitor(mut document) = self;
        let mut own_link = None;
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "@odata.id" => own_link = map.next_value::<MaybeText<'a>>()?.0,
                "@odata.type" => document.odata_type = map.next_value::<MaybeText<'a>>()?.0,
                "Members" => {
                    let context = Context { skips_list: true, ..Context::member(name, false) };
                    let shape = map.next_value_seed(Scan { found: &mut document.links, context })?;
                    document.has_members |= shape == Shape::ListOrNull;
                }
                name if is_next_link(name) => drop(map.next_value::<IgnoredAny>()?),
                _ => {
                    document.has_id |= name == "Id";
                    document.has_name |= name == "Name";
                    let context = Context::member(name, false);
                    map.next_value_seed(Scan { found: &mut document.links, context })?;
                }
            }
        }
        // An expanded resource is read by itself. Some services give an object the URI of the resource that it is in.
        let is_own = |link: &Cow<'_, str>| {
            own_link.as_ref().is_some_and(|own| own.trim_end_matches('/') == link.trim_end_matches('/'))
        };
        document.links.retain(|link| link.within.iter().all(is_own));
        Ok(document)
    }
}

/// Whether a member holds the link to a further page, which some services send as an object. A page is not a resource.
fn is_next_link(name: &str) -> bool {
    name.ends_with("@odata.nextLink")
}

/// Where in a resource a value is.
#[derive(Clone)]
struct Context<'a> {
    name: Cow<'a, str>,
    is_relation: bool,
    is_single: bool,
    /// Whether a list in this place is skipped.
    skips_list: bool,
}

impl<'a> Context<'a> {
    fn member(name: Cow<'a, str>, is_relation: bool) -> Context<'a> {
        let is_relation = is_relation || name == "Links" || name == "RelatedItem";
        Context { name, is_relation, is_single: true, skips_list: false }
    }
}

/// Finds the links in a value.
struct Scan<'f, 'a> {
    found: &'f mut Vec<RawLink<'a>>,
    context: Context<'a>,
}

/// What a value was.
#[derive(PartialEq, Eq)]
enum Shape {
    ListOrNull,
    Other,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Scan<'_, 'a> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A scalar has no links.
macro_rules! scalars {
    ($value:expr => $($visit:ident: $type:ty),*) => {$(
        fn $visit<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok($value)
        }
    )*};
}

impl<'de: 'a, 'a> Visitor<'de> for Scan<'_, 'a> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    scalars! { Shape::Other => visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::ListOrNull)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        if self.context.skips_list {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Shape::ListOrNull);
        }
        let context = Context { is_single: false, ..self.context };
        while items.next_element_seed(Scan { found: self.found, context: context.clone() })?.is_some() {}
        Ok(Shape::ListOrNull)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let Scan { found, context } = self;
        let (start, mut link) = (found.len(), None);
        while let Some(Text(name)) = map.next_key()? {
            if name == "@odata.id" {
                link = map.next_value::<MaybeText<'a>>()?.0;
            } else if is_next_link(&name) {
                map.next_value::<IgnoredAny>()?;
            } else {
                let context = Context::member(name, context.is_relation);
                map.next_value_seed(Scan { found: &mut *found, context })?;
            }
        }
        if let Some(link) = link {
            // A fragment is a part of this or another resource, not a resource in its place.
            if !link.contains('#') {
                found.iter_mut().skip(start).for_each(|inner| inner.within.push(link.clone()));
            }
            let (Context { name, is_relation, is_single, .. }, within) = (context, Vec::new());
            found.insert(start.min(found.len()), RawLink { name, link, is_relation, is_single, within });
        }
        Ok(Shape::Other)
    }
}

/// A text, borrowed if it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A text, or anything else, which counts as none.
struct MaybeText<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for MaybeText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MaybeText<'a>, D::Error> {
        deserializer.deserialize_any(MaybeTextVisitor).map(MaybeText)
    }
}

struct MaybeTextVisitor;

impl<'de> Visitor<'de> for MaybeTextVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    scalars! { None => visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64 }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<String> {
        let document: Document<'_> = serde_json::from_str(text).unwrap();
        let line = |link: &RawLink<'_>| {
            let (relation, list) =
                (if link.is_relation { " related" } else { "" }, if link.is_single { "" } else { " list" });
            format!("{} {}{relation}{list}", link.name, link.link)
        };
        document.links.iter().map(line).collect()
    }

    #[test]
    fn links_are_found_everywhere_except_in_members_and_expanded_resources() {
        let text = r##"{
            "@odata.id": "/a", "@odata.type": "#A.v1_0_0.A",
            "Members": [{"@odata.id": "/a/1"}],
            "Memory": {"@odata.id": "/a/Memory"},
            "Fans": [{"RelatedItem": [{"@odata.id": "/b"}], "@odata.id": "/a#/Fans/0"}],
            "Whole": {"Inner": {"@odata.id": "/w/inner"}, "@odata.id": "/w"},
            "Links": {"Chassis": [{"@odata.id": "/c"}], "Oem": {"V": {"More": {"@odata.id": "/e"}}}},
            "Oem": {"Vendor": {"More": {"@odata.id": "\/d"}}},
            "Odd": {"@odata.id": 7}, "Number": -1.5e3, "Texts": ["x", null, true]
        }"##;
        assert_eq!(
            links(text),
            [
                "Memory /a/Memory",
                "Fans /a#/Fans/0 list",
                "RelatedItem /b related list",
                "Whole /w",
                "Chassis /c related list",
                "More /e related",
                "More /d",
            ]
        );
        assert!(links(r#"{"Members": {"@odata.id": "/m"}}"#) == ["Members /m"]);
    }

    #[test]
    fn an_object_that_names_its_own_resource_is_a_part_of_it() {
        let text = r#"{
            "Oem": {"Acme": {"@odata.id": "/a/", "Certs": {"@odata.id": "/a/Certs", "In": {"@odata.id": "/x"}}}},
            "Other": {"@odata.id": "/b", "In": {"@odata.id": "/y"}, "Self": {"@odata.id": "/a", "In": {"@odata.id": "/z"}}},
            "@odata.id": "/a"
        }"#;
        assert_eq!(links(text), ["Acme /a/", "Certs /a/Certs", "Other /b"]);
    }

    #[test]
    fn a_complete_resource_has_a_type_an_id_and_a_name() {
        for (text, is_complete, has_members) in [
            (r##"{"@odata.id": "/a", "@odata.type": "#A.A", "Id": "1", "Name": "N"}"##, true, false),
            (r##"{"@odata.id": "/a", "@odata.type": 7, "Id": "1", "Name": "N"}"##, false, false),
            (r##"{"@odata.type": "#A.A", "Name": "N", "Members": null}"##, false, true),
            (r#"{"@odata.id": "/a", "@odata.type": {"a": [1]}, "Members": []}"#, false, true),
        ] {
            let document: Document<'_> = serde_json::from_str(text).unwrap();
            assert_eq!((document.is_complete(), document.has_members), (is_complete, has_members), "{text}");
        }
        assert!(serde_json::from_str::<Document<'_>>("[]").is_err());
    }
}

//! One CSDL file: what each of its namespaces declares.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Document;

use super::xml::Element;
use super::{CsdlError, VOCABULARIES};
use crate::facts::{Access, Action, Enumeration, EnumerationValue, Excerpt, Kind, Member, Uri, Version};

/// Where DMTF publishes the schemas of a bundle.
const BUNDLE: &str = "//redfish.dmtf.org/schemas/v1/";

/// What one file contains.
pub(super) struct Contents {
    pub(super) namespaces: Vec<Namespace>,
    /// Schemas that are published elsewhere.
    pub(super) outside: BTreeSet<String>,
}

/// What one version of a schema declares.
pub(super) struct Namespace {
    pub(super) file: String,
    pub(super) schema: String,
    /// `None` is the namespace without a version, whose types are the bases of the others.
    pub(super) version: Option<Version>,
    pub(super) owner: Option<String>,
    pub(super) types: BTreeMap<String, Declared>,
    pub(super) enumerations: BTreeMap<String, Enumeration>,
    pub(super) aliases: BTreeMap<String, Kind>,
    pub(super) actions: BTreeMap<String, Action>,
}

/// An entity type or a complex type of one version.
pub(super) struct Declared {
    pub(super) is_resource: bool,
    pub(super) base: Option<TypeName>,
    pub(super) open: Option<bool>,
    /// The type of members whose names follow a pattern.
    pub(super) dynamic: Option<Kind>,
    pub(super) deprecated: bool,
    pub(super) members: Vec<Member>,
    pub(super) uris: Vec<Uri>,
    pub(super) insert: Option<bool>,
    pub(super) update: Option<bool>,
    pub(super) delete: Option<bool>,
}

/// The name of a type in one version of its schema.
pub(super) struct TypeName {
    pub(super) schema: String,
    pub(super) version: Option<Version>,
    pub(super) name: String,
}

impl Namespace {
    /// Returns the name as the file writes it.
    pub(super) fn full_name(&self) -> String {
        match self.version {
            Some(Version(major, minor, errata)) => format!("{}.v{major}_{minor}_{errata}", self.schema),
            None => self.schema.clone(),
        }
    }
}

impl TypeName {
    fn parse(element: Element<'_>, text: &str) -> Result<Self, CsdlError> {
        let (namespace, name) = text
            .rsplit_once('.')
            .filter(|(_, name)| !name.is_empty())
            .ok_or_else(|| element.error(format!("`{text}` is not the name of a type")))?;
        let (schema, version) = split_namespace(element, namespace)?;
        Ok(Self { schema: schema.to_owned(), version, name: name.to_owned() })
    }

    /// Returns the name for the facts. A service has the newest version that it knows, whatever version a schema names.
    pub(super) fn unversioned(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// Splits `Schema.v1_2_3`.
fn split_namespace<'a>(
    element: Element<'_>,
    namespace: &'a str,
) -> Result<(&'a str, Option<Version>), CsdlError> {
    let Some((schema, version)) = namespace.split_once('.') else { return Ok((namespace, None)) };
    let numbers = version.strip_prefix('v').unwrap_or_default().split('_').map(|number| number.parse().ok());
    match numbers.collect::<Option<Vec<u32>>>().as_deref() {
        Some(&[major, minor, errata]) => Ok((schema, Some(Version(major, minor, errata)))),
        _ => Err(element.error(format!("`{namespace}` is not a schema with a version such as v1_0_0"))),
    }
}

pub(super) fn read(file: &str, text: &str) -> Result<Contents, CsdlError> {
    let document = Document::parse(text).map_err(|error| CsdlError {
        file: file.to_owned(),
        line: Some(error.pos().row),
        text: error.to_string(),
    })?;
    let root = Element::new(document.root_element(), file);
    let mut schemas =
        root.children_named("DataServices").flat_map(|services| services.children_named("Schema")).peekable();
    if root.tag() != "Edmx" || schemas.peek().is_none() {
        return Err(root.error("not a CSDL file: it has no <Schema> in <DataServices> in <Edmx>"));
    }
    let mut namespaces = Vec::new();
    for schema in schemas {
        let namespace = schema.require("Namespace")?;
        if !VOCABULARIES.contains(&namespace.split('.').next().unwrap_or_default()) {
            namespaces.push(read_namespace(file, schema, namespace)?);
        }
    }
    Ok(Contents { namespaces, outside: outside(root) })
}

/// Returns the schemas that are referenced at another place than the bundle.
fn outside(root: Element<'_>) -> BTreeSet<String> {
    root.children_named("Reference")
        .filter(|reference| reference.attribute("Uri").is_some_and(|uri| !uri.contains(BUNDLE)))
        .flat_map(|reference| reference.children_named("Include"))
        .filter_map(|include| include.attribute("Namespace")?.split('.').next())
        .map(str::to_owned)
        .collect()
}

fn read_namespace(file: &str, schema: Element<'_>, namespace: &str) -> Result<Namespace, CsdlError> {
    let (name, version) = split_namespace(schema, namespace)?;
    let mut read = Namespace {
        file: file.to_owned(),
        schema: name.to_owned(),
        version,
        owner: schema.word("Redfish.OwningEntity")?.map(str::to_owned),
        types: BTreeMap::new(),
        enumerations: BTreeMap::new(),
        aliases: BTreeMap::new(),
        actions: BTreeMap::new(),
    };
    for child in schema.children() {
        match child.tag() {
            "EntityType" | "ComplexType" => insert(child, &mut read.types, declared(child)?)?,
            "EnumType" => insert(child, &mut read.enumerations, enumeration(child)?)?,
            "TypeDefinition" if child.annotation("Redfish.Enumeration").is_some() => {
                insert(child, &mut read.enumerations, text_enumeration(child)?)?;
            }
            "TypeDefinition" => {
                let underlying = kind(child, child.require("UnderlyingType")?)?;
                insert(child, &mut read.aliases, underlying)?;
            }
            "Action" => insert(child, &mut read.actions, action(child, name)?)?,
            // Annotations, terms of a vocabulary, and the container that says where the service root is.
            _ => {}
        }
    }
    Ok(read)
}

fn insert<T>(element: Element<'_>, map: &mut BTreeMap<String, T>, value: T) -> Result<(), CsdlError> {
    let name = element.name()?;
    match map.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(element.error(format!("{name} is declared twice"))),
    }
}

fn declared(element: Element<'_>) -> Result<Declared, CsdlError> {
    let capability = |term, property| {
        let record = element.annotation(term)?.children_named("Record").next()?;
        Some(record.property(property)?.attribute("Bool") == Some("true"))
    };
    let members = element
        .children()
        .filter(|child| matches!(child.tag(), "Property" | "NavigationProperty"))
        .map(member);
    let mut uris = uris(element, "Redfish.Uris", false)?;
    uris.extend(self::uris(element, "Redfish.DeprecatedUris", true)?);
    let stated_open = element.attribute("OpenType").map(|open| open == "true");
    Ok(Declared {
        is_resource: element.tag() == "EntityType",
        base: element.attribute("BaseType").map(|base| TypeName::parse(element, base)).transpose()?,
        open: element.states("OData.AdditionalProperties").or(stated_open),
        dynamic: dynamic_kind(element)?,
        deprecated: element.is_deprecated(),
        members: members.collect::<Result<_, _>>()?,
        uris,
        insert: capability("Capabilities.InsertRestrictions", "Insertable"),
        update: capability("Capabilities.UpdateRestrictions", "Updatable"),
        delete: capability("Capabilities.DeleteRestrictions", "Deletable"),
    })
}

/// Returns the type of the members whose names follow a pattern: any, if the patterns have several.
fn dynamic_kind(element: Element<'_>) -> Result<Option<Kind>, CsdlError> {
    let mut found = None;
    for record in element.records("Redfish.DynamicPropertyPatterns") {
        let kind = match record.property("Type") {
            Some(value) => kind(value, value.require("String")?)?,
            None => Kind::Any,
        };
        found = match found {
            Some(other) if other != kind => Some(Kind::Any),
            _ => Some(kind),
        };
    }
    Ok(found)
}

fn uris(element: Element<'_>, term: &str, deprecated: bool) -> Result<Vec<Uri>, CsdlError> {
    let uri = |(element, pattern): (Element<'_>, &str)| {
        if pattern.starts_with('/') && !pattern.contains(char::is_whitespace) {
            Ok(Uri { pattern: pattern.to_owned(), deprecated })
        } else {
            Err(element.error(format!("`{pattern}` is not the path of a URI")))
        }
    };
    element.texts(term).map(uri).collect()
}

fn enumeration(element: Element<'_>) -> Result<Enumeration, CsdlError> {
    let value = |member: Element<'_>| {
        Ok(EnumerationValue { text: member.name()?.to_owned(), deprecated: member.is_deprecated() })
    };
    enumeration_of(element, element.children_named("Member").map(value).collect::<Result<_, _>>()?)
}

/// Reads an enumeration whose values are not identifiers.
fn text_enumeration(element: Element<'_>) -> Result<Enumeration, CsdlError> {
    let value = |record: Element<'_>| {
        let member = record.property("Member").ok_or_else(|| record.error("a value without its text"))?;
        let text = member.require("String")?;
        if text.is_empty() || text.contains(|c: char| c == '"' || (c.is_whitespace() && c != ' ')) {
            return Err(member.error(format!("`{text}` is not a value of an enumeration")));
        }
        Ok(EnumerationValue { text: text.to_owned(), deprecated: record.is_deprecated() })
    };
    enumeration_of(element, element.records("Redfish.Enumeration").map(value).collect::<Result<_, _>>()?)
}

fn enumeration_of(element: Element<'_>, values: Vec<EnumerationValue>) -> Result<Enumeration, CsdlError> {
    if values.is_empty() {
        return Err(element.error("an enumeration without values"));
    }
    Ok(Enumeration { deprecated: element.is_deprecated(), values })
}

fn action(element: Element<'_>, schema: &str) -> Result<Action, CsdlError> {
    let mut parameters = element.children_named("Parameter");
    // The first parameter of a bound action is the object that lists it, and is not sent.
    let bound = (element.attribute("IsBound") == Some("true")).then(|| parameters.next()).flatten();
    let bound = bound.map(|bound| TypeName::parse(bound, bound.require("Type")?)).transpose()?;
    if bound.is_none_or(|bound| bound.schema != schema || bound.name != "Actions") {
        return Err(element.error("the action is not bound to the Actions of its schema"));
    }
    let returns = element.children_named("ReturnType").next();
    let returns = returns.map(|returns| TypeName::parse(returns, returns.require("Type")?)).transpose()?;
    Ok(Action {
        returns: returns.map(|returns| returns.unversioned()),
        deprecated: element.is_deprecated(),
        parameters: parameters.map(parameter).collect::<Result<_, _>>()?,
    })
}

/// Reads a parameter. It is required if it may not be null.
fn parameter(element: Element<'_>) -> Result<Member, CsdlError> {
    let mut parameter = member(element)?;
    parameter.required |= !parameter.nullable;
    parameter.nullable = false;
    Ok(parameter)
}

/// Reads a property, a navigation property, or what it has in common with a parameter.
fn member(element: Element<'_>) -> Result<Member, CsdlError> {
    let text = element.require("Type")?;
    let item = text.strip_prefix("Collection(").map(|rest| {
        rest.strip_suffix(')').ok_or_else(|| element.error(format!("`{text}` is not the name of a type")))
    });
    let list = item.is_some();
    let mut kind = kind(element, item.transpose()?.unwrap_or(text))?;
    if kind == Kind::Text && element.is("OData.IsURL") {
        kind = Kind::Uri;
    }
    let is_navigation = element.tag() == "NavigationProperty";
    let excerpt = excerpt(element)?;
    let is_inside = element.is("OData.AutoExpand") || matches!(excerpt, Excerpt::Copy(_));
    Ok(Member {
        list,
        link: is_navigation && !is_inside,
        access: access(element)?,
        required: element.is("Redfish.Required"),
        required_on_create: element.is("Redfish.RequiredOnCreate"),
        // A list of links has no null.
        nullable: element.attribute("Nullable") != Some("false") && !(list && is_navigation),
        deprecated: element.is_deprecated(),
        unit: element.word("Measures.Unit")?.map(str::to_owned),
        excerpt,
        ..Member::new(element.name()?, kind)
    })
}

fn access(element: Element<'_>) -> Result<Access, CsdlError> {
    let Some(annotation) = element.annotation("OData.Permissions") else { return Ok(Access::Read) };
    match annotation.require("EnumMember")? {
        "OData.Permission/Read" => Ok(Access::Read),
        "OData.Permission/ReadWrite" => Ok(Access::ReadWrite),
        "OData.Permission/Write" => Ok(Access::Write),
        "OData.Permission/None" => Ok(Access::Hidden),
        other => Err(annotation.error(format!("`{other}` is not a permission"))),
    }
}

fn excerpt(element: Element<'_>) -> Result<Excerpt, CsdlError> {
    let names = |term| Ok(element.word(term)?.map(str::to_owned));
    if element.annotation("Redfish.ExcerptCopy").is_some() {
        Ok(Excerpt::Copy(names("Redfish.ExcerptCopy")?))
    } else if element.is("Redfish.ExcerptCopyOnly") {
        Ok(Excerpt::CopyOnly)
    } else if element.annotation("Redfish.Excerpt").is_some() {
        Ok(Excerpt::Part(names("Redfish.Excerpt")?))
    } else {
        Ok(Excerpt::None)
    }
}

fn kind(element: Element<'_>, text: &str) -> Result<Kind, CsdlError> {
    Ok(match text {
        "Edm.String" => Kind::Text,
        "Edm.Int64" | "Edm.Int32" | "Edm.Int16" => Kind::Integer,
        "Edm.Decimal" | "Edm.Double" | "Edm.Single" => Kind::Number,
        "Edm.Boolean" => Kind::Boolean,
        "Edm.DateTimeOffset" => Kind::DateTime,
        "Edm.Duration" => Kind::Duration,
        "Edm.Guid" => Kind::Uuid,
        "Edm.PrimitiveType" | "Edm.Untyped" => Kind::Any,
        _ if text.starts_with("Edm.") => return Err(element.error(format!("the type {text} is not known"))),
        _ => Kind::Named(TypeName::parse(element, text)?.unversioned()),
    })
}

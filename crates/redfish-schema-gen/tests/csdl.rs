//! What CSDL files state, and the facts that are made of it. The schemas are invented.

use redfish_schema_gen::csdl::{CsdlError, read, read_folder};

/// Makes a CSDL file of namespaces, with the references that come before them.
fn file(references: &str, namespaces: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">{references}
  <edmx:DataServices>{namespaces}</edmx:DataServices>
</edmx:Edmx>"#
    )
}

fn namespace(name: &str, content: &str) -> String {
    format!(
        r#"<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="{name}">{content}</Schema>"#
    )
}

/// Reads one file, `Lamp_v1.xml`, that consists of these namespaces.
fn lamp(namespaces: &[(&str, &str)]) -> Result<String, CsdlError> {
    let namespaces: String = namespaces.iter().map(|(name, content)| namespace(name, content)).collect();
    text(&[("Lamp_v1.xml", &file("", &namespaces))])
}

/// Reads files and returns the facts without the comment at their start.
fn text(files: &[(&str, &str)]) -> Result<String, CsdlError> {
    let facts = read(files.iter().copied())?.to_string();
    Ok(facts.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect())
}

/// Reads the members of one object.
fn members(content: &str) -> String {
    let object = format!(r#"<ComplexType Name="Bulb">{content}</ComplexType><EntityType Name="Lamp"/>"#);
    let facts = lamp(&[("Lamp", &object)]).expect("the file has no errors");
    facts.lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_newest_version_has_the_members_of_the_older_ones() {
    let facts = lamp(&[
        ("Lamp", r#"<EntityType Name="Lamp" BaseType="Item.v1_0_0.Item" Abstract="true"/>"#),
        // Versions are compared as numbers, whatever their order in the file.
        (
            "Lamp.v1_10_0",
            r#"<EntityType Name="Lamp" BaseType="Lamp.v1_9_1.Lamp">
                 <Property Name="Color" Type="Edm.String"/>
                 <Property Name="Power" Type="Edm.Decimal" Nullable="false"/>
               </EntityType>"#,
        ),
        (
            "Lamp.v1_0_0",
            r#"<EntityType Name="Lamp" BaseType="Lamp.Lamp">
                 <Property Name="Power" Type="Edm.Int64" Nullable="false"/>
                 <Property Name="Bulb" Type="Lamp.v1_0_0.Bulb" Nullable="false"/>
               </EntityType>
               <ComplexType Name="Bulb"><Property Name="Socket" Type="Edm.String"/></ComplexType>"#,
        ),
        ("Lamp.v1_0_1", r#"<EntityType Name="Lamp" BaseType="Lamp.v1_0_0.Lamp"/>"#),
        (
            "Lamp.v1_9_1",
            r#"<EntityType Name="Lamp" BaseType="Lamp.v1_0_1.Lamp"/>
               <ComplexType Name="Bulb" BaseType="Lamp.v1_0_0.Bulb">
                 <Property Name="Age" Type="Edm.Duration"/>
               </ComplexType>"#,
        ),
        ("Item", r#"<EntityType Name="Item"/>"#),
        ("Item.v1_0_0", r#"<EntityType Name="Item" BaseType="Item.Item"/>"#),
    ]);
    let expected = "\
Item 1.0.0
 resource Item
Lamp 1.10.0
 resource Lamp < Item.Item
  Power number
  Bulb Bulb
  Color text null
 object Bulb
  Socket text null
  Age duration null
";
    assert_eq!(facts.as_deref(), Ok(expected));
}

#[test]
fn a_base_of_another_name_stays_a_base() {
    let facts = lamp(&[(
        "Lamp.v1_0_0",
        r#"<ComplexType Name="Light"><Property Name="Lumen" Type="Edm.Int64"/></ComplexType>
           <ComplexType Name="Bulb" BaseType="Lamp.v1_0_0.Light"><Property Name="Socket" Type="Edm.String"/></ComplexType>"#,
    )]);
    let expected =
        "Lamp 1.0.0\n object Bulb < Light\n  Socket text null\n object Light\n  Lumen integer null\n";
    assert_eq!(facts.as_deref(), Ok(expected));
}

#[test]
fn types_are_words_and_names() {
    for (of, word) in [
        ("Edm.String", "text null"),
        ("Edm.Int64", "integer null"),
        ("Edm.Decimal", "number null"),
        ("Edm.Boolean", "boolean null"),
        ("Edm.DateTimeOffset", "date-time null"),
        ("Edm.Duration", "duration null"),
        ("Edm.Guid", "uuid null"),
        ("Edm.PrimitiveType", "any null"),
        ("Lamp.Bulb", "Bulb null"),
        ("Collection(Edm.String)", "*text null"),
        ("Collection(Lamp.v1_2_3.Bulb)", "*Bulb null"),
    ] {
        assert_eq!(members(&format!(r#"<Property Name="X" Type="{of}"/>"#)), format!("  X {word}"), "{of}");
    }
}

#[test]
fn annotations_of_a_property_are_attributes() {
    let permission =
        |name| format!(r#"<Annotation Term="OData.Permissions" EnumMember="OData.Permission/{name}"/>"#);
    let revision = |kind| {
        format!(
            r#"<Annotation Term="Redfish.Revisions"><Collection><Record>
                 <PropertyValue Property="Kind" EnumMember="Redfish.RevisionKind/{kind}"/>
                 <PropertyValue Property="Version" String="v1_1_0"/>
               </Record></Collection></Annotation>"#
        )
    };
    for (annotation, attribute) in [
        (permission("Read"), ""),
        (permission("ReadWrite"), " rw"),
        (permission("Write"), " wo"),
        (permission("None"), " hidden"),
        (r#"<Annotation Term="Redfish.Required"/>"#.to_owned(), " required"),
        (r#"<Annotation Term="Redfish.Required" Bool="false"/>"#.to_owned(), ""),
        (r#"<Annotation Term="RedfishExtensions.v1_0_0.Required"/>"#.to_owned(), " required"),
        (r#"<Annotation Term="Redfish.RequiredOnCreate"/>"#.to_owned(), " create"),
        (r#"<Annotation Term="Redfish.Deprecated" String="Use another one."/>"#.to_owned(), " deprecated"),
        (revision("Deprecated"), " deprecated"),
        (revision("Added"), ""),
        (r#"<Annotation Term="Measures.Unit" String="{rev}/min"/>"#.to_owned(), " unit={rev}/min"),
        (r#"<Annotation Term="Redfish.Excerpt"/>"#.to_owned(), " excerpt"),
        (r#"<Annotation Term="Redfish.Excerpt" String="Fan,Pump"/>"#.to_owned(), " excerpt=Fan,Pump"),
        (r#"<Annotation Term="Redfish.ExcerptCopyOnly"/>"#.to_owned(), " copy-only"),
        (r#"<Annotation Term="OData.Description" String="A sentence."/>"#.to_owned(), ""),
    ] {
        let property =
            format!(r#"<Property Name="X" Type="Edm.Int64" Nullable="false">{annotation}</Property>"#);
        assert_eq!(members(&property), format!("  X integer{attribute}"), "{annotation}");
    }
}

#[test]
fn a_text_that_is_a_url_is_a_uri() {
    let url = r#"<Annotation Term="OData.IsURL"/>"#;
    assert_eq!(members(&format!(r#"<Property Name="X" Type="Edm.String">{url}</Property>"#)), "  X uri null");
    let list =
        format!(r#"<Property Name="X" Type="Collection(Edm.String)" Nullable="false">{url}</Property>"#);
    assert_eq!(members(&list), "  X *uri");
}

#[test]
fn a_navigation_property_is_a_link_unless_the_resource_is_there() {
    let link = |of, annotation| {
        members(&format!(r#"<NavigationProperty Name="X" Type="{of}">{annotation}</NavigationProperty>"#))
    };
    let (one, list) = ("Lamp.Lamp", "Collection(Lamp.Lamp)");
    assert_eq!(link(one, ""), "  X >Lamp null");
    assert_eq!(link(list, r#"<Annotation Term="OData.AutoExpandReferences"/>"#), "  X *>Lamp");
    assert_eq!(link(list, r#"<Annotation Term="OData.AutoExpand"/>"#), "  X *Lamp");
    assert_eq!(link(one, r#"<Annotation Term="Redfish.ExcerptCopy"/>"#), "  X Lamp null copy");
    assert_eq!(
        link(one, r#"<Annotation Term="Redfish.ExcerptCopy" String="Power"/>"#),
        "  X Lamp null copy=Power"
    );
}

#[test]
fn a_collection_has_no_version() {
    let facts = lamp(&[
        (
            "LampCollection",
            r#"<EntityType Name="LampCollection">
                 <NavigationProperty Name="Members" Type="Collection(Lamp.Lamp)">
                   <Annotation Term="Redfish.Required"/>
                 </NavigationProperty>
               </EntityType>"#,
        ),
        ("Lamp", r#"<EntityType Name="Lamp"/>"#),
    ]);
    let expected =
        "Lamp\n resource Lamp\nLampCollection\n resource LampCollection\n  Members *>Lamp.Lamp required\n";
    assert_eq!(facts.as_deref(), Ok(expected));
}

#[test]
fn a_resource_has_uris_and_what_a_service_may_allow() {
    let facts = lamp(&[(
        "Lamp",
        r#"<EntityType Name="Lamp">
             <Annotation Term="Capabilities.InsertRestrictions"><Record>
               <PropertyValue Property="Insertable" Bool="false"/></Record></Annotation>
             <Annotation Term="Capabilities.UpdateRestrictions"><Record>
               <PropertyValue Property="Updatable" Bool="true"/></Record></Annotation>
             <Annotation Term="Capabilities.DeleteRestrictions"><Record>
               <PropertyValue Property="Deletable" Bool="true"/></Record></Annotation>
             <Annotation Term="Redfish.Uris"><Collection>
               <String>/redfish/v1/Lamps/{LampId}</String></Collection></Annotation>
             <Annotation Term="Redfish.DeprecatedUris"><Collection>
               <String>/redfish/v1/Lights/{LampId}</String></Collection></Annotation>
           </EntityType>"#,
    )]);
    let expected = "\
Lamp
 resource Lamp update delete
  uri /redfish/v1/Lamps/{LampId}
  uri /redfish/v1/Lights/{LampId} deprecated
";
    assert_eq!(facts.as_deref(), Ok(expected));
}

#[test]
fn an_object_is_open_if_it_may_have_other_members() {
    let pattern = |of| {
        format!(
            r#"<Annotation Term="Redfish.DynamicPropertyPatterns"><Collection><Record>
                 <PropertyValue Property="Pattern" String="^[a-z]+$"/>
                 <PropertyValue Property="Type" String="{of}"/>
               </Record></Collection></Annotation>"#
        )
    };
    for (attribute, annotations, open) in [
        ("", r#"<Annotation Term="OData.AdditionalProperties" Bool="false"/>"#.to_owned(), ""),
        ("", r#"<Annotation Term="OData.AdditionalProperties" Bool="true"/>"#.to_owned(), " open"),
        ("", r#"<Annotation Term="OData.AdditionalProperties"/>"#.to_owned(), " open"),
        ("", pattern("Edm.String"), " open=text"),
        ("", pattern("Edm.PrimitiveType"), " open"),
        ("", pattern("Lamp.Bulb"), " open=Bulb"),
        (r#" OpenType="true""#, String::new(), " open"),
    ] {
        let facts =
            lamp(&[("Lamp", &format!(r#"<ComplexType Name="Bulb"{attribute}>{annotations}</ComplexType>"#))]);
        assert_eq!(facts, Ok(format!("Lamp\n object Bulb{open}\n")), "{annotations}");
    }
}

#[test]
fn enumerations_are_types_of_values_or_of_texts() {
    let deprecated = r#"<Annotation Term="Redfish.Deprecated" String="Not used."/>"#;
    let facts = lamp(&[(
        "Lamp.v1_0_0",
        &format!(
            r#"<EnumType Name="Color"><Member Name="Red"/><Member Name="Blue">{deprecated}</Member></EnumType>
               <TypeDefinition Name="Shape" UnderlyingType="Edm.String">
                 <Annotation Term="Redfish.Enumeration"><Collection>
                   <Record><PropertyValue Property="Member" String="N+m"/></Record>
                   <Record><PropertyValue Property="Member" String="Very long"/>{deprecated}</Record>
                 </Collection></Annotation>
               </TypeDefinition>
               <TypeDefinition Name="Mask" UnderlyingType="Edm.String"/>"#
        ),
    )]);
    let expected = "\
Lamp 1.0.0
 enum Color
  Red
  Blue deprecated
 enum Shape
  N+m
  \"Very long\" deprecated
 type Mask text
";
    assert_eq!(facts.as_deref(), Ok(expected));
}

#[test]
fn an_action_has_parameters_and_a_response() {
    let facts = lamp(&[(
        "Lamp",
        r#"<EntityType Name="Lamp"/>
           <ComplexType Name="Actions"/>
           <ComplexType Name="BlinkResponse"/>
           <Action Name="Blink" IsBound="true">
             <Parameter Name="Lamp" Type="Lamp.Actions"/>
             <Parameter Name="Period" Type="Edm.Int64" Nullable="false">
               <Annotation Term="Measures.Unit" String="ms"/>
             </Parameter>
             <Parameter Name="Others" Type="Collection(Lamp.Lamp)"/>
             <Parameter Name="Image" Type="Edm.String"><Annotation Term="OData.IsURL"/></Parameter>
             <ReturnType Type="Lamp.v1_1_0.BlinkResponse" Nullable="false"/>
           </Action>"#,
    )]);
    let expected = "\
Lamp
 resource Lamp
 object Actions
 object BlinkResponse
 action Blink returns BlinkResponse
  Period integer required unit=ms
  Others *>Lamp
  Image uri
";
    assert_eq!(facts.as_deref(), Ok(expected));
}

#[test]
fn an_owner_other_than_dmtf_is_named_and_vocabularies_are_left_out() {
    let owner = |name| {
        format!(r#"<Annotation Term="Redfish.OwningEntity" String="{name}"/><EntityType Name="Lamp"/>"#)
    };
    let vocabulary = r#"<Term Name="Required" Type="Edm.Boolean"/><EnumType Name="RevisionKind"/>"#;
    let facts = lamp(&[("Lamp", &owner("SNIA")), ("RedfishExtensions.v1_0_0", vocabulary)]);
    assert_eq!(facts.as_deref(), Ok("Lamp owner=SNIA\n resource Lamp\n"));
    assert_eq!(lamp(&[("Lamp", &owner("DMTF"))]).as_deref(), Ok("Lamp\n resource Lamp\n"));
}

#[test]
fn a_schema_that_is_published_elsewhere_may_be_missing() {
    let reference = |folder: &str| {
        format!(
            r#"<edmx:Reference Uri="http://redfish.dmtf.org/schemas/{folder}/Pool_v1.xml">
                 <edmx:Include Namespace="Pool"/></edmx:Reference>"#
        )
    };
    let lamp = namespace(
        "Lamp",
        r#"<EntityType Name="Lamp"><NavigationProperty Name="Pool" Type="Pool.Pool"/></EntityType>"#,
    );
    let facts = text(&[("Lamp_v1.xml", &file(&reference("swordfish/v1"), &lamp))]);
    assert_eq!(facts.as_deref(), Ok("outside Pool\nLamp\n resource Lamp\n  Pool >Pool.Pool null\n"));

    let error =
        text(&[("Lamp_v1.xml", &file(&reference("v1"), &lamp))]).expect_err("Pool is part of the bundle");
    assert_eq!(
        error.to_string(),
        "Lamp_v1.xml: Lamp.Lamp.Pool uses the type Pool.Pool, which is not declared"
    );
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let files = ["Lamp", "Bulb", "Cable"].map(|name| {
        (format!("{name}_v1.xml"), file("", &namespace(name, &format!(r#"<EntityType Name="{name}"/>"#))))
    });
    let facts = read(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    assert_eq!(facts, read(files.iter().rev().map(|(name, text)| (name.as_str(), text.as_str()))));
}

#[test]
fn an_error_names_file_and_problem() {
    for (content, problem) in [
        (r#"<EntityType/>"#, "line 3: the attribute Name of <EntityType> is missing"),
        (r#"<EntityType Name="a b"/>"#, "`a b` is not an identifier"),
        (r#"<EntityType Name="Lamp"/><EntityType Name="Lamp"/>"#, "Lamp is declared twice"),
        (r#"<EntityType Name="Lamp" BaseType="Item.Item"/>"#, "Lamp.Lamp uses the type Item.Item"),
        (r#"<EntityType Name="Lamp" BaseType="Item"/>"#, "`Item` is not the name of a type"),
        (r#"<EntityType Name="Lamp" BaseType="Item.v1.Item"/>"#, "`Item.v1` is not a schema with a version"),
        (r#"<EntityType Name="Lamp" BaseType="Lamp.Lamp"/>"#, "Lamp.Lamp inherits from itself"),
        (
            r#"<EntityType Name="Lamp" BaseType="Lamp.v1_0_0.Lamp"/>"#,
            "from a version that does not declare it",
        ),
        (r#"<ComplexType Name="B"><Property Name="X"/></ComplexType>"#, "the attribute Type of <Property>"),
        (
            r#"<ComplexType Name="B"><Property Name="X" Type="Edm.Stream"/></ComplexType>"#,
            "Edm.Stream is not known",
        ),
        (
            r#"<ComplexType Name="B"><Property Name="X" Type="Collection(A.B"/></ComplexType>"#,
            "`Collection(A.B`",
        ),
        (r#"<EnumType Name="E"/>"#, "an enumeration without values"),
        (r#"<Action Name="Blink"/>"#, "not bound to the Actions of its schema"),
        (
            r#"<Action Name="Blink" IsBound="true"><Parameter Name="X" Type="Other.Actions"/></Action>"#,
            "not bound to the Actions of its schema",
        ),
        (
            r#"<EntityType Name="Lamp"><Annotation Term="Redfish.Uris"><Collection><String>Lamps</String>
               </Collection></Annotation></EntityType>"#,
            "`Lamps` is not the path of a URI",
        ),
    ] {
        let error = lamp(&[("Lamp", content)]).expect_err(content).to_string();
        assert!(error.starts_with("Lamp_v1.xml: ") && error.contains(problem), "{content}: {error}");
    }
}

#[test]
fn two_files_with_the_same_namespace_are_an_error() {
    let text = file("", &namespace("Lamp", ""));
    let error = read([("A.xml", text.as_str()), ("B.xml", text.as_str())]).expect_err("two files");
    assert_eq!(error.to_string(), "B.xml: A.xml declares the namespace Lamp as well");
}

#[test]
fn broken_xml_is_an_error_with_the_name_of_the_file() {
    let whole = file("", &namespace("Lamp", r#"<EntityType Name="Lamp"/>"#));
    let mut errors = 0;
    for end in 0..whole.len() {
        let error = read([("Lamp_v1.xml", &whole[..end])]).expect_err("a part of a file");
        assert!(error.to_string().starts_with("Lamp_v1.xml: line "), "{error}");
        errors += 1;
    }
    assert_eq!(errors, whole.len());
    for other in ["<html/>", "<Edmx/>", "<Edmx><DataServices/></Edmx>"] {
        let error = read([("Lamp_v1.xml", other)]).expect_err(other);
        assert!(error.to_string().contains("not a CSDL file"), "{error}");
    }
}

#[test]
fn a_folder_is_read_and_its_errors_name_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).expect("a file");
    let error = || read_folder(folder.path()).expect_err("the folder is not a bundle").to_string();

    write("README.txt", b"not a schema");
    assert!(error().contains("has no .xml file"), "{}", error());
    write("Lamp_v1.xml", b"\xff");
    assert!(error().contains("Lamp_v1.xml: stream did not contain valid UTF-8"), "{}", error());
    write("Lamp_v1.xml", file("", &namespace("Lamp", r#"<EntityType Name="Lamp"/>"#)).as_bytes());
    assert_eq!(read_folder(folder.path()).map(|facts| facts.schemas.len()), Ok(1));

    let missing = folder.path().join("missing");
    let error = read_folder(&missing).expect_err("there is no folder").to_string();
    assert!(error.starts_with(&missing.display().to_string()), "{error}");
}

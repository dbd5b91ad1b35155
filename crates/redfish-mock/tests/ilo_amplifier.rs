//! The exchange in the documentation of iLO Amplifier Pack, header by header.

mod common;

use common::{Client, SESSIONS, SYSTEM, path_of, token};
use redfish_mock::Answer;
use serde_json::json;

/// The sorted names of the headers of a response.
fn names(answer: &Answer) -> Vec<&str> {
    let mut names: Vec<&str> = answer.response.headers().keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_request_without_credentials_gets_the_documented_401() {
    let answer = Client::ilo_amplifier().get("/redfish/v1/systems/");
    assert_eq!(answer.status(), 401);
    // The documentation also shows Date, which the server adds.
    let expected =
        ["connection", "content-length", "content-type", "etag", "server", "set-cookie", "x-frame-options"];
    assert_eq!(names(&answer), expected);
    assert_eq!(answer.header("Server"), Some("Apache"));
    assert_eq!(answer.header("X-Frame-Options"), Some("sameorigin"));
    assert_eq!(answer.header("Set-Cookie"), Some("HttpOnly;Secure"));
    assert_eq!(answer.header("Connection"), Some("close"));
    let etag = answer.header("ETag").unwrap();
    assert!(etag.starts_with("W/\"") && etag.len() == 12, "{etag}");
    assert_eq!(
        answer.json(),
        json!({
            "@odata.etag": etag,
            "@odata.type": "#ExtendedInfo.1.0.0.ExtendedInfo",
            "error": {
                "@Message.ExtendedInfo": [
                    {"@odata.type": "#Message.1.0.0.Message", "MessageId": "Base.1.1.NoValidSession"}
                ],
                "code": "Wolfram.1.0.ExtendedInfo",
                "message": "See @Message.ExtendedInfo for more information.",
            },
        })
    );
}

#[test]
fn the_systems_are_the_documented_three() {
    let answer = Client::ilo_amplifier().basic("ada").get("/redfish/v1/systems/");
    assert_eq!(answer.status(), 200);
    let body = answer.json();
    assert_eq!(
        body["@odata.context"],
        "/redfish/v1/$metadata#ComputerSystemCollection.ComputerSystemCollection"
    );
    assert_eq!(body["@odata.id"], "/redfish/v1/Systems");
    assert_eq!(body["@odata.type"], "#ComputerSystemCollection.ComputerSystemCollection");
    assert_eq!(body["Members@odata.count"], 3);
    assert!(body["Description"].is_string() && body["Name"].is_string());
    assert_eq!(body["Members"][2]["@odata.id"], "/redfish/v1/Systems/EF2BF486");
    assert_eq!(answer.header("ETag"), body["@odata.etag"].as_str());
}

#[test]
fn a_login_gets_the_documented_201() {
    let mut client = Client::ilo_amplifier();
    let answer = client
        .post("/redfish/v1/SessionService/Sessions/", json!({"UserName": "ada", "Password": "analytical"}));
    assert_eq!(answer.status(), 201);
    let expected = [
        "allow",
        "content-length",
        "content-type",
        "etag",
        "link",
        "location",
        "odata-version",
        "server",
        "set-cookie",
        "x-auth-token",
        "x-frame-options",
    ];
    assert_eq!(names(&answer), expected);
    assert_eq!(answer.header("Allow"), Some("GET, HEAD, POST"));
    assert_eq!(answer.header("OData-Version"), Some("4.0"));
    let id = path_of(answer.header("Location").unwrap()).rsplit('/').next().unwrap().to_owned();
    assert!(id.len() == 10 && id.parse::<u64>().is_ok(), "{id}");
    assert_eq!(answer.header("Link").unwrap(), format!("<{SESSIONS}/{id}>; rel=self"));
    let body = answer.json();
    assert_eq!(body["error"]["@Message.ExtendedInfo"][0]["MessageId"], "Base.1.1.Created");
    assert_eq!(body["error"]["code"], "Wolfram.1.0.ExtendedInfo");
    assert_eq!(body["@odata.etag"], answer.header("ETag").unwrap());
    assert!(body.get("UserName").is_none(), "the body is not the session");

    client.credentials = Some(("X-Auth-Token", token(&answer)));
    assert_eq!(client.get("/redfish/v1/systems/").status(), 200);
}

#[test]
fn the_documented_logout_is_a_delete_with_basic() {
    let mut client = Client::ilo_amplifier();
    let path = client.log_in("ada");
    client.credentials = Some(common::basic("ada"));
    let answer = client.delete(&format!("{path}/"));
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json()["error"]["@Message.ExtendedInfo"][0]["MessageId"], "Base.1.1.Success");
    assert_eq!(client.mock.open_sessions(client.now), 0);
}

#[test]
fn a_weak_etag_is_accepted_in_if_match() {
    let mut client = Client::ilo_amplifier().basic("ada");
    let etag = client.get(SYSTEM).header("ETag").unwrap().to_owned();
    let body = json!({"AssetTag": "x"}).to_string();
    assert_eq!(client.send("PATCH", SYSTEM, &[("If-Match", &etag)], &body).status(), 200);
    assert_eq!(client.send("PATCH", SYSTEM, &[("If-Match", &etag)], &body).status(), 412);
}

#[test]
fn the_service_root_has_the_documented_version() {
    let root = Client::ilo_amplifier().get("/redfish/v1/").json();
    assert_eq!(root["RedfishVersion"], "1.2.0");
    assert_eq!(root["Links"]["Sessions"]["@odata.id"], SESSIONS);
    assert!(root.get("ProtocolFeaturesSupported").is_none());
}

use base64::engine::general_purpose::STANDARD;

use super::*;

const SPECIAL: &str = "pä s\"s%+\\w&<ör😀d";

fn redactor_of(secret: &str) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.add(secret);
    redactor
}

#[test]
fn a_secret_that_was_misread_is_hidden() {
    let redactor = redactor_of("pässwörd-geheim");
    let latin_1: Vec<u8> = "pässwörd-geheim".chars().map(|c| c as u8).collect();
    let twice: String = "pässwörd-geheim".bytes().map(char::from).collect();
    let each_byte = "p\u{fffd}\u{fffd}ssw\u{fffd}\u{fffd}rd-geheim".to_owned();
    for text in [String::from_utf8_lossy(&latin_1).into_owned(), twice, each_byte] {
        assert_eq!(redactor.clean(&format!("bad {text}")), "bad [redacted]");
    }
    let redactor = redactor_of("S3CRETPW");
    assert_eq!(redactor.clean(&String::from_utf8_lossy(b"bad S3CR\xffETPW")), "bad [redacted]");
    assert_eq!(redactor.clean("a \u{fffd} b"), "a \u{fffd} b");
}

#[test]
fn a_secret_is_found_in_every_encoding() {
    let percent: String = SPECIAL.bytes().map(|b| format!("%{b:02x}")).collect();
    let percent_upper = percent.to_uppercase();
    let json = serde_json::to_string(SPECIAL).unwrap();
    let units: String = SPECIAL.encode_utf16().map(|u| format!("\\u{u:04X}")).collect();
    let html =
        SPECIAL.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&#60;").replace('ä', "&#xe4;");
    let form = percent.replace("%20", "+");
    for text in [SPECIAL, &percent, &percent_upper, &json[1..json.len() - 1], &units, &html, &form] {
        let shown = redactor_of(SPECIAL).clean(&format!("wrong: {text}!"));
        assert_eq!(shown, "wrong: [redacted]!", "{text}");
    }
}

#[test]
fn a_secret_that_was_encoded_twice_is_found() {
    let json = serde_json::to_string(&serde_json::to_string(SPECIAL).unwrap()).unwrap();
    let percent: String = SPECIAL.bytes().map(|b| format!("%25{b:02X}")).collect();
    for text in [json, percent, "p\\u00e4 s&quot;s%25+\\\\w&amp;&lt;ör😀d".to_owned()] {
        let shown = redactor_of(SPECIAL).clean(&format!("a {text} b"));
        assert!(shown.starts_with("a ") && shown.ends_with(" b") && shown.contains(REDACTED), "{shown}");
        assert!(!shown.contains('ö') && !shown.contains("F6") && !shown.contains("u00f6"), "{shown}");
    }
}

#[test]
fn a_secret_with_invisible_characters_in_it_is_found() {
    for gap in ["\u{200b}", "\u{202e}", "\u{ad}", "\u{2060}", "\u{1d173}", "\u{2800}"] {
        let spelled = SPECIAL.chars().map(String::from).collect::<Vec<_>>().join(gap);
        let redactor = redactor_of(SPECIAL);
        assert_eq!(redactor.clean(&format!("a {spelled} b")), "a [redacted] b", "{gap:?}");
        assert_eq!(redactor.clean_json(&format!("\"{spelled}\"")), "\"[redacted]\"", "{gap:?}");
    }
    let own = "pass\u{200b}word";
    assert_eq!(redactor_of(own).clean(&format!("a {own} b")), "a [redacted] b");
}

#[test]
fn a_secret_of_many_backslashes_is_found_without_backtracking() {
    let secret = "\\".repeat(60) + "end";
    let shown = redactor_of(&secret).clean(&format!("{secret} {}", "\\".repeat(2_000)));
    assert!(shown.starts_with(REDACTED) && !shown.contains("end"), "{shown}");
}

#[test]
fn basic_credentials_are_secret() {
    let mut redactor = Redactor::default();
    redactor.add_credentials(&Arc::new(Credentials::new("admin", "pass word")));
    let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("admin:pass word"));
    assert!(!redactor.clean(&header).contains("YWRtaW4"));
}

#[test]
fn overlapping_secrets_are_removed_completely() {
    let mut redactor = redactor_of("abcd");
    redactor.add("abcdefgh");
    redactor.add("ghijkl");
    assert_eq!(redactor.clean("xabcdefghyabcdefghijkly"), "x[redacted]y[redacted]y");
}

#[test]
fn a_short_secret_is_removed_only_as_a_word() {
    assert_eq!(redactor_of("ab").clean("cab ab table 'ab'"), "cab [redacted] table '[redacted]'");
}

#[test]
fn control_characters_are_removed() {
    assert_eq!(redactor_of("x").clean("a\u{1b}[31mb\u{9b}c\nd"), "a [31mb c d");
}

#[test]
fn json_members_are_redacted_by_name() {
    let text = r#"{"UserName": "a", "Password" : "not known \" here", "n": 1, "Token":"#;
    let shown = Redactor::default().clean_json(text);
    assert_eq!(shown, r#"{"UserName": "a", "Password" : "[redacted]", "n": 1, "Token":"#);
    assert_eq!(Redactor::default().clean_json(r#"{"Token": "cut o"#), r#"{"Token": "[redacted]""#);
}

#[test]
fn a_secret_of_a_request_body_is_found_in_every_encoding() {
    let body = br#"{"NewPassw\u006frd": ["s3cret-word"], "PIN": 493817, "AuthenticationKey": "auth-key-1",
            "Host": "https://user:uri-pass@host/x", "Key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n"}"#;
    let mut redactor = Redactor::default();
    redactor.add_json(body);
    let encodings = |secret: &str| {
        let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
        let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
        let within = |before: &str| STANDARD.encode(format!("{before}{secret} after"));
        [
            secret.to_owned(),
            hex.to_uppercase(),
            hex,
            percent,
            STANDARD.encode(secret),
            within(""),
            within("a"),
            within("ab"),
            within("abc"),
        ]
    };
    for secret in ["s3cret-word", "493817", "auth-key-1", "user:uri-pass", "uri-pass", "MIIEvQIBADANBg"] {
        for encoded in encodings(secret) {
            let shown = redactor.clean(&format!("it is {encoded}!"));
            assert!(shown.contains(REDACTED), "{secret} as {encoded}: {shown}");
            let part = &encoded[encoded.len() / 4..encoded.len() / 2];
            assert!(!shown.contains(part), "{secret} as {encoded}: {shown}");
        }
    }
}

#[test]
fn descriptions_of_secrets_and_common_values_are_not_redacted() {
    let body = br#"{"MinPasswordLength": 12000, "PasswordName": "Administrator", "Password": "***", "Token": "none",
            "Secret": "abc", "PasswordEnabled": "Enabled", "PasswordSet": true, "PIN": 123, "SharedSecret": null}"#;
    let mut redactor = Redactor::default();
    redactor.add_json(body);
    let text = "12000 Administrator *** none abc Enabled true 123 null";
    assert_eq!(redactor.clean(text), text);
    let actions =
        r##"{"Actions": {"#Bios.ChangePassword": {"target": "/redfish/v1/x"}}, "MinPasswordLength": 12}"##;
    assert_eq!(redactor.clean_json(actions), actions);
}

#[test]
fn the_decoded_password_of_a_uri_is_found() {
    let mut redactor = Redactor::default();
    redactor
        .add_json(br#"{"ImageURI": "//user:p%40ss@server/share", "Image": "https://user:a%2Fword@host/x"}"#);
    assert_eq!(redactor.clean("p%40ss p@ss a/word"), "[redacted] [redacted] [redacted]");
}

#[test]
fn the_number_of_tokens_is_limited() {
    let mut redactor = Redactor::default();
    (0..300).for_each(|n| redactor.add_token(&Secret::from(&*format!("token-{n}-end"))));
    assert_eq!(redactor.tokens.len(), MAX_TOKENS);
    assert_eq!(redactor.clean("token-299-end token-172-end"), "[redacted] [redacted]");
}

#[test]
fn the_tokens_of_an_older_session_replace_no_newer_ones() {
    let of = |numbers: std::ops::Range<u32>| {
        let mut redactor = Redactor::default();
        numbers.for_each(|n| redactor.add_token(&Secret::from(&*format!("token-{n}-end"))));
        Arc::new(redactor)
    };
    for (one, other) in [(of(1..5), of(0..4)), (of(0..4), of(1..5)), (of(4..5), of(0..4))] {
        let all = one.merged(&other);
        assert_eq!(all.clean("token-4-end token-3-end"), "[redacted] [redacted]");
        assert!(all.tokens.len() <= MAX_TOKENS);
    }
}

#[test]
fn a_secret_split_over_two_lines_is_found() {
    assert_eq!(redactor_of("pass word").clean("pass\nword"), REDACTED);
    assert_eq!(redactor_of("password").clean("pa\0ss\nwo\u{85}rd"), REDACTED);
}

//! The parts of a `multipart/form-data` body (RFC 7578).

/// Returns the boundary of a `Content-Type` of `multipart/form-data`.
pub(crate) fn boundary(media_type: &str) -> Option<String> {
    let (essence, parameters) = media_type.split_once(';')?;
    let is_form = essence.trim().eq_ignore_ascii_case("multipart/form-data");
    let boundary = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    };
    parameters.split(';').find_map(boundary).filter(|boundary| is_form && !boundary.is_empty())
}

/// Splits a body into its parts: the name in each `Content-Disposition`, and the content.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<(String, &'a [u8])> {
    let delimiter = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    // The first delimiter may be at the start of the body, without the line break.
    let Some(mut rest) = body
        .strip_prefix(&delimiter.as_bytes()[2..])
        .or_else(|| Some(split_once(body, delimiter.as_bytes())?.1))
    else {
        return parts;
    };
    // A delimiter is followed by a line break, the last one by `--`.
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let Some((part, next)) = split_once(part, delimiter.as_bytes()) else { break };
        if let Some((head, content)) = split_once(part, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(head);
            let name = head.split([';', '\r', '\n']).find_map(|piece| piece.trim().strip_prefix("name="));
            parts.push((name.unwrap_or_default().trim_matches('"').to_owned(), content));
        }
        rest = next;
    }
    parts
}

/// Splits bytes at the first `separator`.
fn split_once<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_read_from_the_content_type() {
        for (media_type, found) in [
            ("multipart/form-data; boundary=x", Some("x")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            ("application/json; boundary=x", None),
        ] {
            assert_eq!(boundary(media_type).as_deref(), found, "{media_type}");
        }
    }

    #[test]
    fn parts_are_split_only_at_the_boundary() {
        let body = b"preamble\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}\r\n--x\r\n\
            Content-Disposition: form-data; name=b; filename=\"f\"\r\nContent-Type: x/y\r\n\r\n1\r\n\r\n--y\r\n\r\n--x--\r\n";
        let found: Vec<(String, &[u8])> = parts(body, "x");
        assert_eq!(found, [("a".to_owned(), &b"{}"[..]), ("b".to_owned(), b"1\r\n\r\n--y\r\n")]);
        assert_eq!(parts(&body[10..], "x").len(), 2, "without a preamble");
        for broken in [&body[..40], b"", b"--x", b"--x--"] {
            assert_eq!(parts(broken, "x").len(), 0);
        }
    }
}

//! A response that arrives while a body is being sent (RFC 9112, section 9.5).
//!
//! ureq reads nothing before the end of a body, which for an image may be minutes later. So the socket looks for a response
//! itself. After a refusal, or a success of a service that reads no more, it discards the rest of the body, and tells its source
//! not to read it.

use std::cell::Cell;

thread_local! {
    /// ureq has no way from a connection to the body that it sends, but both are used on the thread of the exchange.
    static IS_REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// Length of a status line up to its status.
const STATUS_LENGTH: usize = "HTTP/1.1 413".len();

/// The scope of one exchange. An exchange within another one, as that of a progress function, has its own.
pub(crate) struct RefusalScope {
    outer: bool,
}

impl RefusalScope {
    /// Begins an exchange, whose body is not refused.
    pub(crate) fn enter() -> RefusalScope {
        RefusalScope { outer: IS_REFUSED.replace(false) }
    }
}

impl Drop for RefusalScope {
    fn drop(&mut self) {
        IS_REFUSED.set(self.outer);
    }
}

/// Notes that the service does not want the rest of the body.
pub(crate) fn note() {
    IS_REFUSED.set(true);
}

/// Whether the service does not want the rest of the body.
pub(crate) fn is_noted() -> bool {
    IS_REFUSED.get()
}

/// Whether a final response begins here, perhaps after interim ones, and if so, whether it is a success. After an early success,
/// the service usually reads the rest of the body.
pub(crate) fn is_early_success(mut input: &[u8]) -> Option<bool> {
    while let Some(status) = input.get(..STATUS_LENGTH).and_then(|line| line.get("HTTP/1.1 ".len())) {
        let end = match status {
            b'1' => input.windows(4).position(|bytes| bytes == b"\r\n\r\n"),
            status => return Some(*status == b'2'),
        };
        input = end.map_or(&[], |end| &input[end + 4..]);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_response_is_a_success_or_a_refusal() {
        const CONTINUE: &str = "HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n";
        for (input, expected) in [
            ("", None),
            ("HTTP/1.1 41", None),
            ("HTTP/1.1 413", Some(false)),
            ("HTTP/1.0 307 Temporary Redirect\r\n", Some(false)),
            ("HTTP/1.1 202 Accepted\r\n\r\n", Some(true)),
            ("HTTP/1.1 100 Continue\r\n", None),
            ("HTTP/1.1 102 Processing\r\n\r\n", None),
        ] {
            assert_eq!(is_early_success(input.as_bytes()), expected, "{input:?}");
            assert_eq!(
                is_early_success(format!("{CONTINUE}{input}").as_bytes()),
                expected,
                "{input:?} after 100"
            );
        }
    }

    #[test]
    fn an_exchange_within_another_one_has_its_own_scope() {
        let _outer = RefusalScope::enter();
        let inner = RefusalScope::enter();
        note();
        assert!(is_noted());
        drop(inner);
        assert!(!is_noted());
    }
}

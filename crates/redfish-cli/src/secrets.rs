//! The secrets that this process holds, for texts that were not made where the core hides them.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use redfish_proto::Redactor;
use zeroize::Zeroizing;

static HELD: LazyLock<Mutex<Redactor>> = LazyLock::new(Mutex::default);

/// From now on this is a secret.
pub(crate) fn hold(secret: &str) {
    held().add(secret);
}

/// So is a password, and what Basic authentication makes of it (RFC 7617).
pub(crate) fn hold_credentials(user: &str, password: &str) {
    add_credentials(&mut held(), user, password);
}

/// The same for those who know some of the secrets alone.
pub(crate) fn add_credentials(known: &mut Redactor, user: &str, password: &str) {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    known.add(password);
    known.add(&Zeroizing::new(STANDARD_NO_PAD.encode(pair.as_bytes())));
}

/// A text without them.
pub(crate) fn hidden(text: &str) -> String {
    held().clean(text).into_owned()
}

fn held() -> MutexGuard<'static, Redactor> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

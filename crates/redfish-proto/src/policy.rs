//! The policy of a service: limits, timeouts and choices.

use std::time::Duration;

use http::HeaderValue;

use crate::etag::ETagForm;

/// The limits, timeouts and choices for one service. Every wait and every read is bounded.
///
/// ```
/// use std::time::Duration;
///
/// use redfish_proto::{Links, Policy, Service};
///
/// let policy = Policy::default().with_links(Links::PathOnly).with_deadline(Duration::from_secs(60));
/// let service = Service::with_policy("localhost:8443", policy)?;
/// assert_eq!(service.policy().deadline, Some(Duration::from_secs(60)));
/// # Ok::<(), redfish_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// How a link to another origin is treated. Default: as an error.
    pub links: Links,
    /// Timeout of one exchange, from connecting to the last byte. Default: 30 s.
    pub timeout: Duration,
    /// Time limit of a call, including retries, unless the call sets its own. Default: none, since each exchange and
    /// wait is bounded.
    pub deadline: Option<Duration>,
    /// Maximum size of a body in bytes, after decompression. Default: 32 MiB.
    pub body_limit: usize,
    /// Maximum nesting of arrays and objects in a JSON body, up to 127. Default: 127, which types of serde cannot exceed; a
    /// view can, unless the limit is lower.
    pub json_depth: usize,
    /// Maximum number of pages of one collection. Default: 10,000.
    pub pages: usize,
    /// Maximum number of redirects of one request. Default: 5.
    pub redirects: u32,
    /// Maximum number of retries of one request, after a failure, a 408, a 429 or a 503. Default: 3.
    pub retries: u32,
    /// Maximum wait before a retry. If the service asks for a longer wait, there is no retry. Default: 30 s.
    pub longest_wait: Duration,
    /// Time limit of a logout. Default: 10 s.
    pub logout_deadline: Duration,
    /// How long a restarting system may still report `On` before the restart counts as complete: most systems never
    /// report the time in which they are off. Default: 30 s.
    pub restart_grace: Duration,
    /// The form of an ETag in `If-Match`. Default: unchanged.
    pub etag_form: ETagForm,
    /// Whether an upload is sent with `Expect: 100-continue`, so that the service can refuse it before the image is sent.
    /// After a 417 it is sent without. Default: yes.
    pub expect_continue: bool,
    /// The value of `User-Agent`. Default: the name and version of this crate.
    pub user_agent: HeaderValue,
}

/// How a link to another origin is treated.
///
/// Only the path of a login's `Location` is used, and a redirect never leaves the origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// As an error that contains the link.
    #[default]
    SameOrigin,
    /// Its path is used at the service's own origin. For services that know themselves by another name, such as one
    /// reached through a forwarded port.
    PathOnly,
}

pub(crate) static DEFAULT: Policy = Policy {
    links: Links::SameOrigin,
    timeout: Duration::from_secs(30),
    deadline: None,
    body_limit: 32 << 20,
    json_depth: 127,
    pages: 10_000,
    redirects: 5,
    retries: 3,
    longest_wait: Duration::from_secs(30),
    logout_deadline: Duration::from_secs(10),
    restart_grace: Duration::from_secs(30),
    etag_form: ETagForm::Verbatim,
    expect_continue: true,
    user_agent: HeaderValue::from_static(concat!("redfish-proto/", env!("CARGO_PKG_VERSION"))),
};

impl Default for Policy {
    fn default() -> Policy {
        DEFAULT.clone()
    }
}

impl Policy {
    /// Sets how a link to another origin is treated. See [`links`](Policy::links).
    #[must_use]
    pub fn with_links(mut self, links: Links) -> Policy {
        self.links = links;
        self
    }

    /// Limits the time of one exchange. See [`timeout`](Policy::timeout).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Policy {
        self.timeout = timeout;
        self
    }

    /// Limits the time of a call that sets no deadline. See [`deadline`](Policy::deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Policy {
        self.deadline = deadline.into();
        self
    }

    /// Limits the size of a body in bytes, after decompression. See [`body_limit`](Policy::body_limit).
    #[must_use]
    pub fn with_body_limit(mut self, body_limit: usize) -> Policy {
        self.body_limit = body_limit;
        self
    }

    /// Limits the nesting of a JSON body. See [`json_depth`](Policy::json_depth).
    #[must_use]
    pub fn with_json_depth(mut self, json_depth: usize) -> Policy {
        self.json_depth = json_depth;
        self
    }

    /// Limits the pages of one collection. See [`pages`](Policy::pages).
    #[must_use]
    pub fn with_pages(mut self, pages: usize) -> Policy {
        self.pages = pages;
        self
    }

    /// Limits the redirects of one request. See [`redirects`](Policy::redirects).
    #[must_use]
    pub fn with_redirects(mut self, redirects: u32) -> Policy {
        self.redirects = redirects;
        self
    }

    /// Limits the retries of one request. See [`retries`](Policy::retries).
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Policy {
        self.retries = retries;
        self
    }

    /// Limits the wait before a retry. See [`longest_wait`](Policy::longest_wait).
    #[must_use]
    pub fn with_longest_wait(mut self, longest_wait: Duration) -> Policy {
        self.longest_wait = longest_wait;
        self
    }

    /// Limits the time of a logout. See [`logout_deadline`](Policy::logout_deadline).
    #[must_use]
    pub fn with_logout_deadline(mut self, logout_deadline: Duration) -> Policy {
        self.logout_deadline = logout_deadline;
        self
    }

    /// Sets how long a restarting system may report `On`. See [`restart_grace`](Policy::restart_grace).
    #[must_use]
    pub fn with_restart_grace(mut self, restart_grace: Duration) -> Policy {
        self.restart_grace = restart_grace;
        self
    }

    /// Sets the form of ETags in `If-Match`. See [`etag_form`](Policy::etag_form).
    #[must_use]
    pub fn with_etag_form(mut self, etag_form: ETagForm) -> Policy {
        self.etag_form = etag_form;
        self
    }

    /// Sets whether an upload is sent with `Expect: 100-continue`. See [`expect_continue`](Policy::expect_continue).
    #[must_use]
    pub fn with_expect_continue(mut self, expect_continue: bool) -> Policy {
        self.expect_continue = expect_continue;
        self
    }

    /// Sets the `User-Agent`. See [`user_agent`](Policy::user_agent).
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Policy {
        self.user_agent = user_agent;
        self
    }
}

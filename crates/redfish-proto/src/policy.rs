//! The policy by which a service is talked to: what is allowed, and every bound.

use std::time::Duration;

use http::HeaderValue;

use crate::etag::ETagForm;

/// How a service is talked to. Every wait and every read has a bound; each is a setting.
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
    /// What becomes of a link to another origin. Default: it is refused.
    pub links: Links,
    /// How long one exchange may take, from connecting to the last byte. Default: 30 s.
    pub timeout: Duration,
    /// How long a whole call may take, with its retries, where the call says nothing else. Default: none, since
    /// each exchange, wait and count is bounded.
    pub deadline: Option<Duration>,
    /// Bytes a body may have, after decompression. Default: 32 MiB.
    pub body_limit: usize,
    /// How deep the arrays and objects of a JSON body may nest; 127 at the most. Default: 127.
    pub json_depth: usize,
    /// Pages of one collection that are read, one after the other. Default: 10,000.
    pub pages: usize,
    /// Redirects followed for one request. Default: 5.
    pub redirects: u32,
    /// Times one request is tried again after a failure or a 429 or 503. Default: 3.
    pub retries: u32,
    /// The longest wait before another try; a service that asks for more gets none. Default: 30 s.
    pub longest_wait: Duration,
    /// How long a logout may take. Default: 10 s.
    pub logout_deadline: Duration,
    /// How long a system that was told to restart may still be seen `On` before that counts as done: most never show that
    /// they were down. Default: 30 s.
    pub restart_grace: Duration,
    /// In which form `If-Match` has an ETag. Default: as the service gave it.
    pub etag_form: ETagForm,
    /// What `User-Agent` says. Default: the name and version of this crate.
    pub user_agent: HeaderValue,
}

/// What becomes of a link to another origin that stands in an answer.
///
/// A login's `Location` is always read by its path, and a redirect never leaves the origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// It is an error that says where it pointed.
    #[default]
    SameOrigin,
    /// Its path is used on our own origin: for services that know themselves by another name, such as one behind
    /// a forwarded port.
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
    user_agent: HeaderValue::from_static(concat!("redfish-proto/", env!("CARGO_PKG_VERSION"))),
};

impl Default for Policy {
    fn default() -> Policy {
        DEFAULT.clone()
    }
}

impl Policy {
    /// Treats a link to another origin in a response like this. See [`links`](Policy::links).
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

    /// Limits the time of a call that has no deadline of its own. See [`deadline`](Policy::deadline).
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

    /// Limits the time of closing a client. See [`logout_deadline`](Policy::logout_deadline).
    #[must_use]
    pub fn with_logout_deadline(mut self, logout_deadline: Duration) -> Policy {
        self.logout_deadline = logout_deadline;
        self
    }

    /// Waits this long for a system that restarts to be seen off. See [`restart_grace`](Policy::restart_grace).
    #[must_use]
    pub fn with_restart_grace(mut self, restart_grace: Duration) -> Policy {
        self.restart_grace = restart_grace;
        self
    }

    /// Sends ETags back in this form. See [`etag_form`](Policy::etag_form).
    #[must_use]
    pub fn with_etag_form(mut self, etag_form: ETagForm) -> Policy {
        self.etag_form = etag_form;
        self
    }

    /// Sends this `User-Agent`. See [`user_agent`](Policy::user_agent).
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Policy {
        self.user_agent = user_agent;
        self
    }
}

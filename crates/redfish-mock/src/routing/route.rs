//! A route: what is at the path of a request, which methods it allows, and which privileges they require.

use std::sync::Arc;

use http::Method;

use crate::inventory::action::SIMPLE_UPDATE;
use crate::inventory::resource::{Capabilities, PatchRule, Resource};
use crate::protocol::path::Path;
use crate::protocol::privilege::Privilege;
use crate::protocol::profile::Profile;
use crate::protocol::request::Request;
use crate::protocol::uris::{
    ACCOUNT_SERVICE, ACCOUNTS, EVENT_STREAM, JOB_SERVICE, JOBS, LEGACY_SESSIONS, SESSION_SERVICE, SESSIONS,
    SUBSCRIPTIONS, TASK_MONITORS, TASKS, UPDATE_SERVICE,
};
use crate::state::State;

/// What is at a path.
#[derive(Debug)]
pub(crate) enum Route {
    Sessions,
    Session(u64),
    Accounts,
    Account(u32),
    Subscriptions,
    Subscription(u64),
    /// The stream of server-sent events.
    EventStream,
    /// A URI to which firmware images are pushed.
    UpdatePush(PushKind),
    Tasks,
    /// The collection of Jobs.
    Jobs,
    Task(u64),
    /// The monitor of a task whose response was not read yet.
    TaskMonitor(u64),
    /// The target of an action of a resource.
    Action {
        resource: Arc<Resource>,
        name: String,
    },
    Resource(Arc<Resource>),
}

/// How an image is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushKind {
    /// In `multipart/form-data`, together with its parameters.
    Multipart,
    /// As the body of the request.
    Plain,
}

impl PushKind {
    /// Each kind with the property of UpdateService that has its URI.
    const ALL: [(PushKind, &'static str); 2] =
        [(PushKind::Multipart, "MultipartHttpPushUri"), (PushKind::Plain, "HttpPushUri")];
}

impl Route {
    /// The route of a request. `None` if there is nothing at its path.
    pub(crate) fn find(state: &State, request: &Request<'_>) -> Option<Route> {
        match legacy_session(&request.path, state.profile) {
            Some(path) => Route::at(state, &path, request.method),
            None => Route::at(state, &request.path, request.method),
        }
    }

    /// The route of a request for a path with this method.
    pub(crate) fn at(state: &State, path: &Path, method: &Method) -> Option<Route> {
        // The sessions of a mockup are not real, so they are hidden.
        if let Some(segment) = path.child_of(SESSIONS, state.profile).filter(|segment| *segment != "Members")
        {
            let id = segment.parse().ok().filter(|id: &u64| id.to_string() == segment)?;
            return state.sessions.find(id).map(|_| Route::Session(id));
        }
        Route::collection(state, path, method)
            .or_else(|| Route::member(state, path))
            .or_else(|| Route::resource(state, path, method))
            .or_else(|| Route::target(state, path))
    }

    /// A collection of resources that are not in the tree.
    fn collection(state: &State, path: &Path, method: &Method) -> Option<Route> {
        let is_at = |collection: &str| {
            path.matches(collection, state.profile)
                || posts_to_members(path, method, state.profile)
                    .is_some_and(|above| Path::new(above).matches(collection, state.profile))
        };
        // The accounts, subscriptions and tasks of a mockup are served from the tree.
        let is_ours = |collection: &str| is_at(collection) && state.tree.get(collection).is_none();
        if is_at(SESSIONS) {
            return Some(Route::Sessions);
        }
        if is_ours(JOBS) && state.tree.get(JOB_SERVICE).is_some() {
            return Some(Route::Jobs);
        }
        [(ACCOUNTS, Route::Accounts), (SUBSCRIPTIONS, Route::Subscriptions), (TASKS, Route::Tasks)]
            .into_iter()
            .find_map(|(collection, route)| is_ours(collection).then_some(route))
    }

    /// A member of such a collection, or the monitor of a task.
    fn member(state: &State, path: &Path) -> Option<Route> {
        let segment = |collection: &str| path.child_of(collection, state.profile);
        let account = || {
            let segment = segment(ACCOUNTS).filter(|_| state.tree.get(ACCOUNTS).is_none())?;
            state.accounts.find(segment).map(Route::Account)
        };
        account()
            .or_else(|| state.events.find(segment(SUBSCRIPTIONS)?).map(Route::Subscription))
            .or_else(|| state.tasks.find(segment(TASKS)?).map(Route::Task))
            .or_else(|| state.tasks.find_job(segment(JOBS)?).map(Route::Task))
            .or_else(|| state.tasks.find_monitor(segment(TASK_MONITORS)?).map(Route::TaskMonitor))
    }

    fn resource(state: &State, path: &Path, method: &Method) -> Option<Route> {
        if let Some(resource) = state.tree.find(path) {
            return Some(Route::Resource(resource.clone()));
        }
        let collection = state.tree.find(&Path::new(posts_to_members(path, method, state.profile)?))?;
        collection.capabilities.create.map(|_| Route::Resource(collection.clone()))
    }

    /// A path that is not a resource: the event stream, a push URI, or the target of an action.
    fn target(state: &State, path: &Path) -> Option<Route> {
        if path.matches(EVENT_STREAM, state.profile) {
            return Some(Route::EventStream);
        }
        let service = state.tree.document(UPDATE_SERVICE);
        let is_at = |property: &str| {
            service
                .and_then(|service| service[property].as_str())
                .is_some_and(|uri| path.matches(uri, state.profile))
        };
        if let Some((push, _)) = PushKind::ALL.into_iter().find(|(_, property)| is_at(property)) {
            return Some(Route::UpdatePush(push));
        }
        let owner = path.as_str().get(..path.as_str().to_ascii_lowercase().find("/actions/")?)?;
        let resource = state.tree.find(&Path::new(owner))?;
        let name = resource.action_at(path.as_str())?.to_owned();
        let target = resource.action_entry(&name)["target"].as_str()?;
        path.matches(Path::new(target).as_str(), state.profile)
            .then(|| Route::Action { resource: resource.clone(), name })
    }

    /// Whether the method needs no authentication: a login, or a GET or HEAD of a public resource.
    pub(crate) fn is_public(&self, method: &Method) -> bool {
        match self {
            Route::Sessions => method == Method::POST,
            Route::Resource(resource) => {
                resource.is_public && (method == Method::GET || method == Method::HEAD)
            }
            _ => false,
        }
    }

    pub(crate) fn methods(&self, profile: Profile) -> Vec<Method> {
        match self {
            // Accounts in slots are only changed.
            Route::Accounts if profile == Profile::Slots => vec![Method::GET, Method::HEAD],
            Route::Account(_) if profile == Profile::Slots => vec![Method::GET, Method::HEAD, Method::PATCH],
            Route::Sessions | Route::Accounts | Route::Subscriptions => {
                vec![Method::GET, Method::HEAD, Method::POST]
            }
            Route::Session(_) | Route::Task(_) | Route::TaskMonitor(_) => {
                vec![Method::GET, Method::HEAD, Method::DELETE]
            }
            Route::Tasks | Route::Jobs | Route::EventStream => vec![Method::GET, Method::HEAD],
            Route::Account(_) | Route::Subscription(_) => {
                vec![Method::GET, Method::HEAD, Method::PATCH, Method::DELETE]
            }
            Route::Action { .. } | Route::UpdatePush(_) => vec![Method::POST],
            Route::Resource(resource) => {
                let Capabilities { patch, create, delete } = resource.capabilities;
                let patch = (!matches!(patch, PatchRule::Only([]))).then_some(Method::PATCH);
                let post = create.map(|_| Method::POST);
                let delete = delete.then_some(Method::DELETE);
                [Method::GET, Method::HEAD].into_iter().chain(post).chain(patch).chain(delete).collect()
            }
        }
    }

    /// Whether a POST updates firmware.
    pub(crate) fn is_update(&self) -> bool {
        match self {
            Route::Action { name, .. } => name == SIMPLE_UPDATE.name,
            Route::UpdatePush(_) => true,
            _ => false,
        }
    }

    /// Whether a write can be a task. Logins, logouts and writes to tasks cannot.
    pub(crate) fn supports_tasks(&self) -> bool {
        !matches!(self, Route::Sessions | Route::Session(_) | Route::Task(_) | Route::TaskMonitor(_))
    }

    /// The privilege that the method requires. `is_own` is whether the account, session or task belongs to the caller. This
    /// follows the privilege registry of the standard (DSP0266, "Redfish service operation-to-privilege mapping").
    pub(crate) fn privilege(&self, method: &Method, is_own: bool) -> Privilege {
        match self {
            Route::Account(_) if is_own && method != Method::DELETE => Privilege::ConfigureSelf,
            Route::Session(_) | Route::Task(_) | Route::TaskMonitor(_) if is_own => Privilege::ConfigureSelf,
            Route::Account(_) => Privilege::ConfigureUsers,
            _ if method == Method::GET || method == Method::HEAD => Privilege::Login,
            Route::Accounts => Privilege::ConfigureUsers,
            // ConfigureManager would also allow subscriptions, but every role that has it has ConfigureComponents, too.
            Route::UpdatePush(_) | Route::Subscriptions | Route::Subscription(_) | Route::EventStream => {
                Privilege::ConfigureComponents
            }
            Route::Session(_)
            | Route::Sessions
            | Route::Tasks
            | Route::Jobs
            | Route::Task(_)
            | Route::TaskMonitor(_) => Privilege::ConfigureManager,
            Route::Resource(resource) | Route::Action { resource, .. } => {
                if resource.path.starts_with(ACCOUNT_SERVICE) {
                    return Privilege::ConfigureUsers;
                }
                let manager_paths = ["/redfish/v1/Managers/", SESSION_SERVICE];
                if manager_paths.iter().any(|above| resource.path.starts_with(above)) {
                    Privilege::ConfigureManager
                } else {
                    Privilege::ConfigureComponents
                }
            }
        }
    }
}

/// The path of a session or of their collection, if the path is the one that services had at first.
fn legacy_session(path: &Path, profile: Profile) -> Option<Path> {
    let rest = path.as_str().strip_prefix(LEGACY_SESSIONS).filter(|_| profile == Profile::Older)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| Path::new(&format!("{SESSIONS}{rest}")))
}

/// The collection to which a POST to its `Members` adds a member (DSP0266, "POST (create)").
fn posts_to_members<'a>(path: &'a Path, method: &Method, profile: Profile) -> Option<&'a str> {
    let (above, _) = path.as_str().rsplit_once('/')?;
    (method == Method::POST && path.matches(&format!("{above}/Members"), profile)).then_some(above)
}

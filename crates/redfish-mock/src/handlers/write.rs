//! What a request changes: logins, accounts, properties, actions. Whoever gets here may do it.

use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderName;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::inventory::action;
use crate::inventory::network;
use crate::inventory::tree::{Change, Resource};
use crate::mock::{Caller, Mock};
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::patch::Patch;
use crate::protocol::profile::Profile;
use crate::protocol::request::Request;
use crate::protocol::response::{Content, Rendered, Reply};
use crate::routing::route::Place;
use crate::state::accounts::{self, ACCOUNTS, Privilege};
use crate::state::events;
use crate::state::schedule::Effect;
use crate::state::sessions::{SESSION_SERVICE, SESSIONS};
use crate::state::tasks;

impl Mock {
    pub(crate) fn write(
        &mut self,
        request: &Request<'_>,
        place: &Place,
        caller: Option<Caller>,
        now: Duration,
    ) -> Reply {
        if request.method == Method::DELETE {
            return self.delete(place, now);
        }
        if let Place::Push(push) = place {
            return self.push_update(request, *push);
        }
        // An action may have no parameters, and then no body.
        let body = match place {
            Place::Action { .. } if request.body.is_empty() => Map::new(),
            _ => match request.object() {
                Ok(body) => body,
                Err(refusal) => return *refusal,
            },
        };
        match place {
            Place::Sessions => self.log_in(&body, now),
            Place::Subscriptions => self.subscribe(&body),
            Place::Subscription(id) => self.patch_subscription(*id, &body),
            Place::Accounts => self.create_account(&body),
            Place::Account(id) => self.patch_account(*id, body, caller),
            Place::Action { resource, name } => self.invoke(resource, name, &body, now),
            Place::Resource(resource) => match resource.takes.members {
                Some(takes) if request.method == Method::POST => self.create_member(resource, takes, &body),
                _ => self.patch_resource(resource, &body),
            },
            // Done above, or take neither POST nor PATCH.
            Place::Push(_)
            | Place::Session(_)
            | Place::Tasks
            | Place::Task(_)
            | Place::Monitor(_)
            | Place::Stream => Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, Base::OperationNotAllowed, []),
        }
    }

    fn delete(&mut self, place: &Place, now: Duration) -> Reply {
        match place {
            Place::Session(id) => {
                let gone = self.sessions.delete(*id);
                self.tell_of_the_end(&gone);
            }
            Place::Account(id) => {
                self.accounts.remove(*id);
                let gone = self.sessions.forget(|session| session.account() == *id);
                self.tell_of_the_end(&gone);
                self.wrote(&accounts::path(*id));
                self.tell(Message::new(ResourceEvent::ResourceRemoved, []), &accounts::path(*id));
            }
            Place::Subscription(id) => {
                self.events.remove(*id);
                self.wrote(&events::path(*id));
            }
            Place::Resource(resource) if resource.takes.delete => self.delete_member(resource),
            Place::Task(id) => {
                self.tasks.remove(*id);
                self.wrote(&tasks::path(*id));
                self.tell(Message::new(ResourceEvent::ResourceRemoved, []), &tasks::path(*id));
            }
            Place::Monitor(id) => {
                if let Some(message) = self.tasks.cancel(*id, now) {
                    self.tell(message, &tasks::path(*id));
                }
                self.wrote(&tasks::monitor(*id));
            }
            _ => return Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, Base::OperationNotAllowed, []),
        }
        Reply::done(self.profile)
    }

    fn log_in(&mut self, body: &Map<String, Value>, now: Duration) -> Reply {
        let mut problems = Vec::new();
        let mut text = |name: &str| match body.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(_) => {
                problems.push(Message::new(Base::PropertyValueTypeError, ["(not shown)", name]).about(name));
                String::new()
            }
            None => {
                problems.push(Message::new(Base::CreateFailedMissingReqProperties, [name]).about(name));
                String::new()
            }
        };
        let (user, password) = (text("UserName"), text("Password"));
        let context = body.get("Context").map(|_| text("Context"));
        if !problems.is_empty() {
            return Reply::refusals(StatusCode::BAD_REQUEST, problems);
        }
        let Some(account) = self.open_account(&user, &password, now) else {
            return self.refuse_login();
        };
        let Some(session) = self.sessions.log_in(account, &user, context, now) else {
            return Reply::refusal(StatusCode::SERVICE_UNAVAILABLE, Base::SessionLimitExceeded, []);
        };

        let must_change =
            self.accounts.get(account).is_some_and(|entry| entry.account.password_change_required);
        let notice =
            must_change.then(|| Message::new(Base::PasswordChangeRequired, [&accounts::path(account)]));
        let content = match self.profile {
            Profile::Standard => {
                let mut document = session.document(self.profile, Some(session.id()));
                if let Some(notice) = &notice {
                    document["@Message.ExtendedInfo"] = json!([notice.spell(self.profile)]);
                }
                Content::Document(Rendered::new(document, 0, self.profile))
            }
            Profile::IloAmplifier => {
                Content::Messages([Message::new(Base::Created, [])].into_iter().chain(notice).collect())
            }
        };
        let mut reply = Reply::new(StatusCode::CREATED, content)
            .with(HeaderName::from_static("x-auth-token"), session.token());
        let path = session.path();
        self.tell(Message::new(ResourceEvent::ResourceCreated, []), &path);
        reply.created = Some(path);
        self.wrote(SESSIONS);
        reply
    }

    fn refuse_login(&self) -> Reply {
        let status = StatusCode::UNAUTHORIZED;
        match self.profile {
            Profile::Standard => Reply::refusal(
                status,
                Base::ResourceAtUriUnauthorized,
                [SESSIONS, "the user name or the password is wrong."],
            ),
            Profile::IloAmplifier => Reply::refusal(status, Base::NoValidSession, []),
        }
    }

    fn create_account(&mut self, body: &Map<String, Value>) -> Reply {
        let mut problems: Vec<Message> = accounts::REQUIRED
            .iter()
            .filter(|property| !body.contains_key(property.path))
            .map(|property| {
                Message::new(Base::CreateFailedMissingReqProperties, [property.path]).about(property.path)
            })
            .collect();
        for (name, value) in body.iter().filter(|(name, _)| !name.contains('@')) {
            let checked = match accounts::WRITABLE.iter().find(|property| property.path == name) {
                Some(property) => property.kind.check(name, value),
                None => Err(Message::new(Base::PropertyUnknown, [name])),
            };
            problems.extend(checked.err().map(|message| message.about(name)));
        }
        if !problems.is_empty() {
            return Reply::refusals(StatusCode::BAD_REQUEST, problems);
        }
        let user = body["UserName"].as_str().unwrap_or_default();
        if self.accounts.is_taken(user) {
            let arguments = ["ManagerAccount", "UserName", user];
            return Reply::refusal(StatusCode::CONFLICT, Base::ResourceAlreadyExists, arguments);
        }
        let id = self.accounts.create(body);
        self.tell(Message::new(ResourceEvent::ResourceCreated, []), &accounts::path(id));
        self.wrote(ACCOUNTS);
        let content = match (self.profile, self.accounts.render(id, self.profile)) {
            (Profile::Standard, Some(document)) => Content::Document(document),
            _ => Content::Messages(vec![Message::new(Base::Created, [])]),
        };
        let mut reply = Reply::new(StatusCode::CREATED, content);
        reply.created = Some(accounts::path(id));
        reply
    }

    /// Who does not configure users may change one property of one account: their own password.
    fn patch_account(&mut self, id: u32, change: Map<String, Value>, caller: Option<Caller>) -> Reply {
        let configures = caller.is_some_and(|caller| {
            let due =
                self.accounts.get(caller.account).is_some_and(|entry| entry.account.password_change_required);
            caller.role.may(Privilege::ConfigureUsers) && !due
        });
        let writable = if configures { accounts::WRITABLE } else { accounts::OWN };
        let beyond =
            |name: &String| !name.contains('@') && !writable.iter().any(|property| property.path == name);
        if !configures && change.keys().any(beyond) {
            return Reply::refusal(StatusCode::FORBIDDEN, Base::InsufficientPrivilege, []);
        }
        let Some(document) = self.accounts.document(id) else {
            return Reply::refusal(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, [&accounts::path(id)]);
        };
        let patch = Patch::new(&document, &change, writable);
        if let Some(failure) = patch.failure() {
            return Reply::refusals(StatusCode::BAD_REQUEST, failure);
        }
        // Of the change, what was taken: the patched document has it under the same names.
        let taken = writable
            .iter()
            .filter(|property| change.contains_key(property.path))
            .map(|property| (property.path.to_owned(), patch.document[property.path].clone()))
            .collect();
        self.accounts.write(id, &taken);
        self.wrote(&accounts::path(id));
        self.tell(Message::new(ResourceEvent::ResourceChanged, []), &accounts::path(id));
        self.changed(&patch, &Place::Account(id))
    }

    fn patch_resource(&mut self, resource: &Arc<Resource>, change: &Map<String, Value>) -> Reply {
        let mut patch = match resource.takes.change {
            Change::These(properties) => Patch::new(resource.document(), change, properties),
            Change::Anything => Patch::merge(resource.document(), change),
        };
        if let Some(failure) = patch.failure() {
            return Reply::refusals(StatusCode::BAD_REQUEST, failure);
        }
        if let Change::These(_) = resource.takes.change {
            network::settle(&mut patch.document);
        }
        self.tree.write(&resource.path, patch.document.clone());
        self.wrote(&resource.path);
        self.tell(Message::new(ResourceEvent::ResourceChanged, []), &resource.path);
        if resource.path == SESSION_SERVICE {
            if let Some(seconds) = patch.document["SessionTimeout"].as_u64() {
                self.show_session_timeout(Duration::from_secs(seconds));
            }
        }
        let written = self.tree.at(&resource.path).unwrap_or(resource).clone();
        self.changed(&patch, &Place::Resource(written))
    }

    /// The answer to a PATCH that changed something: the resource as it is now, with a note beside what was refused.
    pub(crate) fn changed(&self, patch: &Patch, place: &Place) -> Reply {
        let mut messages = patch.messages();
        match (self.profile, place.content(self, None, Duration::ZERO)) {
            (Profile::Standard, Content::Document(mut now)) if !messages.is_empty() => {
                let mut document = serde_json::from_slice(&now.body).unwrap_or_default();
                patch.annotate(&mut document, self.profile);
                now.body = document.to_string().into_bytes();
                Reply::document(StatusCode::OK, now)
            }
            (Profile::Standard, now) => Reply::new(StatusCode::OK, now),
            (Profile::IloAmplifier, _) => {
                if messages.is_empty() {
                    messages.push(Message::new(Base::Success, []));
                }
                Reply::refusals(StatusCode::OK, messages)
            }
        }
    }

    fn invoke(
        &mut self,
        resource: &Arc<Resource>,
        name: &str,
        parameters: &Map<String, Value>,
        now: Duration,
    ) -> Reply {
        let offer = resource.offer(name);
        let problems = action::problems(name, offer, parameters);
        if !problems.is_empty() {
            return Reply::refusals(StatusCode::BAD_REQUEST, problems);
        }
        let kind = parameters.get("ResetType").and_then(Value::as_str).unwrap_or_default();
        match name {
            "ComputerSystem.Reset" => self.reset_system(resource, kind, now),
            // A controller that restarts knows none of its sessions any more.
            "Manager.Reset" => {
                let restart = Effect::Restart { lasts: Duration::ZERO, task: None };
                self.later.add(now + self.reset_delay, restart);
                self.pass(now);
            }
            "Manager.ResetToDefaults" => self.restore(&resource.path, |path| {
                kind.starts_with("PreserveNetwork") && path.contains("/EthernetInterfaces/")
            }),
            "Bios.ResetBios" => self.restore(&resource.path, |_| false),
            "EventService.SubmitTestEvent" => {
                self.tell(Message::new(ResourceEvent::TestMessage, []), &resource.path);
            }
            // Nothing is fetched, so the image is as good as its address.
            "UpdateService.SimpleUpdate" => {
                let image = parameters["ImageURI"].as_str().unwrap_or_default().as_bytes();
                return self.update(parameters, image, offer["target"].as_str().unwrap_or_default());
            }
            "LogService.ClearLog" => self.clear_log(resource),
            _ => {}
        }
        self.wrote(offer["target"].as_str().unwrap_or_default());
        Reply::done(self.profile)
    }

    /// Puts what stands at and below a path back to what it was at the start, but for what is to be kept.
    fn restore(&mut self, path: &str, kept: impl Fn(&str) -> bool) {
        for restored in self.tree.restore(path, kept) {
            self.tell(Message::new(ResourceEvent::ResourceChanged, []), &restored);
        }
    }

    fn clear_log(&mut self, service: &Resource) {
        let Some(path) = service.document()["Entries"]["@odata.id"].as_str() else { return };
        self.tell(Message::new(ResourceEvent::ResourceChanged, []), path);
        let Some(mut entries) = self.tree.at(path).map(|entries| entries.document().clone()) else { return };
        for entry in entries["Members"].as_array().into_iter().flatten() {
            self.tree.remove(entry["@odata.id"].as_str().unwrap_or_default());
        }
        entries["Members"] = json!([]);
        entries["Members@odata.count"] = json!(0);
        self.tree.write(path, entries);
    }
}

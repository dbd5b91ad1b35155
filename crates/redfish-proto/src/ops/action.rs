//! The actions of a resource (DSP0266, "Actions"): their parameters, allowable values, and invocation.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::body::Body;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::link_at;
use crate::operation::{Operation, Request, Transition};
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::outcome::Outcome;
use crate::reason::RequestError;
use crate::redact::Redactor;
use crate::target::Target;
use crate::view::{Changes, Json};

/// An action that a resource offers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Action {
    /// Its name: the text after the last `#` of its key, such as `ComputerSystem.Reset`. If several actions of the resource
    /// would have the same name, the whole key.
    pub name: String,
    /// Its key in `Actions`. Fujitsu puts a URL before `#`, other vendors a versioned namespace.
    pub key: String,
    /// The target of its POST. An error if the resource states one that the policy for links refuses, or itself, where a POST
    /// would not invoke the action.
    pub target: Result<Target, Error>,
    /// The target of its ActionInfo, which describes its parameters, if there is one at the service.
    pub info: Option<Target>,
    /// Its parameters, as far as they are known.
    pub parameters: Vec<Parameter>,
}

/// A parameter of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether the action requires it.
    pub required: bool,
    /// Its allowable values. Empty if the service does not list them.
    pub allowable: Vec<String>,
}

impl Action {
    /// Whether it is the only action that this may mean: its key, with or without `#` at its start, or its name.
    fn is_exactly(&self, name: &str) -> bool {
        let name = name.trim_start_matches('#');
        if name.is_empty() {
            return false;
        }
        self.name == name || self.key.trim_start_matches('#') == name
    }

    /// Whether this is its name, with or without `#`, or the last word of it.
    fn has_name(&self, name: &str) -> bool {
        let (name, full) = (name.trim_start_matches('#'), name_of(&self.key));
        !name.is_empty() && full == name || full.rsplit_once('.').is_some_and(|(_, short)| short == name)
    }

    /// Adds the parameters of its ActionInfo. If that cannot be read, only the resource's own annotations count.
    fn describe(&mut self, received: Result<Answer, Error>) -> Result<(), Error> {
        let info: Value = match received {
            Ok(answer) => answer.success().and_then(|answer| answer.json()).unwrap_or_default(),
            Err(error) if self.info.as_ref().is_some_and(|info| error.uri() == Some(info.as_str())) => {
                return Ok(());
            }
            // Another failure, such as that of a login, would repeat with the next request.
            Err(error) => return Err(error),
        };
        self.parameters = merge_parameters(&info, std::mem::take(&mut self.parameters));
        Ok(())
    }

    /// The request that invokes it, with checked parameters.
    fn post(
        &self,
        target: &Target,
        mut parameters: Map<String, Value>,
        redactor: &Redactor,
    ) -> Result<Request, Error> {
        self.spell(&mut parameters);
        self.check(&parameters, redactor)?;
        Ok(Request::post(target).json(Body::json(&parameters)?))
    }

    /// Spells values like the allowable ones if they differ only in letter case.
    fn spell(&self, parameters: &mut Map<String, Value>) {
        for parameter in &self.parameters {
            match parameters.get_mut(&parameter.name) {
                Some(Value::Array(values)) => values.iter_mut().for_each(|value| parameter.spell(value)),
                Some(value) => parameter.spell(value),
                None => {}
            }
        }
    }

    /// Checks the parameters before they are sent.
    fn check(&self, parameters: &Map<String, Value>, redactor: &Redactor) -> Result<(), Error> {
        for parameter in &self.parameters {
            let not_allowable = |allowable: &[String]| {
                let parameter = redactor.clean(&parameter.name);
                let allowable = allowable.iter().map(|value| redactor.clean(value)).collect();
                Error::new(ErrorKind::InvalidParameter { parameter, allowable })
            };
            match parameters.get(&parameter.name) {
                None if parameter.required => {
                    return Err(not_allowable(&parameter.allowable).with_hint("The action requires it."));
                }
                Some(value) if !parameter.allowable.is_empty() => {
                    let values = match value {
                        Value::Array(values) => values.as_slice(),
                        value => std::slice::from_ref(value),
                    };
                    let allowed = |value: &Value| match value {
                        Value::String(text) => parameter.allowable.contains(text),
                        other => parameter.allowable.contains(&other.to_string()),
                    };
                    if !values.iter().all(allowed) {
                        return Err(not_allowable(&parameter.allowable));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Parameter {
    /// Spells a value like an allowable one that differs only in letter case.
    fn spell(&self, value: &mut Value) {
        let Value::String(value) = value else { return };
        let listed = self.allowable.iter().find(|listed| listed.eq_ignore_ascii_case(value));
        if let Some(listed) = listed.filter(|_| !self.allowable.contains(value)) {
            value.clone_from(listed);
        }
    }
}

/// Reads the actions of a resource, including those of vendors.
fn find_actions(answer: &Answer) -> Result<Vec<Action>, Error> {
    let resource: Value = answer.json()?;
    if !resource.is_object() {
        return Err(answer.not_a_resource());
    }
    let resolve = |link: &str| answer.resolve(link).map_err(|error| answer.stamp(error));
    Ok(actions_of(resource.get("Actions"), answer.target(), &resolve))
}

/// Reads the member `Actions` of a resource.
fn actions_of(actions: Option<&Value>, own: &Target, resolve: &Resolve<'_>) -> Vec<Action> {
    let mut found = Vec::new();
    if let Some(Value::Object(actions)) = actions {
        collect_actions(actions, own, resolve, 0, &mut found);
    }
    distinguish(&mut found);
    found
}

/// Resolves a link of a resource.
type Resolve<'a> = dyn Fn(&str) -> Result<Target, Error> + 'a;

/// The name in a key: what follows its last `#`.
fn name_of(key: &str) -> &str {
    key.rsplit('#').find(|name| !name.is_empty()).unwrap_or(key)
}

/// Names actions by their whole keys if they would have the same name, so that each can be chosen.
fn distinguish(actions: &mut [Action]) {
    let mut counts = HashMap::<String, usize>::new();
    for action in actions.iter() {
        *counts.entry(action.name.clone()).or_default() += 1;
    }
    for action in actions.iter_mut().filter(|action| counts.get(&action.name).is_some_and(|count| *count > 1))
    {
        action.name = action.key.trim_start_matches('#').to_owned();
    }
}

fn collect_actions(
    actions: &Map<String, Value>,
    own: &Target,
    resolve: &Resolve<'_>,
    depth: usize,
    found: &mut Vec<Action>,
) {
    let target_of = |link: &str| {
        let target = resolve(link)?;
        if target.is_same_except_slash(own) {
            let error = Error::malformed("/Actions", "the target of the action is the resource itself");
            return Err(error.with_hint("The action was not invoked: a POST there would be another request."));
        }
        Ok(target)
    };
    for (key, value) in actions {
        let Value::Object(members) = value else { continue };
        match link_at(value, "/target") {
            Some(target) => {
                let parameters = members.iter().filter_map(|(member, values)| {
                    let name = member.strip_suffix("@Redfish.AllowableValues")?.to_owned();
                    Some(Parameter { name, required: false, allowable: allowable_values(values) })
                });
                found.push(Action {
                    name: name_of(key).to_owned(),
                    key: key.clone(),
                    target: target_of(target),
                    info: link_at(value, "/@Redfish.ActionInfo").and_then(|link| resolve(link).ok()),
                    parameters: parameters.collect(),
                });
            }
            // `Oem`, and the vendors in it.
            None if depth < 2 => collect_actions(members, own, resolve, depth + 1, found),
            None => {}
        }
    }
}

/// The allowable values in a list. One value in place of the list is the only one.
fn allowable_values(values: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let values = values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice);
    values.iter().filter_map(text).collect()
}

/// Merges the parameters of an ActionInfo (DSP0268, ActionInfo) into those that the resource's annotations describe.
fn merge_parameters(info: &Value, mut known: Vec<Parameter>) -> Vec<Parameter> {
    for parameter in info.get("Parameters").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = parameter.get("Name").and_then(Value::as_str) else { continue };
        let required = parameter.get("Required").and_then(Value::as_bool) == Some(true);
        let allowable = parameter.get("AllowableValues").map(allowable_values).unwrap_or_default();
        match known.iter_mut().find(|k| k.name == name) {
            Some(known) => {
                known.required |= required;
                if known.allowable.is_empty() {
                    known.allowable = allowable;
                }
            }
            None => known.push(Parameter { name: name.to_owned(), required, allowable }),
        }
    }
    known
}

/// Finds the actions of a resource and the allowable values of their parameters.
#[derive(Debug)]
pub struct Actions {
    chain: Chain<Vec<Action>>,
}

impl Actions {
    /// Finds the actions of the resource at this target.
    pub fn new(target: Target) -> Actions {
        let chain = Chain::new(Exchange(Request::get(&target)), |received| {
            describe_all(find_actions(&received?.success()?)?, 0)
        });
        Actions { chain }
    }
}

/// Reads the ActionInfo of each action, starting at this index.
fn describe_all(mut actions: Vec<Action>, from: usize) -> Result<Transition<Chain<Vec<Action>>>, Error> {
    let mut rest = actions.iter().enumerate().skip(from);
    let Some((index, info)) = rest.find_map(|(index, action)| Some((index, action.info.clone()?))) else {
        return Chain::done(actions);
    };
    Chain::next(Exchange(Request::get(&info)), move |received| {
        if let Some(action) = actions.get_mut(index) {
            action.describe(received)?;
        }
        describe_all(actions, index + 1)
    })
}

impl Operation for Actions {
    type Output = Vec<Action>;

    forward_to!(chain);
}

/// Invokes an action of a resource. The parameters are checked before they are sent; a value that differs from an allowable one
/// only in letter case is sent like that. `If-Match` is never sent, since iDRAC 10 refuses it.
pub struct Invoke {
    target: Target,
    name: String,
    parameters: Map<String, Value>,
    chain: Chain<Outcome>,
}

impl Invoke {
    /// Invokes the action with this name, with or without `#`, with this key, or with this last word of its name if only
    /// one action has it.
    pub fn new(target: Target, name: impl Into<String>, parameters: Map<String, Value>) -> Invoke {
        let name = name.into();
        let (action_name, sent) = (name.clone(), parameters.clone());
        let chain = Chain::new(Exchange(Request::get(&target)), move |received| {
            invoke_on(&received?.success()?, &action_name, sent, |received| {
                Chain::done(Outcome::read(&received?)?)
            })
        });
        Invoke { target, name, parameters, chain }
    }

    /// Invokes an action of a resource that was read. Only its ActionInfo is read before, if it has one.
    ///
    /// # Errors
    /// [`ErrorKind::ActionNotFound`] if the resource does not offer the action, [`ErrorKind::InvalidParameter`] if a parameter
    /// is missing or not allowable, [`ErrorKind::CrossOrigin`] if its target is at another origin, [`ErrorKind::InvalidTarget`]
    /// for a resource that was not received from a service. What only the ActionInfo says is checked when it is run.
    pub fn on(resource: &Json, name: &str, parameters: impl Into<Changes>) -> Result<Invoke, Error> {
        let (base, own) = resource.origin()?;
        let named = |error: Error| base.stamp(error);
        let no_json = || Error::new(ErrorKind::InvalidRequest(RequestError::NoJson));
        let parameters = parameters.into().into_members().ok_or_else(no_json).map_err(named)?;
        let actions =
            resource.read::<Option<Json>>("Actions").and_then(|actions| actions.decode::<Value>().ok());
        let offered = actions_of(actions.as_ref(), &own, &|link| base.resolve(link));
        let redactor = Arc::clone(&base.redactor);
        let (action, target) = choose_action(offered, name, &redactor).map_err(named)?;
        let (name, sent) = (action.name.clone(), parameters.clone());
        let chain = describe_and_post(action, target, sent, redactor, |received| {
            Chain::done(Outcome::read(&received?)?)
        });
        let chain = chain.map_err(named)?;
        Ok(Invoke { target: own, name, parameters, chain })
    }

    fn register_secrets(&self, known: &mut Redactor) {
        if let Ok(body) = Body::json(&self.parameters) {
            body.register_secrets(known);
        }
    }
}

/// The action with this name, and the target of its POST.
fn choose_action(
    mut offered: Vec<Action>,
    name: &str,
    redactor: &Redactor,
) -> Result<(Action, Target), Error> {
    let names = offered.iter().map(|action| redactor.clean(&action.name)).collect();
    if offered.iter().any(|action| action.is_exactly(name)) {
        offered.retain(|action| action.is_exactly(name));
    } else {
        offered.retain(|action| action.has_name(name));
    }
    let several = offered.len() > 1;
    match offered.pop().filter(|_| !several) {
        Some(action) => {
            let target = action.target.clone()?;
            Ok((action, target))
        }
        None => Err(Error::new(ErrorKind::ActionNotFound { offered: names })),
    }
}

/// Invokes an action of the resource that was read. `then` interprets the response, or the error without one.
pub(crate) fn invoke_on<T: 'static>(
    answer: &Answer,
    name: &str,
    parameters: Map<String, Value>,
    then: impl FnOnce(Result<Answer, Error>) -> Result<Transition<Chain<T>>, Error> + Send + Sync + 'static,
) -> Result<Transition<Chain<T>>, Error> {
    let redactor = Arc::clone(&answer.redactor);
    let (action, target) = choose_action(find_actions(answer)?, name, &redactor)?;
    describe_and_post(action, target, parameters, redactor, then).map(Transition::Next)
}

/// Reads the ActionInfo of an action, if it has one, and invokes it with checked parameters.
fn describe_and_post<T: 'static>(
    mut action: Action,
    target: Target,
    parameters: Map<String, Value>,
    redactor: Arc<Redactor>,
    then: impl FnOnce(Result<Answer, Error>) -> Result<Transition<Chain<T>>, Error> + Send + Sync + 'static,
) -> Result<Chain<T>, Error> {
    match action.info.clone() {
        Some(info) => Ok(Chain::new(Exchange(Request::get(&info)), move |received| {
            action.describe(received)?;
            Chain::next(Exchange(action.post(&target, parameters, &redactor)?), then)
        })),
        None => Ok(Chain::new(Exchange(action.post(&target, parameters, &redactor)?), then)),
    }
}

impl fmt::Debug for Invoke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values may be secret.
        let parameters: Vec<&String> = self.parameters.keys().collect();
        write!(f, "Invoke({} of {} with {parameters:?})", self.name, self.target)
    }
}

impl Operation for Invoke {
    type Output = Outcome;

    forward_to!(chain, register_secrets);
}

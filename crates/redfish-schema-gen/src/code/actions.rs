//! Actions: methods of the resources that offer them.

use std::fmt::Write;

use crate::facts::{Action, Member, Schema};

use super::Sources;
use super::names::snake;
use super::types::{Value, members, path_within};
use super::views::named;

impl Sources<'_> {
    /// The actions of a schema, which its main resource offers.
    pub(super) fn actions(&self, out: &mut String, name: &str, schema: &Schema) {
        if schema.actions.is_empty() || !schema.resources.contains_key(name) {
            return;
        }
        let taken: Vec<String> = named(&members(self.facts, &format!("{name}.{name}")))
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        let mut parameters = String::new();
        let _ = writeln!(out, "impl {name} {{");
        for (own, action) in &schema.actions {
            let mut method = snake(own);
            if taken.contains(&method) {
                method = format!("invoke_{method}");
            }
            self.action(out, &mut parameters, name, schema, own, &method, action);
        }
        out.push_str("}\n\n");
        out.push_str(&parameters);
    }

    #[allow(clippy::too_many_arguments, reason = "what an action is made of")]
    fn action(
        &self,
        out: &mut String,
        types: &mut String,
        name: &str,
        schema: &Schema,
        own: &str,
        method: &str,
        action: &Action,
    ) {
        let (required, optional): (Vec<Member>, Vec<Member>) =
            action.parameters.iter().cloned().partition(|parameter| parameter.required);
        let only = if required.is_empty() && optional.len() == 1 { optional.first() } else { None };
        let mut cfg: Vec<String> = required
            .iter()
            .chain(only)
            .map(|parameter| self.cfg_of(name, &Value::of(self.facts, parameter)))
            .collect();
        cfg.sort();
        cfg.dedup();
        let _ = write!(
            out,
            "/// Invokes the action `{name}.{own}`. Its parameters are checked before they are sent.\n///\n"
        );
        for (parameter, argument) in
            named(&required).into_iter().chain(named(only.map_or(&[], std::slice::from_ref)))
        {
            let value = Value::of(self.facts, parameter);
            let necessity = if parameter.required { "" } else { "; `None` leaves it out" };
            let _ = writeln!(
                out,
                "/// - `{}`: {}{necessity}",
                argument.trim_start_matches("r#"),
                value.words(parameter.list)
            );
        }
        if only.is_none() && !optional.is_empty() {
            let _ = writeln!(out, "/// - `optional`: sets other parameters; `|p| p` sets none");
        }
        if !action.parameters.is_empty() {
            out.push_str("///\n");
        }
        if action.deprecated {
            out.push_str("/// Deprecated by the schema.\n///\n");
        }
        if let Some(response) = &action.returns {
            let of = path_within(name, response);
            let _ = writeln!(
                out,
                "/// The body of the response is a [`{of}`]: [`Written::decode`](redfish_proto::ops::Written::decode) reads it.\n///"
            );
        }
        out.push_str("/// # Errors\n/// Those of [`Invoke::on`].\n");
        let _ = write!(out, "{}pub fn {method}(&self", cfg.concat());
        let mut sets = String::new();
        for (parameter, argument) in named(&required) {
            let of = self.argument(name, parameter);
            let _ = write!(out, ", {argument}: {of}");
            let of = self.argument_type(name, parameter);
            let _ = match parameter.list {
                true => write!(
                    sets,
                    ".list(\"{}\", {argument}.into_iter().map(Into::<{of}>::into))",
                    parameter.name
                ),
                false => write!(sets, ".value(\"{}\", Into::<{of}>::into({argument}))", parameter.name),
            };
        }
        if let Some(parameter) = only {
            let argument = snake(&parameter.name);
            let of = self.argument_type(name, parameter);
            let of = if parameter.list { format!("Vec<{of}>") } else { of };
            let _ = write!(out, ", {argument}: impl Into<view::Nullable<{of}>>");
            let _ = write!(
                sets,
                ".optional(\"{}\", Into::<view::Nullable<{of}>>::into({argument}))",
                parameter.name
            );
        } else if !optional.is_empty() {
            let mut parameters = format!("{own}Parameters");
            while schema.objects.contains_key(&parameters) || schema.resources.contains_key(&parameters) {
                parameters.insert_str(0, "Optional");
            }
            let _ = write!(out, ", optional: impl FnOnce({parameters}) -> {parameters}");
            let _ = write!(sets, ".merge(optional({parameters}::new()))");
            let _ = writeln!(
                types,
                "redfish_proto::patch! {{\n/// Optional parameters of the action `{name}.{own}`.\npub struct {parameters} {{"
            );
            self.setters(types, name, &optional);
            types.push_str("}\n}\n\n");
        }
        let _ = writeln!(
            out,
            ") -> Result<Invoke, Error> {{\nInvoke::on(self, \"{name}.{own}\", view::Changes::new(){sets})\n}}\n"
        );
    }

    /// The type of an argument.
    fn argument(&self, schema: &str, parameter: &Member) -> String {
        let of = self.argument_type(schema, parameter);
        match parameter.list {
            true => format!("impl IntoIterator<Item = impl Into<{of}>>"),
            false => format!("impl Into<{of}>"),
        }
    }

    /// The type of an argument, or of the items of a list.
    fn argument_type(&self, schema: &str, parameter: &Member) -> String {
        match Value::of(self.facts, parameter) {
            Value::View(name) if self.is_writable(&name, 0) => format!("{}Patch", path_within(schema, &name)),
            value => value.write_type(schema),
        }
    }
}

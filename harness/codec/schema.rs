//! The JSON Schema of each success reply, made from the spec, and its validators.

use crate::model::Meaning;
use crate::spec::{Field, TimeForm, Type, Vendor};
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Validators of every operation's success reply.
pub struct ReplySchemas {
    validators: HashMap<String, jsonschema::Validator>,
}

impl std::fmt::Debug for ReplySchemas {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ReplySchemas({} operations)", self.validators.len())
    }
}

impl ReplySchemas {
    /// Compiles the schemas of a vendor.
    ///
    /// # Errors
    /// The operation whose schema is none, and why.
    pub fn new(vendor: &Vendor) -> Result<Self, String> {
        let mut validators = HashMap::new();
        for (name, operation) in &vendor.spec.operations {
            let schema = schema_of(&operation.reply);
            let validator = jsonschema::validator_for(&schema)
                .map_err(|error| format!("the reply of {name} has no valid JSON Schema: {error}"))?;
            validators.insert(name.clone(), validator);
        }
        Ok(Self { validators })
    }

    /// What in a reply does not fit; empty if it fits. Never quotes the reply: it may hold a value.
    pub fn misfits(&self, operation: &str, reply: &Value) -> Vec<String> {
        let Some(validator) = self.validators.get(operation) else { return Vec::new() };
        if validator.is_valid(reply) {
            return Vec::new();
        }
        validator
            .iter_errors(reply)
            .map(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "the body".to_owned() } else { place };
                format!("{place}: {}", error.masked())
            })
            .collect()
    }
}

/// The JSON Schema of an object with these fields; dotted names are paths.
pub fn schema_of(fields: &IndexMap<String, Field>) -> Value {
    let mut root = object();
    for (name, field) in fields {
        describe(&mut root, name, field);
    }
    root
}

fn object() -> Value {
    json!({ "type": "object", "properties": {}, "required": [] })
}

fn describe(schema: &mut Value, path: &str, field: &Field) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    if head.parse::<usize>().is_ok() {
        // Entries of a list are alike.
        schema["type"] = json!("array");
        if schema["items"].is_null() {
            schema["items"] = object();
        }
        return describe(&mut schema["items"], rest.unwrap_or_default(), field);
    }
    if field.required && field.kinds.is_empty() {
        let required = schema["required"].as_array_mut();
        if let Some(required) = required.filter(|required| !required.contains(&json!(head))) {
            required.push(json!(head));
        }
    }
    match rest {
        None => schema["properties"][head] = of_field(field),
        Some(rest) => {
            if schema["properties"][head].is_null() {
                schema["properties"][head] = object();
            }
            describe(&mut schema["properties"][head], rest, field);
        }
    }
}

fn of_field(field: &Field) -> Value {
    let entry = if field.of.is_empty() { json!({ "type": "string" }) } else { schema_of(&field.of) };
    if let Some(item) = &field.item {
        return json!({
            "type": "object",
            "properties": { item: { "type": "array", "items": entry } },
            "required": [item],
        });
    }
    let mut schema = match field.kind {
        Type::Text | Type::Time | Type::Json => json!({ "type": "string" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::List if field.of.is_empty() && field.is == Meaning::Other => json!({ "type": "array" }),
        Type::List => json!({ "type": "array", "items": entry }),
        Type::Map => json!({ "type": "object" }),
    };
    if let Some(pattern) = &field.pattern {
        schema["pattern"] = json!(format!("^(?:{pattern})$"));
    }
    if field.kind == Type::Time && field.form == TimeForm::Local {
        schema["pattern"] = json!("^([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})?$");
    }
    if field.kind == Type::Time && matches!(field.form, TimeForm::Seconds | TimeForm::Millis) {
        schema = json!({ "type": ["number", "null"] });
    }
    if field.kind == Type::Time && field.form == TimeForm::Iso {
        // Fractions and offsets occur in documented examples.
        schema["pattern"] = json!(
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"
        );
    }
    if !field.values.is_empty() {
        schema["enum"] = json!(field.values);
    }
    schema
}

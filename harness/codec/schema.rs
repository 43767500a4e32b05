//! The JSON Schema of each success reply, made from the spec, and its validators.

use super::shape::Shape;
use super::tree::Tree;
use crate::model::Meaning;
use crate::spec::{Field, Table, TimeForm, Type, Vendor};
use foldhash::{HashMap, HashMapExt};
use serde_json::{Value, json};

/// Times in UTC or with an offset.
pub(super) const ISO: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$";
/// Times in a zone that nobody states, or none.
pub(super) const LOCAL: &str = "^([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})?$";

/// Validators of every operation's success reply.
pub struct ReplySchemas {
    validators: HashMap<String, (Shape, jsonschema::Validator)>,
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
            validators.insert(name.clone(), (Shape::of(&schema), validator));
        }
        Ok(Self { validators })
    }

    /// What in a reply does not fit; empty if it fits. Never quotes the reply: it may hold a value.
    pub fn misfits(&self, operation: &str, reply: &Tree<'_>) -> Vec<String> {
        let Some((shape, validator)) = self.validators.get(operation) else { return Vec::new() };
        if shape.fits(reply) {
            return Vec::new();
        }
        validator
            .iter_errors(&Value::from(reply))
            .map(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "the body".to_owned() } else { place };
                format!("{place}: {}", error.masked())
            })
            .collect()
    }
}

/// The JSON Schema of an object with these fields; dotted names are paths.
pub fn schema_of(fields: &Table<String, Field>) -> Value {
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
        schema["pattern"] = json!(LOCAL);
    }
    if field.kind == Type::Time && matches!(field.form, TimeForm::Seconds | TimeForm::Millis) {
        schema = json!({ "type": ["number", "null"] });
    }
    if field.kind == Type::Time && field.form == TimeForm::Iso {
        // Fractions and offsets occur in documented examples.
        schema["pattern"] = json!(ISO);
    }
    if !field.values.is_empty() {
        schema["enum"] = json!(field.values);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value that mostly fits a schema.
    fn near(schema: &Value, rng: &mut fastrand::Rng) -> Value {
        let odd = [json!(null), json!(7), json!(1.5), json!(""), json!([]), json!({}), json!(true)];
        if rng.u8(..40) == 0 {
            return odd[rng.usize(..odd.len())].clone();
        }
        let texts =
            ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05", "acs:kms:a:b:secret/c", "arn:a", "arn:\r", "v1"];
        match schema["type"].as_str() {
            Some("object") => {
                let all = schema["properties"].as_object().into_iter().flatten();
                let some: Vec<_> = all.filter(|_| rng.u8(..30) > 0).collect();
                some.into_iter().map(|(name, inner)| (name.clone(), near(inner, rng))).collect()
            }
            Some("array") => (0..rng.usize(..3)).map(|_| near(&schema["items"], rng)).collect(),
            Some("string") => match schema["enum"].as_array() {
                Some(values) => values[rng.usize(..values.len())].clone(),
                None => json!(texts[rng.usize(..texts.len())]),
            },
            Some("boolean") => json!(rng.bool()),
            _ => json!(rng.i32(..)),
        }
    }

    #[test]
    fn what_fits_at_a_glance_is_valid() {
        let mut rng = fastrand::Rng::with_seed(7);
        for name in crate::spec::embedded_names() {
            let vendor = crate::spec::embedded(&name).unwrap();
            let mut glances = 0;
            for operation in vendor.spec.operations.values() {
                let schema = schema_of(&operation.reply);
                let (shape, validator) = (Shape::of(&schema), jsonschema::validator_for(&schema).unwrap());
                for _ in 0..300 {
                    let value = near(&schema, &mut rng);
                    if shape.fits(&Tree::from(&value)) {
                        glances += 1;
                        assert!(validator.is_valid(&value), "{name}: {value} does not fit {schema}");
                    }
                }
            }
            assert!(glances > 500, "{name}: only {glances} replies were told to fit at a glance");
        }
    }
}

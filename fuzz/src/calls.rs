//! Bytes as calls and back, and what a call's parameters come out as after they travelled.
//!
//! Four bytes choose vendor, operation, scheme and manner; then names and values, `name=value`, each
//! pair with a zero byte behind it. A name stands for itself, so that dictionaries help.

use crate::{Stage, stage};
use rotaprobe::codec::{Call, Param, Place};
use rotaprobe::sign::Scheme;
use rotaprobe::spec::{Family, Operation, Type};
use serde_json::Value;
use std::sync::Arc;

/// A call, who would get it, and how it is signed.
pub struct Scene {
    /// The vendor.
    pub stage: &'static Stage,
    /// The call: its parameters have names of their own, and none that is common to all calls.
    pub call: Call,
    /// The scheme.
    pub scheme: Arc<Scheme>,
    operation: &'static Operation,
}

/// How a value comes out of what a call was encoded as.
enum Arrival {
    As(String),
    /// It says nothing, and is not there.
    Not,
    /// Its JSON type is lost on the way, or its digits are.
    Somehow,
}

/// Reads a scene.
pub fn read(bytes: &[u8]) -> Option<Scene> {
    let [who, what, how, manner, rest @ ..] = bytes else { return None };
    let stage = stage(*who);
    let operations = &stage.vendor.spec.operations;
    let (name, operation) = operations.get_index(usize::from(*what) % operations.len())?;
    let schemes = &stage.vendor.schemes;
    let scheme = schemes[usize::from(*how) % schemes.len()].clone();
    let mut call = Call::new(name);
    let gets = stage.vendor.spec.protocol.methods.iter().any(|method| method == "GET");
    if manner & 1 == 1 && gets && operation.method.is_none() {
        call.how.method = Some("GET".into());
    }
    call.how.place = [Place::Documented, Place::Query, Place::Body][usize::from(manner >> 1) % 3];
    for pair in rest.split(|byte| *byte == 0) {
        let text = String::from_utf8_lossy(pair);
        let Some((name, value)) = text.split_once('=') else { continue };
        let mut scene = Scene { stage, call, scheme: scheme.clone(), operation };
        if scene.call.get(name).is_none() && scene.takes(name) {
            scene.call.params.push(Param {
                name: name.into(),
                value: value.into(),
                place: Place::Documented,
            });
        }
        call = scene.call;
    }
    Some(Scene { stage, call, scheme, operation })
}

/// Writes a scene: `who`, `what` and `how` are indices, and the manner is the usual one.
pub fn write(who: u8, what: u8, how: u8, params: &[(String, String)]) -> Vec<u8> {
    let mut out = vec![who, what, how, 0];
    for (name, value) in params {
        out.extend_from_slice(format!("{name}={value}\0").as_bytes());
    }
    out
}

impl Scene {
    fn family(&self) -> Family {
        self.stage.vendor.spec.protocol.family
    }

    /// Whether a parameter of this name comes out again: those documented do, and others where nothing
    /// common to all calls, and no member of another, has the name.
    fn takes(&self, name: &str) -> bool {
        let documented = &self.operation.parameters;
        let within = format!("{name}.");
        documented.contains_key(name)
            || self.family() != Family::RestJson
                && !name.is_empty()
                && !name.contains('.')
                && !self.common(name)
                && !documented.keys().any(|other| other.starts_with(&within))
    }

    /// Whether a name is common to all calls.
    pub fn common(&self, name: &str) -> bool {
        let protocol = &self.stage.vendor.spec.protocol;
        let mut namings = [&protocol.operation, &protocol.version].into_iter().chain(&protocol.also);
        let own = self.scheme.parameters().is_some_and(|it| {
            [&it.key_id, &it.timestamp, &it.nonce, &it.token, &it.signature, &it.method, &it.operation]
                .into_iter()
                .chain(it.constants.keys())
                .any(|own| own == name)
        });
        own || name == "Format" || namings.any(|naming| naming.parameter.as_deref() == Some(name))
    }

    /// Whether a parameter travels as a JSON value.
    fn in_json(&self, name: &str) -> bool {
        let get = self.call.how.method.as_deref() == Some("GET");
        match self.family() {
            Family::RpcQuery => false,
            Family::JsonAction => !get && self.scheme.parameters().is_none(),
            Family::RestJson => {
                let in_path =
                    self.operation.path.as_ref().is_some_and(|it| it.contains(&format!("{{{name}}}")));
                let by_query = matches!(self.operation.method.as_deref(), Some("GET" | "DELETE"));
                let stated = self.operation.parameters.get(name).and_then(|it| it.place);
                !in_path && stated.map_or(!by_query, |place| place == rotaprobe::spec::Location::Body)
            }
        }
    }

    fn kind(&self, name: &str) -> Type {
        self.operation.parameters.get(name).map_or(Type::Text, |it| it.kind)
    }

    fn arrival(&self, param: &Param) -> Arrival {
        let as_it_is = || Arrival::As(param.value.clone());
        let kind = self.kind(&param.name);
        if !matches!(kind, Type::List | Type::Map) || self.family() == Family::RpcQuery {
            return as_it_is();
        }
        let json = self.in_json(&param.name);
        if self.family() == Family::RestJson && !json {
            return as_it_is();
        }
        match serde_json::from_str::<Value>(&param.value) {
            Err(_) => as_it_is(),
            Ok(value) if json && (vague(&value) || depth(&value) > 100) => Arrival::Somehow,
            Ok(Value::Null) if json => Arrival::Not,
            Ok(Value::String(text)) if json => Arrival::As(text),
            Ok(value) if json => Arrival::As(value.to_string()),
            Ok(value) if value.is_array() == (kind == Type::List) && all_text(&value) => {
                Arrival::As(value.to_string())
            }
            Ok(_) => Arrival::Somehow,
        }
    }

    /// Holds what came out against what went in.
    pub fn compare(&self, came: &[(String, String)], mistyped: &[String]) {
        let mut wanted: Vec<(String, String)> = Vec::new();
        let mut somehow: Vec<&str> = Vec::new();
        for param in &self.call.params {
            match self.arrival(param) {
                Arrival::As(value) => wanted.push((param.name.clone(), value)),
                Arrival::Not => {}
                Arrival::Somehow => somehow.push(&param.name),
            }
        }
        // What a path leaves out stands there as nothing.
        for (name, _) in self
            .operation
            .path
            .iter()
            .flat_map(|path| path.split('{').skip(1))
            .filter_map(|it| it.split_once('}'))
        {
            if self.call.get(name).is_none() {
                wanted.push((name.to_owned(), String::new()));
            }
        }
        let about = |name: &str| {
            let head = name.split('.').next().unwrap_or_default();
            somehow.iter().any(|it| *it == name || *it == head)
        };
        let mut came: Vec<_> =
            came.iter().filter(|(name, _)| !self.common(name) && !about(name)).cloned().collect();
        came.sort();
        wanted.sort();
        assert_eq!(came, wanted, "{:?}", self.call);
        for param in &self.call.params {
            let fits = !self.in_json(&param.name) || self.well_typed(param);
            let silent = matches!(self.arrival(param), Arrival::Not);
            assert_eq!(!mistyped.contains(&param.name), fits || silent, "{param:?} of {:?}", self.call);
        }
    }

    /// Whether the text of a parameter travels as the JSON type that is documented.
    fn well_typed(&self, param: &Param) -> bool {
        let text = param.value.as_str();
        match self.kind(&param.name) {
            Type::Text | Type::Time | Type::Json => true,
            Type::Integer => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
            Type::Boolean => text == "true" || text == "false",
            Type::List => serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_array()),
            Type::Map => serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object()),
        }
    }

    /// Whether the path of the call is that of an operation before its own, too.
    pub fn ambiguous(&self, path: &str) -> bool {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |other: &Operation| {
            let template: Vec<&str> = other.path.as_deref().unwrap_or_default().split('/').collect();
            template.len() == given.len()
                && template
                    .iter()
                    .zip(&given)
                    .all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
        };
        let all = self.stage.vendor.spec.operations.iter();
        self.family() == Family::RestJson
            && all
                .take_while(|(name, _)| **name != self.call.operation)
                .any(|(_, other)| other.method == self.operation.method && fits(other))
    }
}

/// Whether a value has numbers that are no whole ones: their digits need not come back.
fn vague(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(list) => list.iter().any(vague),
        Value::Object(map) => map.values().any(vague),
        _ => false,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whether a value keeps its form as pairs `name.0.key=text`: nothing in it is empty or no text.
fn all_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(list) => !list.is_empty() && list.len() <= 1_000 && list.iter().all(all_text),
        Value::Object(map) => {
            let plain = |key: &String| !key.contains('.') && key.parse::<usize>().is_err();
            !map.is_empty() && map.iter().all(|(key, value)| plain(key) && all_text(value))
        }
        _ => false,
    }
}

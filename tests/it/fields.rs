//! Whether it is noticed when a reply states something else than it should: field by field, each operation.

use crate::judge::{judged, recorded};
use rotaprobe::campaign;
use rotaprobe::model::Meaning;
use rotaprobe::spec::{self, Vendor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fields that may say anything, as far as one reply can tell, and why.
const OPEN: &[(&str, &str, &str)] = &[
    ("alibaba", "CreateSecret.ExtendedConfig", "the service adds to what it was given"),
    ("alibaba", "ListSecrets.SecretList.Secret.*.SecretName", "others may make and delete secrets meanwhile"),
    ("alibaba", "ListSecrets.TotalCount", "others may make and delete secrets meanwhile"),
    ("tencent", "ListSecrets.Response.SecretMetadatas.*.SecretName", "others may make and delete secrets"),
    ("tencent", "ListSecrets.Response.TotalCount", "others may make and delete secrets meanwhile"),
    ("aws", "ListSecretVersionIds.NextToken", "only the service knows what it stands for"),
    ("huawei", "CreateSecret.secret.kms_key_id", "nobody named a key, so any may be the default"),
    ("huawei", "CreateSecret.secret.next_rotation_time", "how the next date is reckoned is not said"),
    ("huawei", "UpdateSecret.secret.next_rotation_time", "how the next date is reckoned is not said"),
    ("huawei", "ListSecretVersions.page_info.next_marker", "only the service knows what it stands for"),
    ("huawei", "ListSecretTask.tasks.*.task_status", "an unknown word means that the task goes on"),
    ("tencent", "CreateProductSecret.Response.FlowID", "only the service knows what it stands for"),
    ("tencent", "RotateProductSecret.Response.FlowID", "only the service knows what it stands for"),
];

/// What documents leave open altogether, by operation: how a restored secret is, or one that is being deleted.
const OPEN_AT: &[(&str, &str, &str)] = &[
    ("huawei", "RestoreSecret.secret.", "LIFE-3 is unspecified"),
    ("huawei", "DeleteSecretForSchedule.secret.", "what of its schedule such a secret shows is not said"),
];

/// Occurrences of a field that are tried at most, beside the first one in each exercise.
const TRIES: usize = 12;

fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                path.push(name.clone());
                leaves(inner, path, found);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                path.push(at.to_string());
                leaves(inner, path, found);
                path.pop();
            }
        }
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        _ => found.push(path.clone()),
    }
}

/// Something else of the same type.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => Value::from(!flag),
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(0.0);
            // Times move by more than any slack.
            let far = if number > 1e11 {
                4e10
            } else if number > 1e9 {
                4e7
            } else {
                1.0
            };
            Value::from((number + far) as i64)
        }
        Value::String(text) if text.len() > 10 && text.as_bytes()[4] == b'-' && text.starts_with("20") => {
            Value::from(format!("2031{}", &text[4..]))
        }
        Value::String(text) => Value::from(format!("{text}x")),
        other => other.clone(),
    }
}

/// Whether documents give the field a meaning that a reply can be held to.
fn means_something(vendor: &Vendor, operation: &str, path: &[String]) -> bool {
    let Some(described) = vendor.spec.operations.get(operation) else { return false };
    let parts: Vec<&str> = path.iter().map(String::as_str).filter(|part| *part != "Response").collect();
    // The longest name that a field has: what is inside of it belongs to it.
    let named = (1..=parts.len()).rev().find_map(|count| described.reply.get(&parts[..count].join(".")));
    named.is_some_and(|field| !matches!(field.is, Meaning::Other | Meaning::RequestId))
}

#[test]
fn whatever_a_reply_states_wrongly_is_noticed() {
    let mut missed = Vec::new();
    for name in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&name).unwrap());
        let (_, file) = recorded(&vendor, &[], None);
        let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Where the history begins that a line belongs to, and where it ends.
        let mut starts: Vec<usize> =
            (1..lines.len()).filter(|at| lines[*at].get("begins").is_some()).collect();
        starts.push(lines.len());
        let mut found: BTreeMap<String, Vec<(usize, usize, Vec<String>)>> = BTreeMap::new();
        for (part, bounds) in starts.windows(2).enumerate() {
            for (at, line) in lines.iter().enumerate().take(bounds[1]).skip(bounds[0]) {
                let call = &line["call"];
                let response = &call["result"]["response"];
                let (Some(operation), Some(body)) = (call["operation"].as_str(), response["body"].as_str())
                else {
                    continue;
                };
                let body: Value = match serde_json::from_str(body) {
                    Ok(body) if response["status"] == 200 => body,
                    _ => continue,
                };
                let mut paths = Vec::new();
                leaves(&body, &mut Vec::new(), &mut paths);
                for path in paths.into_iter().filter(|path| means_something(&vendor, operation, path)) {
                    let general =
                        path.iter().map(|part| match part.bytes().any(|byte| byte.is_ascii_digit()) {
                            true => "*",
                            false => part.as_str(),
                        });
                    let place = format!("{operation}.{}", general.collect::<Vec<_>>().join("."));
                    found.entry(place).or_default().push((part, at, path));
                }
            }
        }
        assert!(found.len() > 20, "{name}: {:?}", found.keys());
        for (place, all) in found {
            let open = OPEN.iter().any(|(whose, field, _)| *whose == name && *field == place)
                || OPEN_AT.iter().any(|(whose, of, _)| *whose == name && place.starts_with(of));
            let noticed = |(part, at, path): &(usize, usize, Vec<String>)| {
                let mut changed = lines[*at].clone();
                let body = changed["call"]["result"]["response"]["body"].as_str().unwrap().to_owned();
                let mut body: Value = serde_json::from_str(&body).unwrap();
                let field = body.pointer_mut(&format!("/{}", path.join("/"))).unwrap();
                *field = other(field);
                changed["call"]["result"]["response"]["body"] = Value::from(body.to_string());
                let history = (starts[*part]..starts[part + 1])
                    .map(|line| if line == *at { changed.to_string() } else { lines[line].to_string() });
                let text: Vec<String> = std::iter::once(lines[0].to_string()).chain(history).collect();
                let rules = campaign::select(&[]).unwrap();
                judged(&vendor, &rules, &(text.join("\n") + "\n")).unwrap().summary.rules.violated > 0
            };
            let step = all.len().div_ceil(TRIES);
            let firsts = all.iter().enumerate().filter(|(at, it)| *at == 0 || all[at - 1].0 != it.0);
            let mut tried = all.iter().step_by(step).chain(firsts.map(|(_, it)| it));
            if !open && !tried.any(noticed) {
                missed.push(format!("{name} {place}"));
            }
        }
    }
    assert!(missed.is_empty(), "nobody notices what these say:\n{}", missed.join("\n"));
}

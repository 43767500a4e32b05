//! The `rest-json` family: method and path are the operation; parameters travel in path, query and a
//! JSON body.

use super::rpc_query::append;
use super::{Call, Inbound, Param, members};
use crate::model::{Condition, Meaning};
use crate::spec::{Format, Location, Operation, Vendor};
use crate::wire::{Headers, Request, percent};

/// Where a parameter travels.
fn place(operation: &Operation, method: &str, name: &str) -> Location {
    let path = operation.path.as_deref().unwrap_or_default();
    let stated = operation.parameters.get(name).and_then(|parameter| parameter.place);
    let named = |rest: &str| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('}'));
    match () {
        () if path.split('{').skip(1).any(named) => Location::Path,
        () => stated.unwrap_or(if matches!(method, "GET" | "DELETE") {
            Location::Query
        } else {
            Location::Body
        }),
    }
}

pub(super) fn encode_call(vendor: &Vendor, call: &Call, host: &str) -> Request {
    let protocol = &vendor.spec.protocol;
    let described = vendor.spec.operations.get(&call.operation);
    let own = described.and_then(|it| it.method.clone()).unwrap_or_else(|| "POST".into());
    let method = call.how.method.clone().unwrap_or_else(|| own.clone());
    let mut headers = Headers::new();
    headers.add("host", host);
    headers.add("content-type", protocol.content_type.as_str());
    let project =
        described.and_then(|it| it.parameter(Meaning::Project)).and_then(|(name, _)| call.get(name));
    for (name, value) in &protocol.headers {
        let value = value.replace("{region}", &protocol.region);
        // Not every text can stand in a header.
        let project = percent::encode(project.unwrap_or_default());
        headers.add(name.as_str(), value.replace("{project}", &project));
    }
    // An operation that nobody documents has a path that nobody documents.
    let unknown = || format!("{}/{}", protocol.path.trim_end_matches('/'), percent::encode(&call.operation));
    let mut path = described.and_then(|it| it.path.clone()).unwrap_or_else(unknown);
    let mut query = String::new();
    let mut inside: Vec<&Param> = Vec::new();
    for param in &call.params {
        match described.map_or(Location::Query, |it| place(it, &own, &param.name)) {
            Location::Path => {
                path = path.replace(&format!("{{{}}}", param.name), &percent::encode(&param.value));
            }
            Location::Query => append(&mut query, &param.name, &param.value),
            Location::Body => inside.push(param),
        }
    }
    // What is left out leaves its segment empty.
    while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
        if to < from {
            break;
        }
        path.replace_range(from..=to, "");
    }
    let body = if inside.is_empty() { String::new() } else { members::write(described, inside) };
    let path = call.how.path.clone().unwrap_or(path);
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    Request { method, target, headers, body: body.into_bytes() }
}

pub(super) fn decode_call(vendor: &Vendor, request: &Request) -> Result<Inbound, (Condition, Format)> {
    let refuse = |condition| Err((condition, Format::Json));
    let mut path_known = false;
    for (name, operation) in &vendor.spec.operations {
        let Some(mut params) = operation.path.as_deref().and_then(|path| fit(path, request.path())) else {
            continue;
        };
        path_known = true;
        if operation.method.as_deref() != Some(&request.method) {
            continue;
        }
        params.extend(percent::pairs(request.query()));
        let mut mistyped = Vec::new();
        let takes_body =
            operation.parameters.keys().any(|name| place(operation, &request.method, name) == Location::Body);
        if takes_body && !request.body.iter().all(u8::is_ascii_whitespace) {
            let Some((inside, wrong)) = members::read(operation, &request.body) else {
                return refuse(Condition::BadBody);
            };
            params.extend(inside);
            mistyped = wrong;
        }
        return Ok(Inbound { operation: name.clone(), params, format: Format::Json, mistyped });
    }
    refuse(if path_known { Condition::BadMethod } else { Condition::UnknownOperation })
}

/// The parameters that a path gives, if it has the form of a template.
fn fit(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let is_name = |part: &str| part.starts_with('{') && part.ends_with('}') && part.len() > 1;
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    // Most templates are none of it: nothing is made before it is known that this one is.
    loop {
        match (wanted.next(), given.next()) {
            (Some(wanted), Some(given)) if wanted == given || is_name(wanted) => {}
            (None, None) => break,
            _ => return None,
        }
    }
    let parts = template.split('/').zip(path.split('/'));
    let named = parts.filter_map(|(part, given)| Some((part.strip_prefix('{')?.strip_suffix('}')?, given)));
    Some(named.map(|(name, given)| (name.to_owned(), percent::decode(given))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_its_parameters() {
        let fitted = fit("/v1/{project}/secrets/{name}/rotate", "/v1/p/secrets/a%2Fb/rotate");
        assert_eq!(fitted, Some(vec![("project".into(), "p".into()), ("name".into(), "a/b".into())]));
        assert_eq!(fit("/v1/{project}/secrets", "/v1/p/secrets/a"), None);
        assert_eq!(fit("/v1/{project}/secrets", "/v2/p/secrets"), None);
    }
}

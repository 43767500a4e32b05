//! How a request names its operation, its API version, and whatever else is common to all calls.

use super::Call;
use crate::sign::Scheme;
use crate::spec::{Naming, Vendor};
use crate::wire::{Request, percent};

/// What a request names, by where it stands.
pub(super) struct Named {
    /// Header lines.
    pub(super) in_headers: Vec<(String, String)>,
    /// Parameters.
    pub(super) in_params: Vec<(String, String)>,
}

/// What a call names under a scheme: where the signature covers parameters, parameters name it.
pub(super) fn named(vendor: &Vendor, call: &Call, scheme: &Scheme) -> Named {
    let protocol = &vendor.spec.protocol;
    let version = call.how.version.as_ref().unwrap_or(&vendor.spec.version);
    let mut named = Named { in_headers: Vec::new(), in_params: Vec::new() };
    let mut put = |naming: &Naming, value: &str| {
        let in_params = naming.in_query || scheme.operation_parameter().is_some();
        match (&naming.parameter, &naming.header) {
            (Some(parameter), _) if in_params => named.in_params.push((parameter.clone(), value.to_owned())),
            (_, Some(header)) => named.in_headers.push((header.clone(), format!("{}{value}", naming.prefix))),
            _ => {}
        }
    };
    put(&protocol.operation, &call.operation);
    put(&protocol.version, version);
    for naming in &protocol.also {
        let value = naming.value.as_deref().unwrap_or_default().replace("{region}", &protocol.region);
        put(naming, &value);
    }
    named
}

/// What a request names in this place.
pub(super) fn heard(
    naming: &Naming,
    request: &Request,
    params: &[(String, String)],
    scheme: &Scheme,
) -> Option<String> {
    let parameter = |name: &String| match naming.in_query {
        true => percent::each_pair(request.query())
            .find(|(given, _)| given == name)
            .map(|(_, it)| it.into_owned()),
        false => params.iter().find(|(given, _)| given == name).map(|(_, it)| it.clone()),
    };
    match (&naming.parameter, &naming.header) {
        (Some(name), _) if naming.in_query || scheme.operation_parameter().is_some() => parameter(name),
        (_, Some(header)) => {
            request.headers.text(header).and_then(|text| text.strip_prefix(&naming.prefix)).map(str::to_owned)
        }
        _ => None,
    }
}

/// Names that are common to all calls and no parameters of an operation.
pub(super) fn is_common(vendor: &Vendor, scheme: &Scheme, name: &str) -> bool {
    let protocol = &vendor.spec.protocol;
    let namings = [&protocol.operation, &protocol.version].into_iter().chain(&protocol.also);
    namings.into_iter().any(|naming| naming.parameter.as_deref() == Some(name))
        || scheme.parameters().is_some_and(|it| it.is_own(name))
}

//! Requests as bytes on the wire, and without their signature.

use rotaprobe::sign::{Form, Scheme};
use rotaprobe::wire::{Request, percent};

/// A request as HTTP/1.1.
pub fn bytes(request: &Request) -> Vec<u8> {
    let mut out = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in request.headers.iter() {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    if !request.body.is_empty() && request.headers.get("content-length").is_none() {
        out.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&request.body);
    out
}

/// Takes away what a scheme added, so that the request can be signed anew.
pub fn unsign(request: &mut Request, scheme: &Scheme) {
    match &scheme.form {
        Form::CanonicalRequest(_) => request.headers.remove("authorization"),
        Form::Token(it) => request.headers.remove(&it.header),
        Form::Parameters(it) => {
            let kept = |text: &str| {
                let foreign = |pair: &&str| {
                    let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
                    !it.is_own(&percent::decode(&name))
                };
                text.split('&').filter(foreign).collect::<Vec<_>>().join("&")
            };
            if let Some((path, query)) = request.target.split_once('?') {
                let query = kept(query);
                request.target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
            }
            if let Ok(body) = std::str::from_utf8(&request.body) {
                request.body = kept(body).into_bytes();
            }
        }
    }
}

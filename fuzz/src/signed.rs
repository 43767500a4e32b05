//! What a signature covers, as a value: two requests whose views are equal may carry the same signature.
//!
//! The views follow the vendors' pages on signatures: which parts of a request are signed, and which
//! spellings of a part are one and the same.

use rotaprobe::sign::{CanonicalRequest, Form, Parameters, Scheme};
use rotaprobe::wire::Request;

/// The parts that a signature covers, and the signature with what belongs to it.
pub fn view(scheme: &Scheme, request: &Request) -> Vec<Vec<u8>> {
    match &scheme.form {
        Form::CanonicalRequest(it) => canonical(it, request),
        Form::Parameters(it) => parameters(it, request),
        Form::Token(it) => vec![request.headers.get(&it.header).unwrap_or_default().to_vec()],
    }
}

fn canonical(it: &CanonicalRequest, request: &Request) -> Vec<Vec<u8>> {
    let mut view: Vec<Vec<u8>> = vec![request.method.clone().into_bytes()];
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let end = if it.slash && !path.ends_with('/') { "/" } else { "" };
    view.push(format!("{path}{end}").into_bytes());
    if it.raw_query {
        view.push(query.as_bytes().to_vec());
    } else {
        view.extend(sorted(pairs(query.as_bytes())));
    }
    let authorization = request.headers.get("authorization").unwrap_or_default();
    let word = authorization.split(|byte| *byte == b' ').next().unwrap_or_default();
    view.push(word.to_vec());
    let part = |name: &str| -> Vec<u8> {
        let rest = authorization.get(word.len()..).unwrap_or_default();
        let start = format!("{name}=").into_bytes();
        let mut parts = rest.split(|byte| *byte == b',').map(trimmed);
        parts.find_map(|part| part.strip_prefix(start.as_slice())).unwrap_or_default().to_vec()
    };
    let names = part("SignedHeaders");
    view.extend([part(&it.key_id), part("Signature"), names.clone()]);
    for name in names.split(|byte| *byte == b';') {
        let name = String::from_utf8_lossy(name);
        for value in request.headers.all(&name) {
            let mut value = value.trim_ascii().to_vec();
            if it.host_without_port && name == "host" {
                let end = value.iter().rposition(|byte| *byte == b':').unwrap_or(value.len());
                value.truncate(end);
            }
            view.push(if it.lower_values { value.to_ascii_lowercase() } else { value });
        }
    }
    if it.signs_date {
        view.push(request.headers.get(&it.date).unwrap_or_default().to_vec());
    }
    view.push(request.body.clone());
    view
}

fn parameters(it: &Parameters, request: &Request) -> Vec<Vec<u8>> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut all = pairs(query.as_bytes());
    let kind = request.headers.text("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        all.extend(pairs(&request.body));
    }
    let own = |name: &[u8]| name == it.signature.as_bytes();
    let signature = all.iter().find(|(name, _)| own(name)).map(|(_, value)| value.clone());
    all.retain(|(name, _)| !own(name));
    let mut view = vec![request.method.clone().into_bytes(), signature.unwrap_or_default()];
    if it.raw {
        // Pairs are joined as they are, so that what looks like two of them may be one.
        let host = request.headers.text("host").unwrap_or_default();
        view.push(format!("{host}{path}").into_bytes());
        all.sort();
        let all: Vec<Vec<u8>> = all.into_iter().map(|(name, value)| [name, value].join(&b'=')).collect();
        view.push(all.join(&b'&'));
    } else {
        view.extend(sorted(all));
    }
    view
}

type Pair = (Vec<u8>, Vec<u8>);

fn sorted(mut pairs: Vec<Pair>) -> Vec<Vec<u8>> {
    pairs.sort();
    pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

/// Names and values, decoded: a plus is a blank, and what is no UTF-8 is one and the same.
fn pairs(text: &[u8]) -> Vec<Pair> {
    let whole = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    whole
        .map(|pair| {
            let cut = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            (decoded(&pair[..cut]), decoded(pair.get(cut + 1..).unwrap_or_default()))
        })
        .collect()
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match (text[at], digit(at + 1).zip(digit(at + 2))) {
            (b'%', Some((high, low))) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (other, _) => out.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned().into_bytes()
}

fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Changes one byte of a request: which one, and into what. Nothing where no such change is a request.
pub fn changed(request: &Request, place: usize, to: u8) -> Option<Request> {
    let mut other = request.clone();
    let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let mut at = place % (request.method.len() + request.target.len() + headers + request.body.len()).max(1);
    // Text may only become other text that can stand in a head.
    let graphic = b'!' + to % (b'~' - b'!' + 1);
    let text = |text: &str, at: usize| -> Option<String> {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = graphic;
        String::from_utf8(bytes).ok()
    };
    if at < request.method.len() {
        other.method = text(&request.method, at)?;
        return Some(other);
    }
    at -= request.method.len();
    if at < request.target.len() {
        other.target = text(&request.target, at)?;
        return Some(other);
    }
    at -= request.target.len();
    other.headers = Default::default();
    for (name, value) in request.headers.iter() {
        let (mut name, mut value) = (name.to_owned(), value.to_vec());
        if at < name.len() {
            name = text(&name, at)?;
            at = usize::MAX;
        } else if at < name.len() + value.len() {
            value[at - name.len()] = graphic;
            at = usize::MAX;
        } else if at != usize::MAX {
            at -= name.len() + value.len();
        }
        other.headers.add(name, value);
    }
    if at < request.body.len() {
        other.body[at] = to;
    }
    Some(other)
}

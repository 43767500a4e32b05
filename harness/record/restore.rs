//! From lines back to what happened: what was left out is told from the rest.

use super::line::{
    Adopted, Answer, CallLine, Came, Header, HowLine, ParamLine, Period, PlaceName, Sent, Version,
};
use crate::codec::{self, Call, How, Param, Place};
use crate::history::{Entry, Exchange, Span};
use crate::model::{self, Id, Life, Policy, SOMETIME, Secret, Text, Value, When};
use crate::spec::Vendor;
use crate::wire::{Headers, Request, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Seconds that the endpoint's clock may be away from the `Date` of its reply.
const DATE_SLACK: i64 = 2;
/// The last time that is one: the end of the year 9999.
const LAST: i64 = 253_402_300_799;
/// Accounts that a file may speak of.
const ACCOUNTS: usize = 64;

/// What is wrong with a line: where in it, and what to do.
pub(super) type Wrong = (&'static str, String);

fn wrong<T>(path: &'static str, why: impl Into<String>) -> Result<T, Wrong> {
    Err((path, why.into()))
}

/// A time that can be one.
pub(super) fn time(path: &'static str, at: i64) -> Result<i64, Wrong> {
    match at {
        0..=LAST => Ok(at),
        _ => wrong(path, format!("{at} is no time: give Unix seconds, from 0 to {LAST}")),
    }
}

fn period(path: &'static str, period: Period) -> Result<When, Wrong> {
    let when = When { lo: time(path, period.from)?, hi: time(path, period.to)? };
    match when.lo <= when.hi {
        true => Ok(when),
        false => wrong(path, "it ends before it begins: swap `from` and `to`"),
    }
}

pub(super) fn account(path: &'static str, account: usize) -> Result<usize, Wrong> {
    match account < ACCOUNTS {
        true => Ok(account),
        false => wrong(path, format!("{account} is no account: they count from 0, up to {}", ACCOUNTS - 1)),
    }
}

/// The call of a line; `after` is when the one before it ended.
pub(super) fn call(vendor: &Vendor, line: CallLine, after: u64) -> Result<Entry, Wrong> {
    let call = Call {
        operation: line.operation,
        params: line.params.into_iter().map(param).collect(),
        account: account("call.account", line.account)?,
        how: how(vendor, line.how)?,
    };
    let result = match line.result {
        Came::Lost(lost) => Err(lost),
        Came::Response(answer) => {
            let response = response(answer)?;
            let reply = codec::decode_reply(vendor, &call.operation, &response);
            Ok((response, reply))
        }
    };
    let when = match (line.when, &result) {
        (Some(given), _) => period("call.when", given)?,
        (None, Ok((response, _))) if date_of(response).is_some() => {
            let date = date_of(response).unwrap_or_default();
            When { lo: date - DATE_SLACK, hi: date + DATE_SLACK }
        }
        (None, _) => {
            return wrong("call.when", "the reply has no `Date` that tells when it was: give `when`");
        }
    };
    let span = line.span.unwrap_or(Span { began: after, ended: after });
    if span.ended < span.began {
        return wrong("call.span", "it ends before it begins: swap `began` and `ended`");
    }
    let request = match line.request {
        Some(sent) => request(sent)?,
        None => encoded(vendor, &call),
    };
    let key_shown = line.key_shown;
    Ok(Entry::Call(Box::new(Exchange { call, tamper: line.tamper, request, when, span, result, key_shown })))
}

/// The request as the client would have made it, for reports to quote.
fn encoded(vendor: &Vendor, call: &Call) -> Request {
    let scheme = call.how.scheme.as_ref().or_else(|| vendor.scheme());
    scheme.map(|scheme| codec::encode_call(vendor, call, scheme, "ENDPOINT")).unwrap_or_default()
}

/// The `Date` of a reply, Unix seconds.
fn date_of(response: &Response) -> Option<i64> {
    let at = httpdate::parse_http_date(response.headers.text("date")?).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().filter(|at| (DATE_SLACK..LAST).contains(at))
}

fn param(line: ParamLine) -> Param {
    Param { name: line.name, value: line.value, place: line.place.into() }
}

impl From<PlaceName> for Place {
    fn from(place: PlaceName) -> Self {
        match place {
            PlaceName::Documented => Self::Documented,
            PlaceName::Query => Self::Query,
            PlaceName::Body => Self::Body,
            PlaceName::Raw => Self::Raw,
        }
    }
}

fn how(vendor: &Vendor, line: HowLine) -> Result<How, Wrong> {
    let HowLine { scheme, method, format, version, path, place } = line;
    let scheme = match scheme {
        None => None,
        Some(name) => match vendor.schemes.iter().find(|scheme| scheme.name == name) {
            Some(scheme) => Some(scheme.clone()),
            None => {
                let known: Vec<&str> = vendor.schemes.iter().map(|scheme| scheme.name.as_str()).collect();
                let known = known.join(", ");
                return wrong(
                    "call.how.scheme",
                    format!("`{name}` is no signing scheme here; known: {known}"),
                );
            }
        },
    };
    Ok(How { scheme, method, format, version, path, place: place.into() })
}

fn request(sent: Sent) -> Result<Request, Wrong> {
    let Sent { method, target, headers, body, base64 } = sent;
    let body = bytes("call.request", [body.map(String::into_bytes), None], base64)?;
    Ok(Request { method, target, headers: lines("call.request.headers", headers)?, body })
}

fn response(answer: Answer) -> Result<Response, Wrong> {
    let Answer { status, headers, body, json, base64 } = answer;
    if !(100..=999).contains(&status) {
        return wrong("call.result.response.status", format!("{status} is no HTTP status: give 100 to 999"));
    }
    let json = json.map(|json| json.to_string().into_bytes());
    let body = bytes("call.result.response", [body.map(String::into_bytes), json], base64)?;
    Ok(Response { status, headers: lines("call.result.response.headers", headers)?, body })
}

/// A body in whichever form it was given.
fn bytes(path: &'static str, plain: [Option<Vec<u8>>; 2], base64: Option<String>) -> Result<Vec<u8>, Wrong> {
    let mut given: Vec<Vec<u8>> = plain.into_iter().flatten().collect();
    if let Some(text) = base64 {
        match STANDARD.decode(&text) {
            Ok(bytes) => given.push(bytes),
            Err(error) => {
                return wrong(path, format!("`base64` is none ({error}): encode it anew, or give `body`"));
            }
        }
    }
    match given.len() {
        0 | 1 => Ok(given.pop().unwrap_or_default()),
        _ => wrong(path, "the body is given twice: leave one form of it"),
    }
}

fn lines(path: &'static str, lines: Vec<Header>) -> Result<Headers, Wrong> {
    let mut headers = Headers::new();
    for Header { name, value, base64 } in lines {
        if value.is_none() && base64.is_none() {
            return wrong(path, format!("the header `{name}` has no `value`: give one"));
        }
        let value = bytes(path, [value.map(String::into_bytes), None], base64)?;
        headers.add(name, value);
    }
    Ok(headers)
}

/// The secret of a line that was there already.
pub(super) fn adopted(vendor: &Vendor, line: Adopted) -> Result<Entry, Wrong> {
    let kind = match &line.kind {
        None => 0,
        Some(name) => match vendor.spec.kinds.get_index_of(name) {
            Some(kind) => kind,
            None => {
                let known: Vec<&str> = vendor.spec.kinds.keys().map(String::as_str).collect();
                let known = known.join(", ");
                return wrong("adopted.kind", format!("`{name}` is no kind of secret here; known: {known}"));
            }
        },
    };
    let some = |path, given: Option<Period>| given.map(|given| period(path, given)).transpose();
    let every = line.every.map(|every| time("adopted.every", every)).transpose()?;
    let made = line.made.unwrap_or_else(|| u32::try_from(line.versions.len()).unwrap_or(u32::MAX));
    if made > u32::MAX / 2 {
        return wrong("adopted.made", "nobody makes so many versions: give their number, or leave it out");
    }
    let secret = Secret {
        arn: line.arn.map(Text::from),
        kind,
        life: Life::Active,
        versions: line.versions.into_iter().map(version).collect::<Result<_, Wrong>>()?,
        dropped: Vec::new(),
        policy: Policy { on: line.automatic, every },
        created: some("adopted.created", line.created)?.unwrap_or(WHENEVER),
        last: some("adopted.last", line.last)?,
        next: some("adopted.next", line.next)?,
        settings: Vec::new().into(),
        made,
        making: None,
        pending: None,
        function: line.function.map(Text::from),
        schedule: line.schedule.map(Text::from),
        jumbled: false,
        asked: Vec::new(),
    };
    let account = account("adopted.account", line.account)?;
    Ok(Entry::Adopted { account, name: line.name, secret: Box::new(secret) })
}

/// A time of which nothing is known.
const WHENEVER: When = When { lo: 0, hi: SOMETIME };

fn version(line: Version) -> Result<model::Version, Wrong> {
    let created = line.created.map(|given| period("adopted.versions", given)).transpose()?;
    let shown = model::Version::new(Id::Known(line.id.into()), Value::Unseen, created.unwrap_or(WHENEVER));
    Ok(model::Version { stages: line.stages.into_iter().map(Text::from).collect(), ..shown })
}

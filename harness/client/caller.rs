//! Makes one call: encodes, signs, sends, decodes, and writes down what happened.

use super::tamper;
use super::transport::{Timed, Transport};
use crate::codec::{self, Call};
use crate::history::{Attempt, Exchange, Span, Tamper};
use crate::model::{Meaning, When};
use crate::sign::{Credentials, Signing};
use crate::spec::Vendor;
use crate::wire::{Request, Response, hex};
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seconds that the endpoint's clock may be away from its `Date` header.
const DATE_SLACK: i64 = 2;
/// Seconds that the endpoint's clock may be away from ours, where it tells no date.
const BLIND_SLACK: i64 = 10;

/// The time here, Unix seconds.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Makes calls at one endpoint with the access keys of one or more accounts.
pub struct Caller {
    vendor: Arc<Vendor>,
    transport: Arc<dyn Transport>,
    credentials: Vec<Credentials>,
    confidential: Vec<Finder<'static>>,
    host: String,
    timeout: Duration,
    now: Now,
    /// Seconds that the endpoint's clock is ahead of ours.
    ahead: i64,
    /// Whether the endpoint tells the date.
    dated: bool,
    rng: fastrand::Rng,
    last: Option<Request>,
    began: Instant,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Caller({})", self.host)
    }
}

impl Caller {
    /// A caller; `host` is what the `host` header says, `timeout` is for one call.
    pub fn new(
        vendor: Arc<Vendor>,
        transport: Arc<dyn Transport>,
        credentials: Vec<Credentials>,
        host: &str,
        timeout: Duration,
        now: Now,
        seed: u64,
    ) -> Self {
        let rng = fastrand::Rng::with_seed(seed ^ 0x005E_C2E7);
        let host = host.to_owned();
        let confidential = confidential(&credentials);
        Self {
            vendor,
            transport,
            credentials,
            confidential,
            host,
            timeout,
            now,
            ahead: 0,
            dated: false,
            rng,
            last: None,
            began: Instant::now(),
        }
    }

    /// How many accounts there are access keys for.
    pub fn accounts(&self) -> usize {
        self.credentials.len()
    }

    /// The endpoint's time, as far as it can be told.
    pub fn endpoint_time(&self) -> i64 {
        (self.now)() + self.ahead
    }

    /// The endpoint's clock was moved; where it tells no date, this is all there is to go by.
    pub fn moved(&mut self, seconds: i64) {
        self.ahead += seconds;
    }

    /// Learns the endpoint's time from a call that nobody judges.
    pub fn learn_time(&mut self, operation: &str) {
        let unsigned = Call::new(operation);
        self.call(&unsigned, Some(&Tamper::Unsigned));
    }

    /// Limits the time of each call from now on.
    pub fn limit(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Makes a call.
    pub fn call(&mut self, call: &Call, tamper: Option<&Tamper>) -> Exchange {
        self.attempt(Attempt { call, tamper, leave: None })
    }

    /// Makes a call with which something is to go wrong on purpose.
    pub fn attempt(&mut self, attempt: Attempt<'_>) -> Exchange {
        let (request, spoiled) = self.request(attempt.call, attempt.tamper);
        let (before, began) = (self.endpoint_time(), Instant::now());
        let result = match attempt.leave {
            Some(leave) => Err(self.transport.send_and_leave(&request, self.timeout, leave)),
            None => self.transport.send(&request, self.timeout),
        };
        self.heard(attempt, request, spoiled, before, (result, began, Instant::now()))
    }

    /// Makes calls at the same time; they come back in the order in which they were given.
    pub fn call_together(&mut self, attempts: &[Attempt<'_>]) -> Vec<Exchange> {
        let (mut requests, mut spoiled) = (Vec::new(), Vec::new());
        for attempt in attempts {
            let (request, done) = self.request(attempt.call, attempt.tamper);
            requests.push((request, attempt.leave));
            spoiled.push(done);
        }
        let before = self.endpoint_time();
        let all = self.transport.send_together(&requests, self.timeout);
        let parts = attempts.iter().zip(requests).zip(spoiled).zip(all);
        parts
            .map(|(((attempt, (request, _)), spoiled), timed)| {
                self.heard(*attempt, request, spoiled, before, timed)
            })
            .collect()
    }

    /// Microseconds since the caller began.
    fn stopwatch(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX)
    }

    fn heard(
        &mut self,
        Attempt { call, tamper, .. }: Attempt<'_>,
        request: Request,
        spoiled: bool,
        before: i64,
        (sent, began, ended): Timed,
    ) -> Exchange {
        // What could not be spoiled is a call like any other.
        let tamper = tamper.filter(|_| spoiled);
        let span = Span { began: self.stopwatch(began), ended: self.stopwatch(ended) };
        let slack = if self.dated { DATE_SLACK } else { BLIND_SLACK };
        let mut when = When { lo: before - slack, hi: self.endpoint_time() + slack };
        let mut key_shown = false;
        let result = sent.map(|response| {
            if let Some(date) = date_of(&response) {
                self.ahead = date - (self.now)();
                self.dated = true;
                when = When { lo: date - DATE_SLACK, hi: date + DATE_SLACK };
            }
            key_shown = self.confidential.iter().any(|secret| shows(&response, secret));
            let reply = codec::decode_reply(&self.vendor, &call.operation, &response);
            (response, reply)
        });
        self.last = Some(request.clone());
        Exchange { call: call.clone(), tamper: tamper.cloned(), request, when, span, result, key_shown }
    }

    /// Whoever signs names the own account's project, unless the call names another.
    fn with_project<'c>(&self, call: &'c Call, own: Option<&Credentials>) -> Cow<'c, Call> {
        let mut call = Cow::Borrowed(call);
        let described = self.vendor.spec.operations.get(&call.operation);
        let name = described.and_then(|it| it.parameter(Meaning::Project)).map(|(name, _)| name);
        if let (Some(name), Some(project)) = (name, own.and_then(|own| own.project.as_ref()))
            && call.get(name).is_none()
        {
            call.to_mut().set(name, project.as_str());
        }
        call
    }

    fn request(&mut self, call: &Call, tamper: Option<&Tamper>) -> (Request, bool) {
        if let (Some(Tamper::Again), Some(last)) = (tamper, &self.last) {
            return (last.clone(), true);
        }
        let vendor = self.vendor.clone();
        let own = self.credentials.get(call.account).or_else(|| self.credentials.first());
        let Some(scheme) = call.how.scheme.as_ref().or_else(|| vendor.scheme()) else {
            return (Request::default(), false);
        };
        let call = self.with_project(call, own);
        let mut request = codec::encode_call(&vendor, &call, scheme, &self.host);
        let Some(mut credentials) = own.map(Cow::Borrowed) else { return (request, false) };
        let mut now = self.endpoint_time();
        match tamper {
            Some(Tamper::Unsigned) => return (request, true),
            Some(Tamper::OtherSecret) => credentials.to_mut().secret.push('x'),
            Some(Tamper::UnknownKey) => {
                let stranger = credentials.to_mut();
                stranger.id = "rotaprobe-unknown-key".into();
                stranger.bearer = Some("rotaprobe-unknown-token".into());
            }
            Some(Tamper::Skew(seconds)) => now += seconds,
            _ => {}
        }
        let nonce = hex(&self.rng.u128(..).to_be_bytes());
        let left_out = match tamper {
            Some(Tamper::LeftOut(name)) => {
                request.headers.text(name).map(|value| (name.clone(), value.to_owned()))
            }
            _ => None,
        };
        if let Some((name, _)) = &left_out {
            request.headers.remove(name);
        }
        scheme.sign(&mut request, &Signing { credentials: &credentials, now, nonce: &nonce });
        if let Some((name, value)) = left_out {
            request.headers.add(name, value);
        }
        let Some(tamper) = tamper else { return (request, true) };
        let before = request.clone();
        tamper::apply(&vendor, scheme, &mut request, tamper, &credentials, now);
        let early = matches!(
            tamper,
            Tamper::OtherSecret | Tamper::UnknownKey | Tamper::Skew(_) | Tamper::LeftOut(_) | Tamper::Again
        );
        let spoiled = early || request != before;
        (request, spoiled)
    }
}

/// The `Date` of a reply, Unix seconds.
fn date_of(response: &Response) -> Option<i64> {
    let at = httpdate::parse_http_date(response.headers.text("date")?).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// What must not stand in a reply. A short key cannot be told from prose.
fn confidential(credentials: &[Credentials]) -> Vec<Finder<'static>> {
    let of = |it: &Credentials| [Some(it.secret.clone()), it.bearer.clone(), it.token.clone()];
    let all = credentials.iter().flat_map(of).flatten().filter(|secret| secret.len() >= 8);
    all.map(|secret| Finder::new(&secret).into_owned()).collect()
}

fn shows(response: &Response, secret: &Finder<'_>) -> bool {
    let holds = |bytes: &[u8]| secret.find(bytes).is_some();
    holds(&response.body) || response.headers.iter().any(|(_, value)| holds(value))
}

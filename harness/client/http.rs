//! The transport that owns sockets: HTTP/1.1 over TCP or TLS, one endpoint per value.
//!
//! It sends the target byte for byte, follows no redirect, decodes no body, keeps connections alive,
//! and holds no more of a reply than its limits allow: an endpoint under test may be hostile. Only
//! loopback may be called unless a host was allowed by name. Header names travel in lower case.
//!
//! The runtime has one thread, and that is the caller's: a call costs no thread switch, and callers
//! on several threads drive each other's connections.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

use super::leaving;
use super::transport::{Lost, Transport};
use crate::history::Leave;
use crate::wire::{Headers, Request, Response};

/// The longest target that the URI type holds.
const MAX_TARGET: usize = 65_534;

/// How much of a reply is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a body.
    pub body: usize,
    /// The most bytes of a reply's head; less than 8 KiB counts as 8 KiB.
    pub head: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 2 << 20, head: 64 << 10 }
    }
}

/// An endpoint that cannot be called. Never shows a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL of the right form.
    #[error("endpoint `{url}` {why}: write it as http://127.0.0.1:4701 or https://host/path")]
    Malformed {
        /// The URL, without user and password.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// A host that nobody allowed.
    #[error("endpoint `{url}` is not on this machine: pass --allow-host {host} if it may be called")]
    Host {
        /// The URL.
        url: String,
        /// Its host.
        host: String,
    },
    /// The client could not be made.
    #[error("endpoint `{url}`: the client could not start: {why}")]
    Start {
        /// The URL.
        url: String,
        /// What the system said.
        why: String,
    },
}

type Pool = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A server that sends head and body of a reply apart, without `TCP_NODELAY`, waits for this client's
/// delayed acknowledgement, about 40 ms, on every kept connection but not on a fresh one.
const STALL: std::ops::Range<Duration> = Duration::from_millis(35)..Duration::from_millis(60);
/// Stalls after which every call gets a connection of its own.
const STALLS: u32 = 4;

/// HTTP/1.1 to one endpoint. Not for use inside an async task: `send` blocks.
#[derive(Debug)]
pub struct HttpTransport {
    base: Base,
    limits: Limits,
    pool: Pool,
    /// How often lately a kept connection stalled a reply.
    stalls: AtomicU32,
    /// Always there; taken only to be dropped without waiting.
    runtime: Option<Runtime>,
}

#[derive(Clone, Debug)]
struct Base {
    url: String,
    scheme: Scheme,
    authority: Authority,
    /// The path before each target, without a slash at its end.
    prefix: String,
}

impl HttpTransport {
    /// Host and port, as the `host` header names them.
    pub fn host(&self) -> &str {
        self.base.authority.as_str()
    }

    /// Whether the endpoint is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.base.authority.host())
    }

    /// A transport to `base`, such as `http://127.0.0.1:4701` or `https://host/prefix`.
    ///
    /// # Errors
    /// The URL is not one, names a host that is neither loopback nor in `allow_hosts`, or the
    /// client cannot start.
    pub fn new(base: &str, limits: Limits, allow_hosts: &[String]) -> Result<Self, EndpointError> {
        let base = Base::read(base, allow_hosts)?;
        let start = |why: String| EndpointError::Start { url: base.url.clone(), why };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| start(error.to_string()))?;
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(rustls::crypto::ring::default_provider()))
            .map_err(|error| start(error.to_string()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        // A request is sent again only where the pool knows that no byte of it went out: that is
        // what `retry_canceled_requests` means.
        let pool = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .retry_canceled_requests(true)
            .http1_max_buf_size(limits.head.max(8 << 10))
            .build(tls);
        Ok(Self { base, limits, stalls: AtomicU32::new(0), pool, runtime: Some(runtime) })
    }

    async fn exchange(&self, request: http::Request<Full<Bytes>>) -> Result<Response, Lost> {
        let response = match self.pool.request(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Err(Lost::Refused(chain(&error))),
            Err(error) => return Err(self.lost(&error)),
        };
        let (head, body) = response.into_parts();
        let mut headers = Headers::new();
        for (name, value) in &head.headers {
            headers.add(name.as_str(), value.as_bytes());
        }
        let body = self.read_body(body).await?;
        Ok(Response { status: head.status.as_u16(), headers, body })
    }

    async fn read_body(&self, mut body: Incoming) -> Result<Vec<u8>, Lost> {
        let limit = self.limits.body;
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(Lost::TooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(announced);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.lost(&error))?;
            if let Some(data) = frame.data_ref() {
                if data.len() > limit - bytes.len() {
                    return Err(Lost::TooLarge { limit });
                }
                bytes.extend_from_slice(data);
            }
        }
        Ok(bytes)
    }

    /// What an error after the connection was there means.
    fn lost(&self, error: &(dyn Error + 'static)) -> Lost {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
                if hyper.is_parse_too_large() {
                    return Lost::TooLarge { limit: self.limits.head.max(8 << 10) };
                }
                if hyper.is_parse() {
                    return Lost::NotHttp(chain(hyper));
                }
            }
            // A chunked body that is malformed comes as an I/O error of these kinds.
            if let Some(io) = error.downcast_ref::<io::Error>()
                && matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
            {
                return Lost::NotHttp(chain(error));
            }
            cause = error.source();
        }
        Lost::Reset(chain(error))
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost> {
        let mut request = self.base.outgoing(request)?;
        let fresh = self.stalls.load(Ordering::Relaxed) >= STALLS;
        if fresh {
            request.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
        }
        let began = Instant::now();
        let reply = self.send_now(request, timeout);
        if !fresh && reply.is_ok() {
            let stalled = (STALL.start..STALL.end).contains(&began.elapsed());
            let before = self.stalls.load(Ordering::Relaxed);
            self.stalls.store(if stalled { before + 1 } else { before.saturating_sub(1) }, Ordering::Relaxed);
        }
        reply
    }

    fn send_and_leave(&self, request: &Request, timeout: Duration, leave: Leave) -> Lost {
        if leave == Leave::AtOnce && self.base.scheme == Scheme::HTTP {
            let gone =
                self.base.outgoing(request).and_then(|it| leaving::let_go(it, &self.base.authority, timeout));
            return gone.err().unwrap_or(Lost::Dropped);
        }
        match self.send(request, timeout) {
            Err(lost @ (Lost::Refused(_) | Lost::Guard(_))) => lost,
            _ => Lost::Dropped,
        }
    }

    fn name(&self) -> String {
        self.base.url.clone()
    }
}

impl HttpTransport {
    fn send_now(&self, request: http::Request<Full<Bytes>>, timeout: Duration) -> Result<Response, Lost> {
        let Some(runtime) = &self.runtime else { return Err(Lost::Guard("the transport has ended".into())) };
        runtime.block_on(async {
            // Nobody drives the connections between two calls. The first turn sees what happened to
            // the sockets meanwhile, the second lets idle connections take note, so that one that the
            // server has closed is dropped instead of used.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            tokio::time::timeout(timeout, self.exchange(request)).await.unwrap_or(Err(Lost::Timeout))
        })
    }
}

impl Drop for HttpTransport {
    fn drop(&mut self) {
        // A name lookup that hangs must not hang the caller.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An error with its causes, each once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

impl Base {
    fn read(url: &str, allow_hosts: &[String]) -> Result<Self, EndpointError> {
        let shown = without_user(url);
        let malformed = |why: &str| EndpointError::Malformed { url: shown.clone(), why: why.into() };
        // The URI type drops a fragment without a word.
        if url.contains('#') {
            return Err(malformed("has a fragment"));
        }
        let uri: Uri =
            url.parse().map_err(|error: http::uri::InvalidUri| malformed(&format!("is no URL ({error})")))?;
        let parts = uri.into_parts();
        let scheme = match parts.scheme {
            Some(scheme) if scheme == Scheme::HTTP || scheme == Scheme::HTTPS => scheme,
            Some(_) => return Err(malformed("has a scheme other than http and https")),
            None => return Err(malformed("has no scheme")),
        };
        let authority = parts.authority.ok_or_else(|| malformed("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(malformed("has a user or password, which belong into the credentials"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(malformed("has no host"));
        }
        // What follows the host is nothing or a port that fits 16 bits.
        if authority.as_str().len() > host.len() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(malformed("has a port that is none"));
        }
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::as_str);
        if path.contains('?') {
            return Err(malformed("has a query"));
        }
        if !is_loopback(host)
            && !allow_hosts.iter().any(|allowed| bare(allowed).eq_ignore_ascii_case(bare(host)))
        {
            return Err(EndpointError::Host { url: shown, host: bare(host).to_owned() });
        }
        let prefix = path.trim_end_matches('/').to_owned();
        Ok(Self { url: shown, scheme, authority, prefix })
    }

    /// The request as hyper takes it. Never repeats a value of the request in an error.
    fn outgoing(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, Lost> {
        let not_http = |why: &str| Err(Lost::NotHttp(why.to_owned()));
        let target = format!("{}{}", self.prefix, request.target);
        if target.len() > MAX_TARGET {
            return Err(Lost::NotHttp(format!(
                "the target has {} bytes, and this client sends {MAX_TARGET} at most: put large values into the body",
                target.len()
            )));
        }
        if !request.target.starts_with('/') {
            return not_http("the target does not begin with a slash");
        }
        let Ok(sent) = PathAndQuery::try_from(target.as_str()) else {
            return not_http("the target has characters that no URI has: percent-encode them");
        };
        if sent.as_str() != target {
            return not_http("the target has a fragment: percent-encode `#`");
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(sent);
        let Ok(uri) = Uri::from_parts(parts) else {
            return not_http("the target makes no URI with this endpoint");
        };
        let method = match Method::from_bytes(request.method.as_bytes()) {
            Ok(method) if method != Method::CONNECT => method,
            _ => return not_http("the method is no method that can be sent"),
        };
        let mut outgoing = http::Request::new(Full::new(Bytes::copy_from_slice(&request.body)));
        *outgoing.method_mut() = method;
        *outgoing.uri_mut() = uri;
        let headers = outgoing.headers_mut();
        for (name, value) in request.headers.iter() {
            let (Ok(key), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) else {
                return not_http("a header has a name or a value that cannot be sent");
            };
            if headers.try_append(key, value).is_err() {
                return not_http("there are too many headers");
            }
        }
        let length = request.body.len().to_string();
        if request.headers.all("content-length").any(|given| given != length.as_bytes()) {
            return not_http("the content-length header is not the length of the body");
        }
        headers.entry("accept-encoding").or_insert(HeaderValue::from_static("identity"));
        Ok(outgoing)
    }
}

/// The URL with a mark where a user and a password stood.
fn without_user(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    match url[start..end].rfind('@') {
        Some(at) => format!("{}***{}", &url[..start], &url[start + at..]),
        None => url.to_owned(),
    }
}

/// The host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare(host).parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match Base::read(url, &[]) {
            Ok(base) => panic!("{url} was taken as {base:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn loopback_needs_no_permission() {
        for (url, prefix) in [
            ("http://127.0.0.1:4701", ""),
            ("http://127.9.9.9/", ""),
            ("https://localhost:4701/a/b/", "/a/b"),
            ("HTTP://LOCALHOST", ""),
            ("http://[::1]:80/kms", "/kms"),
        ] {
            assert_eq!(Base::read(url, &[]).unwrap().prefix, prefix, "{url}");
        }
    }

    #[test]
    fn other_hosts_need_theirs() {
        for (url, host) in [
            ("https://kms.example.com", "kms.example.com"),
            ("http://127.0.0.1.example.com", "127.0.0.1.example.com"),
            ("http://localhost.example.com", "localhost.example.com"),
            ("http://0.0.0.0", "0.0.0.0"),
            ("http://[2001:db8::1]:80", "2001:db8::1"),
            ("http://169.254.169.254", "169.254.169.254"),
        ] {
            assert!(refusal(url).contains(&format!("--allow-host {host} ")), "{url}");
            assert!(Base::read(url, &[host.to_uppercase()]).is_ok(), "{url}");
            assert!(Base::read(url, &["example.org".into()]).is_err(), "{url}");
        }
    }

    #[test]
    fn urls_that_are_no_endpoint_say_why() {
        for (url, why) in [
            ("", "is no URL"),
            ("127.0.0.1:4701", "has no scheme"),
            ("/path", "has no scheme"),
            ("ftp://127.0.0.1", "scheme other than"),
            ("http://127.0.0.1/?a=b", "has a query"),
            ("http://127.0.0.1/#x", "has a fragment"),
            ("http://127.0.0.1:99999", "port"),
            ("http://127.0.0.1:", "port"),
            ("http://127.0.0.1:0", "port"),
            ("http://a b", "is no URL"),
        ] {
            let text = refusal(url);
            assert!(text.contains(why) && text.contains(&format!("`{url}`")), "{url:?}: {text}");
        }
    }

    #[test]
    fn a_password_is_refused_and_never_shown() {
        for url in
            ["http://user:hunter2@127.0.0.1/", "http://a:hunter2@b@127.0.0.1", "ftp://x:hunter2@h/?q#f"]
        {
            let text = refusal(url);
            assert!(!text.contains("hunter2") && text.contains("***@"), "{text}");
        }
    }

    fn outgoing(target: &str) -> Result<String, Lost> {
        let base = Base::read("http://127.0.0.1:4701/pre/", &[]).unwrap();
        let request = Request { method: "GET".into(), target: target.into(), ..Request::default() };
        base.outgoing(&request).map(|request| request.uri().to_string())
    }

    #[test]
    fn the_target_stays_as_it_is_or_is_not_sent() {
        let odd = "/a//b/../%7e%7E?x=%2f+&&=|{}";
        assert_eq!(outgoing(odd).unwrap(), format!("http://127.0.0.1:4701/pre{odd}"));
        for target in ["", "x", "*", "http://h/", "/a b", "/a#b", "/a\r\nb"] {
            assert!(matches!(outgoing(target), Err(Lost::NotHttp(_))), "{target:?}");
        }
        let long = |length: usize| format!("/{}", "a".repeat(length - "/pre/".len()));
        assert!(outgoing(&long(MAX_TARGET)).is_ok());
        let Err(Lost::NotHttp(why)) = outgoing(&long(MAX_TARGET + 1)) else { panic!("was sent") };
        assert!(why.contains("65535 bytes") && why.contains("65534 at most"), "{why}");
    }

    #[test]
    fn headers_are_sent_as_given_and_one_is_added() {
        let base = Base::read("http://127.0.0.1:4701", &[]).unwrap();
        let mut request = Request { method: "POST".into(), target: "/".into(), ..Request::default() };
        request.headers.add("Host", "kms.example.com");
        request.headers.add("X-A", "1");
        request.headers.add("x-a", "2");
        let sent = base.outgoing(&request).unwrap();
        let values: Vec<_> = sent.headers().get_all("x-a").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(sent.headers()["host"], "kms.example.com");
        assert_eq!(sent.headers()["accept-encoding"], "identity");
        request.headers.add("Accept-Encoding", "gzip");
        assert_eq!(base.outgoing(&request).unwrap().headers()["accept-encoding"], "gzip");
    }

    #[test]
    fn what_cannot_be_sent_is_said_without_its_value() {
        let base = Base::read("http://127.0.0.1:4701", &[]).unwrap();
        let request = |name: &str, value: &str| {
            let mut request = Request { method: "POST".into(), target: "/".into(), ..Request::default() };
            request.headers.add(name, value);
            request
        };
        for request in [
            request("x", "s3cret\r\nx: y"),
            request("x y", "s3cret"),
            request("content-length", "7"),
            Request { method: "CONNECT".into(), target: "/".into(), ..Request::default() },
            Request { method: "G T".into(), target: "/".into(), ..Request::default() },
            Request { target: "/".into(), ..Request::default() },
        ] {
            let Err(Lost::NotHttp(why)) = base.outgoing(&request) else { panic!("was sent: {request:?}") };
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}

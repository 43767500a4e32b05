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
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::uri::Scheme;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

pub use super::base::EndpointError;
use super::base::{Base, is_loopback};
use super::leaving;
use super::transport::{Lost, Transport};
use crate::history::Leave;
use crate::wire::{Headers, Request, Response};

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

//! The URL of an endpoint: which ones may be called, and what a request to one is on its way.

use super::transport::Lost;
use crate::wire::Request;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest target that the URI type holds.
const MAX_TARGET: usize = 65_534;

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

/// Where an endpoint is.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) url: String,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// The path before each target, without a slash at its end.
    prefix: String,
}

impl Base {
    /// Reads the URL of an endpoint on this machine, or on a host that is allowed by name.
    pub(super) fn read(url: &str, allow_hosts: &[String]) -> Result<Self, EndpointError> {
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
    pub(super) fn outgoing(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, Lost> {
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

pub(super) fn is_loopback(host: &str) -> bool {
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

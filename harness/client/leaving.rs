//! Calls whose connection is dropped as soon as they have left.

use super::transport::Lost;
use http::uri::{Authority, PathAndQuery};
use http_body_util::Full;
use hyper::body::Bytes;
use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// Writes the request to a connection of its own and closes it at once.
///
/// # Errors
/// Why the endpoint cannot have seen it.
pub(super) fn let_go(
    request: http::Request<Full<Bytes>>,
    authority: &Authority,
    timeout: Duration,
) -> Result<(), Lost> {
    let refused = |error: io::Error| Lost::Refused(error.to_string());
    let host = authority.host().trim_matches(['[', ']']);
    let found = (host, authority.port_u16().unwrap_or(80)).to_socket_addrs().map_err(refused)?.next();
    let address = found.ok_or_else(|| Lost::Refused(format!("{host} has no address")))?;
    let mut stream = TcpStream::connect_timeout(&address, timeout).map_err(refused)?;
    stream.set_write_timeout(Some(timeout)).map_err(refused)?;
    let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let mut bytes = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let body = request.into_body().into_inner().unwrap_or_default();
    bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend_from_slice(&body);
    // Whether it arrived is what nobody is to know.
    let _ = stream.write_all(&bytes);
    Ok(())
}

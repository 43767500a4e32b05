//! HTTP/1.1 from the server's side, as a pure function of bytes: no socket, no clock.
//!
//! Official SDKs put values of 92 KB into the query. A server built on `hyper` answers those with
//! 414, because its URI type ends at 64 KB; here a request line may have 1 MiB. `httparse` reads the
//! head, this file does the framing (RFC 9112) and is strict where leniency lets one request be read
//! as two: a bare LF, a second `Content-Length`, or a length beside a transfer coding is refused.
//!
//! [`parse`] looks at a whole buffer once. A connection keeps a [`Parser`] instead, which remembers
//! how far it has read, so that a request arriving byte by byte costs no more than one arriving at
//! once.
//!
//! ```
//! use rotaprobe::emulator::http1::{Parsed, parse};
//!
//! let Parsed::Complete { request, used, keep_alive } = parse(b"GET /?a=b HTTP/1.1\r\nHost: h\r\n\r\n") else {
//!     unreachable!()
//! };
//! assert_eq!((request.target.as_str(), used, keep_alive), ("/?a=b", 31, true));
//! ```

use std::mem;

use crate::wire::{Headers, Request, Response};

/// The longest request line, in bytes without its line end.
pub const MAX_LINE: usize = 1 << 20;
/// The most bytes all header lines may have together.
pub const MAX_FIELDS: usize = 256 << 10;
/// The most header lines.
pub const MAX_HEADERS: usize = 128;
/// The longest body, in bytes after transfer decoding.
pub const MAX_BODY: usize = 16 << 20;

/// Empty lines tolerated before a request line.
const MAX_BLANKS: usize = 4;
/// The longest line that gives a chunk's size, and the longest trailer line.
const MAX_CHUNK_LINE: usize = 1 << 10;
/// The most bytes of trailers.
const MAX_TRAILERS: usize = 16 << 10;

/// What the bytes so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A whole request.
    Complete {
        /// The request, its body after transfer decoding.
        request: Request,
        /// How many bytes it took; what follows belongs to the next request.
        used: usize,
        /// Whether the connection may carry another request.
        keep_alive: bool,
    },
    /// The beginning of a request.
    Incomplete,
    /// Not a request that this server takes; the connection cannot be used any further.
    Bad {
        /// The HTTP status to answer with.
        status: u16,
        /// What is wrong, for the reply and the log; never a value from the request.
        why: String,
    },
}

/// Reads one request from `bytes`, which begin where the request begins.
pub fn parse(bytes: &[u8]) -> Parsed {
    Parser::default().parse(bytes)
}

/// Status and reason of a refusal.
type Refusal = (u16, String);

fn refuse<T>(status: u16, why: impl Into<String>) -> Result<T, Refusal> {
    Err((status, why.into()))
}

/// Reads one request from a buffer that grows, and never looks at a byte twice.
#[derive(Debug, Default)]
pub struct Parser {
    /// All bytes before this one are dealt with.
    at: usize,
    /// Where the line being looked for begins.
    line: usize,
    blanks: usize,
    /// Where the request line begins and where the header lines begin, once known.
    start: usize,
    fields: Option<usize>,
    head: Option<Head>,
}

#[derive(Debug)]
struct Head {
    request: Request,
    keep_alive: bool,
    expects_continue: bool,
    framing: Framing,
}

#[derive(Debug)]
enum Framing {
    Length(usize),
    Chunked(Chunks),
}

#[derive(Debug)]
struct Chunks {
    /// Where the body began in the buffer.
    from: usize,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Size,
    Data(usize),
    DataEnd,
    Trailer { from: usize },
}

impl Parser {
    /// A parser at the beginning of a request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the buffer, which holds all bytes since the request began. After `Complete` the
    /// parser stands at the beginning of the next request: drop the bytes used.
    pub fn parse(&mut self, bytes: &[u8]) -> Parsed {
        match self.advance(bytes) {
            Ok(false) => Parsed::Incomplete,
            Ok(true) => match mem::take(self) {
                Self { head: Some(head), at, .. } => {
                    Parsed::Complete { request: head.request, used: at, keep_alive: head.keep_alive }
                }
                Self { .. } => Parsed::Incomplete,
            },
            Err((status, why)) => Parsed::Bad { status, why },
        }
    }

    /// Whether the client holds the body back until it is told `100 Continue`.
    pub fn expects_continue(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.expects_continue)
    }

    fn advance(&mut self, bytes: &[u8]) -> Result<bool, Refusal> {
        if self.head.is_none() {
            let Some(fields) = self.find_head(bytes)? else { return Ok(false) };
            self.head = Some(read_head(&bytes[self.start..self.at], fields, self.at)?);
        }
        let Some(head) = &mut self.head else { return Ok(false) };
        match &mut head.framing {
            Framing::Length(length) => {
                let Some(body) = bytes.get(self.at..self.at + *length) else { return Ok(false) };
                head.request.body = body.to_vec();
                self.at += *length;
                Ok(true)
            }
            Framing::Chunked(chunks) => chunks.advance(bytes, &mut self.at, &mut head.request.body),
        }
    }

    /// Finds the empty line that ends the head; then `at` stands behind it. Gives the number of
    /// header lines' bytes.
    fn find_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        loop {
            let Some(found) = bytes.get(self.at..).and_then(|rest| rest.iter().position(|b| *b == b'\n'))
            else {
                self.at = self.at.max(bytes.len());
                self.check_sizes(bytes, bytes.len())?;
                return Ok(None);
            };
            let end = self.at + found;
            if end == self.line || bytes[end - 1] != b'\r' {
                return refuse(400, "a line ends with LF alone: end lines with CR LF");
            }
            self.check_sizes(bytes, end - 1)?;
            let empty = end == self.line + 1;
            self.at = end + 1;
            self.line = self.at;
            match self.fields {
                Some(fields) if empty => return Ok(Some(end - 1 - fields)),
                Some(_) => {}
                None if empty => {
                    self.blanks += 1;
                    self.start = self.at;
                    if self.blanks > MAX_BLANKS {
                        return refuse(400, "too many empty lines before the request line");
                    }
                }
                None => self.fields = Some(self.at),
            }
        }
    }

    /// Refuses a head that is too long, or that cannot become a request, as early as possible.
    fn check_sizes(&self, bytes: &[u8], upto: usize) -> Result<(), Refusal> {
        if let Some(fields) = self.fields {
            if upto.saturating_sub(fields) > MAX_FIELDS {
                return refuse(431, format!("the header lines have more than {MAX_FIELDS} bytes"));
            }
            return Ok(());
        }
        let line = bytes.get(self.start..upto).unwrap_or_default();
        // Bytes that end with a CR may be a line whose LF has not arrived.
        if line.strip_suffix(b"\r").unwrap_or(line).len() > MAX_LINE {
            return refuse(414, format!("the request line has more than {MAX_LINE} bytes"));
        }
        match line.first() {
            Some(b) if !b.is_ascii_graphic() && *b != b'\r' => {
                refuse(400, "this is no HTTP request; is the client speaking TLS to a plain port?")
            }
            _ => Ok(()),
        }
    }
}

fn read_head(bytes: &[u8], fields: usize, end: usize) -> Result<Head, Refusal> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut slots);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(used)) if used == bytes.len() => {}
        Ok(_) => return refuse(400, "the head does not end where its empty line is"),
        Err(httparse::Error::TooManyHeaders) => {
            return refuse(431, format!("more than {MAX_HEADERS} header lines in {fields} bytes"));
        }
        Err(httparse::Error::Version) => return refuse(505, "the version is not HTTP/1.0 or HTTP/1.1"),
        Err(error) => return refuse(400, format!("the head is malformed: {error}")),
    }
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
        return refuse(400, "the request line is malformed");
    };
    let mut headers = Headers::new();
    for header in parsed.headers.iter() {
        headers.add(header.name, header.value);
    }
    match headers.all("host").count() {
        1 => {}
        0 if minor == 0 => {}
        0 => return refuse(400, "no Host header"),
        _ => return refuse(400, "more than one Host header"),
    }
    let framing = framing(&headers, minor, end)?;
    let keep_alive = !lists(&headers, "connection", "close")
        && (minor == 1 || lists(&headers, "connection", "keep-alive"));
    let expects_continue = minor == 1 && lists(&headers, "expect", "100-continue");
    let request = Request { method: method.into(), target: target.into(), headers, body: Vec::new() };
    Ok(Head { request, keep_alive, expects_continue, framing })
}

/// Whether a comma-separated header contains that token.
pub(crate) fn lists(headers: &Headers, name: &str, token: &str) -> bool {
    headers
        .all(name)
        .flat_map(|value| value.split(|b| *b == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// How the body is delimited (RFC 9112, 6.3), and nothing that two readers could read differently.
fn framing(headers: &Headers, minor: u8, end: usize) -> Result<Framing, Refusal> {
    let mut lengths = headers.all("content-length");
    let mut codings = headers.all("transfer-encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => refuse(400, "both Content-Length and Transfer-Encoding"),
        (Some(_), None) if lengths.next().is_some() => refuse(400, "more than one Content-Length"),
        (Some(value), None) => {
            if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                return refuse(400, "Content-Length is not a number");
            }
            let length = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            match length.filter(|length| *length <= MAX_BODY) {
                Some(length) => Ok(Framing::Length(length)),
                None => too_large(),
            }
        }
        (None, Some(_)) if codings.next().is_some() => refuse(400, "more than one Transfer-Encoding"),
        (None, Some(_)) if minor == 0 => refuse(400, "Transfer-Encoding in HTTP/1.0"),
        (None, Some(value)) if value.eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunked(Chunks { from: end, next: Next::Size }))
        }
        (None, Some(_)) => refuse(501, "a Transfer-Encoding other than chunked"),
    }
}

fn too_large<T>() -> Result<T, Refusal> {
    refuse(413, format!("the body has more than {MAX_BODY} bytes"))
}

impl Chunks {
    fn advance(&mut self, bytes: &[u8], at: &mut usize, body: &mut Vec<u8>) -> Result<bool, Refusal> {
        loop {
            match self.next {
                Next::Size => {
                    let Some(line) = short_line(bytes, at)? else { return Ok(false) };
                    let size = chunk_size(line)?;
                    // The second bound: sizes and extensions of tiny chunks cost memory too.
                    if size > MAX_BODY - body.len() || *at - self.from > 2 * MAX_BODY {
                        return too_large();
                    }
                    self.next = if size == 0 { Next::Trailer { from: *at } } else { Next::Data(size) };
                }
                Next::Data(left) => {
                    let rest = bytes.get(*at..).unwrap_or_default();
                    let taken = &rest[..left.min(rest.len())];
                    body.extend_from_slice(taken);
                    *at += taken.len();
                    if taken.len() < left {
                        self.next = Next::Data(left - taken.len());
                        return Ok(false);
                    }
                    self.next = Next::DataEnd;
                }
                Next::DataEnd => {
                    match bytes.get(*at..).unwrap_or_default() {
                        [b'\r', b'\n', ..] => *at += 2,
                        [] | [b'\r'] => return Ok(false),
                        _ => return refuse(400, "a chunk is longer than its size says"),
                    }
                    self.next = Next::Size;
                }
                Next::Trailer { from } => {
                    let Some(line) = short_line(bytes, at)? else { return Ok(false) };
                    if line.is_empty() {
                        return Ok(true);
                    }
                    if *at - from > MAX_TRAILERS {
                        return refuse(431, format!("the trailers have more than {MAX_TRAILERS} bytes"));
                    }
                }
            }
        }
    }
}

/// The line at `at` without its end, and `at` moved behind it.
fn short_line<'a>(bytes: &'a [u8], at: &mut usize) -> Result<Option<&'a [u8]>, Refusal> {
    let rest = bytes.get(*at..).unwrap_or_default();
    match rest.iter().take(MAX_CHUNK_LINE).position(|b| *b == b'\n') {
        None if rest.len() >= MAX_CHUNK_LINE => refuse(400, "a line of the chunked body is too long"),
        None => Ok(None),
        Some(end) => match rest[..end].split_last() {
            Some((b'\r', line)) if !line.iter().any(u8::is_ascii_control) => {
                *at += end + 1;
                Ok(Some(line))
            }
            _ => refuse(400, "a line of the chunked body is malformed"),
        },
    }
}

fn chunk_size(line: &[u8]) -> Result<usize, Refusal> {
    let digits = line.split(|b| *b == b';').next().unwrap_or_default();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return refuse(400, "a chunk size is not hexadecimal");
    }
    match std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok()) {
        Some(size) => Ok(size),
        None => too_large(),
    }
}

/// Appends the reply to `out`: status line, the headers as given, then `Content-Length` and
/// `Connection` where they are absent.
///
/// The body goes out as it is, so a `Transfer-Encoding` line is left out. 1xx, 204 and 304 carry
/// no body. A line break in a header becomes a space: a reflected value cannot split the reply.
pub fn write(response: &Response, keep_alive: bool, out: &mut Vec<u8>) {
    let bodiless = matches!(response.status, 100..=199 | 204 | 304);
    let body: &[u8] = if bodiless { &[] } else { &response.body };
    out.reserve(body.len() + 512);
    write_head(response.status, &response.headers, out);
    if !bodiless && response.headers.get("content-length").is_none() {
        out.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    if response.headers.get("connection").is_none() {
        let word: &[u8] = if keep_alive { b"keep-alive" } else { b"close" };
        out.extend_from_slice(&[b"connection: ", word, b"\r\n"].concat());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

/// The status line and the headers as given, without the empty line that ends them.
pub(crate) fn write_head(status: u16, headers: &Headers, out: &mut Vec<u8>) {
    out.extend_from_slice(
        format!("HTTP/1.1 {:03} {}\r\n", status.clamp(100, 999), reason(status)).as_bytes(),
    );
    let breaks = |b: &u8| if matches!(b, b'\r' | b'\n' | 0) { b' ' } else { *b };
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("transfer-encoding")) {
        out.extend(name.as_bytes().iter().map(breaks));
        out.extend_from_slice(b": ");
        out.extend(value.iter().map(breaks));
        out.extend_from_slice(b"\r\n");
    }
}

/// The phrase beside a status, for people: programs ignore it.
const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Status",
    }
}

#[cfg(test)]
#[path = "http1_tests.rs"]
mod tests;

//! Tests of the framing: tables for what is refused, properties for what is read.

use proptest::prelude::*;

use super::*;

fn complete(bytes: &[u8]) -> (Request, usize, bool) {
    match parse(bytes) {
        Parsed::Complete { request, used, keep_alive } => (request, used, keep_alive),
        other => panic!("not complete: {other:?}"),
    }
}

fn status(bytes: &[u8]) -> Option<u16> {
    match parse(bytes) {
        Parsed::Bad { status, .. } => Some(status),
        _ => None,
    }
}

/// Puts header lines and a body behind a request line with a host.
fn post(rest: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: h\r\n{rest}").into_bytes()
}

#[test]
fn a_request_ends_where_its_length_says() {
    let (request, used, keep_alive) = complete(&post("Content-Length: 3\r\n\r\nabcGET"));
    assert_eq!((request.body.as_slice(), keep_alive), (b"abc".as_slice(), true));
    assert_eq!(used, post("Content-Length: 3\r\n\r\nabc").len());
    assert_eq!(request.headers.iter().next(), Some(("Host", b"h".as_slice())));
    assert_eq!(parse(&post("Content-Length: 3\r\n\r\nab")), Parsed::Incomplete);
}

#[test]
fn chunks_become_one_body_and_trailers_are_dropped() {
    let chunked =
        "Transfer-Encoding: Chunked\r\n\r\n3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\nrest";
    let (request, used, _) = complete(&post(chunked));
    assert_eq!(request.body, b"abc0123456789");
    assert_eq!(used, post(chunked).len() - 4);
    assert_eq!(request.headers.get("x"), None);
}

#[test]
fn connections_persist_as_version_and_header_say() {
    for (version, connection, expected) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: foo, CLOSE\r\n", false),
        ("1.1", "Connection: closed\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        let bytes = format!("GET / HTTP/{version}\r\nHost: h\r\n{connection}\r\n");
        assert_eq!(complete(bytes.as_bytes()).2, expected, "{bytes}");
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for (rest, expected) in [
        ("Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        ("Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        ("Content-Length: 3, 3\r\n\r\nabc", 400),
        ("Content-Length: +3\r\n\r\nabc", 400),
        ("Content-Length: -3\r\n\r\nabc", 400),
        ("Content-Length: 0x3\r\n\r\nabc", 400),
        ("Content-Length:\r\n\r\nabc", 400),
        ("Content-Length : 3\r\n\r\nabc", 400),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
        ("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n\r\n", 400),
        ("X: y\n\r\n", 400),
        ("X: y\r\n z\r\n\r\n", 400),
        ("Host: again\r\n\r\n", 400),
        ("X y\r\n\r\n", 400),
    ] {
        assert_eq!(status(&post(rest)), Some(expected), "{rest:?}");
    }
    for (bytes, expected) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("GET / HTTP/1.1\nHost: h\n\n", 400),
        ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}", 400),
        ("\r\n\r\n\r\n\r\n\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ] {
        assert_eq!(status(bytes.as_bytes()), Some(expected), "{bytes:?}");
    }
}

#[test]
fn an_empty_line_before_the_request_is_skipped() {
    let (request, used, _) = complete(b"\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!((request.target.as_str(), used), ("/x", 30));
}

#[test]
fn every_limit_holds_on_both_sides() {
    let target = |length: usize| {
        let fixed = "GET  HTTP/1.1".len();
        format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(length - fixed - 1)).into_bytes()
    };
    assert_eq!(complete(&target(MAX_LINE)).0.target.len(), MAX_LINE - 13);
    assert_eq!(status(&target(MAX_LINE + 1)), Some(414));
    assert_eq!(status(&vec![b'a'; MAX_LINE + 2]), Some(414));
    assert_eq!(parse(&vec![b'a'; MAX_LINE]), Parsed::Incomplete);

    let lines = |count: usize| post(&("X: y\r\n".repeat(count - 1) + "\r\n"));
    assert_eq!(complete(&lines(MAX_HEADERS)).0.headers.iter().count(), MAX_HEADERS);
    assert_eq!(status(&lines(MAX_HEADERS + 1)), Some(431));
    assert_eq!(status(&post(&format!("X: {}", "y".repeat(MAX_FIELDS)))), Some(431));

    assert_eq!(parse(&post(&format!("Content-Length: {MAX_BODY}\r\n\r\n"))), Parsed::Incomplete);
    for length in [(MAX_BODY + 1).to_string(), u64::MAX.to_string(), "9".repeat(60)] {
        assert_eq!(status(&post(&format!("Content-Length: {length}\r\n\r\n"))), Some(413));
    }
    let chunk = |size: &str| post(&format!("Transfer-Encoding: chunked\r\n\r\n{size}\r\n"));
    assert_eq!(parse(&chunk("1000000")), Parsed::Incomplete);
    assert_eq!(status(&chunk("1000001")), Some(413));
    assert_eq!(status(&chunk(&"f".repeat(40))), Some(413));
    assert_eq!(status(&chunk(&"0".repeat(2000))), Some(400));
    let trailers = format!("Transfer-Encoding: chunked\r\n\r\n0\r\n{}", "X: y\r\n".repeat(3000));
    assert_eq!(status(&post(&trailers)), Some(431));
}

#[test]
fn tiny_chunks_cannot_take_more_memory_than_a_large_body() {
    let mut bytes = post("Transfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("1;{}\r\na\r\n", "x".repeat(1000));
    while bytes.len() < 3 * MAX_BODY {
        bytes.extend_from_slice(chunk.as_bytes());
    }
    assert_eq!(status(&bytes), Some(413));
}

#[test]
fn a_client_that_waits_for_continue_is_noticed() {
    let mut parser = Parser::new();
    let head = post("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert!(!parser.expects_continue());
    assert_eq!(parser.parse(&head), Parsed::Incomplete);
    assert!(parser.expects_continue());
    assert!(matches!(parser.parse(&[head, b"ab".to_vec()].concat()), Parsed::Complete { .. }));
    assert!(!parser.expects_continue());
}

#[test]
fn a_large_head_in_small_pieces_costs_no_more_than_its_bytes() {
    // Quadratic reading of this would be 10^12 steps, which no machine finishes in a test's time.
    let bytes = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(MAX_LINE - 64)).into_bytes();
    let mut parser = Parser::new();
    for end in 0..bytes.len() {
        assert_eq!(parser.parse(&bytes[..end]), Parsed::Incomplete);
    }
    assert!(matches!(parser.parse(&bytes), Parsed::Complete { .. }));
}

#[test]
fn a_reply_gets_what_it_lacks_and_keeps_what_it_has() {
    let text = |response: &Response, keep_alive| {
        let mut out = Vec::new();
        write(response, keep_alive, &mut out);
        String::from_utf8(out).unwrap()
    };
    let mut response = Response { status: 200, headers: Headers::new(), body: b"hi".to_vec() };
    assert_eq!(
        text(&response, true),
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nhi"
    );
    response.headers.add("Content-Length", "9");
    response.headers.add("Connection", "upgrade");
    response.headers.add("Transfer-Encoding", "chunked");
    assert_eq!(
        text(&response, false),
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: upgrade\r\n\r\nhi"
    );
    let mut split = Response { status: 204, headers: Headers::new(), body: b"hi".to_vec() };
    split.headers.add("X", "a\r\nY: b");
    assert_eq!(text(&split, false), "HTTP/1.1 204 No Content\r\nX: a  Y: b\r\nconnection: close\r\n\r\n");
}

/// A request and its bytes: the smallest writer there is, with a length or in chunks.
fn requests() -> impl Strategy<Value = (Request, Vec<u8>)> {
    let header = ("X-[A-Za-z0-9-]{1,12}", "([!-~\\x80-\\xff]([ -~]{0,12}[!-~])?)?");
    let chunks = proptest::collection::vec(1_usize..40, 0..8);
    (
        "[A-Z]{1,8}",
        "/[!-~é凭]{0,200}",
        proptest::collection::vec(header, 0..10),
        proptest::collection::vec(any::<u8>(), 0..300),
        proptest::option::of(chunks),
    )
        .prop_map(|(method, target, lines, body, chunks)| {
            let mut headers = Headers::new();
            headers.add("Host", "h");
            for (name, value) in lines {
                headers.add(name, value.into_bytes());
            }
            match chunks {
                Some(_) => headers.add("transfer-encoding", "chunked"),
                None => headers.add("content-length", body.len().to_string()),
            }
            let request = Request { method, target, headers, body };
            let bytes = written(&request, chunks);
            (request, bytes)
        })
}

fn written(request: &Request, chunks: Option<Vec<usize>>) -> Vec<u8> {
    let mut out = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in request.headers.iter() {
        out.extend_from_slice(&[name.as_bytes(), b":  ", value, b" \r\n"].concat());
    }
    out.extend_from_slice(b"\r\n");
    let Some(sizes) = chunks else {
        out.extend_from_slice(&request.body);
        return out;
    };
    let mut rest = request.body.as_slice();
    for size in sizes.into_iter().chain(std::iter::repeat(1000)) {
        let (now, later) = rest.split_at(size.min(rest.len()));
        out.extend_from_slice(format!("{:x}\r\n", now.len()).as_bytes());
        if now.is_empty() {
            break;
        }
        out.extend_from_slice(&[now, b"\r\n"].concat());
        rest = later;
    }
    out.extend_from_slice(b"\r\n");
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read((request, bytes) in requests(), rest in proptest::collection::vec(any::<u8>(), 0..20)) {
        let all = [bytes.as_slice(), &rest].concat();
        prop_assert_eq!(parse(&all), Parsed::Complete { request, used: bytes.len(), keep_alive: true });
    }

    #[test]
    fn any_split_reads_the_same((request, bytes) in requests()) {
        let mut parser = Parser::new();
        for end in 0..bytes.len() {
            prop_assert_eq!(parser.parse(&bytes[..end]), Parsed::Incomplete);
            prop_assert_eq!(parse(&bytes[..end]), Parsed::Incomplete);
        }
        prop_assert_eq!(parser.parse(&bytes), Parsed::Complete { request, used: bytes.len(), keep_alive: true });
    }

    #[test]
    fn any_bytes_read_the_same_in_pieces(
        (_, mut bytes) in requests(),
        noise in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        noise_is_all in proptest::bool::weighted(0.2),
        step in 1_usize..50,
    ) {
        for (at, byte) in &noise {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if noise_is_all {
            bytes = noise.iter().map(|(_, byte)| *byte).collect();
        }
        let mut parser = Parser::new();
        let mut pieces = Parsed::Incomplete;
        for end in (0..bytes.len()).step_by(step).chain([bytes.len()]) {
            pieces = parser.parse(&bytes[..end]);
            if pieces != Parsed::Incomplete {
                break;
            }
        }
        // Only the reason may differ: pieces can show a fault before the line that holds it is whole.
        match (pieces, parse(&bytes)) {
            (Parsed::Bad { .. }, Parsed::Bad { .. }) => {}
            (pieces, whole) => prop_assert_eq!(pieces, whole),
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
        let _ = parse(&[b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", bytes.as_slice()].concat());
    }
}

//! The server shell and the HTTP transport against each other and against raw sockets: both ends
//! share no code, so each checks the other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rotaprobe::client::clock::{Clock, ClockError};
use rotaprobe::client::control::ControlPort;
use rotaprobe::client::http::{HttpTransport, Limits};
use rotaprobe::client::transport::{Lost, Transport};
use rotaprobe::emulator::control::{Controlled, handle};
use rotaprobe::emulator::hostile::{Answer, Hostile};
use rotaprobe::emulator::server::{Service, serve};
use rotaprobe::wire::{Headers, Request, Response};
use tokio::sync::watch;

/// Long enough for anything on loopback; only a hang takes it all.
const LONG: Duration = Duration::from_secs(20);
/// For what never answers.
const SHORT: Duration = Duration::from_millis(300);

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(service: impl Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, Arc::new(service), stopped).await;
            });
        });
        Self { address, stop, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn client(&self) -> HttpTransport {
        HttpTransport::new(&self.url(), Limits::default(), &[]).unwrap()
    }

    fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Stops it and waits until it has ended.
    fn end(mut self) {
        // An error: it was stopped before.
        let _ = self.stop.send(true);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Answers with the method, the target and the body it got, and one header.
fn echo(request: &Request) -> Answer {
    let mut headers = Headers::new();
    headers.add("X-Seen", request.headers.get("x-given").unwrap_or_default());
    let body = [request.method.as_bytes(), b" ", request.target.as_bytes(), b"\n", &request.body].concat();
    Answer::Reply(Response { status: 200, headers, body })
}

/// Answers as the path says: `/reset` is reset.
fn hostile(request: &Request) -> Answer {
    let Answer::Reply(response) = echo(request) else { return echo(request) };
    match request.path().trim_start_matches('/').parse() {
        Ok(way) => Answer::Hostile(response, way),
        Err(_) => Answer::Reply(response),
    }
}

fn request(method: &str, target: &str, body: &str) -> Request {
    Request { method: method.into(), target: target.into(), headers: Headers::new(), body: body.into() }
}

/// The head of the next reply and a body of that many bytes.
fn read_reply(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn a_call_travels_byte_for_byte() {
    let server = Server::start(echo);
    let client = server.client();
    let mut post = request("POST", "/a//b/../%7e?x=%2f+&&=|{}", "body");
    post.headers.add("X-Given", b"caf\xe9 \xff");
    let response = client.send(&post, LONG).unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.body, b"POST /a//b/../%7e?x=%2f+&&=|{}\nbody");
    assert_eq!(response.headers.get("x-seen"), Some(b"caf\xe9 \xff".as_slice()));
    assert_eq!(client.name(), server.url());

    let prefixed = HttpTransport::new(&format!("{}/pre/", server.url()), Limits::default(), &[]).unwrap();
    assert_eq!(prefixed.send(&request("GET", "/x", ""), LONG).unwrap().body, b"GET /pre/x\n");
    let head = client.send(&request("HEAD", "/x", ""), LONG).unwrap();
    assert_eq!((head.status, head.headers.text("content-length"), head.body.len()), (200, Some("8"), 0));
    server.end();
}

#[test]
fn large_targets_and_bodies_arrive_whole() {
    let server = Server::start(echo);
    let client = server.client();
    let target = format!("/{}", "a".repeat(65_000));
    assert_eq!(client.send(&request("GET", &target, ""), LONG).unwrap().body.len(), target.len() + 5);
    let body = "b".repeat(1 << 20);
    let response = client.send(&request("POST", "/", &body), LONG).unwrap();
    assert!(response.body.ends_with(body.as_bytes()));
    server.end();
}

#[test]
fn a_raw_request_line_of_100_kb_is_answered() {
    let server = Server::start(echo);
    let mut stream = server.raw();
    let target = format!("/?SecretData={}", "x".repeat(100 << 10));
    write!(stream, "GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let (head, body) = read_reply(&mut stream);
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert_eq!(body, format!("GET {target}\n").into_bytes());
    server.end();
}

/// A listener that answers requests with the number of their connection, `replies` on each. Then it
/// waits until it is told to close the connection, and says that it did.
fn numbering(connections: usize, replies: usize) -> (HttpTransport, Sender<()>, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, closed) = mpsc::channel();
    let (close, told) = mpsc::channel();
    thread::spawn(move || {
        for number in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            for _ in 0..replies {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{number:02}").unwrap();
            }
            let _ = told.recv();
            drop(stream);
            let _ = sender.send(());
        }
    });
    (HttpTransport::new(&url, Limits::default(), &[]).unwrap(), close, closed)
}

#[test]
fn a_connection_is_used_again() {
    let (client, close, _closed) = numbering(1, 5);
    for _ in 0..5 {
        assert_eq!(client.send(&request("GET", "/", ""), LONG).unwrap().body, b"00");
    }
    close.send(()).unwrap();
    assert!(client.send(&request("GET", "/", ""), LONG).is_err(), "nobody answers a sixth");
}

#[test]
fn a_connection_that_closed_while_idle_is_replaced() {
    let (client, close, closed) = numbering(50, 1);
    for number in 0..50 {
        let response = client.send(&request("POST", "/", ""), LONG).unwrap();
        assert_eq!(response.body, format!("{number:02}").into_bytes());
        close.send(()).unwrap();
        closed.recv_timeout(LONG).unwrap();
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(echo);
    let mut stream = server.raw();
    let all = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET /2 HTTP/1.1\r\nHost: h\r\n\r\n\
               GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    stream.write_all(all.as_bytes()).unwrap();
    assert_eq!(read_reply(&mut stream).1, b"POST /1\na");
    assert_eq!(read_reply(&mut stream).1, b"GET /2\n");
    let (head, body) = read_reply(&mut stream);
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(body, b"GET /3\n");
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the connection closes as announced");
    server.end();
}

#[test]
fn continue_and_http_1_0_are_honoured() {
    let server = Server::start(echo);
    let mut stream = server.raw();
    let head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(read_reply(&mut stream).0, "http/1.1 100 continue\r\n\r\n");
    stream.write_all(b"a").unwrap();
    assert_eq!(read_reply(&mut stream).1, b"POST /\na");

    let mut old = server.raw();
    old.write_all(b"GET /old HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(read_reply(&mut old).1, b"GET /old\n");
    assert_eq!(old.read(&mut [0]).unwrap(), 0);
    server.end();
}

#[test]
fn a_bad_request_is_told_so_and_the_connection_closes() {
    let server = Server::start(echo);
    let mut stream = server.raw();
    let smuggled =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    stream.write_all(smuggled.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 400 ") && all.ends_with("more than one Content-Length\n"), "{all}");
    assert_eq!(all.matches("HTTP/1.1").count(), 1);
    server.end();
}

#[test]
fn every_hostile_answer_ends_as_what_it_is() {
    let server = Server::start(hostile);
    let client = server.client();
    for (way, name) in Hostile::ALL {
        let target = format!("/{name}?q");
        let asked = request("POST", &target, "some body");
        let began = Instant::now();
        // The endless ones hit the short limit; the others must end by themselves.
        let endless = matches!(way, Hostile::SlowDrip | Hostile::Silence);
        let outcome = client.send(&asked, if endless { SHORT } else { LONG });
        assert!(began.elapsed() < Duration::from_secs(15), "{name} took {:?}", began.elapsed());
        match (way, outcome) {
            (Hostile::SlowDrip | Hostile::Silence, Err(Lost::Timeout))
            | (Hostile::Reset | Hostile::TruncatedBody | Hostile::WrongLength, Err(Lost::Reset(_)))
            | (Hostile::Garbage, Err(Lost::NotHttp(_))) => {}
            (Hostile::GiantBody, Err(Lost::TooLarge { limit })) => assert_eq!(limit, Limits::default().body),
            (Hostile::RedirectLoop, Ok(response)) => {
                assert_eq!(
                    (response.status, response.headers.text("location")),
                    (302, Some(target.as_str()))
                );
            }
            (Hostile::GzipBomb, Ok(response)) => {
                assert_eq!(response.headers.text("content-encoding"), Some("gzip"));
                assert!(response.body.starts_with(b"\x1f\x8b") && response.body.len() < 1 << 20);
            }
            (_, outcome) => panic!("{name} ended in {:?}", outcome.map(|response| response.status)),
        }
        let after = client.send(&request("GET", "/fine", ""), LONG).map(|response| response.body);
        assert_eq!(after, Ok(b"GET /fine\n".to_vec()), "the call after {name}");
    }
    server.end();
}

#[test]
fn limits_hold_for_head_and_body() {
    let server = Server::start(|request: &Request| {
        let mut headers = Headers::new();
        for _ in 0..request.target.len() {
            headers.add("X-Filler", "y".repeat(1000));
        }
        Answer::Reply(Response { status: 200, headers, body: request.body.clone() })
    });
    let limits = Limits { body: 1000, head: 16 << 10 };
    let client = HttpTransport::new(&server.url(), limits, &[]).unwrap();
    let send = |target: &str, body: usize| client.send(&request("POST", target, &"b".repeat(body)), LONG);
    assert_eq!(send("/", 1000).map(|response| response.body.len()), Ok(1000));
    assert_eq!(send("/", 1001), Err(Lost::TooLarge { limit: 1000 }));
    assert_eq!(send("/23456789", 0).map(|response| response.status), Ok(200));
    assert_eq!(send(&format!("/{}", "x".repeat(39)), 0), Err(Lost::TooLarge { limit: 16 << 10 }));
    let many = send(&format!("/{}", "x".repeat(199)), 0);
    assert_eq!(many, Err(Lost::TooLarge { limit: 16 << 10 }));
    server.end();
}

#[test]
fn a_port_where_nobody_listens_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = HttpTransport::new(&url, Limits::default(), &[]).unwrap();
    let Err(Lost::Refused(why)) = client.send(&request("GET", "/", ""), LONG) else { panic!("was answered") };
    assert!(why.to_lowercase().contains("refused"), "{why}");
}

#[test]
fn tls_to_a_plain_port_ends_at_once() {
    let server = Server::start(echo);
    let client = HttpTransport::new(&format!("https://{}", server.address), Limits::default(), &[]).unwrap();
    let lost = client.send(&request("GET", "/", ""), LONG).unwrap_err();
    assert!(matches!(lost, Lost::Refused(_)), "{lost:?}");
    server.end();
}

#[test]
fn many_threads_share_one_transport() {
    let server = Server::start(echo);
    let client = server.client();
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for thread in 0..8 {
            let (client, together) = (&client, &together);
            scope.spawn(move || {
                together.wait();
                for call in 0..100 {
                    let target = format!("/{thread}/{call}");
                    let response = client.send(&request("GET", &target, ""), LONG).unwrap();
                    assert_eq!(response.body, format!("GET {target}\n").into_bytes());
                }
            });
        }
    });
    server.end();
}

#[test]
fn a_slow_call_does_not_hold_up_another_thread() {
    let (sender, arrived) = mpsc::channel();
    let server = Server::start(move |request: &Request| {
        if request.target == "/silence" {
            sender.send(()).unwrap();
        }
        hostile(request)
    });
    let client = server.client();
    thread::scope(|scope| {
        let slow = scope.spawn(|| client.send(&request("GET", "/silence", ""), LONG));
        arrived.recv_timeout(LONG).unwrap();
        for _ in 0..20 {
            assert!(client.send(&request("GET", "/fine", ""), Duration::from_secs(5)).is_ok());
        }
        assert!(!slow.is_finished());
        server.stop.send(true).unwrap();
        assert!(matches!(slow.join().unwrap(), Err(Lost::Reset(_))));
    });
    server.end();
}

#[test]
fn a_stop_closes_idle_connections_and_lets_a_request_finish() {
    let server = Server::start(hostile);
    let (mut idle, mut busy, mut silent, mut drip) = (server.raw(), server.raw(), server.raw(), server.raw());
    idle.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    read_reply(&mut idle);
    silent.write_all(b"GET /silence HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    drip.write_all(b"GET /slow-drip HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    assert_eq!(drip.read(&mut [0]).unwrap(), 1);
    let head = b"POST /busy HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    busy.write_all(head).unwrap();
    // The interim reply shows that the request has begun.
    read_reply(&mut busy);

    server.stop.send(true).unwrap();
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    let mut rest = Vec::new();
    assert!(silent.read_to_end(&mut rest).is_err() || rest.is_empty());
    let _ = drip.read_to_end(&mut rest);
    assert!(rest.len() < 100, "the drip went on for {} bytes", rest.len());
    busy.write_all(b"ab").unwrap();
    let (head, body) = read_reply(&mut busy);
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(body, b"POST /busy\nab");
    drop(busy);
    let address = server.address;
    server.end();
    assert!(TcpStream::connect(address).is_err(), "the port is closed after the stop");
}

#[test]
fn a_request_that_never_finishes_does_not_hold_up_the_stop() {
    let server = Server::start(echo);
    let mut stream = server.raw();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .unwrap();
    read_reply(&mut stream);
    let began = Instant::now();
    server.end();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(!matches!(stream.read(&mut [0]), Ok(1)));
}

/// A clock that stands still and refuses what is beyond an hour.
struct Still;

impl Controlled for Still {
    fn now(&self) -> i64 {
        0
    }

    fn advance(&self, _: i64) {}

    fn faults(&self) -> Vec<String> {
        Vec::new()
    }

    fn set_faults(&self, _: &[String]) -> Result<(), String> {
        Ok(())
    }

    fn reset(&self) {}
}

#[test]
fn a_control_port_moves_the_clock_or_says_why_not() {
    let server = Server::start(|request: &Request| Answer::Reply(handle(&Still, request)));
    let port = ControlPort::new(&server.url(), &[]).unwrap();
    assert_eq!(port.how(), format!("control port {}", server.url()));
    assert_eq!(port.advance(3600), Ok(()));
    let Err(ClockError::Refused { status: 400, said, .. }) = port.advance(u64::MAX) else { panic!("moved") };
    assert!(said.contains("seconds"), "{said}");
    server.end();
    assert!(matches!(port.advance(1), Err(ClockError::Lost { .. })));

    let other = Server::start(echo);
    let wrong = ControlPort::new(&format!("{}/x", other.url()), &[]).unwrap();
    // An endpoint that answers 200 to everything is not a control port, but nothing tells it apart.
    assert_eq!(wrong.advance(1), Ok(()));
    other.end();
    assert!(ControlPort::new("http://192.0.2.1:80", &[]).is_err());
}

#[test]
fn an_endless_body_is_abandoned_at_the_limit() {
    const GIANT: usize = 1 << 30;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let written = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let chunk = [b' '; 64 << 10];
        (0..GIANT / chunk.len()).take_while(|_| stream.write_all(&chunk).is_ok()).count() * chunk.len()
    });
    let client = HttpTransport::new(&url, Limits { body: 1 << 20, ..Limits::default() }, &[]).unwrap();
    assert_eq!(client.send(&request("GET", "/", ""), LONG), Err(Lost::TooLarge { limit: 1 << 20 }));
    drop(client);
    // What was written and not taken stands in the sockets' buffers, a few MiB at most.
    let written = written.join().unwrap();
    assert!(written < GIANT / 8, "{written} bytes were taken");
}

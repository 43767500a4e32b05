//! The shell that owns the sockets: accept, read, ask the service, write.
//!
//! A service is a plain function that answers within microseconds, so it is called right on the
//! connection's task. All that can wait is the peer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use super::hostile::Answer;
use super::hostile::{End, Script};
use super::http1::{self, Parsed, Parser};
use crate::wire::{Headers, Request, Response};

/// The most connections at a time; further ones wait in the listener's queue.
const CONNECTIONS: usize = 1024;
/// How long requests in flight may take to finish after the stop.
const GRACE: Duration = Duration::from_secs(2);
/// How long a connection may say nothing, within a request or between two.
const IDLE: Duration = Duration::from_secs(60);
/// How long a refused client may keep talking before the connection closes over it.
const LINGER: Duration = Duration::from_millis(500);
/// The least room for each read, and what an idle connection may keep.
const ROOM: usize = 16 << 10;

/// Something that answers requests.
pub trait Service: Send + Sync + 'static {
    /// The answer to one request, computed without waiting for anything.
    fn call(&self, request: &Request) -> Answer;

    /// A request has come whole: how long it waits before it is answered, so that others may overlap
    /// with it. A service that says so wants to hear of replies that are not delivered, too.
    fn arrives(&self) -> Option<Duration> {
        None
    }

    /// The reply to a request could not be written, or its peer had closed before. A peer that reads the
    /// reply and throws it away looks like any other.
    fn undelivered(&self, _request: &Request) {}
}

impl<F: Fn(&Request) -> Answer + Send + Sync + 'static> Service for F {
    fn call(&self, request: &Request) -> Answer {
        self(request)
    }
}

/// Serves until `shutdown` turns true or its sender is gone. Then idle connections close at once,
/// requests in flight get at most two seconds, and hostile answers end where they are.
pub async fn serve(listener: TcpListener, service: Arc<dyn Service>, shutdown: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let mut stop = shutdown.clone();
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let connection = Connection { stream, service: Arc::clone(&service), stop };
                    connections.spawn(connection.run());
                }
                // Out of descriptors, or the peer left already: neither is a reason to stop.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    let drained = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        connections.shutdown().await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: nobody could ever stop this server otherwise.
    let _ = stop.wait_for(|stop| *stop).await;
}

struct Connection {
    stream: TcpStream,
    service: Arc<dyn Service>,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn run(mut self) {
        // An error is the peer's leaving; there is nobody left to tell.
        let _ = self.converse().await;
    }

    async fn converse(&mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let (mut parser, mut input, mut output) = (Parser::new(), Vec::new(), Vec::new());
        let mut told_to_continue = false;
        loop {
            match parser.parse(&input) {
                Parsed::Incomplete => {
                    if parser.expects_continue() && !told_to_continue {
                        told_to_continue = true;
                        self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                    }
                    if !self.read(&mut input).await? {
                        return Ok(());
                    }
                }
                Parsed::Bad { status, why } => {
                    let mut headers = Headers::new();
                    headers.add("content-type", "text/plain");
                    let refusal = Response { status, headers, body: format!("{why}\n").into_bytes() };
                    http1::write(&refusal, false, &mut output);
                    self.stream.write_all(&output).await?;
                    return self.linger().await;
                }
                Parsed::Complete { request, used, keep_alive } => {
                    input.drain(..used);
                    told_to_continue = false;
                    let wait = self.service.arrives();
                    if let Some(wait) = wait {
                        sleep(wait).await;
                    }
                    let mut response = match self.service.call(&request) {
                        Answer::Reply(response) => response,
                        Answer::Hostile(response, way) => {
                            return self.play(way.script(&response, &request.target)).await;
                        }
                    };
                    if request.method == "HEAD" {
                        response.headers.set("content-length", response.body.len().to_string());
                        response.body.clear();
                    }
                    let keep_alive = keep_alive
                        && !http1::lists(&response.headers, "connection", "close")
                        && !(self.stops() && input.is_empty());
                    output.clear();
                    http1::write(&response, keep_alive, &mut output);
                    let gone = wait.is_some() && self.is_gone(&mut input);
                    let written = self.stream.write_all(&output).await;
                    if gone || written.is_err() {
                        self.service.undelivered(&request);
                    }
                    written?;
                    if !keep_alive {
                        return self.linger().await;
                    }
                    // A large exchange must not keep its memory for the life of the connection.
                    input.shrink_to(4 * ROOM);
                    output.shrink_to(4 * ROOM);
                }
            }
        }
    }

    /// Reads more; false when the connection is over.
    async fn read(&mut self, input: &mut Vec<u8>) -> io::Result<bool> {
        let idle = input.is_empty();
        input.reserve(ROOM);
        tokio::select! {
            biased;
            read = self.stream.read_buf(input) => Ok(read? > 0),
            () = stopped(&mut self.stop), if idle => Ok(false),
            () = sleep(IDLE) => Ok(false),
        }
    }

    /// Whether the peer has closed its side already; what else it has sent is kept.
    fn is_gone(&self, input: &mut Vec<u8>) -> bool {
        let mut ahead = [0; 1024];
        match self.stream.try_read(&mut ahead) {
            Ok(0) => true,
            Ok(more) => {
                input.extend_from_slice(&ahead[..more]);
                false
            }
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    fn stops(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// Closes the sending side and takes what the client still sends: closing over unread bytes
    /// would reset the connection, and the client might never see the reply.
    async fn linger(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut sink = [0; 4096];
        tokio::select! {
            () = async { while matches!(self.stream.read(&mut sink).await, Ok(1..)) {} } => {}
            () = sleep(LINGER) => {}
            () = stopped(&mut self.stop) => {}
        }
        Ok(())
    }

    async fn play(&mut self, script: Script) -> io::Result<()> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = stopped(&mut stop) => Ok(()),
            played = self.play_on(script) => played,
        }
    }

    async fn play_on(&mut self, script: Script) -> io::Result<()> {
        match script.pace {
            None => self.stream.write_all(&script.bytes).await?,
            Some(pace) => {
                for byte in &script.bytes {
                    sleep(pace).await;
                    self.stream.write_all(&[*byte]).await?;
                }
            }
        }
        let spaces = if script.filler > 0 { vec![b' '; 64 << 10] } else { Vec::new() };
        let mut left = script.filler;
        while left > 0 {
            let now = left.min(spaces.len() as u64);
            self.stream.write_all(&spaces[..now as usize]).await?;
            left -= now;
        }
        match script.end {
            End::Close => self.linger().await,
            End::Reset => self.stream.set_zero_linger(),
            End::Hold => {
                let mut sink = [0; 1024];
                while self.stream.read(&mut sink).await? > 0 {}
                Ok(())
            }
        }
    }
}

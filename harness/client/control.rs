//! Moving the clock of an endpoint that allows it: through its control port, or with a command.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::clock::{Clock, ClockError};
use super::http::{EndpointError, HttpTransport, Limits};
use super::transport::Transport;
use crate::history::Lost;
use crate::wire::{Headers, Request, Response};

/// How long a clock may take to move.
const LIMIT: Duration = Duration::from_secs(30);
/// How long the output of a command that has ended is waited for: a child of it may hold the pipe.
const OUTPUT: Duration = Duration::from_millis(500);
/// How much of a command's output is kept.
const KEPT: usize = 64 << 10;

/// A clock behind the control protocol (`GET /` on the port lists it).
#[derive(Debug)]
pub struct ControlPort {
    transport: HttpTransport,
}

impl ControlPort {
    /// The control port at `url`; the same hosts are allowed as for an endpoint.
    ///
    /// # Errors
    /// As [`HttpTransport::new`].
    pub fn new(url: &str, allow_hosts: &[String]) -> Result<Self, EndpointError> {
        Ok(Self { transport: HttpTransport::new(url, Limits::default(), allow_hosts)? })
    }

    fn ask(&self, method: &str, target: &str, body: String) -> Result<Response, Lost> {
        let mut headers = Headers::new();
        headers.add("content-type", "application/json");
        let (method, target, body) = (method.into(), target.into(), body.into_bytes());
        self.transport.send(&Request { method, target, headers, body }, LIMIT)
    }
}

impl Clock for ControlPort {
    fn advance(&self, seconds: u64) -> Result<(), ClockError> {
        let url = self.transport.name();
        match self.ask("POST", "/clock/advance", format!("{{\"seconds\":{seconds}}}")) {
            Ok(response) if response.status == 200 => Ok(()),
            Ok(response) => {
                let said = serde_json::from_slice(&response.body)
                    .ok()
                    .and_then(|value: serde_json::Value| Some(value.get("error")?.as_str()?.to_owned()))
                    .unwrap_or_else(|| excerpt(&response.body));
                Err(ClockError::Refused { url, status: response.status, said })
            }
            Err(lost) => Err(ClockError::Lost { url, lost }),
        }
    }

    fn now(&self) -> Option<i64> {
        let response = self.ask("GET", "/clock", String::new()).ok().filter(|it| it.status == 200)?;
        let shown: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
        shown.get("now")?.as_i64()
    }

    fn how(&self) -> String {
        format!("control port {}", self.transport.name())
    }
}

/// A clock that a shell command moves; it gets the seconds as its last argument.
#[derive(Clone, Debug)]
pub struct ClockCommand {
    command: String,
    limit: Duration,
}

impl ClockCommand {
    /// The command, as a line for `sh`.
    pub fn new(command: &str) -> Self {
        Self { command: command.to_owned(), limit: LIMIT }
    }

    fn start(&self, seconds: u64) -> std::io::Result<Child> {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{} \"$@\"", self.command))
            .arg("sh")
            .arg(seconds.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own, so that it can be ended with all that it started.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }

    fn wait(&self, child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if began.elapsed() >= self.limit {
                return Ok(None);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

impl Clock for ClockCommand {
    fn advance(&self, seconds: u64) -> Result<(), ClockError> {
        let command = self.command.clone();
        let start =
            |error: std::io::Error| ClockError::Start { command: command.clone(), why: error.to_string() };
        let mut child = self.start(seconds).map_err(start)?;
        let errors = child.stderr.take().map(capture);
        let output = child.stdout.take().map(capture);
        match self.wait(&mut child) {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => {
                let mut said = [errors, output].into_iter().flatten().map(|pipe| excerpt(&written(&pipe)));
                let said = said.find(|text| !text.is_empty()).unwrap_or_else(|| "it wrote nothing".into());
                Err(ClockError::Failed { command: command.clone(), status: ended(status), said })
            }
            Ok(None) => {
                end(&mut child);
                Err(ClockError::TooSlow { command: command.clone(), seconds: self.limit.as_secs() })
            }
            Err(error) => {
                end(&mut child);
                Err(start(error))
            }
        }
    }

    fn how(&self) -> String {
        format!("command `{}`", self.command)
    }
}

/// Ends the command with everything in its group, and collects it.
fn end(child: &mut Child) {
    // The shell's own `kill` reaches a group, which the standard library cannot.
    #[cfg(unix)]
    let _ = Command::new("sh")
        .args(["-c", "kill -s KILL -- \"-$1\"", "sh", &child.id().to_string()])
        .stderr(Stdio::null())
        .status();
    let _ = child.kill();
    let _ = child.wait();
}

fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

/// Reads a pipe to its end on a thread, so that the writer never blocks; keeps the beginning.
fn capture(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut kept = 0;
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let count = count.min(KEPT - kept);
            kept += count;
            // Nobody listens any more: the pipe is drained all the same.
            let _ = sender.send(buffer[..count].to_vec());
        }
    });
    receiver
}

/// What came through the pipe, once it ends or has had its time.
fn written(pipe: &Receiver<Vec<u8>>) -> Vec<u8> {
    let until = Instant::now() + OUTPUT;
    let mut all = Vec::new();
    while let Ok(more) = pipe.recv_timeout(until.saturating_duration_since(Instant::now())) {
        all.extend(more);
    }
    all
}

/// The last 500 characters, on one line.
fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let skipped = words.chars().count().saturating_sub(500);
    words.chars().skip(skipped).filter(|c| !c.is_control()).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_seconds_are_the_last_argument() {
        let clock = ClockCommand::new("test a = a && test 3600 -eq");
        assert_eq!(clock.advance(3600), Ok(()));
        let Err(ClockError::Failed { status, said, .. }) = clock.advance(1) else { panic!("moved") };
        assert_eq!((status.as_str(), said.as_str()), ("exit code 1", "it wrote nothing"));
    }

    #[test]
    fn a_failure_says_what_the_command_said() {
        let clock = ClockCommand::new("echo out; echo no such clock >&2; exit 3 #");
        let Err(error) = clock.advance(5) else { panic!("moved") };
        let text = error.to_string();
        assert!(text.contains("exit code 3: no such clock") && text.contains("`echo out;"), "{text}");
        let Err(error) = ClockCommand::new("echo only out; false").advance(5) else { panic!("moved") };
        assert!(error.to_string().ends_with("exit code 1: only out"), "{error}");
        let Err(error) = ClockCommand::new("kill -9 $$; :").advance(5) else { panic!("moved") };
        assert!(error.to_string().contains("signal: 9"), "{error}");
    }

    #[test]
    fn much_output_does_not_block_the_command() {
        assert_eq!(ClockCommand::new("head -c 1000000 /dev/zero; test 5 -eq").advance(5), Ok(()));
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let command = format!("sleep 600 & echo $! > '{}'; wait; :", file.display());
        let clock = ClockCommand { command, limit: Duration::from_millis(300) };
        assert!(matches!(clock.advance(1), Err(ClockError::TooSlow { .. })));
        let child = std::fs::read_to_string(file).unwrap();
        // A process that was ended may stay listed for a moment, as a zombie, until it is collected.
        let state = format!("ps -o stat= -p {} | grep -v Z", child.trim());
        let until = Instant::now() + Duration::from_secs(10);
        while Command::new("sh").args(["-c", &state]).output().unwrap().status.success() {
            assert!(Instant::now() < until, "the child of the command still runs");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(b" a\n\tb \x1b[1m\xff"), "a b [1m\u{fffd}");
        assert_eq!(excerpt("x".repeat(900).as_bytes()).len(), 500);
    }
}

//! The control protocol: how a test moves an endpoint's clock and switches its faults.
//!
//! A pure function over the same requests and replies as the API itself, in JSON. An emulator that
//! is not this one can offer the same protocol in an afternoon: `GET /` lists all of it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::{Headers, Request, Response};

/// What can be controlled.
pub trait Controlled {
    /// The endpoint's time, in seconds since 1970.
    fn now(&self) -> i64;
    /// Moves the clock forward; `seconds` is never negative, and the sum is a valid time.
    fn advance(&self, seconds: i64);
    /// The names of the faults that are on.
    fn faults(&self) -> Vec<String>;
    /// Switches on exactly these faults, or none of them.
    ///
    /// # Errors
    /// Says which name is wrong and which there are.
    fn set_faults(&self, names: &[String]) -> Result<(), String>;
    /// Forgets all state, the faults and the clock's advance.
    fn reset(&self);
}

type Act = fn(&dyn Controlled, &[u8]) -> Result<Value, String>;

/// Method, path, example of a body, meaning.
type Route = (&'static str, &'static str, &'static str, &'static str, Act);

/// Everything there is.
const ROUTES: [Route; 6] = [
    ("GET", "/", "", "this list", |_, _| Ok(listing())),
    ("GET", "/clock", "", "the time", |target, _| Ok(clock(target))),
    ("POST", "/clock/advance", r#"{"seconds": 60}"#, "moves the clock forward", advance),
    ("GET", "/faults", "", "the faults that are on", |target, _| Ok(faults(target))),
    ("PUT", "/faults", r#"{"faults": ["name"]}"#, "switches on exactly these faults", set_faults),
    ("POST", "/reset", "", "forgets all secrets, the faults and the clock's advance", |target, _| {
        target.reset();
        Ok(clock(target))
    }),
];

/// Answers one control request.
pub fn handle(target: &dyn Controlled, request: &Request) -> Response {
    let path = request.path();
    let mut here = ROUTES.iter().filter(|route| route.1 == path).peekable();
    if here.peek().is_none() {
        return reply(404, &json!({ "error": format!("nothing at `{path}`: GET / lists what there is") }));
    }
    let methods: Vec<&str> = here.clone().map(|route| route.0).collect();
    let Some((.., act)) = here.find(|route| route.0 == request.method) else {
        let allowed = methods.join(", ");
        let error = format!("`{path}` does not take {}: use {allowed}", request.method);
        let mut response = reply(405, &json!({ "error": error }));
        response.headers.add("allow", allowed);
        return response;
    };
    match act(target, &request.body) {
        Ok(value) => reply(200, &value),
        Err(error) => reply(400, &json!({ "error": error })),
    }
}

fn reply(status: u16, value: &Value) -> Response {
    let mut headers = Headers::new();
    headers.add("content-type", "application/json");
    Response { status, headers, body: format!("{value}\n").into_bytes() }
}

fn listing() -> Value {
    let route = |&(method, path, body, does, _): &Route| {
        let mut route = json!({ "method": method, "path": path, "does": does });
        if !body.is_empty() {
            route["body"] = json!(body);
        }
        route
    };
    json!({ "control": ROUTES.iter().map(route).collect::<Vec<_>>() })
}

fn clock(target: &dyn Controlled) -> Value {
    let now = target.now();
    json!({ "now": now, "iso": iso(now) })
}

fn iso(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

fn faults(target: &dyn Controlled) -> Value {
    json!({ "faults": target.faults() })
}

fn body<'a, T: Deserialize<'a>>(bytes: &'a [u8], example: &str) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("{error}: send a body such as {example}"))
}

fn advance(target: &dyn Controlled, bytes: &[u8]) -> Result<Value, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Advance {
        seconds: i64,
    }
    let Advance { seconds } = body(bytes, r#"{"seconds": 60}"#)?;
    if seconds < 0 {
        return Err(format!("seconds is {seconds}: the clock only moves forward"));
    }
    if target.now().checked_add(seconds).and_then(iso).is_none() {
        return Err(format!("{seconds} seconds lead beyond the year 9999"));
    }
    target.advance(seconds);
    Ok(clock(target))
}

fn set_faults(target: &dyn Controlled, bytes: &[u8]) -> Result<Value, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Faults {
        faults: Vec<String>,
    }
    target.set_faults(&body::<Faults>(bytes, r#"{"faults": ["name"]}"#)?.faults)?;
    Ok(faults(target))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    struct Sample {
        now: Cell<i64>,
        faults: RefCell<Vec<String>>,
    }

    impl Sample {
        const START: i64 = 1_700_000_000;

        fn new() -> Self {
            Self { now: Cell::new(Self::START), faults: RefCell::default() }
        }
    }

    impl Controlled for Sample {
        fn now(&self) -> i64 {
            self.now.get()
        }

        fn advance(&self, seconds: i64) {
            self.now.set(self.now.get() + seconds);
        }

        fn faults(&self) -> Vec<String> {
            self.faults.borrow().clone()
        }

        fn set_faults(&self, names: &[String]) -> Result<(), String> {
            if names.iter().any(|name| name != "stale-read") {
                return Err("no such fault".into());
            }
            *self.faults.borrow_mut() = names.to_vec();
            Ok(())
        }

        fn reset(&self) {
            self.now.set(Self::START);
            self.faults.borrow_mut().clear();
        }
    }

    fn call(target: &Sample, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request =
            Request { method: method.into(), target: path.into(), body: body.into(), ..Request::default() };
        let response = handle(target, &request);
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    #[test]
    fn the_clock_reads_and_moves_forward() {
        let target = Sample::new();
        let start = json!({ "now": 1_700_000_000, "iso": "2023-11-14T22:13:20Z" });
        assert_eq!(call(&target, "GET", "/clock", ""), (200, start.clone()));
        let later = json!({ "now": 1_700_003_600, "iso": "2023-11-14T23:13:20Z" });
        assert_eq!(call(&target, "POST", "/clock/advance", r#"{"seconds":3600}"#), (200, later.clone()));
        assert_eq!(call(&target, "POST", "/clock/advance", r#"{"seconds":0}"#), (200, later));
        assert_eq!(call(&target, "POST", "/reset", ""), (200, start));
    }

    #[test]
    fn a_bad_advance_moves_nothing() {
        let target = Sample::new();
        for (body, says) in [
            (r#"{"seconds":-1}"#, "only moves forward"),
            (r#"{"seconds":1.5}"#, "send a body such as"),
            (r#"{"seconds":"1"}"#, "send a body such as"),
            (r#"{"seconds":1,"minutes":2}"#, "minutes"),
            (r#"{"seconds":9223372036854775807}"#, "9999"),
            (r#"{"seconds":300000000000}"#, "9999"),
            ("{}", "seconds"),
            ("", "send a body such as"),
        ] {
            let (status, value) = call(&target, "POST", "/clock/advance", body);
            assert_eq!(status, 400, "{body}");
            assert!(value["error"].as_str().unwrap().contains(says), "{body}: {value}");
        }
        assert_eq!(target.now(), Sample::START);
    }

    #[test]
    fn faults_are_replaced_as_a_whole_or_not_at_all() {
        let target = Sample::new();
        let on = json!({ "faults": ["stale-read"] });
        assert_eq!(call(&target, "PUT", "/faults", r#"{"faults":["stale-read"]}"#), (200, on.clone()));
        let unknown = r#"{"faults":["stale-read","other"]}"#;
        assert_eq!(call(&target, "PUT", "/faults", unknown), (400, json!({ "error": "no such fault" })));
        assert_eq!(call(&target, "PUT", "/faults", r#"{"faults":"stale-read"}"#).0, 400);
        assert_eq!(call(&target, "GET", "/faults", ""), (200, on));
        assert_eq!(call(&target, "PUT", "/faults", r#"{"faults":[]}"#), (200, json!({ "faults": [] })));
    }

    #[test]
    fn wrong_paths_and_methods_say_what_there_is() {
        let target = Sample::new();
        assert_eq!(call(&target, "GET", "/clocks", "").0, 404);
        assert_eq!(call(&target, "GET", "/clock?x=1", "").0, 200);
        let (status, value) = call(&target, "POST", "/faults", "");
        assert_eq!(
            (status, &value),
            (405, &json!({ "error": "`/faults` does not take POST: use GET, PUT" }))
        );
        let request = Request { method: "DELETE".into(), target: "/reset".into(), ..Request::default() };
        assert_eq!(handle(&target, &request).headers.text("allow"), Some("POST"));
    }

    #[test]
    fn the_list_names_every_route() {
        let (_, value) = call(&Sample::new(), "GET", "/", "");
        let listed: Vec<_> =
            value["control"].as_array().unwrap().iter().map(|route| &route["path"]).collect();
        assert_eq!(listed, ["/", "/clock", "/clock/advance", "/faults", "/faults", "/reset"]);
        assert_eq!(value["control"][2]["body"], r#"{"seconds": 60}"#);
    }
}

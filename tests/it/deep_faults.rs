//! Faults that no directed check trips, and faults that race: each is a violation of what documents state,
//! for a sequence of calls that stands here. What the sequences of a fault's name find, and at which vendor,
//! is a snapshot; `fault_matrix.rs` shows that the directed checks do not find it.

use rotaprobe::campaign::{Care, Direct, Endpoint, Ledger, Reference};
use rotaprobe::check::{Drive, Halt, Made, ReplySchemas, Settings, Step, judge};
use rotaprobe::client::Caller;
use rotaprobe::client::http::{HttpTransport, Limits};
use rotaprobe::codec::Call;
use rotaprobe::emulator::fault::{self, Fault};
use rotaprobe::emulator::server::serve;
use rotaprobe::emulator::service::Served;
use rotaprobe::emulator::{Account, Emulator};
use rotaprobe::history::{Attempt, Entry, History, Leave};
use rotaprobe::model::{Meaning, Role};
use rotaprobe::sign::Credentials;
use rotaprobe::spec::{self, Vendor};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The order of calls at the same time follows from the seed: one of so many shows the one that matters.
const SEEDS: std::ops::Range<u64> = 1..7;

type Scene = fn(&mut Drive<'_>) -> Step;

/// A sequence of calls that shows a fault, by the fault's name.
const SCENES: &[(&str, Scene)] = &[
    ("token-race", |drive| {
        let secret = drive.rotatable()?;
        need_tokens(drive)?;
        let call = rotation(drive, &secret)?;
        together(drive, &[&call, &call])?;
        drive.look_back(&secret)
    }),
    ("guard-race", |drive| {
        let secret = drive.rotatable()?;
        let (one, other) = (rotation(drive, &secret)?, rotation(drive, &secret)?);
        together(drive, &[&one, &other])?;
        drive.look_back(&secret)
    }),
    ("lost-update", |drive| {
        let secret = drive.plain()?;
        let (one, other) = (write(drive, &secret, None)?, write(drive, &secret, None)?);
        together(drive, &[&one, &other])?;
        drive.look_back(&secret)
    }),
    ("retry-rotates-twice", |drive| {
        let secret = drive.rotatable()?;
        need_tokens(drive)?;
        let call = rotation(drive, &secret)?;
        drive.send_and_leave(&call, Leave::AfterReply)?;
        settle(drive)?;
        drive.send(&call)?;
        drive.look_back(&secret)
    }),
    ("token-lost-by-restore", |drive| {
        let secret = drive.rotatable()?;
        let (_, token) = drive.rotate(&secret)?;
        away_and_back(drive, &secret)?;
        drive.rotate_with(&secret, &token)?;
        drive.look_back(&secret)
    }),
    ("token-forgotten-after-two", |drive| {
        let secret = drive.rotatable()?;
        let (_, token) = drive.rotate(&secret)?;
        drive.rotate(&secret)?;
        drive.rotate(&secret)?;
        drive.look(&secret)?;
        drive.rotate_with(&secret, &token)?;
        drive.look_back(&secret)
    }),
    ("tokens-outlive-the-secret", |drive| {
        let secret = drive.rotatable()?;
        let (_, token) = drive.rotate(&secret)?;
        drive.delete(&secret, None)?;
        let anew = named(drive, true, 0, &secret.name)?;
        drive.look(&anew)?;
        drive.rotate_with(&anew, &token)?;
        drive.look_back(&anew)
    }),
    ("prefix-shares-tokens", |drive| {
        let secret = drive.rotatable()?;
        let longer = named(drive, true, 0, &format!("{}x", secret.name))?;
        let (_, token) = drive.rotate(&secret)?;
        drive.look(&longer)?;
        drive.rotate_with(&longer, &token)?;
        drive.look_back(&longer)
    }),
    ("restore-forgets-previous", |drive| {
        let secret = drive.rotatable()?;
        drive.rotate(&secret)?;
        drive.rotate(&secret)?;
        policy(drive, &secret, Some(40))?;
        drive.look_back(&secret)?;
        away_and_back(drive, &secret)?;
        drive.look_back(&secret)
    }),
    ("third-return-loses-version", |drive| {
        let secret = drive.rotatable()?;
        drive.rotate(&secret)?;
        drive.look_back(&secret)?;
        for _ in 0..3 {
            away_and_back(drive, &secret)?;
        }
        drive.look_back(&secret)
    }),
    ("deletion-lingers", |drive| {
        let secret = drive.rotatable()?;
        away_and_back(drive, &secret)?;
        drive.rotate(&secret)?;
        drive.look(&secret)?;
        drive.advance((drive.window() + 1) * 86_400)?;
        drive.look(&secret)
    }),
    ("third-rotation-drops-previous", |drive| {
        let secret = drive.rotatable()?;
        policy(drive, &secret, Some(40))?;
        for _ in 0..3 {
            drive.rotate(&secret)?;
        }
        drive.look_back(&secret)
    }),
    ("second-manual-doubles", |drive| {
        let secret = drive.rotatable()?;
        policy(drive, &secret, Some(40))?;
        for _ in 0..2 {
            drive.rotate(&secret)?;
        }
        drive.look(&secret)
    }),
    ("rollback-mislabels", |drive| {
        let secret = drive.plain()?;
        let (older, newer) = (put(drive, &secret, None)?, put(drive, &secret, None)?);
        let current = drive.vendor.law.current.to_string();
        move_stage(drive, &secret, &current, &older, Some(&newer))?;
        drive.look_back(&secret)?;
        put(drive, &secret, None)?;
        drive.look_back(&secret)?;
        let previous = drive.vendor.law.previous.as_ref().map_or("", |stage| &**stage);
        read_stage(drive, &secret, previous)
    }),
    ("stage-stays-on-return", |drive| {
        let secret = drive.plain()?;
        let (first, second) = (put(drive, &secret, None)?, put(drive, &secret, None)?);
        move_stage(drive, &secret, "rotaprobe-a", &first, None)?;
        for (to, from) in [(&second, &first), (&first, &second), (&second, &first)] {
            move_stage(drive, &secret, "rotaprobe-a", to, Some(from))?;
        }
        drive.look(&secret)?;
        read_stage(drive, &secret, "rotaprobe-a")
    }),
    ("put-dedups-values", |drive| {
        let kind = drive.kind(false)?;
        let (mut call, made) = drive.creation(kind, 0, 0)?;
        let value = drive.value();
        drive.set(&mut call, Meaning::Value, value.clone());
        let secret = drive.create_by(&call, made)?;
        for value in [None, None, Some(value.as_str())] {
            put(drive, &secret, value)?;
        }
        drive.look(&secret)
    }),
    ("move-then-put-drops", |drive| {
        let secret = drive.plain()?;
        put(drive, &secret, None)?;
        put(drive, &secret, None)?;
        let newest = put(drive, &secret, None)?;
        drive.look(&secret)?;
        move_stage(drive, &secret, "rotaprobe-a", &newest, None)?;
        put(drive, &secret, None)?;
        drive.look(&secret)
    }),
    ("weeks-read-as-days", |drive| {
        let secret = drive.rotatable()?;
        policy(drive, &secret, Some(49))?;
        drive.describe(&secret).map(drop)
    }),
    ("parked-interval", |drive| {
        let secret = drive.rotatable()?;
        policy(drive, &secret, Some(40))?;
        drive.set_policy(&secret, false, Some("45d"))?;
        policy(drive, &secret, Some(50))?;
        drive.describe(&secret).map(drop)
    }),
    ("twins-share-policy", |drive| {
        let secret = drive.rotatable()?;
        let twin = named(drive, true, 1, &secret.name)?;
        policy(drive, &secret, Some(40))?;
        policy(drive, &twin, Some(50))?;
        drive.describe(&twin)?;
        drive.describe(&secret).map(drop)
    }),
    ("repeated-list-goes-stale", |drive| {
        let secret = drive.rotatable()?;
        drive.rotate(&secret)?;
        drive.versions(&secret)?;
        drive.versions(&secret)?;
        drive.rotate(&secret)?;
        drive.versions(&secret).map(drop)
    }),
    ("creation-race", |drive| {
        let kind = drive.kind(false)?;
        let (one, made) = drive.creation(kind, 0, 0)?;
        let (mut other, _) = drive.creation(kind, 0, 0)?;
        drive.set(&mut other, Meaning::Secret, made.name.clone());
        together(drive, &[&one, &other])?;
        drive.describe(&made).map(drop)
    }),
    ("rotation-resurrects", |drive| {
        let secret = drive.rotatable()?;
        policy(drive, &secret, Some(40))?;
        let (gone, turned) = (drive.deletion(&secret, Some(drive.window()))?, rotation(drive, &secret)?);
        together(drive, &[&gone, &turned])?;
        drive.look(&secret)
    }),
    ("rotation-takes-put-value", |drive| {
        let secret = drive.rotatable()?;
        drive.look(&secret)?;
        let put = write(drive, &secret, Some(r#"["rotaprobe-a"]"#))?;
        let turned = rotation(drive, &secret)?;
        together(drive, &[&put, &turned])?;
        drive.look_back(&secret)
    }),
    ("policies-mix", |drive| {
        let secret = drive.rotatable()?;
        policy(drive, &secret, Some(40))?;
        let (one, other) = (policy_call(drive, &secret, 45)?, policy_call(drive, &secret, 50)?);
        together(drive, &[&one, &other])?;
        drive.describe(&secret).map(drop)
    }),
    ("policy-forgets-rotation", |drive| {
        let secret = drive.rotatable()?;
        drive.rotate(&secret)?;
        policy(drive, &secret, Some(40))?;
        drive.describe(&secret)?;
        drive.advance(20 * 86_400)?;
        let (turned, set) = (rotation(drive, &secret)?, policy_call(drive, &secret, 45)?);
        together(drive, &[&turned, &set])?;
        drive.describe(&secret).map(drop)
    }),
    ("lost-reply-loses-previous", |drive| {
        let secret = drive.rotatable()?;
        drive.rotate(&secret)?;
        drive.look_back(&secret)?;
        let call = rotation(drive, &secret)?;
        drive.send_and_leave(&call, Leave::AfterReply)?;
        settle(drive)?;
        drive.rotate(&secret)?;
        drive.look_back(&secret)
    }),
];

fn need_tokens(drive: &Drive<'_>) -> Step {
    match drive.vendor.law.replays {
        true => Ok(()),
        false => Err(Halt::Missing("the API has no idempotency token".into())),
    }
}

/// What goes on has had its time.
fn settle(drive: &mut Drive<'_>) -> Step {
    drive.advance(10)?;
    drive.history.entries.push(Entry::Settled);
    Ok(())
}

fn together(drive: &mut Drive<'_>, calls: &[&Call]) -> Step {
    let attempts: Vec<Attempt<'_>> = calls.iter().map(|call| Attempt::new(call)).collect();
    drive.send_together(&attempts)?;
    settle(drive)
}

fn rotation(drive: &mut Drive<'_>, secret: &Made) -> Step<Call> {
    let mut call = drive.call_of(Role::Rotate, secret)?;
    let token = drive.token();
    drive.set(&mut call, Meaning::Token, token);
    Ok(call)
}

fn write(drive: &mut Drive<'_>, secret: &Made, stages: Option<&str>) -> Step<Call> {
    let mut call = drive.call_of(Role::Put, secret)?;
    let (token, value) = (drive.token(), drive.value());
    drive.set(&mut call, Meaning::Token, token);
    drive.set(&mut call, Meaning::Value, value);
    if let Some(stages) = stages {
        drive.set(&mut call, Meaning::Stages, stages);
    }
    Ok(call)
}

fn put(drive: &mut Drive<'_>, secret: &Made, value: Option<&str>) -> Step<String> {
    let (token, fresh) = (drive.token(), drive.value());
    let at = drive.put(secret, &token, value.unwrap_or(&fresh), None)?;
    Ok(drive.written(at, &token))
}

fn move_stage(drive: &mut Drive<'_>, secret: &Made, stage: &str, to: &str, from: Option<&str>) -> Step {
    let mut call = drive.call_of(Role::MoveStage, secret)?;
    drive.set(&mut call, Meaning::Stage, stage);
    drive.set(&mut call, Meaning::MoveTo, to);
    if let Some(from) = from {
        drive.set(&mut call, Meaning::RemoveFrom, from);
    }
    drive.send(&call).map(drop)
}

/// Asks where a stage is, if there is a way to.
fn read_stage(drive: &mut Drive<'_>, secret: &Made, stage: &str) -> Step {
    if drive.operation(Role::ReadStage).is_ok() {
        let mut call = drive.call_of(Role::ReadStage, secret)?;
        drive.set(&mut call, Meaning::Stage, stage);
        drive.send(&call)?;
    }
    Ok(())
}

fn policy_call(drive: &mut Drive<'_>, secret: &Made, days: i64) -> Step<Call> {
    let mut call = drive.policy_call(secret, true)?;
    drive.set_interval(&mut call, &format!("{days}d"));
    Ok(call)
}

fn policy(drive: &mut Drive<'_>, secret: &Made, days: Option<i64>) -> Step {
    let days = days.map(|days| format!("{days}d"));
    let at = drive.set_policy(secret, days.is_some(), days.as_deref())?;
    drive.need(at, "setting the policy")
}

fn away_and_back(drive: &mut Drive<'_>, secret: &Made) -> Step {
    let at = drive.delete(secret, Some(drive.window()))?;
    drive.need(at, "deletion")?;
    let at = drive.restore(secret)?;
    drive.need(at, "restoring")
}

/// A fresh secret of a name that is given.
fn named(drive: &mut Drive<'_>, rotates: bool, account: usize, name: &str) -> Step<Made> {
    let kind = drive.kind(rotates)?;
    let (mut call, mut made) = drive.creation(kind, 0, account)?;
    drive.set(&mut call, Meaning::Secret, name);
    made.name = name.to_owned();
    drive.create_by(&call, made)
}

/// Plays a scene at an endpoint; none if the vendor lacks what it needs.
fn play(
    vendor: &Arc<Vendor>,
    endpoint: &Endpoint,
    now: rotaprobe::client::Now,
    seed: u64,
    scene: Scene,
) -> Option<History> {
    let caller = Caller::new(
        vendor.clone(),
        endpoint.transport.clone(),
        endpoint.credentials.clone(),
        &endpoint.host,
        endpoint.timeout,
        now,
        seed,
    );
    let ledger = Ledger::open(vendor, "the scene", "rotaprobe-", &Care::default());
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut link = Direct::new(caller, endpoint.clone(), deadline, ledger);
    let mut settings = Settings::new("rotaprobe-".into(), seed);
    let mut drive = Drive::new(&mut link, vendor, &mut settings);
    match scene(&mut drive) {
        Ok(()) => Some(drive.history),
        Err(Halt::Missing(_)) => None,
        Err(halt) => panic!("{}: {halt}", vendor.spec.vendor),
    }
}

#[test]
fn what_an_endpoint_calls_so_may_have_been_there_in_another_account() {
    let vendor = Arc::new(spec::embedded("alibaba").unwrap());
    let schemas = ReplySchemas::new(&vendor).unwrap();
    let played = in_process(&vendor, None, 1, |drive| {
        let mut other = drive.create("RAMCredentials", 0, 0)?;
        let secret = drive.create("Rds", 0, 1)?;
        let call = rotation(drive, &secret)?;
        drive.send(&call)?;
        other.account = 1;
        let call = rotation(drive, &other)?;
        drive.send(&call).map(drop)
    });
    let mut history = played.unwrap();
    assert_eq!(violated(&vendor, &schemas, &history), BTreeSet::new(), "there is none");
    // Now what the other account has is called so, too.
    let Some(Entry::Call(refused)) = history.entries.pop() else { panic!("a call") };
    let Some(Entry::Call(done)) = history.entries.last_mut() else { panic!("a call") };
    assert!(done.done() && !refused.done());
    let own = std::mem::replace(&mut done.call, refused.call);
    assert_eq!(violated(&vendor, &schemas, &history), BTreeSet::new(), "it may have been there before");
    // Of what callers name, everybody knows whether it is new.
    let Some(Entry::Call(done)) = history.entries.last_mut() else { panic!("a call") };
    done.call = own;
    done.call.set("SecretName", "rotaprobe-of-nobody");
    assert_eq!(violated(&vendor, &schemas, &history), BTreeSet::from(["ROT-ERR-3"]));
}

fn in_process(
    vendor: &Arc<Vendor>,
    fault: Option<&'static Fault>,
    seed: u64,
    scene: Scene,
) -> Option<History> {
    let reference = Arc::new(Reference::new(vendor.clone(), seed));
    reference.with(|emulator| emulator.set_faults(fault.into_iter().collect()));
    let clock = reference.clock().clone();
    play(vendor, &Endpoint::in_process(reference), Arc::new(move || clock.now()), seed, scene)
}

/// The rules that a history violates.
fn violated(vendor: &Vendor, schemas: &ReplySchemas, history: &History) -> BTreeSet<&'static str> {
    let ruling = judge(vendor, schemas, history, &[]);
    ruling.expectations.iter().filter(|it| !it.holds).map(|it| it.rule).collect()
}

#[test]
fn each_is_a_violation_for_a_sequence_of_calls_that_is_none_without_it() {
    let played = |fault: &&Fault| SCENES.iter().any(|(name, _)| *name == fault.name);
    assert_eq!(fault::deep().find(|fault| !played(fault)).map(|fault| fault.name), None, "has no scene");
    let names = SCENES.iter().map(|(name, _)| *name);
    let (mut found, mut wrong) = (String::new(), Vec::new());
    let vendors: Vec<_> =
        spec::embedded_names().iter().map(|name| Arc::new(spec::embedded(name).unwrap())).collect();
    let schemas: Vec<_> = vendors.iter().map(|vendor| ReplySchemas::new(vendor).unwrap()).collect();
    for name in names {
        let (fault, (_, scene)) =
            (fault::find(name).unwrap(), SCENES.iter().find(|(of, _)| *of == name).expect(name));
        let mut anywhere = false;
        for (vendor, schemas) in vendors.iter().zip(&schemas) {
            let at = &vendor.spec.vendor;
            let mut rules = BTreeSet::new();
            for seed in SEEDS {
                let Some(clean) = in_process(vendor, None, seed, *scene) else { continue };
                let broken = violated(vendor, schemas, &clean);
                if !broken.is_empty() {
                    wrong.push(format!("{name} at {at} with seed {seed}: {broken:?} without any fault"));
                }
                if let Some(faulty) = in_process(vendor, Some(fault), seed, *scene) {
                    rules.extend(violated(vendor, schemas, &faulty));
                }
            }
            if !rules.is_empty() {
                let rules: Vec<&str> = rules.into_iter().collect();
                found.push_str(&format!("{name:<28} {at:<8} {}\n", rules.join(" ")));
                anywhere |= fault.rules.iter().any(|rule| rules.contains(rule));
            }
        }
        if !anywhere {
            wrong.push(format!("{name} breaks none of {:?} at any vendor", fault.rules));
        }
    }
    assert!(wrong.is_empty(), "{}\n{found}", wrong.join("\n"));
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("deep_faults", found);
    });
}

/// Serves an emulator with a fault, plays a scene at it over sockets, and stops.
fn over_sockets(vendor: &Arc<Vendor>, name: &str, seed: u64, scene: Scene) -> Option<History> {
    let accounts: Vec<Account> = Emulator::default_accounts(vendor);
    let credentials: Vec<Credentials> = accounts.iter().map(|account| account.credentials.clone()).collect();
    let served = Arc::new(Served::new(Emulator::new(vendor.clone(), accounts, seed)));
    served.switch(&[name.to_owned()]).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = watch::channel(false);
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            serve(tokio::net::TcpListener::from_std(listener).unwrap(), served, stopped).await;
        });
    });
    let transport = Arc::new(HttpTransport::new(&url, Limits::default(), &[]).unwrap());
    let mut endpoint = Endpoint::in_process(Arc::new(Reference::new(vendor.clone(), seed)));
    (endpoint.transport, endpoint.credentials) = (transport, credentials);
    let now = || jiff::Timestamp::now().as_second();
    let history = play(vendor, &endpoint, Arc::new(now), seed, scene);
    stop.send(true).unwrap();
    server.join().unwrap();
    history
}

#[test]
fn calls_race_and_replies_are_lost_over_sockets_too() {
    let vendor = Arc::new(spec::embedded("alibaba").unwrap());
    let schemas = ReplySchemas::new(&vendor).unwrap();
    let scene_of = |name: &str| SCENES.iter().find(|(of, _)| *of == name).unwrap().1;
    let lost: Scene = |drive| {
        let secret = drive.rotatable()?;
        let call = rotation(drive, &secret)?;
        drive.send_and_leave(&call, Leave::AtOnce)?;
        // However slow the machine is: it came.
        std::thread::sleep(Duration::from_millis(100));
        drive.send(&call)?;
        drive.look_back(&secret)
    };
    for (name, scene) in [
        ("token-race", scene_of("token-race")),
        ("guard-race", scene_of("guard-race")),
        ("lost-update", scene_of("lost-update")),
        ("retry-rotates-twice", lost),
    ] {
        // Whether two calls overlap is up to the machine.
        let shows = |seed| {
            let history = over_sockets(&vendor, name, seed, scene).unwrap();
            !violated(&vendor, &schemas, &history).is_empty()
        };
        assert!((1..30).any(shows), "{name} never shows");
    }
}

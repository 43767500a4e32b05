//! How long the parts of one call take, a whole rotation, and a whole check. `just bench` runs them.
//!
//! Figures depend on the machine; ratios within one run are what to compare.
#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to say")]

mod order;
mod story;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rotaprobe::campaign::{self, Direct, Endpoint, Ledger, Plan, Reference, fuzz};
use rotaprobe::check::{Drive, Made, ReplySchemas, Settings, judge};
use rotaprobe::client::Caller;
use rotaprobe::client::http::{HttpTransport, Limits};
use rotaprobe::client::transport::Transport;
use rotaprobe::codec::{self, Call};
use rotaprobe::emulator::service::Served;
use rotaprobe::emulator::{Emulator, server};
use rotaprobe::generate;
use rotaprobe::history::{Attempt, Entry, History};
use rotaprobe::model::{Meaning, Role};
use rotaprobe::sign::{Credentials, Signing};
use rotaprobe::spec::{self, Vendor};
use std::cell::LazyCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NOW: i64 = 1_704_164_645;

fn vendor() -> Arc<Vendor> {
    Arc::new(spec::embedded("alibaba").expect("the spec is embedded"))
}

fn credentials() -> Credentials {
    Credentials::pair("testid", "testsecret")
}

fn rotation(secret: &str, token: &str) -> Call {
    Call::new("RotateSecret").with("SecretName", secret).with("VersionId", token)
}

fn creation(secret: &str) -> Call {
    Call::new("CreateSecret")
        .with("SecretName", secret)
        .with("VersionId", "v0")
        .with("SecretType", "Rds")
        .with("ExtendedConfig", r#"{"SecretSubType":"SingleUser","DBInstanceId":"rm-1"}"#)
        .with("SecretData", r#"{"Accounts":[{"AccountName":"a","AccountPassword":"b"}]}"#)
}

/// A call of a role with every parameter that it needs.
fn sample(vendor: &Vendor, role: Role) -> Call {
    let (name, operation) = vendor.spec.operation_for(role).expect("every vendor has it");
    let mut call = Call::new(name);
    for (name, parameter) in operation.parameters.iter().filter(|(_, it)| it.given()) {
        let value = match parameter.is {
            Meaning::Project => "0123456789abcdef0123456789abcdef".into(),
            _ => parameter.example.clone().unwrap_or_else(|| "00000000-0000-4000-8000-000000000123".into()),
        };
        call.set(name, value);
    }
    call
}

/// Every vendor's codec and every scheme, one part at a time.
fn parts(criterion: &mut Criterion) {
    for name in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&name).expect("the spec is embedded"));
        let call = sample(&vendor, Role::Rotate);
        let keys = Emulator::default_accounts(&vendor).remove(0).credentials;
        for scheme in &vendor.schemes {
            let unsigned = codec::encode_call(&vendor, &call, scheme, "127.0.0.1:1");
            criterion.bench_function(&format!("encode/{name}/{scheme}"), |bench| {
                bench.iter(|| codec::encode_call(&vendor, black_box(&call), scheme, "127.0.0.1:1"));
            });
            let signing = Signing { credentials: &keys, now: NOW, nonce: "3ee8c1b883d344af" };
            criterion.bench_function(&format!("sign/{name}/{scheme}"), |bench| {
                bench.iter_batched(
                    || unsigned.clone(),
                    |mut request| {
                        scheme.sign(&mut request, &signing);
                        request
                    },
                    BatchSize::SmallInput,
                );
            });
            let mut request = unsigned.clone();
            scheme.sign(&mut request, &signing);
            criterion.bench_function(&format!("verify/{name}/{scheme}"), |bench| {
                bench.iter(|| scheme.verify(black_box(&request), &keys));
            });
            criterion.bench_function(&format!("decode-call/{name}/{scheme}"), |bench| {
                bench.iter(|| codec::decode_call(&vendor, black_box(&request), scheme));
            });
        }
        let mut emulator = Emulator::new(vendor.clone(), Emulator::default_accounts(&vendor), 1);
        let scheme = &vendor.schemes[0];
        let describe = sample(&vendor, Role::Describe);
        let mut request = codec::encode_call(&vendor, &describe, scheme, "127.0.0.1:1");
        scheme.sign(&mut request, &Signing { credentials: &keys, now: NOW, nonce: "3ee8c1b883d344af" });
        let response = emulator.handle(&request, NOW);
        criterion.bench_function(&format!("decode-reply/{name}"), |bench| {
            bench.iter(|| codec::decode_reply(&vendor, &describe.operation, black_box(&response)));
        });
    }
    let vendor = vendor();
    let interval = &vendor.spec.interval;
    criterion.bench_function("interval", |bench| bench.iter(|| interval.read(black_box("31536000s"))));
}

/// A caller at a transport, with a secret to rotate; the clock moves a minute with each call, so that
/// the limit on rotations never stops it.
fn caller(vendor: &Arc<Vendor>, transport: Arc<dyn Transport>, host: &str) -> Caller {
    let now = Arc::new(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(NOW, |d| d.as_secs() as i64)
    });
    let mut caller = Caller::new(
        vendor.clone(),
        transport,
        vec![credentials()],
        host,
        Duration::from_secs(5),
        now,
        fastrand::u64(..),
    );
    caller.call(&creation("bench"), None);
    caller
}

fn calls(criterion: &mut Criterion) {
    let vendor = vendor();
    let mut unlimited = (*vendor).clone();
    unlimited.law.rate = None;
    let unlimited = Arc::new(unlimited);
    let schemas = ReplySchemas::new(&vendor).expect("the schemas compile");

    let emulator = Reference::new(unlimited.clone(), 1);
    let request = |nonce: u64| {
        let scheme = &vendor.schemes[0];
        let mut request = codec::encode_call(
            &vendor,
            &Call::new("DescribeSecret").with("SecretName", "bench"),
            scheme,
            "h",
        );
        scheme.sign(
            &mut request,
            &Signing { credentials: &credentials(), now: NOW, nonce: &nonce.to_string() },
        );
        request
    };
    let mut nonce = 0;
    criterion.bench_function("emulator-handle", |bench| {
        bench.iter_batched(
            || {
                nonce += 1;
                request(nonce)
            },
            |request| emulator.with(|emulator| emulator.handle(&request, NOW)),
            BatchSize::SmallInput,
        );
    });

    let clock = emulator.clock().clone();
    let now = Arc::new(move || clock.now());
    let reference = Arc::new(emulator);
    let mut in_process =
        Caller::new(vendor.clone(), reference, vec![credentials()], "h", Duration::from_secs(5), now, 1);
    in_process.call(&creation("bench"), None);
    let describe = Call::new("DescribeSecret").with("SecretName", "bench");
    criterion.bench_function("call/in-process", |bench| {
        bench.iter(|| in_process.call(black_box(&describe), None))
    });
    criterion.bench_function("call/in-process-and-judged", |bench| {
        bench.iter(|| {
            let exchange = in_process.call(black_box(&describe), None);
            let history = History { entries: vec![Entry::Call(Box::new(exchange))] };
            judge(&vendor, &schemas, &history, &[])
        });
    });
    criterion.bench_function("call/rotation-replay-in-process", |bench| {
        let replay = rotation("bench", "v1");
        bench.iter(|| in_process.call(black_box(&replay), None));
    });

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let served = Arc::new(Served::new(Emulator::new(unlimited, Emulator::default_accounts(&vendor), 1)));
    runtime.spawn(server::serve(listener, served, stopped));
    let transport = HttpTransport::new(&url, Limits::default(), &[]).expect("a transport");
    let host = transport.host().to_owned();
    let mut over_http = caller(&vendor, Arc::new(transport), &host);
    criterion.bench_function("call/rotation-replay-over-http", |bench| {
        let replay = rotation("bench", "v1");
        bench.iter(|| over_http.call(black_box(&replay), None));
    });
}

/// Every vendor, without its limit on rotations.
fn unlimited() -> impl Iterator<Item = (String, Arc<Vendor>)> {
    spec::embedded_names().into_iter().map(|name| {
        let mut vendor = spec::embedded(&name).expect("the spec is embedded");
        vendor.law.rate = None;
        (name, Arc::new(vendor))
    })
}

/// What a call takes all in, beside the signatures alone: calls a second.
fn whole_calls(criterion: &mut Criterion) {
    for (name, vendor) in unlimited() {
        let story = story::story(&vendor, 32);
        let count = story.calls().count() as u64;
        let mut group = criterion.benchmark_group("whole-call");
        group.throughput(Throughput::Elements(count));
        group.bench_function(&name, |bench| {
            bench.iter_batched_ref(
                || story::Stage::new(&vendor),
                |stage| stage.play(&story.entries),
                BatchSize::SmallInput,
            );
        });
        group.finish();

        let keys = Emulator::default_accounts(&vendor).remove(0).credentials;
        let scheme = vendor.scheme().expect("every vendor has one");
        let calls = story.calls().map(|(_, exchange)| &exchange.call);
        let unsigned: Vec<_> =
            calls.map(|call| codec::encode_call(&vendor, call, scheme, "127.0.0.1:1")).collect();
        let mut group = criterion.benchmark_group("signatures");
        group.throughput(Throughput::Elements(count));
        group.bench_function(&name, |bench| {
            bench.iter_batched_ref(
                || unsigned.clone(),
                |requests| {
                    for request in requests {
                        let signing = Signing { credentials: &keys, now: NOW, nonce: "3ee8c1b883d344af" };
                        scheme.sign(request, &signing);
                        assert_eq!(scheme.verify(request, &keys), Ok(()));
                    }
                },
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

/// What judging takes of each call: calls a second, which must not fall where there are more of them.
fn judged_calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge-call");
    group.sample_size(10);
    for (name, vendor) in unlimited() {
        let schemas = ReplySchemas::new(&vendor).expect("the schemas compile");
        for calls in [8, 1_000, 10_000] {
            // Made when it is needed: a long one takes a while.
            let history = LazyCell::new(|| story::story(&vendor, calls));
            group.throughput(Throughput::Elements(calls as u64));
            group.bench_function(format!("{name}/{calls}"), |bench| {
                let history: &History = &history;
                bench.iter(|| judge(&vendor, &schemas, black_box(history), &[]));
            });
        }
    }
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10);
    for name in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&name).expect("the spec is embedded"));
        group.bench_function(format!("in-process/{name}"), |bench| {
            bench.iter(|| {
                let reference = Arc::new(Reference::new(vendor.clone(), 7));
                let clock = reference.clock().clone();
                let rules = campaign::select(&[]).expect("all rules");
                let plan = Plan { rules, seed: 7, deadline: Duration::from_secs(600) };
                campaign::run(
                    &vendor,
                    &Endpoint::in_process(reference),
                    &plan,
                    Arc::new(move || clock.now()),
                    &mut |_| {},
                )
            });
        });
    }
    group.finish();
    criterion.bench_function("load-spec", |bench| bench.iter(|| spec::embedded(black_box("alibaba"))));
}

/// Plans of up to eight calls, made of bytes, performed at the reference and judged.
fn plans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sequence");
    for name in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&name).expect("the spec is embedded"));
        let mut rng = fastrand::Rng::with_seed(8);
        let random = std::iter::repeat_with(|| -> Vec<u8> {
            let length = rng.usize(8..200);
            std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
        });
        let plans: Vec<generate::Plan> = random
            .map(|bytes| generate::Plan::decode(&vendor, &bytes))
            .filter(|plan| (1..=8).contains(&plan.calls()))
            .take(200)
            .collect();
        let forever = Instant::now() + Duration::from_secs(86_400);
        let target = fuzz::Target::reference(&vendor, Vec::new(), 7);
        let mut runner = fuzz::Runner::new(&vendor, target, 7, forever).expect("the schemas compile");
        group.sample_size(10).throughput(Throughput::Elements(plans.len() as u64));
        group.bench_function(&name, |bench| {
            bench.iter(|| plans.iter().map(|plan| runner.trial(plan, 7).features.len()).sum::<usize>());
        });
    }
    group.finish();
}

/// A history of calls that overlap, eight at a time, four of them at one secret and four at the next.
fn crowds(vendor: &Arc<Vendor>, calls: usize, secrets: usize) -> History {
    let reference = Arc::new(Reference::new(vendor.clone(), 7));
    let clock = reference.clock().clone();
    let endpoint = Endpoint::in_process(reference.clone());
    let mut caller = Caller::new(
        vendor.clone(),
        reference,
        endpoint.credentials.clone(),
        &endpoint.host,
        endpoint.timeout,
        Arc::new(move || clock.now()),
        7,
    );
    caller.limit(endpoint.timeout);
    let ledger = Ledger::open(vendor, "the reference", "bench-", &endpoint.care);
    let forever = Instant::now() + Duration::from_secs(86_400);
    let mut link = Direct::new(caller, endpoint, forever, ledger);
    let mut settings = Settings::new("bench-".into(), 7);
    let mut drive = Drive::new(&mut link, vendor, &mut settings);
    let (put, _) = vendor.spec.operation_for(Role::Put).expect("values can be put");
    let kind = vendor.spec.kinds.iter().find(|(_, kind)| kind.takes_values);
    let kind = kind.expect("some kind takes values").0;
    let made: Vec<Made> =
        (0..secrets).map(|_| drive.create(kind, 0, 0).expect("a secret can be made")).collect();
    let mut turn = 0;
    while drive.history.calls().count() < calls {
        let mut together = Vec::new();
        for secret in [&made[turn % secrets], &made[(turn + 1) % secrets]] {
            for role in [Role::Put, Role::Read, Role::Describe, Role::Versions] {
                let mut call = drive.call_of(role, secret).expect("the operation is documented");
                if role == Role::Put {
                    let (token, value) = (drive.token(), drive.value());
                    drive.set(&mut call, Meaning::Token, token);
                    drive.set(&mut call, Meaning::Value, value);
                }
                together.push(call);
            }
        }
        let attempts: Vec<Attempt<'_>> = together.iter().map(Attempt::new).collect();
        drive.send_together(&attempts).expect("the reference answers");
        turn += 1;
    }
    let done = drive.history.calls().filter(|(_, it)| it.done() && it.call.operation == *put).count();
    assert!(done * 8 >= calls, "values were put {done} times");
    std::mem::take(&mut drive.history)
}

fn crowded(criterion: &mut Criterion) {
    let vendor = vendor();
    let schemas = ReplySchemas::new(&vendor).expect("the schemas compile");
    let mut group = criterion.benchmark_group("linearise");
    group.sample_size(10);
    for (name, calls, secrets) in [
        ("1k-calls-10-secrets", 1_000, 10),
        ("1k-calls-100-secrets", 1_000, 100),
        ("10k-calls-100-secrets", 10_000, 100),
    ] {
        let history = LazyCell::new(|| crowds(&vendor, calls, secrets));
        group.throughput(Throughput::Elements(calls as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| judge(&vendor, &schemas, black_box(&history), &[]));
        });
    }
    group.finish();
}

criterion_group!(benches, order::orders, parts, calls, whole_calls, judged_calls, whole, plans, crowded);
criterion_main!(benches);

//! How long the parts of one call take, a whole rotation, and a whole check. `just bench` runs them.
//!
//! Figures depend on the machine; ratios within one run are what to compare.
#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to say")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rotaprobe::campaign::{self, Endpoint, Plan, Reference};
use rotaprobe::check::{ReplySchemas, judge};
use rotaprobe::client::Caller;
use rotaprobe::client::http::{HttpTransport, Limits};
use rotaprobe::client::transport::Transport;
use rotaprobe::codec::{self, Call};
use rotaprobe::emulator::service::Served;
use rotaprobe::emulator::{Emulator, server};
use rotaprobe::history::{Entry, History};
use rotaprobe::sign::{Credentials, Scheme, Signing};
use rotaprobe::spec::{self, Vendor};
use rotaprobe::wire::Request;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

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

fn signed(vendor: &Vendor, scheme: &Scheme) -> Request {
    let mut request = codec::encode_call(
        vendor,
        &rotation("RdsSecret/Mysql5.4/MyCred", "000000123"),
        scheme,
        "127.0.0.1:1",
    );
    scheme.sign(
        &mut request,
        &Signing { credentials: &credentials(), now: NOW, nonce: "3ee8c1b883d344afa94f4e0ad82fd6cf" },
    );
    request
}

fn parts(criterion: &mut Criterion) {
    let vendor = vendor();
    let call = rotation("RdsSecret/Mysql5.4/MyCred", "000000123");
    for scheme in &vendor.schemes {
        let unsigned = codec::encode_call(&vendor, &call, scheme, "127.0.0.1:1");
        let keys = credentials();
        criterion.bench_function(&format!("encode/{scheme}"), |bench| {
            bench.iter(|| codec::encode_call(&vendor, black_box(&call), scheme, "127.0.0.1:1"));
        });
        criterion.bench_function(&format!("sign/{scheme}"), |bench| {
            bench.iter_batched(
                || unsigned.clone(),
                |mut request| {
                    scheme.sign(&mut request, &Signing { credentials: &keys, now: NOW, nonce: "n" });
                    request
                },
                BatchSize::SmallInput,
            );
        });
        let request = signed(&vendor, scheme);
        criterion.bench_function(&format!("verify/{scheme}"), |bench| {
            bench.iter(|| scheme.verify(black_box(&request), &keys));
        });
        criterion.bench_function(&format!("decode-call/{scheme}"), |bench| {
            bench.iter(|| codec::decode_call(&vendor, black_box(&request), scheme));
        });
    }
    let mut emulator = Emulator::new(vendor.clone(), Emulator::default_accounts(&vendor), 1);
    let response = emulator.handle(&signed(&vendor, &vendor.schemes[0]), NOW);
    criterion.bench_function("decode-reply", |bench| {
        bench.iter(|| codec::decode_reply(&vendor, "RotateSecret", black_box(&response)));
    });
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

fn whole(criterion: &mut Criterion) {
    let vendor = vendor();
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10);
    group.bench_function("in-process", |bench| {
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
    group.finish();
    criterion.bench_function("load-spec", |bench| bench.iter(|| spec::embedded(black_box("alibaba"))));
}

criterion_group!(benches, parts, calls, whole);
criterion_main!(benches);

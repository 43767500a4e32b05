//! Writes what the fuzzers begin with: `corpus/` for each target from a run of every check against the
//! reference of every vendor, and `dictionaries/` from the specs. Both are next to this package.

// Coverage counters, where this is built with them, are libFuzzer's.
use libfuzzer_sys as _;
use rotaprobe::campaign::{self, Endpoint, Plan, Reference};
use rotaprobe::client::transport::{Lost, Transport};
use rotaprobe::codec;
use rotaprobe::generate::{self, Choice, Of, Small};
use rotaprobe::spec;
use rotaprobe::wire::{Request, Response};
use rotaprobe_fuzz::{Stage, calls, http, spec_files, stages};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};

/// Bytes that a seed has at most: mutations of long inputs say little.
const LONGEST: usize = 4_096;
/// Requests in a seed of the emulator.
const WINDOW: usize = 6;
/// Plans of one length in a corpus, about.
const PLANS: usize = 100;
/// Bytes that a word of a dictionary has at most.
const LONGEST_WORD: usize = 60;

/// The reference, and all that was said to it and by it.
#[derive(Debug)]
struct Overheard {
    reference: Arc<Reference>,
    said: Mutex<Vec<(Request, Response)>>,
}

impl Transport for Overheard {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost> {
        let response = self.reference.send(request, timeout)?;
        let mut said = self.said.lock().expect("nobody panics while holding it");
        said.push((request.clone(), response.clone()));
        Ok(response)
    }

    fn name(&self) -> String {
        self.reference.name()
    }
}

/// Everything that the checks say to the reference of a vendor, and its answers.
fn overheard(stage: &Stage) -> Vec<(Request, Response)> {
    let reference = Arc::new(Reference::new(stage.vendor.clone(), 7));
    let clock = reference.clock().clone();
    let mut endpoint = Endpoint::in_process(reference.clone());
    let transport = Arc::new(Overheard { reference, said: Mutex::default() });
    endpoint.transport = transport.clone();
    let rules = campaign::select(&[]).expect("all rules can be chosen");
    let plan = Plan { rules, seed: 7, deadline: Duration::from_secs(600) };
    campaign::run(&stage.vendor, &endpoint, &plan, Arc::new(move || clock.now()), &mut |_| {});
    transport.said.lock().expect("nobody panics while holding it").drain(..).collect()
}

/// The seeds of one target, each once.
struct Corpus {
    folder: PathBuf,
    known: BTreeSet<Vec<u8>>,
}

impl Corpus {
    fn new(root: &Path, target: &str) -> io::Result<Self> {
        let folder = root.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, known: BTreeSet::new() })
    }

    fn add(&mut self, seed: Vec<u8>) -> io::Result<()> {
        if seed.len() > LONGEST || self.known.contains(&seed) {
            return Ok(());
        }
        fs::write(self.folder.join(format!("seed-{:04}", self.known.len())), &seed)?;
        self.known.insert(seed);
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut emulator = Corpus::new(root, "emulator")?;
    let mut codec = Corpus::new(root, "codec")?;
    let mut signature = Corpus::new(root, "signature")?;
    let mut interval = Corpus::new(root, "interval")?;
    for (who, stage) in stages().iter().enumerate() {
        let who = u8::try_from(who).expect("vendors are few");
        let said = overheard(stage);
        emulator_seeds(&mut emulator, who, stage, &said)?;
        for (at, (request, response)) in said.iter().enumerate() {
            call_seeds(&mut codec, &mut signature, (who, at), stage, request, response)?;
        }
        interval_seeds(&mut interval, who, stage)?;
        plan_seeds(root, stage)?;
    }
    spec_seeds(root)?;
    dictionaries(root)
}

/// Requests in the order in which checks send them, unsigned: the target signs them anew.
fn emulator_seeds(
    corpus: &mut Corpus,
    who: u8,
    stage: &Stage,
    said: &[(Request, Response)],
) -> io::Result<()> {
    let mut seen = BTreeSet::new();
    for (at, window) in said.chunks(WINDOW).enumerate() {
        let schemes = &stage.vendor.schemes;
        let how = schemes.iter().position(|scheme| scheme.announces(&window[0].0));
        let mut bytes = Vec::new();
        let mut news = false;
        for (request, response) in window {
            let mut request = request.clone();
            let scheme = schemes.iter().find(|scheme| scheme.announces(&request));
            let inbound = scheme.map(|scheme| codec::decode_call(&stage.vendor, &request, scheme));
            let operation = inbound.and_then(Result::ok).map(|it| (it.operation, it.params.len()));
            let code = codec::decode_reply(&stage.vendor, "", response).code().map(str::to_owned);
            news |= seen.insert((operation, code, response.status));
            if let Some(scheme) = scheme {
                http::unsign(&mut request, scheme);
            }
            bytes.extend(http::bytes(&request));
        }
        if news {
            let how = u8::try_from(how.unwrap_or(schemes.len())).expect("schemes are few");
            corpus.add(
                [&[who, how, u8::try_from(at % 3).expect("below three") * 30], bytes.as_slice()].concat(),
            )?;
        }
    }
    // Some as they were, signature and all.
    for (request, _) in said.iter().take(3) {
        let how = u8::try_from(stage.vendor.schemes.len()).expect("schemes are few");
        corpus.add([&[who, how, 0], http::bytes(request).as_slice()].concat())?;
    }
    Ok(())
}

/// The calls that requests were, what was answered, and the requests themselves.
fn call_seeds(
    codec: &mut Corpus,
    signature: &mut Corpus,
    (who, at): (u8, usize),
    stage: &Stage,
    request: &Request,
    response: &Response,
) -> io::Result<()> {
    let vendor = &stage.vendor;
    let Some(how) = vendor.schemes.iter().position(|scheme| scheme.announces(request)) else { return Ok(()) };
    let scheme = &vendor.schemes[how];
    let how = u8::try_from(how).expect("schemes are few");
    let Ok(inbound) = codec::decode_call(vendor, request, scheme) else { return Ok(()) };
    let what = vendor.spec.operations.get_index_of(&inbound.operation).unwrap_or_default();
    let what = u8::try_from(what).expect("operations are few");
    let call = calls::write(who, what, how, &inbound.params);
    // One in many is enough of what is much alike.
    if at % 32 == 0 {
        let place = u16::try_from(at % 1_024).expect("below a limit").to_be_bytes();
        signature.add([&[0, place[0], place[1], b'x'], call.as_slice()].concat())?;
        let status = u8::from(response.status != 200) * 101;
        codec.add([&[3, who, what, status], response.body.as_slice()].concat())?;
        codec.add([&[0], call.as_slice()].concat())?;
    }
    if at % 256 == 0 {
        let mut bare = request.clone();
        codec.add([&[4], http::bytes(&bare).as_slice()].concat())?;
        http::unsign(&mut bare, scheme);
        signature.add([&[1], http::bytes(&bare).as_slice()].concat())?;
    }
    Ok(())
}

/// The bounds in every unit, and what is next to them.
fn interval_seeds(corpus: &mut Corpus, who: u8, stage: &Stage) -> io::Result<()> {
    let interval = &stage.vendor.spec.interval;
    let disputed = interval.disputed.iter().flat_map(|range| [range.from.0, range.below.0]);
    for bound in [interval.min.0, interval.max.0].into_iter().chain(disputed) {
        for unit in &interval.units {
            for number in [bound / unit.seconds(), bound / unit.seconds() + 1] {
                corpus.add([&[who], format!("{number}{}", unit.letter()).as_bytes()].concat())?;
                corpus.add(
                    [&[who], format!("0{number}{}", unit.letter().to_ascii_uppercase()).as_bytes()].concat(),
                )?;
            }
        }
    }
    let all = u8::MAX;
    corpus.add([&[all, all, all], [0_u8; 16].as_slice(), b"1d12h30m15s"].concat())
}

/// Plans of one call, and of two: a corpus for each vendor, because bytes mean other plans elsewhere.
fn plan_seeds(root: &Path, stage: &Stage) -> io::Result<()> {
    let name = &stage.vendor.spec.vendor;
    let mut small = Small::up_to(1);
    let mut plans: Vec<Vec<Choice>> = Vec::new();
    while let Some(bytes) = small.next(&stage.vendor) {
        let mut choices = generate::Plan::choices(&stage.vendor, &bytes).1;
        // The last choice is to end.
        choices.pop();
        plans.push(choices);
    }
    let every = plans.len().div_ceil(PLANS).max(1);
    let bytes = |choices: &[Choice]| -> Vec<u8> { choices.iter().map(|it| it.chosen as u8).collect() };
    for target in ["sequence", "endpoint"] {
        let mut corpus = Corpus::new(root, &format!("{target}/{name}"))?;
        for (at, plan) in plans.iter().enumerate().step_by(every) {
            corpus.add(bytes(plan))?;
            let next = &plans[(at * 7 + 3) % plans.len()];
            let call = next.iter().position(|it| it.of == Of::Step).unwrap_or(next.len());
            corpus.add([bytes(plan), bytes(&next[call..])].concat())?;
        }
    }
    Ok(())
}

/// The specs as they are, and the least that is one.
fn spec_seeds(root: &Path) -> io::Result<()> {
    let folder = root.join("corpus").join("spec_loader");
    fs::create_dir_all(&folder)?;
    for file in spec_files() {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        fs::copy(&file, folder.join(format!("seed-{name}")))?;
    }
    let specs = stages().iter().map(|stage| serde_json::to_value(&stage.vendor.spec).unwrap_or_default());
    if let Some(mut least) = specs.min_by_key(|spec| spec.to_string().len()) {
        shrink(&mut least, &mut Vec::new());
        fs::write(folder.join("seed-least"), serde_json::to_string_pretty(&least)?)?;
    }
    Ok(())
}

/// Takes members away, the large ones first, for as long as it stays a spec.
fn shrink(root: &mut Value, path: &mut Vec<String>) {
    let pointer = |path: &[String]| path.iter().map(|name| format!("/{name}")).collect::<String>();
    let names = |root: &Value, path: &[String]| -> Vec<String> {
        let inner = root.pointer(&pointer(path)).and_then(Value::as_object);
        inner
            .map(|map| map.keys().filter(|key| !key.contains(['/', '~'])).cloned().collect())
            .unwrap_or_default()
    };
    for name in names(root, path) {
        let Some(Value::Object(map)) = root.pointer_mut(&pointer(path)) else { return };
        let Some(place) = map.keys().position(|key| *key == name) else { continue };
        let Some(taken) = map.shift_remove(&name) else { continue };
        if spec::from_text("least", &root.to_string()).is_ok() {
            continue;
        }
        if let Some(Value::Object(map)) = root.pointer_mut(&pointer(path)) {
            map.shift_insert(place, name.clone(), taken);
        }
        if path.len() < 3 {
            path.push(name);
            shrink(root, path);
            path.pop();
        }
    }
}

/// The words of each vendor, of all of them, and of specs themselves.
fn dictionaries(root: &Path) -> io::Result<()> {
    let folder = root.join("dictionaries");
    fs::create_dir_all(&folder)?;
    let mut all = BTreeSet::new();
    for stage in stages() {
        let words = words(stage);
        fs::write(folder.join(format!("{}.dict", stage.vendor.spec.vendor)), dictionary(&words))?;
        all.extend(words);
    }
    fs::write(folder.join("all.dict"), dictionary(&all))?;
    let schema: Value = serde_json::from_str(&fs::read_to_string(root.join("../specs/schema/spec.json"))?)?;
    let mut words = BTreeSet::new();
    schema_words(&schema, &mut words);
    fs::write(folder.join("spec.dict"), dictionary(&words))
}

fn words(stage: &Stage) -> BTreeSet<String> {
    let spec = &stage.vendor.spec;
    let mut words = BTreeSet::new();
    let mut add = |word: &str| {
        words.insert(word.to_owned());
    };
    for (name, operation) in &spec.operations {
        add(name);
        operation.path.iter().flat_map(|path| path.split('/')).for_each(&mut add);
        for (name, parameter) in &operation.parameters {
            add(name);
            parameter.values.iter().for_each(|value| add(value));
            parameter.example.iter().chain(&parameter.default).for_each(|value| add(value));
        }
        operation.reply.iter().for_each(|(name, field)| {
            add(name);
            field.values.iter().chain(field.states.keys()).for_each(|value| add(value));
        });
    }
    spec.errors.keys().for_each(|code| add(code));
    spec.interval.units.iter().for_each(|unit| add(&format!("30{}", unit.letter())));
    let stages = &spec.stages;
    add(&stages.current);
    stages.previous.iter().chain(&stages.pending).chain(&stages.alias).for_each(|stage| add(stage));
    for (name, kind) in &spec.kinds {
        add(name);
        kind.literal_name.iter().chain(&kind.literal_value).for_each(|value| add(value));
    }
    let protocol = &spec.protocol;
    for naming in [&protocol.operation, &protocol.version].into_iter().chain(&protocol.also) {
        naming.header.iter().chain(&naming.parameter).for_each(|name| add(name));
    }
    protocol.headers.keys().chain(&protocol.methods).for_each(|name| add(name));
    [&spec.version, &protocol.content_type].into_iter().for_each(|value| add(value));
    for scheme in &stage.vendor.schemes {
        scheme.confidential().into_iter().for_each(&mut add);
        scheme.canonical().iter().flat_map(|it| &it.needs).for_each(|name| add(name));
    }
    words
}

/// The names and words that the schema of specs knows.
fn schema_words(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            for (name, inner) in map {
                match (name.as_str(), inner) {
                    ("properties", Value::Object(properties)) => words.extend(properties.keys().cloned()),
                    ("const", Value::String(word)) => drop(words.insert(word.clone())),
                    ("enum", Value::Array(list)) => {
                        words.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                schema_words(inner, words);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| schema_words(inner, words)),
        _ => {}
    }
}

/// A dictionary in libFuzzer's form.
fn dictionary(words: &BTreeSet<String>) -> String {
    let escaped = |word: &String| -> String {
        let byte = |byte: u8| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02X}"),
        };
        word.bytes().map(byte).collect()
    };
    let short = words.iter().filter(|word| !word.is_empty() && word.len() <= LONGEST_WORD);
    short.map(|word| format!("\"{}\"\n", escaped(word))).collect()
}

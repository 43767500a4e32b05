//! The spec loader takes any text without a panic, and what it takes can be used.
//!
//! Input: YAML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rotaprobe::codec::{self, Call, ReplySchemas};
use rotaprobe::emulator::Emulator;
use rotaprobe::sign::Signing;
use rotaprobe::spec::{self, Vendor};
use rotaprobe_fuzz::NOW;
use std::sync::Arc;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match spec::from_text("input.yaml", text) {
        Err(error) => assert!(error.to_string().starts_with("input.yaml: at `"), "{error}"),
        Ok(vendor) => {
            comes_back(&vendor);
            spec::lint(&vendor.spec);
            // Only the patterns of replies are left to be checked here.
            let _ = ReplySchemas::new(&vendor);
            serves(vendor);
        }
    }
});

/// A spec that is written as JSON, which is YAML, reads as the same spec.
fn comes_back(vendor: &Vendor) {
    let json = serde_json::to_value(&vendor.spec).expect("a spec can be written");
    let again = spec::from_text("again.yaml", &json.to_string()).expect("what was written can be read");
    assert_eq!(serde_json::to_value(&again.spec).expect("a spec can be written"), json);
}

/// An emulator of it answers a call of each operation.
fn serves(vendor: Vendor) {
    let vendor = Arc::new(vendor);
    let accounts = Emulator::default_accounts(&vendor);
    let Some(credentials) = accounts.first().map(|account| account.credentials.clone()) else { return };
    let Some(scheme) = vendor.scheme().cloned() else { return };
    let mut emulator = Emulator::new(vendor.clone(), accounts, 7);
    for (name, operation) in &vendor.spec.operations {
        let given = operation.parameters.iter().filter(|(_, parameter)| parameter.given());
        let call = given.fold(Call::new(name), |call, (name, parameter)| {
            let value = parameter.example.as_ref().or(parameter.values.first());
            call.with(name, value.map_or("rotaprobe", String::as_str))
        });
        let mut request = codec::encode_call(&vendor, &call, &scheme, "localhost");
        let nonce = format!("{:016x}", name.len());
        scheme.sign(&mut request, &Signing { credentials: &credentials, now: NOW, nonce: &nonce });
        let response = emulator.handle(&request, NOW);
        codec::decode_reply(&vendor, name, &response);
    }
}
